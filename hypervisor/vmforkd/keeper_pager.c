// SPDX-License-Identifier: GPL-2.0-or-later
/* The pager as the keeper's child. See keeper_pager.h. */
#include "keeper_pager.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper.h"
#include "keeper_link.h"
#include "options.h"
#include "util.h"

static int listener = -1;
static struct sockaddr_un addr;
static socklen_t addr_len;

int keeper_pager_listen(void)
{
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (listener < 0)
		return -errno;
	addr.sun_family = AF_UNIX;
	addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
		snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "vmfork-pager-%d", getpid()));
	if (bind(listener, (struct sockaddr *)&addr, addr_len) < 0 || listen(listener, 8) < 0)
		return -errno;
	return 0;
}

/* The backlog holds it until the pager accepts. */
void keeper_pager_offer(pid_t pid)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || !pid || !link_is_open() ||
	    connect(fd, (struct sockaddr *)&addr, addr_len) < 0)
		return;
	link_tell(KEEPER_PAGER, 0, pid, 0, "pager", fd);
}

int keeper_pager_start(const struct options *o)
{
	char *argv[] = { (char *)o->pager, (char *)"--fd", (char *)"3", NULL, NULL, NULL };
	struct spawn s = {
		.argv = argv, .envp = environ, .fds = &listener, .nfds = 1, .out = -1,
		.uid = (uid_t)-1, .cgroup = -1,
	};

	if (o->pager_user[0]) {
		argv[3] = (char *)"--user";
		argv[4] = (char *)o->pager_user;
	}
	return spawn_process(&s);
}
