// SPDX-License-Identifier: GPL-2.0-or-later
/* bells-vmforkd: vmforkd that rings, or connects, the doorbells of machines at odd times. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ivshmem.h"
#include "qemu.h"

/**
 * DOC: VMFORK_BELLS
 *
 * vmforkd is linked with this file in front of three of its functions (--wrap). $VMFORK_BELLS names
 * a file with one of these words, or nothing: the order is the usual one.
 *
 *   early	A stand-by gets its vectors with its memory, before its state: the order of an
 *		ivshmem-server. The control: under KVM its guest then gets no interrupt.
 *   before	Each machine is rung once before QEMU has its vectors: the bell waits in the
 *		eventfd.
 *   stopped	Each machine is rung once while it is stopped and has its vectors: parents
 *		and clones before they go on.
 */
#define SOCKETS_MAX 4096

int __real_ivshmem_send_memory(const struct ivshmem *iv, int memory);
int __real_ivshmem_send_vectors(const struct ivshmem *iv);
int __real_op_begin(struct qemu_vm *q, enum qemu_op op, qemu_next_fn next);
int __wrap_ivshmem_send_memory(const struct ivshmem *iv, int memory);
int __wrap_ivshmem_send_vectors(const struct ivshmem *iv);
int __wrap_op_begin(struct qemu_vm *q, enum qemu_op op, qemu_next_fn next);

static bool sent[SOCKETS_MAX];	/* by our end of the socket */

static bool bells(const char *when)
{
	const char *path = getenv("VMFORK_BELLS");
	char word[16] = "";
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, word, sizeof(word) - 1);
	close(fd);
	return n > 0 && !strcmp(word, when);
}

int __wrap_ivshmem_send_memory(const struct ivshmem *iv, int memory)
{
	int r = __real_ivshmem_send_memory(iv, memory);

	if (r < 0 || !bells("early"))
		return r;
	if (iv->sock >= SOCKETS_MAX)
		return -EMFILE;
	sent[iv->sock] = true;
	return __real_ivshmem_send_vectors(iv);
}

int __wrap_ivshmem_send_vectors(const struct ivshmem *iv)
{
	if (iv->sock < SOCKETS_MAX && sent[iv->sock]) {
		sent[iv->sock] = false;
		return 0;
	}
	if (bells("before"))
		ivshmem_kick(iv);
	return __real_ivshmem_send_vectors(iv);
}

int __wrap_op_begin(struct qemu_vm *q, enum qemu_op op, qemu_next_fn next)
{
	if (op == OP_RESUME && bells("stopped"))
		ivshmem_kick(&q->iv);
	return __real_op_begin(q, op, next);
}
