/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

import com.lmax.disruptor.BlockingWaitStrategy;
import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.SleepingWaitStrategy;
import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;

import java.util.HashMap;
import java.util.Map;

/** What is to be measured: the command line, each word of it "name=value". */
final class Setup {
	final String scenario;
	final int bytes;     /* of an event */
	final int capacity;  /* slots of a ring */
	final int batch;     /* events a publish */
	final int producers;
	final int consumers;
	private final int cpus;
	private final String wait;    /* if there is a CPU for each thread */
	private final String crowded; /* if there is not */

	Setup(String[] words) {
		Map<String, String> given = new HashMap<>();

		for (String word : words) {
			int at = word.indexOf('=');

			given.put(word.substring(0, at), word.substring(at + 1));
		}
		scenario = given.get("scenario");
		bytes = Integer.parseInt(given.get("bytes"));
		capacity = Integer.parseInt(given.get("capacity"));
		batch = Integer.parseInt(given.get("batch"));
		producers = Integer.parseInt(given.get("producers"));
		consumers = Integer.parseInt(given.get("consumers"));
		cpus = Integer.parseInt(given.get("cpus"));
		wait = given.get("wait");
		crowded = given.get("crowded");
	}

	/** Whether so many threads have to share CPUs. */
	boolean isCrowded(int threads) {
		return threads > cpus;
	}

	/** A wait strategy of its own for each ring, as the blocking one has a lock. */
	WaitStrategy waitStrategy(int threads) {
		String name = isCrowded(threads) ? crowded : wait;

		switch (name) {
		case "busy-spin":
			return new BusySpinWaitStrategy();
		case "yielding":
			return new YieldingWaitStrategy();
		case "sleeping":
			return new SleepingWaitStrategy();
		case "blocking":
			return new BlockingWaitStrategy();
		default:
			throw new IllegalArgumentException("there is no wait strategy " + name);
		}
	}

	/** Events before the clock runs, of each producer. */
	long warmEvents(long events) {
		return (Math.min(events / 10, 4L * capacity) / batch + 1) * batch;
	}

	/** Each producer's part of so many events, in whole batches. */
	long share(long events) {
		return Math.max(events / producers / batch, 1) * batch;
	}
}
