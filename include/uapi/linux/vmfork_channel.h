/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause */
/* The channel: shared pages between the guest's module and the host's shim. */
#ifndef _UAPI_LINUX_VMFORK_CHANNEL_H
#define _UAPI_LINUX_VMFORK_CHANNEL_H

#include <linux/types.h>

/**
 * DOC: The channel
 *
 * One region of shared memory per VM and a doorbell each way. The same layout
 * over ivshmem-doorbell (QEMU: BAR2, MSI-X vector 0 to the guest, the doorbell
 * register to the host's peer, vector 0) and over Xen grants. The VM's peer ID is 0,
 * as QEMU demands of master=on, and the host's is 1. (The guest reads its own and
 * rings 0 if it is another.)
 *
 *   0x00000  struct vmfork_channel: constants, fork block, ring indices
 *   0x10000  ring guest -> host (G2H), 128 KiB
 *   0x30000  ring host -> guest (H2G), 128 KiB
 *   0x50000  struct vmfork_clone_block, then at 0x51000 the clone's parameters
 *   0x80000  bitmap "avoid": one bit per gfn, guest writes, pager reads
 *   +bitmap  bitmap "free set": one bit per gfn, as of the current fork point
 *
 * All integers are little-endian. The host makes the region and writes the
 * constants before the VM runs. Both sides treat the other's fields as hostile:
 * read once into a local copy, checked for size, then for meaning. Constants are
 * read once by the guest, at probe, and never by the host.
 *
 * gfn is the guest frame number (guest physical address >> 12). Bits are in
 * bytes: gfn n is bit (n & 7) of byte (n >> 3). A set bit in "avoid" means: while
 * this page is absent in this VM its contents do not matter: fill it with zeros.
 * It is never cleared; once the page is present the bit is ignored.
 *
 * Who a message is for survives no fork: a clone starts with empty rings (both
 * indices 0 on both sides), no ticket but its LINK, and no request under way.
 */

#define VMFORK_CHANNEL_MAGIC	0x6b726f666d760001ULL
#define VMFORK_CHANNEL_VERSION	1

#define VMFORK_CHANNEL_G2H	0x10000U
#define VMFORK_CHANNEL_H2G	0x30000U
#define VMFORK_CHANNEL_RING_SIZE 0x20000U
#define VMFORK_CHANNEL_CLONE	0x50000U
#define VMFORK_CHANNEL_PARAMS	0x51000U
#define VMFORK_CHANNEL_BITMAPS	0x80000U

/**
 * enum vmfork_fork_state - the word @fork.state, changed by cmpxchg only.
 *
 *   IDLE      -> REQUESTED  guest, inside stop_machine, after the request fields
 *   REQUESTED -> TAKEN      host, before it stops the VM
 *   REQUESTED -> ABANDONED  guest, the host did not take it in time
 *   TAKEN     -> RELEASED   host, after the answer fields: in the parent and in
 *                           each clone's region; with @result < 0: nothing forked
 *   RELEASED, ABANDONED -> IDLE  guest, after it copied the answer
 *
 * Before IDLE the guest zeroes @seed and writes its own identity back into @id to
 * @checkpoint, where a module that is loaded again finds it.
 *
 * The host must change the word by one aligned 32-bit access. Any other value that
 * the guest sees while it waits, and an answer that is neither the parent's (@id 0,
 * @vm its own handle) nor, with @result 0, a clone's (@id 1..@clones, @vm another),
 * make the machine panic: it cannot tell who it is, and two must not be the parent.
 *
 * The guest waits in TAKEN for as long as it takes: a vmforkd that was restarted
 * finds the state and releases it.
 */
enum vmfork_fork_state {
	VMFORK_FORK_IDLE = 0,
	VMFORK_FORK_REQUESTED = 1,
	VMFORK_FORK_TAKEN = 2,
	VMFORK_FORK_RELEASED = 3,
	VMFORK_FORK_ABANDONED = 4,
};

/** enum vmfork_fork_kind - what the fork point is for. */
enum vmfork_fork_kind {
	VMFORK_FORK_TICKET = 1,		/* @ticket: clones now */
	VMFORK_FORK_CHECKPOINT = 2,	/* @name or unnamed: clones perhaps later */
	VMFORK_FORK_HOST = 3,		/* asked for by H2G FORK with cookie @ticket */
};

