// SPDX-License-Identifier: GPL-2.0-or-later
/* vmfork-test-vm: maps a RAM file as QEMU does, then fills and checks pages. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pager_proto.h"
#include "tvm.h"

#define PAGE		4096UL
#define WORDS		(PAGE / sizeof(uint64_t))
#define ALIGN		(2UL << 20)
#define THREADS_MAX	16U
#define APART		32U	/* faults: more than the streams that the pager knows (ahead.h) */

struct check {
	struct tvm_order order;
	uint64_t salt;
	int64_t wrong;
};

static uint8_t *ram;
static size_t ram_len;
static int ram_fd;

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static uint64_t word(uint64_t page, uint64_t seed, size_t i)
{
	return seed ? mix(page * 0x9e3779b97f4a7c15ULL + seed) + i * 0x10001 : 0;
}

static void fill(const struct tvm_order *o)
{
	for (uint64_t page = o->first; page < o->first + o->npages; page++) {
		uint64_t *p = (uint64_t *)(ram + page * PAGE);

		for (size_t i = 0; i < WORDS; i++)
			p[i] = word(page, o->seed, i);
	}
}

static bool page_right(uint64_t page, uint64_t seed)
{
	const uint64_t *p = (const uint64_t *)(ram + page * PAGE);

	for (size_t i = 0; i < WORDS; i++) {
		if (p[i] != word(page, seed, i))
			return false;
	}
	return true;
}

/* Does the page behind one come so soon after it that the pager may read ahead? */
static bool is_stream(uint64_t stride, uint64_t span)
{
	for (uint64_t k = 1; k < APART; k++) {
		if ((stride * k & (span - 1)) == 1)
			return true;
	}
	return false;
}

/* An odd stride visits each page of a power of two once; others are skipped over. */
static void *check(void *arg)
{
	struct check *c = arg;
	uint64_t span = 1, at = mix(c->salt), stride = mix(c->salt + 1) | 1;

	while (span < c->order.npages)
		span <<= 1;
	while (span > 2 * APART && is_stream(stride, span))
		stride += 2;
	for (uint64_t i = 0; i < span; i++, at += stride) {
		uint64_t k = at & (span - 1);

		if (k < c->order.npages)
			c->wrong += !page_right(c->order.first + k, c->order.seed);
	}
	return NULL;
}

static int64_t check_all(const struct tvm_order *o)
{
	struct check c[THREADS_MAX];
	pthread_t t[THREADS_MAX];
	unsigned int n = o->threads;
	int64_t wrong = 0;

	if (!n || n > THREADS_MAX)
		return -1;
	for (unsigned int i = 0; i < n; i++) {
		c[i] = (struct check){ .order = *o, .salt = (uint64_t)getpid() * 64 + i };
		if (pthread_create(&t[i], NULL, check, &c[i]))
			return -1;
	}
	for (unsigned int i = 0; i < n; i++) {
		pthread_join(t[i], NULL);
		wrong += c[i].wrong;
	}
	return wrong;
}

static int64_t count_poisoned(const struct tvm_order *o)
{
	int64_t count = 0;

	for (uint64_t i = 0; i < o->npages; i++) {
		const struct pager_poison *p = (const void *)(ram + (o->first + i) * PAGE);
		size_t n = 0;

		while (n < PAGE / sizeof(*p) && p[n].magic == PAGER_POISON_MAGIC &&
		       p[n].gfn == o->seed + i)
			n++;
		count += n == PAGE / sizeof(*p);
	}
	return count;
}

static int64_t left_env(void)
{
	return !!getenv("VMFORK_RAM_FILE") + !!getenv("VMFORK_RAM_CTL") +
	       !!getenv("VMFORK_RAM_UFFD") + !!getenv("LD_PRELOAD");
}

static int64_t execute(const struct tvm_order *o)
{
	switch (o->op) {
	case TVM_FILL:
		fill(o);
		return 0;
	case TVM_CHECK:
		return check_all(o);
	case TVM_POISONED:
		return count_poisoned(o);
	case TVM_ENV:
		return left_env();
	case TVM_SPOIL:
		return mmap(NULL, ram_len, PROT_READ, MAP_PRIVATE, ram_fd, 0) == MAP_FAILED;
	default:
		return -1;
	}
}

/* As qemu_ram_mmap() and ram_block_add() do it. */
static bool map_ram(const char *path)
{
	struct stat st;
	uint8_t *reserved, *at;

	ram_fd = open(path, O_RDWR | O_CLOEXEC);
	if (ram_fd < 0 || fstat(ram_fd, &st) < 0)
		return false;
	ram_len = (size_t)st.st_size;
	reserved = mmap(NULL, ram_len + ALIGN, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (reserved == MAP_FAILED)
		return false;
	at = (uint8_t *)(((uintptr_t)reserved + ALIGN - 1) & ~(ALIGN - 1));
	ram = mmap(at, ram_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram_fd, 0);
	if (ram == MAP_FAILED)
		return false;
	madvise(ram, ram_len, MADV_MERGEABLE);
	madvise(ram, ram_len, MADV_HUGEPAGE);
	return madvise(ram, ram_len, MADV_DONTFORK) == 0;
}

int main(int argc, char **argv)
{
	struct tvm_order o;
	int cmd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc != 3 || !map_ram(argv[1])) {
		perror("vmfork-test-vm");
		return EXIT_FAILURE;
	}
	cmd = atoi(argv[2]);
	while (recv(cmd, &o, sizeof(o), 0) == sizeof(o)) {
		int64_t answer = execute(&o);

		if (send(cmd, &answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer))
			break;
	}
	return EXIT_SUCCESS;
}
