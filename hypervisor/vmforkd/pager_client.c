// SPDX-License-Identifier: GPL-2.0-or-later
/* The control role's line to vmfork-pager, and what the pager must know. */
#include "pager_client.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "core.h"
#include "fdpass.h"
#include "keeper_client.h"
#include "log.h"
#include "options.h"
#include "util.h"
#include "vm.h"

#define CALLS_MAX	1024
#define FACTS_MAX	1024
#define FACT_FDS_MAX	7

/** struct call - a request that is not answered yet. */
struct call {
	uint32_t seq;	/* 0: free */
	bool add;
	uint32_t op;
	uint64_t handle;
	core_pager_fn done;
	void *data;
};

/** struct fact - an ADD that a new pager must hear again. */
struct fact {
	struct pager_req req;	/* op 0: free */
	int fds[FACT_FDS_MAX];
	unsigned int nfds;
};

static struct call calls[CALLS_MAX];
static struct fact facts[FACTS_MAX];
static int sock = -1;
static uint32_t last_seq;
static sd_event_source *source;

static char kind_of(uint32_t op)
{
	return op == PAGER_IMAGE_ADD || op == PAGER_IMAGE_DEL ? 'i' : 'c';
}

static void fact_name(char *buf, size_t len, const struct fact *f, const char *what)
{
	snprintf(buf, len, "pager.%" PRIu64 ".%c.%s", f->req.handle, kind_of(f->req.op), what);
}

static struct fact *find_fact(char kind, uint64_t handle)
{
	for (struct fact *f = facts; f < facts + FACTS_MAX; f++)
		if (f->req.op && kind_of(f->req.op) == kind && f->req.handle == handle)
			return f;
	return NULL;
}

static struct fact *empty_fact(void)
{
	for (struct fact *f = facts; f < facts + FACTS_MAX; f++)
		if (!f->req.op)
			return f;
	return NULL;
}

static void forget(struct fact *f)
{
	char name[64];

	fact_name(name, sizeof(name), f, "*");
	core_drop_fds(name);
	fds_close(f->fds, f->nfds);
	memset(f, 0, sizeof(*f));
}

static int store_request(const struct fact *f)
{
	_cleanup_close_ int fd = memfd_create("vmfork-pager-request", MFD_CLOEXEC);
	char name[64];

	if (fd < 0 || write(fd, &f->req, sizeof(f->req)) != sizeof(f->req))
		return -ENOMEM;
	fact_name(name, sizeof(name), f, "req");
	return core_store_fd(name, fd);
}

static int store_fact(const struct fact *f)
{
	char name[64], n[12];
	int r;

	for (unsigned int i = 0; i < f->nfds; i++) {
		snprintf(n, sizeof(n), "%u", i);
		fact_name(name, sizeof(name), f, n);
		r = core_store_fd(name, f->fds[i]);
		if (r < 0)
			return r;
	}
	return store_request(f);
}

/* A new pager is to fill as the old one was told last. */
static void remember_fill(const struct pager_req *req)
{
	struct fact *f = find_fact('i', req->handle);

	if (!f)
		return;
	f->req.fill = req->fill;
	f->req.flags = (f->req.flags & ~PAGER_F_FILL_ALL) | req->flags;
	store_request(f);
}

static int remember(const struct pager_req *req, const int *fds, unsigned int nfds)
{
	struct fact *f = find_fact(kind_of(req->op), req->handle);
	int r;

	if (f)
		return 0;
	f = empty_fact();
	if (!f || nfds > FACT_FDS_MAX)
		return -ENOSPC;
	memset(f, 0, sizeof(*f));
	f->req = *req;
	for (; f->nfds < nfds; f->nfds++) {
		f->fds[f->nfds] = fcntl(fds[f->nfds], F_DUPFD_CLOEXEC, 3);
		if (f->fds[f->nfds] < 0) {
			r = -errno;
			forget(f);
			return r;
		}
	}
	r = store_fact(f);
	if (r < 0)
		forget(f);
	return r;
}

