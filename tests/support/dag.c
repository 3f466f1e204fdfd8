/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "dag.h"

struct dag_shape dag_shape(uint64_t *seed)
{
	struct dag_shape s = { .count = (uint32_t)random_in(seed, 1, DAG_NODES) };

	for (uint32_t i = 0; i < s.count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (random_in(seed, 0, 2) == 0)
				s.before[i] |= 1u << k;
	return s;
}

int dag_connect(const struct dag_shape *shape, struct disruptor_stage *const *stages)
{
	int rc = 0;

	for (uint32_t i = 0; i < shape->count; i++)
		for (uint32_t k = 0; k < i && rc == 0; k++)
			if (shape->before[i] >> k & 1)
				rc = disruptor_after(stages[i], stages[k]);
	return rc;
}

int dag_map(struct disruptor *d, struct disruptor_stage *const *stages, uint32_t count,
	    enum disruptor_mapping mapping, struct disruptor_wait wait, uint64_t *seed)
{
	struct disruptor_executor e = { .size = sizeof(e), .mapping = mapping, .wait = wait };
	int rc;

	if (mapping == DISRUPTOR_MAP_SHARED || mapping == DISRUPTOR_MAP_PLACED)
		e.threads = (uint32_t)random_in(seed, 1, 3);
	rc = disruptor_set_executor(d, &e);
	for (uint32_t i = 0; mapping == DISRUPTOR_MAP_PLACED && i < count && rc == 0; i++)
		rc = disruptor_place(stages[i], (uint32_t)random_in(seed, 0, e.threads - 1));
	return rc;
}
