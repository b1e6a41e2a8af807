// SPDX-License-Identifier: GPL-2.0-or-later
/* The domain's copy: begun at the ticket or at the fork, ended with the domain suspended. */
#include "xenvm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fdpass.h"
#include "log.h"
#include "lower.h"
#include "pvh_ram.h"
#include "util.h"

/**
 * DOC: Pre-copy
 *
 * libxl copies a live domain in rounds: all pages, then those that were written to
 * meanwhile, a few times, and what is left once it has had the guest suspend. Nobody can tell
 * it to wait between two rounds; but it writes into our pipe. From a ticket on the first
 * round is taken, all but its last record, which does not fit into the pipe: there libxl
 * stands, and Xen notes what the guest writes to. At the fork the pipe is read on, and
 * the next rounds are short.
 *
 * A copy is dropped by closing the pipe: libxl fails, and has Xen stop taking notes.
 */
#define BATCH		1024U		/* MAX_BATCH_SIZE of Xen's tools/libs/guest/xg_sr_common.h */
#define PIPE_SMALL	(4 << 12)	/* less than BATCH numbers of pages, and xenstore's and the console's page */
#define PIPE_LARGE	(1 << 20)
#define PROGRESS_NS	5000000000ULL

static enum copy_word word(const struct copy *c)
{
	return __atomic_load_n(&c->word, __ATOMIC_ACQUIRE);
}

static void say(struct copy *c, enum copy_word w)
{
	uint64_t one = 1;

	__atomic_store_n(&c->word, w, __ATOMIC_RELEASE);
	if (write(c->said, &one, sizeof(one)) < 0)
		log_err("copy: %s", strerror(errno));
}

/* Once the fork has come nothing need hold libxl back. */
static void widen(struct copy *c)
{
	if (c->small)
		fcntl(c->split.in, F_SETPIPE_SZ, PIPE_LARGE);
	c->small = false;
}

/* A fork may wait for this. */
static void tell_progress(struct xenvm *x)
{
	struct copy *c = &x->copy;
	uint64_t now = now_ns();

	if (now - c->told_ns < PROGRESS_NS)
		return;
	c->told_ns = now;
	say_what(x, XENVM_PROGRESS, -1);
}

/* Between two records. */
static bool is_stopped(void *data)
{
	struct xenvm *x = data;

	if (word(&x->copy) == COPY_GO)
		widen(&x->copy);
	tell_progress(x);
	return domain_is_stopped(x);
}

static int hold(void *data)
{
	struct xenvm *x = data;
	struct copy *c = &x->copy;
	uint64_t n;

	if (word(c) == COPY_HOLD)
		say_what(x, XENVM_COPIED, -1);
	while (word(c) == COPY_HOLD)
		if (read(c->said, &n, sizeof(n)) < 0 && errno != EINTR)
			return -errno;
	return word(c) == COPY_DROP ? -ECANCELED : 0;
}

static void *split_thread(void *data)
{
	split_run(data);
	return NULL;
}

/* Where the first round's last record begins. */
static uint64_t last_batch(const struct xenvm *x)
{
	xen_pfn_t max = 0;

	if (xc_domain_maximum_gpfn(x->xc, x->domain, &max) < 0 || max < BATCH)
		return 0;
	return (max & ~(BATCH - 1ULL)) - 1;
}

static int save(struct xenvm *x)
{
	struct copy *c = &x->copy;
	pthread_t thread;
	int pipes[2], r;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	c->small = word(c) == COPY_HOLD;
	fcntl(pipes[1], F_SETPIPE_SZ, c->small ? PIPE_SMALL : PIPE_LARGE);
	c->split.in = pipes[0];
	c->split.hold_from = c->small ? last_batch(x) : 0;
	r = -pthread_create(&thread, NULL, split_thread, &c->split);
	if (r) {
		closep(&pipes[0]);
		closep(&pipes[1]);
		return r;
	}
	r = domain_error(x, libxl_domain_suspend(x->ctx, x->domain, pipes[1], LIBXL_SUSPEND_LIVE,
						 NULL));
	close(pipes[1]);
	pthread_join(thread, NULL);
	/* what libxl has given up just ends for us */
	return c->split.err && !(c->split.err == -ECONNRESET && r) ? c->split.err : r;
}

