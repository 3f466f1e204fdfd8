/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The graph that the pattern is known for: each command is journalled and replicated, side by
 * side, and only then does the business logic act on it. If the machine is lost, the journal or
 * the replica knows of everything that the logic has ever done.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>

enum { ACCOUNTS = 4, COMMANDS = 1000 };

struct transfer {
	uint32_t from;
	uint32_t to;
	int64_t amount;
};

DISRUPTOR_EVENT(transfer, struct transfer,
	DISRUPTOR_U32(struct transfer, from),
	DISRUPTOR_U32(struct transfer, to),
	DISRUPTOR_I64(struct transfer, amount));

struct bank {
	int64_t balance[ACCOUNTS];
	uint64_t refused;
};

struct classic {
	struct disruptor_stage *journal, *replicate;
	struct transfer log[COMMANDS]; /* a real one is a file */
	uint64_t logged;               /* entries that were synced */
	struct bank replica;           /* a real one is on another machine */
	struct bank bank;
	uint64_t early; /* commands that the logic saw before they were safe */
};

static struct classic classic;

static void apply(struct bank *bank, const struct transfer *t)
{
	if (bank->balance[t->from] < t->amount) {
		bank->refused++;
		return;
	}
	bank->balance[t->from] -= t->amount;
	bank->balance[t->to] += t->amount;
}

/* Write each, sync once a batch: the more there is to do, the less each costs. */
static int on_journal(void *context, void *event, uint64_t position, int last)
{
	struct classic *c = context;

	c->log[position] = *(const struct transfer *)event;
	if (last)
		c->logged = position + 1; /* fdatasync(2) */
	return DISRUPTOR_CONTINUE;
}

/* The replica does the same to the same commands in the same order, so it is the same. */
static int on_replicate(void *context, void *event, uint64_t position, int last)
{
	struct classic *c = context;

	(void)position, (void)last;
	apply(&c->replica, event);
	return DISRUPTOR_CONTINUE;
}

static int on_logic(void *context, void *event, uint64_t position, int last)
{
	struct classic *c = context;

	(void)last;
	if (disruptor_stage_position(c->journal) <= position ||
	    disruptor_stage_position(c->replicate) <= position)
		c->early++;
	apply(&c->bank, event);
	return DISRUPTOR_CONTINUE;
}

static struct disruptor_stage *stage(struct disruptor *d, const char *name,
				     int (*on_event)(void *, void *, uint64_t, int))
{
	struct disruptor_handler h = {
		.size = sizeof(h), .name = name, .context = &classic, .reads = "*"
	};

	h.on_event = on_event;
	return disruptor_stage(d, &h);
}

static int publish(struct transfer_producer *p)
{
	for (uint32_t i = 0; i < COMMANDS; i++) {
		struct transfer *t = transfer_claim(p);

		if (!t)
			return transfer_status(p);
		*t = (struct transfer){ .from = i % ACCOUNTS,
					.to = i / 7 % ACCOUNTS,
					.amount = i * 37 % 101 };
		transfer_publish(p);
	}
	return 0;
}

static void report(const char *who, const struct bank *bank)
{
	printf("%s:", who);
	for (int i = 0; i < ACCOUNTS; i++)
		printf(" %lld", (long long)bank->balance[i]);
	printf(", %llu refused\n", (unsigned long long)bank->refused);
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 64 };
	struct bank replayed = { .refused = 0 };
	struct transfer_producer producer;
	struct disruptor_stage *logic;
	struct disruptor *d;

	for (int i = 0; i < ACCOUNTS; i++)
		classic.bank.balance[i] = classic.replica.balance[i] = replayed.balance[i] = 60;
	if (disruptor_create(&d, &transfer_type, &options) != 0)
		goto fail;
	classic.journal = stage(d, "journal", on_journal);
	classic.replicate = stage(d, "replicate", on_replicate);
	logic = stage(d, "logic", on_logic);
	if (disruptor_after(logic, classic.journal) != 0 ||
	    disruptor_after(logic, classic.replicate) != 0 || disruptor_start(d) != 0 ||
	    transfer_producer_open(&producer, disruptor_ring(d), NULL) != 0 ||
	    publish(&producer) != 0 || disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER) != 0)
		goto fail;
	report("logic  ", &classic.bank);
	report("replica", &classic.replica);
	for (uint64_t i = 0; i < classic.logged; i++)
		apply(&replayed, &classic.log[i]);
	report("journal", &replayed);
	printf("%llu in the journal, %llu acted on before they were safe\n",
	       (unsigned long long)classic.logged, (unsigned long long)classic.early);
	transfer_producer_close(&producer);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
fail:
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return 1;
}
