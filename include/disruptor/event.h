/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_EVENT_H
#define DISRUPTOR_EVENT_H

/**
 * @file disruptor/event.h
 * What an event is: a schema made from the user's struct, and typed handles.
 *
 *	struct tick { int64_t price; int64_t quantity; uint64_t time_ns; };
 *
 *	DISRUPTOR_EVENT(tick, struct tick,
 *		DISRUPTOR_I64(struct tick, price),
 *		DISRUPTOR_I64(struct tick, quantity),
 *		DISRUPTOR_TIME(struct tick, time_ns));
 *
 * makes `tick_type`, `struct tick_producer`, `struct tick_consumer`, `struct
 * tick_reader` and their functions: tick_claim(), tick_publish(), tick_ready(),
 * tick_at(), … Handing one event's handle to another's function does not compile.
 */

#include <disruptor/consumer.h>
#include <disruptor/producer.h>
#include <disruptor/reader.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the bytes of a field are. */
enum disruptor_kind {
	DISRUPTOR_KIND_BYTES = 0, /**< opaque */
	DISRUPTOR_KIND_SIGNED = 1,
	DISRUPTOR_KIND_UNSIGNED = 2,
	DISRUPTOR_KIND_FLOAT = 3,
	DISRUPTOR_KIND_BOOL = 4,
	DISRUPTOR_KIND_TEXT = 5, /**< characters, up to the first NUL */
	DISRUPTOR_KIND_TIME = 6  /**< unsigned nanoseconds */
};

/** One field: an element, or an array of them. */
struct disruptor_field {
	const char *name;
	uint32_t offset; /**< bytes from the start of the event */
	uint32_t size;   /**< bytes of the whole field */
	uint32_t width;  /**< bytes of one element */
	enum disruptor_kind kind;
};

/** An event's type: compared when a view is opened. */
struct disruptor_type {
	const char *name;
	uint32_t size;  /**< sizeof the event */
	uint32_t align; /**< its alignment: a power of two, at most DISRUPTOR_MAX_ALIGN */
	const struct disruptor_field *fields;
	uint32_t field_count;
	uint32_t reserved; /**< zero */
};

/** Whether two types are the same: name, size, alignment, and every field. Threads: any. */
DISRUPTOR_API int disruptor_type_equal(const struct disruptor_type *a,
				       const struct disruptor_type *b);

/** The size of a member, refused by the compiler unless it is a multiple of @p width. */
#define DISRUPTOR_SIZEOF(T, member, width)                                                         \
	((uint32_t)(sizeof(((T *)0)->member) - 1 +                                                 \
		    sizeof(char[sizeof(((T *)0)->member) % (width) == 0 ? 1 : -1])))
#define DISRUPTOR_FIELD(T, member, width, kind)                                                    \
	{                                                                                          \
#member, (uint32_t)offsetof(T, member), DISRUPTOR_SIZEOF(T, member, width),        \
			(width), (kind)                                                            \
	}
#define DISRUPTOR_I8(T, member) DISRUPTOR_FIELD(T, member, 1, DISRUPTOR_KIND_SIGNED)
#define DISRUPTOR_I16(T, member) DISRUPTOR_FIELD(T, member, 2, DISRUPTOR_KIND_SIGNED)
#define DISRUPTOR_I32(T, member) DISRUPTOR_FIELD(T, member, 4, DISRUPTOR_KIND_SIGNED)
#define DISRUPTOR_I64(T, member) DISRUPTOR_FIELD(T, member, 8, DISRUPTOR_KIND_SIGNED)
#define DISRUPTOR_U8(T, member) DISRUPTOR_FIELD(T, member, 1, DISRUPTOR_KIND_UNSIGNED)
#define DISRUPTOR_U16(T, member) DISRUPTOR_FIELD(T, member, 2, DISRUPTOR_KIND_UNSIGNED)
#define DISRUPTOR_U32(T, member) DISRUPTOR_FIELD(T, member, 4, DISRUPTOR_KIND_UNSIGNED)
#define DISRUPTOR_U64(T, member) DISRUPTOR_FIELD(T, member, 8, DISRUPTOR_KIND_UNSIGNED)
#define DISRUPTOR_F32(T, member) DISRUPTOR_FIELD(T, member, 4, DISRUPTOR_KIND_FLOAT)
#define DISRUPTOR_F64(T, member) DISRUPTOR_FIELD(T, member, 8, DISRUPTOR_KIND_FLOAT)
#define DISRUPTOR_BOOL(T, member) DISRUPTOR_FIELD(T, member, 1, DISRUPTOR_KIND_BOOL)
#define DISRUPTOR_TEXT(T, member) DISRUPTOR_FIELD(T, member, 1, DISRUPTOR_KIND_TEXT)
#define DISRUPTOR_BYTES(T, member) DISRUPTOR_FIELD(T, member, 1, DISRUPTOR_KIND_BYTES)
#define DISRUPTOR_TIME(T, member) DISRUPTOR_FIELD(T, member, 8, DISRUPTOR_KIND_TIME)

/**
 * Make the schema NAME_type and the typed handles of events of struct type T,
 * whose fields follow, at least one. At file scope.
 */
