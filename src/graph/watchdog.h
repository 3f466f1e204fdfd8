/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef GRAPH_WATCHDOG_H
#define GRAPH_WATCHDOG_H

#include "graph/graph_internal.h"

/* Make its thread if there is to be one; a code with its detail set. The monitor is held. */
int watchdog_start(struct disruptor *d);
/* If no stage's thread is left, end its thread and join it. The monitor is not held. */
void watchdog_stop(struct disruptor *d);
/* Whether the calling thread is its own. The monitor is held. */
bool watchdog_is_caller(const struct disruptor *d);

#endif
