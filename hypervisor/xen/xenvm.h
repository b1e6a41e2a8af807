/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmfork-xenvm: one Xen domain of vmforkd's. What its files share. */
#ifndef VMFORK_XENVM_H
#define VMFORK_XENVM_H

#include <stdbool.h>
#include <stdint.h>
#include <xenctrl.h>	/* before all others of Xen's: it says that we are a tool */
#include <libxl.h>
#include <xencall.h>
#include <xenevtchn.h>
#include <xenstore.h>
#include <pthread.h>

#include "split.h"
#include "xenvm_proto.h"

/**
 * DOC: Threads
 *
 * The main thread waits for everything: the peer, the doorbell, xenstore, the console. A
 * worker thread does one request at a time and has libxl's context to itself; @domain is
 * set by it before it says so to the main thread.
 */

/** struct console - the domain's console as a socket and a log. */
struct console {
	int tty;
	int listener;
	int client;
	int log;
};

/** struct device - the back end of the guest's "vmfork" device. */
struct device {
	struct xs_handle *xs;
	xenevtchn_handle *evtchn;
	int port;		/* ours; -1: not bound */
	char front[64];
	char back[64];
};

/* What is said to a copy that has begun: wait before the last pages, end, do not end. */
enum copy_word { COPY_HOLD, COPY_GO, COPY_DROP };

/**
 * struct copy - of the domain, by a thread of its own (xenvm_copy.c).
 * @begun:	@thread is to be joined
 * @said:	eventfd: @word has changed; -1: there was no copy yet
 * @small:	the pipe is too small for a record
 * @told_ns:	when vmforkd was last told that it gets on
 * @fds:	those of XENVM_PREPARE or XENVM_FREEZE
 */
struct copy {
	bool begun;
	pthread_t thread;
	enum copy_word word;
	int said;
	bool small;
	uint64_t told_ns;
	int fds[5];
	int err;
	struct split split;
};

/** struct standby - a clone's domain that waits for its descriptor (xenvm_standby.c). */
struct standby {
	bool begun;
	bool ended;
	pthread_t thread;
	int in;
	int out;
	int err;
	uint32_t domain;
};

/** struct qemu - the process that serves the disks; @pid 0: none. */
struct qemu {
	pid_t pid;
	int pidfd;
};

struct xenvm {
	int peer;
	int bell;
	int kick;
	int done;		/* eventfd: the worker has an answer */
	uint32_t domain;	/* 0: there is none */
	libxl_uuid uuid;	/* its own, whether libxl has made it yet or not */
	bool fresh;		/* made, and has not run yet */
	bool frozen;
	bool ending;
	struct vm_config config;
	uint64_t handle;
	uint64_t size;		/* of the channel region */
	libxl_ctx *ctx;
	xc_interface *xc;
	xencall_handle *call;
	struct console console;
	struct device device;
	struct qemu qemu;
	struct copy copy;
	struct standby standby;
	uint8_t mac[6];
	struct xenvm_req req;
	int fds[XENVM_FDS_MAX];
	struct xenvm_req next;	/* @next.op: it waits */
	int next_fds[XENVM_FDS_MAX];
	struct xenvm_rep rep;
	int rep_fd;
	bool busy;
};

/* xenvm.c */
/** say_what() - an event, to vmforkd. By any thread. */
void say_what(const struct xenvm *x, enum xenvm_what what, int fd);

/* xenvm_domain.c: the worker's. All return 0 or a negative errno. */
int domain_open(struct xenvm *x);
int domain_create(struct xenvm *x);
/** domain_restore() - from @stream: a domain without memory. */
int domain_restore(struct xenvm *x, int stream, uint32_t *ret_domain);
/** domain_made() - its devices, its console. */
int domain_made(struct xenvm *x, uint32_t domain);
/** domain_error() - libxl's errors are its own; what happened is in its log, which is ours. */
int domain_error(const struct xenvm *x, int rc);
int domain_resume(struct xenvm *x);
bool domain_is_stopped(struct xenvm *x);

/* xenvm_standby.c */
/** standby_begin() - return once there is a domain, or it has failed (which standby_end() tells). */
int standby_begin(struct xenvm *x);
/** standby_end() - make a clone's domain of @descriptor, with standby_begin() or without. */
int standby_end(struct xenvm *x, int descriptor);

/* xenvm_copy.c */
/** copy_prepare() - begin, and wait for domain_freeze(). Takes @fds, those of XENVM_PREPARE. */
int copy_prepare(struct xenvm *x, int *fds);
/** copy_drop() - it comes to no fork. By any thread; does not wait. */
void copy_drop(struct xenvm *x);
/** domain_freeze() - copy and suspend. Takes @fds, those of XENVM_FREEZE. */
int domain_freeze(struct xenvm *x, int *fds);

/* xenvm_load.c */
/** load_ring() - enable paging; fills in @x->rep and @x->rep_fd. */
int load_ring(struct xenvm *x);
int load_pages(struct xenvm *x, int presence, int region, int gfns);

/* xenvm_console.c */
int console_open(struct console *c, const char *tty);
void console_read(struct console *c);
void console_accept(struct console *c);
void console_client(struct console *c);

/* xenvm_device.c */
int device_open(struct device *d);
int device_make(struct device *d, uint32_t domain, uint64_t size);
/** device_remove() - all our back ends for @domain, which libxl does not know of. */
void device_remove(uint32_t domain);
void device_set_state(struct device *d, int state);
int device_state(const struct device *d);
/** device_connect() - bind the doorbell. @ret_gfns: malloc()ed, @npages of them. */
int device_connect(struct device *d, uint32_t domain, uint64_t npages, uint64_t limit,
		   uint64_t **ret_gfns);
void device_unbind(struct device *d);
/** device_put(), device_make_dir() - a node; a directory that @owner may write. */
int device_put(const struct device *d, const char *dir, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int device_make_dir(const struct device *d, const char *dir, unsigned int owner,
		    unsigned int reader);

/* xenvm_vif.c */
int vif_make(const struct device *d, uint32_t domain, const uint8_t mac[6]);

/* xenvm_disk.c */
/** qemu_start() - it listens on @qmp. qemu_end(): it is gone when this returns. */
int qemu_start(struct qemu *q, int qmp, int log);
void qemu_end(struct qemu *q);

#endif /* VMFORK_XENVM_H */
