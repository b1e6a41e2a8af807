/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the Xen backend share: its VMs and checkpoints. */
#ifndef VMFORK_XEN_H
#define VMFORK_XEN_H

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"
#include "disks.h"
#include "xenvm_proto.h"

typedef struct sd_event_source sd_event_source;

/**
 * DOC: Operations
 *
 * All that blocks is done by the VM's vmfork-xenvm process (xenvm_proto.h), one request
 * at a time. An operation is one request but for start() of a root VM: START, its devices,
 * RESUME; freeze(): FREEZE, the disks' new overlays; and load(): RESTORE, its devices, the
 * pager takes the clone, LOAD.
 *
 * VMs and checkpoints are counted, as callbacks of the pager cannot be taken back.
 */
enum xen_op {
	XEN_OP_NONE, XEN_OP_START, XEN_OP_PREPARE, XEN_OP_FREEZE, XEN_OP_RESUME, XEN_OP_LOAD,
	XEN_OP_ADOPT
};

struct xen_checkpoint;

/**
 * struct xen_vm - a domain and the process that tends it.
 * @vm:		the core's; NULL once destroyed
 * @channel:	the core's channel file: a clone's contents before it has run
 * @gfns:	file with the gfns of the channel region, or -1
 * @mapped:	the region's frames are mapped where the core looks
 * @image:	handle of the checkpoint that it pages from, or 0
 * @paged:	the pager knows it
 * @record:	of its last checkpoint, or of the one that it is a clone of; or -1
 * @lower:	a clone's: image and presence map that it pages from, else -1
 * @cp:		freeze(), load(): the checkpoint
 * @future:	what freeze() makes; @prepared: prepare() has begun it; @ahead: a first
 *		copy of all is in it
 */
struct xen_vm {
	unsigned int refs;
	struct vm *vm;
	bool standby;
	bool mapped;
	bool paged;
	bool prepared;
	bool ahead;
	bool stopped;		/* adopt(): it was found suspended */
	int pid;
	int sock;
	int bell;
	int kick;
	int channel;
	size_t channel_size;
	int gfns;
	int record;
	int lower[2];
	uint32_t domain;
	uint64_t image;
	sd_event_source *from_helper;
	sd_event_source *on_bell;
	enum xen_op op;
	enum xenvm_op asked;	/* what is to be answered */
	struct xen_disks disks;
	struct checkpoint *cp;
	struct xen_checkpoint *future;
	uint64_t copied;
	uint64_t copied_late;
	uint64_t copied_early;
};

/**
 * struct xen_checkpoint - an instant of a domain.
 * @image:	its memory; complete but for what is free
 * @presence:	what of it is there; PAGE_ABSENT: the domain had no page there
 * @descriptor:	a migration stream without memory
 * @gfns:	of the channel region
 * @record:	pages that clones ask for; @earlier: those of the checkpoint before, or -1
 */
struct xen_checkpoint {
	unsigned int refs;
	struct checkpoint *cp;
	int image;
	int presence;
	int descriptor;
	int gfns;
	int record;
	int earlier;
	uint64_t npages;
	uint64_t freed;		/* pages left out as they were free */
	int broken;
	struct layer *disks[VM_DISKS_MAX];
};

static inline struct xen_vm *xen_of(const struct vm *vm)
{
	return vm_backend(vm);
}

/* vm.c */
int xen_start(struct vm *vm, enum start_kind kind, int channel, size_t size);
int xen_resume(struct vm *vm);
void xen_forget(struct xen_vm *x);
void xen_put(struct xen_vm *x);
/** xen_ask() - send a request with @fds. */
int xen_ask(struct xen_vm *x, enum xenvm_op op, const int *fds, unsigned int nfds);
void xen_op_begin(struct xen_vm *x, enum xen_op op);
void xen_op_end(struct xen_vm *x, int err);

/** xen_plug() - with net "bridge": what xen-netback has made goes into the family's bridge. */
int xen_plug(struct xen_vm *x);
/** xen_keep_gfns() - of the channel region; takes *@fd. */
int xen_keep_gfns(struct xen_vm *x, int *fd);
/** xen_listen() - to the process and to the bell. */
int xen_listen(struct xen_vm *x);
/** xen_store() - keep @fd in the fd store as "vmHANDLE.what". */
int xen_store(struct xen_vm *x, const char *what, int fd);

/* freeze.c */
int xen_prepare(struct vm *vm);
void xen_prepared(struct xen_vm *x, int err);
void xen_unprepare(struct vm *vm);
int xen_freeze(struct vm *vm, struct checkpoint *cp);
void xen_frozen(struct xen_vm *x, const struct xenvm_rep *rep);

/* load.c */
int xen_load(struct vm *vm, struct checkpoint *cp);
void xen_restored(struct xen_vm *x, const struct xenvm_rep *rep, int evtchn);
void xen_clone_added(struct xen_vm *x, int err);
void xen_loaded(struct xen_vm *x, const struct xenvm_rep *rep);

/* adopt.c */
json_t *xen_save(const struct vm *vm);
int xen_adopt(struct vm *vm, json_t *state);
json_t *xen_checkpoint_save(const struct checkpoint *cp);
int xen_checkpoint_adopt(struct checkpoint *cp, json_t *state);
int xen_checkpoint_store(const struct xen_checkpoint *c);

/* image.c */
/** xen_checkpoint_alloc() - with no files yet. */
struct xen_checkpoint *xen_checkpoint_alloc(const struct vm_config *config);
int xen_image_new(const struct vm_config *config, struct xen_checkpoint **ret);
void xen_image_put(struct xen_checkpoint *c);
/** xen_image_forget() - what checkpoint_destroy() does. */
void xen_image_forget(struct xen_checkpoint *c);
/** xen_image_leave_free() - leave the pages of the free set out of a new image. */
int xen_image_leave_free(struct xen_checkpoint *c, const struct xen_vm *x);
int xen_image_announce(struct xen_checkpoint *c);
/** xen_clone_announce() - PAGER_CLONE_ADD; xen_clone_added() when it is answered. */
int xen_clone_announce(struct xen_vm *x, const struct xenvm_rep *rep, int evtchn);
unsigned int xen_slots(const struct vm_config *cfg, struct pager_slot *slots);

/* region.c */
/** region_map() - map the frames over the core's mapping. @fresh: fill them first. */
int region_map(struct xen_vm *x, bool fresh);
/** region_unmap() - the core's own file again, with what was in the frames. */
int region_unmap(struct xen_vm *x);

#define CONSOLE_SOCKET	"console.sock"
#define CONSOLE_LOG	"console.log"
#define XENVM_LOG	"xenvm.log"

#endif /* VMFORK_XEN_H */
