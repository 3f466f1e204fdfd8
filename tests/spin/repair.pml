/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Processes that die on a ring that they share, and those who repair it.
 *
 * Modelled: claim_many() of runs, intend() before the swap and after a claim that was not won, publishing
 * from the last to the first, give_up_stamped(); segment_tend(), bury(), ring_repair() with
 * repair_consumer(), repair_producer(), void_orphans(), is_somebodys(), ring_void(); take_up() by an
 * heir of the required consumer, in the place that the dead one had. Whoever is mortal here may be ended
 * between any two steps; so may a repairer, but not the last one: in the library everyone who waits is
 * one. A lock of the kernel's is free again with the death. Sequentially consistent: what a weaker
 * machine makes of the orders is the explorer's part (client orphan). Waiting is a guard (wake.pml has
 * the edges; a wake-up that died with its sender is bounded by the sleep's 10 ms). A repairer that could
 * not settle everything looks again when something has changed: if nothing does, nothing would be found.
 * Taken as one step: a look at both gates; a consumer's at a stamp and whether it is a void; the
 * claim word and where what may be open begins; a close in good order.
 * Left out: who dies while attaching or closing (fault/death), single producers, whose claims are all
 * their own, packed rings.
 *
 * Properties: no published event becomes a void, no claim of somebody alive does, none but one's own; no
 * slot is written that a gate holds; each consumer is handed each position once, in order, events as
 * events and voids as voids, an heir again at most what was not released; only the dead are repaired; in
 * the end each claimed position is published or void, and everybody's place is free (no deadlock: nobody
 * waits for ever).
 *
 * @run producers quick -DMORTAL_PRODUCERS -DDEATHS=1 -DROUNDS=1 -DABORTS
 * @run repairers quick -DMORTAL_PRODUCERS -DMORTAL_REPAIRERS -DREPAIRERS=2 -DDEATHS=2 -DPRODUCERS=1
 * @run heir quick -DMORTAL_REQUIRED -DDEATHS=1 -DPRODUCERS=1 -DRUN_OF=1 -DABORTS -DLOOKS -DREPAIRERS=2
 * @run optional -DMORTAL_REPAIRERS -DREPAIRERS=2 -DDEATHS=2 -DPRODUCERS=1 -DRUN_OF=1 -DCAPACITY=1 -DOPTIONAL
 * @run rounds -DMORTAL_PRODUCERS -DDEATHS=1 -DRUN_OF=1 -DABORTS
 * @run longer -DMORTAL_REQUIRED -DDEATHS=1 -DPRODUCERS=1 -DABORTS -DSHORTER -DLOOKS -DREPAIRERS=2
 * @run both -DMORTAL_PRODUCERS -DDEATHS=2 -DROUNDS=1 -DABORTS
 * @run four -DMORTAL_PRODUCERS -DMORTAL_REPAIRERS -DREPAIRERS=2 -DDEATHS=2 -DROUNDS=1 -DRUN_OF=1 -DCAPACITY=1
 * @run all -DMORTAL_PRODUCERS -DMORTAL_REQUIRED -DMORTAL_REPAIRERS -DREPAIRERS=2 -DDEATHS=3 -DPRODUCERS=1 -DRUN_OF=1 -DCAPACITY=1
 * @run live ltl=settled_at_last -DMORTAL_PRODUCERS -DMORTAL_REPAIRERS -DREPAIRERS=2 -DDEATHS=2 -DROUNDS=1 -DPRODUCERS=1
 * @run live2 ltl=settled_at_last -DMORTAL_PRODUCERS -DDEATHS=2 -DROUNDS=1 -DRUN_OF=1 -DCAPACITY=1
 *
 * @mutant 1 producers claim_many() writes its intent behind the swap
 * @mutant 2 producers void_orphans() looks whose a position is, then at the claim word
 * @mutant 3 rounds void_orphans() looks whether it is settled, then whose it is
 * @mutant 4 producers void_orphans() does not look whose it is
 * @mutant 5 repairers bury() frees the place first, not last
 * @mutant 6 repairers repair_producer() frees the entry before it is out of use
 * @mutant 7 repairers the lock stays taken when its holder dies
 * @mutant 8 repairers segment_tend() repairs without the lock
 * @mutant 9 producers a later lap's stamp does not count as settled
 * @mutant 10 producers bury() frees the place though somebody alive was in the way
 * @mutant 11 producers a claim that was not won stays in the intent
 * @mutant 12 heir a required consumer that dies leaves
 * @mutant 13 optional an optional consumer that dies stays a gate
 * @mutant 14 optional repair_consumer() makes the entry nobody's before the gate is open
 * @mutant 15 heir an heir begins at the newest position
 * @mutant 16 rounds ring_void() stores the end of the voids that it has looked at
 * @mutant 17 heir segment_tend() does not look again once it has the lock
 * @mutant 18 producers claim_many() stores the claim it has looked at
 */
