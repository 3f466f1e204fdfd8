/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

import com.lmax.disruptor.BatchEventProcessor;
import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.LifecycleAware;
import com.lmax.disruptor.RingBuffer;

import java.util.List;

/** Two rings: one thread sends an event and awaits its echo, the other sends each back. */
final class PingPong extends Load {
	PingPong(Setup setup) {
		super(setup, 2);
	}

	private static void send(RingBuffer<Event> ring, long value) {
		long sequence = ring.next();

		ring.get(sequence).fill(value);
		ring.publish(sequence);
	}

	/** Sends the next value when the echo of the last has come. */
	private static final class Serve extends EndFields
		implements EventHandler<Event>, LifecycleAware {
		private final RingBuffer<Event> out;
		private final long warm;
		private long value; /* sent last */
		private long turn;  /* at which there is something to do beside sending */
		long began;
		Runnable done;

		Serve(RingBuffer<Event> out, long warm, long events) {
			this.out = out;
			this.warm = warm;
			turn = warm;
			last = warm + events;
		}

		@Override
		public void onStart() {
			send(out, value = 1);
		}

		@Override
		public void onShutdown() {
		}

		@Override
		public void onEvent(Event event, long sequence, boolean endOfBatch) {
			torn |= event.torn();
			wrong |= event.value() ^ value;
			if (value == turn && turned())
				return;
			send(out, ++value);
		}

		/** Whether it is over. */
		private boolean turned() {
			if (turn == warm) {
				turn = last;
				began = System.nanoTime();
				return false;
			}
			ended = System.nanoTime();
			done.run();
			return true;
		}
	}

	@Override
	Outcome sample(long events) {
		RingBuffer<Event> there = ring(false), back = ring(false);
		Serve serve = new Serve(there, events / 10 + 1, events);
		EndFields answer = new EndFields() { };
		BatchEventProcessor<Event> serving, answering;

		serving = new BatchEventProcessor<>(back, back.newBarrier(), serve);
		answering = new BatchEventProcessor<>(there, there.newBarrier(),
			(event, sequence, endOfBatch) -> {
				answer.torn |= event.torn();
				send(back, event.value());
			});
		there.addGatingSequences(answering.getSequence());
		back.addGatingSequences(serving.getSequence());
		serve.done = () -> {
			serving.halt();
			answering.halt();
		};
		System.gc();
		sides.run(List.of(serving, answering));
		check(serve, 0);
		check(answer, 0);
		return new Outcome(serve.ended - serve.began, events, 1);
	}
}
