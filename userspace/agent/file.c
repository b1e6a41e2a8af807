// SPDX-License-Identifier: GPL-2.0-or-later
/* Whole files, at once. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#define READ_STEP	4096U	/* the agent's memory is locked: what is allocated is there */

/* One more, for the NUL. Return: 0 at the end, 1, or -errno. */
static int read_more(int fd, char **buf, size_t *len, size_t *room)
{
	char *more;
	ssize_t n;

	if (*len == *room) {
		more = realloc(*buf, *room + READ_STEP + 1);
		if (!more)
			return -ENOMEM;
		*buf = more;
		*room += READ_STEP;
	}
	n = read(fd, *buf + *len, *room - *len);
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	*len += (size_t)n;
	return n > 0;
}

static int read_all(int fd, size_t max, char **ret_buf, size_t *ret_len)
{
	size_t len = 0, room = 0;
	char *buf = NULL;
	int r;

	do {
		r = read_more(fd, &buf, &len, &room);
	} while (r > 0 && len <= max);
	if (r > 0 && len > max)
		r = -EFBIG;
	if (r) {
		free(buf);
		return r;
	}
	buf[len] = '\0';
	*ret_buf = buf;
	*ret_len = len;
	return 0;
}

int file_read(const char *path, size_t max, char **ret_buf, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = read_all(fd, max, ret_buf, ret_len);
	close(fd);
	return r;
}

/* No longer than what was written, and with this mode. */
static int settle(int fd, off_t size, mode_t mode)
{
	struct stat st;

	if (fstat(fd, &st) || (st.st_size != size && ftruncate(fd, size)) ||
	    ((st.st_mode & 07777) != mode && fchmod(fd, mode)))
		return -errno;
	return 0;
}

static int write_all(const char *path, int flags, mode_t mode, const char *buf, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode), r = 0;
	size_t at = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (at < len && !r) {
		n = write(fd, buf + at, len - at);
		if (n < 0 && errno != EINTR)
			r = -errno;
		if (n > 0)
			at += (size_t)n;
	}
	if (!r)
		r = settle(fd, (off_t)len, mode);
	if (close(fd) && !r)
		r = -errno;
	return r;
}

int file_replace(const char *path, mode_t mode, const char *buf, size_t len)
{
	char tmp[PATH_MAX];
	int r;

	if (snprintf(tmp, sizeof(tmp), "%s.vmfork-new", path) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	r = write_all(tmp, O_TRUNC | O_NOFOLLOW, mode, buf, len);
	if (!r && rename(tmp, path))
		r = -errno;
	if (r)
		unlink(tmp);
	return r;
}

int file_overwrite(const char *path, mode_t mode, const char *buf, size_t len)
{
	return write_all(path, 0, mode, buf, len);
}

int file_rewrite(const char *path, mode_t mode, const char *buf, size_t len)
{
	struct stat st;

	if (lstat(path, &st) || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return file_replace(path, mode, buf, len);
	return write_all(path, O_NOFOLLOW, mode, buf, len);
}
