/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The narrow waist: what vmforkd's core asks of a hypervisor, and what it is told. */
#ifndef VMFORK_BACKEND_H
#define VMFORK_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <jansson.h>

#include "pager_proto.h"

/**
 * DOC: Backends
 *
 * The core knows families, tickets, clones, checkpoints and the channel's
 * contents; a backend knows one hypervisor. Every op starts something and returns
 * 0 or a negative errno at once; what it started ends with exactly one call of
 * core_event(). Ops never block (no synchronous QMP, no waiting for a process).
 * One op at a time per VM, except kill() and destroy(), which end any other: its
 * event still comes (with an error), or comes no more after destroy().
 *
 * A VM's life, as the backend sees it:
 *
 *   (start ROOT) STARTING -> RUNNING <-> FROZEN (freeze ... resume)
 *   (start STANDBY) STARTING -> STANDBY -> (load) LOADED -> (resume) RUNNING
 *   any -> DEAD (VM_EV_DEAD comes once, asked for or not) -> destroy()
 *
 * The fork of a VM, in calls: prepare(parent) early, at the ticket; in the guest's
 * fork point freeze(parent); core writes the parent's answer; resume(parent); for
 * each clone load(clone, checkpoint) side by side; core writes its fork block; when
 * all are loaded, resume() all.
 */

#define VM_NAME_MAX	64
#define VM_DISKS_MAX	8
#define VM_PATH_MAX	256
#define VM_EXTRA_MAX	32
#define VM_EXTRA_LEN	256

/** struct vm_disk - one writable disk; the VM writes to an overlay of its own. */
struct vm_disk {
	char path[VM_PATH_MAX];	/* base image: never written */
	char format[16];	/* "raw" or "qcow2" */
};

/** struct vm_config - what a root VM was started with; clones inherit it. */
struct vm_config {
	char name[VM_NAME_MAX];
	uint64_t memory;	/* bytes, a multiple of 2 MiB */
	unsigned int vcpus;	/* 1..16 */
	char accel[8];		/* "auto", "kvm", "tcg" */
	char machine[8];	/* "pc", "q35"; Xen: "pvh", "hvm" */
	char kernel[VM_PATH_MAX];	/* or empty: boots from its first disk */
	char initrd[VM_PATH_MAX];
	char append[1024];
	char net[8];		/* "none", "user", "bridge" */
	unsigned int nextra;
	char extra[VM_EXTRA_MAX][VM_EXTRA_LEN];	/* for the hypervisor, as they are */
	unsigned int ndisks;
	struct vm_disk disks[VM_DISKS_MAX];
};

enum vm_event {
	VM_EV_STARTED = 1,	/* start(): runs (ROOT) or waits (STANDBY) */
	VM_EV_PREPARED,		/* prepare() */
	VM_EV_FROZEN,		/* freeze(): the checkpoint is complete */
	VM_EV_PROGRESS,		/* what was asked for takes long, and gets on: the time limit begins anew */
	VM_EV_RESUMED,		/* resume() */
	VM_EV_LOADED,		/* load() */
	VM_EV_ADOPTED,		/* adopt(): @arg: 1 running, 0 stopped */
	VM_EV_RANG,		/* the guest rang the doorbell (any number of times) */
	VM_EV_POWEROFF,		/* the guest powered itself off; DEAD follows */
	VM_EV_PANIC,		/* the guest panicked; DEAD follows */
	VM_EV_IO_ERROR,		/* @err: its disk cannot be written, so it stands still; 0: goes on */
	VM_EV_DEAD,		/* its process is gone; @arg: as of waitpid(2) */
};

/** struct fork_times - CLOCK_MONOTONIC, ns; 0: not reached. For the closing table. */
struct fork_times {
	uint64_t rang;		/* the request was seen */
	uint64_t stopped;	/* parent: its vCPUs stand still */
	uint64_t saved;		/* parent: descriptor complete */
	uint64_t snapped;	/* parent: snapshot process exists */
	uint64_t resumed;	/* vCPUs run (again) */
	uint64_t load_begin;	/* clone */
	uint64_t loaded;	/* clone */
};

struct vm;		/* core/vm.h; backends use the accessors below */
struct checkpoint;

/* What a backend may ask of the core. */
const struct vm_config *vm_config(const struct vm *vm);
uint64_t vm_handle(const struct vm *vm);
const char *vm_dir(const struct vm *vm);	/* its own directory, exists, runtime */
bool vm_is_clone(const struct vm *vm);		/* made by load() */
/* Whose fork a stand-by waits for; NULL: not known, or gone. It may become a clone of
 * another VM of the family all the same. */
