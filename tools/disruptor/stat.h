/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_STAT_H
#define DISRUPTOR_STAT_H

/* What the ways in which stat tells of a ring have in common. */

#include "view.h"

struct stat_command {
	const char *name, *directory;
	bool json, prom;
	double every; /* seconds; 0: once */
	uint64_t count;
	struct view now, before; /* before.now is 0 at the first look */
};

/* A second, between the two looks; 0 if there are no two, or it went back. */
double stat_rate(const struct stat_command *s, uint64_t now, uint64_t before);
/* What consumer @p i of now has released a second; 0 if it was not there at the look before. */
double stat_consumer_rate(const struct stat_command *s, uint32_t i);

/* A look for programs: one JSON object, in a line; or all figures in Prometheus's text format. */
void stat_print_json(const struct stat_command *s);
void stat_print_prom(const struct stat_command *s);

#endif