#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef RUN_OF
#define RUN_OF 2
#endif
#ifndef REPAIRERS
#define REPAIRERS 1
#endif
#ifndef CAPACITY
#define CAPACITY 2
#endif
#define PLACES 6

/* participants, from 1: producers 1 and 2, then */
#define REQUIRED 3
#define OTHER 4
#define REPAIRER 5 /* and 6 */

#define DEAD 99
#define VACANT 100
#define VOID 64
#define SLOT(position) ((position) % CAPACITY)
#define COUNT(slot) (stamp[slot] & 63)

/* the block */
byte claimed, voids_end;
byte stamp[CAPACITY];
byte run_first[2], run_end[2]; /* of each producer's entry */
bool used[2];
byte whose[2];
byte gate[2] = VACANT; /* of the required consumer, and the optional one */
byte gate_whose[2];

/* places, and the kernel's locks */
bool present[PLACES + 1], alive[PLACES + 1], killed[PLACES + 1];
byte left[PLACES + 1];
byte admin; /* who has the lock of the cold side */

/* what is known here only */
byte owner[PRODUCERS * ROUNDS * RUN_OF + CAPACITY]; /* of each position */
byte published, voided;                             /* a bit each */
byte seen[2];                                       /* by the consumers of each gate: so far */
byte deaths;
bool news[2];
bool consumer_done;
bool heir_came;
bool finished;

#ifdef MUTANT_8
#define UNLOCKED true
#else
#define UNLOCKED false
#endif
#define tell() news[0] = true; news[1] = true
#define lock(me) atomic { admin == 0 -> admin = me }
#define unlock() admin = 0
#define NOBODY_PRODUCES (!used[0] && !used[1])
#define LOW (gate[0] < gate[1] -> gate[0] : gate[1])
#define IS_DEAD(who) (present[who] && !alive[who])
#define SOMEBODY_IS_DEAD                                                                           \
	(IS_DEAD(1) || IS_DEAD(2) || IS_DEAD(3) || IS_DEAD(4) || IS_DEAD(5) || IS_DEAD(6))
#ifdef MUTANT_9
#define IS_SETTLED(position) (COUNT(SLOT(position)) == (position) + 1)
#else
#define IS_SETTLED(position) (COUNT(SLOT(position)) > (position))
#endif

#define raise_voids_end(to) atomic { voids_end = (voids_end < (to) -> (to) : voids_end) }

#define PASSED 255
/* Forget of a position that everybody has released what cannot matter any more. */
#define forget(position)                                                                           \
	if                                                                                         \
	:: LOW > (position) ->                                                                     \
		owner[position] = PASSED;                                                          \
		published = published | 1 << (position);                                           \
		voided = voided & ~(1 << (position))                                               \
	:: else                                                                                    \
	fi

/* ---- producers ---- */

inline intend(from, to)
{
	d_step { run_end[me - 1] = to; tell() };
	d_step { run_first[me - 1] = from; tell() }
}

inline mine_now()
{
	d_step {
		assert(owner[at] == 0 && owner[at + n - 1] == 0);
		assert(at + n <= LOW + CAPACITY); /* the slots are free */
		owner[at] = me;
		owner[at + n - 1] = me;
		tell()
	}
}

