/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_HTML_H
#define BENCH_HTML_H

/* The parts of the page: html.c the whole and what is about all, html_scenario.c each scenario. */

#include "plot.h"

void html_verdict(FILE *out, enum bench_verdict verdict);
/** @p class NULL: none. */
void html_paragraph(FILE *out, const char *class, const char *text);
/** The scenario of @p count tables from the @p first on. */
void html_scenario(FILE *out, const struct bench_results *results, size_t first, size_t count);

#endif
