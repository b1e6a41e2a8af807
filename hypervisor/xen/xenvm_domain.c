// SPDX-License-Identifier: GPL-2.0-or-later
/* The domain's life by libxl: made, restored, copied, resumed. */
#include "xenvm.h"

#include <errno.h>
#include <inttypes.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xentoollog.h>

#include "log.h"
#include "util.h"

#define DOMAIN_PAGES	512	/* of a domain besides its memory and its page tables */

#define XEN_WEIGHT	256U	/* what each domain has, credit and credit2 alike */
#define CGROUP_WEIGHT	100U
#define LIMIT_EXTRA_KIB	1024	/* pages of Xen's and of the firmware */

static xentoollog_logger *logger;

/* Does Xen have less than what even a domain without memory takes? */
static bool no_room(const struct xenvm *x)
{
	uint64_t pages = libxl_get_required_shadow_memory(x->config.memory >> 10,
							  x->config.vcpus) >> 2;
	xc_physinfo_t info;

	return xc_physinfo(x->xc, &info) == 0 && info.free_pages < pages + DOMAIN_PAGES;
}

int domain_error(const struct xenvm *x, int rc)
{
	if (!rc)
		return 0;
	if (rc == ERROR_NOMEM || (rc == ERROR_FAIL && no_room(x)))
		return -ENOMEM;
	if (rc == ERROR_TIMEDOUT || rc == ERROR_GUEST_TIMEDOUT)
		return -ETIMEDOUT;
	return rc == ERROR_INVAL ? -EINVAL : -EIO;
}

int domain_open(struct xenvm *x)
{
	logger = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_ERROR, 0);
	if (!logger || libxl_ctx_alloc(&x->ctx, LIBXL_VERSION, 0, logger))
		return -ENOMEM;
	x->xc = xc_interface_open(logger, logger, 0);
	x->call = xencall_open(logger, 0);
	return x->xc && x->call ? 0 : -EIO;
}

/* A device model for what Linux needs to boot, and nothing more: disks and network are Xen's. */
static void fill_hvm(libxl_domain_build_info *b)
{
	b->device_model_version = LIBXL_DEVICE_MODEL_VERSION_QEMU_XEN;
	b->u.hvm.vga.kind = LIBXL_VGA_INTERFACE_TYPE_NONE;
	libxl_defbool_set(&b->u.hvm.nographic, true);
	libxl_defbool_set(&b->u.hvm.vnc.enable, false);
}

static int fill_config(struct xenvm *x, libxl_domain_config *c)
{
	const struct vm_config *cfg = &x->config;
	libxl_domain_type type = !strcmp(cfg->machine, "hvm") ? LIBXL_DOMAIN_TYPE_HVM :
		LIBXL_DOMAIN_TYPE_PVH;
	char name[96];

	libxl_domain_config_init(c);
	c->c_info.type = type;
	snprintf(name, sizeof(name), "vmfork-%d-%" PRIu64, getppid(), x->handle);
	c->c_info.name = strdup(name);
	c->c_info.uuid = x->uuid;
	libxl_domain_build_info_init_type(&c->b_info, type);
	if (type == LIBXL_DOMAIN_TYPE_HVM)
		fill_hvm(&c->b_info);
	c->b_info.max_vcpus = (int)cfg->vcpus;
	c->b_info.max_memkb = cfg->memory >> 10;
	c->b_info.target_memkb = cfg->memory >> 10;
	c->b_info.kernel = strdup(cfg->kernel);
	c->b_info.ramdisk = cfg->initrd[0] ? strdup(cfg->initrd) : NULL;
	c->b_info.cmdline = strdup(cfg->append);
	/* parent and clones are on one host: what they read there is right */
	c->b_info.tsc_mode = LIBXL_TSC_MODE_NATIVE;
	if (libxl_cpu_bitmap_alloc(x->ctx, &c->b_info.avail_vcpus, (int)cfg->vcpus))
		return -ENOMEM;
	libxl_bitmap_set_any(&c->b_info.avail_vcpus);
	return 0;
}

