// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's side of a fork: nobody but it runs until it has reported, and it fails closed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/vmfork.h>

#include "tap.h"

#define TICKERS		24
#define STORMERS	4
#define PLAN		(8 + 12 + 5 * 2 + 1)

/* how an agent behaves in the clone */
enum manner { REPORTS, DIES, CLOSES, SLEEPS, LEAVES_IT, FAILS };

static const struct {
	const char *name;
	enum manner manner;
	const char *why;
} fatal[] = {
	{ "the agent is killed", DIES, "ended before" },
	{ "the agent closes its descriptor", CLOSES, "ended before" },
	{ "the agent is too late", SLEEPS, "in time" },
	{ "the agent ends and leaves the descriptor to a child", LEAVES_IT, "ended before" },
	{ "the agent reports a failure", FAILS, "no address is left" },
};

/* what the tasks of the test share; the clone's copy is its own */
static struct shared {
	volatile uint64_t ticks[TICKERS];
	volatile uint64_t storms;
	volatile uint32_t registered;
	volatile uint32_t released;	/* the agent is about to report */
	volatile uint32_t leaks;	/* instructions in a clone before that */
	/* the agent's findings, told to the parent */
	struct findings {
		char wrong[128];
		uint64_t moved;
		uint64_t moved_later;
		uint32_t leaks;
		uint32_t caller_early;
		uint32_t held_seconds;
		uint8_t random[16];
		int64_t realtime;
		uint32_t depth;
		uint32_t second_gone;
	} f;
} *shared;

static const volatile struct vmfork_generation *page;
static uint64_t home_vm;
static int device, ticket;
static bool identity;	/* the host takes reports */
static pid_t tasks[TICKERS + STORMERS];

static int err_of(int r)
{
	return r < 0 ? errno : 0;
}

static uint64_t sum(void)
{
	uint64_t n = shared->storms;

	for (int i = 0; i < TICKERS; i++)
		n += shared->ticks[i];
	return n;
}

/* every instruction of a task that should be held is seen here */
static void look(void)
{
	if (page->vm != home_vm && !shared->released)
		__atomic_fetch_add(&shared->leaks, 1, __ATOMIC_SEQ_CST);
}

static void tick(int i)
{
	for (;;) {
		look();
		shared->ticks[i]++;
		if (i & 1)
			sched_yield();
	}
}

static void storm(void)
{
	for (;;) {
		pid_t pid = fork();

		look();
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
		__atomic_fetch_add(&shared->storms, 1, __ATOMIC_SEQ_CST);
	}
}

static void start_tasks(void)
{
	for (int i = 0; i < TICKERS + STORMERS; i++) {
		tasks[i] = fork();
		if (tasks[i])
			continue;
		if (nice(10) == -1)
			_exit(1);
		if (i < TICKERS)
			tick(i);
		storm();
	}
}

static void stop_tasks(void)
{
	for (int i = 0; i < TICKERS + STORMERS; i++) {
		kill(tasks[i], SIGKILL);
		waitpid(tasks[i], NULL, 0);
	}
}

static int request(unsigned int clones)
{
	struct vmfork_request_ticket rt = { .clones = clones };

	return ioctl(device, VMFORK_REQUEST_TICKET, &rt) ? -errno : rt.fd;
}

static int report(int fd, int result, const char *why)
{
	struct vmfork_report r = { .result = result };

	strcpy(r.why, why);
	return err_of(ioctl(fd, VMFORK_AGENT_REPORT, &r));
}

/* ---- the agent */

static void note(const char *wrong)
{
	if (!shared->f.wrong[0])
		strcpy(shared->f.wrong, wrong);
}

/* what the agent can do, and cannot, while all others are held */
static void try_everything(void)
{
	struct vmfork_clone c = { };
	struct vmfork_checkpoint cp = { };
	int status, other = open("/dev/vmfork", O_RDWR), t = request(1);
	pid_t pid = fork();

	if (!pid)
		_exit(7);
	if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 7)
		note("a child of the agent's does not run");
	if (report(other, 0, "") != EPERM)
		note("another descriptor may report");
	if (t < 0 || err_of(ioctl(t, VMFORK_TICKET_CLONE, &c)) != EAGAIN)
		note("CLONE while held: not EAGAIN");
	if (err_of(ioctl(device, VMFORK_CHECKPOINT, &cp)) != EAGAIN)
		note("CHECKPOINT while held: not EAGAIN");
	close(other);
	close(t);
}

static void behave(int fd, const struct vmfork_identity *id)
{
	struct timespec begin, end, second = { .tv_sec = 1 };
	uint64_t before = sum();

	clock_gettime(CLOCK_MONOTONIC, &begin);
	shared->f.depth = id->depth;
	try_everything();
	nanosleep(&second, NULL);
	getrandom(shared->f.random, sizeof(shared->f.random), 0);
	shared->f.realtime = time(NULL);
	shared->f.moved = sum() - before;
	clock_gettime(CLOCK_MONOTONIC, &end);
	shared->f.held_seconds = (uint32_t)(end.tv_sec - begin.tv_sec);
	shared->f.leaks = shared->leaks;
	shared->released = 1;
	if (report(fd, 0, ""))
		note("REPORT fails");
	if (report(fd, 0, "") != EINVAL)
		note("REPORT with nobody held: not EINVAL");
	home_vm = id->vm;
}

