/* SPDX-License-Identifier: MIT OR Apache-2.0 */
package bench.lmax;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The threads of all samples. They are made once, and are named "side 0", "side 1" ..., by which
 * they are found from outside to be pinned: Java itself cannot.
 */
final class Sides {
	private final List<ExecutorService> threads = new ArrayList<>();

	Sides(int count) {
		for (int i = 0; i < count; i++) {
			String name = "side " + i;

			threads.add(Executors.newSingleThreadExecutor(run -> {
				Thread thread = new Thread(run, name);

				thread.setDaemon(true);
				return thread;
			}));
		}
		run(new ArrayList<>(java.util.Collections.nCopies(count, () -> { })));
	}

	/** Run each task in a thread of its own; return when all have ended. */
	void run(List<Runnable> tasks) {
		List<Future<?>> futures = new ArrayList<>();

		for (int i = 0; i < tasks.size(); i++) {
			Runnable task = tasks.get(i);

			futures.add(threads.get(i).submit(() -> {
				try {
					task.run();
				} catch (Throwable failure) {
					Main.fail(failure); /* the others would wait for ever */
				}
			}));
		}
		for (Future<?> future : futures) {
			try {
				future.get();
			} catch (Exception failure) {
				Main.fail(failure);
			}
		}
	}
}
