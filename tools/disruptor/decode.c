/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Events by their schema, as text or as JSON. */
#define _POSIX_C_SOURCE 200809L /* strnlen */

#include "decode.h"
#include "escape.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* An element of a field: a number, if its kind and width are those of one. */
struct value {
	enum { NUMBER_SIGNED, NUMBER_UNSIGNED, NUMBER_FLOAT, TRUTH, BYTES } is;
	int64_t i;
	uint64_t u;
	double f;
};

static uint64_t load(const unsigned char *at, uint32_t width)
{
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (width) {
	case 1:
		return at[0];
	case 2:
		memcpy(&u16, at, sizeof(u16));
		return u16;
	case 4:
		memcpy(&u32, at, sizeof(u32));
		return u32;
	default:
		memcpy(&u64, at, sizeof(u64));
		return u64;
	}
}

static double load_float(const unsigned char *at, uint32_t width)
{
	double d;
	float f;

	if (width == sizeof(d)) {
		memcpy(&d, at, sizeof(d));
		return d;
	}
	memcpy(&f, at, sizeof(f));
	return f;
}

static struct value value_of(enum disruptor_kind kind, const unsigned char *at, uint32_t width)
{
	bool word = width == 1 || width == 2 || width == 4 || width == 8;
	struct value v = { .is = BYTES };

	if (kind == DISRUPTOR_KIND_FLOAT && (width == 4 || width == 8)) {
		v.is = NUMBER_FLOAT;
		v.f = load_float(at, width);
		return v;
	}
	if (!word || kind == DISRUPTOR_KIND_BYTES || kind == DISRUPTOR_KIND_TEXT)
		return v;
	v.u = load(at, width);
	/* by its sign bit: at the width of the element */
	v.i = (int64_t)(v.u << (64 - 8 * width)) >> (64 - 8 * width);
	v.is = kind == DISRUPTOR_KIND_SIGNED ? NUMBER_SIGNED
	       : kind == DISRUPTOR_KIND_BOOL ? TRUTH
					     : NUMBER_UNSIGNED;
	return v;
}

static void write_hex(FILE *out, const unsigned char *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		fprintf(out, "%02x", at[i]);
}

static void write_value(FILE *out, const struct value *v, const unsigned char *at, uint32_t width)
{
	switch (v->is) {
	case NUMBER_SIGNED:
		fprintf(out, "%" PRId64, v->i);
		break;
	case NUMBER_UNSIGNED:
		fprintf(out, "%" PRIu64, v->u);
		break;
	case NUMBER_FLOAT:
		fprintf(out, width == 8 ? "%.17g" : "%.9g", v->f);
		break;
	case TRUTH:
		(void)fputs(v->u ? "true" : "false", out);
		break;
	default:
		write_hex(out, at, width);
	}
}

static void write_field(FILE *out, const struct disruptor_field *f, const unsigned char *at)
{
	uint32_t count = f->size / f->width;

	if (f->kind == DISRUPTOR_KIND_TEXT) {
		(void)fputc('"', out);
		escape_write(out, (const char *)at, strnlen((const char *)at, f->size));
		(void)fputc('"', out);
		return;
	}
	if (f->kind == DISRUPTOR_KIND_BYTES) {
		write_hex(out, at, f->size);
		return;
	}
	if (count != 1)
		(void)fputc('[', out);
	for (uint32_t i = 0; i < count; i++) {
		const unsigned char *element = at + (size_t)i * f->width;
		const struct value v = value_of(f->kind, element, f->width);

		if (i != 0)
			(void)fputc(',', out);
		write_value(out, &v, element, f->width);
	}
	if (count != 1)
		(void)fputc(']', out);
}

void decode_text(FILE *out, const struct disruptor_type *type, const void *event)
{
	const unsigned char *at = event;

	if (type->field_count == 0)
		write_hex(out, at, type->size);
	for (uint32_t i = 0; i < type->field_count; i++) {
		const struct disruptor_field *f = &type->fields[i];

		if (i != 0)
			(void)fputc(' ', out);
		escape_write(out, f->name, strlen(f->name));
		(void)fputc('=', out);
		write_field(out, f, at + f->offset);
	}
}

/* ---- JSON ---- */

static json_t *hex(const unsigned char *at, size_t bytes)
{
	char *digits = malloc(2 * bytes + 1);
	json_t *string;

	if (!digits)
		return NULL;
	for (size_t i = 0; i < bytes; i++)
		(void)snprintf(digits + 2 * i, 3, "%02x", at[i]);
	digits[2 * bytes] = '\0';
	string = json_string(digits);
	free(digits);
	return string;
}

json_t *decode_number(uint64_t number)
{
	/* JSON has no limit, but its writer has */
	return number <= INT64_MAX ? json_integer((json_int_t)number)
				   : json_sprintf("%" PRIu64, number);
}

json_t *decode_name(const char *name, size_t most)
{
	json_t *string = json_stringn(name, strnlen(name, most));
	char safe[512];

	return string ? string : json_string(escape_string(safe, sizeof(safe), name, most));
}

json_t *decode_bytes(const void *bytes, size_t size)
{
	json_t *text = json_stringn(bytes, size);

	return text ? text : hex(bytes, size);
}

static json_t *json_value(const struct value *v, const unsigned char *at, uint32_t width)
{
	switch (v->is) {
	case NUMBER_SIGNED:
		return json_integer(v->i);
	case NUMBER_UNSIGNED:
		return decode_number(v->u);
	case NUMBER_FLOAT:
		return isfinite(v->f) ? json_real(v->f) : json_null();
	case TRUTH:
		return json_boolean(v->u != 0);
	default:
		return hex(at, width);
	}
}

static json_t *json_field(const struct disruptor_field *f, const unsigned char *at)
{
	uint32_t count = f->size / f->width;
	json_t *array;

	if (f->kind == DISRUPTOR_KIND_TEXT)
		return decode_bytes(at, strnlen((const char *)at, f->size));
	if (f->kind == DISRUPTOR_KIND_BYTES)
		return hex(at, f->size);
	array = count != 1 ? json_array() : NULL;
	for (uint32_t i = 0; i < count; i++) {
		const unsigned char *element = at + (size_t)i * f->width;
		const struct value v = value_of(f->kind, element, f->width);
		json_t *one = json_value(&v, element, f->width);

		if (!array)
			return one;
		(void)json_array_append_new(array, one);
	}
	return array;
}

json_t *decode_json(const struct disruptor_type *type, const void *event)
{
	const unsigned char *at = event;
	json_t *object = json_object();

	for (uint32_t i = 0; i < type->field_count; i++)
		(void)json_object_set_new(object, type->fields[i].name,
					  json_field(&type->fields[i],
						     at + type->fields[i].offset));
	if (type->field_count == 0)
		(void)json_object_set_new(object, "bytes", hex(at, type->size));
	return object;
}
