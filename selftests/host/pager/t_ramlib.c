// SPDX-License-Identifier: GPL-2.0-or-later
/* The RAM library: what it leaves behind, what it refuses, its snapshot process. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdpass.h"
#include "rig.h"
#include "tap.h"

static int open_fds(pid_t pid)
{
	struct dirent *e;
	char path[64];
	int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	if (!d)
		return -1;
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static bool is_named(pid_t pid, const char *want)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = 0;
	fclose(f);
	name[strcspn(name, "\n")] = 0;
	return !strcmp(name, want);
}

/* Closes all but its lifeline just after the reply: wait for its name, which is first. */
static void check_snapshot(struct vm *vm)
{
	struct image_rig img;
	struct pollfd p = { .events = POLLIN };

	if (!same(image_take(&img, vm, -1, 0), 0, "snapshot"))
		return;
	for (int i = 0; i < 6000 && open_fds(img.snapshot) != 1; i++)
		poll(NULL, 0, 10);
	ok(is_named(img.snapshot, "vmfork-snapshot"), "it has a name");
	same(open_fds(img.snapshot), 1, "it has one descriptor: its lifeline");
	p.fd = (int)syscall(SYS_pidfd_open, img.snapshot, 0);
	same(poll(&p, 1, 0), 0, "it lives while its lifeline does");
	image_drop(&img);
	same(poll(&p, 1, 60000), 1, "it ends with its lifeline");
	for (int i = 0; i < 6000 && open_fds(img.snapshot) >= 0; i++)
		poll(NULL, 0, 10);
	same(open_fds(img.snapshot), -1, "and is reaped");
	close(p.fd);
}

static void check_requests(struct vm *vm)
{
	int fds[FDPASS_MAX];
	struct ramlib_rep rep;
	unsigned int n;

	same(ram_ctl(vm, 77, -1, &rep, fds, &n), -EOPNOTSUPP, "unknown request");
	same(ram_ctl(vm, RAMLIB_SNAPSHOT, -1, &rep, fds, &n), -EINVAL,
	     "a snapshot without a lifeline");
	same(ram_ctl(vm, RAMLIB_MAP, -1, &rep, fds, &n), -EINVAL, "a map without an image");
	same(ram_ctl(vm, RAMLIB_MAP, vm->avoid, &rep, fds, &n), -EINVAL,
	     "an image of another size");
}

static void check_map_once(void)
{
	struct image_rig img;
	struct vm root, clone;
	int fds[FDPASS_MAX];
	struct ramlib_rep rep;
	unsigned int n;

	if (!same(vm_start(&root), 0, "a VM") ||
	    !same(image_take(&img, &root, -1, 0), 0, "its snapshot") ||
	    !same(clone_start(&clone, &img), 0, "its clone"))
		return;
	same(ram_ctl(&clone, RAMLIB_MAP, img.file, &rep, fds, &n), -EBUSY,
	     "a clone is mapped once");
	vm_kill(&clone);
	image_drop(&img);
	vm_kill(&root);
}

void test_ramlib(void)
{
	struct vm vm;
	int status;

	if (!same(vm_start(&vm), 0, "a VM starts and says hello"))
		return;
	vm_order(&vm, TVM_ENV, 0, 0, 0, 0);
	same(vm_answer(&vm), 0, "nothing of the library is left in the environment");
	same(vm_check(&vm, 0, RIG_PAGES, 0), 0, "RAM begins as zeros");
	same(vm_fill(&vm, 0, RIG_PAGES, 1), 0, "and can be written");
	check_requests(&vm);
	check_snapshot(&vm);
	close(vm.ctl);
	same(vm_check(&vm, 0, RIG_PAGES, 1), 0, "without a backend it runs on");
	vm_order(&vm, TVM_SPOIL, 0, 0, 0, 0);
	same(vm_answer(&vm), -EPIPE, "a mapping that is not understood ends it");
	waitpid(vm.pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 99, "with its own exit status");
	close(vm.cmd);
	close(vm.avoid);
	check_map_once();
}
