// SPDX-License-Identifier: GPL-2.0-or-later
/* Disks of Xen domains: layers are merged, so that chains stay short however often one forks. */
#include "disks.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "../qemu/qmp.h"
#include "log.h"
#include "xen.h"

/**
 * DOC: Merging
 *
 * As qemu/merge.c has it: block-stream copies what the upper layers hold into the domain's own
 * overlay and takes them out of its chain; nothing below the overlay is written. It begins
 * QUIET_USEC after the domain's last fork. The next fork cancels it: the copy of memory
 * that comes first takes longer than that, and if it has not ended by then blockdev-snapshot fails, and
 * with it the fork.
 */
#define QUIET_USEC	1000000
#define JOB		"merge"

/* Those that were opened with others go with them. */
static void drop_nodes(struct xen_vm *x, const struct layer *from, const struct layer *to)
{
	char node[LAYER_NODE_MAX];

	for (const struct layer *l = from; l && l != to; l = l->below) {
		layer_name(l, node);
		qmp_execute(x->disks.qmp, "blockdev-del", json_pack("{s:s}", "node-name", node),
			    -1, NULL, NULL);
		qmp_execute(x->disks.qmp, "remove-fd", json_pack("{s:i}", "fdset-id", l->id), -1,
			    NULL, NULL);
	}
}

static void ended(struct xen_vm *x, int err)
{
	struct xen_merge *m = &x->disks.merge;
	struct layer *old = layer_get(m->top->below);

	if (err && err != -ECANCELED) {
		log_warn("vm%" PRIu64 ": merging disk layers: %s", vm_handle(x->vm),
			 strerror(-err));
		m->failed += LAYER_MERGE_MIN;
	} else if (!err && layer_rebase(m->top, m->to) == 0) {
		m->failed = 0;
		core_save();	/* before the descriptors that the last state names are gone */
		drop_nodes(x, old, m->to);
	}
	layer_put(old);
	layer_put(m->to);
	layer_put(m->top);
	m->to = m->top = NULL;
	merge_later(x);
}

static void on_started(void *data, int err, json_t *ret, const char *text)
{
	struct xen_vm *x = data;

	if (err && x->disks.merge.to)
		ended(x, err);
}

static int start(struct xen_vm *x, struct layer *top)
{
	struct xen_merge *m = &x->disks.merge;
	struct layer *to = m->failed ? layer_base(top) : layer_merge_to(top);
	char node[LAYER_NODE_MAX], lower[LAYER_NODE_MAX];
	int r;

	if (to == top->below)
		return -EALREADY;
	layer_name(top, node);
	layer_name(to, lower);
	/* the name of a file that is written into the overlay and never looked at */
	r = qmp_execute(x->disks.qmp, "block-stream",
			json_pack("{s:s, s:s, s:s, s:s}", "job-id", JOB, "device", node,
				  "base-node", lower, "backing-file", "below"),
			-1, on_started, x);
	if (r < 0)
		return r;
	m->top = layer_get(top);
	m->to = layer_get(to);
	return 0;
}

static bool wanted(const struct xen_vm *x, unsigned int i)
{
	const struct layer *top = x->disks.disk[i].top;

	return top && layer_depth(top) >= LAYER_MERGE_AT + x->disks.merge.failed;
}

static int quiet(sd_event_source *s, uint64_t usec, void *data)
{
	struct xen_vm *x = data;

	x->disks.merge.timer = sd_event_source_disable_unref(x->disks.merge.timer);
	for (unsigned int i = 0; !x->op && !x->disks.merge.to && i < VM_DISKS_MAX; i++) {
		if (wanted(x, i) && start(x, x->disks.disk[i].top) == 0)
			break;
	}
	return 0;
}

void merge_later(struct xen_vm *x)
{
	struct xen_merge *m = &x->disks.merge;
	bool any = false;

	for (unsigned int i = 0; i < VM_DISKS_MAX; i++)
		any |= wanted(x, i);
	m->timer = sd_event_source_disable_unref(m->timer);
	if (any && m->forked)
		sd_event_add_time_relative(core_loop(), &m->timer, CLOCK_MONOTONIC, QUIET_USEC, 0,
					   quiet, x);
}

void merge_event(struct xen_vm *x, const char *name, const json_t *body)
{
	const char *job = json_string_value(json_object_get(body, "device"));
	const char *error = json_string_value(json_object_get(body, "error"));

	if (!x->disks.merge.to || !job || strcmp(job, JOB))
		return;
	if (!strcmp(name, "BLOCK_JOB_CANCELLED"))
		ended(x, -ECANCELED);
	else if (!strcmp(name, "BLOCK_JOB_COMPLETED"))
		ended(x, error ? -EIO : 0);
}

/* Also of what an earlier vmforkd began. */
void merge_cancel(struct xen_vm *x)
{
	x->disks.merge.timer = sd_event_source_disable_unref(x->disks.merge.timer);
	qmp_execute(x->disks.qmp, "block-job-cancel",
		    json_pack("{s:s, s:b}", "device", JOB, "force", 1), -1, NULL, NULL);
}

void merge_forget(struct xen_vm *x)
{
	struct xen_merge *m = &x->disks.merge;

	sd_event_source_disable_unref(m->timer);
	layer_put(m->to);
	layer_put(m->top);
	*m = (struct xen_merge){ 0 };
}
