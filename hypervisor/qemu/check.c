// SPDX-License-Identifier: GPL-2.0-or-later
/* What can work on this host: the accelerator, QEMU, and a VM's configuration. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm_probe.h"
#include "qemu.h"
#include "ram_slots.h"
#include "util.h"

#define PROGRAM		"/usr/bin/qemu-system-x86_64"
#define LIBRARY		"libvmfork-ram.so"
#define VCPUS_MAX	16

static struct {
	bool done;
	int result;
	char why[256];
} kvm;

const char *qemu_program(void)
{
	const char *p = getenv("VMFORK_QEMU");

	return p ? p : PROGRAM;
}

/* The keeper gives QEMU the group of the device, unless that is root's. */
static bool qemu_may_open_kvm(void)
{
	struct stat st;
	uid_t uid;
	gid_t gid;

	core_vm_ids(&uid, &gid);
	if (uid == (uid_t)-1 || stat("/dev/kvm", &st) < 0 || st.st_uid == uid)
		return true;
	return (st.st_mode & 06) == 06 || (st.st_gid != 0 && (st.st_mode & 060) == 060);
}

static void probe_kvm(void)
{
	if (kvm.done)
		return;
	kvm.done = true;
	kvm.result = kvm_probe(kvm.why, sizeof(kvm.why));
	if (kvm.result == 0 && !qemu_may_open_kvm()) {
		kvm.result = -EACCES;
		snprintf(kvm.why, sizeof(kvm.why), "kvm: QEMU's user may not open /dev/kvm");
	}
}

const char *accel_of(const struct vm_config *cfg)
{
	if (!strcmp(cfg->accel, "tcg"))
		return "tcg";
	if (!strcmp(cfg->accel, "kvm"))
		return "kvm";
	probe_kvm();
	return kvm.result ? "tcg" : "kvm";
}