static int open_console(struct xenvm *x)
{
	char *tty = NULL;
	int r = -ENOENT;

	/* xenconsoled makes it in its own time */
	for (int i = 0; r && i < 300; i++) {
		if (!libxl_console_get_tty(x->ctx, x->domain, 0, LIBXL_CONSOLE_TYPE_PV, &tty) &&
		    tty && tty[0])
			r = console_open(&x->console, tty);
		free(tty);
		tty = NULL;
		if (r)
			usleep(100000);
	}
	return r;
}

static int set_weight(const struct xenvm *x, unsigned int weight)
{
	libxl_domain_sched_params p;
	int r;

	libxl_domain_sched_params_init(&p);
	p.weight = (int)(weight * XEN_WEIGHT / CGROUP_WEIGHT);
	p.weight = p.weight < 1 ? 1 : p.weight;
	r = domain_error(x, libxl_domain_sched_params_set(x->ctx, x->domain, &p));
	libxl_domain_sched_params_dispose(&p);
	return r;
}

/* Pages that are paged out are none of its memory: so only clones can have less than all. */
static int set_limits(const struct xenvm *x)
{
	uint64_t kib = x->req.memory_limit * 1024ULL + LIMIT_EXTRA_KIB;
	int r = 0;

	if (x->req.memory_limit && kib < x->config.memory >> 10)
		r = xc_domain_setmaxmem(x->xc, x->domain, kib) ? -errno : 0;
	if (!r && x->req.cpu_weight)
		r = set_weight(x, x->req.cpu_weight);
	if (r)
		log_err("domain %u: its limits: %s", x->domain, strerror(-r));
	return r;
}

int domain_made(struct xenvm *x, uint32_t domain)
{
	int r;

	x->fresh = true;
	x->domain = domain;
	r = set_limits(x);
	r = r ? r : device_make(&x->device, domain, x->size);
	if (!r && !strcmp(x->config.net, "bridge"))
		r = vif_make(&x->device, domain, x->mac);
	if (r)
		log_err("xenstore: the domain's devices: %s", strerror(-r));
	return r ? r : open_console(x);
}

int domain_create(struct xenvm *x)
{
	libxl_domain_config c;
	uint32_t domain = 0;
	int r = fill_config(x, &c);

	if (!r)
		r = domain_error(x, libxl_domain_create_new(x->ctx, &c, &domain, NULL, NULL));
	libxl_domain_config_dispose(&c);
	return r ? r : domain_made(x, domain);
}

int domain_restore(struct xenvm *x, int stream, uint32_t *ret_domain)
{
	libxl_domain_restore_params params;
	libxl_domain_config c;
	int r = fill_config(x, &c);

	libxl_domain_restore_params_init(&params);
	params.stream_version = 2;
	if (!r)
		r = domain_error(x, libxl_domain_create_restore(x->ctx, &c, ret_domain, stream, -1,
								&params, NULL, NULL));
	libxl_domain_restore_params_dispose(&params);
	libxl_domain_config_dispose(&c);
	return r;
}

bool domain_is_stopped(struct xenvm *x)
{
	xc_domaininfo_t info;

	return xc_domain_getinfolist(x->xc, x->domain, 1, &info) == 1 &&
		info.domain == x->domain && (info.flags & XEN_DOMINF_shutdown);
}

int domain_resume(struct xenvm *x)
{
	bool fresh = x->fresh;

	x->fresh = false;
	x->frozen = false;
	if (fresh)
		return domain_error(x, libxl_domain_unpause(x->ctx, x->domain, NULL));
	if (domain_is_stopped(x))
		return domain_error(x, libxl_domain_resume(x->ctx, x->domain, 1, NULL));
	return 0;	/* the copy failed before the guest stood still */
}