const struct vm *vm_origin(const struct vm *vm);
/** vm_memory_limit() - MiB of the host's memory that it may have, 0: any. vm_cpu_weight(): of the
 * processors, 1..10000 as of cgroup v2 (100 is usual), 0: as usual. */
uint32_t vm_memory_limit(const struct vm *vm);
uint32_t vm_cpu_weight(const struct vm *vm);
/** vm_open_tap() - with net "bridge", once, in start(): this machine's tap, and the MAC that
 * its device is to have. It goes with the last copy of the descriptor, which is the
 * caller's: the hypervisor keeps it. A negative errno on failure. */
int vm_open_tap(struct vm *vm, uint8_t mac[6]);
/** vm_mac() - with net "bridge": the MAC that its device is to have; else -ENODEV. */
int vm_mac(const struct vm *vm, uint8_t mac[6]);
/** vm_plug_link() - instead of vm_open_tap(), once, before it runs: @link is what the
 * hypervisor has made on the host for its device, and is down. It gets a tap's name. */
int vm_plug_link(struct vm *vm, const char *link);
void *vm_backend(const struct vm *vm);		/* backend's own, or NULL */
void vm_set_backend(struct vm *vm, void *priv);
struct fork_times *vm_times(struct vm *vm);
uint64_t checkpoint_handle(const struct checkpoint *cp);
struct vm *checkpoint_vm(const struct checkpoint *cp);	/* NULL once that VM is gone */
const struct vm_config *checkpoint_config(const struct checkpoint *cp);
void *checkpoint_backend(const struct checkpoint *cp);
void checkpoint_set_backend(struct checkpoint *cp, void *priv);

/** vm_channel() - where the core has the channel region mapped. A backend whose guest has
 * the region in frames of its own maps those over it, at this address. */
void *vm_channel(const struct vm *vm);

/**
 * core_event() - something ended or happened. Called from the event loop only,
 * never from inside an op. The core may call further ops of any VM from inside it,
 * but destroy() and checkpoint_destroy() only from deferred work of its own.
 * @err:	0 or a negative errno (for the completions)
 * @arg:	see enum vm_event
 */
void core_event(struct vm *vm, enum vm_event ev, int err, int arg);

/** core_store_fd() - keep @fd alive over a restart of vmforkd; the caller's fd
 * stays the caller's. core_take_fd(): the stored fd (once), or -1. Names as in
 * "vm12.uffd"; core_drop_fds("vm12.*") at the end. */
int core_store_fd(const char *name, int fd);
int core_take_fd(const char *name);
void core_drop_fds(const char *prefix);

/** core_save() - write down now what adopt() needs: before stored descriptors go that the
 * last writing names. */
void core_save(void);

/** core_spawn() - start a process as the keeper's child; @done gets its pid or a
 * negative errno; its end arrives as VM_EV_DEAD of @vm when @name is the one given
 * here: "vmHANDLE.something". @fds become 3, 4, ...; @out is its stdout and stderr. */
typedef void (*core_spawned_fn)(struct vm *vm, int pid);
int core_spawn(struct vm *vm, const char *name, char *const argv[], char *const envp[],
	       const int *fds, unsigned int nfds, int out, core_spawned_fn done);
int core_signal(int pid, int sig);

/** core_hold_snapshot() - @pid holds memory for @cp: it is not to be killed with the
 * machine. Takes its time: not while a machine stands still. */
void core_hold_snapshot(const struct checkpoint *cp, int pid);

/** core_pager() - send one request with fds; @done gets the answer. The fds are
 * the caller's and may be closed on return. */
typedef void (*core_pager_fn)(void *data, const struct pager_rep *rep);
int core_pager(const struct pager_req *req, const int *fds, unsigned int nfds,
	       core_pager_fn done, void *data);

/** core_lib_dir() - the directory of libvmfork-ram.so, absolute. */
const char *core_lib_dir(void);
/** core_vm_ids() - whom core_spawn() runs VMs as; -1: as vmforkd itself. */
void core_vm_ids(uid_t *ret_uid, gid_t *ret_gid);

struct sd_event;
struct sd_event *core_loop(void);
int core_image_dir(void);	/* dirfd of the tmpfs for images: O_TMPFILE there */

enum start_kind { START_ROOT, START_STANDBY };