inline claim_run()
{
	if
	:: atomic { n = RUN_OF; at = claimed }
#ifdef SHORTER
	:: atomic { n = 1; at = claimed }
#endif
	fi;
retry:
	if
	:: at + n > LOW + CAPACITY -> /* E_FULL */
#ifndef MUTANT_11
		intend(0, 0);
#endif
		atomic { claimed + n <= LOW + CAPACITY -> at = claimed };
		goto retry
	:: else
	fi;
#ifndef MUTANT_1
	intend(at, at + n);
#endif
#ifdef MUTANT_18
	d_step { claimed = at + n; mine_now() };
#else
	if
	:: atomic { claimed == at -> claimed = at + n; mine_now() }
	:: atomic { claimed != at -> at = claimed }
		goto retry
	fi;
#endif
#ifdef MUTANT_1
	intend(at, at + n)
#endif
}

/* The first of the run last, so that who waits for it sees them all. */
inline publish_run()
{
	i = at + n;
	do
	:: i == at -> break
	:: else ->
		d_step {
			i--;
			assert(COUNT(SLOT(i)) <= i && !(voided >> i & 1));
			stamp[SLOT(i)] = i + 1;
			published = published | 1 << i;
			tell()
		}
	od;
	i = 0
}

inline give_up_run()
{
#ifdef MUTANT_16
	i = voids_end;
	voids_end = (i < at + n -> at + n : i);
#else
	raise_voids_end(at + n);
#endif
	i = at + n;
	do
	:: i == at -> break
	:: else ->
		d_step {
			i--;
			assert(COUNT(SLOT(i)) <= i);
			stamp[SLOT(i)] = (i + 1) | VOID;
			voided = voided | 1 << i;
			tell()
		}
	od;
	i = 0
}

proctype producer(byte me)
{
	byte at, n, i, rounds;

	{
		do
		:: rounds == ROUNDS -> break
		:: else ->
			claim_run();
			if
			:: publish_run()
#ifdef ABORTS
			:: give_up_run()
#endif
			fi;
			d_step { at = 0; n = 0; rounds++ }
		od;
		/* disruptor_producer_do_close(), segment_leave() */
		atomic { admin == 0 ->
			used[me - 1] = false;
			whose[me - 1] = 0;
			present[me] = false;
			tell();
			alive[me] = false }
	} unless { atomic { killed[me] -> at = 0; n = 0; i = 0; rounds = 0 } }
}

/* ---- consumers ---- */

inline consume(g)
{
	do
	:: atomic { COUNT(SLOT(next)) == next + 1 ->
		is_void = voids_end > next && (stamp[SLOT(next)] & VOID); /* consumer_is_void() */
		assert(is_void == (voided >> next & 1) && is_void != (published >> next & 1));
		assert(next <= seen[g]); /* nothing was passed over */
		seen[g] = (seen[g] < next + 1 -> next + 1 : seen[g]);
		is_void = false }
		d_step {
			assert(COUNT(SLOT(next)) == next + 1); /* the slot was the gate's */
			next++;
			gate[g] = next;
			forget(next - 1)
		}
	:: COUNT(SLOT(next)) != next + 1 && NOBODY_PRODUCES && next == claimed -> break
	od
}

inline close_consumer(g)
{
	atomic { admin == 0 ->
		assert(seen[g] == claimed);
		gate[g] = VACANT;
		gate_whose[g] = 0;
		present[me] = false;
		consumer_done = consumer_done || g == 0;
		tell();
		alive[me] = false }
}

proctype consumer(byte me)
{
	byte next;
	bool is_void;

	{
		consume(me - REQUIRED);
		close_consumer(me - REQUIRED)
	} unless { atomic { killed[me] -> next = 0; is_void = false } }
}

/* Comes under the name of the required one that has died, to the same place among the participants. */
proctype heir()
{
	byte next, me = REQUIRED;
	bool is_void;

	if
	:: consumer_done
	:: deaths != 0 && !consumer_done ->
		if
		:: consumer_done && !alive[REQUIRED] -> goto out
		/* segment_enter(): a place that nobody has, and that is not still to be repaired */
		:: atomic { admin == 0 && !alive[REQUIRED] && !present[REQUIRED] && !consumer_done ->
			admin = me;
			alive[REQUIRED] = true;
			heir_came = true }
		fi;
		present[REQUIRED] = true;
		unlock();
		lock(me); /* take_up() */
		assert(gate_whose[0] == DEAD);
#ifdef MUTANT_15
		next = claimed;
#else
		next = gate[0];
#endif
		gate_whose[0] = me;
		unlock();
		consume(0);
		close_consumer(0)
	fi;
out:
	skip
}

