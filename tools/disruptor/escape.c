/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Text that others have written, made harmless for a terminal. */
#define _POSIX_C_SOURCE 200809L /* strnlen */

#include "escape.h"

#include <stdbool.h>
#include <string.h>

/*
 * The length of the UTF-8 character at @p text; 0: it is none. The Unicode Standard, table 3-7: neither
 * overlong, nor surrogates, nor above U+10FFFF.
 */
static size_t character(const unsigned char *text, size_t left, unsigned long *code)
{
	static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = text[0];
	size_t length = first < 0x80             ? 1
			: (first & 0xe0) == 0xc0 ? 2
			: (first & 0xf0) == 0xe0 ? 3
			: (first & 0xf8) == 0xf0 ? 4
						 : 0;

	if (length == 0 || length > left)
		return 0;
	*code = length == 1 ? first : first & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	if (*code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return length;
}

static bool is_harmless(unsigned long code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == '\\')
		return false;
	/* marks, embeddings, overrides and isolates of direction; separators of lines; the byte order mark */
	return !(code >= 0x200b && code <= 0x200f) && !(code >= 0x2028 && code <= 0x202e) &&
	       !(code >= 0x2066 && code <= 0x2069) && code != 0xfeff && code != 0x061c;
}

/* What stands for the byte or character at @p text; how many bytes of it that is. */
static size_t next_piece(const unsigned char *text, size_t left, char piece[8])
{
	unsigned long code;
	size_t length = character(text, left, &code);

	if (length != 0 && is_harmless(code)) {
		memcpy(piece, text, length);
		piece[length] = '\0';
		return length;
	}
	switch (text[0]) {
	case '\n':
		memcpy(piece, "\\n", 3);
		break;
	case '\t':
		memcpy(piece, "\\t", 3);
		break;
	case '\r':
		memcpy(piece, "\\r", 3);
		break;
	case '\\':
		memcpy(piece, "\\\\", 3);
		break;
	default:
		(void)snprintf(piece, 8, "\\x%02x", text[0]);
		break;
	}
	return 1;
}

void escape_write(FILE *out, const char *text, size_t bytes)
{
	const unsigned char *at = (const unsigned char *)text;
	char piece[8];

	for (size_t i = 0; i < bytes;) {
		i += next_piece(at + i, bytes - i, piece);
		(void)fputs(piece, out);
	}
}

const char *escape_string(char *to, size_t size, const char *text, size_t most)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t bytes = strnlen(text, most), used = 0;
	char piece[8];

	for (size_t i = 0; i < bytes;) {
		i += next_piece(at + i, bytes - i, piece);
		if (used + strlen(piece) >= size)
			break;
		memcpy(to + used, piece, strlen(piece));
		used += strlen(piece);
	}
	to[used] = '\0';
	return to;
}
