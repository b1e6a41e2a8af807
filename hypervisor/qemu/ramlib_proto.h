/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the QEMU backend says to the RAM library inside QEMU. */
#ifndef VMFORK_RAMLIB_PROTO_H
#define VMFORK_RAMLIB_PROTO_H

#include <stdint.h>

/**
 * DOC: The RAM library
 *
 * libvmfork-ram.so is preloaded into stock QEMU. QEMU is told that its RAM is a
 * shared file (memory-backend-file,share=on), so it leaves it out of the device
 * state. The library recognises the mmap of that file (by device and inode) and
 * maps anonymous memory instead, in every VM.
 *
 * Environment (set by the backend, removed by the library once read):
 *   VMFORK_RAM_FILE=DEV:INO   st_dev and st_ino of the RAM file, decimal
 *   VMFORK_RAM_CTL=FD         SOCK_SEQPACKET socket to the backend
 *   VMFORK_RAM_UFFD=FD        an open /dev/userfaultfd, or -1: use userfaultfd(2)
 *
 * A thread of its own (all signals blocked) serves the socket: one struct
 * ramlib_req, one struct ramlib_rep each, in order. EOF: serves nothing more, QEMU
 * runs on. Unasked it sends one reply with op RAMLIB_HELLO when the RAM is mapped.
 *
 * QEMU's sandbox: on,obsolete=deny,elevateprivileges=deny,resourcecontrol=deny works.
 * spawn=deny does not: it kills QEMU at the first snapshot, which is a fork.
 */
enum ramlib_op {
	RAMLIB_HELLO = 1,	/* library -> backend: base, len, pid */
	/*
	 * The VM is stopped. MADV_DOFORK, _Fork(), MADV_DONTFORK. fds: [0] the
	 * lifeline: a pipe's read end: the snapshot process ends when its other end
	 * is closed everywhere. It keeps no other fd. Reply: pid, ns; fds: [0]
	 * /proc/PID/mem read-only, [1] /proc/PID/pagemap when the library could open
	 * them (else the backend opens them).
	 */
	RAMLIB_SNAPSHOT = 2,
	/*
	 * Turn this stand-by into a clone: fds: [0] the image file, read-only.
	 * Maps it private over the RAM, registers a new userfaultfd (MISSING) and
	 * gives it back: fds: [0] the userfaultfd. Once per process, and not before
	 * QEMU has greeted on QMP: until then it writes ROMs into its RAM. After an
	 * error other than -EINVAL and -EBUSY the RAM is gone: end this QEMU.
	 */
	RAMLIB_MAP = 3,
};

struct ramlib_req {
	uint32_t op;
	uint32_t flags;
};

struct ramlib_rep {
	uint32_t op;		/* of the request */
	int32_t result;		/* 0 or a negative errno */
	uint64_t base;		/* address of the RAM in this QEMU */
	uint64_t len;		/* bytes */
	int64_t pid;		/* SNAPSHOT: the snapshot process; HELLO: own */
	uint64_t ns;		/* what it took */
};

#endif /* VMFORK_RAMLIB_PROTO_H */
