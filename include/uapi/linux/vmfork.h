/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* /dev/vmfork: fork(2) for the whole virtual machine, as programs see it. */
#ifndef _UAPI_LINUX_VMFORK_H
#define _UAPI_LINUX_VMFORK_H

#include <linux/types.h>
#include <linux/ioctl.h>

/**
 * DOC: The interface of /dev/vmfork
 *
 * This header is the specification. Objects are file descriptors:
 *
 *   /dev/vmfork  the machine: queries, REQUEST_TICKET, CHECKPOINT,
 *                OPEN_CHECKPOINT, EXIT, SECRET, AGENT
 *   ticket       the right to a number of clones; then their parent's end:
 *                exits and messages of the clones are read() from it
 *   checkpoint   a reference to an immutable instant of a machine
 *
 * A ticket has three phases: GRANTED (nothing forked yet), FORKED (clones
 * exist or existed) and FOREIGN: in a clone, every ticket that was open at the
 * fork is the parent's. The one the clone was made by becomes the clone's LINK
 * to its parent: it carries messages and tells its state (INFO), and nothing else:
 * other calls fail with ESTALE. On any other FOREIGN ticket every call but INFO fails
 * with ESTALE. So does a call on any ticket, the LINK included, that was blocked
 * when the machine was forked. Closing a ticket in the parent kills the
 * clones that are left; closing it in a clone does nothing.
 *
 * Structures are extended by using their reserved fields and by new flags;
 * unknown flags and non-zero reserved fields are refused with EINVAL. All
 * strings are NUL-terminated within their field. No structure has a hole.
 *
 * Every ioctl returns 0, or -1 with errno. Common errors:
 *   ENOTTY  no such call on this kind of descriptor
 *   EFAULT  the argument is not readable or writable
 *   EINVAL  unknown flag, non-zero reserved field, or a value out of range
 *   ENODEV  the machine has no channel to its host (no vmforkd behind it)
 *   ESTALE  the object belongs to the machine this one was forked from, or the
 *           call was on its way to the host when the machine was forked
 *   EIO     the host gave no sensible answer
 *   ETIMEDOUT the host did not answer in time
 */

/** VMFORK_API_VERSION - raised only if old programs must be refused. */
#define VMFORK_API_VERSION	1

/** VMFORK_NAME_MAX - bytes of a checkpoint's name, with its NUL.
 * A name is 1..63 characters of [A-Za-z0-9._-], not beginning with '.' or '-',
 * and not digits alone: those are handles.
 */
#define VMFORK_NAME_MAX		64

/** VMFORK_MSG_MAX - largest payload of one message, in bytes. */
#define VMFORK_MSG_MAX		16384

/** VMFORK_PARAMS_MAX - largest parameters of one clone, in bytes. */
#define VMFORK_PARAMS_MAX	16384

/** VMFORK_WHY_MAX - bytes of a text that says why, with its NUL. */
#define VMFORK_WHY_MAX		112

/* vmfork_api.features: what this machine and its host can do */
#define VMFORK_FEATURE_FREE_SET	(1ULL << 0)	/* free pages are not fetched by clones */
#define VMFORK_FEATURE_CHECKPOINT (1ULL << 1)	/* checkpoints can be named and kept */
#define VMFORK_FEATURE_GATE	(1ULL << 2)	/* user code is held until clock and RNG are set */
#define VMFORK_FEATURE_MESSAGES	(1ULL << 3)	/* messages between parent and clones */
#define VMFORK_FEATURE_FREE_HOOK (1ULL << 4)	/* pages freed since the fork are not fetched */
#define VMFORK_FEATURE_IO	(1ULL << 5)	/* pages that I/O overwrites are not fetched */
#define VMFORK_FEATURE_PARAMS	(1ULL << 6)	/* parameters for each clone */
#define VMFORK_FEATURE_LIMITS	(1ULL << 7)	/* limits on clones' memory and CPU */
#define VMFORK_FEATURE_IDENTITY	(1ULL << 8)	/* clones are held until their agent reports; host
						 * and guest can: an agent is there if AGENT */
#define VMFORK_FEATURE_AGENT	(1ULL << 9)	/* an agent is registered */
#define VMFORK_FEATURE_SYNC	(1ULL << 10)	/* VMFORK_CLONE_SYNC: the kernel has CONFIG_PM_SLEEP */

