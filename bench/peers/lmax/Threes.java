/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Producers with a ring each; a consumer reads all of them in turn, or several share them. */
final class Threes extends Load {
	private final List<Lane> lanes = new ArrayList<>();
	private final List<EndFields> ends = new ArrayList<>();
	private long warm, share;
	private AtomicInteger ready;

	/** A producer and its ring. */
	private final class Lane implements Runnable {
		final RingBuffer<Event> ring = ring(false);
		final SequenceBarrier barrier = ring.newBarrier();
		final Sequence sequence = new Sequence(); /* handled */
		long began;

		Lane() {
			ring.addGatingSequences(sequence);
		}

		@Override
		public void run() {
			produce(ring, 0, warm, setup.batch);
			for (Lane lane : lanes)
				await(lane.sequence, warm);
			meet(ready, lanes.size());
			began = System.nanoTime();
			produce(ring, warm, share, setup.batch);
		}
	}

	Threes(Setup setup) {
		super(setup, setup.producers + setup.consumers);
	}

	@Override
	Outcome sample(long events) {
		List<Runnable> tasks = new ArrayList<>();

		warm = setup.warmEvents(events);
		share = setup.share(events);
		ready = new AtomicInteger();
		lanes.clear();
		ends.clear();
		for (int i = 0; i < setup.producers; i++)
			lanes.add(new Lane());
		tasks.addAll(lanes);
		for (int i = 0; i < setup.consumers; i++) {
			EndFields end = new End.Stage();
			List<Lane> mine = new ArrayList<>();

			for (int k = i; k < lanes.size(); k += setup.consumers)
				mine.add(lanes.get(k));
			ends.add(end);
			tasks.add(() -> consuming(mine.toArray(new Lane[0]), end));
		}
		System.gc();
		sides.run(tasks);
		return outcome();
	}

	/** Handle all that is in the ring; how many events that were. */
	private static long drain(Lane lane, EndFields end) {
		long next = lane.sequence.get() + 1, available = lane.barrier.getCursor();
		long sum = 0, torn = 0, wrong = 0;

		if (available < next)
			return 0;
		for (long sequence = next; sequence <= available; sequence++) {
			Event event = lane.ring.get(sequence);
			long value = event.value();

			sum += value;
			torn |= event.torn();
			wrong |= value ^ sequence + 1;
		}
		lane.sequence.set(available);
		end.sum += sum;
		end.torn |= torn;
		end.wrong |= wrong;
		end.batches++;
		return available - next + 1;
	}

	private void consuming(Lane[] mine, EndFields end) {
		long left = mine.length * (warm + share);

		while (left != 0) {
			long handled = 0;

			for (Lane lane : mine)
				handled += drain(lane, end);
			left -= handled;
			if (handled == 0)
				idle();
		}
		end.ended = System.nanoTime();
	}

	private Outcome outcome() {
		long n = warm + share, first = lanes.get(0).began, last = ends.get(0).ended;

		for (Lane lane : lanes)
			first = Math.min(first, lane.began);
		for (int i = 0; i < ends.size(); i++) {
			int mine = (lanes.size() - i + ends.size() - 1) / ends.size();

			check(ends.get(i), mine * triangle(n));
			last = Math.max(last, ends.get(i).ended);
		}
		return new Outcome(last - first, share * lanes.size(),
				   (double) n / ends.get(0).batches);
	}
}
