// SPDX-License-Identifier: GPL-2.0-or-later
/* A clone's line to the vmfork(1) that made it. See link.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "clone.h"
#include "link.h"

static void write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
}

void link_send(struct link *l, unsigned int tag, const char *buf, size_t len)
{
	size_t part;
	int r = -EPIPE;

	for (; len; buf += part, len -= part) {
		part = len < VMFORK_MSG_MAX ? len : VMFORK_MSG_MAX;
		while (!l->gone && (r = vmfork_send(l->fd, 0, tag, buf, part)) == -EINTR)
			;
		l->gone |= r != 0;
		if (l->gone && tag == TAG_OUT)
			write_all(STDOUT_FILENO, buf, part);
		else if (l->gone && tag == TAG_ERR)
			write_all(STDERR_FILENO, buf, part);
	}
}

void link_say(struct link *l, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > 0)
		link_send(l, TAG_ERR, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

ssize_t link_recv(struct link *l, unsigned int *ret_tag, char *buf)
{
	struct vmfork_record record;
	int r;

	do {
		r = vmfork_recv(l->fd, &record, buf, VMFORK_MSG_MAX);
	} while (r == -EINTR || (r > 0 && record.type != VMFORK_RECORD_DATA));
	if (r <= 0)
		return r;
	*ret_tag = record.tag;
	return record.len;
}

bool link_forward(struct link *l, int from, unsigned int tag)
{
	char buf[VMFORK_MSG_MAX];
	ssize_t n = read(from, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n > 0)
		link_send(l, tag, buf, (size_t)n);
	return n > 0;
}
