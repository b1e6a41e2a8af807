// SPDX-License-Identifier: GPL-2.0-or-later
/* Checkpoints: made, named, found, cloned later. Needs a host behind the channel. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <linux/vmfork.h>

#include "tap.h"

#define PLAN	16
#define CLONES	2
#define WATCHERS	4

struct report {
	struct vmfork_record head;
	uint32_t id;
	uint32_t clones;
	uint64_t nonce;
	uint64_t random;
	int64_t realtime_ms;
	struct vmfork_identity identity;
	uint32_t foreign;	/* errno of CREATE_CLONES with the ticket from before */
	uint32_t stale;		/* watchers that saw the old time in the new machine */
};

/* processes that spin until they find themselves in a clone, and look at the clock */
struct watch {
	uint64_t vm;
	int64_t made_ms;
	uint32_t ready;
	uint32_t done;
	uint32_t stale;
};

static int device, ticket;
static uint64_t nonce;
static struct watch *watch;

static int call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? errno : 0;
}

static int64_t realtime_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void run_watcher(void)
{
	struct vmfork_identity id;

	__atomic_add_fetch(&watch->ready, 1, __ATOMIC_SEQ_CST);
	do
		ioctl(device, VMFORK_GET_ID, &id);
	while (id.vm == watch->vm);
	if (realtime_ms() < watch->made_ms + 1000)
		__atomic_add_fetch(&watch->stale, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&watch->done, 1, __ATOMIC_SEQ_CST);
	_exit(0);
}