static void misbehave(int fd, enum manner manner)
{
	switch (manner) {
	case DIES:
		raise(SIGKILL);
		break;
	case CLOSES:
		close(fd);
		break;
	case LEAVES_IT:
		if (!fork())
			pause();
		_exit(0);
	case FAILS:
		report(fd, -EADDRINUSE, "no address is left");
		break;
	default:
		break;
	}
	pause();
}

static void run_agent(enum manner manner)
{
	struct vmfork_agent a = { .timeout_ms = manner == SLEEPS ? 2000 : 60000 };
	int fd = open("/dev/vmfork", O_RDWR | O_CLOEXEC);
	struct vmfork_identity id;

	shared->registered = ioctl(fd, VMFORK_AGENT, &a) ? (uint32_t)errno + 1 : 1;
	while (read(fd, &id, sizeof(id)) == (ssize_t)sizeof(id)) {
		if (manner == REPORTS)
			behave(fd, &id);
		else
			misbehave(fd, manner);
	}
	_exit(1);
}

static pid_t start_agent(enum manner manner)
{
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	pid = fork();
	if (!pid)
		run_agent(manner);
	while (!shared->registered)
		usleep(1000);
	if (shared->registered != 1)
		tap_bail("VMFORK_AGENT: %s", strerror((int)shared->registered - 1));
	return pid;
}

