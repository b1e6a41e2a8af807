// SPDX-License-Identifier: GPL-2.0-or-later
/* The keeper's line to control: messages each way, descriptors with them. */
#include "keeper_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "fdpass.h"

struct outgoing {
	struct outgoing *next;
	struct keeper_msg msg;
	int fd;
};

static int control_fd = -1;
static sd_event_source *control_source;
static link_handle_fn handler;
static struct outgoing *out_first, **out_last = &out_first;

static void drop_outgoing(void)
{
	struct outgoing *o = out_first;

	out_first = o->next;
	if (!out_first)
		out_last = &out_first;
	if (o->fd >= 0)
		close(o->fd);
	free(o);
}

static void flush_outgoing(void)
{
	while (out_first && control_fd >= 0) {
		int r = fd_send(control_fd, &out_first->msg, sizeof(out_first->msg),
				&out_first->fd, out_first->fd >= 0);

		if (r == -EAGAIN)
			break;
		drop_outgoing();
	}
	if (control_source)
		sd_event_source_set_io_events(control_source,
					      EPOLLIN | (out_first ? EPOLLOUT : 0));
}

void link_tell(enum keeper_op op, uint32_t seq, pid_t pid, int status, const char *name, int fd)
{
	struct outgoing *o;

	if (control_fd < 0)
		return;
	o = calloc(1, sizeof(*o));
	if (!o)
		return;
	o->msg.op = op;
	o->msg.seq = seq;
	o->msg.pid = pid;
	o->msg.status = status;
	snprintf(o->msg.name, sizeof(o->msg.name), "%s", name);
	o->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
	*out_last = o;
	out_last = &o->next;
	flush_outgoing();
}

void link_close(void)
{
	control_source = sd_event_source_disable_unref(control_source);
	if (control_fd >= 0)
		close(control_fd);
	control_fd = -1;
	while (out_first)
		drop_outgoing();
}

/* Return: false: nothing to be read, or the end. */
static bool receive(void)
{
	static struct {
		struct keeper_msg msg;
		char blob[KEEPER_BLOB_MAX];
	} in;
	int fds[FDPASS_MAX];
	unsigned int nfds = 0;
	ssize_t n = fd_recv(control_fd, &in, sizeof(in), fds, &nfds);

	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		link_close();
		return false;
	}
	if ((size_t)n >= sizeof(in.msg) && (size_t)n - sizeof(in.msg) == in.msg.blob) {
		in.msg.name[KEEPER_NAME_MAX - 1] = '\0';
		handler(&in.msg, in.blob, fds, nfds);
	}
	fds_close(fds, nfds);
	return true;
}

static int on_control(sd_event_source *s, int fd, uint32_t events, void *data)
{
	if (events & EPOLLOUT)
		flush_outgoing();
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive();
	return 0;
}

void link_drain(void)
{
	while (control_fd >= 0 && receive())
		;
}

bool link_is_open(void)
{
	return control_fd >= 0;
}

void link_open(struct sd_event *loop, int fd, link_handle_fn handle)
{
	link_close();
	control_fd = fd;
	handler = handle;
	fcntl(control_fd, F_SETFL, O_NONBLOCK);
	sd_event_add_io(loop, &control_source, control_fd, EPOLLIN, on_control, NULL);
}
