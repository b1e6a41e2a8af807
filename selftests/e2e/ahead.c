// SPDX-License-Identifier: GPL-2.0-or-later
/* ahead: a ticket long before its fork, and memory that is written to in between. */
#include <stdlib.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: ahead FILE [MiB]
 *
 * Fills memory, takes a ticket for one clone and says "# ticket". The host may copy the
 * machine from here on. Once FILE is there it writes every fourth page anew and forks: the
 * clone must have both, what was copied ahead and what came after.
 */
enum { REPORT = 1 };

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

int test_ahead(int argc, char **argv)
{
	size_t pages = (argc > 2 ? (size_t)atoi(argv[2]) : 16) * 256;
	uint64_t *mem = pages_new(pages), bad = ~0ULL;
	struct vmfork_exit_info info;
	int vm = machine_open(), ticket;
	bool came;

	pattern_fill(mem, pages, BEFORE);
	ticket = machine_ticket(vm, 1);
	tap_diag("ticket");
	while (argc > 1 && access(argv[1], F_OK))
		usleep(100000);
	pattern_fill_some(mem, pages, AFTER, STEP, 0);
	if (machine_clone(ticket) > 0) {
		bad = bad_pages(mem, pages);
		clone_send(vm, ticket, REPORT, &bad, sizeof(bad));
		clone_exit(vm, 0);
	}
	came = gather(ticket, 1, REPORT, &bad, sizeof(bad));
	tap_ok(came && !bad,
	       "the clone has what was there at the ticket and what was written since (%lu pages wrong)",
	       bad);
	tap_ok(gather_exits(ticket, 1, &info) && ended(&info, 0), "and ends well");
	tap_ok(!bad_pages(mem, pages), "so has the parent");
	return tap_done();
}
