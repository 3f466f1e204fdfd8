/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

import com.lmax.disruptor.EventHandler;

/** A consumer of events, which checks them. */
abstract class End extends EndFields implements EventHandler<Event> {
	long after1, after2, after3, after4, after5, after6, after7, after8;
	long after9, after10, after11, after12, after13, after14, after15, after16;

	/** Of one producer's stream: sums the values. */
	static final class Sum extends End {
		@Override
		public void onEvent(Event event, long sequence, boolean endOfBatch) {
			sum += event.value();
			torn |= event.torn();
			if (endOfBatch)
				endBatch(sequence);
		}
	}

	/** Of large events: sums all their words. */
	static final class Total extends End {
		@Override
		public void onEvent(Event event, long sequence, boolean endOfBatch) {
			sum += event.total();
			if (endOfBatch)
				endBatch(sequence);
		}
	}

	/** A stage of a graph: each value must be that of its position. */
	static final class Stage extends End {
		@Override
		public void onEvent(Event event, long sequence, boolean endOfBatch) {
			long value = event.value();

			sum += value;
			torn |= event.torn();
			wrong |= value ^ sequence + 1;
			if (endOfBatch)
				endBatch(sequence);
		}
	}

	/** Of several producers' streams: the events of each must come in their order. */
	static final class Marked extends End {
		static final int MARK = 48; /* above it a value tells whose it is */
		static final int PRODUCERS = 8;
		private static final int APART = 16; /* words that nobody else's lie within */

		private final long[] seen = new long[PRODUCERS + 2 * APART];

		@Override
		public void onEvent(Event event, long sequence, boolean endOfBatch) {
			long value = event.value();
			int whose = APART + (int) (value >>> MARK & PRODUCERS - 1);

			sum += value;
			torn |= event.torn();
			wrong |= ++seen[whose] ^ value & (1L << MARK) - 1;
			if (endOfBatch)
				endBatch(sequence);
		}
	}
}
