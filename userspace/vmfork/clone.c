// SPDX-License-Identifier: GPL-2.0-or-later
/* What happens in a clone. See clone.h. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive.h"
#include "clone.h"
#include "command.h"
#include "link.h"
#include "parameters.h"
#include "sandbox.h"

/**
 * DOC: Two processes
 *
 * Whatever started vmfork(1) must never go on in a clone, also if the command (or a kernel
 * without memory) kills it there. So what was started only guards a child, which does the
 * work and is the command's parent: when the child dies without having ended the machine,
 * the guard ends it; when the guard dies, the child does, told by a signal.
 */
#define KILLED		(128 + SIGKILL)

static int guarded;	/* the machine that the signal ends */

static void end(int vm, int status) __attribute__((noreturn));
static void end(int vm, int status)
{
	int r;

	/* -ESTALE: this clone was forked on its way out, and so has another end to come to */
	do {
		r = vmfork_exit(vm, status);
	} while (r == -EINTR || r == -ESTALE);
	/* It cannot end itself: the parent or the host can. It must not return. */
	for (;;)
		pause();
}

static void set_number(const char *name, unsigned long long n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", n);
	setenv(name, text, 1);
}

static int set_environment(int vm)
{
	struct vmfork_identity who;
	int r = vmfork_get_identity(vm, &who);

	if (r)
		return r;
	set_number("VMFORK_ID", who.id);
	set_number("VMFORK_CLONES", who.clones);
	set_number("VMFORK_FAMILY", who.family);
	return 0;
}

/* Which of the argument sets is this clone's, and its command line. */
static char **take_job(struct link *l, const struct plan *plan)
{
	char buf[VMFORK_MSG_MAX], **words, **argv = NULL;
	const char *set;
	unsigned int tag;
	uint32_t i;
	int r;

	if (link_recv(l, &tag, buf) != sizeof(i) || tag != TAG_JOB)
		return NULL;
	memcpy(&i, buf, sizeof(i));
	if (i >= plan->jobs->n)
		return NULL;
	set_number("VMFORK_JOB", i + 1ULL);
	set_number("VMFORK_JOBS", plan->jobs->n);
	set = plan->jobs->set[i];
	/* a file's name, and what ends with NUL, has no quotes that mean anything */
	r = plan->o->map || plan->o->null ? job_whole(set, &words) : job_words(set, &words);
	if (r < 0)
		return NULL;
	if (job_argv(plan->argv, set, words, i + 1, &argv))
		argv = NULL;
	free(words);
	return argv;
}

/* The archive of --put, unpacked where its files were. */
static int take_put(struct link *l)
{
	char buf[VMFORK_MSG_MAX];
	unsigned int tag;
	ssize_t n;
	int fd = -1, r;
	pid_t pid = archive_write("/", &fd);

	while (pid > 0 && (n = link_recv(l, &tag, buf)) > 0 && tag == TAG_PUT)
		for (char *p = buf; n > 0;) {
			ssize_t w = write(fd, p, (size_t)n);

			if (w < 0 && errno != EINTR)
				break;
			p += w > 0 ? w : 0;
			n -= w > 0 ? w : 0;
		}
	if (pid <= 0)
		return (int)pid;
	close(fd);
	r = archive_end(pid);
	return n > 0 && tag == TAG_PUT_END ? r : -EPIPE;
}

static int send_get(struct link *l, const struct paths *paths)
{
	pid_t pid;
	int fd = -1;

	pid = archive_read(paths, NULL, &fd);
	if (pid < 0)
		return (int)pid;
	while (link_forward(l, fd, TAG_GET))
		;
	close(fd);
	return archive_end(pid);
}

