/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message with file descriptors over a SOCK_SEQPACKET or SOCK_DGRAM socket. */
#ifndef VMFORK_FDPASS_H
#define VMFORK_FDPASS_H

#include <stddef.h>
#include <sys/types.h>

/** FDPASS_MAX - most descriptors in one message. */
#define FDPASS_MAX 32

/**
 * fd_send() - send @len bytes and @nfds descriptors as one message.
 * The descriptors stay the caller's. Never raises SIGPIPE.
 * Return: 0, or -errno (-EAGAIN on a full non-blocking socket).
 */
int fd_send(int sock, const void *buf, size_t len, const int *fds, unsigned int nfds);

/**
 * fd_recv() - receive one message of at most @len bytes.
 * @fds:	FDPASS_MAX entries; the received ones (O_CLOEXEC) are the caller's
 * @ret_nfds:	how many were received
 * Return: bytes received (0: end of file), or -errno; -EMSGSIZE if the message or
 * its descriptors were cut (those that came are closed).
 */
ssize_t fd_recv(int sock, void *buf, size_t len, int *fds, unsigned int *ret_nfds);

/** fds_close() - close @n descriptors, those that are not negative; sets them to -1. */
void fds_close(int *fds, unsigned int n);

#endif /* VMFORK_FDPASS_H */
