/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The LMAX Disruptor's side of a benchmark. The command line says which scenario. Each line on
 * stdin asks for something, each on stdout answers:
 *
 *	(at the start)	ready THREADS
 *	warm		warm SAMPLES MILLISECONDS
 *	run EVENTS	done NANOSECONDS EVENTS BATCH
 *
 * Any other line is a complaint. The end of stdin ends the program, even within a sample.
 */
final class Main {
	/* warming up: until three samples of at least this length in a row are so near */
	private static final long SAMPLE_NS = 15_000_000, LEAST_NS = 300_000_000;
	private static final long MOST_NS = 1_000_000_000;
	private static final double NEAR = 1.1;

	private Main() {
	}

	static void fail(Throwable failure) {
		Throwable cause = failure;

		while (cause.getCause() != null)
			cause = cause.getCause();
		say("failed: " + cause);
		Runtime.getRuntime().halt(1);
	}

	private static void say(String line) {
		System.out.println(line);
		System.out.flush();
	}

	/** Read lines in a thread of its own, so that their end is noticed at any time. */
	private static BlockingQueue<String> requests() {
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
		BlockingQueue<String> queue = new LinkedBlockingQueue<>();
		Thread reader = new Thread(() -> {
			try {
				for (String line; (line = in.readLine()) != null;)
					queue.add(line);
			} catch (IOException failure) {
				/* as if it had ended */
			}
			Runtime.getRuntime().halt(0);
		}, "requests");

		reader.setDaemon(true);
		reader.start();
		return queue;
	}

	/** Take samples until the compiler has done with them, as far as their times tell. */
	private static String warm(Load load) {
		double[] last = new double[3];
		long began = System.nanoTime(), events = 2000, took;
		int samples = 0;

		do {
			Outcome outcome = load.sample(events);
			double time = (double) outcome.nanoseconds / outcome.events;

			if (outcome.nanoseconds < SAMPLE_NS)
				events *= 4;
			else
				last[samples++ % 3] = time;
			took = System.nanoTime() - began;
		} while (took < MOST_NS && !(samples >= 3 && took >= LEAST_NS && near(last)));
		return "warm " + samples + " " + took / 1_000_000;
	}

	private static boolean near(double[] times) {
		double least = Math.min(times[0], Math.min(times[1], times[2]));

		return Math.max(times[0], Math.max(times[1], times[2])) <= least * NEAR;
	}

	private static String answer(Load load, String line) {
		String[] words = line.split(" ");

		if (words[0].equals("warm"))
			return warm(load);

		Outcome outcome = load.sample(Long.parseLong(words[1]));

		return "done " + outcome.nanoseconds + " " + outcome.events + " " + outcome.batch;
	}

	public static void main(String[] arguments) {
		BlockingQueue<String> requests = requests();

		try {
			Load load = Load.of(new Setup(arguments));

			say("ready " + load.threads);
			while (true)
				say(answer(load, requests.take()));
		} catch (Throwable failure) {
			fail(failure);
		}
	}
}