/* ---- who repairs ---- */

inline repair_consumer(c)
{
#ifdef MUTANT_12
	if
	:: true ->
#else
	if
	:: c == 0 ->
		gate_whose[0] = DEAD /* it stays a gate */
	:: else ->
#endif
#ifdef MUTANT_14
		gate_whose[c] = 0;
		gate[c] = VACANT
#else
#ifndef MUTANT_13
		gate[c] = VACANT;
#endif
		gate_whose[c] = 0 /* last */
#endif
	fi
}

inline repair_producer(k)
{
#ifdef MUTANT_6
	whose[k] = 0;
	d_step { used[k] = false; tell() }
#else
	d_step { used[k] = false; tell() };
	whose[k] = 0 /* last */
#endif
}

/* ring_void() of [from, at) */
inline void_claims()
{
#ifdef MUTANT_16
	word = voids_end;
	voids_end = (word < at -> at : word);
#else
	raise_voids_end(at);
#endif
	word = at;
	do
	:: atomic { word == from -> word = 0; from = at } break
	:: else ->
		d_step {
			word--;
			assert(COUNT(SLOT(word)) <= word && !(published >> word & 1));
			assert(owner[word] != 0 && !alive[owner[word]]);
			stamp[SLOT(word)] = (word + 1) | VOID;
			voided = voided | 1 << word;
			tell()
		}
	od
}

/*
 * Sets `settled`: whether all before left[who] - 1 is. From where the gates and the claim word say that
 * something may be open, as ring_first_unpublished() does. Each step is one look at what others write.
 */
#ifdef MUTANT_3
#define LOOK_FIRST unsettled = !IS_SETTLED(at)
#define LOOK_LAST
#else
#define LOOK_FIRST
#define LOOK_LAST unsettled = !IS_SETTLED(at)
#endif
#ifdef MUTANT_4
#define ENTRIES 0
#else
#define ENTRIES PRODUCERS
#endif
#ifdef MUTANT_2
#define LOOK_AGAIN bound = claimed
#define MAY_LOOK true
#else
#define LOOK_AGAIN
#define MAY_LOOK (at < bound)
#endif

inline void_orphans(who)
{
	d_step {
		bound = claimed;
		at = (bound > CAPACITY -> bound - CAPACITY : 0);
		at = (gate[0] != VACANT && gate[0] > at && gate[0] <= bound -> gate[0] : at);
		at = (gate[1] != VACANT && gate[1] > at && gate[1] <= bound -> gate[1] : at);
		from = at;
		settled = true;
		k = 0;
		LOOK_FIRST
	}
look:	/* is_somebodys(), then is_settled() */
	if
	:: atomic { k < ENTRIES && MAY_LOOK && !used[k] -> k++ }
		goto look
	:: atomic { k < ENTRIES && MAY_LOOK && used[k] -> word = run_first[k] }
		d_step {
			mine = mine || (word <= at && at < run_end[k]);
			word = 0;
			k++
		}
		goto look
	:: atomic { k == ENTRIES || !MAY_LOOK ->
		k = 0;
		LOOK_AGAIN;
		LOOK_LAST;
		unsettled = unsettled && at < bound;
		if
		:: unsettled && !mine ->
			at++;
			LOOK_FIRST
			goto look
		:: else -> mine = false
		fi }
	fi;
	if
	:: at != from ->
		void_claims();
		goto look
	:: atomic { at == from && at < bound ->
		settled = settled && (at >= left[who] - 1 || !unsettled);
		at++;
		from = at;
		LOOK_FIRST }
		goto look
	:: at == from && at >= bound
	fi;
	d_step { at = 0; from = 0; bound = 0; unsettled = false }
}

inline bury(who)
{
	d_step {
		assert(present[who] && !alive[who]); /* none but the dead */
		left[who] = (left[who] == 0 -> claimed + 1 : left[who])
	};
#ifdef MUTANT_5
	present[who] = false;
#endif
	if
	:: gate_whose[0] == who -> repair_consumer(0)
	:: else
	fi;
#ifdef OPTIONAL
	if
	:: gate_whose[1] == who -> repair_consumer(1)
	:: else
	fi;
#endif
	if
	:: who <= PRODUCERS && whose[who - 1] == who -> repair_producer(who - 1)
	:: else
	fi;
	void_orphans(who);
	if
#ifdef MUTANT_10
	:: true ->
#else
	:: settled ->
#endif
		settled = false;
		left[who] = 0;
		d_step { present[who] = false; tell() } /* last */
#ifndef MUTANT_10
	:: !settled
#endif
	fi
}

