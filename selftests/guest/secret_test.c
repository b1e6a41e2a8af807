// SPDX-License-Identifier: GPL-2.0-or-later
/* VMFORK_SECRET: what is refused, what is wiped, who may still fork.
 *
 *	secret_test [WORD]	WORD: lower-case letters. In capitals it is the secret; as digits
 *				it is in memory that is none. Waits for SIGINT while a clone is
 *				there, so that the host can look for both in the image.
 *	secret_test deny	deny forks until killed; says so once they are
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vmfork.h>

#include "tap.h"

#define PAGE		4096UL
#define MIB		(1UL << 20)
#define PLAN		(10 + 6 + 7)

/* memory that is secret in one way or another; all but the last are looked at */
enum { SMALL, HUGE, TLB, FILED, KINDS, GONE = KINDS, ALL };

static const char *const kind_names[] = {
	[SMALL] = "small pages", [HUGE] = "a transparent huge page", [TLB] = "a hugetlb page",
	[FILED] = "a private mapping of a file",
};

static int device;
static const char *word = "secretword";
static char *mem[ALL];
static size_t len[ALL];
static char *open_mem;

static int err_of(int r)
{
	return r < 0 ? errno : 0;
}

static int wipe_on(int fd, const void *addr, size_t n)
{
	struct vmfork_secret s = {
		.addr = (unsigned long)addr, .len = n, .flags = VMFORK_SECRET_WIPE,
	};

	return err_of(ioctl(fd, VMFORK_SECRET, &s));
}

static int deny_on(int fd)
{
	struct vmfork_secret s = { .flags = VMFORK_SECRET_DENY };

	return err_of(ioctl(fd, VMFORK_SECRET, &s));
}

