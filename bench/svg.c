/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Scalable vector graphics, without anything from elsewhere. */
#include "svg.h"

#include <string.h>

/* Of DejaVu Sans, which is wider than most: what fits there fits elsewhere. */
static const double letter_width = 0.59;

void svg_escape(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			(void)fputs("&amp;", out);
			break;
		case '<':
			(void)fputs("&lt;", out);
			break;
		case '>':
			(void)fputs("&gt;", out);
			break;
		case '"':
			(void)fputs("&quot;", out);
			break;
		case '\'':
			(void)fputs("&#39;", out);
			break;
		default:
			(void)fputc(*text, out);
		}
	}
}

static void hint_element(FILE *out, const char *hint)
{
	(void)fputs("<title>", out);
	svg_escape(out, hint);
	(void)fputs("</title>", out);
}

void svg_begin(FILE *out, double width, double height, const char *about, bool alone)
{
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\"", width,
		height);
	if (alone)
		fprintf(out, " width=\"%g\" height=\"%g\"", width, height);
	(void)fputs(" font-family=\"system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial,"
		    " 'DejaVu Sans', sans-serif\" role=\"img\" aria-label=\"",
		    out);
	svg_escape(out, about);
	(void)fputs("\">\n", out);
	if (alone)
		svg_rect(out, 0, 0, width, height, "#ffffff", NULL);
}

void svg_end(FILE *out)
{
	(void)fputs("</svg>\n", out);
}

void svg_text(FILE *out, double x, double y, const struct svg_font *font, const char *text)
{
	static const char *const anchors[] = { "start", "middle", "end" };

	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" fill=\"%s\"", x, y, font->size,
		font->colour);
	if (font->anchor != SVG_START)
		fprintf(out, " text-anchor=\"%s\"", anchors[font->anchor]);
	if (font->bold)
		(void)fputs(" font-weight=\"bold\"", out);
	(void)fputc('>', out);
	svg_escape(out, text);
	(void)fputs("</text>\n", out);
}

void svg_rect(FILE *out, double x, double y, double width, double height, const char *colour,
	      const char *hint)
{
	fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"", x, y,
		width, height, colour);
	if (hint == NULL) {
		(void)fputs("/>\n", out);
		return;
	}
	(void)fputc('>', out);
	hint_element(out, hint);
	(void)fputs("</rect>\n", out);
}

static void stroke_attributes(FILE *out, const struct svg_stroke *stroke)
{
	fprintf(out, " stroke=\"%s\" stroke-width=\"%g\"", stroke->colour, stroke->width);
	if (stroke->dashes != NULL)
		fprintf(out, " stroke-dasharray=\"%s\"", stroke->dashes);
}

void svg_line(FILE *out, double x1, double y1, double x2, double y2,
	      const struct svg_stroke *stroke)
{
	fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"", x1, y1, x2, y2);
	stroke_attributes(out, stroke);
	(void)fputs("/>\n", out);
}

void svg_dot(FILE *out, double x, double y, double radius, const char *colour, const char *hint)
{
	fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\" fill=\"%s\">", x, y, radius, colour);
	hint_element(out, hint);
	(void)fputs("</circle>\n", out);
}

void svg_path_begin(FILE *out, double x, double y)
{
	fprintf(out, "<path d=\"M%.1f %.1f", x, y);
}

void svg_path_to(FILE *out, double x, double y)
{
	fprintf(out, "L%.1f %.1f", x, y);
}

void svg_path_end(FILE *out, const struct svg_stroke *stroke)
{
	(void)fputs("\" fill=\"none\" stroke-linejoin=\"round\"", out);
	stroke_attributes(out, stroke);
	(void)fputs("/>\n", out);
}

/** Bytes of the letter that a text begins with. */
static size_t letter_bytes(const char *text)
{
	size_t bytes = 1;

	while (((unsigned char)text[bytes] & 0xc0) == 0x80)
		bytes++;
	return bytes;
}

double svg_text_width(const char *text, double size)
{
	double width = 0;

	for (; *text != '\0'; text += letter_bytes(text))
		width += letter_width * size;
	return width;
}

void svg_shorten(char *copy, size_t size, const char *text, double font_size, double width)
{
	static const char ellipsis[] = "…";
	bool fits = svg_text_width(text, font_size) <= width;
	double left = fits ? width : width - letter_width * font_size;
	size_t used = 0;

	while (*text != '\0' && left >= letter_width * font_size) {
		size_t bytes = letter_bytes(text);

		if (used + bytes + sizeof(ellipsis) > size)
			break;
		memcpy(copy + used, text, bytes);
		used += bytes;
		text += bytes;
		left -= letter_width * font_size;
	}
	copy[used] = '\0';
	if (*text != '\0' && used + sizeof(ellipsis) <= size)
		memcpy(copy + used, ellipsis, sizeof(ellipsis));
}
