// SPDX-License-Identifier: GPL-2.0-or-later
/* vmfork-pager-bench: what a fault costs, bare userfaultfd against the real pager. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pgclient.h"
#include "util.h"

/**
 * DOC: What is measured
 *
 * Ranges of the same size, each a private mapping of its own sparse memory file
 * with a userfaultfd, touched page by page by this process:
 *   bare    a process that does nothing but poll, read, pwrite of a constant page, wake
 *   pager   vmfork-pager with a snapshot process: read, check, pwrite, wake
 *   avoid   vmfork-pager, every second page is avoided, only those are touched: zeros
 *   run     the same, all bits of the avoid bitmap set: zeros come in runs
 *   ahead   as "pager", but upwards: it is read ahead
 *   filled  vmfork-pager, the image was filled in the background: no fault for it
 * The first two are touched downwards in each block, so that each touch is a fault by itself.
 * The ranges take turns in blocks of 64 pages, so that all see the same machine. Each
 * touch is timed from outside, by the toucher. Where a server runs makes more of a
 * difference than what it does (waking an idle CPU is dear), so toucher and servers are
 * bound: to the same CPU in one pass, to two in the other.
 */
#define BLOCK		64U
#define PAGE		PAGER_PAGE_SIZE
#define SNAPSHOT_BASE	((void *)0x100000000000)

enum kind { BARE, PAGER, AVOID, RUN, AHEAD, FILLED, KINDS };
static const char *const kind_names[KINDS] = { "bare", "pager", "avoid", "run",
						"ahead", "filled" };
static const uint8_t avoided_bits[KINDS] = { [AVOID] = 0x55, [RUN] = 0xff };

struct range {
	uint8_t *base;
	int file;
	int uffd;
	uint64_t *ns;
	uint64_t serve_ns;	/* mean in the pager, from event read to answer */
	pid_t server;
};

static uint64_t npages = 8192;
static cpu_set_t cpus;		/* that we may use */

static void __attribute__((noreturn)) fail(const char *what, int err)
{
	fprintf(stderr, "vmfork-pager-bench: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(EXIT_FAILURE);
}

static int memory_file(const char *name, uint64_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		fail("memfd", errno);
	return fd;
}

/* Bind this process, and what it starts, to the @n-th CPU that we may use. */
static bool bind_cpu(unsigned int n)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &cpus) || n--)
			continue;
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof(one), &one) == 0;
	}
	return false;
}

static void range_init(struct range *r)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	r->file = memory_file("image", npages * PAGE);
	r->base = mmap(NULL, npages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, r->file, 0);
	if (r->base == MAP_FAILED)
		fail("mmap", errno);
	madvise(r->base, npages * PAGE, MADV_DONTFORK);
	r->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (r->uffd < 0 || ioctl(r->uffd, UFFDIO_API, &api) < 0)
		fail("userfaultfd", errno);
	reg.range.start = (uint64_t)(uintptr_t)r->base;
	reg.range.len = npages * PAGE;
	if (ioctl(r->uffd, UFFDIO_REGISTER, &reg) < 0)
		fail("UFFDIO_REGISTER", errno);
	r->ns = calloc(npages, sizeof(*r->ns));
	if (!r->ns)
		fail("memory", ENOMEM);
}

static void range_fini(struct range *r)
{
	munmap(r->base, npages * PAGE);
	close(r->uffd);
	close(r->file);
	free(r->ns);
}

static void __attribute__((noreturn)) serve_bare(const struct range *r)
{
	static uint8_t page[PAGE] __attribute__((aligned(PAGE)));
	struct pollfd p = { .fd = r->uffd, .events = POLLIN };
	struct uffd_msg m;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(page, 0x5a, sizeof(page));
	for (;;) {
		struct uffdio_range w = { .len = PAGE };

		if (poll(&p, 1, -1) < 0 || read(r->uffd, &m, sizeof(m)) != sizeof(m))
			continue;
		w.start = m.arg.pagefault.address & ~(uint64_t)(PAGE - 1);
		if (pwrite(r->file, page, PAGE, (off_t)(w.start - (uintptr_t)r->base)) != PAGE ||
		    ioctl(r->uffd, UFFDIO_WAKE, &w) < 0)
			_exit(1);
	}
}