static int open_device(void)
{
	int fd = open("/dev/vmfork", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		tap_bail("/dev/vmfork: %s", strerror(errno));
	return fd;
}

static char *map(size_t n, int prot, int flags, int fd)
{
	char *p = mmap(NULL, n, prot, flags, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static char *map_private(size_t n)
{
	char *p = map(n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (!p || madvise(p, n, MADV_WIPEONFORK))
		tap_bail("mmap: %s", strerror(errno));
	return p;
}

/* ---- refusals */

static int as_poor_nobody(void)
{
	struct rlimit none = { PAGE, PAGE };
	char *p = map_private(2 * PAGE);
	int status, fd = open_device();
	pid_t pid = fork();

	if (!pid) {
		if (setrlimit(RLIMIT_MEMLOCK, &none) || setuid(65534))
			_exit(0);
		_exit(wipe_on(fd, p, 2 * PAGE));
	}
	waitpid(pid, &status, 0);
	close(fd);
	return WEXITSTATUS(status);
}

static void test_refusals(void)
{
	int file = open("/tmp/vmfork-secret", O_RDWR | O_CREAT, 0600);
	char *p = map_private(2 * MIB), *shared, *of_file, *plain, *fixed;
	int fd = open_device();

	if (file < 0 || ftruncate(file, PAGE))
		tap_bail("/tmp: %s", strerror(errno));
	shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	of_file = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file);
	plain = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fixed = map(PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	madvise(shared, PAGE, MADV_DONTFORK);
	madvise(of_file, PAGE, MADV_DONTFORK);
	madvise(fixed, PAGE, MADV_DONTFORK);
	tap_ok(wipe_on(fd, p + 1, PAGE) == EINVAL && wipe_on(fd, p, PAGE - 1) == EINVAL &&
	       wipe_on(fd, p, 0) == EINVAL && wipe_on(fd, p, -PAGE) == EINVAL,
	       "no multiples of the page size, nothing: EINVAL");
	tap_ok(wipe_on(fd, p, MIB + PAGE) == ENOMEM, "more than 1 MiB: ENOMEM");
	tap_ok(!wipe_on(fd, p, MIB) && wipe_on(fd, p + MIB, PAGE) == ENOMEM,
	       "more than 1 MiB in all: ENOMEM");
	tap_ok(wipe_on(fd, shared, PAGE) == EINVAL && wipe_on(fd, of_file, PAGE) == EINVAL,
	       "shared memory: EINVAL");
	tap_ok(wipe_on(fd, plain, PAGE) == EINVAL, "memory that children get: EINVAL");
	tap_ok(wipe_on(fd, fixed, PAGE) == EINVAL, "memory that is not writable: EINVAL");
	munmap(plain, PAGE);
	tap_ok(wipe_on(fd, plain, PAGE) == EINVAL, "no memory: EINVAL");
	tap_ok(as_poor_nobody() == ENOMEM, "more than RLIMIT_MEMLOCK: ENOMEM");
	close(fd);
	fd = open_device();
	tap_ok(!wipe_on(fd, p, MIB), "close() lets go");
	close(fd);
	tap_ok(!munmap(p, 2 * MIB), "the memory is there");
	close(file);
}

/* ---- a machine that is not to be forked */

static int request(unsigned int clones)
{
	struct vmfork_request_ticket rt = { .clones = clones };

	if (ioctl(device, VMFORK_REQUEST_TICKET, &rt))
		tap_bail("no ticket: %s", strerror(errno));
	return rt.fd;
}

static void test_deny(void)
{
	int one = open_device(), two = open_device(), ticket = request(1);
	struct vmfork_checkpoint cp = { };
	struct vmfork_clone c = { };

	tap_ok(!deny_on(one), "DENY");
	tap_ok(deny_on(one) == EEXIST, "DENY again: EEXIST");
	tap_ok(!deny_on(two), "DENY by another");
	close(one);
	tap_ok(err_of(ioctl(ticket, VMFORK_TICKET_CLONE, &c)) == EBUSY, "CLONE: EBUSY");
	tap_ok(err_of(ioctl(device, VMFORK_CHECKPOINT, &cp)) == EBUSY, "CHECKPOINT: EBUSY");
	close(two);
	if (!ioctl(device, VMFORK_CHECKPOINT, &cp) && !cp.id)
		tap_ok(!close(cp.fd), "close(): a checkpoint can be made");
	else
		tap_ok(false, "close(): a checkpoint can be made");
	close(ticket);
}

/* ---- memory that clones are not to have */

/* not through a buffer: it would be a copy that nobody wipes */
static void fill(char *p, size_t n, int (*change)(int))
{
	size_t letters = strlen(word);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)change(word[i % letters]);
}

static size_t count(const char *p, size_t n, int (*change)(int))
{
	size_t letters = strlen(word), good = 0;

	for (size_t i = 0; i < n; i++)
		good += p[i] == (char)(change ? change(word[i % letters]) : 0);
	return good;
}

static int digit(int c)
{
	return '0' + (c - 'a') % 10;
}

static void make(void)
{
	int file = open("/tmp/vmfork-secret", O_RDWR | O_CREAT, 0600);
	char *two = map_private(4 * MIB);

	mem[SMALL] = map_private(16 * PAGE);
	len[SMALL] = 16 * PAGE;
	mem[HUGE] = (char *)(((unsigned long)two + 2 * MIB - 1) & ~(2 * MIB - 1));
	madvise(mem[HUGE], 2 * MIB, MADV_HUGEPAGE);
	len[HUGE] = 64 * PAGE;
	mem[FILED] = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
	madvise(mem[FILED], 2 * PAGE, MADV_DONTFORK);
	len[FILED] = 2 * PAGE;
	mem[TLB] = map(2 * MIB, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	if (mem[TLB])
		madvise(mem[TLB], 2 * MIB, MADV_DONTFORK);
	len[TLB] = mem[TLB] ? 4 * PAGE : 0;
	mem[GONE] = map_private(4 * PAGE);
	len[GONE] = 4 * PAGE;
	if (ftruncate(file, (off_t)(2 * PAGE)))
		tap_bail("/tmp: %s", strerror(errno));
	close(file);
	open_mem = map_private(16 * PAGE);
	fill(open_mem, 16 * PAGE, digit);
}

static void set_secrets(void)
{
	for (int i = 0; i < ALL; i++) {
		int r;

		if (!len[i])
			continue;
		r = wipe_on(device, mem[i], len[i]);
		if (r)
			tap_bail("WIPE of %d: %s", i, strerror(r));
		fill(mem[i], len[i], toupper);
	}
	munmap(mem[GONE], len[GONE]);
}

/* Return: bits of the kinds that are not wiped; bit 8: memory that is no secret is. */
static int clone_status(void)
{
	int bad = 0;

	for (int i = 0; i < KINDS; i++)
		if (count(mem[i], len[i], NULL) != len[i])
			bad |= 1 << i;
	if (count(open_mem, 16 * PAGE, digit) != 16 * PAGE)
		bad |= 0x10;
	return bad;
}

static int child_sees(int fd)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		(void)fd;	/* it keeps a descriptor of the device, too */
		_exit(count(mem[SMALL], len[SMALL], NULL) == len[SMALL] ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void on_interrupt(int sig)
{
}

static void wait_for_host(void)
{
	struct sigaction act = { .sa_handler = on_interrupt };
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, &old);
	sigaction(SIGINT, &act, NULL);
	tap_note("the image can be searched");
	sigsuspend(&old);
}

static void run_clone(int ticket)
{
	struct {
		struct vmfork_record head;
		char payload[4];
	} msg = { .head = { VMFORK_RECORD_DATA, 0, 1, 1 } };
	struct vmfork_exit e = { };

	msg.payload[0] = (char)clone_status();
	if (write(ticket, &msg, sizeof(msg.head) + 1) > 0)
		read(ticket, &msg, sizeof(msg));	/* until the parent has its time */
	ioctl(device, VMFORK_EXIT, &e);
	_exit(1);
}

static void test_wipe(bool wait)
{
	struct {
		struct vmfork_record head;
		unsigned char status[4];
	} msg = { };
	struct vmfork_clone c = { };
	int ticket = request(1);

	make();
	set_secrets();
	tap_ok(child_sees(device) == 0, "a child does not see the secret");
	if (ioctl(ticket, VMFORK_TICKET_CLONE, &c))
		tap_bail("CLONE: %s", strerror(errno));
	if (c.id)
		run_clone(ticket);
	if (read(ticket, &msg, sizeof(msg)) != (ssize_t)sizeof(msg.head) + 1)
		tap_bail("the clone says nothing");
	for (int i = 0; i < KINDS; i++)
		tap_ok(!(msg.status[0] & 1 << i) && count(mem[i], len[i], toupper) == len[i],
		       "%s: zeros in the clone, intact in the parent%s", kind_names[i],
		       len[i] ? "" : " # SKIP there is none");
	tap_ok(!(msg.status[0] & 0x10), "what is no secret is there");
	if (wait)
		wait_for_host();
	tap_ok(!close(ticket), "the clone ends");
}

int main(int argc, char **argv)
{
	struct vmfork_identity id;

	device = open_device();
	if (ioctl(device, VMFORK_GET_ID, &id))
		tap_bail("VMFORK_GET_ID: %s", strerror(errno));
	if (argc > 1 && !strcmp(argv[1], "deny")) {
		if (deny_on(device))
			return 1;
		printf("denied\n");
		fflush(stdout);
		for (;;)
			pause();
	}
	if (argc > 1)
		word = argv[1];
	tap_plan(PLAN);
	test_refusals();
	test_deny();
	test_wipe(argc > 1);
	return tap_end();
}
