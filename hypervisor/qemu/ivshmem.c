// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's end of a VM's ivshmem device: what an ivshmem-server would do. */
#include "ivshmem.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdpass.h"

#define PROTOCOL_VERSION 0

int ivshmem_open(struct ivshmem *iv)
{
	int pair[2];

	*iv = IVSHMEM_NONE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	iv->sock = pair[0];
	iv->qemu = pair[1];
	iv->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	iv->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (iv->bell >= 0 && iv->kick >= 0 && fcntl(iv->sock, F_SETFL, O_NONBLOCK) == 0)
		return 0;
	ivshmem_close(iv);
	return -EMFILE;
}

void ivshmem_close(struct ivshmem *iv)
{
	int *fds[] = { &iv->sock, &iv->qemu, &iv->bell, &iv->kick };

	for (unsigned int i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		fds_close(fds[i], 1);
}

static int put(const struct ivshmem *iv, int64_t value, int fd)
{
	uint64_t wire = htole64((uint64_t)value);

	return fd_send(iv->sock, &wire, sizeof(wire), &fd, fd >= 0);
}

int ivshmem_send_memory(const struct ivshmem *iv, int memory)
{
	int r = put(iv, PROTOCOL_VERSION, -1);

	if (r == 0)
		r = put(iv, IVSHMEM_GUEST_PEER, -1);
	if (r == 0)
		r = put(iv, -1, memory);
	return r;
}

int ivshmem_send_vectors(const struct ivshmem *iv)
{
	int r = put(iv, IVSHMEM_HOST_PEER, iv->bell);

	return r ? r : put(iv, IVSHMEM_GUEST_PEER, iv->kick);
}

/* For a unix socket this counts what the peer has not taken yet. */
int ivshmem_read_by_qemu(const struct ivshmem *iv)
{
	int left;

	if (ioctl(iv->sock, SIOCOUTQ, &left) < 0)
		return -errno;
	return left == 0;
}

void ivshmem_kick(const struct ivshmem *iv)
{
	eventfd_write(iv->kick, 1);
}

void ivshmem_rang(const struct ivshmem *iv)
{
	eventfd_t n;

	eventfd_read(iv->bell, &n);
}
