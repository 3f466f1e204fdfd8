/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "load.h"

#include <stdlib.h>

/* Make room for one more. */
static int grow(struct records *records, uint64_t *room)
{
	uint64_t more = *room ? 2 * *room : 65536;
	struct record *bigger;

	if (records->count < *room)
		return 0;
	bigger = realloc(records->record, (size_t)more * sizeof(*bigger));
	if (!bigger)
		return -1;
	records->record = bigger;
	*room = more;
	return 0;
}

int load(struct csv *csv, struct records *records)
{
	struct flight flight;
	uint64_t room = 0;
	int got;

	*records = (struct records){ NULL, 0, 0 };
	while ((got = csv_next(csv, &flight)) > 0) {
		if (grow(records, &room) != 0) {
			failure_set(csv->failure, "%s: no memory for its records", csv->path);
			return -1;
		}
		records->record[records->count++] = (struct record){
			.delay = flight.delay,
			.distance = flight.distance,
			.minute = flight.minute,
		};
	}
	records->malformed = csv->malformed;
	return got;
}
