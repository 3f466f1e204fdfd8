/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SIMULATE_POINTS_H
#define SIMULATE_POINTS_H

/* What is known of hooks: what a run needs to come to one, and which pairs cannot meet. */

#include "hook.h"

#include <stdbool.h>

/* What a plan must contain for somebody to come there, enum plan_feature. */
unsigned point_features(enum hook_point point);
/* Which class has @p b never passed right behind @p a in another thread; -1 if it may be. */
int point_excuse(enum hook_point a, enum hook_point b);
/* How many classes of such pairs there are, and the reason of one. */
unsigned point_excuse_count(void);
const char *point_excuse_reason(unsigned i);

#endif