static void stop_agent(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- the clone that the agent lets go */

static void wait_for_ticks(void)
{
	uint64_t before = sum();

	for (int i = 0; i < 600 && sum() - before < 100; i++)
		usleep(100000);
	shared->f.moved_later = sum() - before;
}

/* a clone of the clone, held and let go by the same agent */
static void fork_again(void)
{
	struct vmfork_exit e = { .status = 9 };
	struct vmfork_wait w = { };
	struct vmfork_clone c = { };
	int t = request(1);

	shared->released = 0;
	home_vm = page->vm;
	if (t < 0 || ioctl(t, VMFORK_TICKET_CLONE, &c)) {
		note("the clone cannot fork");
		return;
	}
	if (c.id) {
		e.status = shared->released && shared->f.depth == 2 ? 9 : 8;
		ioctl(device, VMFORK_EXIT, &e);
	}
	if (!ioctl(t, VMFORK_TICKET_WAIT, &w))
		shared->f.second_gone = w.info.reason == VMFORK_EXITED && w.info.status == 9;
}

static void run_clone(void)
{
	struct {
		struct vmfork_record head;
		struct findings f;
	} msg = { .head = { VMFORK_RECORD_DATA, 0, 1, sizeof(struct findings) } };
	struct vmfork_exit e = { };

	shared->f.caller_early = !shared->released;
	wait_for_ticks();
	stop_tasks();
	fork_again();
	msg.f = shared->f;
	if (write(ticket, &msg, sizeof(msg)) == (ssize_t)sizeof(msg))
		ioctl(device, VMFORK_EXIT, &e);
	_exit(1);
}

static void go_through(void)
{
	struct vmfork_clone c = { };

	ticket = request(1);
	if (ticket < 0 || ioctl(ticket, VMFORK_TICKET_CLONE, &c))
		tap_bail("no fork: %s", strerror(errno));
	if (c.id)
		run_clone();
}

/* ---- the tests, in the parent */

static int as_nobody(int fd)
{
	struct vmfork_agent a = { };
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(setuid(65534) ? 0 : err_of(ioctl(fd, VMFORK_AGENT, &a)));
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static __u64 features(void)
{
	struct vmfork_api api = { };

	ioctl(device, VMFORK_GET_API, &api);
	return api.features;
}

static void test_registration(void)
{
	struct vmfork_agent a = { };
	struct vmfork_report no_nul = { };
	int mine = open("/dev/vmfork", O_RDWR);

	tap_ok(as_nobody(mine) == EPERM, "AGENT without CAP_SYS_ADMIN: EPERM");
	tap_ok(report(mine, 0, "") == EPERM, "REPORT by who is no agent: EPERM");
	tap_ok(!(features() & VMFORK_FEATURE_AGENT), "no agent is announced");
	tap_ok(!ioctl(mine, VMFORK_AGENT, &a), "AGENT");
	tap_ok(features() & VMFORK_FEATURE_AGENT, "an agent is announced");
	tap_ok(err_of(ioctl(device, VMFORK_AGENT, &a)) == EBUSY &&
	       err_of(ioctl(mine, VMFORK_AGENT, &a)) == EBUSY, "a second one: EBUSY");
	memset(no_nul.why, 'x', sizeof(no_nul.why));
	tap_ok(report(mine, 0, "") == EINVAL && report(mine, 1, "") == EINVAL &&
	       report(mine, -512, "") == EINVAL &&
	       err_of(ioctl(mine, VMFORK_AGENT_REPORT, &no_nul)) == EINVAL,
	       "REPORT: nobody is held, or a value out of range: EINVAL");
	close(mine);
	tap_ok(!(features() & VMFORK_FEATURE_AGENT), "close(): no agent any more");
}

/* @begun: our time before the fork; what the clone tells may take minutes to come */
static void check_findings(const struct findings *f, const uint8_t *mine, time_t begun)
{
	int64_t early = f->realtime - begun, late = f->realtime - time(NULL);

	if (!tap_ok(!f->wrong[0], "the agent found everything as it must be"))
		tap_note("%s", f->wrong);
	tap_ok(f->held_seconds >= 1, "the agent took a second or more");
	tap_ok(f->moved == 0, "no task ran meanwhile (%llu steps)", (unsigned long long)f->moved);
	tap_ok(f->leaks == 0, "nor before the agent (%u leaks)", f->leaks);
	tap_ok(!f->caller_early, "the fork's caller was held, too");
	tap_ok(f->moved_later > 0, "after the report the tasks go on");
	tap_ok(memcmp(f->random, mine, sizeof(f->random)), "getrandom() differs for the agent");
	tap_ok(early > -60 && late < 60, "the agent's clock is right (%+lld s since the fork, %+lld s from now)",
	       (long long)early, (long long)late);
	tap_ok(f->second_gone, "a clone of the clone was held and let go by the same agent");
}

static void test_held(void)
{
	struct {
		struct vmfork_record head;
		struct findings f;
	} msg;
	struct vmfork_wait w = { };
	uint8_t mine[16];
	uint64_t before;
	time_t begun = time(NULL);
	pid_t agent = start_agent(REPORTS);

	start_tasks();
	go_through();
	getrandom(mine, sizeof(mine), 0);
	before = sum();
	usleep(300000);
	tap_ok(sum() != before, "nobody is held in the parent");
	tap_ok(read(ticket, &msg, sizeof(msg)) == (ssize_t)sizeof(msg), "the clone tells");
	check_findings(&msg.f, mine, begun);
	tap_ok(!ioctl(ticket, VMFORK_TICKET_WAIT, &w) && w.info.reason == VMFORK_EXITED &&
	       w.info.status == 0, "it ended well");
	stop_tasks();
	stop_agent(agent);
	close(ticket);
}

/* a host that does not know of identity sees a machine that is lost */
static void check_end(enum manner manner, const char *why, const struct vmfork_exit_info *info)
{
	bool status = manner != FAILS || info->status == EADDRINUSE;

	if (!identity)
		tap_ok(info->reason == VMFORK_LOST, "the clone is lost: %s", info->why);
	else
		tap_ok(info->reason == VMFORK_UNIDENTIFIED && status && strstr(info->why, why),
		       "the parent's ticket says UNIDENTIFIED: %s", info->why);
}

static void test_fatal(enum manner manner, const char *name, const char *why)
{
	struct pollfd p = { .events = POLLIN };
	struct vmfork_wait w = { };
	pid_t agent = start_agent(manner);
	char buf[16];

	go_through();
	tap_ok(!ioctl(ticket, VMFORK_TICKET_WAIT, &w), "%s: the clone ends", name);
	check_end(manner, why, &w.info);
	p.fd = ticket;
	if (poll(&p, 1, 0) == 1 && p.revents & POLLIN && read(ticket, buf, sizeof(buf)) != 0)
		tap_note("the clone had something to say");
	stop_agent(agent);
	close(ticket);
}

static void test_without(void)
{
	struct vmfork_wait w = { };
	struct vmfork_exit e = { };
	struct vmfork_clone c = { };
	pid_t agent = start_agent(REPORTS);

	stop_agent(agent);
	ticket = request(1);
	if (ticket < 0 || ioctl(ticket, VMFORK_TICKET_CLONE, &c))
		tap_bail("no fork: %s", strerror(errno));
	if (c.id)
		ioctl(device, VMFORK_EXIT, &e);
	tap_ok(!ioctl(ticket, VMFORK_TICKET_WAIT, &w) && w.info.reason == VMFORK_EXITED,
	       "an agent that has ended in the parent is not waited for in clones");
	close(ticket);
}

static void set_up(void)
{
	struct vmfork_identity id;

	device = open("/dev/vmfork", O_RDWR | O_CLOEXEC);
	if (device < 0 || ioctl(device, VMFORK_GET_ID, &id))
		tap_bail("/dev/vmfork: %s", strerror(errno));
	home_vm = id.vm;
	identity = features() & VMFORK_FEATURE_IDENTITY;
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, device, 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (page == MAP_FAILED || shared == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
}

int main(void)
{
	tap_plan(PLAN);
	set_up();
	test_registration();
	test_held();
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		test_fatal(fatal[i].manner, fatal[i].name, fatal[i].why);
	test_without();
	return tap_end();
}
