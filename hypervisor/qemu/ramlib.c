// SPDX-License-Identifier: GPL-2.0-or-later
/* libvmfork-ram.so: preloaded into stock QEMU; the calls it interposes. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ram.h"
#include "ramctl.h"

/**
 * DOC: Interposition
 *
 * QEMU reserves an address range, then maps its RAM file over it with
 * MAP_SHARED | MAP_FIXED. That call, known by the file's device and inode, gets
 * anonymous memory. Any other mapping of the file is not understood, and a VM with
 * memory in two places is worse than none: the process ends with a message.
 *
 * QEMU maps its RAM once, in the main thread, before any vCPU exists; after that only
 * the control thread changes struct ram.
 */
#define EXPORT __attribute__((visibility("default")))
#define EXIT_STATUS 99

static struct {
	bool armed;
	dev_t dev;
	ino_t ino;
} ram_file;

static struct ram ram;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = snprintf(line, sizeof(line), "libvmfork-ram: ");
	n += vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		_exit(EXIT_STATUS);
	_exit(EXIT_STATUS);
}

static int fd_from_env(const char *name)
{
	const char *s = getenv(name);
	char *end;
	long fd;

	if (!s)
		die("%s is not set", name);
	errno = 0;
	fd = strtol(s, &end, 10);
	if (errno || end == s || *end || fd < -1 || fd > INT32_MAX)
		die("%s=%s is not a descriptor", name, s);
	if (fd >= 0 && fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		die("%s=%s is not open", name, s);
	return (int)fd;
}

/* Nothing that QEMU starts shall inherit any of it. */
static void forget_env(void)
{
	unsetenv("VMFORK_RAM_FILE");
	unsetenv("VMFORK_RAM_CTL");
	unsetenv("VMFORK_RAM_UFFD");
	unsetenv("LD_PRELOAD");
}

static void __attribute__((constructor)) ramlib_init(void)
{
	const char *file = getenv("VMFORK_RAM_FILE");
	uint64_t dev, ino;
	char extra;

	if (!file)
		return;
	if (sscanf(file, "%" SCNu64 ":%" SCNu64 "%c", &dev, &ino, &extra) != 2)
		die("VMFORK_RAM_FILE=%s is not DEV:INO", file);
	ram_file.dev = (dev_t)dev;
	ram_file.ino = (ino_t)ino;
	ramctl_init(fd_from_env("VMFORK_RAM_CTL"), fd_from_env("VMFORK_RAM_UFFD"));
	ram_file.armed = true;
	forget_env();
}

static bool is_ram_file(int fd, struct stat *st)
{
	return ram_file.armed && fd >= 0 && fstat(fd, st) == 0 && st->st_dev == ram_file.dev &&
	       st->st_ino == ram_file.ino;
}

static void *hook(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	struct stat st;
	int err;

	if (flags & MAP_ANONYMOUS || !is_ram_file(fd, &st))
		return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
	err = ram_take(&ram, addr, len, prot, flags, offset, st.st_size);
	if (err)
		die("this mapping of the RAM file is not understood: length %zu, prot %#x, "
		    "flags %#x, offset %lld: %s", len, (unsigned int)prot, (unsigned int)flags,
		    (long long)offset, strerror(-err));
	err = ramctl_start(&ram);
	if (err)
		die("control thread: %s", strerror(-err));
	return addr;
}

EXPORT void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	return hook(addr, len, prot, flags, fd, offset);
}

EXPORT void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t offset)
{
	return hook(addr, len, prot, flags, fd, offset);
}

/*
 * Huge pages are asked for RAM and for TCG's translated code, up to a gigabyte. A
 * snapshot never runs that code, and need neither copy its page tables while the VM
 * stands still nor share its pages afterwards.
 */
EXPORT int madvise(void *addr, size_t len, int advice)
{
	if (!ram_note_advice(&ram, addr, len, advice))
		return 0;
	if (ram_file.armed && advice == MADV_HUGEPAGE)
		syscall(SYS_madvise, addr, len, MADV_DONTFORK);
	return (int)syscall(SYS_madvise, addr, len, advice);
}