/* vmfork_api.hazards: why a feature is off here, or why a fork would be refused */
#define VMFORK_HAZARD_PAGE_POISON (1ULL << 0)	/* page_poison=1: no free set */
#define VMFORK_HAZARD_ENCRYPTED	(1ULL << 1)	/* memory encryption: no fork */
#define VMFORK_HAZARD_PREEMPT_RT (1ULL << 2)	/* PREEMPT_RT kernel: no free set */

/**
 * struct vmfork_api - what can be done here (VMFORK_GET_API).
 * @version:	VMFORK_API_VERSION of the module
 * @clones_max:	largest number of clones one ticket may ask for; 0: no channel
 * @features:	VMFORK_FEATURE_* in force
 * @hazards:	VMFORK_HAZARD_* found
 * @reserved:	0
 */
struct vmfork_api {
	__u32 version;
	__u32 clones_max;
	__u64 features;
	__u64 hazards;
	__u64 reserved[5];
};

/**
 * struct vmfork_identity - who this machine is (VMFORK_GET_ID).
 * @id:		0 in a root VM; in a clone, its ID (1..m) in the fork that made it
 * @depth:	forks between the root VM and this one: 0 in a root VM
 * @family:	handle of the family
 * @vm:		handle of this VM, unique on its host
 * @parent:	handle of the VM this one was forked from; 0 in a root VM
 * @checkpoint:	handle of the checkpoint this one was made from; 0 in a root VM
 * @generation:	fork points that this machine has passed, as parent or as clone
 *		(its predecessors' included): changes exactly when identity may have
 * @clones:	in a clone: how many siblings the fork made, itself included
 * @reserved:	0
 */
struct vmfork_identity {
	__u32 id;
	__u32 depth;
	__u64 family;
	__u64 vm;
	__u64 parent;
	__u64 checkpoint;
	__u64 generation;
	__u32 clones;
	__u32 reserved[7];
};

/**
 * struct vmfork_request_ticket - ask for clones (VMFORK_REQUEST_TICKET).
 * @clones:	in: wanted, 1..clones_max; out: granted m, 1 <= m <= wanted
 * @flags:	VMFORK_TICKET_EXACT: grant all or fail with EDQUOT;
 *		VMFORK_TICKET_NO_NETWORK: the clones' network links stay down, and
 *		those of their own clones
 * @fd:		out: the ticket, O_CLOEXEC
 * @lifetime_s:	seconds after which a clone is ended (VMFORK_EXPIRED); 0: no limit
 * @memory_mib:	MiB of host memory of its own that a clone may have
 *		(VMFORK_OUT_OF_MEMORY if it wants more); 0: no limit
 * @cpu_weight:	share of the processors against other machines, 1..10000 as of
 *		cgroup v2's cpu.weight; 0: 100
 * @reserved:	0
 *
 * @memory_mib and @cpu_weight need VMFORK_FEATURE_LIMITS, else EOPNOTSUPP. So does a
 * machine that cannot be forked, which its host can say more of. Clones of a clone are within
 * its limits: they get what is left of its time, and no more memory than it has.
 *
 * The host starts stand-by machines at once; time between the request and the
 * fork makes the fork quicker. Errors: EDQUOT the host's policy grants nothing
 * (its log and ``vmforkctl ps`` say which limit), EINVAL clones is 0 or above
 * clones_max, EMFILE, ENOMEM.
 */
struct vmfork_request_ticket {
	__u32 clones;
	__u32 flags;
	__s32 fd;
	__u32 lifetime_s;
	__u32 memory_mib;
	__u32 cpu_weight;
	__u32 reserved[2];
};
#define VMFORK_TICKET_EXACT	(1U << 0)
#define VMFORK_TICKET_NO_NETWORK (1U << 1)

/**
 * struct vmfork_clone - fork (VMFORK_TICKET_CLONE, on a GRANTED ticket).
 * @flags:	VMFORK_CLONE_SYNC: write dirty file data out first (EOPNOTSUPP without
 *		VMFORK_FEATURE_SYNC: sync(2) before);
 *		VMFORK_CLONE_DROP_CACHE: drop clean page cache first, so that clones
 *		read files from their own disks instead of fetching pages
 * @id:		out: 0 in the parent, 1..m in the clones
 * @clones:	out: m
 * @reserved:	0
 *
 * The call returns in the parent and in every clone, from the same instant. It
 * fails in the parent alone and then nothing was forked: EBUSY a ticket that was
 * used already, or a secret that denies forks (VMFORK_SECRET); EAGAIN this machine
 * is a clone whose identity is not complete; EOPNOTSUPP a hazard forbids it, ENOSPC,
 * ENOMEM, EIO, ETIMEDOUT.
 */
