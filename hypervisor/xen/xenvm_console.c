// SPDX-License-Identifier: GPL-2.0-or-later
/* The domain's console, which xenconsoled has as a tty, as a socket and a log. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "util.h"
#include "xenvm.h"

/* One client at a time; what it does not read is in the log only. */

int console_open(struct console *c, const char *tty)
{
	struct termios t;
	int fd = open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		tcsetattr(fd, TCSANOW, &t);
	}
	__atomic_store_n(&c->tty, fd, __ATOMIC_RELEASE);
	return 0;
}

static void drop_client(struct console *c)
{
	closep(&c->client);
	c->client = -1;
}

void console_read(struct console *c)
{
	char buf[4096];
	ssize_t n = read(c->tty, buf, sizeof(buf));

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) {
			close(c->tty);
			c->tty = -1;
		}
		return;
	}
	if (write(c->log, buf, (size_t)n) < 0)
		n += 0;		/* a full disk is no reason to stop the console */
	if (c->client >= 0 && send(c->client, buf, (size_t)n, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		drop_client(c);
}

void console_accept(struct console *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	drop_client(c);
	c->client = fd;
}

void console_client(struct console *c)
{
	char buf[1024];
	ssize_t n = recv(c->client, buf, sizeof(buf), 0);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			drop_client(c);
		return;
	}
	for (ssize_t done = 0, w; done < n && c->tty >= 0; done += w) {
		w = write(c->tty, buf + done, (size_t)(n - done));
		if (w < 0 && errno != EAGAIN)
			return;
		if (w < 0) {
			usleep(10000);
			w = 0;
		}
	}
}
