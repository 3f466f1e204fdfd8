/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor doctor: files below a root, read, kept and taken apart. */
#define _POSIX_C_SOURCE 200809L

#include "cmd.h"
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <disruptor/disruptor.h>

#define MOST_BYTES ((size_t)8 << 20)

/* In a saved tree: what the program and the file system said, which no file of the kernel does. */
#define RUNGS_FILE "/disruptor.version"

/* ---- keeping ---- */

static bool make_directories(char *path)
{
	for (char *c = path + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		if (mkdir(path, 0777) != 0 && errno != EEXIST)
			return false;
		*c = '/';
	}
	return true;
}

/* Keep @p text as @p path of the saved tree. The first failure is told. */
static void keep(struct doctor *d, const char *path, const char *text)
{
	char to[PATH_MAX];
	FILE *f = NULL;
	bool kept;

	if (!d->save || d->save_failed)
		return;
	if (snprintf(to, sizeof(to), "%s%s", d->save, path) >= (int)sizeof(to))
		errno = ENAMETOOLONG;
	else if (make_directories(to))
		f = fopen(to, "we");
	kept = f && fprintf(f, "%s\n", text) > 0;
	if (f && fclose(f) != 0)
		kept = false;
	if (kept)
		return;
	fprintf(stderr, "disruptor doctor: %s%s: %s\n", d->save, path, cmd_error_text(errno));
	d->save_failed = true;
}

/* ---- reading ---- */

void doctor_make_plain(char *text)
{
	size_t n = strlen(text);

	while (n && text[n - 1] == '\n')
		text[--n] = '\0';
	for (; *text; text++)
		if ((*text < 0x20 && *text != '\n' && *text != '\t') || *text > 0x7e)
			*text = '?';
}

/* Its size is not told by files of the kernel. NULL with errno. */
static char *read_all(int fd)
{
	size_t size = 4096, used = 0;
	char *text = malloc(size), *larger;
	ssize_t n;

	while (text && (n = read(fd, text + used, size - 1 - used)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto fail;
		used += (size_t)n;
		if (used < size - 1)
			continue;
		errno = EFBIG;
		if (size >= MOST_BYTES)
			goto fail;
		larger = realloc(text, size *= 2);
		if (!larger)
			goto fail;
		text = larger;
	}
	if (text)
		text[used] = '\0';
	return text;
fail:
	free(text);
	return NULL;
}

static char *read_path(struct doctor *d, const char *path)
{
	char from[PATH_MAX], *text = NULL;
	int fd = -1;

	if (snprintf(from, sizeof(from), "%s%s", d->root, path) >= (int)sizeof(from))
		errno = ENAMETOOLONG;
	else
		fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0) {
		int error;

		text = read_all(fd);
		error = errno;
		close(fd);
		errno = error;
	}
	if (!text) {
		d->absent = errno == ENOENT;
		(void)snprintf(d->why, sizeof(d->why), "%s: %s", path, cmd_error_text(errno));
		doctor_make_plain(d->why);
		return NULL;
	}
	doctor_make_plain(text);
	d->files++;
	keep(d, path, text);
	return text;
}

char *doctor_read(struct doctor *d, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	return read_path(d, path);
}

bool doctor_read_number(struct doctor *d, uint64_t *number, const char *format, ...)
{
	char path[PATH_MAX], *text;
	const char *end;
	va_list arguments;
	bool is_one;

	va_start(arguments, format);
	(void)vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	text = read_path(d, path);
	if (!text)
		return false;
	end = text;
	is_one = doctor_take_number(&end, number) && *end == '\0';
	if (!is_one)
		(void)snprintf(d->why, sizeof(d->why), "%.200s: '%.40s' is no number", path, text);
	free(text);
	return is_one;
}

/* The four numbers that keep() was given. */
static bool read_saved_room(struct doctor *d, const char *path, struct doctor_room *room)
{
	char *text = read_path(d, path);
	const char *at = text;
	bool found;

	if (!text)
		return false;
	found = doctor_take_number(&at, &room->block) && doctor_take_number(&at, &room->blocks) &&
		doctor_take_number(&at, &room->available) && doctor_take_number(&at, &room->inodes);
	free(text);
	if (!found)
		(void)snprintf(d->why, sizeof(d->why), "%.200s: not four numbers", path);
	return found;
}

bool doctor_read_room(struct doctor *d, const char *path, struct doctor_room *room)
{
	char text[PATH_MAX];
	struct statvfs fs;
	struct stat st;

	(void)snprintf(text, sizeof(text), "%s%s", d->root, path);
	if (d->root[0] && (stat(text, &st) != 0 || !S_ISDIR(st.st_mode)))
		return read_saved_room(d, path, room);
	if (statvfs(text, &fs) != 0) {
		(void)snprintf(d->why, sizeof(d->why), "%.200s: %s", path, cmd_error_text(errno));
		return false;
	}
	*room = (struct doctor_room){ .block = fs.f_frsize,
				      .blocks = fs.f_blocks,
				      .available = fs.f_bavail,
				      .inodes = fs.f_favail };
	(void)snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
		       room->block, room->blocks, room->available, room->inodes);
	keep(d, path, text);
	return true;
}

