// SPDX-License-Identifier: GPL-2.0-or-later
/* rubbish: a hostile guest that writes anything into its channel. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/vmfork_channel.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: rubbish [SEED]
 *
 * Maps the channel's BAR by sysfs, as a guest's root can, and writes: first ring
 * messages that are each wrong in one way, then random words over header, fork block
 * and rings, then random bytes over everything; after each it rings the doorbell.
 * The module must not be loaded (the kernel keeps the BAR to its driver), or the
 * kernel be booted with iomem=relaxed.
 *
 * There is nothing to verify here: the host's side of the test looks what became of
 * vmforkd and of the other VMs.
 */
#define PCI_DIR "/sys/bus/pci/devices"
/* words of BAR0 */
#define POSITION 2	/* our own peer number */
#define DOORBELL 3

static struct {
	volatile uint8_t *mem;
	volatile uint32_t *regs;
	size_t size;
	uint64_t random;
} t;

static uint64_t next_random(void)
{
	t.random = mix(t.random, 1);
	return t.random;
}

static bool is_channel(const char *dir)
{
	char path[300], buf[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/modalias", dir);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(buf, sizeof(buf), f))
		buf[0] = 0;
	fclose(f);
	return !strncmp(buf, "pci:v00001AF4d00001110", 22);
}

static void *map_bar(const char *dir, int bar, size_t *ret_size)
{
	char path[300];
	struct stat st;
	void *p;
	int fd;

	snprintf(path, sizeof(path), "%s/resource%d", dir, bar);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		tap_bail("%s: %s", path, strerror(errno));
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		tap_bail("%s: %s (is the module loaded?)", path, strerror(errno));
	close(fd);
	*ret_size = (size_t)st.st_size;
	return p;
}

static void enable(const char *dir)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/enable", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		tap_diag("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void find(void)
{
	struct dirent *e;
	DIR *d = opendir(PCI_DIR);
	char dir[280];
	size_t size;

	while (d && (e = readdir(d))) {
		snprintf(dir, sizeof(dir), PCI_DIR "/%s", e->d_name);
		if (!is_channel(dir))
			continue;
		enable(dir);
		t.regs = map_bar(dir, 0, &size);
		t.mem = map_bar(dir, 2, &t.size);
		closedir(d);
		return;
	}
	tap_bail("no channel device");
}

static void ring(void)
{
	t.regs[DOORBELL] = t.regs[POSITION] ? 0 : 1U << 16;	/* the other peer, vector 0 */
	usleep(20000);
}

static void put(size_t at, const void *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		t.mem[at + i] = ((const uint8_t *)buf)[i];
}

static void put32(size_t at, uint32_t v)
{
	*(volatile uint32_t *)(t.mem + at) = v;
}

/* One message behind what is in the ring; head moves by @step. */
static void put_message(uint32_t type, uint32_t len, uint32_t step)
{
	size_t ring_at = offsetof(struct vmfork_channel, g2h);
	uint32_t head = *(volatile uint32_t *)(t.mem + ring_at);
	struct vmfork_msg msg = { .type = type, .len = len, .cookie = next_random() };

	put(VMFORK_CHANNEL_G2H + head % VMFORK_CHANNEL_RING_SIZE, &msg, sizeof(msg));
	put32(ring_at, head + step);
	ring();
}

static void wrong_messages(void)
{
	put_message(VMFORK_G2H_TICKET, sizeof(struct vmfork_msg_grant), 48);
	put_message(9999, 8, 24);
	put_message(VMFORK_G2H_DATA, 0xffffffff, 24);
	put_message(VMFORK_G2H_EXIT, 3, 24);
	put_message(VMFORK_G2H_DATA, VMFORK_MSG_MAX + 4096, VMFORK_MSG_MAX);
	put_message(VMFORK_G2H_KILL, sizeof(struct vmfork_msg_ticket), 0xfffffff8);
}

static void wrong_fork_block(void)
{
	size_t fork_at = offsetof(struct vmfork_channel, fork);

	for (uint32_t state = 0; state < 8; state++) {
		struct vmfork_fork f = { .kind = (uint32_t)next_random() % 6,
					 .ticket = next_random(), .free_pages = next_random() };

		memset(f.name, 'A', sizeof(f.name));
		f.state = state;
		put(fork_at, &f, sizeof(f));
		ring();
	}
	put32(fork_at, VMFORK_FORK_REQUESTED);
	ring();
}

static void random_words(size_t from, size_t to, unsigned int words)
{
	for (unsigned int i = 0; i < words; i++) {
		size_t at = from + (next_random() % (to - from) & ~3UL);

		put32(at, (uint32_t)next_random());
		if (i % (words / 16 + 1) == 0)
			ring();
	}
	ring();
}

int test_rubbish(int argc, char **argv)
{
	t.random = argc > 1 ? (uint64_t)atoll(argv[1]) : 1;
	find();
	tap_diag("channel of %zu bytes, seed %lu", t.size, t.random);
	wrong_fork_block();
	tap_ok(true, "a fork block with nonsense");
	wrong_messages();
	tap_ok(true, "messages that are wrong each in one way");
	random_words(0, PAGE, 4000);
	tap_ok(true, "random words over the header");
	random_words(VMFORK_CHANNEL_G2H, VMFORK_CHANNEL_BITMAPS, 20000);
	tap_ok(true, "random words over the rings");
	random_words(0, t.size, 20000);
	tap_ok(true, "random words over everything");
	return tap_done();
}
