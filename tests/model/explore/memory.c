/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * C11's memory, by views. Each word that threads share keeps all its stores, in the order in which
 * they were made. A thread has a view: the oldest store of each word that it may still read. A store
 * carries a view to who acquires it, so does a lock to who takes it; fences join views. Beside the
 * words, a view has a clock for each thread: what happens before what, for plain accesses.
 *
 * A word is modelled once two threads are known to access it, one of them writing. Until then it
 * is plain memory, and nobody is scheduled at it; when the second thread comes all begins anew.
 */
#include "explore.h"
#include "virtual.h"

#include <string.h>

#define WORDS 64     /* shared ones, of an execution */
#define HISTORY 64   /* stores of a word, of an execution */
#define PLACES 65536 /* addresses; a power of two */
#define SITES 512
#define REPEATS 4 /* an old store is read again */

struct view {
	uint16_t at[WORDS];
	uint32_t clock[EXPLORE_THREADS];
};

struct store {
	uint64_t value;
	struct view view;
	unsigned thread;
	struct model_site site;
};

struct word {
	void *address;
	unsigned size;
	unsigned place;
	unsigned count;
	struct store stores[HISTORY];
};

/* What is known of an address, in this execution and in those before. */
struct place {
	const void *address;
	unsigned number;
	unsigned threads, writers; /* a bit each */
	unsigned execution;        /* of the following */
	unsigned word;
	unsigned taken; /* a lock: how often */
	struct view view;
	/* plain accesses */
	unsigned written_by;
	uint32_t written;
	uint32_t read[EXPLORE_THREADS];
	struct model_site wrote, reads[EXPLORE_THREADS];
};

struct thread {
	struct view now;     /* what it has seen */
	struct view pending; /* what it would have acquired; a fence may yet */
	struct view fenced;  /* at its last release fence */
	struct view kept;    /* at the last place where no compiler moves a load up above a store */
	bool looks;
	int read[WORDS];          /* the store that was read last; -1: none */
	unsigned repeated[WORDS]; /* how often an old one was read again */
	int looked[WORDS];        /* the first store that was read since it paused; -1: none */
};

static struct place places[PLACES];
static unsigned place_count;
static unsigned taken_places[PLACES / 2];
static struct word words[WORDS];
static unsigned word_count;
static struct thread threads[EXPLORE_THREADS];
static struct view fences; /* of sequentially consistent fences: no clocks */
static unsigned execution, spurious;
static struct {
	const unsigned char *base;
	size_t size;
} gone[8];
static unsigned gone_count;
static struct used_site sites[SITES];
static size_t site_count;

const char *const weaker_names[WEAKER_KINDS] = {
	[WEAKER_NONE] = "none",       [WEAKER_ACQUIRE] = "acquire", [WEAKER_RELEASE] = "release",
	[WEAKER_FAILURE] = "failure", [WEAKER_FENCE] = "fence",     [WEAKER_GONE] = "gone",
};

/* ---- memory for clients ---- */

static _Alignas(4096) unsigned char arena[1 << 18];
static size_t arena_used;

static void *allocate(void *context, size_t size, size_t align)
{
	size_t at = (arena_used + align - 1) / align * align;

	(void)context;
	if (size > sizeof(arena) - at)
		return NULL;
	arena_used = at + size;
	return arena + at;
}

static void give_back(void *context, void *base, size_t size)
{
	(void)context;
	memory_gone(base, size);
}

struct disruptor_allocator model_allocator(void)
{
	return (struct disruptor_allocator){ .allocate = allocate, .release = give_back };
}

/* ---- views ---- */

static struct thread *self(void)
{
	return &threads[virtual_self()];
}

static void join_words(struct view *to, const struct view *from)
{
	for (unsigned i = 0; i < word_count; i++)
		if (to->at[i] < from->at[i])
			to->at[i] = from->at[i];
}

static void join(struct view *to, const struct view *from)
{
	join_words(to, from);
	for (unsigned i = 0; i < EXPLORE_THREADS; i++)
		if (to->clock[i] < from->clock[i])
			to->clock[i] = from->clock[i];
}

/* What the thread has released so far is behind it: what comes is not released by that. */
static void tick(struct thread *t)
{
	t->now.clock[t - threads]++;
}

/* ---- places ---- */

