/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vmforkd's control role says to its keeper: processes and fds that outlive it. */
#ifndef VMFORK_KEEPER_PROTO_H
#define VMFORK_KEEPER_PROTO_H

#include <stdint.h>

/**
 * DOC: keeper and control
 *
 * vmforkd is two processes of one binary. The *keeper* (the one that the user or
 * systemd starts) owns every child process and a store of named file descriptors;
 * it never looks at what a guest, a socket or QEMU says. The *control* role does
 * all the rest and may die at any time: the keeper starts it again, gives it the
 * store back, and the VMs do not notice. vmfork-pager is the keeper's child too and
 * is started again likewise. VMs are the keeper's children with PR_SET_PDEATHSIG:
 * when the keeper goes, all goes; snapshot processes end by their lifelines.
 *
 * A SOCK_SEQPACKET pair, one message each way, fds in SCM_RIGHTS. On start the
 * keeper sends KEEPER_STORED per stored fd, KEEPER_CHILD per living child, then
 * KEEPER_READY.
 */
#define KEEPER_NAME_MAX	64
#define KEEPER_BLOB_MAX	65536
#define KEEPER_FDS_MAX	32

enum keeper_op {
	/* control -> keeper */
	KEEPER_SPAWN = 1,	/* blob: argv then env, NUL-separated; fds: see below */
	KEEPER_STORE,		/* name + 1 fd: replaces one of the same name */
	KEEPER_UNSTORE,		/* name: this one; with a trailing '*': all that begin so */
	KEEPER_SIGNAL,		/* pid (a child), sig = status */
	KEEPER_STOP,		/* end everything in order, then the keeper */
	/* keeper -> control */
	KEEPER_STORED = 16,
	KEEPER_CHILD,		/* pid, name */
	KEEPER_READY,
	KEEPER_SPAWNED,		/* answer to SPAWN: pid, or status = -errno; fd: pidfd */
	KEEPER_EXITED,		/* pid, name, status: as of waitpid(2) */
	KEEPER_PAGER,		/* fd: a fresh connection to a (re)started pager */
};

/**
 * struct keeper_msg - one message; SPAWN's blob follows it.
 * @name:	of the fd or process ("vm12.qemu")
 * @argc, @envc: strings in the blob
 * @uid, @gid:	SPAWN: who the child runs as; ~0u: unchanged
 * @nfds:	SPAWN: fds[0..nfds-1] go to the child as fd 3, 4, ...; if
 *		KEEPER_F_STDERR the last one is its stdout and stderr instead; with
 *		KEEPER_F_CGROUP one more follows: cgroup.procs of the one it enters
 */
struct keeper_msg {
	uint32_t op;
	uint32_t flags;
	uint32_t seq;
	int32_t pid;
	int32_t status;
	uint32_t uid;
	uint32_t gid;
	uint32_t argc;
	uint32_t envc;
	uint32_t nfds;
	uint32_t blob;		/* bytes that follow */
	uint32_t reserved;
	char name[KEEPER_NAME_MAX];
};
#define KEEPER_F_STDERR	(1U << 0)
#define KEEPER_F_CGROUP	(1U << 1)
#define KEEPER_F_NET	(1U << 2)	/* SPAWN: it serves DNS and DHCP: see struct spawn */

#endif /* VMFORK_KEEPER_PROTO_H */