static int refuse(char *why, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(char *why, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* Of the device that vmforkd opens for QEMU, or by the system call, if everybody may. */
static bool userfaultfd_allowed(void)
{
	_cleanup_close_ int dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	_cleanup_close_ int fd = open("/proc/sys/vm/unprivileged_userfaultfd", O_RDONLY | O_CLOEXEC);
	char c = '1';

	return dev >= 0 || fd < 0 || read(fd, &c, 1) < 1 || c == '1';
}

int qemu_probe(char *why, size_t len)
{
	char path[VM_PATH_MAX + 64];

	if (access(qemu_program(), X_OK) < 0) {
		snprintf(why, len, "qemu: %s: %s (Debian: apt install qemu-system-x86)",
			 qemu_program(), strerror(errno));
		return -ENOENT;
	}
	snprintf(path, sizeof(path), "%s/%s", core_lib_dir(), LIBRARY);
	if (access(path, R_OK) < 0) {
		snprintf(why, len, "qemu: %s: %s", path, strerror(errno));
		return -ENOENT;
	}
	if (!userfaultfd_allowed()) {
		snprintf(why, len, "qemu: clones need userfaultfd: run vmforkd as root, or set "
			 "sysctl vm.unprivileged_userfaultfd=1");
		return -EPERM;
	}
	probe_kvm();
	snprintf(why, len, "%s%s", kvm.why, kvm.result ? "; using tcg" : "");
	return 0;
}

/* Which permission bits hold for QEMU's user? Supplementary groups are not looked at.
 * -1: they are those of vmforkd itself. */
static bool may(const struct stat *st, unsigned int bit)
{
	uid_t uid;
	gid_t gid;

	core_vm_ids(&uid, &gid);
	if (uid == (uid_t)-1 || uid == 0)
		return true;
	if (st->st_uid == uid)
		return st->st_mode & bit << 6;
	if (st->st_gid == gid)
		return st->st_mode & bit << 3;
	return st->st_mode & bit;
}

static int check_path_for_qemu(const char *what, const char *path, char *why, size_t len)
{
	char part[VM_PATH_MAX];
	struct stat st;

	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		if (stat(part, &st) == 0 && !may(&st, 1))
			return refuse(why, len, "%s %s: QEMU's user may not enter %s", what, path,
				      part);
	}
	if (stat(path, &st) == 0 && !may(&st, 4))
		return refuse(why, len, "%s %s: not readable by QEMU's user", what, path);
	return 0;
}

/* The kernel and the initrd are the files that QEMU opens itself. */
static int check_file(const char *what, const char *path, char *why, size_t len)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (path[0] != '/')
		return refuse(why, len, "%s %s: not an absolute path", what, path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(why, len, "%s %s: %s", what, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(why, len, "%s %s: not a regular file", what, path);
	return check_path_for_qemu(what, path, why, len);
}

/* ld.so goes on without a library that it cannot read, and QEMU would never say HELLO. */
static int check_library(char *why, size_t len)
{
	char path[VM_PATH_MAX + 64];

	if (qemu_probe(why, len) < 0)
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/%s", core_lib_dir(), LIBRARY);
	return check_path_for_qemu("RAM library", path, why, len);
}

static int check_disk(const struct vm_disk *disk, char *why, size_t len)
{
	struct layer *l;
	int r;

	if (strcmp(disk->format, "raw") && strcmp(disk->format, "qcow2"))
		return refuse(why, len, "disk %s: format '%s' is neither raw nor qcow2", disk->path,
			      disk->format);
	r = layer_open_base(disk, 0, why, len, &l);
	if (r < 0)
		return -EINVAL;
	layer_put(l);
	return 0;
}

static int check_accel(const struct vm_config *cfg, char *why, size_t len)
{
	if (!strcmp(cfg->accel, "auto") || !strcmp(cfg->accel, "tcg"))
		return 0;
	if (strcmp(cfg->accel, "kvm"))
		return refuse(why, len, "accel '%s' is none of auto, kvm, tcg", cfg->accel);
	probe_kvm();
	return kvm.result && kvm.result != -ETIME ? refuse(why, len, "%s", kvm.why) : 0;
}

static int check_boot(const struct vm_config *cfg, char *why, size_t len)
{
	int r = 0;

	if (!cfg->kernel[0] && !cfg->ndisks)
		return refuse(why, len, "neither a kernel nor a disk to boot from");
	if (!cfg->kernel[0] && (cfg->initrd[0] || cfg->append[0]))
		return refuse(why, len, "initrd and append need a kernel");
	if (cfg->kernel[0])
		r = check_file("kernel", cfg->kernel, why, len);
	if (r == 0 && cfg->initrd[0])
		r = check_file("initrd", cfg->initrd, why, len);
	return r;
}

int qemu_check(const struct vm_config *cfg, char *why, size_t len)
{
	struct pager_slot slots[PAGER_SLOTS_MAX];
	int r;

	if (!ram_slots(cfg->machine, cfg->memory, slots))
		return refuse(why, len, "machine '%s' is neither pc nor q35", cfg->machine);
	if (!cfg->memory || cfg->memory % (2U << 20))
		return refuse(why, len, "memory is not a multiple of 2 MiB");
	if (!cfg->vcpus || cfg->vcpus > VCPUS_MAX)
		return refuse(why, len, "vcpus is not 1..%d", VCPUS_MAX);
	if (strcmp(cfg->net, "none") && strcmp(cfg->net, "user") && strcmp(cfg->net, "bridge"))
		return refuse(why, len, "net '%s' is none of none, user, bridge", cfg->net);
	if (cfg->ndisks > VM_DISKS_MAX)
		return refuse(why, len, "more than %d disks", VM_DISKS_MAX);
	r = check_library(why, len);
	r = r ? r : check_accel(cfg, why, len);
	r = r ? r : check_boot(cfg, why, len);
	for (unsigned int i = 0; r == 0 && i < cfg->ndisks; i++)
		r = check_disk(&cfg->disks[i], why, len);
	return r;
}
