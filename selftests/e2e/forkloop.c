// SPDX-License-Identifier: GPL-2.0-or-later
/* forkloop: forks without end, while the host's side makes trouble. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: forkloop COUNT [CLONES]
 *
 * Each round asks for a ticket, forks, and gathers reports and exits. A round that
 * the host refuses with an error is fine here (and counted); one that begins must end
 * with every clone right, or reported lost. The test goes on until COUNT rounds were
 * whole: so later forks work, whatever happened before. A line per round tells the
 * host's side how far it is.
 */
enum { REPORT = 1 };

#define PAGES 1024

struct tally {
	unsigned int whole;	/* rounds with every clone right */
	unsigned int refused;	/* ticket or fork failed with an error */
	unsigned int lost;	/* clones reported lost */
	unsigned int wrong;
};

static void in_clone(int vm, int link, const uint64_t *mem, uint64_t seed, unsigned int id)
{
	uint64_t bad = pattern_bad(mem, PAGES, seed);

	clone_send(vm, link, REPORT, &bad, sizeof(bad));
	clone_exit(vm, (int)id);
}

/* Everything that comes from a fork's clones. */
static void collect(int ticket, unsigned int m, struct tally *tally)
{
	_Alignas(8) char buf[sizeof(struct vmfork_exit_info)];
	const struct vmfork_exit_info *e = (const void *)buf;
	unsigned int reports = 0, right = 0, exits = 0, lost = 0;
	struct vmfork_record rec;
	uint64_t bad;
	int r;

	while ((r = vmfork_recv(ticket, &rec, buf, sizeof(buf))) > 0) {
		if (rec.type == VMFORK_RECORD_DATA) {
			memcpy(&bad, buf, sizeof(bad));
			reports += !bad;
			tally->wrong += bad != 0;
			continue;
		}
		exits++;
		right += ended(e, (int)e->id);
		lost += e->reason == VMFORK_LOST;
	}
	tally->lost += lost;
	tally->wrong += r < 0 || exits != m || right + lost != m || reports < right;
	tally->whole += right == m && reports == m;
	if (r < 0 || right != m || reports != m)
		tap_diag("%u clones: read %d, %u reports, %u exits, %u right, %u lost", m, r, reports,
			 exits, right, lost);
}

static void one_round(int vm, uint64_t *mem, unsigned int want, unsigned int number,
		      struct tally *tally)
{
	uint64_t seed = mix(0x100b, number);
	unsigned int m = 0;
	int ticket, id;

	pattern_fill(mem, PAGES, seed);
	ticket = vmfork_request_ticket(vm, want, 0, &m);
	if (ticket < 0) {
		tap_diag("round %u: no ticket: %s", number, strerror(-ticket));
		tally->refused++;
		usleep(100000);
		return;
	}
	id = vmfork_clone(ticket, 0);
	if (id > 0)
		in_clone(vm, ticket, mem, seed, (unsigned int)id);
	if (id < 0) {
		tap_diag("round %u: no fork: %s", number, strerror(-id));
		tally->refused++;
	} else {
		collect(ticket, m, tally);
	}
	vmfork_close(ticket);
}

int test_forkloop(int argc, char **argv)
{
	unsigned int count = argc > 1 ? (unsigned int)atoi(argv[1]) : 10;
	unsigned int want = argc > 2 ? (unsigned int)atoi(argv[2]) : 2;
	struct tally tally = { 0 };
	uint64_t *mem = pages_new(PAGES);
	int vm = machine_open();

	for (unsigned int number = 1; tally.whole < count && number <= count * 10; number++) {
		one_round(vm, mem, want, number, &tally);
		tap_diag("rounds %u whole %u refused %u lost %u", number, tally.whole, tally.refused,
			 tally.lost);
	}
	tap_ok(tally.whole == count, "%u forks were whole (%u refused with an error, %u clones lost)",
	       tally.whole, tally.refused, tally.lost);
	tap_ok(!tally.wrong, "no call hung, no clone was wrong (%u)", tally.wrong);
	return tap_done();
}
