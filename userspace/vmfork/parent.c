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
#include "parent.h"
#include "progress.h"
#include "sink.h"
#include "vmfork.h"

#define FEED_MS		50	/* between tries when a clone has no room */
#define RECORDS_ROUND	64	/* of one ticket before the others' turn */

/* What one wait waits for: a signal, stdin, and each ticket. */
struct waiting {
	struct pollfd *fds;
	unsigned int n;
	int ms;
};

static void stop(struct parent *p, int status, bool muted)
{
	p->muted |= muted;
	if (p->stop_status)
		return;
	p->stop_status = status;
	crew_kill(p->crew, NULL);
}

void parent_stop(struct parent *p, int status)
{
	stop(p, status, true);
}

double parent_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void parent_draw(const struct parent *p)
{
	const struct crew *c = p->crew;
	struct progress line = {
		.total = c->n, .running = c->running, .done = p->done, .failed = p->failed,
		.seconds = parent_now() - p->began,
	};

	progress_draw(&line);
}

/* Seconds that @child still has; clones whose time is up are ended. */
static double see_to_time(struct parent *p, struct child *child)
{
	double left = child->began + p->o->timeout - parent_now();

	if (left > 0)
		return left;
	if (!child->result.timed_out) {
		child->result.timed_out = true;
		crew_kill(p->crew, child);
	}
	return -1;
}

/* milliseconds until somebody's time is up, for poll(); -1: never */
static int time_left(struct parent *p)
{
	double least = -1;

	if (p->o->timeout <= 0 || p->stop_status)
		return -1;
	for (unsigned int i = 0; i < p->crew->next; i++) {
		struct child *child = &p->crew->child[i];
		double left = child->state == CHILD_RUNNING ? see_to_time(p, child) : -1;

		if (left > 0 && (least < 0 || left < least))
			least = left;
	}
	if (least < 0)
		return -1;
	return least * 1000 < INT_MAX - 1 ? (int)(least * 1000) + 1 : INT_MAX;
}

void parent_look(struct parent *p)
{
	if (!p->muted && interrupt_signal())
		stop(p, 128 + interrupt_signal(), true);
	time_left(p);
}

/* An end that the command had no part in is said: its status alone would not tell. */
static void say_end(const struct parent *p, unsigned int number, const struct clone_result *r)
{
	if (r->reason == VMFORK_EXITED || p->stop_status)
		return;
	progress_clear();
	if (r->timed_out)
		fprintf(stderr, "vmfork: clone %u: time is up\n", number);
	else
		fprintf(stderr, "vmfork: clone %u was %s%s%s\n", number,
			r->reason == VMFORK_LOST && !r->why[0] ?
				"lost (panic, or ended by the host)" : reason_name(r->reason),
			r->why[0] ? ": " : "", r->why);
}

static void count_failure(struct parent *p, const struct clone_result *r)
{
	if (!result_status(r))
		return;
	p->failed++;
	if (p->o->fail == FAIL_FAST && p->failed >= p->o->fail_after && !p->stop_status) {
		p->failed_fast = true;
		stop(p, result_status(r), false);
	}
}

static int take_exit(struct parent *p, struct child *child, const struct vmfork_exit_info *info)
{
	unsigned int number = (unsigned int)(child - p->crew->child) + 1;
	struct clone_result *result = &child->result;
	int r;

	result->reason = info->reason;
	result->status = info->status;
	memcpy(result->why, info->why, sizeof(result->why));
	result->why[sizeof(result->why) - 1] = '\0';
	result->seconds = parent_now() - child->began;
	/* killed at the last moment or not: it ended by itself if it says so */
	result->timed_out &= info->reason != VMFORK_EXITED;
	p->done++;
	crew_end(p->crew, child);
	r = sink_end(p, child, number);
	say_end(p, number, result);
	count_failure(p, result);
	parent_draw(p);
	return r;
}

static int take(struct parent *p, int ticket, const struct vmfork_record *record,
		const void *payload)
{
	struct child *child = crew_find(p->crew, ticket, record->id);
	struct vmfork_exit_info info;

	if (!child)
		return -EBADMSG;
	if (record->type == VMFORK_RECORD_EXIT) {
		memcpy(&info, payload, sizeof(info));
		return take_exit(p, child, &info);
	}
	if (record->type != VMFORK_RECORD_DATA)
		return 0;
	return sink_take(p, child, record->tag, payload, record->len);
}

