// SPDX-License-Identifier: GPL-2.0-or-later
/* A clone's domain before there is anything to make it of: a restore that waits for its stream. */
#include "xenvm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

/**
 * DOC: Stand-by domains
 *
 * libxl_domain_create_restore() makes the domain first and then reads a stream from a pipe
 * of ours. It gets the beginning, which is the same in each: libxl's head and the record that
 * has it start its helper for the memory. There both wait, until the descriptor follows.
 *
 * Should libxl fail it forks to destroy what it has made, and its child makes hypercalls: no other
 * thread does so meanwhile, whose lock in libxencall could be held in that child for ever.
 */
static const uint8_t beginning[] = {
	'L', 'i', 'b', 'x', 'l', 'F', 'm', 't', 0, 0, 0, 2, 0, 0, 0, 0,	/* version 2, big endian */
	1, 0, 0, 0, 0, 0, 0, 0,						/* LIBXC_CONTEXT, no body */
};

#define LOOK_USEC	20000
#define LOOKS		3000

static void *restore_thread(void *data)
{
	struct xenvm *x = data;
	struct standby *s = &x->standby;

	s->err = domain_restore(x, s->in, &s->domain);
	close(s->in);	/* should it have failed: nobody is to wait until the stream is read */
	__atomic_store_n(&s->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool ended(const struct standby *s)
{
	return __atomic_load_n(&s->ended, __ATOMIC_ACQUIRE);
}

static int begin(struct xenvm *x)
{
	struct standby *s = &x->standby;
	int pipes[2], r;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	*s = (struct standby){ .in = pipes[0], .out = pipes[1] };
	r = write(s->out, beginning, sizeof(beginning)) == sizeof(beginning) ? 0 : -EIO;
	r = r ? r : -pthread_create(&s->thread, NULL, restore_thread, x);
	s->begun = !r;
	if (r) {
		closep(&pipes[0]);
		closep(&pipes[1]);
	}
	return r;
}

/* Has libxl read the beginning? Its domain is made then. */
static bool waits(const struct standby *s)
{
	int n = 0;

	return ended(s) || (ioctl(s->out, FIONREAD, &n) == 0 && n == 0);
}

int standby_begin(struct xenvm *x)
{
	int r = begin(x);

	for (int i = 0; !r && !waits(&x->standby) && i < LOOKS; i++)
		usleep(LOOK_USEC);
	return r;
}

static int feed(int out, int descriptor)
{
	uint8_t head[sizeof(beginning)];
	loff_t at = sizeof(head);
	ssize_t n;

	if (pread(descriptor, head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head, beginning, sizeof(head)))
		return -EBADMSG;
	while ((n = splice(descriptor, &at, out, NULL, 1 << 20, 0)) > 0)
		;
	return n < 0 ? -errno : 0;
}

int standby_end(struct xenvm *x, int descriptor)
{
	struct standby *s = &x->standby;
	int r = s->begun ? 0 : begin(x), fed;

	if (r)
		return r;
	fed = feed(s->out, descriptor);
	close(steal_fd(&s->out));
	pthread_join(s->thread, NULL);
	s->begun = false;
	if (!s->err && fed)
		log_err("the descriptor: %s", strerror(-fed));
	r = s->err ? s->err : fed;
	r = r ? r : domain_made(x, s->domain);
	return r ? r : load_ring(x);
}