/* A process with @npages of anonymous memory at SNAPSHOT_BASE, all written. */
static pid_t start_snapshot(void)
{
	int ready[2];
	char c;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		fail("pipe", errno);
	pid = fork();
	if (pid == 0) {
		uint8_t *p = mmap(SNAPSHOT_BASE, npages * PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (p == MAP_FAILED)
			_exit(1);
		madvise(p, npages * PAGE, MADV_HUGEPAGE);
		memset(p, 0x5a, npages * PAGE);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &c, 1) != 1)
		fail("snapshot process", ECHILD);
	close(ready[0]);
	return pid;
}

static int open_proc(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail(path, errno);
	return fd;
}

static void give_to_pager(struct pgproc *pg, const struct range *r, enum kind kind, pid_t snapshot)
{
	struct pager_req req = {
		.op = PAGER_IMAGE_ADD, .handle = kind, .npages = npages,
		.base = (uint64_t)(uintptr_t)SNAPSHOT_BASE, .source = PAGER_SOURCE_SNAPSHOT,
		.nslots = 1, .slots = { { .npages = npages } },
	};
	int fds[4] = { r->file, memory_file("map", npages), open_proc(snapshot, "mem"),
		       open_proc(snapshot, "pagemap") };
	int clone[2] = { r->uffd, memory_file("avoid", npages / 8) };
	uint8_t ones[4096];
	int err;

	if (kind == FILLED) {
		req.flags = PAGER_F_FILL_ALL;
		req.fill = npages;
	}
	err = pg_call(pg, &req, fds, 4, NULL);
	if (err)
		fail("IMAGE_ADD", err);
	memset(ones, avoided_bits[kind], sizeof(ones));
	for (uint64_t done = 0; done < npages / 8; done += sizeof(ones)) {
		if (pwrite(clone[1], ones, sizeof(ones), (off_t)done) < 0)
			fail("bitmap", errno);
	}
	req.op = PAGER_CLONE_ADD;
	req.image = kind;
	req.base = (uint64_t)(uintptr_t)r->base;
	req.bitmap_bytes = npages / 8;
	req.source = 0;
	req.flags = 0;
	err = pg_call(pg, &req, clone, 2, NULL);
	if (err)
		fail("CLONE_ADD", err);
	for (int i = 1; i < 4; i++)
		close(fds[i]);
	close(clone[1]);
}

