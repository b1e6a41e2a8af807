// SPDX-License-Identifier: GPL-2.0-or-later
/* doorbell: the host's interrupts arrive in clones, each once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: doorbell [CLONES] [ROUNDS] [RUNG] [HEARD]
 *
 * The module also looks into the channel by itself now and then, so messages arrive even
 * where no interrupt does: what counts is /proc/interrupts.
 *
 * The count is in memory when the fork is asked for, and a clone looks as soon as it runs: the
 * difference is what was rung between, which must be RUNG (0) times, no more and no less.
 * Then each message to a clone is answered before the next one is sent, so that it has an
 * interrupt of its own; there are more, as the host also rings when it has taken something
 * from the ring. With HEARD (1) 0 there must be none. In the parent the answers of several clones
 * may come with one, so half of them must be there.
 */
enum { READY = 1, PING, PONG, REPORT };

struct count {
	long rung;	/* between the fork and the clone's first instruction of ours */
	long heard;	/* from then until the last message */
};

static long interrupts(void)
{
	FILE *f = fopen("/proc/interrupts", "r");
	long sum = -1;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		char *end, *p = strchr(line, ':');

		if (!p || !strstr(line, " vmfork\n"))
			continue;
		sum = 0;
		for (p++;; p = end) {
			long n = strtol(p, &end, 10);

			if (end == p || (*end != ' ' && *end != '\n'))
				break;
			sum += n;
		}
	}
	if (f)
		fclose(f);
	return sum;
}

static void in_clone(int vm, int ticket, unsigned int rounds, long before)
{
	long now = interrupts();
	struct count c = { .rung = now - before };

	if (before < 0 || now < 0)
		clone_broken(vm, "/proc/interrupts", 0);
	clone_send(vm, ticket, READY, "", 1);
	for (unsigned int i = 0; i < rounds; i++) {
		clone_await(vm, ticket, PING);
		clone_send(vm, ticket, PONG, "", 1);
	}
	c.heard = interrupts() - now;
	clone_await(vm, ticket, REPORT);
	clone_send(vm, ticket, REPORT, &c, sizeof(c));
	clone_exit(vm, 0);
}

static void judge(const struct count *c, unsigned int m, unsigned int rounds, long rung, long heard)
{
	for (unsigned int id = 1; id <= m; id++, c++) {
		tap_ok(c->rung == rung, "clone %u has %ld interrupts from before it ran: %ld", id,
		       rung, c->rung);
		tap_ok(heard ? c->heard >= (long)rounds : !c->heard,
		       "clone %u gets %s interrupt for each of %u messages: %ld", id,
		       heard ? "an" : "no", rounds, c->heard);
	}
}

static bool in_parent(int ticket, unsigned int m, unsigned int rounds, struct count *counts)
{
	struct vmfork_exit_info exits[CLONES_TEST_MAX];
	long before = interrupts();

	if (!gather(ticket, m, READY, NULL, 1))
		return false;
	for (unsigned int i = 0; i < rounds; i++) {
		tell(ticket, m, PING);
		if (!gather(ticket, m, PONG, NULL, 1))
			return false;
	}
	tap_ok(before >= 0 && interrupts() - before >= (long)rounds / 2,
	       "the parent gets interrupts after the fork: %ld", interrupts() - before);
	tell(ticket, m, REPORT);
	if (!gather(ticket, m, REPORT, counts, sizeof(counts[0])))
		return false;
	if (gather_exits(ticket, m, exits))
		tap_ok(ended(&exits[0], 0), "and ends");
	return true;
}

int test_doorbell(int argc, char **argv)
{
	unsigned int m = argc > 1 ? (unsigned int)atoi(argv[1]) : 2;
	unsigned int rounds = argc > 2 ? (unsigned int)atoi(argv[2]) : 50;
	long rung = argc > 3 ? atol(argv[3]) : 0, heard = argc > 4 ? atol(argv[4]) : 1, before;
	static struct count counts[CLONES_TEST_MAX];
	int vm, ticket, id;

	if (m < 1 || m > CLONES_TEST_MAX)
		tap_bail("1..%d clones", CLONES_TEST_MAX);
	vm = machine_open();
	ticket = machine_ticket(vm, m);
	before = interrupts();
	id = machine_clone(ticket);
	if (id > 0)
		in_clone(vm, ticket, rounds, before);
	if (in_parent(ticket, m, rounds, counts))
		judge(counts, m, rounds, rung, heard);
	return tap_done();
}
