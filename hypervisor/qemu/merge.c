// SPDX-License-Identifier: GPL-2.0-or-later
/* Merging disk layers: chains stay short however often a VM forks. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "log.h"
#include "qemu.h"
#include "util.h"

/**
 * DOC: Merging
 *
 * Each fork puts a layer on the parent's chain. block-stream copies what the upper
 * layers hold into the VM's own overlay, while it runs, and then takes them out of its
 * chain. Nothing below the overlay is written: clones, checkpoints and stand-bys that
 * use those layers go on doing so, and a layer goes with its last user, as ever.
 *
 * How far down says layer_merge_to().
 *
 * When: with LAYER_MERGE_AT layers, QUIET_USEC after its last fork; one disk after the other.
 * A clone that does not fork itself is left alone. A fork does not wait for it: it is
 * cancelled, which keeps what was copied (what a read would have found), and QEMU must
 * have said that it has ended before the pause begins. From MERGE_MUST layers on it is
 * prepare(), at the ticket, that merges and waits.
 *
 * If vmforkd is restarted meanwhile, it may know layers that QEMU has taken out: a
 * chain with them reads the same. A merge down to one of them fails; the next tries
 * the base image.
 */
#define MERGE_MUST	64
#define QUIET_USEC	1000000
#define JOB		"merge"

/* The layer to be below the overlay. */
static struct layer *choose(const struct qemu_disk *d)
{
	return d->merge_failed ? layer_base(d->top->below) : layer_merge_to(d->top);
}

static bool wanted(const struct qemu_disk *d, unsigned int depth)
{
	return d->top && layer_depth(d->top) >= depth + d->merge_failed;
}

static void drop_node(struct qemu_vm *q, const char *node)
{
	qmp_execute(q->qmp, "blockdev-del", json_pack("{s:s}", "node-name", node), -1, NULL, NULL);
}

/* QEMU has the nodes and descriptors of what is no longer in the chain; those that were
 * opened with others go with them. */
static void drop_nodes(struct qemu_vm *q, struct qemu_disk *d, const struct layer *from,
		       const struct layer *to)
{
	char node[LAYER_NODE_MAX];

	for (const struct layer *l = from; l; l = l->below) {
		if (d->cover == l->id) {
			layer_cover_name(l, node);
			drop_node(q, node);
			d->cover = 0;
		}
		if (l == to)
			break;
		layer_name(l, node);
		drop_node(q, node);
		qmp_execute(q->qmp, "remove-fd", json_pack("{s:i}", "fdset-id", l->id), -1, NULL,
			    NULL);
	}
}

static int start(struct qemu_vm *q, unsigned int i);

static bool start_next(struct qemu_vm *q, unsigned int depth)
{
	for (unsigned int i = 0; i < vm_config(q->vm)->ndisks; i++) {
		if (wanted(&q->disks[i], depth) && start(q, i) == 0)
			return true;
	}
	return false;
}

static void ended(struct qemu_vm *q, int err)
{
	struct qemu_disk *d = &q->disks[q->merge_disk];
	struct layer *to = q->merge_to, *old = layer_get(d->top->below);

	q->merge_to = NULL;
	if (err && err != -ECANCELED) {
		log_warn("vm%" PRIu64 ": merging disk layers: %s", vm_handle(q->vm), strerror(-err));
		d->merge_failed += LAYER_MERGE_MIN;
	} else if (!err && layer_rebase(d->top, to) == 0) {
		d->merge_failed = 0;
		core_save();	/* before the descriptors that the last state names are gone */
		drop_nodes(q, d, old, to);
		log_debug("vm%" PRIu64 ": disk %u has %u layers", vm_handle(q->vm), q->merge_disk,
			  layer_depth(d->top));
	}
	layer_put(old);
	layer_put(to);
	if (!q->merge_awaited) {
		merge_later(q);
	} else if (!start_next(q, MERGE_MUST)) {
		q->merge_awaited = false;
		step_end(q, 0);
	}
}

static void on_started(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;

	if (err && q->vm && q->merge_to)
		ended(q, err);
}

static int start(struct qemu_vm *q, unsigned int i)
{
	struct qemu_disk *d = &q->disks[i];
	struct layer *to = choose(d);
	char node[LAYER_NODE_MAX], lower[LAYER_NODE_MAX];
	int r;

	if (to == d->top->below)
		return -EALREADY;
	q->merge_disk = i;
	q->merge_to = layer_get(to);
	layer_name(d->top, node);
	layer_name(to, lower);
	/* the name of a file that is written into the overlay and never looked at */
	r = qmp_execute(q->qmp, "block-stream",
			json_pack("{s:s, s:s, s:s, s:s}", "job-id", JOB, "device", node,
				  "base-node", lower, "backing-file", "below"),
			-1, on_started, q);
	if (r < 0) {
		layer_put(to);
		q->merge_to = NULL;
	}
	return r;
}

void merge_event(struct qemu_vm *q, const char *name, const json_t *body)
{
	const char *job = json_string_value(json_object_get(body, "device"));
	const char *error = json_string_value(json_object_get(body, "error"));

	if (!q->merge_to || !job || strcmp(job, JOB))
		return;
	if (error)
		log_warn("vm%" PRIu64 ": qemu: %s", vm_handle(q->vm), error);
	if (!strcmp(name, "BLOCK_JOB_CANCELLED"))
		ended(q, -ECANCELED);
	else
		ended(q, error ? -EIO : 0);
}

static int quiet(sd_event_source *s, uint64_t usec, void *data)
{
	struct qemu_vm *q = data;

	q->merge_timer = sd_event_source_disable_unref(q->merge_timer);
	if (!q->op && !q->future && !q->held && !q->stuck && !q->merge_to)
		start_next(q, LAYER_MERGE_AT);
	return 0;
}

void merge_later(struct qemu_vm *q)
{
	bool any = false;

	for (unsigned int i = 0; i < vm_config(q->vm)->ndisks; i++)
		any |= wanted(&q->disks[i], LAYER_MERGE_AT);
	q->merge_timer = sd_event_source_disable_unref(q->merge_timer);
	if (any && q->has_forked)
		sd_event_add_time_relative(core_loop(), &q->merge_timer, CLOCK_MONOTONIC,
					   QUIET_USEC, 0, quiet, q);
}

void merge_finish(struct qemu_vm *q, bool may_wait)
{
	bool must = false;

	for (unsigned int i = 0; may_wait && i < vm_config(q->vm)->ndisks; i++)
		must |= wanted(&q->disks[i], MERGE_MUST);
	q->merge_timer = sd_event_source_disable_unref(q->merge_timer);
	if (!q->merge_to && !(must && start_next(q, MERGE_MUST)))
		return;
	q->merge_awaited = true;
	step_begin(q);
	if (!must)
		qmp_execute(q->qmp, "block-job-cancel",
			    json_pack("{s:s, s:b}", "device", JOB, "force", 1), -1, NULL, NULL);
}

void merge_forget(struct qemu_vm *q)
{
	q->merge_timer = sd_event_source_disable_unref(q->merge_timer);
	layer_put(q->merge_to);
	q->merge_to = NULL;
}

/* What an earlier vmforkd began: it is not known how far down. */
void merge_adopt(struct qemu_vm *q)
{
	qmp_execute(q->qmp, "block-job-cancel", json_pack("{s:s, s:b}", "device", JOB, "force", 1),
		    -1, NULL, NULL);
}
