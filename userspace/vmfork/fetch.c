// SPDX-License-Identifier: GPL-2.0-or-later
/* What --get brings from one clone. See fetch.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "fetch.h"

int make_directories(const char *dir, unsigned int number, char *ret_path, size_t len)
{
	int n = snprintf(ret_path, len, "%s/%u", dir, number);

	if (n < 0 || (size_t)n >= len)
		return -ENAMETOOLONG;
	for (char *p = ret_path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(ret_path, 0777) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(ret_path, 0777) && errno != EEXIST ? -errno : 0;
}

static int start(struct fetch *f, const char *into, unsigned int number)
{
	char path[4096];
	int r = make_directories(into, number, path, sizeof(path));

	if (r)
		return r;
	f->pid = archive_write(path, &f->fd);
	return f->pid < 0 ? (int)f->pid : 0;
}

void fetch_bytes(struct fetch *f, const char *into, unsigned int number, const char *buf,
		 size_t len)
{
	if (f->fd < 0 && !f->err)
		f->err = start(f, into, number);
	while (len && !f->err) {
		ssize_t n = write(f->fd, buf, len);

		if (n < 0 && errno != EINTR)
			f->err = -errno;
		buf += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

int fetch_end(struct fetch *f)
{
	int r = 0;

	if (f->fd >= 0) {
		close(f->fd);
		f->fd = -1;
		r = archive_end(f->pid);
	}
	return f->err ? f->err : r;
}