struct vmfork_clone {
	__u32 flags;
	__u32 id;
	__u32 clones;
	__u32 reserved[5];
};
#define VMFORK_CLONE_SYNC	(1U << 0)
#define VMFORK_CLONE_DROP_CACHE	(1U << 1)

/**
 * struct vmfork_create_clones - make clones of a checkpoint
 *	(VMFORK_TICKET_CREATE_CLONES, on a GRANTED ticket).
 * @checkpoint_fd: a checkpoint
 * @flags:	0
 * @reserved:	0
 *
 * The caller is not forked, but is the parent in every other sense. The clones
 * return from the VMFORK_CHECKPOINT that made the checkpoint, with their ID, and
 * the file descriptor of that checkpoint serves them as LINK for messages.
 * Errors: EBADF, EBUSY, ENOENT the checkpoint is gone, ENOSPC, ENOMEM.
 */
struct vmfork_create_clones {
	__s32 checkpoint_fd;
	__u32 flags;
	__u32 reserved[6];
};

/**
 * struct vmfork_checkpoint - keep this instant (VMFORK_CHECKPOINT).
 * @flags:	VMFORK_CLONE_*, as of VMFORK_TICKET_CLONE
 * @fd:		out: the checkpoint, O_CLOEXEC
 * @id:		out: 0 in the machine itself, else the ID in a clone made of it
 * @clones:	out: 0 in the machine itself, else how many clones were made
 * @handle:	out: the checkpoint's handle
 * @name:	empty, or a name: then it outlives its descriptors and its
 *		machine, until ``vmforkctl checkpoint rm``
 * @reserved:	0
 *
 * An unnamed checkpoint goes when its last descriptor is closed and its last
 * clone has ended. Errors: EEXIST the name is taken; else as VMFORK_TICKET_CLONE.
 */
struct vmfork_checkpoint {
	__u32 flags;
	__s32 fd;
	__u32 id;
	__u32 clones;
	__u64 handle;
	char name[VMFORK_NAME_MAX];
	__u64 reserved[4];
};

/**
 * struct vmfork_open_checkpoint - find a named checkpoint of this family
 *	(VMFORK_OPEN_CHECKPOINT).
 * @name:	its name
 * @flags:	0
 * @fd:		out: the checkpoint, O_CLOEXEC
 * @handle:	out: its handle
 * @reserved:	0
 *
 * Errors: ENOENT, EMFILE.
 */
struct vmfork_open_checkpoint {
	char name[VMFORK_NAME_MAX];
	__u32 flags;
	__s32 fd;
	__u64 handle;
	__u64 reserved[2];
};

/**
 * struct vmfork_exit - end this clone (VMFORK_EXIT).
 * @status:	0..255, as of exit(3)
 * @flags:	0
 * @reserved:	0
 *
 * Does not return in a clone, but for a signal that kills the caller. Messages
 * sent before are delivered first; disks are not synced (they go with the
 * clone). EPERM: this is a root VM, shut it down in the usual way.
 */
struct vmfork_exit {
	__s32 status;
	__u32 flags;
	__u64 reserved[2];
};

/** enum vmfork_reason - why a clone ended; as si_code of waitid(2). */
enum vmfork_reason {
	VMFORK_EXITED = 1,	/* it called VMFORK_EXIT, or powered off: @status */
	VMFORK_KILLED = 2,	/* VMFORK_TICKET_KILL, or the ticket was closed */
	VMFORK_LOST = 3,	/* panic, its hypervisor process died, or it was
				 * killed from the host: @status is an errno or 0 */
	VMFORK_EXPIRED = 4,	/* its ticket's lifetime was over */
	VMFORK_OUT_OF_MEMORY = 5, /* it wanted more than its ticket's memory */
	VMFORK_UNIDENTIFIED = 6, /* its identity could not be completed, so that it was
				 * destroyed before user code ran: @status is an errno */
};

