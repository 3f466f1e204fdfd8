/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Run a target on files, and on those in directories, without an engine: the corpus as a test, or one
 * input again.
 */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of one input: far more than it takes, so that one without an end is a failure. */
#define SECONDS 60

static unsigned long inputs;

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(1 << 20);
	size_t size;

	if (!file || !data) {
		perror(path);
		free(data);
		if (file)
			(void)fclose(file);
		return 1;
	}
	size = fread(data, 1, 1 << 20, file);
	(void)fclose(file);
	/* what an abort, or the alarm, leaves on the screen */
	(void)fprintf(stderr, "%s\n", path);
	alarm(SECONDS);
	(void)LLVMFuzzerTestOneInput(data, size);
	alarm(0);
	inputs++;
	free(data);
	return 0;
}

static int run_path(const char *path)
{
	char inner[4096];
	struct dirent *entry;
	struct stat st;
	DIR *directory;
	int failed = 0;

	if (stat(path, &st) != 0) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return run_file(path);
	directory = opendir(path);
	if (!directory) {
		perror(path);
		return 1;
	}
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		failed |= run_file(inner);
	}
	(void)closedir(directory);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= run_path(argv[i]);
	if (inputs == 0) {
		(void)fprintf(stderr, "usage: %s FILE|DIRECTORY...: there was no input\n", argv[0]);
		return 2;
	}
	(void)printf("%lu inputs\n", inputs);
	return failed;
}