static struct call *new_call(void)
{
	for (struct call *c = calls; c < calls + CALLS_MAX; c++)
		if (!c->seq)
			return c;
	return NULL;
}

static void finish_call(struct call *c, const struct pager_rep *rep)
{
	core_pager_fn done = c->done;
	void *data = c->data;

	c->seq = 0;
	if (done)
		done(data, rep);
}

static uint32_t new_seq(void)
{
	if (++last_seq == 0)
		last_seq = 1;
	return last_seq;
}

/* What the command line adds to a backend's request. */
static struct pager_req with_policy(const struct pager_req *req)
{
	struct pager_req q = *req;

	if (q.op == PAGER_CLONE_ADD && opt.poison_avoided)
		q.flags |= PAGER_F_POISON;
	if (q.op == PAGER_IMAGE_ADD && opt.fill != FILL_NONE)
		q.fill = opt.fill_max / PAGER_PAGE_SIZE;
	if (q.op == PAGER_IMAGE_ADD && opt.fill == FILL_ALL)
		q.flags |= PAGER_F_FILL_ALL;
	return q;
}

int core_pager(const struct pager_req *req, const int *fds, unsigned int nfds,
	       core_pager_fn done, void *data)
{
	bool add = req->op == PAGER_IMAGE_ADD || req->op == PAGER_CLONE_ADD;
	struct call *c = new_call();
	struct pager_req q = with_policy(req);
	struct fact *f;
	int r = 0;

	if (!c)
		return -EAGAIN;
	if (add)
		r = remember(&q, fds, nfds);
	if (r < 0)
		return r;
	if (req->op == PAGER_IMAGE_FILL)
		remember_fill(req);
	if (req->op == PAGER_IMAGE_DEL || req->op == PAGER_CLONE_DEL) {
		f = find_fact(kind_of(req->op), req->handle);
		if (f)
			forget(f);
	}
	q.seq = new_seq();
	if (sock >= 0)
		r = fd_send(sock, &q, sizeof(q), fds, nfds);
	else if (!add)
		r = -ENOTCONN;
	/* an ADD that does not get through now is said to the next pager */
	if (r < 0 && !add)
		return r;
	*c = (struct call){ q.seq, add, req->op, req->handle, done, data };
	return 0;
}

static struct call *call_of_add(const struct fact *f)
{
	for (struct call *c = calls; c < calls + CALLS_MAX; c++)
		if (c->seq && c->add && c->op == f->req.op && c->handle == f->req.handle)
			return c;
	return NULL;
}

static void say(const struct fact *f)
{
	struct call *c = call_of_add(f);
	struct pager_req q = f->req;

	q.seq = c ? c->seq : new_seq();
	if (fd_send(sock, &q, sizeof(q), f->fds, f->nfds) < 0)
		log_warn("the pager cannot be told of %c%" PRIu64, kind_of(q.op), q.handle);
}

static int by_age(const void *a, const void *b)
{
	const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;

	if (x->req.op != y->req.op)
		return x->req.op == PAGER_IMAGE_ADD ? -1 : 1;
	return x->req.handle < y->req.handle ? -1 : 1;
}

static void say_all(void)
{
	static const struct fact *sorted[FACTS_MAX];
	unsigned int n = 0;

	for (struct fact *f = facts; f < facts + FACTS_MAX; f++)
		if (f->req.op)
			sorted[n++] = f;
	qsort(sorted, n, sizeof(*sorted), by_age);
	for (unsigned int i = 0; i < n; i++)
		say(sorted[i]);
	if (n)
		log_info("pager: told of %u images and clones", n);
}

/* What the old pager did not answer: all but the ADDs has failed. */
static void fail_calls(void)
{
	struct pager_rep rep = { .result = -EIO };

	for (struct call *c = calls; c < calls + CALLS_MAX; c++)
		if (c->seq && !c->add)
			finish_call(c, &rep);
}