/**
 * struct vmfork_exit_info - how a clone ended.
 * @id:		its ID, 1..m
 * @reason:	enum vmfork_reason
 * @status:	exit status, or see the reason
 * @reserved:	0
 * @why:	one line for people, printable ASCII, or empty
 */
struct vmfork_exit_info {
	__u32 id;
	__u32 reason;
	__s32 status;
	__u32 reserved;
	char why[VMFORK_WHY_MAX];
};

/**
 * struct vmfork_wait - wait for an exit (VMFORK_TICKET_WAIT).
 * @id:		0: of any clone; else of this one
 * @flags:	VMFORK_WAIT_NOHANG: EAGAIN instead of blocking;
 *		VMFORK_WAIT_NOREAP: leave it to be waited for again
 * @info:	out
 * @reserved:	0
 *
 * Each exit is reported once, by WAIT or by read(). Errors: ECHILD nothing left
 * to wait for (all were reported, or none was forked), EINTR, EAGAIN.
 */
struct vmfork_wait {
	__u32 id;
	__u32 flags;
	struct vmfork_exit_info info;
	__u64 reserved[2];
};
#define VMFORK_WAIT_NOHANG	(1U << 0)
#define VMFORK_WAIT_NOREAP	(1U << 1)

/**
 * struct vmfork_kill - end clones now (VMFORK_TICKET_KILL).
 * @id:		0: all that are left; else this one
 * @flags:	0
 * @reserved:	0
 *
 * Returns when they are ended; each is reported as VMFORK_KILLED. Errors: ECHILD
 * no such clone (0 with none left is no error).
 */
struct vmfork_kill {
	__u32 id;
	__u32 flags;
	__u64 reserved[2];
};

/* vmfork_ticket_info.state */
#define VMFORK_TICKET_GRANTED	1
#define VMFORK_TICKET_FORKED	2
#define VMFORK_TICKET_LINK	3
#define VMFORK_TICKET_FOREIGN	4

/**
 * struct vmfork_ticket_info - a ticket's state (VMFORK_TICKET_INFO).
 * @state:	VMFORK_TICKET_*
 * @granted:	clones granted
 * @live:	clones forked and not yet ended
 * @unreported:	exits that nobody waited for yet
 * @handle:	the ticket's handle on the host
 * @checkpoint:	handle of the checkpoint its clones were made of, or 0
 * @reserved:	0
 */
struct vmfork_ticket_info {
	__u32 state;
	__u32 granted;
	__u32 live;
	__u32 unreported;
	__u64 handle;
	__u64 checkpoint;
	__u64 reserved[4];
};

/* vmfork_record.type */
#define VMFORK_RECORD_DATA	1	/* payload: bytes, a message */
#define VMFORK_RECORD_EXIT	2	/* payload: struct vmfork_exit_info; read() only */

/**
 * struct vmfork_record - head of what is read() from and written to a ticket.
 * @type:	VMFORK_RECORD_*
 * @id:		whom from or to: a clone's ID; 0 is the parent
 * @tag:	a number for the programs' own use: carried, not looked at
 * @len:	bytes of payload that follow, 1..VMFORK_MSG_MAX
 *
 * read() returns exactly one record, head and payload; EMSGSIZE if the buffer is
 * too small (the record stays). It blocks while none is there; returns 0 when
 * none can come any more: every clone's exit was reported (parent). write() takes
 * exactly one DATA record and blocks while the receiver lags more than 64 KiB
 * behind; EPIPE when the receiver has ended. Messages of one clone stay in order,
 * and its EXIT comes after all of them. On a LINK @id is 0 both ways. poll():
 * EPOLLIN a record, EPOLLOUT room (on a ticket with several clones: room for
 * each), EPOLLHUP nothing more can come, EPOLLERR calls would fail.
 * Before the fork read() blocks and write() fails with ENOTCONN. On a checkpoint
 * that is no LINK both fail with EINVAL. On a LINK whose parent has ended, write()
 * fails with EPIPE and read() returns 0 after what had come before.
 */
struct vmfork_record {
	__u32 type;
	__u32 id;
	__u32 tag;
	__u32 len;
};