bool doctor_read_rungs(struct doctor *d, char *rungs, size_t size)
{
	unsigned offered = disruptor_version().rungs;
	char text[128] = "rungs";

	if (d->root[0]) {
		char *saved = read_path(d, RUNGS_FILE);
		bool found = saved && doctor_field(saved, "rungs", rungs, size);

		if (saved && !found)
			(void)snprintf(d->why, sizeof(d->why), RUNGS_FILE ": no line of rungs");
		free(saved);
		return found;
	}
	for (int r = DISRUPTOR_RUNG_MEMBARRIER; r <= DISRUPTOR_RUNG_MUTEX; r++)
		if (offered >> r & 1)
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s",
				       disruptor_rung_name((enum disruptor_rung)r));
	keep(d, RUNGS_FILE, text);
	return doctor_field(text, "rungs", rungs, size);
}

/* ---- taking apart ---- */

bool doctor_take_number(const char **text, uint64_t *number)
{
	const char *at = *text + strspn(*text, " \t");
	char *end;

	if (*at < '0' || *at > '9')
		return false;
	errno = 0;
	*number = strtoull(at, &end, 10);
	*text = end;
	return errno == 0;
}

static void copy(char *to, size_t size, const char *from, size_t length)
{
	if (length >= size)
		length = size - 1;
	memcpy(to, from, length);
	to[length] = '\0';
}

bool doctor_field(const char *text, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);

	while (text) {
		const char *c = text + length;

		if (strncmp(text, key, length) == 0 && strchr(": \t", *c) && *c) {
			c += strspn(c, ": \t");
			copy(value, size, c, strcspn(c, "\n"));
			return true;
		}
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return false;
}

bool doctor_choice(const char *text, char *value, size_t size)
{
	const char *open = strpbrk(text, "[("), *close = open ? strpbrk(open, ")]") : NULL;

	if (!close || close == open + 1)
		return false;
	copy(value, size, open + 1, (size_t)(close - open - 1));
	return true;
}

static bool parse_cpu(const char **at, unsigned long *cpu)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*cpu = strtoul(*at, &end, 10);
	*at = end;
	return *cpu < DOCTOR_CPUS;
}

bool doctor_parse_cpus(struct doctor_cpus *cpus, const char *text)
{
	unsigned long from, to;

	memset(cpus, 0, sizeof(*cpus));
	if (*text == '\0')
		return true;
	for (;; text++) {
		if (!parse_cpu(&text, &from))
			return false;
		to = from;
		if (*text == '-' && (text++, !parse_cpu(&text, &to)))
			return false;
		for (; from <= to; from++) {
			cpus->count += !cpus->has[from];
			cpus->has[from] = true;
		}
		if (*text != ',')
			return *text == '\0';
	}
}

void doctor_cpus_text(const struct doctor_cpus *cpus, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned from = 0, to; from < DOCTOR_CPUS; from = to + 1) {
		to = from;
		if (!cpus->has[from])
			continue;
		if (used + 24 > size) {
			(void)snprintf(text + used, size - used, "...");
			return;
		}
		while (to + 1 < DOCTOR_CPUS && cpus->has[to + 1])
			to++;
		used += (size_t)snprintf(text + used, size - used, "%s%u", used ? "," : "", from);
		if (to != from)
			used += (size_t)snprintf(text + used, size - used, "-%u", to);
	}
}

const char *doctor_bytes(char (*text)[32], uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double amount = (double)bytes;
	unsigned unit = 0;

	for (; amount >= 1024; unit++)
		amount /= 1024;
	(void)snprintf(*text, sizeof(*text), "%.*f %s", unit ? 1 : 0, amount, units[unit]);
	return *text;
}

/* ---- mounts ---- */

/* One word, in which a blank, tab, newline and backslash are written in octal. */
static const char *take_word(const char *at, char *word, size_t size)
{
	size_t used = 0;

	at += strspn(at, " ");
	while (*at && *at != ' ' && *at != '\n') {
		char c = *at++;

		if (c == '\\' && strspn(at, "01234567") >= 3) {
			int code = (at[0] - '0') << 6 | (at[1] - '0') << 3 | (at[2] - '0');

			at += 3;
			c = '?';
			if (code >= 0x20 && code <= 0x7e)
				c = (char)code;
		}
		if (used + 1 < size)
			word[used++] = c;
	}
	word[used] = '\0';
	return at;
}

bool doctor_next_mount(const char **text, struct doctor_mount *mount)
{
	const char *at = *text;
	char ignored[512];

	if (*at == '\0')
		return false;
	/* number, parent, device; then optional words up to a dash */
	for (unsigned i = 0; i < 3; i++)
		at = take_word(at, ignored, sizeof(ignored));
	at = take_word(at, mount->root, sizeof(mount->root));
	at = take_word(at, mount->at, sizeof(mount->at));
	at = take_word(at, mount->options, sizeof(mount->options));
	do
		at = take_word(at, ignored, sizeof(ignored));
	while (ignored[0] && strcmp(ignored, "-") != 0);
	at = take_word(at, mount->type, sizeof(mount->type));
	at = take_word(at, ignored, sizeof(ignored));
	at = take_word(at, mount->super, sizeof(mount->super));
	at += strcspn(at, "\n");
	*text = *at ? at + 1 : at;
	return true;
}

bool doctor_has_option(const char *options, const char *option)
{
	size_t length = strlen(option);

	while (*options) {
		size_t n = strcspn(options, ",");

		if (n == length && strncmp(options, option, n) == 0)
			return true;
		options += n;
		options += *options == ',';
	}
	return false;
}
