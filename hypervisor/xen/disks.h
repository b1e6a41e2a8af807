/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks of Xen domains: layers, and the QEMU that serves them. */
#ifndef VMFORK_XEN_DISKS_H
#define VMFORK_XEN_DISKS_H

#include <stdbool.h>
#include <jansson.h>

#include "../qemu/layer.h"

/**
 * DOC: Disks
 *
 * Layers are those of the QEMU backend (qemu/layer.h): a VM writes to an overlay of its own,
 * and what is below never changes. Each domain has a QEMU of its own, a child of its
 * vmfork-xenvm, that is nothing but the back end of its disks ("qdisk"). It is told by its
 * monitor, from here:
 *
 *   START, RESTORE   the domain is there: disks_attach() opens the chains and makes a
 *                    device for each disk
 *   FREEZE           before: disks_prepare() makes the overlays. After, while the domain
 *                    is suspended: disks_snapshot() puts them on top
 *
 * The parent's front ends stay connected. What they had under way when they were suspended
 * has ended when blockdev-snapshot has, or is still in the ring, which is not read before the
 * domain runs. In a clone the front end connects anew and asks for all of it once more.
 */
struct xen_vm;
struct xen_checkpoint;
struct qmp;
typedef struct sd_event_source sd_event_source;

/** disks_fn - what was begun has ended. Called at once if there are no disks. */
typedef void (*disks_fn)(struct xen_vm *x, int err);

/**
 * struct xen_disk - one disk.
 * @base:	the base image
 * @top:	what the domain writes to
 * @next:	prepared for the fork under way, or NULL
 */
struct xen_disk {
	struct layer *base;
	struct layer *top;
	struct layer *next;
};

/**
 * struct xen_merge - disks_merge.c: layers that become one.
 * @top:	the overlay that they are merged into, or NULL
 * @to:		what will be below it
 * @failed:	layers more than usual before it is tried again
 * @forked:	by this vmforkd, so it may do so again
 */
struct xen_merge {
	struct layer *top;
	struct layer *to;
	unsigned int failed;
	bool forked;
	sd_event_source *timer;
};

/**
 * struct xen_disks - the disks of a domain.
 * @steps:	commands under way, and one while they are sent
 * @giving:	disks_attach(): the disk whose layers QEMU is given; @layer: the next of them
 * @snapped:	disks_snapshot(): disks that are done
 * @into:	disks_snapshot(): the checkpoint to be
 */
struct xen_disks {
	struct qmp *qmp;
	unsigned int steps;
	int err;
	disks_fn done;
	unsigned int giving;
	const struct layer *layer;
	unsigned int snapped;
	struct xen_checkpoint *into;
	struct xen_merge merge;
	struct xen_disk disk[VM_DISKS_MAX];
};

int disks_check(const struct vm_config *config, char *why, size_t len);
/** disks_listen() - the socket and the log of the QEMU to be. */
int disks_listen(struct xen_vm *x, int fds[2]);
int disks_connect(struct xen_vm *x);
/** disks_attach() - to the domain that is there now, with the contents of @c; NULL: with those
 * of the base images. */
void disks_attach(struct xen_vm *x, const struct xen_checkpoint *c, disks_fn done);
int disks_prepare(struct xen_vm *x);
void disks_snapshot(struct xen_vm *x, struct xen_checkpoint *c, disks_fn done);
/** disks_unprepare() - it comes to no fork. */
void disks_unprepare(struct xen_vm *x);
void disks_forget(struct xen_vm *x);
void disks_describe(const struct xen_vm *x, json_t *into);

/* disks_merge.c */
/** merge_later() - it was resumed: merge its layers when it has been left alone for a while. */
void merge_later(struct xen_vm *x);
/** merge_event() - of QEMU's jobs. */
void merge_event(struct xen_vm *x, const char *name, const json_t *body);
void merge_cancel(struct xen_vm *x);
void merge_forget(struct xen_vm *x);

/** disks_save(), disks_adopt() - chains, for a restart of vmforkd. disks_find() asks QEMU what
 * the disks' top layers are. */
json_t *disks_save(const struct xen_vm *x);
int disks_adopt(struct xen_vm *x, json_t *saved);
void disks_find(struct xen_vm *x, disks_fn done);
json_t *disks_save_frozen(const struct xen_checkpoint *c);
int disks_adopt_frozen(struct xen_checkpoint *c, json_t *saved);

#endif /* VMFORK_XEN_DISKS_H */
