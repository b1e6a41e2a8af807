// SPDX-License-Identifier: GPL-2.0-or-later
/* Where what comes from the clones goes. See sink.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clone.h"
#include "interrupt.h"
#include "progress.h"
#include "sink.h"

#define LOOK_MS	500	/* how often a blocked write looks at the time */

/* PIPE_BUF at a time: poll() promises no more, and a blocked write() sees no signal */
static int write_some(struct parent *p, int fd, const char **buf, size_t *len)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = POLLOUT },
		{ .fd = p->muted ? -1 : interrupt_fd(), .events = POLLIN },
	};
	ssize_t n;

	if (poll(fds, 2, p->o->timeout > 0 ? LOOK_MS : -1) < 0 || !fds[0].revents) {
		parent_look(p);
		return 0;
	}
	n = write(fd, *buf, *len < PIPE_BUF ? *len : PIPE_BUF);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	*buf += n;
	*len -= (size_t)n;
	return 0;
}

static int put(struct parent *p, int fd, const char *buf, size_t len)
{
	int r = 0;

	progress_clear();
	while (len && !p->muted && !r)
		r = write_some(p, fd, &buf, &len);
	if (r == -EPIPE) {
		parent_stop(p, 128 + SIGPIPE);
	} else if (r) {
		fprintf(stderr, "vmfork: cannot write the output: %s\n", strerror(-r));
		parent_stop(p, STATUS_FAILED);
	}
	parent_draw(p);
	return 0;
}

static int put_out(void *data, const char *buf, size_t len)
{
	return put(data, STDOUT_FILENO, buf, len);
}

static int put_err(void *data, const char *buf, size_t len)
{
	return put(data, STDERR_FILENO, buf, len);
}

static int cannot_keep(struct parent *p, const char *what, int err)
{
	progress_clear();
	fprintf(stderr, "vmfork: %s: %s\n", what,
		err == -EIO ? "not all arrived" : strerror(-err));
	p->sink_failed = true;
	parent_stop(p, STATUS_FAILED);
	return 0;
}

static int open_in(const char *dir, const char *name)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fd < 0 ? -errno : fd;
}

static int open_files(struct parent *p, struct child *child, unsigned int number)
{
	char dir[4096];
	int r = make_directories(p->o->output_dir, number, dir, sizeof(dir));

	if (!r)
		r = child->files[0] = open_in(dir, "stdout");
	if (r >= 0)
		r = child->files[1] = open_in(dir, "stderr");
	return r < 0 ? r : 0;
}

static void write_file(struct parent *p, int fd, const char *buf, size_t len)
{
	while (len && !p->sink_failed) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno != EINTR)
			cannot_keep(p, p->o->output_dir, -errno);
		buf += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

/* Files of one clone are opened when the first bytes come, and at its end at the latest. */
static int to_file(struct parent *p, struct child *child, unsigned int which, const char *buf,
		   size_t len)
{
	unsigned int number = (unsigned int)(child - p->crew->child) + 1;
	int r = child->files[0] < 0 ? open_files(p, child, number) : 0;

	if (r)
		return cannot_keep(p, p->o->output_dir, r);
	write_file(p, child->files[which], buf, len);
	return 0;
}

static int write_status(struct parent *p, struct child *child, unsigned int number)
{
	char dir[4096], text[32];
	int r, fd, n;

	if (child->files[0] < 0)
		to_file(p, child, 0, "", 0);
	if (p->sink_failed)
		return 0;
	r = make_directories(p->o->output_dir, number, dir, sizeof(dir));
	fd = r ? r : open_in(dir, "status");
	if (fd < 0)
		return cannot_keep(p, p->o->output_dir, fd);
	n = snprintf(text, sizeof(text), "%d\n", result_status(&child->result));
	write_file(p, fd, text, (size_t)n);
	close(fd);
	for (int i = 0; i < 2; i++) {
		close(child->files[i]);
		child->files[i] = -1;
	}
	return 0;
}

int sink_init(struct parent *p)
{
	bool group = p->o->output == OUTPUT_GROUP;

	for (unsigned int i = 0; i < p->crew->n; i++) {
		struct child *child = &p->crew->child[i];

		output_init(&child->out, i + 1, p->o->label, group, put_out, p);
		output_init(&child->err, i + 1, p->o->label, group, put_err, p);
	}
	return 0;
}

static void take_get(struct parent *p, struct child *child, const char *buf, size_t len)
{
	child->result.got_bytes += len;
	if (!p->muted)
		fetch_bytes(&child->fetch, p->o->into,
			    (unsigned int)(child - p->crew->child) + 1, buf, len);
}

int sink_take(struct parent *p, struct child *child, unsigned int tag, const char *buf,
	      size_t len)
{
	bool err = tag == TAG_ERR;

	if (tag == TAG_GET && p->o->get.n) {
		take_get(p, child, buf, len);
		return 0;
	}
	if (tag != TAG_OUT && tag != TAG_ERR)
		return 0;
	*(err ? &child->result.err_bytes : &child->result.out_bytes) += len;
	if (p->muted)
		return 0;
	if (p->o->output == OUTPUT_DIR)
		return to_file(p, child, err, buf, len);
	return output_bytes(err ? &child->err : &child->out, buf, len);
}

int sink_end(struct parent *p, struct child *child, unsigned int number)
{
	int r, r2;

	r = output_end(&child->out);
	r2 = output_end(&child->err);
	output_free(&child->out);
	output_free(&child->err);
	if (r || r2)
		return r ? r : r2;
	if (p->o->output == OUTPUT_DIR && !p->muted)
		write_status(p, child, number);
	r = fetch_end(&child->fetch);
	if (r && !p->muted && !p->stop_status)
		cannot_keep(p, "--get", r);
	return 0;
}
