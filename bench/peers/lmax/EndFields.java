/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

/* Padding by inheritance: a JVM never puts a subclass's fields before its superclass's. */

abstract class EndBefore {
	long before1, before2, before3, before4, before5, before6, before7, before8;
	long before9, before10, before11, before12, before13, before14, before15, before16;
}

/** What a consumer saw: written by its thread alone, on cache lines of its own. */
abstract class EndFields extends EndBefore {
	long sum, torn, wrong, batches;
	long ended; /* ns: the last event was handled */
	long last;  /* its sequence */

	final void endBatch(long sequence) {
		batches++;
		if (sequence == last)
			ended = System.nanoTime();
	}
}
