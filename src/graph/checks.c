/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Setting what a start checks beyond the order. */
#include "error.h"
#include "graph/check.h"

void checks_release(struct disruptor *d)
{
	checked_run_release(d);
	if (d->checks)
		graph_release(&d->allocator, d->checks, d->checks->bytes);
	d->checks = NULL;
}

static int check_given(const struct disruptor_checks *c)
{
	if (c->flags & ~(unsigned)DISRUPTOR_CHECK_RUN)
		return error_set(DISRUPTOR_E_INVAL, "checks: flags: 0x%x is unknown",
				 c->flags & ~(unsigned)DISRUPTOR_CHECK_RUN);
	if (c->reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "checks: reserved: %u is not zero",
				 c->reserved);
	return 0;
}

/* The monitor is held. */
static int may_set(struct disruptor *d)
{
	if (d->active || d->state == DISRUPTOR_STARTING)
		return error_set(DISRUPTOR_E_STATE, "checks are fixed while it runs; it is %s",
				 disruptor_state_name(d->state));
	for_each_stage (s, d)
		if (disruptor_stage_running(s))
			return error_set(DISRUPTOR_E_STATE,
					 "checks are fixed while stage '%s' runs", s->name);
	return 0;
}

int disruptor_set_checks(struct disruptor *d, const struct disruptor_checks *given)
{
	size_t bytes = sizeof(struct graph_checks);
	struct disruptor_checks known;
	struct graph_checks *made;
	int rc;

	if (!d || !given)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", d ? "checks" : "d");
	rc = ring_copy_options("checks", &known, sizeof(known), given);
	if (rc == 0)
		rc = graph_must_own(d, "checks");
	if (rc == 0)
		rc = check_given(&known);
	if (rc != 0)
		return rc;
	bytes += check_bytes(d->ring->type);
	made = graph_allocate(&d->allocator, bytes);
	if (!made)
		return error_set(DISRUPTOR_E_NOMEM, "%zu bytes for checks", bytes);
	made->given = known;
	made->given.produced = NULL; /* taken; the string need not stay */
	made->bytes = bytes;
	made->produced.fields = (uint64_t *)(void *)(made + 1);
	rc = check_parse(d->ring->type, "checks", "produced", &made->produced,
			 known.produced ? known.produced : "*");
	os_lock(&d->monitor);
	if (rc == 0)
		rc = may_set(d);
	if (rc == 0) {
		checks_release(d);
		d->checks = made;
	}
	os_unlock(&d->monitor);
	if (rc != 0)
		graph_release(&d->allocator, made, bytes);
	return rc;
}
