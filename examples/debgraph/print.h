/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What debgraph says. */
#ifndef DEBGRAPH_PRINT_H
#define DEBGRAPH_PRINT_H

#include "graph.h"
#include "result.h"

/** print_step() - a line of progress, on stdout at once. */
void print_step(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** print_result() - tables for people, and one line "totals: ..." for programs. */
void print_result(const struct graph *g, const struct result *r);

#endif /* DEBGRAPH_PRINT_H */
