/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disk layers: base images and the overlays above them, shared by all who read them. */
#ifndef VMFORK_LAYER_H
#define VMFORK_LAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "backend.h"

/**
 * DOC: Disk layers
 *
 * A VM writes to the overlay on top of its chain; everything below never changes. At a
 * fork a new overlay goes on top of the parent's chain, and one per clone on the same
 * frozen chain. Overlays have no names (O_TMPFILE): a layer goes with the last of the
 * VMs, checkpoints and upper layers that use it, whatever dies first. QEMU gets
 * descriptors only, in fdsets with the layer's ID as number.
 */
#define LAYERS_MAX	2048
#define LAYER_DEPTH_MAX	256

/**
 * struct layer - one image file.
 * @refs:	VMs, checkpoints, and the layers directly above
 * @id:		unique while vmforkd's VMs live; also the number of its fdset
 * @fd:		base: read-only; overlay: read-write
 * @size:	what the guest sees, bytes
 * @device:	@fd is a block device
 * @dev, @ino:	a base's; 0 of overlays
 * @slot:	a base's: which of its machine's disks it is
 */
struct layer {
	unsigned int refs;
	unsigned int id;
	int fd;
	uint64_t size;
	bool device;
	bool raw;
	dev_t dev;
	ino_t ino;
	unsigned int slot;
	struct layer *below;
};

/** layer_new_id() - also for fdsets that hold no layer. */
unsigned int layer_new_id(void);

/** layer_open_base() - a base image; a message in @why if it cannot be used. Who uses
 * the same file, in the same format, as the same of its disks (@slot) gets the same layer: a
 * machine may have a file twice, and a node of QEMU's has one user. */
int layer_open_base(const struct vm_disk *disk, unsigned int slot, char *why, size_t len,
		    struct layer **ret);
/** layer_new_overlay() - an empty overlay on @below; takes a reference of its own. */
int layer_new_overlay(struct layer *below, struct layer **ret);
/** layer_rebase() - put an overlay that nothing was written to on another layer. */
int layer_rebase(struct layer *l, struct layer *below);
struct layer *layer_get(struct layer *l);
/** layer_put() - NULL is fine. */
void layer_put(struct layer *l);
unsigned int layer_depth(const struct layer *l);
/** layer_fd() - a descriptor for QEMU: the caller's; @write as the node is opened. */
int layer_fd(const struct layer *l, bool write);

/** layer_base() - the bottom of its chain. */
struct layer *layer_base(struct layer *l);

#define LAYER_MERGE_MIN	12
#define LAYER_MERGE_AT	24	/* layers: it is time to merge some */
/** layer_merge_to() - the layer that is to be below the overlay @top once those in between
 * are merged into it: at least LAYER_MERGE_MIN, and on until one holds more than all above it.
 * So what is at the bottom is copied seldom, and the layers that stay get larger by twice and
 * more from one to the next. */
struct layer *layer_merge_to(const struct layer *top);

#define LAYER_NODE_MAX	16
/** layer_name() - its node's name in every QEMU. */
void layer_name(const struct layer *l, char name[LAYER_NODE_MAX]);
/** layer_cover_name() - of the filter above it that load.c made, if it did. */
void layer_cover_name(const struct layer *l, char name[LAYER_NODE_MAX]);
/** layer_node() - what blockdev-add wants for @l. @write: the VM's own. Below it come its
 * lower layers down to @known, a node that QEMU has already; @known NULL: nothing, yet. */
json_t *layer_node(const struct layer *l, bool write, const struct layer *known);

/** layers_save() - IDs and formats of a chain. layers_adopt(): the other way, from the
 * fd store; chains that share layers share them again. */
json_t *layers_save(const struct layer *top);
int layers_adopt(const json_t *saved, struct layer **ret);
/** layer_adopt_overlay() - QEMU has overlay @id on *@top, which was not written down. */
int layer_adopt_overlay(struct layer **top, unsigned int id);

#endif /* VMFORK_LAYER_H */
