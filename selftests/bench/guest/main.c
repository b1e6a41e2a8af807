// SPDX-License-Identifier: GPL-2.0-or-later
/* The benchmarks' program in the guest: one command per line, one answer per line. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/vmfork.h>

#include "agent.h"
#include "loads.h"
#include "memory.h"
#include "ticker.h"

/**
 * DOC: Commands
 *
 * An answer is "<verb> <numbers>" in a line of its own; "<verb> failed ERRNO" if it
 * could not be done. A clone goes on in "fork": its memory load and ticker end, it
 * does one unit of work (unless FORK_AT_ONCE), sends the result to its parent as a
 * message, and then serves commands on its own console.
 */
#define LINE_BYTES	128
#define FORK_AT_ONCE	1UL
#define FORK_DROP_CACHE	2UL

static int vm = -1, ticket = -1;

static void answer(const char *format, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	int len;

	line[0] = '\n';
	va_start(ap, format);
	len = 1 + vsnprintf(line + 1, sizeof(line) - 2, format, ap);
	va_end(ap);
	line[len++] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)len) < 0)
		_exit(1);
}

static unsigned long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

static int do_work(unsigned long arg)
{
	answer("work %u", memory_work());
	return 0;
}

static int do_fill(unsigned long mib)
{
	int err = memory_fill(mib);

	if (!err)
		answer("fill %lu", mib);
	return err;
}

static int do_touch(unsigned long mib)
{
	unsigned long long begin = now_us(), sum = memory_touch(mib);

	answer("touch %llu %llu", now_us() - begin, sum);
	return 0;
}

static int do_write(unsigned long mib)
{
	unsigned long long begin = now_us();

	memory_write(mib);
	answer("write %llu", now_us() - begin);
	return 0;
}

static int do_dirty(unsigned long pages_per_s)
{
	int err = memory_dirty((unsigned int)pages_per_s);

	if (!err)
		answer("dirty %lu", pages_per_s);
	return err;
}

static int do_dirtied(unsigned long arg)
{
	answer("dirtied %llu", memory_dirtied());
	return 0;
}

static int do_tick(unsigned long us)
{
	int err = ticker_set((unsigned int)us);

	if (!err)
		answer("tick %lu", us);
	return err;
}

static int do_ticket(unsigned long clones)
{
	struct vmfork_request_ticket req = {
		.clones = (unsigned int)clones,
		.flags = VMFORK_TICKET_EXACT,
	};

	if (vm < 0)
		vm = open("/dev/vmfork", O_RDWR | O_CLOEXEC);
	if (vm < 0 || ioctl(vm, VMFORK_REQUEST_TICKET, &req))
		return -errno;
	ticket = req.fd;
	answer("ticket %u", req.clones);
	return 0;
}

static int send_result(uint32_t result)
{
	struct {
		struct vmfork_record head;
		uint32_t result;
	} record = {
		.head = { .type = VMFORK_RECORD_DATA, .len = sizeof(result) },
		.result = result,
	};

	return write(ticket, &record, sizeof(record)) == sizeof(record) ? 0 : -errno;
}

static int do_fork(unsigned long how)
{
	struct vmfork_clone req = {
		.flags = how & FORK_DROP_CACHE ? VMFORK_CLONE_DROP_CACHE : 0,
	};
	unsigned long long begin = now_us();
	int err;

	if (ioctl(ticket, VMFORK_TICKET_CLONE, &req))
		return -errno;
	if (req.id) {
		memory_dirty(0);
		ticker_set(0);
		err = send_result(how & FORK_AT_ONCE ? 0 : memory_work());
		if (err)
			return err;
	}
	answer("fork %u %u %llu", req.id, req.clones, now_us() - begin);
	return 0;
}

/* The parent takes one result of each of @clones clones. */
static int do_collect(unsigned long clones)
{
	unsigned char record[sizeof(struct vmfork_record) + VMFORK_MSG_MAX];
	unsigned long got = 0;

	while (got < clones) {
		if (read(ticket, record, sizeof(record)) <= 0)
			return -errno;
		got++;
	}
	answer("collect %lu", got);
	return 0;
}

static int do_close(unsigned long arg)
{
	close(ticket);
	ticket = -1;
	answer("close 0");
	return 0;
}