static uint64_t touch(uint8_t *p, bool write_fault, uint8_t want)
{
	uint64_t start = now_ns();
	uint64_t ns;

	if (write_fault)
		*(volatile uint8_t *)p = 1;
	else
		*(volatile uint8_t *)p;
	ns = now_ns() - start;
	if (((volatile uint8_t *)p)[PAGE - 1] != want)
		fail("wrong byte", EIO);
	return ns;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Every second page in one kind. */
static uint64_t faults_of(enum kind k)
{
	return k == AVOID ? npages / 2 : npages;
}

/* Without the slowest hundredth: those waited for something else. */
static uint64_t mean(const uint64_t *sorted, uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += sorted[i];
	return sum / n;
}

static void report(enum kind k, bool write_fault, bool other_cpu, const struct range *r,
		   double bare_median)
{
	uint64_t n = faults_of(k), *ns = r->ns;

	printf("{\"what\": \"%s\", \"fault\": \"%s\", \"cpu\": \"%s\", \"n\": %llu, \"median_ns\": %llu, "
	       "\"mean_ns\": %llu, \"p90_ns\": %llu, \"min_ns\": %llu, \"max_ns\": %llu, "
	       "\"serve_ns\": %llu, "
	       "\"ratio\": %.3f}\n",
	       kind_names[k], write_fault ? "write" : "read",
	       other_cpu ? "other" : "same", (unsigned long long)n,
	       (unsigned long long)ns[n / 2], (unsigned long long)mean(ns, n * 99 / 100),
	       (unsigned long long)ns[n * 9 / 10],
	       (unsigned long long)ns[0], (unsigned long long)ns[n - 1],
	       (unsigned long long)r->serve_ns, (double)ns[n / 2] / bare_median);
}

static void touch_block(struct range *r, enum kind k, uint64_t at, bool write_fault)
{
	unsigned int step = k == AVOID ? 2 : 1;

	for (uint64_t i = 0; i < BLOCK; i += step) {
		uint64_t page = at + (k <= PAGER ? BLOCK - 1 - i : i);

		r->ns[(at + i) / step] = touch(r->base + page * PAGE, write_fault,
					       avoided_bits[k] ? 0 : 0x5a);
	}
}

static void run(bool write_fault, bool other_cpu, pid_t snapshot)
{
	struct range r[KINDS];
	struct pgproc pg;
	int err;

	if (!bind_cpu(other_cpu))
		return;
	err = pg_start(&pg);
	if (err)
		fail("pager", err);
	for (int k = 0; k < KINDS; k++)
		range_init(&r[k]);
	r[BARE].server = fork();
	if (r[BARE].server == 0)
		serve_bare(&r[BARE]);
	for (int k = PAGER; k < KINDS; k++)
		give_to_pager(&pg, &r[k], (enum kind)k, snapshot);
	while (pg_image_stats(&pg, FILLED).prefetched < npages)
		usleep(10000);
	bind_cpu(0);
	for (uint64_t at = 0; at < npages; at += BLOCK) {
		for (unsigned int turn = 0; turn < KINDS; turn++) {
			unsigned int k = (unsigned int)(at / BLOCK + turn) % KINDS;

			touch_block(&r[k], (enum kind)k, at, write_fault);
		}
	}
	r[BARE].serve_ns = 0;
	for (int k = PAGER; k < KINDS; k++)
		r[k].serve_ns = pg_clone_stats(&pg, (uint64_t)k).serve_ns / faults_of((enum kind)k);
	for (int k = 0; k < KINDS; k++)
		qsort(r[k].ns, faults_of((enum kind)k), sizeof(*r[k].ns), compare);
	for (int k = 0; k < KINDS; k++)
		report((enum kind)k, write_fault, other_cpu, &r[k],
		       (double)r[BARE].ns[npages / 2]);
	kill(r[BARE].server, SIGKILL);
	waitpid(r[BARE].server, NULL, 0);
	pg_kill(&pg);
	for (int k = 0; k < KINDS; k++)
		range_fini(&r[k]);
}

static void usage(FILE *to)
{
	fputs("Usage: vmfork-pager-bench [--pages N] [--rounds N]\n"
	      "Times page faults: bare userfaultfd against vmfork-pager, as JSON lines.\n"
	      "The pager is build/bin/vmfork-pager or $VMFORK_PAGER.\n", to);
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "pages", required_argument, NULL, 'n' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned int rounds = 1;
	pid_t snapshot;
	int c;

	while ((c = getopt_long(argc, argv, "n:r:h", longopts, NULL)) >= 0) {
		if (c == 'n')
			npages = strtoull(optarg, NULL, 10);
		else if (c == 'r')
			rounds = (unsigned int)strtoul(optarg, NULL, 10);
		else
			return usage(c == 'h' ? stdout : stderr), c == 'h' ? 0 : 2;
	}
	npages = (npages + 4095) / 4096 * 4096;
	if (!npages || npages > 1U << 20 || !rounds)
		return usage(stderr), 2;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		fail("sched_getaffinity", errno);
	snapshot = start_snapshot();
	for (unsigned int i = 0; i < rounds; i++) {
		for (int how = 0; how < 4; how++)
			run(how & 1, how & 2, snapshot);
	}
	kill(snapshot, SIGKILL);
	waitpid(snapshot, NULL, 0);
	return EXIT_SUCCESS;
}