static struct place *place_of(const void *address)
{
	size_t i = (size_t)((uintptr_t)address * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (;; i++) {
		struct place *p = &places[i & (PLACES - 1)];

		if (p->address == address)
			return p;
		if (p->address)
			continue;
		if (place_count == PLACES / 2)
			explore_fail("more than %d addresses: raise PLACES", PLACES / 2);
		p->address = address;
		taken_places[place_count] = (unsigned)(p - places);
		p->number = ++place_count;
		return p;
	}
}

static struct place *place_now(const void *address)
{
	struct place *p = place_of(address);

	if (p->execution != execution) {
		p->execution = execution;
		p->word = WORDS;
		p->taken = 0;
		p->written = 0;
		memset(&p->view, 0, sizeof(p->view));
		memset(p->read, 0, sizeof(p->read));
	}
	return p;
}

static bool is_shared(const struct place *p)
{
	return p->writers != 0 && (p->threads & (p->threads - 1)) != 0;
}

/* The running thread uses it; whether others do. */
static bool learn(struct place *p, bool writes)
{
	unsigned bit = 1u << virtual_self();
	bool shared = is_shared(p);

	p->threads |= bit;
	p->writers |= writes ? bit : 0;
	if (!shared && is_shared(p))
		explore_restart();
	return shared;
}

bool memory_is_shared(const void *object)
{
	return !object || learn(place_now(object), true);
}

unsigned memory_number(const void *object)
{
	return object ? place_of(object)->number : 0;
}

void memory_forget(void)
{
	while (place_count != 0)
		memset(&places[taken_places[--place_count]], 0, sizeof(places[0]));
	execution = 0;
	site_count = 0;
}

void memory_begin(void)
{
	arena_used = 0;
	execution++;
	word_count = 0;
	spurious = 0;
	gone_count = 0;
	memset(threads, 0, sizeof(threads));
	memset(&fences, 0, sizeof(fences));
	for (unsigned i = 0; i < EXPLORE_THREADS; i++) {
		threads[i].now.clock[i] = 1;
		memset(threads[i].looked, -1, sizeof(threads[i].looked));
		memset(threads[i].read, -1, sizeof(threads[i].read));
	}
}

void memory_gone(const void *base, size_t size)
{
	if (gone_count == sizeof(gone) / sizeof(gone[0]))
		explore_fail("more than %u pieces of memory were released", gone_count);
	gone[gone_count].base = base;
	gone[gone_count++].size = size;
}

static void refuse_gone(const void *p, const struct model_site *site)
{
	for (unsigned i = 0; i < gone_count; i++)
		if ((const unsigned char *)p >= gone[i].base &&
		    (const unsigned char *)p < gone[i].base + gone[i].size)
			explore_fail("%s:%u: %s is used after it was released",
				     site->file ? site->file : "the library", site->line,
				     site->file ? site->text : "memory");
}

/* ---- the memory itself: always the last stores ---- */

static uint64_t peek(const void *p, unsigned size)
{
	uint32_t four;
	uint64_t eight;

	switch (size) {
	case 8:
		memcpy(&eight, p, sizeof(eight));
		return eight;
	case 4:
		memcpy(&four, p, sizeof(four));
		return four;
	default:
		return *(const unsigned char *)p;
	}
}

static void poke(void *p, unsigned size, uint64_t value)
{
	uint32_t four = (uint32_t)value;

	switch (size) {
	case 8:
		memcpy(p, &value, sizeof(value));
		break;
	case 4:
		memcpy(p, &four, sizeof(four));
		break;
	default:
		*(unsigned char *)p = (unsigned char)value;
	}
}

/* The word at @p p, if it is shared; its point has been passed then. */
static struct word *enter(const void *p, const struct model_site *site, bool writes)
{
	struct place *place;
	struct word *w;

