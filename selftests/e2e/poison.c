// SPDX-License-Identifier: GPL-2.0-or-later
/* poison: whatever this machine's user space can read, is there a page that was avoided in error? */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: poison DIR FILE MiB [ROUNDS]
 *
 * With vmforkd --poison-avoided a page that a clone avoids is full of a magic word and the
 * page's number, unless it was zeros in truth. Nobody may ever see that: whoever gets such a
 * page writes all of it first. So this program, in a clone, gets pages in every way that it
 * knows of and looks at what is in them: fresh memory (small pages, huge pages, shared), holes
 * of files and what lies behind their ends, files read three ways (FILE is of `vmfork-e2e
 * file`, MiB large), pipes, sockets, and all memory of child processes. DIR is on the disk.
 */
#define MAGIC 0x4e53494f50464d56ULL	/* PAGER_POISON_MAGIC */
#define SEED 0x10d6e4UL
#define WORDS (PAGE / sizeof(uint64_t))

static struct {
	const char *dir;
	const char *file;
	size_t pages;
} where;

static size_t not_zero(const uint64_t *mem, size_t pages)
{
	size_t bad = 0;

	for (size_t p = 0; p < pages; p++) {
		uint64_t any = 0;

		for (size_t w = 0; w < WORDS; w++)
			any |= mem[p * WORDS + w];
		bad += any != 0;
	}
	return bad;
}

static void judge(const char *what, size_t bad)
{
	tap_ok(!bad, "%s: %zu pages are wrong", what, bad);
}

static void fresh_memory(void)
{
	uint64_t *mem = pages_new(where.pages);

	madvise(mem, where.pages * PAGE, MADV_NOHUGEPAGE);
	judge("fresh memory", not_zero(mem, where.pages));
	pattern_fill(mem, where.pages, 1);
	judge("memory just written", pattern_bad(mem, where.pages, 1));
	munmap(mem, where.pages * PAGE);
	mem = pages_new(where.pages);
	madvise(mem, where.pages * PAGE, MADV_HUGEPAGE);
	judge("fresh huge pages", not_zero(mem, where.pages));
	munmap(mem, where.pages * PAGE);
}

static int scratch(const char *dir, size_t bytes)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/poison.XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)bytes))
		tap_bail("%s: %s", path, strerror(errno));
	unlink(path);
	return fd;
}

/* Pages that are written in part, and holes: the rest is zeros. */
static void files_with_holes(const char *name, const char *dir)
{
	size_t pages = 1024, bytes = pages * PAGE;
	int fd = scratch(dir, bytes - 100);
	char what[64];
	uint64_t *mem;

	for (size_t p = 0; p < pages; p += 3)
		if (pwrite(fd, "x", 1, (off_t)(p * PAGE + 777)) != 1)
			tap_bail("%s: %s", dir, strerror(errno));
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		tap_bail("%s: mmap: %s", dir, strerror(errno));
	for (size_t p = 0; p < pages; p += 3)
		((char *)mem)[p * PAGE + 777] = 0;
	snprintf(what, sizeof(what), "holes and rests of pages in %s", name);
	judge(what, not_zero(mem, pages));
	munmap(mem, bytes);
	close(fd);
}

static void read_buffered(void)
{
	long bad = file_bad(where.file, where.pages, SEED);

	judge("a file, read", bad < 0 ? where.pages : (size_t)bad);
}

static size_t file_pages_bad(const uint64_t *mem, size_t pages)
{
	size_t bad = 0;

	for (size_t p = 0; p < pages; p++)
		bad += pattern_bad(mem + p * WORDS, 1, mix(SEED, p));
	return bad;
}