/* A clone made of what is kept does what it is told, or has nothing to do but to be. */
static int keep(int vm, struct link *l, const char *name)
{
	static const struct options nothing;
	static char *no_command[] = { NULL };
	static const struct plan none = { .o = &nothing, .argv = no_command };
	struct vmfork_identity who;
	char full[VMFORK_NAME_MAX + 16];
	int fd, id, r = vmfork_get_identity(vm, &who);
	const char *job = getenv("VMFORK_JOB");

	if (r)
		return r;
	if (job)
		snprintf(full, sizeof(full), "%.63s.%.15s", name, job);
	else if (who.clones == 1)
		snprintf(full, sizeof(full), "%.63s", name);
	else
		snprintf(full, sizeof(full), "%.63s.%u", name, who.id);
	id = vmfork_checkpoint(vm, full, 0, &fd);
	if (id > 0)
		clone_run_if_told(vm, fd, &none);
	while (id > 0)
		pause();
	if (id < 0)
		link_say(l, "vmfork: cannot keep %s: %s\n", full,
			 vmfork_strerror(id, VMFORK_CALL_CHECKPOINT));
	return id;
}

static int failed(struct link *l, const char *what)
{
	link_say(l, "vmfork: %s\n", what);
	return STATUS_FAILED;
}

/* Return: the clone's exit status */
static int do_all(int vm, struct link *l, const struct plan *plan)
{
	const struct options *o = plan->o;
	struct change_list before;
	char **argv = plan->argv;
	int status;

	if (plan->jobs)
		argv = take_job(l, plan);
	if (!argv)
		return failed(l, "this clone was not told its arguments");
	if (o->put.n && take_put(l))
		return failed(l, "--put: not all files arrived");
	if (o->sandbox && sandbox_enter(l, &before))
		return STATUS_FAILED;
	status = command_run(l, argv, o->use_stdin);
	if (o->sandbox)
		sandbox_report(l, &before);
	if (o->get.n && send_get(l, &o->get))
		status = status ? status : failed(l, "--get: not all files were there");
	if (o->keep && keep(vm, l, o->keep))
		status = status ? status : STATUS_FAILED;
	return status;
}

/* Parameters say more about this clone than its memory does. */
static int take_params(int vm, struct plan *plan, struct options *o)
{
	char **argv = NULL;
	int r = params_read(vm, o, &argv);

	plan->o = o;
	if (argv)
		plan->argv = argv;
	return r;
}

static void guard_died(int sig)
{
	end(guarded, KILLED);
}

static void guard(int vm, struct link *l, pid_t worker) __attribute__((noreturn));
static void guard(int vm, struct link *l, pid_t worker)
{
	while (waitpid(worker, NULL, 0) < 0 && errno == EINTR)
		;
	link_say(l, "vmfork: was killed in the clone\n");
	end(vm, KILLED);
}

static void watch_guard(int vm, pid_t guard_pid)
{
	guarded = vm;
	signal(SIGUSR1, guard_died);
	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	if (getppid() != guard_pid)
		guard_died(0);
}

static void go(int vm, int link, const struct plan *plan) __attribute__((noreturn));
static void go(int vm, int link, const struct plan *plan)
{
	struct link l = { .fd = link };
	pid_t self = getpid(), worker;

	command_signals(SIG_IGN);
	worker = fork();
	if (worker > 0)
		guard(vm, &l, worker);
	if (worker < 0)
		end(vm, failed(&l, "no process for the command"));
	watch_guard(vm, self);
	end(vm, set_environment(vm) ? STATUS_FAILED : do_all(vm, &l, plan));
}

void clone_run(int vm, int link, const struct plan *plan)
{
	struct options o = *plan->o;
	struct plan told = *plan;

	if (take_params(vm, &told, &o) < 0)
		end(vm, STATUS_FAILED);
	go(vm, link, &told);
}

void clone_run_if_told(int vm, int link, const struct plan *plan)
{
	struct options o = *plan->o;
	struct plan told = *plan;
	int r;

	/* what its checkpoint's own vmfork(1) was asked for is over */
	o.use_stdin = false;
	o.put.n = o.get.n = 0;
	o.keep = NULL;
	r = take_params(vm, &told, &o);
	if (r < 0)
		end(vm, STATUS_FAILED);
	if (told.argv[0])
		go(vm, link, &told);
}