	if (!explore_is_on())
		return NULL;
	refuse_gone(p, site);
	place = place_now(p);
	if (!learn(place, writes))
		return NULL;
	virtual_point_at(VIRTUAL_ACCESS, p);
	if (place->word < WORDS) {
		w = &words[place->word];
		if (peek(p, w->size) != w->stores[w->count - 1].value)
			explore_fail("%s:%u: %s was changed by a plain access", site->file,
				     site->line, site->text);
		return w;
	}
	if (word_count == WORDS)
		explore_truncate();
	place->word = word_count++;
	w = &words[place->word];
	w->address = (void *)(uintptr_t)p;
	w->size = site->size;
	w->place = place->number;
	w->count = 1;
	memset(&w->stores[0], 0, sizeof(w->stores[0]));
	w->stores[0].value = peek(p, site->size);
	w->stores[0].site = (struct model_site){ "", "setup", 0, site->size };
	return w;
}

/* ---- sites ---- */

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

static void note_site(const struct model_site *site, unsigned kinds)
{
	size_t i;

	for (i = 0; i < site_count; i++)
		if (sites[i].line == site->line && strcmp(sites[i].file, site->file) == 0)
			break;
	if (i == SITES)
		explore_fail("more than %d sites: raise SITES", SITES);
	if (i == site_count)
		sites[site_count++] = (struct used_site){ .file = site->file, .line = site->line };
	sites[i].kinds |= kinds;
}

/* Whether that access is to be made weaker in that way. */
static bool is_weaker(const struct model_site *site, enum weaker kind)
{
	const struct explore_options *o = explore_options();

	for (size_t i = 0; i < sizeof(o->weak) / sizeof(o->weak[0]); i++)
		if (o->weak[i].kind == kind && o->weak[i].line == site->line &&
		    strcmp(base_name(o->weak[i].file), base_name(site->file)) == 0)
			return true;
	return false;
}

const struct used_site *memory_sites(size_t *count)
{
	*count = site_count;
	return sites;
}

/* The order of an access as it is to be taken. */
static enum model_order order_of(const struct model_site *site, enum model_order order)
{
	unsigned kinds = (order & model_acquire ? 1u << WEAKER_ACQUIRE : 0) |
			 (order & model_release ? 1u << WEAKER_RELEASE : 0);

	if (kinds == 0)
		return order;
	note_site(site, kinds);
	if (is_weaker(site, WEAKER_ACQUIRE))
		order &= ~(unsigned)model_acquire;
	if (is_weaker(site, WEAKER_RELEASE))
		order &= ~(unsigned)model_release;
	return order;
}

/* ---- the trace ---- */

static void trace_line(const struct model_site *site, const char *what)
{
	if (explore_traces())
		(void)fprintf(stderr, "  %-10s %s:%u: %s %s\n", virtual_name(virtual_self()),
			      base_name(site->file), site->line, what, site->text);
}

static void trace_read(const struct model_site *site, const char *what, const struct word *w,
		       unsigned store)
{
	const struct store *s = &w->stores[store];

	if (!explore_traces())
		return;
	(void)fprintf(stderr, "  %-10s %s:%u: %s %s: 0x%llx, which ", virtual_name(virtual_self()),
		      base_name(site->file), site->line, what, site->text,
		      (unsigned long long)s->value);
	if (s->site.line == 0)
		(void)fprintf(stderr, "setup left%s\n", store + 1 == w->count ? "" : " (old)");
	else
		(void)fprintf(stderr, "%s stored at %s:%u%s\n", virtual_name(s->thread),
			      base_name(s->site.file), s->site.line,
			      store + 1 == w->count ? "" : " (old)");
}

static void trace_write(const struct model_site *site, const char *what, const struct word *w)
{
	if (explore_traces())
		(void)fprintf(stderr, "  %-10s %s:%u: %s %s := 0x%llx\n",
			      virtual_name(virtual_self()), base_name(site->file), site->line, what,
			      site->text, (unsigned long long)w->stores[w->count - 1].value);
}

/* ---- atomic accesses ---- */

/* The thread reads that store. */
static void take(struct word *w, unsigned store, enum model_order order)
{
	struct thread *t = self();
	size_t i = (size_t)(w - words);

	if (t->now.at[i] < store)
		t->now.at[i] = (uint16_t)store;
	join(order & model_acquire ? &t->now : &t->pending, &w->stores[store].view);
	t->read[i] = (int)store;
	if (t->looked[i] < 0)
		t->looked[i] = (int)store;
}

/* The thread appends a store; @p read: the one that it replaces in one step, or NULL. */
static void append(struct word *w, uint64_t value, enum model_order order, const struct store *read,
		   const struct model_site *site)
{
	struct thread *t = self();
	size_t i = (size_t)(w - words);
	struct store *s = &w->stores[w->count];

	if (w->count == HISTORY)
		explore_truncate();
	/* its own store is no news to it, if it had seen all before that */
	if (t->looked[i] + 1 == (int)w->count)
		t->looked[i]++;
	t->now.at[i] = (uint16_t)w->count++;
	s->value = value;
	s->thread = virtual_self();
	s->site = *site;
	s->view = order & model_release ? t->now : t->fenced;
	s->view.at[i] = t->now.at[i];
	if (read) /* the release sequence goes on */
		join(&s->view, &read->view);
	if (read && order == model_acq_rel)
		t->kept = t->now;
	poke(w->address, w->size, value);
	tick(t);
}

/*
 * Which store the thread reads: the last, an old one at a price, or the old one that it read before,
 * a few times more, for nothing.
 */
static unsigned choose_store(const struct word *w)
{
	struct thread *t = self();
	size_t i = (size_t)(w - words);
	unsigned last = w->count - 1, oldest = t->now.at[i], ways, store;
	bool again = t->read[i] >= (int)oldest && t->read[i] < (int)last &&
		     t->repeated[i] < REPEATS;

	ways = explore_may_be_stale() ? w->count - oldest : again ? 2 : 1;
	store = last - explore_choose(ways);
	if (ways == 2 && store != last && again)
		store = (unsigned)t->read[i];
	if (store == last)
		return store;
	if (again && store == (unsigned)t->read[i])
		t->repeated[i]++;
	else
		explore_is_stale();
	return store;
}

uint64_t model_load(const void *p, struct model_site site, enum model_order order)
{
	struct word *w = enter(p, &site, false);
	unsigned store;

	if (!w)
		return peek(p, site.size);
	order = order_of(&site, order);
	store = choose_store(w);
	take(w, store, order);
	explore_event(1, w->place, store);
	trace_read(&site, order & model_acquire ? "load acquire" : "load", w, store);
	return w->stores[store].value;
}

void model_store(void *p, struct model_site site, uint64_t value, enum model_order order)
{
	struct word *w = enter(p, &site, true);

	if (!w) {
		poke(p, site.size, value);
		return;
	}
	order = order_of(&site, order);
	append(w, value, order, NULL, &site);
	explore_event(2, w->place, w->count);
	trace_write(&site, order & model_release ? "store release" : "store", w);
}

static uint64_t changed(uint64_t old, enum model_change change, uint64_t value)
{
	switch (change) {
	case MODEL_ADD:
		return old + value;
	case MODEL_OR:
		return old | value;
	case MODEL_AND:
		return old & value;
	default:
		return value;
	}
}

uint64_t model_change(void *p, struct model_site site, enum model_change change, uint64_t value,
		      enum model_order order)
{
	struct word *w = enter(p, &site, true);
	const struct store *last;