#define DISRUPTOR_EVENT(NAME, T, ...)                                                              \
	static const struct disruptor_field NAME##_fields[] = { __VA_ARGS__ };                     \
	static const struct disruptor_type NAME##_type DISRUPTOR_UNUSED = {                        \
		#NAME,                                                                             \
		(uint32_t)sizeof(T),                                                               \
		(uint32_t)DISRUPTOR_ALIGNOF(T),                                                    \
		NAME##_fields,                                                                     \
		(uint32_t)(sizeof(NAME##_fields) / sizeof(NAME##_fields[0])),                      \
		0                                                                                  \
	};                                                                                         \
	struct NAME##_producer {                                                                   \
		struct disruptor_producer view;                                                    \
	};                                                                                         \
	struct NAME##_consumer {                                                                   \
		struct disruptor_consumer view;                                                    \
	};                                                                                         \
	DISRUPTOR_INLINE int NAME##_producer_open(                                                 \
		struct NAME##_producer *p, struct disruptor_ring *ring,                            \
		const struct disruptor_producer_options *options)                                  \
	{                                                                                          \
		return disruptor_producer_open(&p->view, ring, &NAME##_type, options);             \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_producer_close(struct NAME##_producer *p)                      \
	{                                                                                          \
		return disruptor_producer_close(&p->view);                                         \
	}                                                                                          \
	DISRUPTOR_INLINE T *NAME##_claim(struct NAME##_producer *p)                                \
	{                                                                                          \
		return (T *)disruptor_claim(&p->view);                                             \
	}                                                                                          \
	DISRUPTOR_INLINE T *NAME##_claim_n(struct NAME##_producer *p, uint64_t n)                  \
	{                                                                                          \
		return (T *)disruptor_claim_n(&p->view, n);                                        \
	}                                                                                          \
	DISRUPTOR_INLINE uint64_t NAME##_claim_up_to(struct NAME##_producer *p, uint64_t n)        \
	{                                                                                          \
		return disruptor_claim_up_to(&p->view, n);                                         \
	}                                                                                          \
	DISRUPTOR_INLINE T *NAME##_try_claim(struct NAME##_producer *p)                            \
	{                                                                                          \
		return (T *)disruptor_try_claim(&p->view);                                         \
	}                                                                                          \
	DISRUPTOR_INLINE T *NAME##_claim_until(struct NAME##_producer *p, uint64_t deadline)       \
	{                                                                                          \
		return (T *)disruptor_claim_until(&p->view, 1, deadline);                          \
	}                                                                                          \
	DISRUPTOR_INLINE T *NAME##_claimed_at(struct NAME##_producer *p, uint64_t i)               \
	{                                                                                          \
		return (T *)disruptor_claimed_at(&p->view, i);                                     \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_publish(struct NAME##_producer *p)                             \
	{                                                                                          \
		return disruptor_publish(&p->view);                                                \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_publish_n(struct NAME##_producer *p, uint64_t n)               \
	{                                                                                          \
		return disruptor_publish_n(&p->view, n);                                           \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_publish_copy(struct NAME##_producer *p, const T *events,       \
						 uint64_t n)                                       \
	{                                                                                          \
		return disruptor_publish_copy(&p->view, events, n);                                \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_abort(struct NAME##_producer *p)                               \
	{                                                                                          \
		return disruptor_abort(&p->view);                                                  \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_status(const struct NAME##_producer *p)                        \
	{                                                                                          \
		return disruptor_producer_status(&p->view);                                        \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_consumer_open(                                                 \
		struct NAME##_consumer *c, struct disruptor_ring *ring,                            \
		const struct disruptor_consumer_options *options)                                  \
	{                                                                                          \
		return disruptor_consumer_open(&c->view, ring, &NAME##_type, options);             \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_consumer_close(struct NAME##_consumer *c)                      \
	{                                                                                          \
		return disruptor_consumer_close(&c->view);                                         \
	}                                                                                          \
	DISRUPTOR_INLINE uint64_t NAME##_ready(struct NAME##_consumer *c)                          \
	{                                                                                          \
		return disruptor_ready(&c->view);                                                  \
	}                                                                                          \
	DISRUPTOR_INLINE int64_t NAME##_ready_until(struct NAME##_consumer *c, uint64_t deadline)  \
	{                                                                                          \
		return disruptor_ready_until(&c->view, deadline);                                  \
	}                                                                                          \
	DISRUPTOR_INLINE T *NAME##_at(const struct NAME##_consumer *c, uint64_t i)                 \
	{                                                                                          \
		return (T *)disruptor_at(&c->view, i);                                             \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_release(struct NAME##_consumer *c, uint64_t n)                 \
	{                                                                                          \
		return disruptor_release(&c->view, n);                                             \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_take(struct NAME##_consumer *c, T *event)                      \
	{                                                                                          \
		return disruptor_take(&c->view, event);                                            \
	}                                                                                          \
	struct NAME##_reader {                                                                     \
		struct disruptor_reader view;                                                      \
	};                                                                                         \
	DISRUPTOR_INLINE int NAME##_reader_open(struct NAME##_reader *r,                           \
						struct disruptor_ring *ring,                       \
						const struct disruptor_reader_options *options)    \
	{                                                                                          \
		return disruptor_reader_open(&r->view, ring, &NAME##_type, options);               \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_reader_close(struct NAME##_reader *r)                          \
	{                                                                                          \
		return disruptor_reader_close(&r->view);                                           \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_reader_next(struct NAME##_reader *r, T *event)                 \
	{                                                                                          \
		return disruptor_reader_next(&r->view, event);                                     \
	}                                                                                          \
	DISRUPTOR_INLINE int NAME##_reader_next_until(struct NAME##_reader *r, T *event,           \
						      uint64_t deadline)                           \
	{                                                                                          \
		return disruptor_reader_next_until(&r->view, event, deadline);                     \
	}                                                                                          \
	DISRUPTOR_STATIC_ASSERT(DISRUPTOR_ALIGNOF(T) <= DISRUPTOR_MAX_ALIGN,                       \
				#T " is aligned to more than a page")

#ifdef __cplusplus
}
#endif
#endif
