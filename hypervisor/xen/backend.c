// SPDX-License-Identifier: GPL-2.0-or-later
/* The Xen backend: its table of operations, and the small ones. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xenctrl.h>

#include "abilities.h"
#include "log.h"
#include "util.h"
#include "xen.h"

#define CAPABILITIES	"/proc/xen/capabilities"
#define PATIENCE_SEC	300		/* a copy of a large, busy machine takes its time */
#define MEMORY_MAX	(64ULL << 30)	/* above, the channel would get too large */
#define VCPUS_MAX	16
#define HVM_MEMORY_MAX	(3840ULL << 20)	/* its devices' memory begins there (HVM_BELOW_4G_MMIO_START) */

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

static int probe(char *why, size_t len)
{
	char text[64] = "";
	FILE *f = fopen(CAPABILITIES, "re");

	if (f) {
		if (!fgets(text, sizeof(text), f))
			text[0] = '\0';
		fclose(f);
	}
	if (!strstr(text, "control_d")) {
		refuse(why, len, "xen: this is not Xen's control domain");
		return -ENODEV;
	}
	snprintf(why, len, "xen: PVH domains, %s", xen_abilities_text());
	return 0;
}

static int check_file(const char *what, const char *path, char *why, size_t len)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return refuse(why, len, "%s %s: %s", what, path, strerror(errno));
	return S_ISREG(st.st_mode) ? 0 : refuse(why, len, "%s %s: not a regular file", what, path);
}

static int check(const struct vm_config *cfg, char *why, size_t len)
{
	int r;

	if (!cfg->memory || cfg->memory % (2U << 20) || cfg->memory > MEMORY_MAX)
		return refuse(why, len, "memory is not a multiple of 2 MiB up to 64 GiB");
	if (!cfg->vcpus || cfg->vcpus > VCPUS_MAX)
		return refuse(why, len, "vcpus is not 1..%d", VCPUS_MAX);
	if (!strcmp(cfg->net, "user"))
		return refuse(why, len, "net 'user' is QEMU's own: Xen's domains have 'bridge' or 'none'");
	if (strcmp(cfg->net, "none") && strcmp(cfg->net, "bridge"))
		return refuse(why, len, "net '%s' is neither none nor bridge", cfg->net);
	if (cfg->nextra)
		return refuse(why, len, "arguments for QEMU: a Xen domain is no machine of QEMU's");
	if (strcmp(cfg->machine, "pvh") && strcmp(cfg->machine, "hvm"))
		return refuse(why, len, "machine '%s' is neither pvh nor hvm", cfg->machine);
	if (!strcmp(cfg->machine, "hvm") && cfg->memory > HVM_MEMORY_MAX)
		return refuse(why, len, "an HVM domain of more than %llu MiB", HVM_MEMORY_MAX >> 20);
	if (!cfg->kernel[0])
		return refuse(why, len, "a domain needs a kernel");
	r = check_file("kernel", cfg->kernel, why, len);
	if (!r && cfg->initrd[0])
		r = check_file("initrd", cfg->initrd, why, len);
	return r ? r : disks_check(cfg, why, len);
}

static const char *unforkable(const struct vm *vm)
{
	return xen_abilities()->paging ? "the hypervisor has no memory paging" : NULL;
}

static void kick(struct vm *vm)
{
	uint64_t one = 1;

	if (write(xen_of(vm)->kick, &one, sizeof(one)) < 0)
		log_warn("the guest cannot be rung: %s", strerror(errno));
}

static int kill_vm(struct vm *vm)
{
	struct xen_vm *x = xen_of(vm);

	return x && x->pid ? core_signal(x->pid, SIGTERM) : -ESRCH;
}

static void destroy(struct vm *vm)
{
	if (xen_of(vm))
		xen_forget(xen_of(vm));
}

static void checkpoint_destroy(struct checkpoint *cp)
{
	struct xen_checkpoint *c = checkpoint_backend(cp);

	if (c)
		xen_image_forget(c);
}

static void add_path(const char *dir, const char *name, const char *key, json_t *into)
{
	char path[VM_PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	json_object_set_new(into, key, json_string(path));
}

/* What Xen has given to the domain: nothing of that is shared, and what is paged out is not in it. */
static void describe_memory_of(uint32_t domain, json_t *into)
{
	static xc_interface *xc;
	xc_domaininfo_t info;
	json_int_t bytes;

	if (!xc)
		xc = xc_interface_open(NULL, NULL, 0);
	if (!xc || xc_domain_getinfolist(xc, domain, 1, &info) != 1 || info.domain != domain)
		return;
	bytes = (json_int_t)(info.tot_pages * PAGER_PAGE_SIZE);
	json_object_set_new(into, "memory_use", json_pack("{s:I, s:I, s:I}", "rss", bytes, "pss",
							  bytes, "private_dirty", bytes));
}

static void describe(const struct vm *vm, json_t *into)
{
	const struct xen_vm *x = xen_of(vm);

	if (!x)
		return;
	json_object_set_new(into, "pid", json_integer(x->pid));
	json_object_set_new(into, "domain", json_integer(x->domain));
	json_object_set_new(into, "accel", json_string("xen"));
	json_object_set_new(into, "copied_pages", json_integer((json_int_t)x->copied));
	json_object_set_new(into, "copied_late_pages", json_integer((json_int_t)x->copied_late));
	json_object_set_new(into, "copied_ahead", json_boolean(x->ahead));
	json_object_set_new(into, "copied_early_pages", json_integer((json_int_t)x->copied_early));
	add_path(vm_dir(vm), CONSOLE_SOCKET, "console", into);
	add_path(vm_dir(vm), CONSOLE_LOG, "log", into);
	disks_describe(x, into);
	if (x->domain)
		describe_memory_of(x->domain, into);
}

static void checkpoint_describe(const struct checkpoint *cp, json_t *into)
{
	const struct xen_checkpoint *c = checkpoint_backend(cp);
	struct stat st;

	if (!c)
		return;
	if (fstat(c->descriptor, &st) == 0)
		json_object_set_new(into, "descriptor_bytes", json_integer((json_int_t)st.st_size));
	if (fstat(c->image, &st) == 0)
		json_object_set_new(into, "image_bytes",
				    json_integer((json_int_t)st.st_blocks * 512));
	json_object_set_new(into, "free_pages", json_integer((json_int_t)c->freed));
}

const struct backend_ops xen_backend = {
	.name = "xen",
	.machine = "pvh",
	.own_limits = true,
	.own_links = true,
	.privileged = true,
	.patience = PATIENCE_SEC,
	.runs_on = true,
	.probe = probe,
	.check = check,
	.start = xen_start,
	.prepare = xen_prepare,
	.unprepare = xen_unprepare,
	.freeze = xen_freeze,
	.resume = xen_resume,
	.load = xen_load,
	.unforkable = unforkable,
	.kick = kick,
	.kill = kill_vm,
	.destroy = destroy,
	.checkpoint_destroy = checkpoint_destroy,
	.slots = xen_slots,
	.save = xen_save,
	.adopt = xen_adopt,
	.checkpoint_save = xen_checkpoint_save,
	.checkpoint_adopt = xen_checkpoint_adopt,
	.describe = describe,
	.checkpoint_describe = checkpoint_describe,
};
