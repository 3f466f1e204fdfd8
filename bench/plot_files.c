/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Each plot in a file of its own, with a heading, for documents that show it. */
#include "plot.h"

#include <errno.h>
#include <string.h>

/** What is written, and where. */
struct files {
	const char *directory;
	const struct bench_results *results;
	char *path; /* of the last */
	size_t size;
};

/** The plot of @p tables, of which all but that of scaling show the first. */
enum which { BARS, LATENCY, SCALING };

static int write_plot(const struct files *files, enum which which, const char *name,
		      const struct bench_table *tables, size_t count)
{
	static const char *const kinds[] = { "", ".latency", ".scaling" };
	const json_t *line = tables->row[0];
	const char *what = bench_text(line, "what"), *commit = bench_machine_text(line, "commit");
	struct bench_save save;
	char title[128], about[192];
	struct plot_frame frame = { PLOT_WIDE, title, what ? what : "", about };
	int used = snprintf(files->path, files->size, "%s/%s%s.svg", files->directory, name,
			    kinds[which]);

	if (used < 0 || (size_t)used >= files->size)
		return ENAMETOOLONG;

	int error = bench_save_begin(&save, files->path);

	if (error != 0)
		return error;
	snprintf(title, sizeof(title), "%.60s%s%.40s", tables->scenario,
		 which != SCALING && tables->point != NULL ? ", " : "",
		 which != SCALING && tables->point != NULL ? tables->point : "");
	snprintf(about, sizeof(about), "%.120s, commit %.40s", bench_machine_text(line, "cpu"),
		 commit != NULL ? commit : "unknown");
	if (which == BARS)
		plot_bars(save.lines, tables, &frame);
	else if (which == LATENCY)
		plot_latency(save.lines, files->results, tables, &frame);
	else
		plot_scaling(save.lines, files->results, tables, count, &frame);
	if (fflush(save.lines) == 0 && save.size == 0) {
		bench_save_drop(&save); /* nothing was there to be drawn */
		return 0;
	}
	return bench_save_end(&save);
}

static int write_table(const struct files *files, const struct bench_table *table)
{
	char slug[64], text[160];
	int error;

	if (table->count == 0)
		return 0;
	snprintf(text, sizeof(text), "%.60s%s%.60s", table->scenario, table->point ? " " : "",
		 table->point ? table->point : "");
	bench_slug(slug, sizeof(slug), text);
	error = write_plot(files, BARS, slug, table, 1);
	if (error == 0 && plot_has_latency(table))
		error = write_plot(files, LATENCY, slug, table, 1);
	return error;
}

int plot_files(const char *directory, const struct bench_results *results, char *path, size_t size)
{
	struct files files = { directory, results, path, size };
	int error = 0;

	for (size_t i = 0, count; i < results->tables && error == 0; i += count) {
		const struct bench_table *first = &results->table[i];
		char slug[64];

		count = bench_same_scenario(results, i);
		for (size_t k = 0; k < count && error == 0; k++)
			error = write_table(&files, &first[k]);
		bench_slug(slug, sizeof(slug), first->scenario);
		if (error == 0 && count > 1)
			error = write_plot(&files, SCALING, slug, first, count);
	}
	return error;
}