/**
 * struct vmfork_fork - the fork block.
 * @state:	enum vmfork_fork_state
 * @kind:	enum vmfork_fork_kind (guest)
 * @ticket:	ticket handle, or the cookie of H2G FORK (guest)
 * @name:	checkpoint's name, NUL-padded (guest)
 * @free_pages:	bits set in "free set"; 0: no free set (guest)
 * @result:	0, or a negative errno and nothing else below holds (host)
 * @id:		0 in the parent, 1..m (host)
 * @clones:	m; 0 for a checkpoint's own machine (host)
 * @depth:	see struct vmfork_identity (host, and so on)
 * @realtime_ns: CLOCK_REALTIME of the host just before this VM resumes; a clone that reads
 *	it late adds what a clock of the hypervisor's says
 * @seed:	random bytes of this VM's own, for its kernel's pool; the guest
 *		overwrites them with zeros once used
 * @flags:	VMFORK_FORK_* (guest)
 * @agent_ms:	with VMFORK_FORK_AGENT: how long the clones' agents may take (guest)
 */
struct vmfork_fork {
	__le32 state;
	__le32 kind;
	__le64 ticket;
	char name[64];
	__le64 free_pages;
	__le32 result;
	__le32 id;
	__le32 clones;
	__le32 depth;
	__le64 family;
	__le64 vm;
	__le64 parent;
	__le64 checkpoint;
	__le64 realtime_ns;
	__u8 seed[64];
	__le32 flags;
	__le32 agent_ms;
	__le64 reserved[7];
};
/* clones will send REPORT: their network stays shut until then */
#define VMFORK_FORK_AGENT	(1U << 0)

/**
 * struct vmfork_channel_net - see struct vmfork_net; addresses in network byte order.
 * All zeros: nothing is said. (For a root VM it is written before it starts.)
 */
struct vmfork_channel_net {
	__le32 flags;
	__le32 mtu;
	__u8 mac[6];
	__u8 old_mac[6];
	__be32 address;
	__be32 gateway;
	__be32 dns;
	__le32 prefix;
	__le32 index;
	char hostname[64];
	char domain[64];
};

/**
 * struct vmfork_clone_block - what the host says to one machine, before it runs.
 * @params_len:	bytes of its parameters at VMFORK_CHANNEL_PARAMS, at most
 *		VMFORK_PARAMS_MAX; 0: none
 */
struct vmfork_clone_block {
	__le32 params_len;
	__le32 pad;
	struct vmfork_channel_net net;
};

/** struct vmfork_ring - indices of one ring: free-running byte counts. */
struct vmfork_ring {
	__le32 head;		/* producer writes */
	__u8 pad0[60];
	__le32 tail;		/* consumer writes */
	__u8 pad1[60];
};

/**
 * struct vmfork_channel - the region's first page.
 * @magic, @version: constants above
 * @size:	bytes of the region
 * @bitmap_bytes: bytes of each of the two bitmaps, a multiple of 4096
 * @gfns:	gfns that the bitmaps cover
 * @clones_max:	largest ticket that may be asked for
 * @host_features: VMFORK_FEATURE_* that the host offers
 * @family, @vm: handles of a root VM (a clone has them from its fork block)
 */
struct vmfork_channel {
	__le64 magic;
	__le32 version;
	__le32 clones_max;
	__le64 size;
	__le64 bitmap_bytes;
	__le64 gfns;
	__le64 host_features;
	__le64 family;
	__le64 vm;
	__u8 pad0[192];
	struct vmfork_fork fork;	/* at 0x100 */
	__u8 pad1[512 - sizeof(struct vmfork_fork)];
	struct vmfork_ring g2h;		/* at 0x300 */
	struct vmfork_ring h2g;		/* at 0x380 */
};

/**
 * struct vmfork_msg - head of every message in a ring.
 * @type:	enum vmfork_msg_type
 * @len:	bytes of payload that follow, <= VMFORK_MSG_MAX + sizeof(vmfork_msg_data);
 *		the next head is at the next multiple of 8. Messages wrap around.
 * @cookie:	request number, chosen by the guest and given back by REPLY; else 0
 *
 * The producer writes the message, then head (release), then rings the doorbell
 * if tail says that the consumer had caught up. The consumer copies the message,
 * writes tail, then rings the doorbell if this message's going made the ring less
 * than half full: a producer that found no room has filled more than half, so this
 * tells it that there is room. (Bells may be lost when a machine is frozen: who waits
 * for room looks now and then all the same.) A ring with a bad message is dead: the reader stops for good and says so (host: the VM is reported).
 */
struct vmfork_msg {
	__le32 type;
	__le32 len;
	__le64 cookie;
};

