/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct journal *journal, const char *what)
{
	failure_set(journal->failure, "%s: %s: %s", journal->path, what, failure_text(errno));
	return -1;
}

/* A file that has no name any more once it is open: nothing is left behind, however we end. */
static int open_temporary(struct journal *journal)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment */
	const char *dir = getenv("TMPDIR");

	if (!dir || !*dir)
		dir = "/tmp";
	if ((size_t)snprintf(journal->path, sizeof(journal->path), "%s/flights-XXXXXX", dir) >=
	    sizeof(journal->path)) {
		failure_set(journal->failure, "$TMPDIR is too long a name for a journal in it");
		return -1;
	}
	journal->fd = mkstemp(journal->path);
	if (journal->fd < 0)
		return fail(journal, "create");
	unlink(journal->path);
	return 0;
}

static int open_named(struct journal *journal, const char *path)
{
	if ((size_t)snprintf(journal->path, sizeof(journal->path), "%s", path) >=
	    sizeof(journal->path)) {
		failure_set(journal->failure, "--journal: the name is too long");
		return -1;
	}
	journal->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return journal->fd < 0 ? fail(journal, "open") : 0;
}

int journal_open(struct journal *journal, const char *path, struct failure *failure)
{
	struct stat status;

	journal->failure = failure;
	journal->fd = -1;
	journal->fill = 0;
	journal->written = 0;
	if ((path ? open_named(journal, path) : open_temporary(journal)) != 0)
		return -1;
	journal->regular = fstat(journal->fd, &status) == 0 && S_ISREG(status.st_mode);
	return 0;
}

void journal_begin(struct journal *journal)
{
	mark_set(&journal->mark, 0);
	journal->fill = 0;
	journal->written = 0;
	if (journal->regular && lseek(journal->fd, 0, SEEK_SET) < 0)
		fail(journal, "seek");
}

static void flush(struct journal *journal)
{
	const char *bytes = (const char *)journal->records;
	size_t left = journal->fill * sizeof(journal->records[0]);

	while (left > 0 && !failed(journal->failure)) {
		ssize_t put = write(journal->fd, bytes, left);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			fail(journal, "write");
			break;
		}
		bytes += put;
		left -= (size_t)put;
	}
	journal->written += journal->fill;
	journal->fill = 0;
}

int journal_event(void *self, void *event, uint64_t position, int last)
{
	struct journal *journal = self;
	const struct flight *flight = event;

	(void)position;
	(void)last;
	journal->records[journal->fill++] = (struct journal_record){
		.number = flight->number,
		.delay = flight->delay,
		.distance = flight->distance,
		.minute = flight->minute,
	};
	if (journal->fill == JOURNAL_RECORDS)
		flush(journal);
	mark_set(&journal->mark, flight->number + 1);
	return 0;
}

void journal_end(struct journal *journal)
{
	flush(journal);
}

void journal_close(struct journal *journal)
{
	if (journal->fd < 0)
		return;
	if (journal->regular && !failed(journal->failure) &&
	    ftruncate(journal->fd, (off_t)(journal->written * sizeof(journal->records[0]))) != 0)
		fail(journal, "truncate");
	if (close(journal->fd) != 0 && !failed(journal->failure))
		fail(journal, "close");
	journal->fd = -1;
}
