/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

import com.lmax.disruptor.BatchEventProcessor;
import com.lmax.disruptor.EventProcessor;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One ring: any number of producers, and consumers side by side, one after another, or two and then
 * one after both.
 */
final class Flow extends Load {
	private RingBuffer<Event> ring;
	private final List<End> ends = new ArrayList<>();
	private final List<EventProcessor> processors = new ArrayList<>();
	private long warm, share; /* events of each producer, before the clock runs and after */
	private long[] began;
	private AtomicInteger ready;

	Flow(Setup setup, int consumers) {
		super(setup, setup.producers + consumers);
	}

	@Override
	Outcome sample(long events) {
		int producers = setup.producers;
		List<Runnable> tasks = new ArrayList<>();

		warm = setup.warmEvents(events);
		share = setup.share(events);
		began = new long[producers];
		ready = new AtomicInteger();
		build();
		System.gc(); /* what the last sample left; nothing is allocated in this one's time */
		for (int i = 0; i < producers; i++) {
			int index = i;

			tasks.add(() -> producing(index));
		}
		tasks.addAll(processors);
		sides.run(tasks);
		return outcome();
	}

	private End newEnd() {
		switch (setup.scenario) {
		case "array":
			return new End.Total();
		case "pipeline":
		case "multicast":
		case "diamond":
			return new End.Stage();
		default:
			return setup.producers > 1 ? new End.Marked() : new End.Sum();
		}
	}

	/** The sequences that a consumer comes after: none, those of the one before, of the others. */
	private Sequence[] before(int index, int consumers) {
		boolean chained = setup.scenario.equals("pipeline") && index > 0;
		boolean joined = setup.scenario.equals("diamond") && index == consumers - 1;

		if (chained)
			return new Sequence[] { processors.get(index - 1).getSequence() };
		if (joined)
			return processors.stream().map(EventProcessor::getSequence)
				.toArray(Sequence[]::new);
		return new Sequence[0];
	}

	private EventProcessor newProcessor(End end, Sequence[] before) {
		if (setup.scenario.equals("poller"))
			return new Polling(this, ring.newPoller(before), end);

		SequenceBarrier barrier = ring.newBarrier(before);

		return new BatchEventProcessor<>(ring, barrier, end);
	}

	private void build() {
		int consumers = threads - setup.producers;

		ring = ring(setup.producers > 1);
		ends.clear();
		processors.clear();
		for (int i = 0; i < consumers; i++) {
			End end = newEnd();

			end.last = (warm + share) * setup.producers - 1;
			ends.add(end);
			processors.add(newProcessor(end, before(i, consumers)));
		}
		/* in a chain, and in a diamond, the last one is behind all others */
		if (setup.scenario.equals("pipeline") || setup.scenario.equals("diamond"))
			ring.addGatingSequences(processors.get(consumers - 1).getSequence());
		else
			for (EventProcessor processor : processors)
				ring.addGatingSequences(processor.getSequence());
	}

	private void producing(int index) {
		long mark = (long) index << End.Marked.MARK;

		produce(ring, mark, warm, setup.batch);
		for (EventProcessor processor : processors)
			await(processor.getSequence(), warm * setup.producers);
		meet(ready, setup.producers);
		began[index] = System.nanoTime();
		produce(ring, mark + warm, share, setup.batch);
		if (index != 0)
			return;
		for (EventProcessor processor : processors)
			await(processor.getSequence(), (warm + share) * setup.producers);
		for (EventProcessor processor : processors)
			processor.halt();
	}

	private Outcome outcome() {
		long n = warm + share, expected = 0, first = began[0], last = ends.get(0).ended;

		for (int i = 0; i < setup.producers; i++) {
			expected += triangle(n) + n * ((long) i << End.Marked.MARK);
			first = Math.min(first, began[i]);
		}
		if (setup.scenario.equals("array"))
			expected *= setup.bytes / 8;
		for (End end : ends) {
			check(end, expected);
			last = Math.max(last, end.ended);
		}
		return new Outcome(last - first, share * setup.producers,
				   (double) (n * setup.producers) / ends.get(0).batches);
	}
}
