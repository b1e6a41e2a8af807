// SPDX-License-Identifier: GPL-2.0-or-later
/* What happens in the parent. See parent.h. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clone.h"
#include "interrupt.h"
#include "output.h"
#include "parent.h"
#include "progress.h"
#include "vmfork.h"

struct child {
	struct output_stream out, err;
};

struct parent {
	const struct options *o;
	int ticket;
	unsigned int n, done, failed;
	double began;
	int stop_status;	/* != 0: the clones were killed, and this is why */
	bool muted;		/* nobody wants output any more */
	struct child *children;
	struct clone_result *results;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void draw(const struct parent *p)
{
	progress_draw(p->n - p->done, p->done, p->failed);
}

/* End the clones that are left; the first reason counts. */
static void stop(struct parent *p, int status, bool muted)
{
	p->muted |= muted;
	if (p->stop_status)
		return;
	p->stop_status = status;
	while (vmfork_kill(p->ticket, 0) == -EINTR)
		;
}

/* milliseconds until the time is up, for poll(); -1: never */
static int time_left(const struct parent *p)
{
	double left;

	if (p->stop_status || p->o->timeout <= 0)
		return -1;
	left = (p->began + p->o->timeout - now()) * 1000;
	if (left <= 0)
		return 0;
	return left < INT_MAX - 1 ? (int)left + 1 : INT_MAX;
}

/* Wait for @fd, and see to signals and the time meanwhile. Return: its events, or 0. */
static int wait_for(struct parent *p, int fd, short events)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = events },
		{ .fd = p->muted ? -1 : interrupt_fd(), .events = POLLIN },
	};
	int left = time_left(p), n;

	n = poll(fds, 2, left);
	if (n < 0)
		return 0;
	if (fds[1].revents)
		stop(p, 128 + interrupt_signal(), true);
	else if (left >= 0 && time_left(p) == 0)
		stop(p, STATUS_TIMEOUT, false);
	return fds[0].revents;
}

/* PIPE_BUF at a time: poll() promises no more, and a blocked write() sees no signal */
static int write_some(struct parent *p, int fd, const char **buf, size_t *len)
{
	ssize_t n;

	if (!wait_for(p, fd, POLLOUT))
		return 0;
	n = write(fd, *buf, *len < PIPE_BUF ? *len : PIPE_BUF);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	*buf += n;
	*len -= (size_t)n;
	return 0;
}

static int put(struct parent *p, int fd, const char *buf, size_t len)
{
	int r = 0;

	progress_clear();
	while (len && !p->muted && !r)
		r = write_some(p, fd, &buf, &len);
	if (r == -EPIPE) {
		stop(p, 128 + SIGPIPE, true);
	} else if (r) {
		fprintf(stderr, "vmfork: cannot write the output: %s\n", strerror(-r));
		stop(p, STATUS_FAILED, true);
	}
	draw(p);
	return 0;
}

static int put_out(void *data, const char *buf, size_t len)
{
	return put(data, STDOUT_FILENO, buf, len);
}

static int put_err(void *data, const char *buf, size_t len)
{
	return put(data, STDERR_FILENO, buf, len);
}

static int take_data(struct parent *p, const struct vmfork_record *record, const char *payload)
{
	struct clone_result *result = &p->results[record->id - 1];
	struct child *c = &p->children[record->id - 1];

	if (record->tag == STREAM_OUT)
		result->out_bytes += record->len;
	else if (record->tag == STREAM_ERR)
		result->err_bytes += record->len;
	if (p->muted)
		return 0;
	if (record->tag == STREAM_OUT)
		return output_bytes(&c->out, payload, record->len);
	if (record->tag == STREAM_ERR)
		return output_bytes(&c->err, payload, record->len);
	return 0;
}

/* An end that the command had no part in is said: its status alone would not tell. */
static void say_end(const struct parent *p, const struct vmfork_exit_info *info)
{
	if (info->reason == VMFORK_EXITED || p->stop_status)
		return;
	progress_clear();
	fprintf(stderr, "vmfork: clone %u was %s\n", info->id,
		info->reason == VMFORK_KILLED ? "killed" : "lost (panic, or ended by the host)");
}

static int take_exit(struct parent *p, const struct vmfork_exit_info *info)
{
	struct clone_result *result = &p->results[info->id - 1];
	struct child *c = &p->children[info->id - 1];
	int r, r2;

	if (result->reason)
		return -EBADMSG;
	result->reason = info->reason;
	result->status = info->status;
	result->seconds = now() - p->began;
	p->done++;
	r = output_end(&c->out);
	r2 = output_end(&c->err);
	output_free(&c->out);
	output_free(&c->err);
	say_end(p, info);
	if (result_status(result)) {
		p->failed++;
		if (p->o->fail == FAIL_FAST)
			stop(p, result_status(result), false);
	}
	draw(p);
	return r ? r : r2;
}

static int take(struct parent *p, const struct vmfork_record *record, const void *payload)
{
	struct vmfork_exit_info info;

	if (record->type == VMFORK_RECORD_EXIT) {
		memcpy(&info, payload, sizeof(info));
		return info.id >= 1 && info.id <= p->n ? take_exit(p, &info) : -EBADMSG;
	}
	if (record->type != VMFORK_RECORD_DATA)
		return 0;
	return record->id >= 1 && record->id <= p->n ? take_data(p, record, payload) : -EBADMSG;
}

/* Return: 0 once all have ended, or -errno */
static int collect(struct parent *p)
{
	char payload[VMFORK_MSG_MAX];
	struct vmfork_record record;
	int r;

	for (;;) {
		if (!wait_for(p, p->ticket, POLLIN))
			continue;
		r = vmfork_recv(p->ticket, &record, payload, sizeof(payload));
		if (r == -EINTR || r == -EAGAIN)
			continue;
		if (r > 0)
			r = take(p, &record, payload);
		else if (r == 0)
			return 0;
		if (r < 0)
			return r;
	}
}

static int start(struct parent *p)
{
	unsigned int i;

	p->began = now();
	p->children = calloc(p->n, sizeof(*p->children));
	p->results = calloc(p->n, sizeof(*p->results));
	if (!p->children || !p->results)
		return -ENOMEM;
	for (i = 0; i < p->n; i++) {
		struct child *c = &p->children[i];

		output_init(&c->out, i + 1, p->o->label, p->o->group, put_out, p);
		output_init(&c->err, i + 1, p->o->label, p->o->group, put_err, p);
	}
	return 0;
}

static void finish(struct parent *p)
{
	unsigned int i;

	for (i = 0; p->children && i < p->n; i++) {
		output_free(&p->children[i].out);
		output_free(&p->children[i].err);
	}
	free(p->children);
}

static int status_of(const struct parent *p)
{
	if (p->stop_status)
		return p->stop_status;
	return p->o->fail == FAIL_NEVER ? 0 : summary_fold(p->results, p->n);
}

int parent_collect(const struct options *o, int ticket, unsigned int granted,
		   struct summary *ret)
{
	struct parent p = { .o = o, .ticket = ticket, .n = granted };
	int r = start(&p);

	if (!r) {
		draw(&p);
		r = collect(&p);
	}
	progress_clear();
	finish(&p);
	if (r) {
		free(p.results);
		return r;
	}
	ret->granted = granted;
	ret->seconds = now() - p.began;
	ret->clones = p.results;
	ret->status = status_of(&p);
	return 0;
}
