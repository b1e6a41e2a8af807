// SPDX-License-Identifier: GPL-2.0-or-later
/* ahead: a ticket long before its fork, and memory that is written to in between. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: ahead FILE [MiB] [CLONES]
 *
 * Fills memory, takes a ticket and says "# ticket". The host may copy the machine from here
 * on. Once FILE is there it writes every fourth page anew and forks: the clones must have
 * both, what was copied ahead and what came after. How long it takes until all
 * clones have said that they run is told, and is no result.
 */
enum { RUNS = 1, CHECK, REPORT };

#define STEP	4
#define BEFORE	mix(0xa4ead, 1)
#define AFTER	mix(0xa4ead, 2)

static uint64_t bad_pages(const uint64_t *mem, size_t pages)
{
	uint64_t bad = pattern_bad_some(mem, pages, AFTER, STEP, 0);

	for (size_t first = 1; first < STEP; first++)
		bad += pattern_bad_some(mem, pages, BEFORE, STEP, first);
	return bad;
}

static void in_clone(int vm, int link, const uint64_t *mem, size_t pages)
{
	uint64_t bad;

	clone_send(vm, link, RUNS, "", 1);
	clone_await(vm, link, CHECK);
	bad = bad_pages(mem, pages);
	clone_send(vm, link, REPORT, &bad, sizeof(bad));
	clone_exit(vm, 0);
}

static double ms_since(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from->tv_sec) * 1e3 +
		(double)(now.tv_nsec - from->tv_nsec) / 1e6;
}

static void judge(int ticket, unsigned int m)
{
	uint64_t bad[CLONES_TEST_MAX], wrong = 0;
	struct vmfork_exit_info exits[CLONES_TEST_MAX];
	bool came = gather(ticket, m, REPORT, bad, sizeof(bad[0]));
	unsigned int well = 0;

	for (unsigned int i = 0; came && i < m; i++)
		wrong += bad[i];
	tap_ok(came && !wrong,
	       "clones have what was there at the ticket and what was written since (%lu pages wrong)",
	       wrong);
	came = gather_exits(ticket, m, exits);
	for (unsigned int i = 0; came && i < m; i++)
		well += ended(&exits[i], 0);
	tap_ok(well == m, "and end well");
}

int test_ahead(int argc, char **argv)
{
	size_t pages = (argc > 2 ? (size_t)atoi(argv[2]) : 16) * 256;
	unsigned int m = argc > 3 ? (unsigned int)atoi(argv[3]) : 1;
	uint64_t *mem = pages_new(pages);
	int vm = machine_open(), ticket;
	struct timespec begin;

	pattern_fill(mem, pages, BEFORE);
	ticket = machine_ticket(vm, m);
	tap_diag("ticket");
	while (argc > 1 && access(argv[1], F_OK))
		usleep(100000);
	pattern_fill_some(mem, pages, AFTER, STEP, 0);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (machine_clone(ticket) > 0)
		in_clone(vm, ticket, mem, pages);
	if (gather(ticket, m, RUNS, NULL, 1))
		tap_diag("%u clones run after %.0f ms", m, ms_since(&begin));
	tell(ticket, m, CHECK);
	judge(ticket, m);
	tap_ok(!bad_pages(mem, pages), "so has the parent");
	return tap_done();
}
