// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/vmfork as the agent uses it. */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"

const char *device_hint(int err)
{
	return err == -ENOENT || err == -ENXIO ? ": load the module (modprobe vmfork)" : "";
}

int device_register(int fd, unsigned int timeout_ms)
{
	struct vmfork_agent a = { .timeout_ms = timeout_ms };

	return ioctl(fd, VMFORK_AGENT, &a) ? -errno : 0;
}

int device_next(int fd, struct vmfork_identity *ret)
{
	ssize_t n = read(fd, ret, sizeof(*ret));

	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(*ret) ? 0 : -EIO;
}

int device_net(int fd, struct vmfork_net *ret)
{
	*ret = (struct vmfork_net) { 0 };
	return ioctl(fd, VMFORK_GET_NET, ret) ? -errno : 0;
}

int device_params(int fd, char **ret_buf, size_t *ret_len)
{
	char *buf = malloc(VMFORK_PARAMS_MAX + 1);
	struct vmfork_params p = { .buf = (uintptr_t)buf, .len = VMFORK_PARAMS_MAX };

	if (!buf)
		return -ENOMEM;
	if (ioctl(fd, VMFORK_GET_PARAMS, &p)) {
		free(buf);
		return -errno;
	}
	if (p.len > VMFORK_PARAMS_MAX) {
		free(buf);
		return -EIO;
	}
	buf[p.len] = '\0';
	*ret_buf = buf;
	*ret_len = p.len;
	return 0;
}

int device_report(int fd, int result, const char *why)
{
	struct vmfork_report r = { .result = result };
	size_t i;

	snprintf(r.why, sizeof(r.why), "%s", why);
	for (i = 0; r.why[i]; i++)
		if (!isprint((unsigned char)r.why[i]))
			r.why[i] = '?';
	return ioctl(fd, VMFORK_AGENT_REPORT, &r) ? -errno : 0;
}
