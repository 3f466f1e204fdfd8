/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

import com.lmax.disruptor.EventPoller;
import com.lmax.disruptor.EventProcessor;
import com.lmax.disruptor.Sequence;

/** A consumer that polls. */
final class Polling implements EventProcessor {
	private final Load load;
	private final EventPoller<Event> poller;
	private final End end;
	private volatile boolean running = true;

	Polling(Load load, EventPoller<Event> poller, End end) {
		this.load = load;
		this.poller = poller;
		this.end = end;
	}

	@Override
	public void run() {
		EventPoller.Handler<Event> handler = (event, sequence, endOfBatch) -> {
			end.onEvent(event, sequence, endOfBatch);
			return true;
		};

		try {
			while (running)
				if (poller.poll(handler) != EventPoller.PollState.PROCESSING)
					load.idle();
		} catch (Exception failure) {
			throw new IllegalStateException(failure);
		}
	}

	@Override
	public Sequence getSequence() {
		return poller.getSequence();
	}

	@Override
	public void halt() {
		running = false;
	}

	@Override
	public boolean isRunning() {
		return running;
	}
}
