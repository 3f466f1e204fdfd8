/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A file that a run leaves appears whole, at the end, or not at all: its text is
 * kept in memory, then written beside the file under another name, and renamed.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Make the file beside it, anew. Answers its descriptor, or -1 with errno. */
static int create_beside(const struct bench_save *save, char **beside)
{
	size_t size = strlen(save->path) + 32;

	*beside = malloc(size);
	if (*beside == NULL)
		return -1;
	snprintf(*beside, size, "%s.%ld.new", save->path, (long)getpid());

	int file = open(*beside, O_WRONLY | O_CREAT | O_EXCL, 0666);

	if (file == -1) {
		int error = errno;

		free(*beside);
		errno = error;
	}
	return file;
}

int bench_save_begin(struct bench_save *save, const char *path)
{
	struct stat status;
	char *beside;

	*save = (struct bench_save){ .path = path };
	/* to rename over a device or a link would put a file in its place */
	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return S_ISDIR(status.st_mode) ? EISDIR : EEXIST;

	/* better to learn now that it cannot be written than when all is measured */
	int file = create_beside(save, &beside);

	if (file == -1)
		return errno;
	close(file);
	unlink(beside);
	free(beside);
	save->lines = open_memstream(&save->text, &save->size);
	return save->lines != NULL ? 0 : errno;
}

static bool write_all(int file, const char *text, size_t size)
{
	while (size != 0) {
		ssize_t written = write(file, text, size);

		if (written == -1 && errno != EINTR)
			return false;
		if (written > 0) {
			text += written;
			size -= (size_t)written;
		}
	}
	return fsync(file) == 0;
}

/** Put the text where the file is to be. Answers an errno. */
static int replace(const struct bench_save *save)
{
	char *beside;
	int file = create_beside(save, &beside), error = 0;

	if (file == -1)
		return errno;
	if (!write_all(file, save->text, save->size))
		error = errno;
	if (close(file) != 0 && error == 0)
		error = errno;
	if (error == 0 && rename(beside, save->path) != 0)
		error = errno;
	if (error != 0)
		unlink(beside);
	free(beside);
	return error;
}

int bench_save_end(struct bench_save *save)
{
	int error = fclose(save->lines) != 0 ? errno : replace(save);

	free(save->text);
	return error;
}

void bench_save_drop(struct bench_save *save)
{
	(void)fclose(save->lines);
	free(save->text);
}
