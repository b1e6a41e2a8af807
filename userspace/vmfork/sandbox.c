// SPDX-License-Identifier: GPL-2.0-or-later
/* --sandbox: a clone without network, whose changes to its disks are listed. */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clone.h"
#include "sandbox.h"

static int take_down(int sock, const char *name)
{
	struct ifreq r = { 0 };

	memcpy(r.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	if (ioctl(sock, SIOCGIFFLAGS, &r))
		return -errno;
	if (r.ifr_flags & IFF_LOOPBACK || !(r.ifr_flags & IFF_UP))
		return 0;
	r.ifr_flags = (short)(r.ifr_flags & ~IFF_UP);
	return ioctl(sock, SIOCSIFFLAGS, &r) ? -errno : 0;
}

static int cut_network(struct link *l)
{
	struct if_nameindex *all = if_nameindex();
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r = 0;

	if (!all || sock < 0)
		r = -errno;
	for (struct if_nameindex *i = all; !r && i->if_index; i++)
		r = take_down(sock, i->if_name);
	if (all)
		if_freenameindex(all);
	if (sock >= 0)
		close(sock);
	if (r)
		link_say(l, "vmfork: sandbox: cannot cut the network: %s%s\n", strerror(-r),
			 r == -EPERM ? ": this takes root" : "");
	return r;
}

int sandbox_enter(struct link *l, struct change_list *ret_before)
{
	int r = cut_network(l);

	if (r)
		return r;
	r = changes_look(ret_before);
	if (r)
		link_say(l, "vmfork: sandbox: cannot look at the disks: %s\n", strerror(-r));
	return r;
}

static void say_change(void *data, char kind, const char *path)
{
	char line[4];

	/* not link_say(): a path may be longer than its line */
	line[0] = kind;
	line[1] = ' ';
	link_send(data, TAG_ERR, line, 2);
	link_send(data, TAG_ERR, path, strlen(path));
	link_send(data, TAG_ERR, "\n", 1);
}

void sandbox_report(struct link *l, struct change_list *before)
{
	struct change_list after;
	size_t n;
	int r = changes_look(&after);

	if (r) {
		link_say(l, "vmfork: sandbox: cannot look at the disks: %s\n", strerror(-r));
		changes_free(before);
		return;
	}
	n = changes_compare(before, &after, say_change, l);
	if (!n)
		link_say(l, "vmfork: sandbox: nothing was changed on its disks\n");
	changes_free(before);
	changes_free(&after);
}