	if (!w) {
		uint64_t old = peek(p, site.size);

		poke(p, site.size, changed(old, change, value));
		return old;
	}
	order = order_of(&site, order);
	last = &w->stores[w->count - 1];
	trace_read(&site, "exchange", w, w->count - 1);
	take(w, w->count - 1, order);
	append(w, changed(last->value, change, value), order, last, &site);
	explore_event(3, w->place, w->count);
	trace_write(&site, "exchange", w);
	return last->value;
}

/*
 * What a compare and swap may come to: @p which of the stores from the last backwards it reads that
 * are not what it expects, or success; for no reason a failure. False if there is no such.
 */
struct outcome {
	unsigned store;
	bool success;
};

static unsigned list_outcomes(const struct word *w, uint64_t expected,
			      struct outcome outcomes[HISTORY + 1])
{
	unsigned last = w->count - 1, count = 0;

	if (w->stores[last].value == expected) {
		outcomes[count++] = (struct outcome){ .store = last, .success = true };
		if (spurious < explore_options()->spurious)
			outcomes[count++] = (struct outcome){ .store = last };
	} else {
		outcomes[count++] = (struct outcome){ .store = last };
	}
	for (unsigned i = last; explore_may_be_stale() && i-- > self()->now.at[w - words];)
		if (w->stores[i].value != expected)
			outcomes[count++] = (struct outcome){ .store = i };
	return count;
}

bool model_cas(void *p, struct model_site site, void *expected, uint64_t value,
	       enum model_order success, enum model_order failure)
{
	struct word *w = enter(p, &site, true);
	uint64_t expects = peek(expected, site.size), found;
	struct outcome outcomes[HISTORY + 1], *o;

