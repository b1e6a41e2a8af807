// SPDX-License-Identifier: GPL-2.0-or-later
/* What clones do in M5: memory, files, direct reads, a job of many processes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loads.h"

#define PAGE		4096U
#define CHUNK		65536U
#define DATA		"/root/bench.data"
#define OUTPUT		"/root/bench.out"
#define TREE		"/root/bench.tree"

static struct {
	unsigned char *base;
	size_t chunks;
} pool;

static int switch_one(const char *name, int on)
{
	char path[128];
	int fd, r;

	snprintf(path, sizeof(path), "/sys/module/vmfork/parameters/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write(fd, on ? "1" : "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return r;
}

int loads_policy(unsigned int mask)
{
	static const char *const names[] = { "free_set", "free_hook", "io_overwrite" };
	int r = 0;

	for (unsigned int i = 0; i < 3 && !r; i++)
		r = switch_one(names[i], mask >> i & 1);
	return r;
}

static void *map(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void fill(unsigned char *mem, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += sizeof(uint64_t))
		*(volatile uint64_t *)(mem + i) = i * 0x9e3779b97f4a7c15ULL + 1;
}

static int write_file(const char *path, size_t mib)
{
	static unsigned char buf[CHUNK];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), r = 0;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < mib << 4 && !r; i++) {
		fill(buf, sizeof(buf));
		if (write(fd, buf, sizeof(buf)) != (ssize_t)sizeof(buf))
			r = -EIO;
	}
	if (!r && fsync(fd))
		r = -errno;
	close(fd);
	return r;
}

int loads_pool(size_t mib)
{
	if (pool.base)
		munmap(pool.base, pool.chunks * CHUNK);
	pool.chunks = mib << 4;
	pool.base = map(mib << 20);
	if (pool.base == MAP_FAILED)
		return -errno;
	fill(pool.base, mib << 20);
	return write_file(DATA, mib);
}

int loads_drop(void)
{
	int r = pool.base && munmap(pool.base, pool.chunks * CHUNK) ? -errno : 0;

	pool.base = NULL;
	return r;
}

int loads_alloc(size_t mib)
{
	unsigned char *mem = map(mib << 20);

	if (mem == MAP_FAILED)
		return -errno;
	fill(mem, mib << 20);
	return munmap(mem, mib << 20) ? -errno : 0;
}

int loads_file(size_t mib)
{
	return write_file(OUTPUT, mib);
}

int loads_reread(void)
{
	static unsigned char buf[CHUNK];
	int fd = open(OUTPUT, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0);
	n = n < 0 ? -errno : 0;
	close(fd);
	return (int)n;
}

int loads_read(unsigned int n)
{
	int fd = open(DATA, O_RDONLY | O_DIRECT | O_CLOEXEC), r = 0;
	uint64_t random = 88172645463325252ULL;

	if (fd < 0 || !pool.base)
		return -errno;
	for (unsigned int i = 0; i < n && !r; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		if (pread(fd, pool.base + random % pool.chunks * CHUNK, CHUNK,
			  (off_t)((random >> 32) % pool.chunks * CHUNK)) != (ssize_t)CHUNK)
			r = -errno;
	}
	close(fd);
	return r;
}

/* There is no compiler in the guest: the same mixture of processes, small files and output. */
int loads_build(unsigned int n)
{
	static const char job[] =
		"rm -rf " TREE " && mkdir " TREE " && "
		"tar -c -C /usr bin sbin lib/systemd share/perl5 2> /dev/null | tar -x -C " TREE " && "
		"find " TREE " -type f -print0 | xargs -0 -n 20 sha256sum > " TREE "/sums && "
		"sort " TREE "/sums | gzip -1 > " TREE "/sums.gz";
	int r = 0;

	for (unsigned int i = 0; i < n && !r; i++)
		r = system(job) ? -EIO : 0;
	return r;
}

int loads_spawn(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
			return -ECHILD;
	}
	return 0;
}

int loads_faults(size_t mib)
{
	for (size_t i = 0; i < mib; i++) {
		unsigned char *mem = map(1 << 20);

		if (mem == MAP_FAILED)
			return -errno;
		madvise(mem, 1 << 20, MADV_NOHUGEPAGE);
		for (size_t at = 0; at < 1 << 20; at += PAGE)
			*(volatile unsigned char *)(mem + at) = 1;
		munmap(mem, 1 << 20);
	}
	return 0;
}
