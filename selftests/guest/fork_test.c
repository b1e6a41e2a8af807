// SPDX-License-Identifier: GPL-2.0-or-later
/* A real fork: what parent and clones see of it. Needs a host behind the channel. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/vmfork.h>

#include "tap.h"

#define PLAN		19
#define CLONES_TOP	32
#define PATTERN_WORDS	(1 << 19)	/* 4 MiB */
#define STATUS_BASE	40

/* what a clone tells its parent; the text names the first thing that was wrong */
struct report {
	uint8_t random[16];
	struct vmfork_identity identity;
	int64_t realtime;
	uint32_t clones;
	char wrong[128];
};

static int device, ticket, other;
static uint64_t *pattern;
static unsigned int wanted = 2;
static pid_t sleeper;
static int sleeper_pipe;

static void fill_pattern(uint64_t seed)
{
	for (size_t i = 0; i < PATTERN_WORDS; i++)
		pattern[i] = seed + i * 0x9e3779b97f4a7c15ULL;
}

static bool pattern_is(uint64_t seed)
{
	for (size_t i = 0; i < PATTERN_WORDS; i++)
		if (pattern[i] != seed + i * 0x9e3779b97f4a7c15ULL)
			return false;
	return true;
}

static int send_record(int fd, uint32_t id, uint32_t tag, const void *data, uint32_t len)
{
	char buf[sizeof(struct vmfork_record) + VMFORK_MSG_MAX];
	struct vmfork_record head = {
		.type = VMFORK_RECORD_DATA, .id = id, .tag = tag, .len = len,
	};
	ssize_t n = (ssize_t)(sizeof(head) + len);

	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), data, len);
	return write(fd, buf, (size_t)n) == n ? 0 : -errno;
}

struct record {
	struct vmfork_record head;
	char data[VMFORK_MSG_MAX];
};

static ssize_t read_record(int fd, struct record *rec)
{
	ssize_t n = read(fd, rec, sizeof(*rec));

	return n < 0 ? -errno : n;
}

static short events_of(int fd, short want)
{
	struct pollfd p = { .fd = fd, .events = want };

	poll(&p, 1, 0);
	return p.revents;
}

static int request(unsigned int clones)
{
	struct vmfork_request_ticket rt = { .clones = clones };

	return ioctl(device, VMFORK_REQUEST_TICKET, &rt) ? -errno : rt.fd;
}

/* every call but INFO, on a ticket that belongs to the parent */
static const char *foreign_wrong(void)
{
	struct vmfork_ticket_info info = { };
	struct vmfork_clone c = { };
	struct vmfork_kill k = { };
	struct vmfork_wait w = { };
	struct record rec;

	if (ioctl(other, VMFORK_TICKET_INFO, &info) || info.state != VMFORK_TICKET_FOREIGN)
		return "another ticket is not FOREIGN";
	if (!ioctl(other, VMFORK_TICKET_CLONE, &c) || errno != ESTALE)
		return "CLONE on a foreign ticket";
	if (!ioctl(other, VMFORK_TICKET_KILL, &k) || errno != ESTALE)
		return "KILL on a foreign ticket";
	if (!ioctl(other, VMFORK_TICKET_WAIT, &w) || errno != ESTALE)
		return "WAIT on a foreign ticket";
	if (read_record(other, &rec) != -ESTALE)
		return "read() of a foreign ticket";
	if (send_record(other, 1, 0, "x", 1) != -ESTALE)
		return "write() to a foreign ticket";
	if (close(other))
		return "close() of a foreign ticket";
	return NULL;
}

static const char *link_wrong(void)
{
	struct vmfork_ticket_info info = { };
	struct vmfork_clone c = { };
	struct vmfork_wait w = { .flags = VMFORK_WAIT_NOHANG };

	if (ioctl(ticket, VMFORK_TICKET_INFO, &info) || info.state != VMFORK_TICKET_LINK)
		return "its ticket is not the LINK";
	if (!ioctl(ticket, VMFORK_TICKET_CLONE, &c) || errno != ESTALE)
		return "CLONE on a link";
	if (!ioctl(ticket, VMFORK_TICKET_WAIT, &w) || errno != ESTALE)
		return "WAIT on a link";
	if (send_record(ticket, 1, 0, "x", 1) != -EINVAL)
		return "a link took a message for ID 1";
	if (events_of(ticket, POLLIN | POLLOUT) != POLLOUT)
		return "poll() of a link";
	return NULL;
}

/* the process that was blocked in read(/dev/vmfork) at the fork tells by its pipe */
static const char *sleeper_wrong(const struct vmfork_identity *mine)
{
	struct vmfork_identity seen;
	struct pollfd p = { .fd = sleeper_pipe, .events = POLLIN };

	if (poll(&p, 1, 60000) != 1 ||
	    read(sleeper_pipe, &seen, sizeof(seen)) != (ssize_t)sizeof(seen))
		return "a blocked read(/dev/vmfork) did not return";
	return seen.vm == mine->vm && seen.id == mine->id ? NULL : "it read another identity";
}

