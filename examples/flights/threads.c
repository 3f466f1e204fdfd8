/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "threads.h"

int threads_start(struct threads *threads, void *(*run)(void *), void *context,
		  struct failure *failure)
{
	int code = pthread_create(&threads->id[threads->count], NULL, run, context);

	if (code != 0) {
		failure_set(failure, "cannot start a thread: %s", failure_text(code));
		return -1;
	}
	threads->count++;
	return 0;
}

void threads_join(struct threads *threads)
{
	while (threads->count > 0)
		pthread_join(threads->id[--threads->count], NULL);
}