proctype repairer(byte me)
{
	byte i, k, at, from, bound, word;
	bool settled, mine, unsettled;

	{
end:
		do
#ifdef LOOKS
		:: atomic { SOMEBODY_IS_DEAD && news[me - REPAIRER] -> /* a look without the lock */
			news[me - REPAIRER] = false }
#else
		:: atomic { SOMEBODY_IS_DEAD && news[me - REPAIRER] && (admin == 0 || UNLOCKED) ->
			news[me - REPAIRER] = false;
			admin = (UNLOCKED -> admin : me) }
#endif
#ifdef MUTANT_17
			d_step {
				i = (IS_DEAD(1) -> 1 : (IS_DEAD(2) -> 2 : (IS_DEAD(3) -> 3 : 4)));
				i = (IS_DEAD(5) -> 5 : (IS_DEAD(6) -> 6 : i))
			}
			lock(me);
			bury(i);
#else
#if defined(LOOKS) && !defined(MUTANT_8)
			lock(me);
#endif
next:
			atomic {
				do
				:: i == PLACES || IS_DEAD(i + 1) -> break
				:: else -> i++
				od
			}
			if
			:: atomic { i < PLACES -> i++ }
				bury(i);
				goto next
			:: i == PLACES
			fi;
#endif
			i = 0;
#ifndef MUTANT_8
			unlock()
#endif
		od
	} unless { atomic { killed[me] ->
		i = 0; k = 0; at = 0; from = 0; bound = 0; word = 0; settled = false; mine = false;
		unsettled = false } }
}

/* ---- deaths ---- */

inline kill(who)
{
	deaths++;
	killed[who] = true;
	alive[who] = false;
#ifndef MUTANT_7
	admin = (admin == who -> 0 : admin); /* the kernel's lock */
#endif
	tell()
}

#define KILL(who, may) :: atomic { deaths < DEATHS && alive[who] && (may) -> kill(who) }

proctype killer()
{
end:
	do
	:: false
#ifdef MORTAL_PRODUCERS
	KILL(1, true)
#if PRODUCERS > 1
	KILL(2, true)
#endif
#endif
#ifdef MORTAL_REQUIRED
	KILL(REQUIRED, !heir_came && !consumer_done)
#endif
#ifdef OPTIONAL
	KILL(OTHER, true)
#endif
#if defined(MORTAL_REPAIRERS) && REPAIRERS > 1
	KILL(REPAIRER, alive[REPAIRER + 1])
	KILL(REPAIRER + 1, alive[REPAIRER])
#endif
	od
}

#define ENTER(who) present[who] = true; alive[who] = true

init {
	atomic {
		ENTER(1);
		used[0] = true;
		whose[0] = 1;
		ENTER(REQUIRED);
		gate[0] = 0;
		gate_whose[0] = REQUIRED;
		ENTER(REPAIRER);
		run repairer(REPAIRER);
#if REPAIRERS > 1
		ENTER(REPAIRER + 1);
		run repairer(REPAIRER + 1);
#endif
#ifdef MORTAL_REQUIRED
		run heir();
#endif
		run consumer(REQUIRED);
#ifdef OPTIONAL
		ENTER(OTHER);
		gate[1] = 0;
		gate_whose[1] = OTHER;
		run consumer(OTHER);
#endif
		run producer(1);
#if PRODUCERS > 1
		ENTER(2);
		used[1] = true;
		whose[1] = 2;
		run producer(2);
#endif
		run killer()
	}
	/* all that is left are those who repair, and none has anything to do */
	!SOMEBODY_IS_DEAD && !present[1] && !present[2] && !present[REQUIRED] && !present[OTHER];
	assert((published | voided) == (1 << claimed) - 1 && (published & voided) == 0);
	finished = true
}

ltl settled_at_last { <> (finished) }
