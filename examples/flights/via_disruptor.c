/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The job over a disruptor: one ring that all stages read in place. Nothing is
 * copied from stage to stage; the report waits for the two stages' positions.
 */
#include "way.h"

#include <disruptor/disruptor.h>

#include <stdbool.h>

/* What the ring carries, told to the library: it makes flight_claim(), flight_publish(), … */
DISRUPTOR_EVENT(flight, struct flight,
		DISRUPTOR_U64(struct flight, number),
		DISRUPTOR_TIME(struct flight, due_ns),
		DISRUPTOR_I16(struct flight, delay),
		DISRUPTOR_U16(struct flight, distance),
		DISRUPTOR_U16(struct flight, minute));

static void fail(struct job *job, const char *what, int code)
{
	failure_set(&job->failure, "disruptor: %s: %s (%s)", what, disruptor_error_text(code),
		    disruptor_error_detail());
}

static struct disruptor_stage *add(struct disruptor *d, const struct stage *stage)
{
	return disruptor_stage(
		d, &(struct disruptor_handler){ .size = sizeof(struct disruptor_handler),
						.name = stage->name,
						.on_event = stage->on_event,
						.reads = "*", /* and write nothing */
						.context = stage->self });
}

/* journal and statistics side by side, report after both. */
static int build(struct disruptor *d, struct job *job)
{
	struct disruptor_stage *journal = add(d, &job->journal);
	struct disruptor_stage *statistics = add(d, &job->statistics);
	struct disruptor_stage *report = add(d, &job->report);
	int code;

	if (!journal || !statistics || !report)
		return DISRUPTOR_E_INVAL;
	code = disruptor_after(report, journal);
	if (code == 0)
		code = disruptor_after(report, statistics);
	return code;
}

/* Have the source fill the claimed slot, straight in place. False at its end. */
static bool fill(struct source *source, struct flight *flight)
{
	enum source_answer answer;

	while ((answer = source_next(source, flight)) == SOURCE_IDLE)
		source_wait(source);
	return answer == SOURCE_EVENT;
}

static void produce(struct flight_producer *producer, struct job *job)
{
	struct flight *flight;

	while ((flight = flight_claim(producer)) && fill(&job->source, flight))
		flight_publish(producer);
	if (flight)
		flight_abort(producer); /* the last claim, which nothing came for */
	else
		fail(job, "claim", flight_status(producer));
}

static void run(struct disruptor *d, struct job *job)
{
	struct flight_producer producer;
	int code = flight_producer_open(&producer, disruptor_ring(d), NULL);

	if (code != 0) {
		fail(job, "producer", code);
		return;
	}
	code = disruptor_start(d);
	if (code == 0) {
		produce(&producer, job);
		code = disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
	}
	if (code != 0)
		fail(job, "start or stop", code);
	flight_producer_close(&producer);
}

void via_disruptor(const struct way *way, struct job *job)
{
	struct disruptor_options options = { .size = sizeof(options),
					     .capacity = job->capacity,
					     .producers = DISRUPTOR_SINGLE };
	struct disruptor *d;
	int code;

	(void)way;
	code = disruptor_wait_parse(&options.wait, job->wait);
	if (code == 0)
		code = disruptor_create(&d, &flight_type, &options);
	if (code != 0) {
		fail(job, "create", code);
		return;
	}
	code = build(d, job);
	if (code != 0)
		fail(job, "stages", code);
	else
		run(d, job);
	disruptor_destroy(&d);
}
