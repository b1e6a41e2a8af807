// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/vmfork without error handling in every test. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

int machine_open(void)
{
	int vm = vmfork_open();

	if (vm < 0)
		tap_bail("/dev/vmfork: %s", vmfork_strerror(vm, VMFORK_CALL_OPEN));
	return vm;
}

struct vmfork_identity machine_identity(int vm)
{
	struct vmfork_identity identity;
	int r = vmfork_get_identity(vm, &identity);

	if (r)
		tap_bail("GET_ID: %s", strerror(-r));
	return identity;
}

int machine_ticket(int vm, unsigned int n)
{
	int ticket = vmfork_request_ticket(vm, n, VMFORK_TICKET_EXACT, NULL);

	if (ticket < 0)
		tap_bail("no ticket for %u clones: %s", n,
			 vmfork_strerror(ticket, VMFORK_CALL_TICKET));
	return ticket;
}

int machine_clone(int ticket)
{
	int id;

	fflush(stdout);
	id = vmfork_clone(ticket, 0);
	if (id < 0)
		tap_bail("fork: %s", vmfork_strerror(id, VMFORK_CALL_CLONE));
	return id;
}

void clone_exit(int vm, int status)
{
	int r = vmfork_exit(vm, status);

	/* only reached if EXIT is broken: the parent then waits until its watchdog */
	fprintf(stderr, "e2e: EXIT returned %d\n", r);
	for (;;)
		pause();
}

void clone_broken(int vm, const char *what, int err)
{
	fprintf(stderr, "e2e: clone: %s: %s\n", what, strerror(err < 0 ? -err : err));
	clone_exit(vm, CLONE_BROKEN);
}

void clone_send(int vm, int link, unsigned int tag, const void *buf, size_t len)
{
	int r = vmfork_send(link, 0, tag, buf, len);

	if (r)
		clone_broken(vm, "send", r);
}

void clone_await(int vm, int link, unsigned int tag)
{
	char buf[VMFORK_MSG_MAX];
	struct vmfork_record rec;
	int r = vmfork_recv(link, &rec, buf, sizeof(buf));

	if (r <= 0)
		clone_broken(vm, "receive", r);
	if (rec.tag != tag)
		clone_broken(vm, "unexpected message", EPROTO);
}

void tell(int ticket, unsigned int m, unsigned int tag)
{
	for (unsigned int id = 1; id <= m; id++) {
		int r = vmfork_send(ticket, id, tag, "", 1);

		if (r)
			tap_bail("message to clone %u: %s", id, strerror(-r));
	}
}

const char *reason_name(unsigned int reason)
{
	switch (reason) {
	case VMFORK_EXITED: return "exited";
	case VMFORK_KILLED: return "killed";
	case VMFORK_LOST: return "lost";
	case VMFORK_EXPIRED: return "expired";
	case VMFORK_OUT_OF_MEMORY: return "out of memory";
	case VMFORK_UNIDENTIFIED: return "unidentified";
	default: return "?";
	}
}

bool ended(const struct vmfork_exit_info *e, int status)
{
	return e->reason == VMFORK_EXITED && e->status == status;
}

/* Says what came instead of what was awaited. */
static void unexpected(const struct vmfork_record *rec, const void *payload)
{
	const struct vmfork_exit_info *e = payload;

	if (rec->type == VMFORK_RECORD_EXIT)
		tap_ok(false, "clone %u ended early: %s %d", e->id, reason_name(e->reason),
		       e->status);
	else
		tap_ok(false, "unexpected message from clone %u: tag %u, %u bytes", rec->id,
		       rec->tag, rec->len);
}

/* Exits that came while others' messages were awaited. */
static struct {
	int ticket;
	struct vmfork_exit_info exits[CLONES_TEST_MAX];
	unsigned int n;
} early;

/* Is it the exit of a clone that has already sent what is awaited? */
static bool keep_exit(int ticket, const struct vmfork_record *rec, const void *payload,
		      const bool *seen)
{
	if (rec->type != VMFORK_RECORD_EXIT || rec->id > CLONES_TEST_MAX || !seen[rec->id])
		return false;
	if (early.ticket != ticket)
		early.n = 0;
	early.ticket = ticket;
	memcpy(&early.exits[early.n++], payload, sizeof(early.exits[0]));
	return true;
}

bool gather(int ticket, unsigned int m, unsigned int tag, void *into, size_t size)
{
	_Alignas(8) char buf[VMFORK_MSG_MAX];
	bool seen[CLONES_TEST_MAX + 1] = { false };
	struct vmfork_record rec;

	for (unsigned int n = 0; n < m;) {
		int r = vmfork_recv(ticket, &rec, buf, sizeof(buf));

		if (r <= 0) {
			tap_ok(false, "message %u of %u from the clones: %s", n + 1, m,
			       r ? strerror(-r) : "end");
			return false;
		}
		if (keep_exit(ticket, &rec, buf, seen))
			continue;
		if (rec.type != VMFORK_RECORD_DATA || rec.tag != tag || rec.len != size ||
		    rec.id < 1 || rec.id > m || seen[rec.id]) {
			unexpected(&rec, buf);
			return false;
		}
		seen[rec.id] = true;
		n++;
		if (into)
			memcpy((char *)into + (rec.id - 1) * size, buf, size);
	}
	return true;
}

bool gather_exits(int ticket, unsigned int m, struct vmfork_exit_info *exits)
{
	_Alignas(8) char buf[VMFORK_MSG_MAX];
	struct vmfork_record rec;
	unsigned int n = 0;

	memset(exits, 0, m * sizeof(*exits));
	for (; early.ticket == ticket && n < early.n; n++)
		exits[early.exits[n].id - 1] = early.exits[n];
	early.n = 0;
	for (; n < m; n++) {
		const struct vmfork_exit_info *e = (const void *)buf;
		int r = vmfork_recv(ticket, &rec, buf, sizeof(buf));

		if (r <= 0) {
			tap_ok(false, "exit %u of %u: %s", n + 1, m, r ? strerror(-r) : "end");
			return false;
		}
		if (rec.type != VMFORK_RECORD_EXIT || e->id != rec.id || e->id < 1 ||
		    e->id > m || exits[e->id - 1].id) {
			unexpected(&rec, buf);
			return false;
		}
		exits[e->id - 1] = *e;
	}
	return true;
}

static void bark(int sig)
{
	static const char text[] = "Bail out! the test hangs: watchdog\n";

	(void)!write(STDOUT_FILENO, text, sizeof(text) - 1);
	_exit(254);
}

void watchdog(unsigned int seconds)
{
	signal(SIGALRM, bark);
	alarm(seconds);
}

uint64_t realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

void random_bytes(void *buf, size_t len)
{
	if (getrandom(buf, len, 0) != (ssize_t)len)
		abort();
}
