/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The page: one file that shows a run, without scripts and without anything from elsewhere. */
#include "html.h"

#include <math.h>
#include <string.h>

static const char style[] =
	":root{color-scheme:light}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:#fff;color:#222;font:16px/1.5 system-ui,'Segoe UI',Roboto,"
	"'Helvetica Neue',Arial,'DejaVu Sans',sans-serif}\n"
	"header,main,footer{max-width:1040px;margin:0 auto;padding:0 20px}\n"
	"header{padding-top:28px}\n"
	"h1{font-size:30px;line-height:1.2;margin:0 0 4px}\n"
	"h2{font-size:23px;margin:52px 0 6px;padding-top:14px;border-top:3px solid #0072b2}\n"
	"h3{font-size:17px;margin:26px 0 2px}\n"
	"p{margin:6px 0 12px;max-width:75ch}\n"
	"a{color:#005a9c}\n"
	".quiet{color:#5f6368}p.quiet{max-width:none}\n"
	".cards{display:flex;flex-wrap:wrap;gap:12px;margin:22px 0}\n"
	".card{flex:1 1 140px;border:1px solid #dadce0;border-left:6px solid #9aa0a6;"
	"border-radius:4px;padding:8px 14px}\n"
	".card b{display:block;font-size:28px;line-height:1.2}\n"
	".MET{border-left-color:#0072b2}.NOT-MET{border-left-color:#d55e00}\n"
	".WITHIN-NOISE{border-left-color:#e69f00}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;margin:12px 0}\n"
	"dt{color:#5f6368}dd{margin:0;overflow-wrap:anywhere}\n"
	"nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:10px 0}\n"
	".scroll{overflow-x:auto}\n"
	"table{border-collapse:collapse;font-size:14px;margin:8px 0;"
	"font-variant-numeric:tabular-nums}\n"
	"th,td{padding:4px 10px;text-align:right;white-space:nowrap;"
	"border-bottom:1px solid #e3e5e8}\n"
	"th{color:#5f6368;font-weight:600;vertical-align:bottom;white-space:normal}\n"
	"th:first-child,td:first-child,.words td,.words th{text-align:left}\n"
	".words td{white-space:normal}\n"
	"tr.main td{font-weight:600;background:#eaf3f9}\n"
	".verdict{display:inline-block;white-space:nowrap;font-size:12.5px;font-weight:700;"
	"padding:1px 8px;border-radius:3px;color:#fff;background:#5f6368}\n"
	"span.MET{background:#0072b2}span.NOT-MET{background:#c04f00}\n"
	"span.WITHIN-NOISE{background:#ffd27a;color:#222}\n"
	"span.NOT-COUNTED{background:#e3e5e8;color:#222}\n"
	".wide{max-width:800px}.small{display:none}svg{display:block;width:100%;height:auto}\n"
	"details{margin:6px 0}.point{border-left:3px solid #e3e5e8;padding-left:12px}"
	"summary{cursor:pointer;color:#005a9c;padding:4px 0}\n"
	"footer{margin-top:48px;padding-bottom:32px;color:#5f6368;font-size:14px}\n"
	"@media(max-width:640px){header,main,footer{padding-left:14px;padding-right:14px}"
	"header{padding-top:18px}h1{font-size:25px}.wide{display:none}"
	".small{display:block;max-width:480px}dl{grid-template-columns:1fr;gap:0}"
	"dd{margin-bottom:6px}.words,.words tbody,.words tr,.words td{display:block}"
	".words thead{display:none}.words tr{border-bottom:1px solid #dadce0;padding:6px 0}"
	".words td{border:0;padding:2px 0}.words td:nth-child(-n+2){display:inline;"
	"margin-right:8px}}\n"
	"@media print{details>*{display:block}}\n";

/* ---- Pieces ---- */

void html_verdict(FILE *out, enum bench_verdict verdict)
{
	char class[32] = "";
	const char *name = verdict != BENCH_NO_BAR ? bench_verdict_name(verdict) : "not measurable";

	snprintf(class, sizeof(class), "%s", name);
	for (char *c = class; *c != '\0'; c++)
		if (*c == ' ')
			*c = '-';
	fprintf(out, "<span class=\"verdict %s\">%s</span>", class, name);
}

void html_paragraph(FILE *out, const char *class, const char *text)
{
	fprintf(out, "<p%s%s%s>", class != NULL ? " class=\"" : "", class != NULL ? class : "",
		class != NULL ? "\"" : "");
	svg_escape(out, text);
	(void)fputs("</p>\n", out);
}

static void fact(FILE *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	fprintf(out, "<dt>%s</dt><dd>", name);
	svg_escape(out, value);
	(void)fputs("</dd>\n", out);
}

static const json_t *first_line(const struct bench_results *results)
{
	return json_array_get(results->lines, 0);
}

/* ---- Head ---- */