static void read_mapped(void)
{
	int fd = open(where.file, O_RDONLY | O_CLOEXEC);
	uint64_t *mem = mmap(NULL, where.pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	if (mem == MAP_FAILED)
		tap_bail("%s: %s", where.file, strerror(errno));
	judge("a file, mapped", file_pages_bad(mem, where.pages));
	munmap(mem, where.pages * PAGE);
	close(fd);
}

/* Into the middle of a page: what is before and behind stays as it was. */
static void read_direct(void)
{
	size_t pages = where.pages < 2048 ? where.pages : 2048, off = 512;
	int fd = open(where.file, O_RDONLY | O_DIRECT | O_CLOEXEC);
	uint64_t *mem = pages_new(pages + 1);
	unsigned char *at = (unsigned char *)mem + off;
	size_t bad = 0;

	memset(mem, 0x5a, (pages + 1) * PAGE);
	if (pread(fd, at, pages * PAGE, 0) != (ssize_t)(pages * PAGE))
		tap_bail("%s: O_DIRECT: %s", where.file, strerror(errno));
	for (size_t i = 0; i < off; i++)
		bad += ((unsigned char *)mem)[i] != 0x5a;
	for (size_t i = off + pages * PAGE; i < (pages + 1) * PAGE; i++)
		bad += ((unsigned char *)mem)[i] != 0x5a;
	judge("beside a direct read", bad);
	memmove(mem, at, pages * PAGE);
	judge("a file, read directly", file_pages_bad(mem, pages));
	munmap(mem, (pages + 1) * PAGE);
	close(fd);
}

static size_t through(int in, int out, size_t pages)
{
	uint64_t sent[WORDS], got[WORDS];
	size_t bad = 0;

	for (size_t p = 0; p < pages; p++) {
		pattern_fill(sent, 1, p);
		if (write(in, sent, PAGE) != (ssize_t)PAGE ||
		    read(out, got, PAGE) != (ssize_t)PAGE)
			return pages;
		bad += memcmp(sent, got, PAGE) != 0;
	}
	close(in);
	close(out);
	return bad;
}

static void kernel_buffers(void)
{
	int p[2], s[2];

	if (pipe(p) || socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		tap_bail("pipe: %s", strerror(errno));
	judge("what went through a pipe", through(p[1], p[0], 2000));
	judge("what went through a socket", through(s[0], s[1], 2000));
}

/* a word that could be the magic's, but for this program's own copies of it */
static size_t scan(const uint64_t *from, const uint64_t *to)
{
	size_t found = 0;

	for (; from + 3 < to; from++)
		found += from[0] == MAGIC && from[2] == MAGIC && from[1] == from[3];
	return found;
}

/* Every readable stretch of this process's memory. Return: places with the magic in them */
static size_t scan_self(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512], perm[5];
	size_t found = 0;

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %4s", &from, &to, perm) != 3 || perm[0] != 'r' ||
		    strstr(line, "[v"))
			continue;
		found += scan((uint64_t *)from, (uint64_t *)to);
	}
	if (maps)
		fclose(maps);
	return maps ? found : 1;
}

static int child(unsigned int n)
{
	size_t pages = 64;
	uint64_t *mem = malloc(pages * PAGE);	/* as malloc() gives it: not cleared by us */
	char stack[65536];
	size_t bad;

	if (!mem)
		return 2;
	memset(stack, (int)n, sizeof(stack));
	bad = scan_self();
	pattern_fill(mem, pages, n);
	return bad || pattern_bad(mem, pages, n) || stack[n % sizeof(stack)] != (char)n;
}

static void processes(unsigned int rounds)
{
	size_t bad = 0;

	for (unsigned int i = 0; i < rounds; i++) {
		int status = 1;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (pid == 0)
			_exit(child(i));
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
			bad++;
	}
	judge("child processes that look at all their memory", bad);
	judge("this process's memory", scan_self());
}

int test_poison(int argc, char **argv)
{
	unsigned int rounds = argc > 4 ? (unsigned int)atoi(argv[4]) : 20;

	if (argc < 4)
		tap_bail("poison DIR FILE MiB [ROUNDS]");
	where.dir = argv[1];
	where.file = argv[2];
	where.pages = strtoul(argv[3], NULL, 0) * 256;
	processes(rounds);
	fresh_memory();
	read_direct();
	drop_caches();
	read_buffered();
	drop_caches();
	read_mapped();
	files_with_holes("a disk's file", where.dir);
	files_with_holes("a tmpfs's file", "/dev/shm");
	kernel_buffers();
	processes(rounds);
	return tap_done();
}