/**
 * struct vmfork_params - parameters of a clone (VMFORK_TICKET_SET_PARAMS,
 *	VMFORK_GET_PARAMS).
 * @buf:	user address of the bytes
 * @len:	SET: how many, 0..VMFORK_PARAMS_MAX; GET: in: room, out: how many there are
 * @id:		SET: 0: of every clone that has none of its own, else of this one;
 *		GET: 0
 * @reserved:	0
 *
 * Bytes that nobody between looks at; by convention a JSON object, whose member
 * "env" (strings by name) vmfork(1) puts into its command's environment. SET, on a
 * GRANTED ticket (else EBUSY), any number of times: the last counts (0 bytes for
 * one clone: none of its own again). GET, on /dev/vmfork, in a
 * clone: ENODATA none were set (or this is a root VM), EMSGSIZE @buf is too small
 * (@len is set). EOPNOTSUPP without VMFORK_FEATURE_PARAMS.
 */
struct vmfork_params {
	__u64 buf;
	__u32 len;
	__u32 id;
	__u64 reserved[2];
};

/**
 * struct vmfork_net - what the host says of this machine's network (VMFORK_GET_NET).
 * @flags:	VMFORK_NET_*
 * @mtu:	bytes, or 0: leave it
 * @mac:	link address that this machine is to have
 * @old_mac:	link address that it has had until now: tells which device is meant
 * @address:	IPv4 address, network byte order
 * @gateway:	or 0
 * @dns:	or 0
 * @prefix:	of @address, bits
 * @index:	place in its family, 0 for the root VM: unique among those alive
 * @hostname:	name that resolves inside the family
 * @domain:	its domain, or empty
 * @reserved:	0
 *
 * ENODATA: the host leaves the network to the guest.
 */
struct vmfork_net {
	__u32 flags;
	__u32 mtu;
	__u8 mac[6];
	__u8 old_mac[6];
	__be32 address;
	__be32 gateway;
	__be32 dns;
	__u32 prefix;
	__u32 index;
	char hostname[64];
	char domain[64];
	__u64 reserved[4];
};
#define VMFORK_NET_ADDRESS	(1U << 0)	/* address to gateway, prefix hold */
#define VMFORK_NET_USER		(1U << 1)	/* user-mode network: addresses are not seen
						 * outside, and all machines have the same */

/**
 * struct vmfork_secret - memory that is not to be forked (VMFORK_SECRET).
 * @flags:	VMFORK_SECRET_DENY: no fork and no checkpoint of this machine, whoever
 *		asks (EBUSY), @addr and @len are 0; VMFORK_SECRET_WIPE: the pages of
 *		[@addr, @addr + @len) are zeros in every clone, and are not in the image
 * @addr, @len:	multiples of the page size; at most 1 MiB for each open of the device;
 *		private writable memory of the caller, that its children do not get
 *		(MADV_WIPEONFORK or MADV_DONTFORK)
 * @reserved:	0
 *
 * Holds until the descriptor of /dev/vmfork that it was set on is closed for good.
 * WIPE is for the pages that are there now: memory that is unmapped or thrown away
 * (MADV_DONTNEED) meanwhile is no secret when it is used anew. Errors: EINVAL (also not
 * such memory), EFAULT, ENOMEM (RLIMIT_MEMLOCK, or more than 1 MiB), EEXIST DENY is set
 * already, EOPNOTSUPP the host has no VMFORK_FEATURE_FREE_SET, so that the bytes would be
 * in the image.
 */
struct vmfork_secret {
	__u64 addr;
	__u64 len;
	__u32 flags;
	__u32 reserved[3];
};
#define VMFORK_SECRET_DENY	(1U << 0)
#define VMFORK_SECRET_WIPE	(1U << 1)

/**
 * struct vmfork_agent - be this machine's agent (VMFORK_AGENT, CAP_SYS_ADMIN).
 * @flags:	0
 * @timeout_ms:	most time from a clone's fork point to the agent's report; 0: 30000
 * @reserved:	0
 *
 * From then on, in a clone made of this machine, every user task but the caller's
 * process and its descendants is held before its next user instruction until the
 * agent has said with VMFORK_AGENT_REPORT that the identity is complete. It is told
 * by read() or poll() on this descriptor, as anybody is, and is the first to run.
 * Should it end, close the descriptor or not report in time while it is waited for,
 * the clone panics: it fails closed. The host keeps the clone's network link down,
 * and has a watchdog of its own. Errors: EBUSY there is an agent, EPERM, EOPNOTSUPP this
 * kernel cannot hold tasks (no VMFORK_FEATURE_GATE).
 */
