// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes to every clone: an archive (--put), then stdin. See feed.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "clone.h"
#include "feed.h"
#include "vmfork.h"

static int spool_file(void)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && dir[0] ? dir : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *f;

	if (fd >= 0)
		return fd;
	f = tmpfile();
	if (!f)
		return -errno;
	fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 3);
	fclose(f);
	return fd < 0 ? -errno : fd;
}

/* Return: bytes taken, 0 at the end, or -errno */
static ssize_t spool_some(struct spool *s)
{
	char buf[65536];
	ssize_t n = read(s->from, buf, sizeof(buf)), at = 0;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	while (at < n) {
		ssize_t w = pwrite(s->fd, buf + at, (size_t)(n - at), s->size);

		if (w < 0 && errno != EINTR)
			return -errno;
		at += w > 0 ? w : 0;
		s->size += w > 0 ? w : 0;
	}
	return n;
}

static int make_archive(struct feed *f, const struct options *o)
{
	pid_t pid;
	ssize_t n;
	int r;

	f->put.fd = spool_file();
	if (f->put.fd < 0)
		return f->put.fd;
	pid = archive_read(&o->put, "/", &f->put.from);
	if (pid < 0)
		return (int)pid;
	do {
		n = spool_some(&f->put);
	} while (n > 0);
	close(f->put.from);
	f->put.from = -1;
	r = archive_end(pid);
	return n < 0 ? (int)n : r;
}

int feed_init(struct feed *f, const struct options *o)
{
	int r = 0;

	*f = (struct feed){ { -1, -1, 0 }, { -1, -1, 0 } };
	if (o->put.n)
		r = make_archive(f, o);
	if (r) {
		fprintf(stderr, "vmfork: --put: %s\n",
			r == -EIO ? "not all files can be read" : strerror(-r));
		return STATUS_FAILED;
	}
	if (!o->use_stdin)
		return 0;
	f->input.fd = spool_file();
	f->input.from = STDIN_FILENO;
	if (f->input.fd >= 0)
		return 0;
	fprintf(stderr, "vmfork: --stdin: %s\n", strerror(-f->input.fd));
	return STATUS_FAILED;
}

void feed_free(struct feed *f)
{
	if (f->put.fd >= 0)
		close(f->put.fd);
	if (f->input.fd >= 0)
		close(f->input.fd);
}

int feed_fd(const struct feed *f)
{
	return f->input.fd >= 0 ? f->input.from : -1;
}

int feed_read(struct feed *f)
{
	ssize_t n = spool_some(&f->input);

	if (n <= 0)
		f->input.from = -1;
	return n < 0 ? (int)n : 0;
}

static int send_end(int ticket, unsigned int id, unsigned int tag, bool *ended)
{
	int r = vmfork_send(ticket, id, tag, "", 1);

	*ended = r == 0;
	return r;
}

/* One spool, then its end. */
static int send_spool(const struct spool *s, off_t *at, bool *ended, int ticket, unsigned int id,
		      unsigned int tag)
{
	char buf[VMFORK_MSG_MAX];
	ssize_t n;
	int r;

	if (s->fd < 0 || *ended)
		return 0;
	while (*at < s->size) {
		n = pread(s->fd, buf, sizeof(buf), *at);
		if (n <= 0)
			return -EIO;
		r = vmfork_send(ticket, id, tag, buf, (size_t)n);
		if (r)
			return r == -EINTR ? -EAGAIN : r;
		*at += n;
	}
	return s->from < 0 ? send_end(ticket, id, tag + 1, ended) : 0;
}

int feed_send(const struct feed *f, struct feed_place *at, int ticket, unsigned int id)
{
	int r = send_spool(&f->put, &at->put, &at->put_ended, ticket, id, TAG_PUT);

	return r ? r : send_spool(&f->input, &at->input, &at->input_ended, ticket, id, TAG_STDIN);
}
