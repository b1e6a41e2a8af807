// SPDX-License-Identifier: GPL-2.0-or-later
/* clock: no task of a clone sees the time of its checkpoint. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: clock [SECONDS]
 *
 * Spinners (threads, and a process that forks a child for each look) read the
 * machine's generation and then CLOCK_REALTIME, all the time. A checkpoint; so many
 * seconds later two clones of it. In a clone the first time that a spinner reads
 * after it has seen the new generation must be of the clone's making, not of the
 * checkpoint: the gate holds tasks until the clock is set.
 */
enum { REPORT = 1 };

#define SPINNERS 4	/* the last is the process */

struct look {		/* in shared memory */
	_Atomic uint64_t looks;
	_Atomic uint64_t generation;
	_Atomic uint64_t first_ns;	/* first time read under this generation */
};

struct report {
	uint64_t generation;
	uint64_t now_ns;
	uint64_t first_ns[SPINNERS];
	uint64_t seen[SPINNERS];	/* generations */
};

static struct look *looks;
static int spin_vm;
static pid_t spin_pid;

static void look_once(struct look *l)
{
	struct vmfork_identity identity = { 0 };
	uint64_t now;

	if (ioctl(spin_vm, VMFORK_GET_ID, &identity) < 0)
		abort();
	now = realtime_ns();
	if (atomic_load(&l->generation) != identity.generation) {
		atomic_store(&l->first_ns, now);
		atomic_store(&l->generation, identity.generation);
	}
	atomic_fetch_add(&l->looks, 1);
}

static void *spin(void *arg)
{
	for (;;)
		look_once(arg);
	return NULL;
}

static void spin_in_children(struct look *l)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		pid_t pid = fork();

		if (!pid) {
			look_once(l);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

static void start(void)
{
	pthread_t thread;

	looks = (void *)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (looks == MAP_FAILED)
		tap_bail("no memory");
	spin_pid = fork();
	if (!spin_pid)
		spin_in_children(&looks[SPINNERS - 1]);
	for (unsigned int i = 0; i < SPINNERS - 1; i++)
		if (pthread_create(&thread, NULL, spin, &looks[i]))
			tap_bail("no thread");
}

/* Until each spinner has looked again. */
static void wait_for_looks(uint64_t more)
{
	for (unsigned int i = 0; i < SPINNERS; i++) {
		uint64_t until = atomic_load(&looks[i].looks) + more;

		while (atomic_load(&looks[i].looks) < until)
			usleep(1000);
	}
}

static void in_clone(int vm, int link)
{
	struct report rep = { .now_ns = realtime_ns() };

	rep.generation = machine_identity(vm).generation;
	wait_for_looks(2);
	for (unsigned int i = 0; i < SPINNERS; i++) {
		rep.first_ns[i] = atomic_load(&looks[i].first_ns);
		rep.seen[i] = atomic_load(&looks[i].generation);
	}
	clone_send(vm, link, REPORT, &rep, sizeof(rep));
	clone_exit(vm, 0);
}

/* @asked: the parent's time when it asked for the clones. */
static void judge(const struct report *rep, unsigned int id, uint64_t asked)
{
	/* the parent's clock was set by hand, in whole seconds; the host's side compares
	 * with the host's */
	uint64_t slack = 2000000000ULL;
	unsigned int old = 0, unseen = 0;

	for (unsigned int i = 0; i < SPINNERS; i++) {
		unseen += rep->seen[i] != rep->generation;
		old += rep->first_ns[i] + slack < asked;
	}
	tap_ok(rep->now_ns + slack > asked,
	       "clone %u: CLOCK_REALTIME is not the checkpoint's when its call returns", id);
	tap_ok(!unseen && !old, "clone %u: no task reads the old time under the new identity "
	       "(%u of %d do)", id, old + unseen, SPINNERS);
}

int test_clock(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? (unsigned int)atoi(argv[1]) : 8;
	struct vmfork_exit_info exits[2];
	struct report reps[2];
	uint64_t asked;
	int vm = machine_open(), cp = -1, ticket, id;

	spin_vm = vm;
	start();
	wait_for_looks(2);
	id = vmfork_checkpoint(vm, NULL, 0, &cp);
	if (id > 0)
		in_clone(vm, cp);
	if (id < 0)
		tap_bail("checkpoint: %s", vmfork_strerror(id, VMFORK_CALL_CHECKPOINT));
	sleep(seconds);
	ticket = machine_ticket(vm, 2);
	asked = realtime_ns();
	if (tap_ok(!vmfork_create_clones(ticket, cp), "clones of a checkpoint %u s old", seconds) &&
	    gather(ticket, 2, REPORT, reps, sizeof(reps[0])) && gather_exits(ticket, 2, exits)) {
		judge(&reps[0], 1, asked);
		judge(&reps[1], 2, asked);
	}
	vmfork_close(ticket);
	kill(spin_pid, SIGKILL);
	return tap_done();
}
