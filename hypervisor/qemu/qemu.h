/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the QEMU backend share: its VMs and checkpoints. */
#ifndef VMFORK_QEMU_H
#define VMFORK_QEMU_H

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"
#include "ivshmem.h"
#include "layer.h"
#include "qmp.h"
#include "ramlib_client.h"

typedef struct sd_event_source sd_event_source;

/**
 * DOC: Operations
 *
 * At most one operation per VM is under way (@op). It is made of steps that run side
 * by side: step_begin() before each is started, step_end() when it was answered. When
 * the last one ends, @next goes on: it starts further steps, or calls op_end(). The
 * first error is kept; later steps see it in @err and do nothing.
 *
 * VMs and checkpoints are counted: callbacks of the pager cannot be taken back, so
 * each holds a reference, and finds @vm or @cp NULL if the object was destroyed.
 */
enum qemu_op { OP_NONE, OP_START, OP_PREPARE, OP_FREEZE, OP_RESUME, OP_LOAD, OP_ADOPT };

/**
 * struct qemu_disk - one disk of a VM.
 * @base:	the base image that QEMU was started with
 * @top:	what it writes to
 * @next:	prepared for the next fork, or NULL
 * @merge_failed: layers more than usual before a merge is tried again
 * @cover:	ID of the layer that has a filter above it (load.c), or 0; not saved
 */
struct qemu_disk {
	struct layer *base;
	struct layer *top;
	struct layer *next;
	unsigned int merge_failed;
	unsigned int cover;
};

struct qemu_vm;
typedef void (*qemu_next_fn)(struct qemu_vm *q);

/**
 * struct qemu_vm - a QEMU process.
 * @vm:		the core's; NULL once destroyed
 * @said:	the end of QEMU was reported in the log
 * @channel:	the channel region, @channel_size bytes
 * @uffd:	of a clone's RAM, or -1
 * @state:	a stand-by's: the pipe that it will read its state from, or -1
 * @feed:	what is written to it, or -1; @feeder when the pipe has room again
 * @link_done: whom the answer of set_link is for, or NULL
 * @ram_base:	where the RAM is in QEMU
 * @image:	handle of the checkpoint that it pages from, or 0
 * @record:	of the pages that the clones of its last fork asked for, or -1
 * @future:	the checkpoint to be, made by prepare(), or NULL
 * @cp:		freeze(), load(): the core's
 * @merge_to:	what will be below disk @merge_disk's overlay when the merge under way has
 *		ended; NULL: none is
 * @merge_awaited: an operation's step waits for its end
 * @has_forked:	by this vmforkd, so it may do so again
 * @held:	stopped by freeze() and not resumed yet
 * @stuck:	looks whether its disk can be written again, or NULL
 * @failed_again: it could not be, since it was last made to go on
 */
struct qemu_vm {
	unsigned int refs;
	struct vm *vm;
	bool standby;
	bool said;
	int pid;
	struct qmp *qmp;
	struct ramlib *ram;
	struct ivshmem iv;
	sd_event_source *bell;
	int channel;
	size_t channel_size;
	int uffd;
	int state;
	int feed;
	sd_event_source *feeder;
	void (*link_done)(struct vm *vm, int err);
	uint64_t ram_base;
	uint64_t image;
	int record;
	struct qemu_disk disks[VM_DISKS_MAX];
	struct qemu_checkpoint *future;

	enum qemu_op op;
	unsigned int steps;
	int err;
	qemu_next_fn next;
	sd_event_source *soon;
	struct checkpoint *cp;
	unsigned int layered;			/* freeze(): disks that are done */
	bool incoming;				/* load(): MIGRATION is awaited */
	int running;				/* adopt() */
	char unforkable[160];			/* why it cannot be forked, or "" */
	struct layer *merge_to;
	unsigned int merge_disk;
	bool merge_awaited;
	sd_event_source *merge_timer;
	bool has_forked;
	bool held;
	sd_event_source *stuck;
	bool failed_again;
};

/**
 * struct qemu_checkpoint - an instant of a VM.
 * @cp:		the core's; NULL before freeze() and once destroyed
 * @image:	its memory, as far as it was asked for; read-write
 * @presence:	what of it is there
 * @mem, @pagemap: of the snapshot process, which ends with @lifeline
 * @record:	of the pages that its clones ask for; @earlier: of the VM's last checkpoint's,
 *		until the pager was told, or -1
 * @avoid:	a clone's checkpoint: its "avoid" bitmap as of now, else -1
 * @lower:	handle of the checkpoint that @avoid's VM pages from, or 0
 * @raw:	the descriptor as QEMU wrote it, or -1 when it is only stored
 * @stored:	the same, compressed, or -1
 * @raw_set:	fdset that @raw is in, in the VM that is to be frozen
 * @broken:	-errno that the pager said about the image, or 0
 */
struct qemu_checkpoint {
	unsigned int refs;
	struct checkpoint *cp;
	int image;
	int presence;
	int lifeline;
	int lifeline_read;
	int mem;
	int pagemap;
	int avoid;
	int record;
	int earlier;
	int raw;
	int stored;
	unsigned int raw_set;
	uint64_t raw_bytes;
	uint64_t stored_bytes;
	uint64_t base;
	uint64_t lower;
	uint64_t npages;
	int64_t pid;
	int broken;
	sd_event_source *idle;
	struct layer *disks[VM_DISKS_MAX];
};

static inline struct qemu_vm *qemu_of(const struct vm *vm)
{
	return vm_backend(vm);
}

