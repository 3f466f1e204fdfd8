/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor doctor: pages, locks on them, and where segments lie. */
#define _POSIX_C_SOURCE 200809L

#include "doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A ring of a million small events, and a few of them. */
#define SOME_BYTES (UINT64_C(64) << 20)

/* ---- pages ---- */

void doctor_look_thp(struct doctor *d)
{
	static const char subject[] = "thp";
	char *text = doctor_read(d, "/sys/kernel/mm/transparent_hugepage/enabled"), choice[32];

	if (!text) {
		doctor_unknown(d, subject, "whether memory can get huge pages is not known", "%s",
			       d->why);
		return;
	}
	if (!doctor_choice(text, choice, sizeof(choice)))
		doctor_unknown(d, subject, "whether memory can get huge pages is not known",
			       "'%.60s' chooses nothing", text);
	else if (strcmp(choice, "madvise") == 0)
		doctor_good(d, subject, "rings that ask get huge pages, and nobody else pays", "%s",
			    choice);
	else if (strcmp(choice, "always") == 0)
		doctor_costs(d, subject,
			     "any memory may be made of huge pages while a thread waits for it",
			     "echo madvise >/sys/kernel/mm/transparent_hugepage/enabled", "%s",
			     choice);
	else
		doctor_costs(
			d, subject,
			"a ring that asks for huge pages gets reserved ones or small ones: more "
			"misses of the TLB",
			"echo madvise >/sys/kernel/mm/transparent_hugepage/enabled, or reserve "
			"pages",
			"%s", choice);
	free(text);
}

void doctor_look_shmem(struct doctor *d)
{
	static const char subject[] = "thp-shmem";
	static const char unclear[] = "whether segments can get huge pages is not known";
	char *text = doctor_read(d, "/sys/kernel/mm/transparent_hugepage/shmem_enabled");
	char choice[32];

	if (!text) {
		doctor_unknown(d, subject, unclear, "%s", d->why);
		return;
	}
	if (!doctor_choice(text, choice, sizeof(choice)))
		doctor_unknown(d, subject, unclear, "'%.60s' chooses nothing", text);
	else if (strcmp(choice, "deny") == 0)
		doctor_costs(d, subject, "a segment gets reserved huge pages or small ones",
			     "echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled, or "
			     "reserve pages",
			     "%s", choice);
	else
		doctor_good(d, subject, "segments that ask get huge pages, from Linux 6.1 on", "%s",
			    choice);
	free(text);
}

static bool memory_field(const char *text, const char *key, uint64_t *number)
{
	char value[64], *end;

	if (!doctor_field(text, key, value, sizeof(value)))
		return false;
	*number = strtoull(value, &end, 10);
	return end != value;
}

void doctor_look_huge(struct doctor *d)
{
	static const char subject[] = "hugepages";
	static const char remedy[] = "sysctl vm.nr_hugepages=N, early: later there may be no room";
	char *text = doctor_read(d, "/proc/meminfo"), size[32];
	uint64_t total, unused, promised, kib;

	if (!text) {
		doctor_unknown(d, subject, "whether huge pages are reserved is not known", "%s",
			       d->why);
		return;
	}
	if (!memory_field(text, "HugePages_Total", &total) ||
	    !memory_field(text, "HugePages_Free", &unused) ||
	    !memory_field(text, "HugePages_Rsvd", &promised) ||
	    !memory_field(text, "Hugepagesize", &kib)) {
		doctor_unknown(d, subject, "the kernel is built without reserved huge pages",
			       "/proc/meminfo: nothing of them");
		free(text);
		return;
	}
	free(text);
	(void)doctor_bytes(&size, kib << 10);
	if (total == 0)
		doctor_costs(d, subject,
			     "a ring that requires huge pages is refused; one that would like some "
			     "gets transparent ones, or none",
			     remedy, "none reserved");
	else if (unused <= promised)
		doctor_costs(d, subject, "a ring that requires huge pages is refused", remedy,
			     "%" PRIu64 " of %s, all of them taken", total, size);
	else
		doctor_good(d, subject, "rings that ask get them: few misses of the TLB",
			    "%" PRIu64 " of %s, %" PRIu64 " free", total, size, unused - promised);
}

/* ---- staying there ---- */

/* CAP_IPC_LOCK, which is not limited. */
static bool may_lock_all(struct doctor *d)
{
	char *status = doctor_read(d, "/proc/self/status"), set[64];
	bool may = status && doctor_field(status, "CapEff", set, sizeof(set)) &&
		   (strtoull(set, NULL, 16) >> 14 & 1);

	free(status);
	return may;
}

void doctor_look_memlock(struct doctor *d)
{
	static const char subject[] = "memlock";
	static const char unclear[] = "whether a ring can be locked into memory is not known";
	char *limits = doctor_read(d, "/proc/self/limits"), value[128], size[32], *end;
	uint64_t bytes;

	if (!limits) {
		doctor_unknown(d, subject, unclear, "%s", d->why);
		return;
	}
	if (!doctor_field(limits, "Max locked memory", value, sizeof(value))) {
		doctor_unknown(d, subject, unclear, "/proc/self/limits: nothing of it");
		free(limits);
		return;
	}
	free(limits);
	bytes = strtoull(value, &end, 10);
	if (strncmp(value, "unlimited", 9) == 0)
		doctor_good(d, subject, "a ring of any size can be locked into memory",
			    "unlimited");
	else if (end == value)
		doctor_unknown(d, subject, unclear, "'%.40s' is no number", value);
	else if (may_lock_all(d))
		doctor_good(d, subject, "a ring of any size can be locked into memory",
			    "%s, which does not hold for this process (CAP_IPC_LOCK)",
			    doctor_bytes(&size, bytes));
	else if (bytes < SOME_BYTES)
		doctor_costs(
			d, subject,
			"a larger ring with DISRUPTOR_LOCK_MEMORY is refused; without, its pages "
			"may be taken away",
			"ulimit -l, LimitMEMLOCK= of the service, --ulimit memlock= of the "
			"container",
			"%s", doctor_bytes(&size, bytes));
	else
		doctor_good(d, subject, "rings up to that size can be locked into memory", "%s",
			    doctor_bytes(&size, bytes));
}