	if (!w) {
		found = peek(p, site.size);
		poke(found == expects ? p : expected, site.size, found == expects ? value : found);
		return found == expects;
	}
	if (failure == model_acquire) {
		note_site(&site, 1u << WEAKER_FAILURE);
		if (is_weaker(&site, WEAKER_FAILURE) || is_weaker(&site, WEAKER_ACQUIRE))
			failure = model_relaxed;
	}
	success = order_of(&site, success);
	o = &outcomes[explore_choose(list_outcomes(w, expects, outcomes))];
	if (o->store + 1 != w->count)
		explore_is_stale();
	found = w->stores[o->store].value;
	trace_read(&site, o->success ? "swap" : "failed swap", w, o->store);
	take(w, o->store, o->success ? success : failure);
	if (o->success) {
		append(w, value, success, &w->stores[o->store], &site);
		explore_event(4, w->place, w->count);
		trace_write(&site, "swap", w);
		return true;
	}
	spurious += found == expects;
	poke(expected, site.size, found);
	explore_event(5, w->place, o->store);
	return false;
}

/* ---- fences ---- */

/* A number for what a view says of the words, the same in each execution. */
static uint64_t number_of(const struct view *v)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < word_count; i++)
		if (v->at[i] != 0)
			sum += explore_mix((uint64_t)words[i].place << 32 | v->at[i]);
	return sum;
}

uint64_t memory_number_of_fences(void)
{
	return number_of(&fences);
}

static void fence(struct thread *t, enum model_order order)
{
	if (order & model_acquire)
		join(&t->now, &t->pending);
	if (order == model_seq_cst) {
		join_words(&t->now, &fences);
		join_words(&fences, &t->now);
		t->kept = t->now;
		explore_event_of((unsigned)(t - threads), 6, 0, number_of(&t->now));
	}
	if (order & model_release)
		t->fenced = t->now;
	tick(t);
}

void model_fence(struct model_site site, enum model_order order)
{
	unsigned kinds = order == model_seq_cst ? 1u << WEAKER_FENCE | 1u << WEAKER_GONE
						: 1u << WEAKER_GONE;

	if (!explore_is_on())
		return;
	note_site(&site, kinds);
	if (is_weaker(&site, WEAKER_GONE))
		return;
	if (is_weaker(&site, WEAKER_FENCE))
		order = model_acq_rel;
	if (order == model_seq_cst)
		virtual_point(VIRTUAL_ACCESS);
	fence(self(), order);
	trace_line(&site, order == model_seq_cst ? "seq_cst" : "acquire or release");
}

static void keep(void)
{
	self()->kept = self()->now;
	explore_event(13, 0, 0);
}

/* The running thread ends: all that it has done is done; until now the last of it might not be. */
void memory_end(void)
{
	if (explore_options()->rung == DISRUPTOR_RUNG_MEMBARRIER &&
	    number_of(&self()->kept) != number_of(&self()->now))
		virtual_point(VIRTUAL_ACCESS);
	keep();
}

void model_compiler_fence(struct model_site site)
{
	if (!explore_is_on())
		return;
	note_site(&site, 1u << WEAKER_GONE);
	if (is_weaker(&site, WEAKER_GONE))
		return;
	keep();
	trace_line(&site, "compiler");
}

/*
 * A thread is interrupted by another's membarrier(2): a fence, but somewhere in the program as it
 * was compiled. There a store may have come to stand behind a load that follows it here, unless a
 * compiler fence is between the two: so a store that none has followed yet may be behind it.
 */
static void interrupt(unsigned thread)
{
	struct thread *t = &threads[thread];

	join_words(&t->now, &fences);
	join_words(&fences, &t->kept);
	explore_event_of(thread, 14, number_of(&t->kept), number_of(&t->now));
}

/*
 * membarrier(2): a fence here, then one on each other thread, each at some time before the call
 * returns, and one here. In between others may run: then the order of the interrupts matters.
 */
void memory_barrier(void)
{
	static const struct model_site site = { "membarrier", "membarrier", 0, 0 };
	unsigned me = virtual_self(), count = virtual_count() - 1, first;

	if (!explore_is_on())
		return;
	note_site(&site, 1u << WEAKER_GONE);
	if (is_weaker(&site, WEAKER_GONE))
		return;
	fence(&threads[me], model_seq_cst);
	first = count > 2 ? explore_choose_preemption(count + 1) : 0;
	if (first != 0 && first != me) {
		interrupt(first);
		virtual_point(VIRTUAL_HOOK);
	}
	for (unsigned other = 1; other <= count; other++)
		if (other != me && other != first)
			interrupt(other);
	fence(&threads[me], model_seq_cst);
	trace_line(&site, "");
}

