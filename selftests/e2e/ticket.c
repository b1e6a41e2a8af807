// SPDX-License-Identifier: GPL-2.0-or-later
/* ticket: WAIT, KILL, INFO, read(), write() and poll() with real clones. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: ticket
 *
 * First fork: statuses, and each way to wait. Second: one clone killed, then the
 * rest. Third: what a clone may do with the tickets that it inherited.
 */
enum { GO = 1, DATA, STATE };

static const int statuses[] = { 0, 1, 2, 77, 127, 128, 254, 255 };
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))
#define BURST 20

static struct vmfork_ticket_info info_of(int ticket)
{
	struct vmfork_ticket_info info = { 0 };
	int r = vmfork_get_ticket(ticket, &info);

	if (r)
		tap_diag("INFO: %s", strerror(-r));
	return info;
}

static short events_of(int ticket)
{
	struct pollfd p = { .fd = ticket, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static void status_clone(int vm, int link, unsigned int id)
{
	uint32_t n;

	clone_await(vm, link, GO);
	for (n = 0; n < BURST; n++)
		clone_send(vm, link, DATA, &n, sizeof(n));
	clone_exit(vm, statuses[id - 1]);
}

/* With all clones alive and silent. */
static void test_idle(int ticket)
{
	struct vmfork_ticket_info info = info_of(ticket);
	struct vmfork_exit_info e;
	struct vmfork_record rec;
	char buf[64];

	tap_ok(info.state == VMFORK_TICKET_FORKED && info.granted == STATUSES &&
	       info.live == STATUSES && info.unreported == 0 && info.handle && info.checkpoint,
	       "INFO: forked, %u live", info.live);
	tap_ok(vmfork_wait(ticket, 0, VMFORK_WAIT_NOHANG, &e) == -EAGAIN, "WAIT NOHANG: EAGAIN");
	tap_ok(vmfork_wait(ticket, 3, VMFORK_WAIT_NOHANG, &e) == -EAGAIN,
	       "WAIT NOHANG for one: EAGAIN");
	tap_ok(vmfork_wait(ticket, STATUSES + 1, VMFORK_WAIT_NOHANG, &e) == -ECHILD,
	       "WAIT for a clone that never was: ECHILD");
	tap_ok(events_of(ticket) == POLLOUT, "poll(): room to write, nothing to read");
	fcntl(ticket, F_SETFL, O_NONBLOCK);
	tap_ok(vmfork_recv(ticket, &rec, buf, sizeof(buf)) == -EAGAIN, "read() O_NONBLOCK: EAGAIN");
	fcntl(ticket, F_SETFL, 0);
	tap_ok(vmfork_clone(ticket, 0) == -EBUSY, "CLONE on a used ticket: EBUSY");
	tap_ok(vmfork_send(ticket, STATUSES + 1, GO, "", 1) == -EINVAL ||
	       vmfork_send(ticket, STATUSES + 1, GO, "", 1) == -ECHILD,
	       "message to a clone that never was: refused");
}

/* Clone 1 ends first, alone: WAIT in all its ways. */
static void test_wait_ways(int ticket)
{
	struct vmfork_exit_info e = { 0 }, again = { 0 };
	struct vmfork_record rec;
	char buf[2];
	int r;

	r = vmfork_send(ticket, 1, GO, "", 1);
	r = r ? r : vmfork_wait(ticket, 1, VMFORK_WAIT_NOREAP, &e);
	tap_ok(!r && ended(&e, statuses[0]),
	       "WAIT NOREAP: %s %d", reason_name(e.reason), e.status);
	tap_ok(!vmfork_wait(ticket, 0, 0, &again) && again.id == 1 && !memcmp(&e, &again, sizeof(e)),
	       "WAIT gives the same again");
	tap_ok(vmfork_wait(ticket, 1, 0, &again) == -ECHILD, "and only once: ECHILD");
	tap_ok(vmfork_recv(ticket, &rec, buf, sizeof(buf)) == -EMSGSIZE,
	       "read() into too small a buffer: EMSGSIZE");
	tap_ok(vmfork_send(ticket, 1, GO, "", 1) == -EPIPE, "message to an ended clone: EPIPE");
}

/* Reads the rest: messages of each in order, its exit behind them. */
static void test_read_rest(int ticket)
{
	unsigned int next[STATUSES] = { 0 }, exits = 0, bad = 0;
	_Alignas(8) char buf[sizeof(struct vmfork_exit_info)];
	struct vmfork_record rec;
	uint32_t n;
	int r;

	for (unsigned int id = 2; id <= STATUSES; id++)
		bad += vmfork_send(ticket, id, GO, "", 1) != 0;
	while ((r = vmfork_recv(ticket, &rec, buf, sizeof(buf))) > 0) {
		if (rec.type == VMFORK_RECORD_EXIT) {
			const struct vmfork_exit_info *e = (const void *)buf;

			bad += next[e->id - 1] != BURST || !ended(e, statuses[e->id - 1]);
			exits++;
			continue;
		}
		memcpy(&n, buf, sizeof(n));
		bad += n != next[rec.id - 1]++ || rec.tag != DATA;
	}
	tap_ok(!bad && exits == STATUSES - 1, "%u exits with statuses 1..255, each behind its "
	       "clone's messages (%u wrong)", exits, bad);
	tap_ok(r == 0, "then read() returns 0");
	tap_ok(vmfork_wait(ticket, 0, 0, NULL) == -ECHILD, "and WAIT ECHILD");
	tap_ok(events_of(ticket) & POLLHUP, "and poll() POLLHUP");
	tap_ok(info_of(ticket).live == 0 && info_of(ticket).unreported == 0, "INFO: none left");
}

static void test_statuses(int vm)
{
	int ticket = machine_ticket(vm, STATUSES), id;

	tap_ok(info_of(ticket).state == VMFORK_TICKET_GRANTED, "INFO: granted");
	id = machine_clone(ticket);
	if (id > 0)
		status_clone(vm, ticket, (unsigned int)id);
	test_idle(ticket);
	test_wait_ways(ticket);
	test_read_rest(ticket);
	vmfork_close(ticket);
}

static void kill_clone(int vm, int link)
{
	clone_await(vm, link, GO);
	clone_exit(vm, 5);
}

static void test_kill(int vm)
{
	int ticket = machine_ticket(vm, 4);
	struct vmfork_exit_info e = { 0 };
	unsigned int killed = 0;
	int r;

	if (machine_clone(ticket))
		kill_clone(vm, ticket);
	tap_ok(!vmfork_kill(ticket, 2), "KILL of one");
	r = vmfork_wait(ticket, 2, 0, &e);
	tap_ok(!r && e.id == 2 && e.reason == VMFORK_KILLED,
	       "it is reported: %s", reason_name(e.reason));
	tap_ok(vmfork_kill(ticket, 2) == -ECHILD, "a second KILL of it: ECHILD");
	tap_ok(vmfork_kill(ticket, 9) == -ECHILD, "KILL of one that never was: ECHILD");
	r = vmfork_send(ticket, 3, GO, "", 1);
	r = r ? r : vmfork_wait(ticket, 3, 0, &e);
	tap_ok(!r && ended(&e, 5),
	       "a sibling goes on and ends by itself: %s %d", reason_name(e.reason), e.status);
	tap_ok(info_of(ticket).live == 2, "two are left");
	tap_ok(!vmfork_kill(ticket, 0), "KILL of all that are left");
	while (!vmfork_wait(ticket, 0, VMFORK_WAIT_NOHANG, &e))
		killed += e.reason == VMFORK_KILLED;
	tap_ok(killed == 2, "%u are reported killed by when KILL returns", killed);
	tap_ok(!vmfork_kill(ticket, 0), "KILL with none left is no error");
	vmfork_close(ticket);
}

/* What the clone saw, as bits of what was right. */
static uint32_t inherited(int vm, int link, int other)
{
	struct vmfork_ticket_info info = { 0 };
	struct vmfork_exit_info e;
	uint32_t right = 0;

	right |= (!vmfork_get_ticket(link, &info) && info.state == VMFORK_TICKET_LINK) << 0;
	right |= (!vmfork_get_ticket(other, &info) && info.state == VMFORK_TICKET_FOREIGN) << 1;
	right |= (vmfork_clone(other, 0) == -ESTALE) << 2;
	right |= (vmfork_kill(other, 0) == -ESTALE) << 3;
	right |= (vmfork_wait(other, 0, VMFORK_WAIT_NOHANG, &e) == -ESTALE) << 4;
	right |= (vmfork_clone(link, 0) < 0) << 5;
	right |= (vmfork_kill(link, 0) < 0) << 6;
	right |= (vmfork_wait(link, 0, VMFORK_WAIT_NOHANG, &e) < 0) << 7;
	vmfork_close(other);
	return right;
}

static void test_foreign(int vm)
{
	int other = machine_ticket(vm, 1), ticket = machine_ticket(vm, 1);
	struct vmfork_exit_info e = { 0 };
	uint32_t right = 0;

	if (machine_clone(ticket)) {
		right = inherited(vm, ticket, other);
		clone_send(vm, ticket, STATE, &right, sizeof(right));
		clone_exit(vm, 0);
	}
	if (gather(ticket, 1, STATE, &right, sizeof(right)))
		tap_ok(right == 0xff, "in a clone its ticket is the link, others are stale (%#x)",
		       right);
	tap_ok(!vmfork_wait(ticket, 0, 0, &e) && ended(&e, 0), "that clone ended");
	if (machine_clone(other))
		clone_exit(vm, 6);
	tap_ok(!vmfork_wait(other, 0, 0, &e) && ended(&e, 6),
	       "a clone's close() of the parent's ticket does nothing");
	vmfork_close(other);
	vmfork_close(ticket);
}

int test_ticket(int argc, char **argv)
{
	int vm = machine_open();

	test_statuses(vm);
	test_kill(vm);
	test_foreign(vm);
	return tap_done();
}

/* abandon: closes a ticket over living clones; the host's side looks what is left. */
int test_abandon(int argc, char **argv)
{
	unsigned int m = argc > 1 ? (unsigned int)atoi(argv[1]) : 2;
	int vm = machine_open(), ticket = machine_ticket(vm, m);

	if (machine_clone(ticket)) {
		clone_send(vm, ticket, STATE, "", 1);
		for (;;)
			pause();
	}
	tap_ok(gather(ticket, m, STATE, NULL, 1), "%u clones run", m);
	vmfork_close(ticket);
	tap_ok(true, "their ticket is closed");
	return tap_done();
}