/* vm.c: the objects and their operations */
struct qemu_vm *qemu_vm_new(struct vm *vm);
struct qemu_vm *qemu_vm_get(struct qemu_vm *q);
void qemu_vm_put(struct qemu_vm *q);
/** qemu_vm_forget() - what destroy() does. */
void qemu_vm_forget(struct qemu_vm *q);
/** qemu_store() - keep @fd in the fd store as "vmHANDLE.what". */
int qemu_store(struct qemu_vm *q, const char *what, int fd);
int qemu_take(struct qemu_vm *q, const char *what);
/** op_begin() - -EBUSY if one is under way. @next runs when its first steps have ended. */
int op_begin(struct qemu_vm *q, enum qemu_op op, qemu_next_fn next);
/** op_end() - report it; the object may be gone afterwards. */
void op_end(struct qemu_vm *q);
/** op_abort() - the op could not even begin: forget it, report nothing. */
void op_abort(struct qemu_vm *q);
void step_begin(struct qemu_vm *q);
void step_end(struct qemu_vm *q, int err);
/** step_soon() - a step that ends by itself, from the loop. */
int step_soon(struct qemu_vm *q);
/** step_qmp() - a command as a step; its arguments are taken. A failure to send it
 * ends the step with that error. */
void step_qmp(struct qemu_vm *q, const char *command, json_t *arguments, int fd);
/** step_command() - the same with a callback of its own, which ends with
 * step_answered(). */
void step_command(struct qemu_vm *q, const char *command, json_t *arguments, int fd,
		  qmp_reply_fn fn);
/** step_answered() - the qmp_reply_fn of a plain step. */
void step_answered(void *data, int err, json_t *ret, const char *text);
/** qemu_listen() - connect the monitor, watch the bell. */
int qemu_listen(struct qemu_vm *q);

/* process.c, freeze.c, load.c, adopt.c: the ops */
int qemu_start(struct vm *vm, enum start_kind kind, int channel, size_t size);
int qemu_prepare(struct vm *vm);
int qemu_freeze(struct vm *vm, struct checkpoint *cp);
int qemu_load(struct vm *vm, struct checkpoint *cp);
/** load_layers() - open the frozen layers from @top down to @known, which is open. */
int load_layers(struct qemu_vm *q, const struct layer *top, const struct layer *known);
/** load_migration() - QEMU's MIGRATION event, for a load under way. */
void load_migration(struct qemu_vm *q, const char *status);
/** resume_seen() - QEMU's RESUME event. */
void resume_seen(struct qemu_vm *q);
/** forkcheck() - at the start, as further steps: can the machine be forked? */
void forkcheck(struct qemu_vm *q);
const char *qemu_unforkable(const struct vm *vm);
json_t *qemu_save(const struct vm *vm);
int qemu_adopt(struct vm *vm, json_t *state);
json_t *qemu_checkpoint_save(const struct checkpoint *cp);
int qemu_checkpoint_adopt(struct checkpoint *cp, json_t *state);

/* merge.c */
/** merge_later() - it was resumed: merge its layers when it has been left alone for a while. */
void merge_later(struct qemu_vm *q);
/** merge_finish() - a fork comes: have no merge under way, as a step. @may_wait: and none
 * that is overdue. */
void merge_finish(struct qemu_vm *q, bool may_wait);
/** merge_event() - BLOCK_JOB_COMPLETED, BLOCK_JOB_CANCELLED. */
void merge_event(struct qemu_vm *q, const char *name, const json_t *body);
void merge_forget(struct qemu_vm *q);
void merge_adopt(struct qemu_vm *q);

/* stuck.c */
/** stuck_begin() - its disk cannot be written, so QEMU has stopped it. */
void stuck_begin(struct qemu_vm *q, int err);

/* image.c: checkpoints, and the pager */
/** image_alloc() - with no files yet. image_new(): with those for a new checkpoint. */
struct qemu_checkpoint *image_alloc(const struct vm_config *config);
int image_new(const struct vm_config *config, struct qemu_checkpoint **ret);
void image_put(struct qemu_checkpoint *c);
/** image_forget() - what checkpoint_destroy() does. */
void image_forget(struct qemu_checkpoint *c);
int image_store(struct qemu_checkpoint *c);
/** image_announce() - PAGER_IMAGE_ADD. clone_announce(): PAGER_CLONE_ADD, as a step. */
int image_announce(struct qemu_checkpoint *c);
int clone_announce(struct qemu_vm *q);
unsigned int config_slots(const struct vm_config *cfg, struct pager_slot *slots);

/* keep.c: a checkpoint after the pause */
struct ramlib_rep;
/** keep_open_snapshot() - for a library that could not open the process's files. */
int keep_open_snapshot(struct qemu_checkpoint *c, const struct ramlib_rep *rep);
/** keep_when_idle() - compress the descriptor as soon as nothing else is to be done. */
int keep_when_idle(struct qemu_checkpoint *c);
/** keep_open_descriptor() - a fresh descriptor of the raw form, at offset 0. */
int keep_open_descriptor(const struct qemu_checkpoint *c);

/* describe.c */
void qemu_describe(const struct vm *vm, json_t *into);
void qemu_checkpoint_describe(const struct checkpoint *cp, json_t *into);
/** log_tail() - the last line of QEMU's stderr in @dir; "" if there is none. */
void log_tail(const char *dir, char *buf, size_t len);

/* check.c */
int qemu_probe(char *why, size_t len);
int qemu_check(const struct vm_config *cfg, char *why, size_t len);
/** accel_of() - "kvm" or "tcg": what a VM of @cfg runs on here. */
const char *accel_of(const struct vm_config *cfg);
const char *qemu_program(void);

#define QMP_SOCKET	"qmp.sock"
#define CONSOLE_SOCKET	"console.sock"
#define CONSOLE_LOG	"console.log"
#define QEMU_LOG	"qemu.log"

#endif /* VMFORK_QEMU_H */
