/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vmforkd says to vmfork-xenvm: one SOCK_SEQPACKET message each, with fds. */
#ifndef VMFORK_XENVM_PROTO_H
#define VMFORK_XENVM_PROTO_H

#include <stdint.h>
#include <stdio.h>

#include "backend.h"

/**
 * DOC: vmforkd <-> vmfork-xenvm
 *
 * One vmfork-xenvm process per domain does what blocks: libxl, copying, hypercalls that
 * take long. It ends when the domain does, and the domain ends when it is told to end
 * (SIGTERM) or its peer is gone for good. One request at a time, and one more may wait (a
 * restarted vmforkd does not know of the first); each is answered by one XENVM_DONE. CONNECT,
 * COPIED, PROGRESS, CLOSE and ENDED come unasked.
 */
#define XENVM_FDS_MAX	6

enum xenvm_op {
	/*
	 * What it is to be: @config, @size of the channel region, @clone. fds: [0] bell
	 * and [1] kick (eventfds), [2] listening console socket, [3] console log; with disks:
	 * [4] listening socket for the monitor of the QEMU that will serve them, [5] its
	 * log. A root domain is there when this is done; a clone's is, and has nothing in it.
	 */
	XENVM_START = 1,
	/*
	 * Begin a copy of the domain, which runs on; done once it has begun. fds: [0] image,
	 * [1] presence map, [2] descriptor; of a clone then what it pages from: [3] image,
	 * [4] presence map.
	 */
	XENVM_PREPARE,
	/*
	 * Copy the domain and leave it suspended. Without fds: what PREPARE began is brought
	 * to its end, in the files that it got; else as there. -> rep.stopped_ns, rep.copied...
	 */
	XENVM_FREEZE,
	/* Let it run (on). */
	XENVM_RESUME,
	/*
	 * Make the clone's domain. fds: [0] descriptor. -> rep.domain, rep.port,
	 * rep.ring, fds: [0] event channel device on which @port is bound.
	 */
	XENVM_RESTORE,
	/*
	 * Once a pager serves it: mark its pages, put the channel's frames into place. fds:
	 * [0] presence map, [1] the region's contents, [2] its gfns (uint64_t each).
	 */
	XENVM_LOAD,
	/* Drop what PREPARE began; answered when all before is. -> rep.stopped */
	XENVM_STATE,
	/* Answers to CONNECT and CLOSE; not answered themselves. */
	XENVM_CONNECTED,
	XENVM_CLOSED,
	/* It comes to no fork: drop what PREPARE began. Not answered. */
	XENVM_UNPREPARE,
};

struct xenvm_req {
	uint32_t op;
	uint32_t clone;
	uint32_t slow;		/* LOAD: the hypervisor lacks our patches (slow.h) */
	uint32_t memory_limit;	/* MiB, 0: none */
	uint32_t cpu_weight;	/* 0: none */
	uint32_t reserved;
	uint64_t size;
	uint64_t handle;
	struct vm_config config;
	uint8_t mac[6];		/* with net "bridge" */
};

enum xenvm_what {
	XENVM_DONE = 1,		/* @op, @err */
	XENVM_CONNECT,		/* fds: [0] the region's gfns */
	XENVM_COPIED,		/* what PREPARE began now waits for FREEZE */
	XENVM_PROGRESS,		/* a copy is under way and gets on; every few seconds */
	XENVM_CLOSE,		/* the guest gives the region up */
	XENVM_ENDED,		/* @reason: it shut down; the process ends next */
};

enum xenvm_reason { XENVM_POWEROFF = 1, XENVM_CRASH = 2 };

struct xenvm_rep {
	uint32_t what;
	uint32_t op;
	int32_t err;
	uint32_t reason;
	uint32_t domain;
	uint32_t port;
	uint32_t stopped;	/* the domain is suspended */
	uint32_t reserved;
	uint64_t ring;
	uint64_t stopped_ns;
	uint64_t copied;	/* pages, pre-copy and repeats included */
	uint64_t copied_late;	/* of them while it stood still */
	uint64_t copied_early;	/* of them before FREEZE was asked for */
};

/** vif_name() - what xen-netback calls the host's end of its network device. */
static inline void vif_name(uint32_t domain, char *buf, size_t len)
{
	snprintf(buf, len, "vif%u.0", domain);
}

#endif /* VMFORK_XENVM_PROTO_H */