static void clone_lost(uint64_t handle, int err)
{
	struct vm *vm = vm_find(handle);
	const char *why = err == -ENOMEM ? "there is no memory for a page of it" :
		"a page of it cannot be had any more";

	if (!vm)
		return;
	log_err("%s: %s", vm->name, why);
	if (err == -ENOMEM && core.backend->own_limits && vm_memory_limit(vm))
		vm_note_end(vm, VMFORK_OUT_OF_MEMORY, 0, "it wanted more than its %u MiB of memory",
			    vm_memory_limit(vm));
	vm_end(vm, VMFORK_LOST, err == -ENOMEM ? ENOMEM : EIO, "%s", why);
}

static void got_reply(const struct pager_rep *rep)
{
	if (!rep->seq) {
		if (rep->event == PAGER_EV_CLONE_LOST)
			clone_lost(rep->handle, rep->result);
		else if (rep->event == PAGER_EV_NOSPACE)
			log_warn("image %" PRIu64 ": no space left in the image directory: its "
				 "clones get private pages", rep->handle);
		return;
	}
	for (struct call *c = calls; c < calls + CALLS_MAX; c++) {
		struct fact *f;

		if (c->seq != rep->seq)
			continue;
		f = c->add && rep->result < 0 ? find_fact(kind_of(c->op), c->handle) : NULL;
		if (f)
			forget(f);
		finish_call(c, rep);
		return;
	}
}

static void disconnect(void)
{
	source = sd_event_source_disable_unref(source);
	if (sock >= 0)
		close(sock);
	sock = -1;
}

static int on_pager(sd_event_source *s, int fd, uint32_t events, void *data)
{
	struct pager_rep rep;
	int fds[FDPASS_MAX];
	unsigned int nfds = 0;
	ssize_t n = fd_recv(fd, &rep, sizeof(rep), fds, &nfds);

	if (n == -EAGAIN)
		return 0;
	if (n != sizeof(rep)) {
		disconnect();
		fail_calls();
		return 0;
	}
	fds_close(fds, nfds);
	got_reply(&rep);
	return 0;
}

void pager_attach(void)
{
	if (sock < 0 || source)
		return;
	if (sd_event_add_io(core.loop, &source, sock, EPOLLIN, on_pager, NULL) < 0)
		log_err("pager: cannot be served");
	say_all();
}

void pager_connected(int fd)
{
	disconnect();
	fail_calls();
	sock = fd;
	if (!core.loop)
		return;
	pager_attach();
}

static void restore_one(const char *name, void *data)
{
	struct fact *f = empty_fact();
	_cleanup_close_ int fd = -1;
	char part[64];
	size_t n = strlen(name);

	if (!f || n < 4 || strcmp(name + n - 4, ".req"))
		return;
	fd = core_take_fd(name);
	if (fd < 0 || pread(fd, &f->req, sizeof(f->req), 0) != sizeof(f->req)) {
		f->req.op = 0;
		return;
	}
	for (f->nfds = 0; f->nfds < FACT_FDS_MAX; f->nfds++) {
		snprintf(part, sizeof(part), "%.*s.%u", (int)(n - 4), name, f->nfds);
		f->fds[f->nfds] = core_take_fd(part);
		if (f->fds[f->nfds] < 0)
			break;
	}
}

void pager_restore(void)
{
	keeper_each_fd("pager.", restore_one, NULL);
}

void pager_forget_unknown(bool (*image_known)(uint64_t), bool (*clone_known)(uint64_t))
{
	/* clones first: images are busy until then */
	for (int pass = 0; pass < 2; pass++)
		for (struct fact *f = facts; f < facts + FACTS_MAX; f++) {
			bool image = f->req.op == PAGER_IMAGE_ADD;
			struct pager_req del = {
				.op = image ? PAGER_IMAGE_DEL : PAGER_CLONE_DEL,
				.handle = f->req.handle,
			};

			if (!f->req.op || image != (pass == 1) ||
			    (image ? image_known : clone_known)(f->req.handle))
				continue;
			if (core_pager(&del, NULL, 0, NULL, NULL) < 0)
				forget(f);
		}
}
