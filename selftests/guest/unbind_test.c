// SPDX-License-Identifier: GPL-2.0-or-later
/* The channel's device goes away under open descriptors, and comes back. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vmfork.h>

#include "tap.h"

#define PLAN	8
#define DRIVER	"/sys/bus/pci/drivers/vmfork"

static int call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? errno : 0;
}

/* PCI address of the device that the driver has, "" for none */
static void find_device(char *ret, size_t len)
{
	DIR *dir = opendir(DRIVER);
	struct dirent *e;

	ret[0] = '\0';
	while (dir && (e = readdir(dir)))
		if (strchr(e->d_name, ':'))
			snprintf(ret, len, "%.31s", e->d_name);
	if (dir)
		closedir(dir);
}

static int tell_driver(const char *file, const char *what)
{
	char path[64];
	int fd, err = 0;

	snprintf(path, sizeof(path), DRIVER "/%s", file);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, what, strlen(what)) < 0)
		err = errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int main(void)
{
	struct vmfork_request_ticket rt = { .clones = 1 };
	struct vmfork_ticket_info info;
	struct vmfork_clone c = { };
	struct vmfork_identity before, after;
	struct vmfork_api api;
	struct pollfd p = { .events = POLLIN };
	struct vmfork_record rec;
	char address[32];
	int device;

	tap_plan(PLAN);
	find_device(address, sizeof(address));
	device = open("/dev/vmfork", O_RDWR);
	if (device < 0)
		tap_bail("/dev/vmfork: %s", strerror(errno));
	if (!address[0] || getuid()) {
		tap_skip_rest("no PCI channel, or not root");
		return tap_end();
	}
	ioctl(device, VMFORK_GET_ID, &before);
	if (call(device, VMFORK_REQUEST_TICKET, &rt))
		tap_bail("VMFORK_REQUEST_TICKET: %s", strerror(errno));
	p.fd = rt.fd;
	tap_ok(tell_driver("unbind", address) == 0, "unbind %s with a ticket open", address);
	tap_ok(call(device, VMFORK_GET_API, &api) == 0 && api.clones_max == 0,
	       "GET_API: no clones to be had");
	tap_ok(call(device, VMFORK_GET_ID, &after) == ENODEV, "GET_ID: ENODEV");
	tap_ok(call(rt.fd, VMFORK_TICKET_INFO, &info) == ENODEV &&
	       call(rt.fd, VMFORK_TICKET_CLONE, &c) == ENODEV &&
	       read(rt.fd, &rec, sizeof(rec)) == -1 && errno == ENODEV, "the ticket: ENODEV");
	tap_ok(poll(&p, 1, 0) == 1 && p.revents & POLLERR, "poll() of the ticket: ERR");
	tap_ok(tell_driver("bind", address) == 0, "bind it again");
	tap_ok(call(device, VMFORK_GET_ID, &after) == 0 && after.vm == before.vm,
	       "GET_ID: the same machine");
	tap_ok(call(rt.fd, VMFORK_TICKET_CLONE, &c) == ESTALE, "the ticket of then: ESTALE");
	close(rt.fd);
	return tap_end();
}
