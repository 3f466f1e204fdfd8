/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SIMULATE_MODEL_H
#define SIMULATE_MODEL_H

/*
 * The sequential reference model: what every position is, who has seen it, and what follows from
 * that. It knows nothing of how a ring finds these things out. All threads of a run are on one
 * thread of the machine and switch only inside the library, so the model is told of each call as
 * it begins and as it returns, and is never itself interrupted.
 *
 * A call takes effect somewhere between the two. So where the real ring may be ahead or behind,
 * the model knows a bound: what is being published may be seen, what is published must be.
 */

#include <disruptor/disruptor.h>

#include <stdbool.h>
#include <stdint.h>

#define MODEL_POSITIONS 512
#define MODEL_FOLLOWERS 16
#define MODEL_MARKS MODEL_FOLLOWERS

/* The event: each node leaves its mark, which those behind it look for. */
struct item {
	uint64_t value;
	uint64_t marks[MODEL_MARKS];
};

extern const struct disruptor_type item_type;

enum what { FREE, CLAIMED, PUBLISHING, PUBLISHED, VOIDING, VOIDED };

struct position {
	enum what what;
	uint64_t value;
};

/* Somebody who sees every event: a node or a view. */
struct follower {
	bool used;
	bool gates;    /* producers may not lap it */
	bool pooled;   /* several see for it, not in order */
	bool begun;    /* where it begins is known */
	bool told_end; /* it was told that nothing comes any more */
	bool running;  /* its handler may be called */
	char name[24];
	unsigned ups;        /* a bit for each follower that has to be done first */
	uint64_t low, high;  /* where it may begin */
	uint64_t expected;   /* it has seen what lies before it */
	uint64_t released;   /* before it all may have been released; of views and deferred nodes */
	uint64_t floor;      /* before it all is done */
	uint64_t batch_from; /* nothing behind it has been released */
	bool explicit_release;
	bool takes;  /* it is in a call that takes, and releases, one event */
	bool leaves; /* it is in a call that detaches it */
	bool done[MODEL_POSITIONS];
	bool again[MODEL_POSITIONS];    /* it may come once more */
	bool left_out[MODEL_POSITIONS]; /* it may be passed over */
	uint64_t handled;               /* events */
};

struct model {
	uint64_t capacity, claimed; /* the highest end of a claim */
	bool free_run;
	bool closing, closed, failing;
	bool opening;      /* it is being opened again: claims may still be refused */
	uint64_t openings; /* times it was opened again */
	uint64_t published, voids;
	struct position at[MODEL_POSITIONS];
	struct follower followers[MODEL_FOLLOWERS];
	unsigned in_claim;  /* producers that are claiming at this moment */
	unsigned attaching; /* who is joining at this moment */
	uint64_t attaches;  /* who has begun to join */
};

extern struct model model;

void model_reset(uint64_t capacity, bool free_run);

/* ---- producers ---- */

/* What was so when a claim began. */
struct claim_began {
	bool closed, opening;
	uint64_t openings;
};

struct claim_began model_claim_begins(void);
/* It returned [first, first + n), or, n = 0, nothing. */
void model_claimed(const struct claim_began *b, uint64_t first, uint64_t n);
/* The slot's event is filled: a fresh value. */
void model_fill(struct item *item, uint64_t position, uint64_t value);
void model_publish_begins(uint64_t first, uint64_t n);
void model_published(uint64_t first, uint64_t n);
void model_void_begins(uint64_t first, uint64_t n);
void model_voided(uint64_t first, uint64_t n);
/* The positions will be claimed again. */
void model_taken_back(uint64_t first, uint64_t n);

/* ---- followers ---- */

struct follower *model_follow(const char *name, unsigned ups);
unsigned model_bit(const struct follower *f);
/* It is about to join: it will not begin before what is unpublished now. */
void model_attach_begins(struct follower *f, enum disruptor_at at);
/* It has joined; @p position is where, if it is known. */
void model_attached(struct follower *f, uint64_t position, bool known);
void model_detach_begins(struct follower *f);
void model_detached(struct follower *f);

/* It is handed an event. */
void model_seen(struct follower *f, uint64_t position, const struct item *item);
/* The event is still what it was. */
void model_unchanged(const struct follower *f, uint64_t position, const struct item *item);
/* It is done with it. */
void model_done(struct follower *f, uint64_t position);
/* The event will come again, or need not come. */
void model_again(struct follower *f, uint64_t position);
void model_leave_out(struct follower *f, uint64_t position);
/* It will see [from, to] again, and has released nothing of it. */
void model_rewound(struct follower *f, uint64_t from, uint64_t to);
/* It releases everything before @p position. */
void model_releases(struct follower *f, uint64_t position);
/* It is told that nothing comes any more. */
void model_told_end(struct follower *f);
/* All that is published must have been seen. */
void model_saw_all(const struct follower *f);
bool model_is_void(uint64_t position);
/* It may have released what lies before that, and no more. */
uint64_t model_furthest_released(struct follower *f);

#endif
