// SPDX-License-Identifier: GPL-2.0-or-later
/* doorbell: the host's interrupts arrive in clones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: doorbell [CLONES] [ROUNDS]
 *
 * The module also looks into the channel by itself now and then, so messages arrive even
 * where no interrupt does: what counts is /proc/interrupts. Each message to a clone is
 * answered before the next one is sent, so it has its own interrupt; half of them
 * must be there, as one that comes while another is under way may go under.
 */
enum { PING = 1, PONG, REPORT };

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

static void in_clone(int vm, int ticket, unsigned int rounds)
{
	long came, before = interrupts();

	if (before < 0)
		clone_broken(vm, "/proc/interrupts", 0);
	for (unsigned int i = 0; i < rounds; i++) {
		clone_await(vm, ticket, PING);
		clone_send(vm, ticket, PONG, "", 1);
	}
	clone_await(vm, ticket, REPORT);
	came = interrupts() - before;
	clone_send(vm, ticket, REPORT, &came, sizeof(came));
	clone_exit(vm, 0);
}

static void in_parent(int ticket, unsigned int m, unsigned int rounds)
{
	struct vmfork_exit_info exits[CLONES_TEST_MAX];
	long came[CLONES_TEST_MAX], before = interrupts();

	for (unsigned int i = 0; i < rounds; i++) {
		tell(ticket, m, PING);
		if (!gather(ticket, m, PONG, NULL, 1))
			return;
	}
	tap_ok(before >= 0 && interrupts() - before >= (long)rounds / 2,
	       "the parent gets interrupts after the fork: %ld", interrupts() - before);
	tell(ticket, m, REPORT);
	if (!gather(ticket, m, REPORT, came, sizeof(came[0])))
		return;
	for (unsigned int id = 1; id <= m; id++)
		tap_ok(came[id - 1] >= (long)rounds / 2,
		       "clone %u gets interrupts: %ld for %u messages", id, came[id - 1], rounds);
	if (gather_exits(ticket, m, exits))
		tap_ok(ended(&exits[0], 0), "and ends");
}

int test_doorbell(int argc, char **argv)
{
	unsigned int m = argc > 1 ? (unsigned int)atoi(argv[1]) : 2;
	unsigned int rounds = argc > 2 ? (unsigned int)atoi(argv[2]) : 50;
	int vm, ticket, id;

	if (m < 1 || m > CLONES_TEST_MAX)
		tap_bail("1..%d clones", CLONES_TEST_MAX);
	vm = machine_open();
	ticket = machine_ticket(vm, m);
	id = machine_clone(ticket);
	if (id > 0)
		in_clone(vm, ticket, rounds);
	in_parent(ticket, m, rounds);
	return tap_done();
}