void doctor_look_swap(struct doctor *d)
{
	static const char subject[] = "swap";
	char *text = doctor_read(d, "/proc/swaps"), size[32], part[32];
	const char *line;
	uint64_t total = 0, used = 0, kib, of;

	if (!text) {
		doctor_unknown(d, subject, "whether pages may be moved to a disk is not known",
			       "%s", d->why);
		return;
	}
	for (line = strchr(text, '\n'); line; line = strchr(line, '\n')) {
		line++;
		/* name and kind, in neither of which is a blank */
		for (unsigned i = 0; i < 2; i++) {
			line += strcspn(line, " \t\n");
			line += strspn(line, " \t");
		}
		if (!doctor_take_number(&line, &kib) || !doctor_take_number(&line, &of))
			continue;
		total += kib;
		used += of;
	}
	free(text);
	if (total == 0)
		doctor_good(d, subject, "no page of a ring goes to a disk", "none");
	else if (used == 0)
		doctor_good(d, subject, "no page of a ring has gone to a disk so far", "%s, unused",
			    doctor_bytes(&size, total << 10));
	else
		doctor_costs(
			d, subject,
			"a page that was moved to the disk is read from there when it is touched",
			"lock rings (DISRUPTOR_LOCK_MEMORY), vm.swappiness=0, or swapoff -a",
			"%s, %s of it used", doctor_bytes(&size, total << 10),
			doctor_bytes(&part, used << 10));
}

/* ---- segments ---- */

/* The mount that @p path lies in: the longest, and of those the last. */
static bool find_mount(const char *mounts, const char *path, struct doctor_mount *found)
{
	struct doctor_mount m;
	size_t best = 0;

	while (doctor_next_mount(&mounts, &m)) {
		size_t n = strcmp(m.at, "/") == 0 ? 0 : strlen(m.at);

		if (strncmp(m.at, path, n) != 0 || (path[n] && path[n] != '/') || n + 1 < best)
			continue;
		best = n + 1;
		*found = m;
	}
	return best != 0;
}

static void tell_room(struct doctor *d, const char *mounted)
{
	static const char subject[] = "shm";
	struct doctor_room room;
	uint64_t bytes;
	char size[32], part[32];

	if (!doctor_read_room(d, d->shm, &room)) {
		doctor_unknown(d, subject, "whether segments with a name have room is not known",
			       "%s", d->why);
		return;
	}
	bytes = room.available * room.block;
	if (room.blocks == 0)
		doctor_good(d, subject, "segments with a name have all of the memory",
			    "%s: no limit (%s)", d->shm, mounted);
	else if (bytes < SOME_BYTES || room.inodes == 0)
		doctor_costs(d, subject, "a segment that does not fit is refused (E_NO_SPACE)",
			     "remove what is left there, mount -o remount,size=, --shm-size of the "
			     "container",
			     "%s: %s of %s free%s (%s)", d->shm, doctor_bytes(&part, bytes),
			     doctor_bytes(&size, room.blocks * room.block),
			     room.inodes == 0 ? ", and no file more" : "", mounted);
	else
		doctor_good(d, subject, "segments with a name have room", "%s: %s of %s free (%s)",
			    d->shm, doctor_bytes(&part, bytes),
			    doctor_bytes(&size, room.blocks * room.block), mounted);
}

void doctor_look_shm(struct doctor *d)
{
	static const char subject[] = "shm";
	char *mounts = doctor_read(d, "/proc/self/mountinfo"), mounted[400];
	struct doctor_mount m;

	if (!mounts) {
		doctor_unknown(d, subject, "where segments with a name lie is not known", "%s",
			       d->why);
		return;
	}
	if (!find_mount(mounts, d->shm, &m)) {
		doctor_unknown(d, subject, "where segments with a name lie is not known",
			       "/proc/self/mountinfo: nothing that %s lies in", d->shm);
		free(mounts);
		return;
	}
	free(mounts);
	(void)snprintf(mounted, sizeof(mounted), "%.63s, %.255s", m.type, m.options);
	if (doctor_has_option(m.options, "ro"))
		doctor_costs(
			d, subject, "no segment with a name can be made there",
			"mount -o remount,rw, or name another directory in DISRUPTOR_DIRECTORY",
			"%s: read-only (%s)", d->shm, mounted);
	else if (strcmp(m.type, "tmpfs") != 0 && strcmp(m.type, "ramfs") != 0 &&
		 strcmp(m.type, "hugetlbfs") != 0)
		doctor_costs(
			d, subject,
			"what is written to a segment there is written to a disk some time, and "
			"who writes may wait for that",
			"mount -t tmpfs tmpfs /dev/shm, or name a directory of a tmpfs in "
			"DISRUPTOR_DIRECTORY",
			"%s: on %s (%s)", d->shm, m.at, mounted);
	else
		tell_room(d, mounted);
}
