/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

import com.lmax.disruptor.EventFactory;

import java.util.Arrays;

/**
 * An event whose words are all alike, so that a torn one is noticed. Sizes that scenarios use have
 * their words as fields, which is the least that Java can do. A JVM uses one of the classes only,
 * so that calls of these methods are inlined.
 */
abstract class Event {
	abstract void fill(long value);

	abstract long value();

	/** Not 0: the words disagree. */
	abstract long torn();

	/** The sum of all words. */
	abstract long total();

	static EventFactory<Event> factory(int bytes) {
		switch (bytes) {
		case 8:
			return Event8::new;
		case 16:
			return Event16::new;
		case 24:
			return Event24::new;
		case 32:
			return Event32::new;
		case 64:
			return Event64::new;
		default:
			return () -> new EventWords(bytes / 8);
		}
	}
}

final class Event8 extends Event {
	private long a;

	@Override
	void fill(long value) {
		a = value;
	}

	@Override
	long value() {
		return a;
	}

	@Override
	long torn() {
		return 0;
	}

	@Override
	long total() {
		return a;
	}
}

final class Event16 extends Event {
	private long a, b;

	@Override
	void fill(long value) {
		a = b = value;
	}

	@Override
	long value() {
		return a;
	}

	@Override
	long torn() {
		return a ^ b;
	}

	@Override
	long total() {
		return a + b;
	}
}

final class Event24 extends Event {
	private long a, b, c;

	@Override
	void fill(long value) {
		a = b = c = value;
	}

	@Override
	long value() {
		return a;
	}

	@Override
	long torn() {
		long first = a;

		return first ^ b | first ^ c;
	}

	@Override
	long total() {
		return a + b + c;
	}
}

final class Event32 extends Event {
	private long a, b, c, d;

	@Override
	void fill(long value) {
		a = b = c = d = value;
	}

	@Override
	long value() {
		return a;
	}

	@Override
	long torn() {
		long first = a;

		return first ^ b | first ^ c | first ^ d;
	}

	@Override
	long total() {
		return a + b + c + d;
	}
}

final class Event64 extends Event {
	private long a, b, c, d, e, f, g, h;

	@Override
	void fill(long value) {
		a = b = c = d = e = f = g = h = value;
	}

	@Override
	long value() {
		return a;
	}

	@Override
	long torn() {
		long first = a;

		return first ^ b | first ^ c | first ^ d | first ^ e | first ^ f | first ^ g |
			first ^ h;
	}

	@Override
	long total() {
		return a + b + c + d + e + f + g + h;
	}
}

/** Of any size. */
final class EventWords extends Event {
	private final long[] words;

	EventWords(int count) {
		words = new long[count];
	}

	@Override
	void fill(long value) {
		Arrays.fill(words, value);
	}

	@Override
	long value() {
		return words[0];
	}

	@Override
	long torn() {
		long first = words[0], torn = 0;

		for (long word : words)
			torn |= word ^ first;
		return torn;
	}

	@Override
	long total() {
		long total = 0;

		for (long word : words)
			total += word;
		return total;
	}
}
