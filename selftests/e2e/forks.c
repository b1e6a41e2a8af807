// SPDX-License-Identifier: GPL-2.0-or-later
/* forks: many forks in a row, each clone of the parent as it then was. */
#include <stdlib.h>
#include <string.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: forks [FORKS]
 *
 * Between two forks the parent rewrites a part of its memory. Every clone verifies
 * all of it, scribbles over it, and exits with a status of its fork's own. Half of the
 * forks are made while the clone of the one before is still there.
 */
enum { GO = 1 };

#define PAGES 2048
#define PARTS 10

/* An exit status has 8 bits, and CLONE_BROKEN is none of these. */
static int status_of_fork(unsigned int fork)
{
	return (int)(fork % 97);
}

static uint64_t seed_of_fork(unsigned int fork)
{
	return mix(0xf0f0, fork);
}

/* Part p was last written before the latest fork f <= @fork with f % PARTS == p. */
static size_t bad_parts(const uint64_t *mem, unsigned int fork)
{
	size_t bad = 0;

	for (unsigned int p = 0; p < PARTS; p++) {
		unsigned int last = fork - (fork + PARTS - p) % PARTS;

		bad += pattern_bad_some(mem, PAGES, seed_of_fork(fork < p ? 0 : last), PARTS, p);
	}
	return bad;
}

static void in_clone(int vm, int ticket, uint64_t *mem, unsigned int fork, uint64_t generation)
{
	bool good = machine_identity(vm).generation == generation;

	clone_await(vm, ticket, GO);
	good &= !bad_parts(mem, fork);
	pattern_fill(mem, PAGES, 0xbad);
	clone_exit(vm, good ? status_of_fork(fork) : CLONE_BROKEN);
}

/* One fork; its ticket, or -1. Bails out if it fails. */
static int fork_once(int vm, uint64_t *mem, unsigned int fork, uint64_t generation)
{
	int ticket = machine_ticket(vm, 1);

	pattern_fill_some(mem, PAGES, seed_of_fork(fork), PARTS, fork % PARTS);
	if (machine_clone(ticket))
		in_clone(vm, ticket, mem, fork, generation + 1);
	return ticket;
}

static void judge(int ticket, unsigned int fork)
{
	struct vmfork_exit_info e;

	tell(ticket, 1, GO);
	if (gather_exits(ticket, 1, &e))
		tap_ok(ended(&e, status_of_fork(fork)), "the clone of fork %u: %s %d", fork,
		       reason_name(e.reason), e.status);
	vmfork_close(ticket);
}

int test_forks(int argc, char **argv)
{
	unsigned int forks = argc > 1 ? (unsigned int)atoi(argv[1]) : 10;
	uint64_t *mem = pages_new(PAGES), generation;
	int vm = machine_open(), earlier = -1;

	generation = machine_identity(vm).generation;
	pattern_fill(mem, PAGES, seed_of_fork(0));
	for (unsigned int fork = 1; fork <= forks; fork++) {
		int ticket = fork_once(vm, mem, fork, generation + fork - 1);

		if (earlier >= 0)
			judge(earlier, fork - 1);
		earlier = -1;
		if (fork & 1 && fork < forks)
			earlier = ticket;
		else
			judge(ticket, fork);
	}
	tap_ok(!bad_parts(mem, forks), "the parent's memory is right after all");
	tap_ok(machine_identity(vm).generation == generation + forks,
	       "the parent passed %u fork points", forks);
	return tap_done();
}