static void start_watchers(void)
{
	struct vmfork_identity id;

	watch = mmap(NULL, sizeof(*watch), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (watch == MAP_FAILED || ioctl(device, VMFORK_GET_ID, &id))
		tap_bail("cannot watch: %s", strerror(errno));
	watch->vm = id.vm;
	for (int i = 0; i < WATCHERS; i++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_watcher();
	}
	while (__atomic_load_n(&watch->ready, __ATOMIC_SEQ_CST) < WATCHERS)
		sched_yield();
}

static int request(void)
{
	struct vmfork_request_ticket rt = { .clones = CLONES, .flags = VMFORK_TICKET_EXACT };
	int err = call(device, VMFORK_REQUEST_TICKET, &rt);

	if (err)
		tap_bail("VMFORK_REQUEST_TICKET: %s", strerror(err));
	return rt.fd;
}

static void run_clone(const struct vmfork_checkpoint *c, struct report *r)
{
	struct vmfork_create_clones again = { .checkpoint_fd = c->fd };
	struct vmfork_exit e = { .status = (int)c->id };

	r->head.type = VMFORK_RECORD_DATA;
	r->head.len = sizeof(*r) - sizeof(r->head);
	r->id = c->id;
	r->clones = c->clones;
	r->nonce = nonce;
	while (__atomic_load_n(&watch->done, __ATOMIC_SEQ_CST) < WATCHERS)
		sched_yield();
	r->stale = watch->stale;
	r->foreign = (uint32_t)call(ticket, VMFORK_TICKET_CREATE_CLONES, &again);
	ioctl(device, VMFORK_GET_ID, &r->identity);
	if (write(c->fd, r, sizeof(*r)) != (ssize_t)sizeof(*r))
		e.status = 100;
	ioctl(device, VMFORK_EXIT, &e);
	_exit(1);
}

static void test_descriptor(int fd)
{
	char buf[sizeof(struct vmfork_record) + 1] = { VMFORK_RECORD_DATA };
	struct vmfork_ticket_info info;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	tap_ok(fcntl(fd, F_GETFD) == FD_CLOEXEC, "checkpoint: O_CLOEXEC");
	tap_ok(read(fd, buf, sizeof(buf)) == -1 && errno == EINVAL &&
	       write(fd, buf, sizeof(buf)) == -1 && errno == EINVAL,
	       "checkpoint: read() and write() where it is no link: EINVAL");
	tap_ok(poll(&p, 1, 0) == 1 && p.revents & POLLERR, "checkpoint: poll(): ERR");
	tap_ok(call(fd, VMFORK_TICKET_INFO, &info) == ENOTTY, "checkpoint: ioctl(): ENOTTY");
}

static bool report_right(const struct report *r, const struct vmfork_checkpoint *c,
			 const struct vmfork_identity *parent, uint64_t old_nonce)
{
	return r->id == r->head.id && r->clones == CLONES && r->nonce == old_nonce &&
		r->identity.id == r->id && r->identity.clones == CLONES &&
		r->identity.checkpoint == c->handle && r->identity.parent == parent->vm &&
		r->identity.depth == parent->depth + 1;
}

static bool exit_right(const struct vmfork_exit_info *info)
{
	return info->reason == VMFORK_EXITED && info->status == (int)info->id;
}

/* Return: exits that were read before the report came */
static unsigned int read_report(struct report *r)
{
	union {
		struct report report;
		struct {
			struct vmfork_record head;
			struct vmfork_exit_info info;
		} exit;
	} u;
	unsigned int ended = 0;
	ssize_t n;

	while ((n = read(ticket, &u, sizeof(u))) == (ssize_t)sizeof(u.exit) &&
	       u.exit.head.type == VMFORK_RECORD_EXIT)
		ended += exit_right(&u.exit.info);
	if (n != (ssize_t)sizeof(u.report))
		tap_bail("no report: read() gives %zd", n);
	*r = u.report;
	return ended;
}

static void collect(const struct vmfork_checkpoint *c, const struct vmfork_identity *parent,
		    uint64_t old_nonce, uint64_t random)
{
	struct report r[CLONES];
	struct vmfork_wait w = { };
	unsigned int right = 0, foreign = 0, ended = 0, stale = 0;
	int64_t off = 0;

	for (unsigned int i = 0; i < CLONES; i++) {
		ended += read_report(&r[i]);
		right += report_right(&r[i], c, parent, old_nonce);
		foreign += r[i].foreign == ESTALE;
		stale += r[i].stale;
		off = llabs(r[i].realtime_ms - realtime_ms());
		tap_ok(off < 30000, "clone %u: its clock is right (%lld ms off)", r[i].head.id,
		       (long long)off);
	}
	tap_ok(right == CLONES, "clones go on from the checkpoint, with their IDs");
	tap_ok(stale == 0, "no user task of a clone saw the old time (%u did)", stale);
	tap_ok(foreign == CLONES, "a ticket from before is FOREIGN in them");
	tap_ok(r[0].random != r[1].random && r[0].random != random && r[1].random != random,
	       "the first getrandom() differs");
	while (!call(ticket, VMFORK_TICKET_WAIT, &w)) {
		ended += exit_right(&w.info);
		w = (struct vmfork_wait){ };
	}
	tap_ok(ended == CLONES, "their statuses come by the ticket");
}

static void run_parent(struct vmfork_checkpoint *c, unsigned int age, uint64_t random)
{
	struct vmfork_checkpoint again = { };
	struct vmfork_open_checkpoint o = { };
	struct vmfork_create_clones cc = { };
	struct vmfork_identity me;
	uint64_t old_nonce = nonce;

	tap_ok(c->fd >= 0 && c->handle && c->clones == 0, "CHECKPOINT returns 0 in its machine");
	ioctl(device, VMFORK_GET_ID, &me);
	test_descriptor(c->fd);
	strcpy(again.name, c->name);
	tap_ok(call(device, VMFORK_CHECKPOINT, &again) == EEXIST, "the name again: EEXIST");
	strcpy(o.name, c->name);
	tap_ok(call(device, VMFORK_OPEN_CHECKPOINT, &o) == 0 && o.handle == c->handle,
	       "OPEN_CHECKPOINT finds it");
	close(c->fd);
	nonce++;
	sleep(age);
	cc.checkpoint_fd = o.fd;
	tap_ok(call(ticket, VMFORK_TICKET_CREATE_CLONES, &cc) == 0,
	       "CREATE_CLONES, %u s later", age);
	tap_ok(call(ticket, VMFORK_TICKET_CREATE_CLONES, &cc) == EBUSY, "once more: EBUSY");
	collect(c, &me, old_nonce, random);
}

int main(int argc, char **argv)
{
	unsigned int age = argc > 1 ? (unsigned int)atoi(argv[1]) : 3;
	struct vmfork_checkpoint c = { };
	struct report mine = { };
	struct vmfork_api api;
	int err;

	tap_plan(PLAN);
	device = open("/dev/vmfork", O_RDWR | O_CLOEXEC);
	if (device < 0 || ioctl(device, VMFORK_GET_API, &api))
		tap_bail("/dev/vmfork: %s", strerror(errno));
	if (!api.clones_max || !(api.features & VMFORK_FEATURE_CHECKPOINT)) {
		tap_skip_rest("no checkpoints here");
		return tap_end();
	}
	getrandom(&nonce, sizeof(nonce), 0);
	snprintf(c.name, sizeof(c.name), "tap-%016llx", (unsigned long long)nonce);
	ticket = request();
	start_watchers();
	watch->made_ms = realtime_ms();
	err = call(device, VMFORK_CHECKPOINT, &c);
	getrandom(&mine.random, sizeof(mine.random), 0);
	mine.realtime_ms = realtime_ms();
	if (err)
		tap_bail("VMFORK_CHECKPOINT: %s", strerror(err));
	if (c.id)
		run_clone(&c, &mine);
	run_parent(&c, age, mine.random);
	return tap_end();
}
