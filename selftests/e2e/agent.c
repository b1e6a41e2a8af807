// SPDX-License-Identifier: GPL-2.0-or-later
/* agent: a stand-in for vmfork-agent, so that the host's half can be seen to act. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: agent report | refuse | die | hang | stuck | link ADDRESS PORT
 *
 * A child is the agent; its parent forks the machine once. In the clone the agent does as
 * it was told: reports, reports an error, ends, or does nothing (then the guest's own
 * limit ends it, which is a panic; "stuck" has time for the host to stop the whole
 * clone, so that only the host's limit is left). "link": there is a server that sends
 * datagrams back; nothing may come back before the report, and something has to after it.
 */
enum { HANG_MS = 2000, STUCK_MS = 15000, REPORT_MS = 20000 };
/* SHUT_MS: a datagram that waits for its neighbour's address is dropped after three seconds (mcast_solicit of arp(7)) */
enum { SHUT_MS = 5000, OPEN_MS = 1000, OPEN_TRIES = 30 };

#define WHY "the test says so"
#define WHY_OPEN "the link is open before the report"

/* of "link" */
static struct sockaddr_in server = { .sin_family = AF_INET };

/* Does the server send it back? */
static bool echoed(const char *text, int ms)
{
	struct pollfd p = { .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .events = POLLIN };
	ssize_t len = (ssize_t)strlen(text);
	char answer[64];
	bool r = sendto(p.fd, text, (size_t)len, 0, (struct sockaddr *)&server,
			sizeof(server)) == len && poll(&p, 1, ms) == 1 &&
		 recv(p.fd, answer, sizeof(answer), 0) == len && !memcmp(answer, text, (size_t)len);

	close(p.fd);
	return r;
}

static bool echoed_soon(const char *text)
{
	for (int i = 0; i < OPEN_TRIES; i++)
		if (echoed(text, OPEN_MS))
			return true;
	return false;
}

static unsigned int limit_ms(const char *what)
{
	if (!strcmp(what, "hang"))
		return HANG_MS;
	return strcmp(what, "stuck") ? REPORT_MS : STUCK_MS;
}

static void agent(const char *what, int ready)
{
	int vm = machine_open();
	struct vmfork_identity id;
	int r = vmfork_agent(vm, limit_ms(what));

	if (write(ready, &r, sizeof(r)) != sizeof(r) || r)
		_exit(1);
	while (vmfork_wait_identity(vm, &id) == 0) {
		if (!strcmp(what, "die"))
			_exit(3);
		if (!strcmp(what, "hang") || !strcmp(what, "stuck"))
			pause();
		if (!strcmp(what, "link") && echoed("held", SHUT_MS))
			vmfork_agent_report(vm, -EISCONN, WHY_OPEN);
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
	if (!strcmp(what, "report") || !strcmp(what, "link"))
		tap_ok(ended(e, 7), "the clone ran: %s %d %s", reason_name(e->reason), e->status,
		       e->why);
	else
		tap_ok(e->reason == VMFORK_UNIDENTIFIED, "the clone was destroyed: %s %d, %s",
		       reason_name(e->reason), e->status, e->why);
	if (!strcmp(what, "refuse"))
		tap_ok(e->status == EADDRINUSE && !strcmp(e->why, WHY), "as its agent said");
	if (!strcmp(what, "die") || !strcmp(what, "hang"))
		tap_ok(strlen(e->why) > 0, "it says why");
	if (!strcmp(what, "stuck"))
		tap_ok(e->status == ETIMEDOUT && strstr(e->why, "did not report"),
		       "by the host, whose patience is longer");
}

static void find_server(int argc, char **argv)
{
	if (argc < 4 || inet_pton(AF_INET, argv[2], &server.sin_addr) != 1)
		tap_bail("agent link ADDRESS PORT");
	server.sin_port = htons((uint16_t)atoi(argv[3]));
	tap_ok(echoed_soon("parent"), "the server answers the parent");
}

static void in_clone(int vm, const char *what)
{
	clone_exit(vm, strcmp(what, "link") || echoed_soon("open") ? 7 : 1);
}

int test_agent(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "report";
	struct vmfork_exit_info e = { 0 };
	int vm = machine_open(), ticket, r;
	pid_t pid;

	if (!strcmp(what, "link"))
		find_server(argc, argv);
	pid = start_agent(what);
	ticket = machine_ticket(vm, 1);
	if (machine_clone(ticket) > 0)
		in_clone(vm, what);
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
