// SPDX-License-Identifier: GPL-2.0-or-later
/* Writing one whole page into a file so that nobody can see a part of it. */
#include "pagewrite.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pager_proto.h"

/**
 * DOC: Why not write(2)
 *
 * A new page of a tmpfs file becomes visible to mappings when the copy into it has
 * ended, and write(2) copies from user memory. If that faults in the middle (the page
 * is being migrated, or the out-of-memory killer has just reaped this process), the
 * kernel publishes what it has, the rest zeros, and only then tries again. A clone
 * could map it in that moment, and after a kill it would stay so.
 *
 * So the page is handed to the kernel first: vmsplice(2) takes a reference to it, and
 * splice(2) copies from there; this cannot fault, so the page is published whole or
 * not at all.
 */
static int pipe_fds[2] = { -1, -1 };

int pagewrite_init(void)
{
	return pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
}

static void drain(void)
{
	static uint8_t waste[PAGER_PAGE_SIZE];
	ssize_t n;

	do {
		n = read(pipe_fds[0], waste, sizeof(waste));
	} while (n > 0 || (n < 0 && errno == EINTR));
}

int pagewrite(int file, uint64_t offset, const void *buf, unsigned int n)
{
	ssize_t len = n * (ssize_t)PAGER_PAGE_SIZE, done;
	struct iovec iov = { .iov_base = (void *)buf, .iov_len = (size_t)len };
	loff_t off = (loff_t)offset;
	int err;

	done = vmsplice(pipe_fds[1], &iov, 1, SPLICE_F_NONBLOCK);
	if (done == len)
		done = splice(pipe_fds[0], NULL, file, &off, (size_t)len, SPLICE_F_NONBLOCK);
	if (done == len)
		return 0;
	err = done < 0 ? -errno : -EIO;
	drain();
	return err;
}
