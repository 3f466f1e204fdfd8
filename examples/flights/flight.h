/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_FLIGHT_H
#define FLIGHTS_FLIGHT_H

/*
 * The event: one flight. 24 bytes, so that a slot of the ring, its stamp
 * included, is half a cache line; pipes and queues carry the same 24 bytes.
 */

#include <stdint.h>

struct flight {
	uint64_t number;   /* position in the stream, from 0: shows loss and disorder */
	uint64_t due_ns;   /* when it was to be published; 0 unless the run is paced */
	int16_t delay;     /* at arrival, minutes; negative is early */
	uint16_t distance; /* miles */
	uint16_t minute;   /* of departure, since midnight */
	uint16_t reserved; /* zero */
};
_Static_assert(sizeof(struct flight) == 24, "no padding, or pipes would carry it");

/* What a record may hold. A longer delay or distance is a slip of the pen. */
#define FLIGHT_DELAY_MIN (-1440)
#define FLIGHT_DELAY_MAX 10080
#define FLIGHT_DISTANCE_MIN 0
#define FLIGHT_DISTANCE_MAX 12500
#define FLIGHT_MINUTE_MIN 0
#define FLIGHT_MINUTE_MAX 1439

/* A flight as it is kept for the runs that do without the parser. */
struct record {
	int16_t delay;
	uint16_t distance;
	uint16_t minute;
	uint16_t reserved;
};

#endif