static const char *clone_wrong(const struct vmfork_clone *c, const struct vmfork_identity *before,
			       const struct vmfork_identity *id, uint64_t seed)
{
	const char *wrong;

	if (id->id != c->id || id->clones != c->clones || id->depth != before->depth + 1)
		return "identity: id, clones or depth";
	if (id->parent != before->vm || id->family != before->family || id->vm == before->vm)
		return "identity: parent, family or vm";
	if (id->generation != before->generation + 1)
		return "identity: generation";
	if (!pattern_is(seed))
		return "memory is not the parent's";
	if (!(events_of(device, POLLIN) & POLLIN))
		return "poll(/dev/vmfork) is not readable";
	wrong = sleeper_wrong(id);
	if (!wrong)
		wrong = link_wrong();
	if (!wrong)
		wrong = foreign_wrong();
	return wrong;
}

static void run_clone(const struct vmfork_clone *c, const struct vmfork_identity *before,
		      struct report *r, uint64_t seed)
{
	struct vmfork_exit e = { .status = STATUS_BASE + (int)c->id };
	const char *wrong;
	struct record rec;

	ioctl(device, VMFORK_GET_ID, &r->identity);
	r->clones = c->clones;
	wrong = clone_wrong(c, before, &r->identity, seed);
	snprintf(r->wrong, sizeof(r->wrong), "%s", wrong ? wrong : "");
	fill_pattern(c->id);
	send_record(ticket, 0, c->id, r, sizeof(*r));
	/* the parent answers with a message of the largest size: give it back */
	if (read_record(ticket, &rec) == (ssize_t)sizeof(rec) && pattern_is(c->id))
		write(ticket, &rec, sizeof(rec));
	ioctl(device, VMFORK_EXIT, &e);
	_exit(1);
}

/* a process that is blocked in read(/dev/vmfork) when the machine is forked */
static void start_sleeper(void)
{
	struct vmfork_identity id;
	int p[2];

	if (pipe(p))
		tap_bail("pipe: %s", strerror(errno));
	sleeper = fork();
	if (sleeper == 0) {
		int fd = open("/dev/vmfork", O_RDWR);

		write(p[1], "r", 1);
		if (read(fd, &id, sizeof(id)) == (ssize_t)sizeof(id))
			write(p[1], &id, sizeof(id));
		pause();
	}
	sleeper_pipe = p[0];
	if (read(sleeper_pipe, &id, 1) != 1)
		tap_bail("the sleeper did not start");
}

static bool collect_reports(struct report *reports, unsigned int n)
{
	struct record rec;

	for (unsigned int i = 0; i < n; i++) {
		ssize_t got = read_record(ticket, &rec);

		if (got != (ssize_t)(sizeof(rec.head) + sizeof(struct report)) ||
		    rec.head.type != VMFORK_RECORD_DATA || rec.head.id < 1 || rec.head.id > n ||
		    rec.head.tag != rec.head.id) {
			tap_note("report: %zd bytes, type %u id %u", got, rec.head.type,
				 rec.head.id);
			return false;
		}
		memcpy(&reports[rec.head.id - 1], rec.data, sizeof(struct report));
	}
	return true;
}

static bool all_differ(const uint8_t *mine, const struct report *r, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!memcmp(mine, r[i].random, 16))
			return false;
		for (unsigned int j = 0; j < i; j++)
			if (!memcmp(r[i].random, r[j].random, 16))
				return false;
	}
	return true;
}

/* echo a largest message with each, then their exits: after it, and once each */
static void finish_clones(unsigned int n)
{
	struct vmfork_exit_info *info;
	struct vmfork_ticket_info ti = { };
	struct vmfork_wait w = { .id = n };
	struct record rec = { .head = { VMFORK_RECORD_DATA, 0, 9, VMFORK_MSG_MAX } };
	unsigned int data = 0, exits = 0, order = 0;
	bool echoed[CLONES_TOP + 1] = { false };
	ssize_t got;
	int waited;

	memset(rec.data, 0x5a, sizeof(rec.data));
	for (rec.head.id = 1; rec.head.id <= n; rec.head.id++)
		if (write(ticket, &rec, sizeof(rec)) != (ssize_t)sizeof(rec))
			tap_note("write to %u: %s", rec.head.id, strerror(errno));
	waited = ioctl(ticket, VMFORK_TICKET_WAIT, &w);
	tap_ok(waited == 0 && w.info.id == n && w.info.reason == VMFORK_EXITED &&
	       w.info.status == STATUS_BASE + (int)n,
	       "WAIT for ID %u: reason %u status %d", n, w.info.reason, w.info.status);
	while ((got = read_record(ticket, &rec)) > 0) {
		info = (void *)rec.data;
		if (rec.head.type == VMFORK_RECORD_DATA) {
			data += rec.head.len == VMFORK_MSG_MAX && rec.data[77] == 0x5a;
			echoed[rec.head.id] = true;
		} else {
			order += echoed[info->id];
			exits += info->reason == VMFORK_EXITED &&
				info->status == STATUS_BASE + (int)info->id;
		}
	}
	tap_ok(got == 0, "read() ends with 0");
	tap_ok(data == n, "each gave the message of %u bytes back (%u)", VMFORK_MSG_MAX, data);
	tap_ok(exits == n - 1, "the other exits were read() with their statuses (%u)", exits);
	tap_ok(order == n - 1, "each EXIT came after its DATA");
	tap_ok(events_of(ticket, POLLIN) == POLLHUP, "poll() says HUP");
	w = (struct vmfork_wait){ };
	tap_ok(ioctl(ticket, VMFORK_TICKET_WAIT, &w) == -1 && errno == ECHILD,
	       "WAIT then: ECHILD");
	tap_ok(send_record(ticket, 1, 0, "x", 1) == -EPIPE, "write() to the ended: EPIPE");
	tap_ok(ioctl(ticket, VMFORK_TICKET_INFO, &ti) == 0 && ti.state == VMFORK_TICKET_FORKED &&
	       ti.live == 0 && ti.unreported == 0 && ti.checkpoint, "INFO: FORKED, none left");
}