static void draw_head(FILE *out, const struct bench_results *results)
{
	const char *commit = bench_machine_text(first_line(results), "commit");
	const char *cpu = bench_machine_text(first_line(results), "cpu");

	(void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<title>disruptor: benchmarks",
		    out);
	if (commit != NULL) {
		(void)fputs(" of ", out);
		svg_escape(out, commit);
	}
	fprintf(out,
		"</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n"
		"<h1>disruptor: benchmarks</h1>\n<p class=\"quiet\">",
		style);
	svg_escape(out, cpu);
	if (commit != NULL) {
		(void)fputs(", commit ", out);
		svg_escape(out, commit);
	}
	(void)fputs("</p>\n", out);
}

static void draw_card(FILE *out, const char *class, const char *number, const char *what)
{
	fprintf(out, "<div class=\"card %s\"><b>%s</b>%s</div>\n", class, number, what);
}

static void draw_cards(FILE *out, const struct bench_results *results)
{
	static const char *const classes[] = {
		[BENCH_MET] = "MET",
		[BENCH_NOT_MET] = "NOT-MET",
		[BENCH_WITHIN_NOISE] = "WITHIN-NOISE",
		[BENCH_NOT_COUNTED] = "NOT-COUNTED",
	};
	static const char *const words[] = {
		[BENCH_MET] = "bars met",
		[BENCH_NOT_MET] = "not met",
		[BENCH_WITHIN_NOISE] = "within noise",
		[BENCH_NOT_COUNTED] = "not counted",
	};
	struct bench_tally tally = bench_count_bars(results);
	struct bench_lmax lmax = bench_against_lmax(results);
	char number[32];

	(void)fputs("<div class=\"cards\">\n", out);
	for (int v = BENCH_MET; v <= BENCH_NOT_COUNTED; v++) {
		snprintf(number, sizeof(number), "%u", tally.count[v]);
		draw_card(out, classes[v], number, words[v]);
	}
	if (lmax.tables != 0) {
		snprintf(number, sizeof(number), "%.3g ×", lmax.mean);
		draw_card(out, classes[lmax.verdict], number, "LMAX Disruptor, geometric mean");
	}
	(void)fputs("</div>\n", out);
}

static void draw_machine(FILE *out, const struct bench_results *results)
{
	const json_t *line = first_line(results);
	const json_t *cores = json_object_get(json_object_get(line, "machine"), "cores");
	char text[32];

	(void)fputs("<h2 id=\"machine\">Machine and build</h2>\n<dl>\n", out);
	fact(out, "CPU", bench_machine_text(line, "cpu"));
	if (json_is_integer(cores)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(cores));
		fact(out, "CPUs allowed", text);
	}
	fact(out, "Kernel", bench_machine_text(line, "kernel"));
	fact(out, "Governor", bench_machine_text(line, "governor"));
	fact(out, "Compiler", bench_machine_text(line, "compiler"));
	fact(out, "Flags", bench_machine_text(line, "flags"));
	fact(out, "Version", bench_machine_text(line, "version"));
	fact(out, "Commit", bench_machine_text(line, "commit"));
	(void)fputs("</dl>\n", out);
}

static void draw_method(FILE *out)
{
	(void)fputs("<h2 id=\"method\">Method</h2>\n", out);
	html_paragraph(
		out, NULL,
		"Each round takes one sample of every subject in turn, on the same CPUs and "
		"with checks of all that is carried, so that a machine that drifts hits all "
		"alike; a bar shows the median of the rounds, and its whisker the smallest "
		"and the largest. What counts is the ratio of two subjects, taken round by "
		"round: to the limit, which is bare code that does the least that must be "
		"done, and to the peers, which is what one would use instead. The library "
		"stands in every table twice, and how far the two differ is the noise: a bar "
		"nearer than that is neither met nor missed, and a bar against peers counts "
		"only if all that suit the scenario ran.");
}

/* ---- Bars ---- */

static void draw_bar(void *context, const json_t *line, const json_t *bar)
{
	const char *point = bench_text(line, "point"), *missing = bench_text(bar, "missing");
	enum bench_verdict verdict = bench_verdict_of(bar);
	char words[256], got[32], min[32], max[32];
	FILE *out = context;

	(void)fputs("<tr><td>", out);
	html_verdict(out, verdict);
	(void)fputs("</td><td>", out);
	svg_escape(out, bench_text(line, "scenario"));
	if (point != NULL) {
		(void)fputs(", ", out);
		svg_escape(out, point);
	}
	(void)fputs("</td><td>", out);
	bench_bar_words(words, sizeof(words), line, bar, false);
	svg_escape(out, words);
	plot_figure(got, bench_number(bar, "got"));
	plot_figure(min, bench_number(bar, "got_min"));
	plot_figure(max, bench_number(bar, "got_max"));
	fprintf(out, "</td><td><b>%s</b> <span class=\"quiet\">[%s, %s]</span>", got, min, max);
	if (verdict == BENCH_NOT_COUNTED && missing != NULL) {
		(void)fputs(" not built: ", out);
		svg_escape(out, missing);
	}
	(void)fputs("</td></tr>\n", out);
}

