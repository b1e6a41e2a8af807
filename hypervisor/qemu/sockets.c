// SPDX-License-Identifier: GPL-2.0-or-later
/* Unix stream sockets in a VM's directory, however long its path is. */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util.h"

#define BACKLOG 4

/* A socket's path has 107 characters at most: it is named by its directory's fd. */
static int short_address(int dirfd, const char *name, struct sockaddr_un *ret)
{
	int n;

	ret->sun_family = AF_UNIX;
	n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dirfd, name);
	return n < (int)sizeof(ret->sun_path) ? 0 : -ENAMETOOLONG;
}

int socket_listen(const char *dir, const char *name, unsigned int mode)
{
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { 0 };
	int r;

	if (dirfd < 0 || sock < 0)
		return -errno;
	r = short_address(dirfd, name, &a);
	if (r < 0)
		return r;
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	if (bind(sock, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    fchmodat(dirfd, name, mode, 0) < 0 || listen(sock, BACKLOG) < 0)
		return -errno;
	return steal_fd(&sock);
}

int socket_connect(const char *dir, const char *name)
{
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un a = { 0 };
	int r;

	if (dirfd < 0 || sock < 0)
		return -errno;
	r = short_address(dirfd, name, &a);
	if (r < 0)
		return r;
	if (connect(sock, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	return steal_fd(&sock);
}
