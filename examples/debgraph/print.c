// SPDX-License-Identifier: GPL-2.0-or-later
/* What debgraph says. */
#include "print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define BAR_WIDTH 40

void print_step(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("debgraph: ", stdout);
	vprintf(format, args);
	putchar('\n');
	fflush(stdout);
	va_end(args);
}

static void print_top(const struct graph *g, const struct result *r)
{
	unsigned int i;

	printf("\n%-44s %9s %12s\n", "largest with all they need", "packages", "MiB");
	for (i = 0; i < RESULT_TOP && r->top[i].count; i++) {
		const struct span *name = &g->name[r->top[i].package];

		printf("  %-42.*s %9" PRIu32 " %12" PRIu64 "\n", (int)name->len, name->s,
		       r->top[i].count, r->top[i].installed_kib >> 10);
	}
}

static void print_distribution(const struct result *r)
{
	uint64_t most = 1;
	unsigned int i, width;

	for (i = 0; i < RESULT_BUCKETS; i++)
		most = r->bucket[i] > most ? r->bucket[i] : most;
	printf("\n%-18s %9s\n", "packages needed", "of");
	for (i = 0; i < RESULT_BUCKETS; i++) {
		if (!r->bucket[i])
			continue;
		width = (unsigned int)(r->bucket[i] * BAR_WIDTH / most);
		printf("  %5u .. %-7u %9" PRIu64 "  %.*s\n", 1U << i, (2U << i) - 1, r->bucket[i],
		       (int)width, "########################################");
	}
}

void print_result(const struct graph *g, const struct result *r)
{
	print_top(g, r);
	print_distribution(r);
	printf("\ntotals: answers=%" PRIu64 " packages=%" PRIu64 " kib=%" PRIu64 " missing=%" PRIu64
	       " cyclic=%" PRIu64 " checksum=%016" PRIx64 "\n", r->answers, r->count_sum,
	       r->kib_sum, r->missing_sum, r->cyclic, r->checksum);
	fflush(stdout);
}
