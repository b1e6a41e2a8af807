// SPDX-License-Identifier: GPL-2.0-or-later
/* faultload: clones that page in a large pattern, slowly, while the host makes trouble. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: faultload [CLONES] [MiB]
 *
 * Each clone visits all pages in an order of its own, so that faults go on for long
 * and the clones fault on each other's pages, and compares checksums from before the
 * fork. They begin together, when "running" is printed: then the host's side may.
 */
enum { STARTED = 1, GO, REPORT };

struct visit {
	const uint64_t *mem;
	const uint64_t *sums;
	size_t pages;
};

static uint64_t visit_pages(const struct visit *v, unsigned int id)
{
	size_t step = 1 + 2 * (mix(id, 0x57e9) % (v->pages / 2));	/* odd: pages is 2^n */
	uint64_t bad = 0;

	for (size_t i = 0, p = id * 37 % v->pages; i < v->pages; i++, p = (p + step) % v->pages) {
		bad += page_sum(v->mem + p * PAGE / 8) != v->sums[p];
		usleep(1500);
	}
	return bad;
}

static void in_clone(int vm, int link, const struct visit *v, unsigned int id)
{
	uint64_t bad;

	clone_send(vm, link, STARTED, "", 1);
	clone_await(vm, link, GO);
	bad = visit_pages(v, id);
	clone_send(vm, link, REPORT, &bad, sizeof(bad));
	clone_exit(vm, 0);
}

static void judge(int ticket, unsigned int m)
{
	struct vmfork_exit_info exits[CLONES_TEST_MAX];
	uint64_t bad[CLONES_TEST_MAX], sum = 0;
	unsigned int alive = 0;

	if (!gather(ticket, m, REPORT, bad, sizeof(bad[0])) || !gather_exits(ticket, m, exits))
		return;
	for (unsigned int i = 0; i < m; i++) {
		sum += bad[i];
		alive += ended(&exits[i], 0);
	}
	tap_ok(alive == m, "%u of %u clones went through all pages", alive, m);
	tap_ok(!sum, "every page has its checksum (%lu wrong)", sum);
}

int test_faultload(int argc, char **argv)
{
	unsigned int m = argc > 1 ? (unsigned int)atoi(argv[1]) : 4;
	size_t pages = 256;
	uint64_t *mem, *sums;
	int vm = machine_open(), ticket, id;

	while (pages < (argc > 2 ? (size_t)atoi(argv[2]) : 32) * 256)
		pages *= 2;
	mem = pages_new(pages);
	sums = pages_new((pages * 8 + PAGE - 1) / PAGE);
	pattern_fill(mem, pages, 0xfa017);
	for (size_t p = 0; p < pages; p++)
		sums[p] = page_sum(mem + p * PAGE / 8);
	ticket = machine_ticket(vm, m);
	id = machine_clone(ticket);
	if (id > 0)
		in_clone(vm, ticket, &(struct visit){ mem, sums, pages }, (unsigned int)id);
	if (gather(ticket, m, STARTED, NULL, 1)) {
		tell(ticket, m, GO);
		tap_diag("running");
		judge(ticket, m);
	}
	return tap_done();
}
