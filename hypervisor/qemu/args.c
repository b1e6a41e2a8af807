// SPDX-License-Identifier: GPL-2.0-or-later
/* QEMU's command line. */
#include "args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * DOC: What the machine is made of
 *
 * A stand-by must have the same devices at the same places as the VM whose state it
 * will be given, so both are described here, and differ in three things only: a
 * stand-by has no kernel, placeholders for disks, and ends where a root VM reboots.
 *
 *  - suppress-vmdesc, send-configuration=off: the descriptor is written without the
 *    migration code's framing (freeze.c)
 *  - disable_s3, disable_s4: waking up goes through the firmware's flash, which a clone
 *    does not have (its descriptor is without ROMs)
 *  - the sandbox allows processes, because the snapshot of memory is one
 */
static int add(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int add(struct args *a, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (a->n == ARGS_MAX)
		return -E2BIG;
	va_start(ap, fmt);
	n = vasprintf(&a->v[a->n], fmt, ap);
	va_end(ap);
	if (n < 0) {
		a->v[a->n] = NULL;
		return -ENOMEM;
	}
	a->v[++a->n] = NULL;
	return 0;
}

static int add_all(struct args *a, const char *const *list)
{
	int r = 0;

	for (; r == 0 && *list; list++)
		r = add(a, "%s", *list);
	return r;
}

static int add_machine(struct args *a, const struct args_in *in)
{
	const struct vm_config *c = in->config;
	const char *pm = strcmp(c->machine, "q35") ? "PIIX4_PM" : "ICH9-LPC";
	bool kvm = !strcmp(in->accel, "kvm");
	/* QEMU 7.2's cmpxchg16b leaves rubbish in the flags, and an interrupt right behind it
	 * ends Linux 6.12, whose slab allocator has a branch there */
	const char *cpu = kvm ? "host" : "qemu64,-cx16";
	const char *const fixed[] = {
		"-nodefaults", "-no-user-config", "-display", "none", "-vga", "none",
		"-monitor", "none", "-msg", "timestamp=off",
		"-sandbox", "on,obsolete=deny,elevateprivileges=deny,resourcecontrol=deny",
		"-accel", kvm ? "kvm" : "tcg,thread=multi",
		"-cpu", cpu,
		"-global", "migration.send-configuration=off", NULL
	};
	int r = add_all(a, fixed);

	r = r ? r : add(a, "-name");
	r = r ? r : add(a, "guest=%s,debug-threads=on", c->name[0] ? c->name : "vmfork");
	r = r ? r : add(a, "-machine");
	r = r ? r : add(a, "%s,usb=off,vmport=off,suppress-vmdesc=on,dump-guest-core=off,"
			   "memory-backend=ram", c->machine);
	for (int s = 3; s <= 4; s++) {
		r = r ? r : add(a, "-global");
		r = r ? r : add(a, "%s.disable_s%d=1", pm, s);
	}
	r = r ? r : add(a, "-smp");
	r = r ? r : add(a, "%u", c->vcpus);
	r = r ? r : add(a, "-m");
	r = r ? r : add(a, "%" PRIu64 "M", c->memory >> 20);
	r = r ? r : add(a, "-object");
	return r ? r : add(a, "memory-backend-file,id=ram,share=on,mem-path=/proc/self/fd/%d,"
			      "size=%" PRIu64 "M", CHILD_RAM, c->memory >> 20);
}

static int add_channels(struct args *a)
{
	int r = add(a, "-chardev");

	r = r ? r : add(a, "socket,id=qmp,fd=%d,server=on,wait=off", CHILD_QMP);
	r = r ? r : add(a, "-mon");
	r = r ? r : add(a, "chardev=qmp,mode=control");
	r = r ? r : add(a, "-add-fd");
	r = r ? r : add(a, "fd=%d,set=%d", CHILD_CONSOLE_LOG, FDSET_CONSOLE_LOG);
	r = r ? r : add(a, "-chardev");
	r = r ? r : add(a, "socket,id=console,fd=%d,server=on,wait=off,logfile=/dev/fdset/%d,"
			   "logappend=on", CHILD_CONSOLE, FDSET_CONSOLE_LOG);
	r = r ? r : add(a, "-serial");
	r = r ? r : add(a, "chardev:console");
	r = r ? r : add(a, "-chardev");
	r = r ? r : add(a, "socket,id=iv,fd=%d", CHILD_IVSHMEM);
	r = r ? r : add(a, "-device");
	return r ? r : add(a, "ivshmem-doorbell,chardev=iv,vectors=1,master=on");
}

static int add_disks(struct args *a, const struct args_in *in)
{
	int r = 0;

	for (unsigned int i = 0; i < in->nfds; i++) {
		r = r ? r : add(a, "-add-fd");
		r = r ? r : add(a, "fd=%d,set=%u", in->fds[i].fd, in->fds[i].set);
	}
	for (unsigned int i = 0; i < in->nnodes; i++) {
		char *node = json_dumps(in->nodes[i], JSON_COMPACT);

		r = r ? r : add(a, "-blockdev");
		r = r ? r : node ? add(a, "%s", node) : -ENOMEM;
		free(node);
	}
	for (unsigned int i = 0; i < in->config->ndisks; i++) {
		r = r ? r : add(a, "-device");
		r = r ? r : add(a, "virtio-blk-pci,id=disk%u,drive=%s", i, in->drives[i]);
	}
	return r;
}

static int add_tap(struct args *a, const struct args_in *in)
{
	const uint8_t *m = in->mac;
	int r = add(a, "-netdev");

	r = r ? r : add(a, "tap,id=net0,fd=%d,vhost=off", in->tap);
	r = r ? r : add(a, "-device");
	return r ? r : add(a, "virtio-net-pci,netdev=net0,romfile=,mac=%02x:%02x:%02x:%02x:%02x:%02x",
			   m[0], m[1], m[2], m[3], m[4], m[5]);
}

static int add_devices(struct args *a, const struct args_in *in)
{
	static const char *const fixed[] = {
		"-device", "vmgenid,guid=auto", "-device", "virtio-rng-pci",
		"-device", "pvpanic", NULL
	};
	static const char *const net[] = {
		"-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0,romfile=", NULL
	};
	int r = add_all(a, fixed);

	for (unsigned int i = 0; r == 0 && i < in->config->nextra; i++)
		r = add(a, "%s", in->config->extra[i]);
	if (r == 0 && !strcmp(in->config->net, "user"))
		r = add_all(a, net);
	if (r == 0 && !strcmp(in->config->net, "bridge"))
		r = add_tap(a, in);
	return r;
}

static int add_boot(struct args *a, const struct args_in *in)
{
	/* -S: xen-save-devices-state says "running", and the clone must not run before it is told
	 * who it is */
	static const char *const standby[] = { "-no-reboot", "-S", "-incoming", "defer", NULL };
	const struct vm_config *c = in->config;
	int r = 0;

	if (in->standby)
		return add_all(a, standby);
	if (c->kernel[0]) {
		const char *const kernel[] = { "-kernel", c->kernel, "-append", c->append, NULL };

		r = add_all(a, kernel);
	}
	if (r == 0 && c->kernel[0] && c->initrd[0]) {
		const char *const initrd[] = { "-initrd", c->initrd, NULL };

		r = add_all(a, initrd);
	}
	return r;
}

int args_build(const struct args_in *in, struct args *args)
{
	struct args a = { .n = 0 };
	int r = add(&a, "%s", in->program);

	r = r ? r : add_machine(&a, in);
	r = r ? r : add_channels(&a);
	r = r ? r : add_disks(&a, in);
	r = r ? r : add_devices(&a, in);
	r = r ? r : add_boot(&a, in);
	if (r) {
		args_free(&a);
		return r;
	}
	*args = a;
	return 0;
}

void args_free(struct args *args)
{
	for (unsigned int i = 0; i < args->n; i++)
		free(args->v[i]);
	args->n = 0;
}