static void draw_lmax(FILE *out, const struct bench_results *results)
{
	struct bench_lmax lmax = bench_against_lmax(results);

	(void)fputs("<tr><td>", out);
	html_verdict(out, lmax.verdict);
	fprintf(out,
		"</td><td>LMAX scenarios as a whole</td><td>against LMAX, geometric mean ≥ %g"
		"</td><td>",
		bench_lmax_bar);
	if (lmax.tables == 0)
		(void)fputs("LMAX Disruptor did not run", out);
	else
		fprintf(out,
			"<b>%.3g</b> <span class=\"quiet\">in %zu tables, within a factor of "
			"%.3g</span>",
			lmax.mean, lmax.tables, lmax.noise);
	(void)fputs("</td></tr>\n", out);
}

static void draw_bars(FILE *out, const struct bench_results *results)
{
	(void)fputs(
		"<h2 id=\"bars\">All bars</h2>\n<table class=\"words\">\n<thead><tr><th>Verdict</th>"
		"<th>Scenario</th><th>Bar</th><th>Got [smallest, largest round]</th></tr></thead>\n"
		"<tbody>\n",
		out);
	bench_each_bar(results, draw_bar, out);
	draw_lmax(out, results);
	(void)fputs("</tbody>\n</table>\n", out);
}

/* ---- Peers ---- */

/** The first line of a peer: what it is does not change from one to the next. */
static const json_t *line_of_peer(const struct bench_results *results, const char *name)
{
	const json_t *line;
	size_t i;

	json_array_foreach(results->lines, i, line)
	{
		const char *subject = bench_text(line, "subject");

		if (subject != NULL && bench_has_role(line, "peer") && strcmp(subject, name) == 0)
			return line;
	}
	return NULL;
}

static void cell(FILE *out, const char *text)
{
	(void)fputs("<td>", out);
	svg_escape(out, text != NULL ? text : "");
	(void)fputs("</td>", out);
}

static void draw_peers(FILE *out, const struct bench_results *results)
{
	static const struct {
		const char *head, *key;
	} columns[] = {
		{ "Package", "package" },
		{ "Version", "package_version" },
		{ "How it is used", "config" },
	};
	const size_t count = sizeof(columns) / sizeof(columns[0]);
	bool shown[sizeof(columns) / sizeof(columns[0])] = { false };

	(void)fputs("<h2 id=\"peers\">Peers that ran</h2>\n", out);
	if (results->peers == 0) {
		html_paragraph(out, NULL, "None.");
		return;
	}
	for (size_t i = 0; i < results->peers; i++)
		for (size_t k = 0; k < count; k++)
			shown[k] |= bench_text(line_of_peer(results, results->peer[i]),
					       columns[k].key) != NULL;
	(void)fputs("<table class=\"words\">\n<thead><tr><th>Peer</th>", out);
	for (size_t k = 0; k < count; k++)
		if (shown[k])
			fprintf(out, "<th>%s</th>", columns[k].head);
	(void)fputs("</tr></thead>\n<tbody>\n", out);
	for (size_t i = 0; i < results->peers; i++) {
		const json_t *line = line_of_peer(results, results->peer[i]);

		(void)fputs("<tr>", out);
		cell(out, results->peer[i]);
		for (size_t k = 0; k < count; k++)
			if (shown[k])
				cell(out, bench_text(line, columns[k].key));
		(void)fputs("</tr>\n", out);
	}
	(void)fputs("</tbody>\n</table>\n", out);
}

static void draw_contents(FILE *out, const struct bench_results *results)
{
	(void)fputs("<nav aria-label=\"Contents\"><a href=\"#bars\">All bars</a>\n", out);
	for (size_t i = 0; i < results->tables; i += bench_same_scenario(results, i)) {
		fprintf(out, "<a href=\"#table-%zu\">", i);
		svg_escape(out, results->table[i].scenario);
		(void)fputs("</a>\n", out);
	}
	(void)fputs("<a href=\"#peers\">Peers</a>\n<a href=\"#machine\">Machine</a>\n"
		    "<a href=\"#method\">Method</a></nav>\n",
		    out);
}

void bench_html(FILE *out, const struct bench_results *results)
{
	draw_head(out, results);
	draw_cards(out, results);
	draw_contents(out, results);
	(void)fputs("</header>\n<main>\n", out);
	draw_bars(out, results);
	for (size_t i = 0, count; i < results->tables; i += count) {
		count = bench_same_scenario(results, i);
		html_scenario(out, results, i, count);
	}
	draw_peers(out, results);
	draw_machine(out, results);
	draw_method(out);
	(void)fputs(
		"</main>\n<footer>Made by <code>disruptor bench</code>. <code>make bench</code> "
		"measures the same on another machine; <code>bench/README.md</code> tells what "
		"each scenario, limit and word means.</footer>\n</body>\n</html>\n",
		out);
}
