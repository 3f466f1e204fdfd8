/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The files that are made of results: their lines, the page, single plots. */
#define _POSIX_C_SOURCE 200809L

#include "plot.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int bench_outputs_add(struct bench_outputs *outputs, enum bench_format format, const char *path)
{
	const size_t most = sizeof(outputs->save) / sizeof(outputs->save[0]);
	size_t i = outputs->count, length = strlen(path);

	if (i == most)
		return E2BIG;
	if (length >= sizeof(outputs->path[i]))
		return ENAMETOOLONG;
	memcpy(outputs->path[i], path, length + 1);
	outputs->format[i] = format;

	int error = bench_save_begin(&outputs->save[i], outputs->path[i]);

	outputs->count += error == 0;
	return error;
}

/** Make a directory, unless it is there. */
static int make_directory(const char *path)
{
	struct stat status;

	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return errno;
	if (stat(path, &status) != 0)
		return errno;
	return S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
}

int bench_outputs_add_plots(struct bench_outputs *outputs, const char *directory)
{
	outputs->plots = directory;
	return make_directory(directory);
}

int bench_outputs_add_results(struct bench_outputs *outputs, const char *directory,
			      const struct bench_machine *machine)
{
	static const char *const endings[] = { [BENCH_LINES] = "json", [BENCH_PAGE] = "html" };
	char cpu[96], path[512];
	int error = make_directory(directory);

	bench_slug(cpu, sizeof(cpu), machine->cpu);
	for (int format = BENCH_LINES; error == 0 && format <= BENCH_PAGE; format++) {
		int used = snprintf(path, sizeof(path), "%s/%s.%s.%s", directory, machine->commit,
				    cpu, endings[format]);

		if (used < 0 || (size_t)used >= sizeof(path))
			return ENAMETOOLONG;
		error = bench_outputs_add(outputs, (enum bench_format)format, path);
	}
	return error;
}

/** Say that a file was written, or on stderr why it was not. */
static bool tell(FILE *out, const char *path, int error)
{
	if (error == 0)
		fprintf(out, "written: %s\n", path);
	else
		fprintf(stderr, "disruptor bench: cannot write %s: %s\n", path,
			bench_error_text(error));
	return error == 0;
}

bool bench_outputs_write(struct bench_outputs *outputs, FILE *out,
			 const struct bench_results *results)
{
	bool written = true;
	char path[512];

	for (size_t i = 0; i < outputs->count; i++) {
		struct bench_save *save = &outputs->save[i];

		if (outputs->format[i] == BENCH_LINES)
			bench_results_write(save->lines, results);
		else
			bench_html(save->lines, results);
		written &= tell(out, outputs->path[i], bench_save_end(save));
	}
	outputs->count = 0;
	if (outputs->plots != NULL) {
		int error = plot_files(outputs->plots, results, path, sizeof(path));

		written &= tell(out, error == 0 ? outputs->plots : path, error);
	}
	return written;
}

void bench_outputs_drop(struct bench_outputs *outputs)
{
	while (outputs->count > 0)
		bench_save_drop(&outputs->save[--outputs->count]);
}
