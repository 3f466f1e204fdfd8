/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The peers: which are built, from what package, and how each is used. */
#include "bench.h"

#include <jansson.h>
#include <string.h>

enum { COLUMNS = 78 };

/** The words of @p text in lines that begin with @p indent. */
static void print_wrapped(FILE *out, const char *indent, const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t word = strcspn(text, " ");

		if (column != 0 && column + 1 + word > COLUMNS) {
			(void)fputc('\n', out);
			column = 0;
		}
		column +=
			(size_t)fprintf(out, "%s%.*s", column == 0 ? indent : " ", (int)word, text);
		text += word + strspn(text + word, " ");
	}
	(void)fputc('\n', out);
}

static void print_peer(FILE *out, const struct bench_peer *peer)
{
	const char *version = bench_peer_version(peer);

	fprintf(out, "%s: %s %s%s%s\n", peer->name,
		peer->subject != NULL ? "built, from" : "not built: install", peer->package,
		version != NULL ? " " : "", version != NULL ? version : "");
	print_wrapped(out, "  ", peer->config);
	(void)fputs("  scenarios:", out);
	for (size_t i = 0; peer->scenarios[i] != NULL; i++)
		fprintf(out, "%s %s", i != 0 ? "," : "", peer->scenarios[i]);
	(void)fputc('\n', out);
}

static void print_peer_json(FILE *out, const struct bench_peer *peer)
{
	json_t *scenarios = json_array();
	json_t *object;

	for (size_t i = 0; scenarios != NULL && peer->scenarios[i] != NULL; i++)
		if (json_array_append_new(scenarios, json_string(peer->scenarios[i])) != 0)
			bench_fail("no memory for the JSON of %s", peer->name);
	object = json_pack("{s:s, s:s, s:b, s:s?, s:s, s:b, s:o}", "peer", peer->name, "package",
			   peer->package, "built", peer->subject != NULL, "package_version",
			   bench_peer_version(peer), "config", peer->config, "ordered",
			   !peer->unordered, "scenarios", scenarios);
	if (object == NULL || json_dumpf(object, out, JSON_COMPACT) != 0)
		bench_fail("cannot write the JSON of %s", peer->name);
	json_decref(object);
	(void)fputc('\n', out);
}

void bench_report_peers(FILE *out, bool json)
{
	for (size_t i = 0; bench_peers[i] != NULL; i++) {
		if (json)
			print_peer_json(out, bench_peers[i]);
		else
			print_peer(out, bench_peers[i]);
	}
}