/* ---- locks, and sleeping on a word ---- */

void memory_release(const void *object)
{
	if (!explore_is_on())
		return;
	place_now(object)->view = self()->now;
	tick(self());
}

void memory_acquire(const void *object)
{
	struct place *p;

	if (!explore_is_on())
		return;
	p = place_now(object);
	join(&self()->now, &p->view);
	explore_event(7, p->number, ++p->taken);
}

void memory_turn(const void *object)
{
	struct place *p = place_now(object);

	explore_event(12, p->number, ++p->taken);
}

uint32_t memory_load_now(const void *word)
{
	struct place *p;

	if (!explore_is_on())
		return (uint32_t)peek(word, sizeof(uint32_t));
	p = place_now(word);
	explore_event(8, p->number, p->word < WORDS ? words[p->word].count : 0);
	if (explore_traces())
		(void)fprintf(stderr, "  %-10s sleeps if the epoch has not changed\n",
			      virtual_name(virtual_self()));
	return (uint32_t)peek(word, sizeof(uint32_t));
}

/* ---- looking in a loop ---- */

void memory_looked(void)
{
	self()->looks = true;
	explore_event(9, 0, 0);
}

bool memory_has_news(unsigned thread)
{
	const struct thread *t = &threads[thread];

	if (!t->looks)
		return true;
	for (unsigned i = 0; i < word_count; i++)
		if (t->looked[i] >= 0 && (unsigned)t->looked[i] + 1 < words[i].count)
			return true;
	return false;
}

/* What has been stored when it looks again comes to it sooner or later: at once. */
void memory_take_news(unsigned thread)
{
	struct thread *t = &threads[thread];

	if (!t->looks)
		return;
	t->looks = false;
	for (unsigned i = 0; i < word_count; i++) {
		if (t->looked[i] >= 0) {
			t->now.at[i] = (uint16_t)(words[i].count - 1);
			explore_event_of(thread, 11, words[i].place, words[i].count);
		}
		t->looked[i] = -1;
	}
}

/* ---- plain accesses ---- */

extern const char __executable_start[];

/* Where an access stands: of the library's plain ones only the address is known. */
static void tell(const struct model_site *site, char text[160])
{
	if (site->file)
		(void)snprintf(text, 160, "%s:%u (%s)", base_name(site->file), site->line,
			       site->text);
	else
		(void)snprintf(text, 160, "0x%zx (addr2line -e model)",
			       (size_t)(site->text - __executable_start) - 1);
}

static _Noreturn void fail_race(const char *what, const struct model_site *site, unsigned other,
				const char *did, const struct model_site *there)
{
	char here[160], elsewhere[160];

	tell(site, here);
	tell(there, elsewhere);
	explore_fail("data race: %s %s at %s, and %s %s it at %s", virtual_name(virtual_self()),
		     what, here, virtual_name(other), did, elsewhere);
}

static void check_written(const struct place *p, const char *what, const struct model_site *site)
{
	if (p->written != 0 && p->written > self()->now.clock[p->written_by])
		fail_race(what, site, p->written_by, "wrote", &p->wrote);
}

static void check_plain(const void *p, bool writes, const struct model_site *site)
{
	unsigned me = virtual_self();
	struct place *place;

	refuse_gone(p, site);
	place = place_now(p);
	check_written(place, writes ? "writes" : "reads", site);
	if (!writes) {
		place->read[me] = self()->now.clock[me];
		place->reads[me] = *site;
		return;
	}
	for (unsigned i = 0; i < EXPLORE_THREADS; i++)
		if (place->read[i] > self()->now.clock[i])
			fail_race("writes", site, i, "read", &place->reads[i]);
	place->written_by = me;
	place->written = self()->now.clock[me];
	place->wrote = *site;
}

void model_reads(const void *p, size_t size, const char *text, const char *file, unsigned line)
{
	struct model_site site = { text, file, line, (unsigned)size };

	if (!explore_is_on())
		return;
	check_plain(p, false, &site);
	trace_line(&site, "reads");
}

void model_writes(const void *p, size_t size, const char *text, const char *file, unsigned line)
{
	struct model_site site = { text, file, line, (unsigned)size };

	if (!explore_is_on())
		return;
	check_plain(p, true, &site);
	trace_line(&site, "writes");
}

void memory_plain(const void *p, bool writes, const void *caller)
{
	check_plain(p, writes, &(struct model_site){ .text = caller });
}
