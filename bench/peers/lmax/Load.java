/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.Sequence;

import java.util.concurrent.atomic.AtomicInteger;

/** A scenario: what its threads do, and whether what they saw is right. */
abstract class Load {
	final Setup setup;
	final int threads;
	final Sides sides;
	final boolean crowded;

	Load(Setup setup, int threads) {
		this.setup = setup;
		this.threads = threads;
		crowded = setup.isCrowded(threads);
		sides = new Sides(threads);
	}

	static Load of(Setup setup) {
		switch (setup.scenario) {
		case "pingpong":
			return new PingPong(setup);
		case "threes":
			return new Threes(setup);
		case "unicast":
		case "sizes":
		case "batch":
		case "producers":
		case "three":
		case "consumers":
		case "array":
		case "poller":
			return new Flow(setup, setup.consumers);
		case "pipeline":
		case "multicast":
		case "diamond":
			return new Flow(setup, 3);
		default:
			throw new IllegalArgumentException("there is no scenario " + setup.scenario);
		}
	}

	/** Take a sample of about so many events, with rings that are new. */
	abstract Outcome sample(long events);

	RingBuffer<Event> ring(boolean several) {
		return several ? RingBuffer.createMultiProducer(Event.factory(setup.bytes),
								setup.capacity,
								setup.waitStrategy(threads))
			       : RingBuffer.createSingleProducer(Event.factory(setup.bytes),
								 setup.capacity,
								 setup.waitStrategy(threads));
	}

	/** Publish so many events, whose values follow the given one. */
	static void produce(RingBuffer<Event> ring, long value, long events, int batch) {
		long end = value + events;

		if (batch == 1)
			produceEach(ring, value, end);
		else
			produceBatches(ring, value, end, batch);
	}

	private static void produceEach(RingBuffer<Event> ring, long value, long end) {
		while (value != end) {
			long sequence = ring.next();

			ring.get(sequence).fill(++value);
			ring.publish(sequence);
		}
	}

	private static void produceBatches(RingBuffer<Event> ring, long value, long end,
					   int batch) {
		while (value != end) {
			long high = ring.next(batch), low = high - batch + 1;

			for (long sequence = low; sequence <= high; sequence++)
				ring.get(sequence).fill(++value);
			ring.publish(low, high);
		}
	}

	/** Let time pass while another thread is waited for. */
	void idle() {
		if (crowded)
			Thread.yield();
		else
			Thread.onSpinWait();
	}

	/** Wait until a consumer has handled so many events. */
	void await(Sequence sequence, long events) {
		while (sequence.get() < events - 1)
			idle();
	}

	/** Wait until so many threads have come. */
	void meet(AtomicInteger arrived, int parties) {
		arrived.incrementAndGet();
		while (arrived.get() < parties)
			idle();
	}

	/** The sum of 1 ... n; half of the even one of n, n + 1, as products wrap. */
	static long triangle(long n) {
		return n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n;
	}

	void check(EndFields end, long expected) {
		if (end.sum != expected)
			throw new IllegalStateException("the events received sum to " +
				Long.toUnsignedString(end.sum) + ", those sent to " +
				Long.toUnsignedString(expected));
		if (end.torn != 0)
			throw new IllegalStateException("an event was received in part");
		if (end.wrong != 0)
			throw new IllegalStateException("events were received out of order");
	}
}