struct vmfork_agent {
	__u32 flags;
	__u32 timeout_ms;
	__u64 reserved[3];
};

/**
 * struct vmfork_report - the clone's identity is complete, or cannot be completed
 *	(VMFORK_AGENT_REPORT, by the agent, in a clone that is held).
 * @result:	0, or a negative errno: then the clone is destroyed and its parent's
 *		ticket says VMFORK_UNIDENTIFIED with this errno and @why
 * @flags:	0
 * @why:	printable ASCII, or empty
 * @reserved:	0
 *
 * With @result 0 returns when the host has put the link up and all held tasks were
 * let go; else does not return. Errors: EINVAL nobody is held, EPERM another descriptor
 * than the agent's, EBUSY a report is on its way; what the host answered, and the tasks
 * are still held.
 */
struct vmfork_report {
	__s32 result;
	__u32 flags;
	char why[VMFORK_WHY_MAX];
	__u64 reserved[2];
};

/**
 * struct vmfork_generation - the page that mmap() of /dev/vmfork gives.
 * @generation:	as in struct vmfork_identity: differs from what a program saw before
 *		if this machine passed a fork point since
 * @id, @depth, @vm: likewise
 *
 * One page, offset 0, PROT_READ, MAP_SHARED. It changes inside the fork point, so
 * that no user instruction runs between: a random number generator in user space
 * compares @generation before each use, without a system call.
 */
struct vmfork_generation {
	__u64 generation;
	__u32 id;
	__u32 depth;
	__u64 vm;
};

/*
 * read() on /dev/vmfork itself: blocks until this machine's identity has changed
 * since the open or the last read, then returns one struct vmfork_identity.
 * poll(): EPOLLIN when it would not block. (It changes when the machine becomes a
 * clone; programs with state that must not be shared poll for it.)
 */

#define VMFORK_IOC_MAGIC	0xBE

/* on /dev/vmfork */
#define VMFORK_GET_API		_IOR(VMFORK_IOC_MAGIC, 0x00, struct vmfork_api)
#define VMFORK_GET_ID		_IOR(VMFORK_IOC_MAGIC, 0x01, struct vmfork_identity)
#define VMFORK_REQUEST_TICKET	_IOWR(VMFORK_IOC_MAGIC, 0x02, struct vmfork_request_ticket)
#define VMFORK_CHECKPOINT	_IOWR(VMFORK_IOC_MAGIC, 0x03, struct vmfork_checkpoint)
#define VMFORK_OPEN_CHECKPOINT	_IOWR(VMFORK_IOC_MAGIC, 0x04, struct vmfork_open_checkpoint)
#define VMFORK_EXIT		_IOW(VMFORK_IOC_MAGIC, 0x05, struct vmfork_exit)
#define VMFORK_GET_PARAMS	_IOWR(VMFORK_IOC_MAGIC, 0x06, struct vmfork_params)
#define VMFORK_GET_NET		_IOR(VMFORK_IOC_MAGIC, 0x07, struct vmfork_net)
#define VMFORK_SECRET		_IOW(VMFORK_IOC_MAGIC, 0x08, struct vmfork_secret)
#define VMFORK_AGENT		_IOW(VMFORK_IOC_MAGIC, 0x09, struct vmfork_agent)
#define VMFORK_AGENT_REPORT	_IOW(VMFORK_IOC_MAGIC, 0x0a, struct vmfork_report)

/* on a ticket */
#define VMFORK_TICKET_CLONE	_IOWR(VMFORK_IOC_MAGIC, 0x10, struct vmfork_clone)
#define VMFORK_TICKET_CREATE_CLONES _IOW(VMFORK_IOC_MAGIC, 0x11, struct vmfork_create_clones)
#define VMFORK_TICKET_WAIT	_IOWR(VMFORK_IOC_MAGIC, 0x12, struct vmfork_wait)
#define VMFORK_TICKET_KILL	_IOW(VMFORK_IOC_MAGIC, 0x13, struct vmfork_kill)
#define VMFORK_TICKET_INFO	_IOR(VMFORK_IOC_MAGIC, 0x14, struct vmfork_ticket_info)
#define VMFORK_TICKET_SET_PARAMS _IOW(VMFORK_IOC_MAGIC, 0x15, struct vmfork_params)

#endif /* _UAPI_LINUX_VMFORK_H */
