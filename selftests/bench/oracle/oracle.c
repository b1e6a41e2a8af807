// SPDX-License-Identifier: GPL-2.0-or-later
/* A TCG plugin that knows what a machine needed: pages that it read before it had written them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "qemu_plugin.h"

/**
 * DOC: The oracle
 *
 * -plugin liboracle.so,dir=DIR,pages=N,mode=pages|count. It keeps DIR/PID: a page with counts,
 * then, with mode=pages, a byte for each of N guest pages (of RAM below the PCI hole):
 *
 *   UNTOUCHED -> WRITTEN  the first access was a write
 *   UNTOUCHED -> NEEDED   a byte was read, or executed, that this process had not written
 *   WRITTEN   -> NEEDED   likewise
 *
 * In a clone, whose processors run in this process only after the fork, NEEDED pages are
 * those that nothing could have avoided. What the processors' own page walks and the devices
 * do is not seen: page tables that are only walked are missing among the needed, and what
 * a device has written counts as needed once it is read.
 *
 * With mode=count it only counts instructions, for machines with one processor.
 */
enum { UNTOUCHED, WRITTEN, NEEDED };

#define PAGE 4096U
#define WORDS (PAGE / 64)

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct {
	volatile uint64_t instructions;
} *counts;

static uint8_t *state;			/* of each page */
static uint64_t (**written)[WORDS];	/* its bytes, one bit each, while it is WRITTEN */
static uint64_t pages;

/* Bits [off, off + n) of a page: n is a power of two, at most 64. */
static bool all_written(const uint64_t *bits, unsigned int off, unsigned int n)
{
	for (; n && off < PAGE; off++, n--)
		if (!(bits[off / 64] >> (off % 64) & 1))
			return false;
	return true;
}

static void set_written(uint64_t *bits, unsigned int off, unsigned int n)
{
	for (; n && off < PAGE; off++, n--)
		bits[off / 64] |= 1ULL << (off % 64);
}

static void note_store(uint64_t page, unsigned int off, unsigned int n)
{
	if (!written[page])
		written[page] = calloc(1, sizeof(*written[page]));
	if (!written[page])
		abort();
	set_written(*written[page], off, n);
	if (state[page] == UNTOUCHED)
		state[page] = WRITTEN;
}

static void note_load(uint64_t page, unsigned int off, unsigned int n)
{
	if (state[page] == WRITTEN && all_written(*written[page], off, n))
		return;
	state[page] = NEEDED;
	free(written[page]);
	written[page] = NULL;
}

static void on_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)
{
	struct qemu_plugin_hwaddr *hw = qemu_plugin_get_hwaddr(info, vaddr);
	unsigned int n = 1U << qemu_plugin_mem_size_shift(info);
	uint64_t at;

	if (!hw || qemu_plugin_hwaddr_is_io(hw))
		return;
	at = qemu_plugin_hwaddr_phys_addr(hw);
	if (at / PAGE >= pages || state[at / PAGE] == NEEDED)
		return;
	if (qemu_plugin_mem_is_store(info))
		note_store(at / PAGE, at % PAGE, n);
	else
		note_load(at / PAGE, at % PAGE, n);
}

/* Where the RAM is in this process: the mapping that @host is in, if it can be the RAM. */
static struct { uintptr_t from, to; uint64_t offset; } ram;

static void find_ram(uintptr_t host)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t from, to;
	uint64_t offset;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %" SCNx64, &from, &to,
			   &offset) != 3 || host < from || host >= to)
			continue;
		if (to - from >= pages * PAGE / 2)
			ram.from = from, ram.to = to, ram.offset = offset;
	}
	if (maps)
		fclose(maps);
}

/* An instruction that is translated is read, a whole block of them within a page or two. */
static void note_code(uintptr_t host)
{
	uint64_t page;

	if (!host)
		return;
	if (host < ram.from || host >= ram.to)
		find_ram(host);
	if (host < ram.from || host >= ram.to)
		return;
	page = (host - ram.from + ram.offset) / PAGE;
	if (page < pages && state[page] != NEEDED)
		note_load(page, host % PAGE, 1);
}

static void watch_pages(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		note_code((uintptr_t)qemu_plugin_insn_haddr(insn));
		qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW, NULL);
	}
}

static void watch_count(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 (void *)&counts->instructions,
						 qemu_plugin_tb_n_insns(tb));
}

static int keep(const char *dir)
{
	char path[512];
	void *map;
	int fd;

	snprintf(path, sizeof(path), "%s/%d", dir, (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)(PAGE + pages)))
		return -errno;
	map = mmap(NULL, PAGE + pages, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -errno;
	counts = map;
	state = (uint8_t *)map + PAGE;
	written = calloc(pages ? pages : 1, sizeof(*written));
	return written ? 0 : -ENOMEM;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	const char *dir = "/tmp";
	bool count = false;

	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "dir=", 4))
			dir = argv[i] + 4;
		else if (!strncmp(argv[i], "pages=", 6))
			pages = strtoull(argv[i] + 6, NULL, 0);
		else if (!strncmp(argv[i], "mode=", 5))
			count = !strcmp(argv[i] + 5, "count");
		else
			return -1;
	}
	if (keep(dir))
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, count ? watch_count : watch_pages);
	return 0;
}
