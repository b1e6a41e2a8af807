// SPDX-License-Identifier: GPL-2.0-or-later
/* smp: forks of a machine that is busy on every CPU. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: smp [FORKS] [CLONES]
 *
 * On each CPU a thread that computes and one that maps, fills, verifies and unmaps
 * memory; beside them one that writes files and reads them back and one that forks
 * processes. All of them check themselves, and go on in parent and clones: after a
 * fork every one of them must make progress in every machine, without an error.
 */
enum { REPORT = 1 };

#define WORKERS_MAX 40
#define CHURN_PAGES 256
#define FILE_PAGES 32
#define ROUNDS 3	/* that each worker makes after a fork */

struct worker {
	const char *kind;
	int (*round)(struct worker *w);	/* 0, or what went wrong */
	unsigned int number;
	_Atomic uint64_t rounds, errors;
	pthread_t thread;
};

struct report {
	uint64_t errors;
	uint64_t stuck;
	uint32_t cpus;
	uint32_t pad;
};

static struct worker workers[WORKERS_MAX];
static unsigned int nworkers;

static int compute(struct worker *w)
{
	uint64_t a = 1, b = 1;

	for (unsigned int i = 0; i < 200000; i++)
		a = mix(a, i);
	for (unsigned int i = 0; i < 200000; i++)
		b = mix(b, i);
	return a != b;
}

static int churn(struct worker *w)
{
	uint64_t seed = mix(w->number, atomic_load(&w->rounds));
	size_t pages = 1 + seed % CHURN_PAGES;
	void *mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int bad;

	if (mem == MAP_FAILED)
		return 1;
	pattern_fill(mem, pages, seed);
	sched_yield();
	bad = pattern_bad(mem, pages, seed) != 0;
	munmap(mem, pages * PAGE);
	return bad;
}

static int write_files(struct worker *w)
{
	uint64_t seed = mix(w->number, atomic_load(&w->rounds));
	char path[64];
	int bad;

	snprintf(path, sizeof(path), "/var/tmp/e2e-smp.%u", w->number);
	bad = file_write(path, FILE_PAGES, seed) || file_bad(path, FILE_PAGES, seed);
	unlink(path);
	return bad;
}

static int fork_processes(struct worker *w)
{
	int status, bad = 0;

	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(40 + i);
		if (pid < 0 || waitpid(pid, &status, 0) != pid ||
		    !WIFEXITED(status) || WEXITSTATUS(status) != 40 + i)
			bad = 1;
	}
	return bad;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		if (w->round(w))
			atomic_fetch_add(&w->errors, 1);
		atomic_fetch_add(&w->rounds, 1);
	}
	return NULL;
}

static void add_worker(const char *kind, int (*round)(struct worker *w))
{
	struct worker *w = &workers[nworkers];

	w->kind = kind;
	w->round = round;
	w->number = nworkers++;
	if (pthread_create(&w->thread, NULL, work, w))
		tap_bail("no thread");
}

/* Waits until each worker has gone on; how many errors there were. */
static uint64_t progress(void)
{
	uint64_t until[WORKERS_MAX], errors = 0;

	for (unsigned int i = 0; i < nworkers; i++)
		until[i] = atomic_load(&workers[i].rounds) + ROUNDS;
	for (unsigned int i = 0; i < nworkers; i++) {
		while (atomic_load(&workers[i].rounds) < until[i])
			usleep(5000);
		errors += atomic_load(&workers[i].errors);
	}
	return errors;
}

static void fork_once(int vm, unsigned int m, uint32_t cpus)
{
	struct vmfork_exit_info exits[CLONES_TEST_MAX];
	struct report reps[CLONES_TEST_MAX];
	int ticket = machine_ticket(vm, m);
	bool good = true;
	uint64_t errors;

	if (machine_clone(ticket)) {
		struct report rep = { .errors = progress() };

		rep.cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
		clone_send(vm, ticket, REPORT, &rep, sizeof(rep));
		clone_exit(vm, 7);
	}
	errors = progress();
	if (gather(ticket, m, REPORT, reps, sizeof(reps[0])) && gather_exits(ticket, m, exits)) {
		for (unsigned int i = 0; i < m; i++) {
			good &= ended(&exits[i], 7) && reps[i].cpus == cpus;
			errors += reps[i].errors;
		}
		tap_ok(good && !errors, "%u CPUs, %u workers go on in parent and %u clones: "
		       "%lu errors", cpus, nworkers, m, errors);
	}
	vmfork_close(ticket);
}

int test_smp(int argc, char **argv)
{
	unsigned int forks = argc > 1 ? (unsigned int)atoi(argv[1]) : 3;
	unsigned int m = argc > 2 ? (unsigned int)atoi(argv[2]) : 2;
	uint32_t cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	int vm = machine_open();

	if (cpus > 16)
		tap_bail("more CPUs than this test was written for");
	for (uint32_t i = 0; i < cpus; i++) {
		add_worker("compute", compute);
		add_worker("churn", churn);
	}
	add_worker("files", write_files);
	add_worker("forks", fork_processes);
	progress();
	for (unsigned int i = 0; i < forks; i++)
		fork_once(vm, m, cpus);
	return tap_done();
}