enum vmfork_msg_type {
	/* guest -> host */
	VMFORK_G2H_HELLO = 1,		/* struct vmfork_msg_hello; first message */
	VMFORK_G2H_TICKET = 2,		/* _msg_grant -> REPLY: handle, granted */
	VMFORK_G2H_CREATE_CLONES = 3,	/* _msg_ticket: handle, checkpoint -> REPLY */
	VMFORK_G2H_KILL = 4,		/* _msg_ticket: handle, id -> REPLY when ended */
	VMFORK_G2H_CLOSE_TICKET = 5,	/* _msg_ticket: handle; no answer */
	VMFORK_G2H_OPEN_CHECKPOINT = 6,	/* _msg_name -> REPLY: handle */
	VMFORK_G2H_CLOSE_CHECKPOINT = 7,/* _msg_ticket: checkpoint; no answer */
	VMFORK_G2H_EXIT = 8,		/* _msg_exit; no answer: the VM ends */
	VMFORK_G2H_DATA = 9,		/* _msg_data + bytes */
	VMFORK_G2H_CREDIT = 10,		/* _msg_credit: bytes consumed by the reader */
	VMFORK_G2H_FORK_REFUSED = 11,	/* _msg_refused: answer to H2G FORK */
	VMFORK_G2H_PARAMS = 12,		/* _msg_params + bytes -> REPLY */
	VMFORK_G2H_REPORT = 13,		/* _msg_report -> REPLY when the link is up; with
					 * an error no answer: the VM ends */
	/* host -> guest */
	VMFORK_H2G_REPLY = 64,		/* _msg_reply */
	VMFORK_H2G_EXITED = 65,		/* _msg_exited */
	VMFORK_H2G_DATA = 66,		/* _msg_data + bytes */
	VMFORK_H2G_CREDIT = 67,		/* _msg_credit */
	VMFORK_H2G_FORK = 68,		/* _msg_fork: go to the fork point */
};

/** struct vmfork_msg_hello - the module is there. A reload sends it again: the
 * host then closes every ticket and checkpoint reference of this VM. */
struct vmfork_msg_hello {
	__le32 version;
	__le32 cpus;
	__le64 features;
	__le64 hazards;
	char release[64];	/* uname -r, for people */
};

/** struct vmfork_msg_ticket - requests about tickets; unused fields are 0. */
struct vmfork_msg_ticket {
	__le64 ticket;
	__le64 checkpoint;
	__le32 clones;
	__le32 id;
};

/** struct vmfork_msg_grant - a ticket is asked for; see struct vmfork_request_ticket. */
struct vmfork_msg_grant {
	__le32 clones;
	__le32 flags;		/* VMFORK_TICKET_* */
	__le32 lifetime_s;
	__le32 memory_mib;
	__le32 cpu_weight;
	__le32 reserved[3];
};

/** struct vmfork_msg_params - parameters of the clone @id of @ticket, or of all (0). */
struct vmfork_msg_params {
	__le64 ticket;
	__le32 id;
	__le32 reserved;
};

/** struct vmfork_msg_report - a clone's identity is complete, or @result says why not. */
struct vmfork_msg_report {
	__le32 result;		/* 0 or a negative errno */
	__le32 reserved;
	char why[112];
};

struct vmfork_msg_name {
	char name[64];
};

struct vmfork_msg_exit {
	__le32 status;
	__le32 reserved;
};

struct vmfork_msg_reply {
	__le32 result;		/* 0 or a negative errno */
	__le32 granted;
	__le64 handle;
};

/** struct vmfork_msg_exited - a clone of @ticket ended. In a clone, @ticket and @id 0:
 * its parent ended, or closed the ticket: nothing more goes over the LINK. */
struct vmfork_msg_exited {
	__le64 ticket;
	__le32 id;
	__le32 reason;		/* enum vmfork_reason */
	__le32 status;
	__le32 reserved;
	char why[112];
};

/**
 * struct vmfork_msg_data - bytes between parent and clone.
 * @ticket:	ticket handle on the parent's side; 0 on a clone's side (its LINK)
 * @id:		clone's ID on the parent's side; 0 on a clone's side
 *
 * Flow control: on each hop a sender may have VMFORK_WINDOW bytes of payload of
 * one (ticket, id) stream and direction unacknowledged. The receiver sends CREDIT
 * as its reader consumes. A sender that exceeds it is in error: guest: the VM's
 * ring is dead; host: the module drops and complains.
 */
struct vmfork_msg_data {
	__le64 ticket;
	__le32 id;
	__le32 tag;
};
#define VMFORK_WINDOW	65536U

struct vmfork_msg_credit {
	__le64 ticket;
	__le32 id;
	__le32 bytes;
};

struct vmfork_msg_fork {
	__le64 cookie;		/* given back as fork.ticket with kind HOST */
	__le32 flags;		/* VMFORK_CLONE_* */
	__le32 reserved;
};

struct vmfork_msg_refused {
	__le64 cookie;
	__le32 result;		/* negative errno */
	__le32 reserved;
};

#endif /* _UAPI_LINUX_VMFORK_CHANNEL_H */
