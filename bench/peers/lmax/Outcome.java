/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

/** What a sample gave. */
final class Outcome {
	final long nanoseconds, events;
	final double batch; /* mean events that a consumer found at a look */

	Outcome(long nanoseconds, long events, double batch) {
		this.nanoseconds = nanoseconds;
		this.events = events;
		this.batch = batch;
	}
}