static int do_agent(unsigned long on)
{
	int err = agent_set((int)on);

	if (!err)
		answer("agent %lu", on);
	return err;
}

static int do_policy(unsigned long mask)
{
	int err = loads_policy((unsigned int)mask);

	if (!err)
		answer("policy %lu", mask);
	return err;
}

static int timed(const char *verb, unsigned long long begin, int err)
{
	if (!err)
		answer("%s %llu", verb, now_us() - begin);
	return err;
}

static int do_pool(unsigned long mib)
{
	unsigned long long begin = now_us();

	return timed("pool", begin, loads_pool(mib));
}

static int do_drop(unsigned long arg)
{
	unsigned long long begin = now_us();

	return timed("drop", begin, loads_drop());
}

static int do_alloc(unsigned long mib)
{
	unsigned long long begin = now_us();

	return timed("alloc", begin, loads_alloc(mib));
}

static int do_file(unsigned long mib)
{
	unsigned long long begin = now_us();

	return timed("file", begin, loads_file(mib));
}

static int do_reread(unsigned long arg)
{
	unsigned long long begin = now_us();

	return timed("reread", begin, loads_reread());
}

static int do_read(unsigned long n)
{
	unsigned long long begin = now_us();

	return timed("read", begin, loads_read((unsigned int)n));
}

static int do_build(unsigned long n)
{
	unsigned long long begin = now_us();

	return timed("build", begin, loads_build((unsigned int)n));
}

static int do_spawn(unsigned long n)
{
	unsigned long long begin = now_us();

	return timed("spawn", begin, loads_spawn((unsigned int)n));
}

static int do_faults(unsigned long mib)
{
	unsigned long long begin = now_us();

	return timed("faults", begin, loads_faults(mib));
}

static int do_hello(unsigned long arg)
{
	answer("hello %d", access("/dev/vmfork", F_OK) == 0);
	return 0;
}

static const struct command {
	const char *verb;
	int (*run)(unsigned long arg);
} commands[] = {
	{ "hello", do_hello },	/* answer: is the module there? */
	{ "work", do_work },
	{ "fill", do_fill },	/* MiB */
	{ "touch", do_touch },	/* MiB; answer: us, sum */
	{ "write", do_write },	/* MiB; answer: us */
	{ "dirty", do_dirty },	/* pages a second */
	{ "dirtied", do_dirtied },	/* answer: pages written so far by "dirty" */
	{ "tick", do_tick },	/* us */
	{ "ticket", do_ticket },	/* clones */
	{ "fork", do_fork },	/* FORK_*; answer: ID, clones, us */
	{ "collect", do_collect },	/* clones */
	{ "close", do_close },
	{ "agent", do_agent },	/* 1, 0 */
	{ "policy", do_policy },	/* mask: see loads.h, as for those below */
	{ "pool", do_pool },	/* MiB */
	{ "drop", do_drop },	/* the pool; answer: us */
	{ "alloc", do_alloc },	/* MiB; answer: us */
	{ "file", do_file },	/* MiB; answer: us */
	{ "reread", do_reread },	/* answer: us */
	{ "read", do_read },	/* reads; answer: us */
	{ "build", do_build },	/* times; answer: us */
	{ "spawn", do_spawn },	/* times; answer: us */
	{ "faults", do_faults },	/* MiB; answer: us */
};

static void serve(char *line)
{
	char *verb = strtok(line, " \r\n"), *arg = strtok(NULL, " \r\n");
	int err = -ENOSYS;

	if (!verb)
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].verb, verb))
			err = commands[i].run(arg ? strtoul(arg, NULL, 10) : 0);
	if (err)
		answer("%s failed %d", verb, -err);
}

/* Byte by byte: a clone must not inherit half of its parent's next command. */
static int read_line(char *line, size_t size)
{
	size_t len = 0;

	while (read(STDIN_FILENO, line + len, 1) == 1) {
		if (line[len] == '\n') {
			line[len] = 0;
			return 0;
		}
		if (len + 2 < size)
			len++;
	}
	return -EPIPE;
}

int main(void)
{
	char line[LINE_BYTES];

	if (memory_fill(0))
		return 1;
	answer("ready %llu", now_us() / 1000);
	while (!read_line(line, sizeof(line)))
		serve(line);
	return 0;
}
