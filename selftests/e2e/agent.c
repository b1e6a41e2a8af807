// SPDX-License-Identifier: GPL-2.0-or-later
/* agent: a stand-in for vmfork-agent, so that the host's half can be seen to act. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: agent report | refuse | die | hang
 *
 * A child is the agent; its parent forks the machine once. In the clone the agent does as
 * it was told: reports, reports an error, ends, or does nothing (then the guest's own
 * limit ends it, which is a panic).
 */
enum { ALIVE = 1 };

#define WHY "the test says so"

static void agent(const char *what, int ready)
{
	int vm = machine_open();
	struct vmfork_identity id;
	int r = vmfork_agent(vm, strcmp(what, "hang") ? 20000 : 2000);

	if (write(ready, &r, sizeof(r)) != sizeof(r) || r)
		_exit(1);
	while (vmfork_wait_identity(vm, &id) == 0) {
		if (!strcmp(what, "die"))
			_exit(3);
		if (!strcmp(what, "hang"))
			pause();
		if (!strcmp(what, "refuse"))
			vmfork_agent_report(vm, -EADDRINUSE, WHY);
		vmfork_agent_report(vm, 0, NULL);
	}
	_exit(0);
}

static pid_t start_agent(const char *what)
{
	int fds[2], r = -EIO;
	pid_t pid;

	if (pipe(fds))
		return -1;
	pid = fork();
	if (pid == 0)
		agent(what, fds[1]);
	if (read(fds[0], &r, sizeof(r)) != sizeof(r))
		r = -EIO;
	tap_ok(r == 0, "an agent is registered: %s", strerror(-r));
	return pid;
}

static void check_end(const char *what, const struct vmfork_exit_info *e)
{
	if (!strcmp(what, "report"))
		tap_ok(ended(e, 7), "the clone ran: %s %d", reason_name(e->reason), e->status);
	else
		tap_ok(e->reason == VMFORK_UNIDENTIFIED, "the clone was destroyed: %s %d, %s",
		       reason_name(e->reason), e->status, e->why);
	if (!strcmp(what, "refuse"))
		tap_ok(e->status == EADDRINUSE && !strcmp(e->why, WHY), "as its agent said");
	if (!strcmp(what, "die") || !strcmp(what, "hang"))
		tap_ok(strlen(e->why) > 0, "it says why");
}

int test_agent(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "report";
	struct vmfork_exit_info e = { 0 };
	int vm = machine_open(), ticket, r;
	pid_t pid = start_agent(what);

	ticket = machine_ticket(vm, 1);
	if (machine_clone(ticket) > 0)
		clone_exit(vm, 7);
	r = vmfork_wait(ticket, 1, 0, &e);
	tap_ok(r == 0, "the clone's end is told: %s", strerror(-r));
	check_end(what, &e);
	vmfork_close(ticket);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return tap_done();
}
