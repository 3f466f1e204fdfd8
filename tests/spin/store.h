/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Words in memory behind store buffers.
 *
 * Spin interleaves whole steps, so to it every store is seen at once. Here a
 * thread's store goes into a queue of its own and reaches memory later, in
 * order: another thread's look, and its own look at other words, may come
 * before that. This is what store-load barriers are for, and all that is
 * modelled of weak memory: stores of one thread stay in order, as release
 * stores do; loads are not delayed, as acquire loads are not; a read-modify-
 * write happens in memory at once, when its thread's older stores have. One may
 * be delayed like a store: that of edge_arm(), whose barrier comes behind it.
 *
 * With AT_ONCE there are no buffers: for larger graphs, where the barriers are not
 * what is looked at.
 *
 * A model defines THREADS (at most 6), WORDS and DEPTH (how many stores may
 * wait), then includes this. Threads are numbered from 0. A thread looks only at
 * words that it has no store of under way: look() asserts it.
 */
byte mem[WORDS];

#ifdef AT_ONCE

#define store(t, word, value) mem[word] = value
#define look(t, word, to) to = mem[word]
#define settled(t) true
#define fence(t) true
#define membarrier(t) skip
#define lower(t, word, count)                                                                      \
	d_step {                                                                                   \
		if                                                                                 \
		:: mem[word] == 0 || mem[word] > (count) -> mem[word] = count                      \
		:: else                                                                            \
		fi                                                                                 \
	}

#else

chan buffer[THREADS] = [DEPTH] of { byte, byte };

/* a store, release or relaxed */
#define store(t, word, value) buffer[t]!word, value
/* a load */
#define look(t, word, to)                                                                          \
	d_step {                                                                                   \
		assert(!(buffer[t]??[eval(word), _]));                                             \
		to = mem[word];                                                                    \
	}
/* when a read-modify-write may happen: begins an atomic step that changes mem[] */
#define settled(t) (empty(buffer[t]))
/* disruptor_fence_seq_cst() */
#define fence(t) (empty(buffer[t]))

/* edge_arm()'s compare and swap: 0 < standing <= count stays, else it becomes count */
#define LOWER 128
#define lower(t, word, count) buffer[t]!(word + LOWER), count

byte passed_by[THREADS]; /* membarrier: how far each caller has come */

/*
 * os_membarrier(): a full barrier on the caller, then at some moment of the call on each other
 * thread. A moment at which a thread has no store under way is one.
 */
inline membarrier(t)
{
	fence(t);
	do
	:: passed_by[t] < THREADS && empty(buffer[passed_by[t]]) -> passed_by[t]++
	:: passed_by[t] == THREADS -> break
	od;
	passed_by[t] = 0
}

#define ARRIVE(t)                                                                                  \
	:: d_step {                                                                                \
		buffer[t]?word, value;                                                             \
		if                                                                                 \
		:: word < LOWER -> mem[word] = value                                               \
		:: word >= LOWER && (mem[word - LOWER] == 0 || mem[word - LOWER] > value) ->       \
			mem[word - LOWER] = value                                                  \
		:: else                                                                            \
		fi;                                                                                \
		word = 0;                                                                          \
		value = 0                                                                          \
	   }

/* Takes stores to memory, at any time. */
active proctype memory()
{
	byte word, value;

end:
	do
	ARRIVE(0)
	ARRIVE(1)
#if THREADS > 2
	ARRIVE(2)
#endif
#if THREADS > 3
	ARRIVE(3)
#endif
#if THREADS > 4
	ARRIVE(4)
#endif
#if THREADS > 5
	ARRIVE(5)
#endif
	od
}

#endif