/* Into empty files: an earlier attempt may have left something. */
static int empty(const struct xenvm *x)
{
	off_t npages = (off_t)pvh_pages(x->config.memory);
	const int *fds = x->copy.fds;

	if (ftruncate(fds[0], 0) < 0 || ftruncate(fds[0], npages * PAGER_PAGE_SIZE) < 0 ||
	    ftruncate(fds[1], 0) < 0 || ftruncate(fds[1], npages) < 0 ||
	    ftruncate(fds[2], 0) < 0 || lseek(fds[2], 0, SEEK_SET) < 0)
		return -errno;
	return 0;
}

static int copy(struct xenvm *x)
{
	uint64_t npages = pvh_pages(x->config.memory);
	struct copy *c = &x->copy;
	uint8_t *presence;
	int r = empty(x);

	if (r)
		return r;
	presence = mmap(NULL, npages, PROT_READ | PROT_WRITE, MAP_SHARED, c->fds[1], 0);
	if (presence == MAP_FAILED)
		return -errno;
	c->split = (struct split){
		.image = c->fds[0], .out = c->fds[2], .npages = npages, .presence = presence,
		.is_stopped = is_stopped, .hold = hold, .data = x,
	};
	r = c->fds[3] < 0 ? 0 : lower_copy(c->fds[0], presence, npages, c->fds[3], c->fds[4]);
	r = r ? r : save(x);
	munmap(presence, npages);
	return r;
}

static void *copy_thread(void *data)
{
	struct xenvm *x = data;
	struct copy *c = &x->copy;

	c->err = copy(x);
	/* nobody has asked for its end: libxl had the guest suspend for nothing */
	if (!c->err && word(c) == COPY_HOLD)
		c->err = -ESTALE;
	return NULL;
}

static int begin(struct xenvm *x, enum copy_word w)
{
	struct copy *c = &x->copy;
	int r;

	if (c->said < 0)	/* stays: the main thread may say something at any time */
		c->said = eventfd(0, EFD_CLOEXEC);
	if (c->said < 0)
		return -errno;
	c->word = w;
	r = -pthread_create(&c->thread, NULL, copy_thread, x);
	c->begun = !r;
	return r;
}

static int end(struct xenvm *x)
{
	struct copy *c = &x->copy;

	pthread_join(c->thread, NULL);
	c->begun = false;
	return c->err;
}

static void forget(struct xenvm *x)
{
	struct copy *c = &x->copy;

	if (c->begun) {
		say(c, COPY_DROP);
		end(x);
	}
	fds_close(c->fds, ARRAY_SIZE(c->fds));
}

void copy_drop(struct xenvm *x)
{
	if (x->copy.said >= 0)
		say(&x->copy, COPY_DROP);
}

int copy_prepare(struct xenvm *x, int *fds)
{
	forget(x);
	for (unsigned int i = 0; i < ARRAY_SIZE(x->copy.fds); i++)
		x->copy.fds[i] = steal_fd(&fds[i]);
	return begin(x, COPY_HOLD);
}

/* With what copy_prepare() has begun, as far as that is of use. */
static int copy_rest(struct xenvm *x)
{
	struct copy *c = &x->copy;
	int r = -ESTALE;

	if (c->begun) {
		say(c, COPY_GO);
		r = end(x);
	}
	if (!r || domain_is_stopped(x) || (c->fds[0] < 0 && r == -ESTALE))
		return r;
	r = begin(x, COPY_GO);
	return r ? r : end(x);
}

int domain_freeze(struct xenvm *x, int *fds)
{
	struct copy *c = &x->copy;
	int r;

	if (fds[0] >= 0) {
		forget(x);
		for (unsigned int i = 0; i < ARRAY_SIZE(c->fds); i++)
			c->fds[i] = steal_fd(&fds[i]);
	}
	r = copy_rest(x);
	x->rep.stopped_ns = c->split.stopped_ns;
	x->rep.copied = c->split.copied;
	x->rep.copied_late = c->split.copied_late;
	x->rep.copied_early = c->split.copied_early;
	x->frozen = domain_is_stopped(x);
	forget(x);
	if (r)
		log_err("domain %u: not copied: %s", x->domain, strerror(-r));
	return r;
}