static void check_reports(const struct report *r, unsigned int n)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (r[i].wrong[0])
			tap_note("clone %u: %s", i + 1, r[i].wrong);
		good += !r[i].wrong[0] && r[i].identity.id == i + 1;
	}
	tap_ok(good == n, "clones find everything as it must be (%u of %u)", good, n);
}

static void run_parent(const struct vmfork_identity *before, const uint8_t *random, uint64_t seed,
		       unsigned int n)
{
	static struct report reports[CLONES_TOP];
	struct vmfork_identity id;
	struct vmfork_ticket_info ti = { };
	struct vmfork_clone c = { };
	int64_t clock = time(NULL);
	bool near = true;

	ioctl(device, VMFORK_GET_ID, &id);
	tap_ok(id.vm == before->vm && id.id == before->id &&
	       id.generation == before->generation + 1, "the parent is who it was, a generation on");
	tap_ok(!(events_of(device, POLLIN) & POLLIN), "poll(/dev/vmfork) is silent in the parent");
	tap_ok(ioctl(ticket, VMFORK_TICKET_CLONE, &c) == -1 && errno == EBUSY,
	       "a second CLONE of the ticket: EBUSY");
	tap_ok(ioctl(other, VMFORK_TICKET_INFO, &ti) == 0 && ti.state == VMFORK_TICKET_GRANTED,
	       "the parent keeps its other ticket");
	if (!tap_ok(collect_reports(reports, n), "a report of each clone"))
		tap_bail("no reports");
	check_reports(reports, n);
	tap_ok(all_differ(random, reports, n), "the first getrandom() differs everywhere");
	for (unsigned int i = 0; i < n; i++)
		near &= llabs(reports[i].realtime - clock) < 60;
	tap_ok(near, "clocks are right (clone 1: %+lld s)",
	       (long long)(reports[0].realtime - clock));
	tap_ok(pattern_is(seed), "the parent's memory is untouched");
	finish_clones(n);
	tap_ok(close(other) == 0, "close() of an unused ticket");
}

int main(int argc, char **argv)
{
	struct vmfork_identity before;
	struct vmfork_clone c = { };
	struct vmfork_api api;
	struct report mine = { };
	uint64_t seed;

	if (argc > 1)
		wanted = (unsigned int)atoi(argv[1]);
	tap_plan(PLAN);
	device = open("/dev/vmfork", O_RDWR | O_CLOEXEC);
	if (device < 0 || ioctl(device, VMFORK_GET_API, &api))
		tap_bail("/dev/vmfork: %s", strerror(errno));
	if (!api.clones_max) {
		tap_skip_rest("no host behind the channel");
		return tap_end();
	}
	if (wanted < 1 || wanted > CLONES_TOP || wanted > api.clones_max)
		tap_bail("%u clones cannot be had", wanted);
	pattern = malloc(PATTERN_WORDS * sizeof(*pattern));
	getrandom(&seed, sizeof(seed), 0);
	fill_pattern(seed);
	ioctl(device, VMFORK_GET_ID, &before);
	start_sleeper();
	other = request(1);
	ticket = request(wanted);
	if (other < 0 || ticket < 0)
		tap_bail("no tickets: %d %d", other, ticket);
	if (ioctl(ticket, VMFORK_TICKET_CLONE, &c))
		tap_bail("CLONE: %s", strerror(errno));
	getrandom(mine.random, sizeof(mine.random), 0);
	mine.realtime = time(NULL);
	if (c.id)
		run_clone(&c, &before, &mine, seed);
	else
		run_parent(&before, mine.random, seed, c.clones);
	kill(sleeper, SIGKILL);
	waitpid(sleeper, NULL, 0);
	return tap_end();
}