/* What has come on one ticket. The ticket may be gone after an exit. */
static int drain(struct parent *p, int ticket)
{
	static char payload[VMFORK_MSG_MAX];
	struct vmfork_record record;
	int r = 1, i;

	for (i = 0; r > 0 && i < RECORDS_ROUND; i++) {
		r = vmfork_recv(ticket, &record, payload, sizeof(payload));
		if (r == 0)
			return p->crew->running ? -EPIPE : 0;
		if (r < 0)
			break;
		r = take(p, ticket, &record, payload);
		if (r)
			return r;
		if (record.type == VMFORK_RECORD_EXIT && p->crew->checkpoint >= 0)
			return 0;
		r = 1;
	}
	return r == -EINTR || r == -EAGAIN || r >= 0 ? 0 : r;
}

/* Return: false when somebody had no room: try again soon */
static bool feed_all(struct parent *p)
{
	bool all = true;

	for (unsigned int i = 0; i < p->crew->next && !p->stop_status; i++) {
		struct child *child = &p->crew->child[i];

		if (child->state == CHILD_RUNNING &&
		    feed_send(p->feed, &child->feed, child->ticket, child->id) == -EAGAIN)
			all = false;
	}
	return all;
}

static int start_more(struct parent *p)
{
	int r = 1;

	while (r > 0 && !p->stop_status)
		r = crew_start_next(p->crew, parent_now());
	return p->stop_status ? 0 : r;
}

static void gather(struct parent *p, struct waiting *w, bool fed)
{
	struct crew *c = p->crew;
	int last = -1;

	w->n = 2;
	w->fds[0] = (struct pollfd){ .fd = p->muted ? -1 : interrupt_fd(), .events = POLLIN };
	w->fds[1] = (struct pollfd){ .fd = p->stop_status ? -1 : feed_fd(p->feed),
				     .events = POLLIN };
	for (unsigned int i = 0; i < c->next; i++) {
		if (c->child[i].state != CHILD_RUNNING || c->child[i].ticket == last)
			continue;
		last = c->child[i].ticket;
		w->fds[w->n++] = (struct pollfd){ .fd = last, .events = POLLIN };
	}
	w->ms = time_left(p);
	if (!fed && (w->ms < 0 || w->ms > FEED_MS))
		w->ms = FEED_MS;
}

static int serve(struct parent *p, struct waiting *w)
{
	int r = 0;

	if (poll(w->fds, w->n, w->ms) < 0)
		return errno == EINTR ? 0 : -errno;
	parent_look(p);
	if (w->fds[1].revents)
		r = feed_read(p->feed);
	if (r)
		fprintf(stderr, "vmfork: cannot read the input: %s\n", strerror(-r));
	r = 0;
	for (unsigned int i = 2; !r && i < w->n; i++)
		if (w->fds[i].revents)
			r = drain(p, w->fds[i].fd);
	return r;
}

/* Return: 0 once all have ended, or -errno */
static int collect(struct parent *p)
{
	struct waiting w = { .fds = calloc(p->crew->n + 2, sizeof(*w.fds)) };
	int r = w.fds ? 0 : -ENOMEM;

	while (!r) {
		r = start_more(p);
		if (r || !p->crew->running)
			break;
		parent_draw(p);
		gather(p, &w, feed_all(p));
		r = serve(p, &w);
	}
	free(w.fds);
	return r;
}

static int status_of(const struct parent *p, const struct clone_result *results)
{
	if (p->stop_status && !p->failed_fast)
		return p->stop_status;
	if (p->sink_failed)
		return STATUS_FAILED;
	if (p->failed_fast)
		return p->stop_status;
	return p->o->fail == FAIL_NEVER ? 0 : summary_fold(results, p->crew->next);
}

int parent_collect(const struct options *o, struct crew *crew, struct feed *feed,
		   char *const *sets, struct summary *ret)
{
	struct parent p = { .o = o, .crew = crew, .feed = feed, .began = parent_now() };
	struct clone_result *results = calloc(crew->n, sizeof(*results));
	int r = results ? sink_init(&p) : -ENOMEM;

	r = r ? r : collect(&p);
	progress_clear();
	if (r) {
		free(results);
		return r;
	}
	for (unsigned int i = 0; i < crew->n; i++)
		results[i] = crew->child[i].result;
	ret->seconds = parent_now() - p.began;
	ret->clones = results;
	ret->sets = sets;
	ret->n = crew->next;	/* those after it never began */
	ret->status = status_of(&p, results);
	return 0;
}
