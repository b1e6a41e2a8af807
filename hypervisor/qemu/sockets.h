/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unix stream sockets in a VM's directory, however long its path is. */
#ifndef VMFORK_SOCKETS_H
#define VMFORK_SOCKETS_H

/** socket_listen() - a listening socket @name in @dir; an old one is replaced.
 * Return: its descriptor (blocking, O_CLOEXEC), or -errno. */
int socket_listen(const char *dir, const char *name, unsigned int mode);
/** socket_connect() - Return: a non-blocking, O_CLOEXEC descriptor, or -errno. */
int socket_connect(const char *dir, const char *name);

#endif /* VMFORK_SOCKETS_H */
