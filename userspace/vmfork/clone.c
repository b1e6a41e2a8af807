// SPDX-License-Identifier: GPL-2.0-or-later
/* What happens in a clone. See clone.h. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "clone.h"
#include "command.h"
#include "link.h"
#include "sandbox.h"

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
	unsigned int tag;
	uint32_t i;

	if (link_recv(l, &tag, buf) != sizeof(i) || tag != TAG_JOB)
		return NULL;
	memcpy(&i, buf, sizeof(i));
	if (i >= plan->jobs->n)
		return NULL;
	set_number("VMFORK_JOB", i + 1ULL);
	set_number("VMFORK_JOBS", plan->jobs->n);
	if (job_words(plan->jobs->set[i], &words) < 0)
		return NULL;
	/* a file's name, and what ends with NUL, is one word whatever is in it */
	if (plan->o->map || plan->o->null) {
		words[0] = plan->jobs->set[i];
		words[1] = NULL;
	}
	if (job_argv(plan->argv, plan->jobs->set[i], words, i + 1, &argv))
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

/* From here on the checkpoint is what is kept; a clone made of it has nothing to do but to be. */
static int keep(int vm, struct link *l, const char *name)
{
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
	if (o->put.n && !plan->alone && take_put(l))
		return failed(l, "--put: not all files arrived");
	if (o->sandbox && sandbox_enter(l, &before))
		return STATUS_FAILED;
	status = command_run(l, argv, o->use_stdin && !plan->alone);
	if (o->sandbox)
		sandbox_report(l, &before);
	if (o->get.n && !plan->alone && send_get(l, &o->get))
		status = status ? status : failed(l, "--get: not all files were there");
	if (o->keep && !plan->alone && keep(vm, l, o->keep))
		status = status ? status : STATUS_FAILED;
	return status;
}

void clone_run(int vm, int link, const struct plan *plan)
{
	struct link l = { .fd = link };

	command_signals(SIG_IGN);
	end(vm, set_environment(vm) ? STATUS_FAILED : do_all(vm, &l, plan));
}