struct backend_ops {
	const char *name;
	const char *machine;	/* which one is meant if none is said */
	bool own_limits;	/* vm_memory_limit(), vm_cpu_weight() are kept by start(), not by a cgroup */
	bool own_links;		/* it makes the links of machines itself: vm_plug_link(), no taps */
	bool privileged;	/* core_spawn() runs processes as vmforkd itself */
	unsigned int patience;	/* seconds for freeze(), resume(), load(); 0: the core's own */
	bool runs_on;	/* a guest at its fork point runs until freeze() stops it: it can wait for prepare() */
	/** probe: can it work here? Fills @why in one line either way ("kvm: ..."). */
	int (*probe)(char *why, size_t len);
	/** check: is @cfg acceptable? A clear message in @why if not (-EINVAL). */
	int (*check)(const struct vm_config *cfg, char *why, size_t len);
	/**
	 * start: begin a VM of vm_config(). @channel: fd of the channel region
	 * (memfd), @size bytes, made by the core. -> VM_EV_STARTED
	 */
	int (*start)(struct vm *vm, enum start_kind kind, int channel, size_t size);
	/** prepare: make what the next freeze() needs (overlay files), begin to copy.
	 * -> PREPARED. freeze() without it works and is slower. */
	int (*prepare)(struct vm *vm);
	/** unprepare: no ticket waits any more: give up what prepare() began, if that costs
	 * the VM something as long as it is there. May be NULL. */
	void (*unprepare)(struct vm *vm);
	/** freeze: stop; new disk overlay; descriptor; memory snapshot; register the
	 * image with the pager (its "avoid" bitmap copied first). -> FROZEN. On an
	 * error the VM is still frozen: the core resumes it. */
	int (*freeze)(struct vm *vm, struct checkpoint *cp);
	/** resume: -> RESUMED */
	int (*resume)(struct vm *vm);
	/** load: stand-by becomes a clone of @cp, stopped. -> LOADED. The core
	 * writes the channel's contents before resume(). */
	int (*load)(struct vm *vm, struct checkpoint *cp);
	/**
	 * set_link: with net "user": does what the guest sends leave, does anything reach
	 * it? At any time from STARTED on; ordered before a later resume(). A stand-by
	 * starts, and is loaded, with its link off. @done, if not NULL, is called once, as
	 * long as the VM is not destroyed; not if set_link() fails.
	 */
	int (*set_link)(struct vm *vm, bool up, void (*done)(struct vm *vm, int err));
	/** unforkable: why it cannot be forked, printable ASCII; NULL: it can. */
	const char *(*unforkable)(const struct vm *vm);
	/** kick: ring the guest's doorbell. */
	void (*kick)(struct vm *vm);
	/** kill: end its process now. -> VM_EV_DEAD */
	int (*kill)(struct vm *vm);
	/** destroy: DEAD or never started: forget it, remove its files and fds. */
	void (*destroy)(struct vm *vm);
	/** checkpoint_destroy: image, snapshot process, descriptor, frozen disks. */
	void (*checkpoint_destroy)(struct checkpoint *cp);
	/* slots of the VM's RAM, for the pager and the bitmaps' size */
	unsigned int (*slots)(const struct vm_config *cfg, struct pager_slot *slots);

	/* restart of vmforkd: state is JSON of the backend's own; fds: core_take_fd() */
	json_t *(*save)(const struct vm *vm);
	int (*adopt)(struct vm *vm, json_t *state);	/* -> ADOPTED or DEAD */
	json_t *(*checkpoint_save)(const struct checkpoint *cp);
	int (*checkpoint_adopt)(struct checkpoint *cp, json_t *state);

	/** console: a connection to the VM's serial console, blocking, the caller's; or
	 * -errno. May be NULL. */
	int (*console)(const struct vm *vm);

	/* figures and places, added to a VM's or checkpoint's JSON for vmforkctl
	 * ("console": path, "pid", "qmp", "overlay_bytes"...; "descriptor_bytes",
	 * "descriptor_stored_bytes", "image_bytes"...) */
	void (*describe)(const struct vm *vm, json_t *into);
	void (*checkpoint_describe)(const struct checkpoint *cp, json_t *into);
};

extern const struct backend_ops qemu_backend;
extern const struct backend_ops xen_backend;

/** backend_builtin - the one that this vmforkd was linked with. */
extern const struct backend_ops *const backend_builtin;

#endif /* VMFORK_BACKEND_H */
