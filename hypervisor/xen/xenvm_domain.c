// SPDX-License-Identifier: GPL-2.0-or-later
/* The domain's life by libxl: made, restored, copied, resumed. */
#include "xenvm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libxl_utils.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xentoollog.h>

#include "log.h"
#include "lower.h"
#include "pvh_ram.h"
#include "split.h"
#include "util.h"

#define PIPE_SIZE	(1 << 20)
#define DOMAIN_PAGES	512	/* of a domain besides its memory and its page tables */

static xentoollog_logger *logger;

/* Does Xen have less than what even a domain without memory takes? */
static bool no_room(const struct xenvm *x)
{
	uint64_t pages = libxl_get_required_shadow_memory(x->config.memory >> 10,
							  x->config.vcpus) >> 2;
	xc_physinfo_t info;

	return xc_physinfo(x->xc, &info) == 0 && info.free_pages < pages + DOMAIN_PAGES;
}

/* libxl's errors are its own; what happened is in its log, which is ours. */
static int error_of(const struct xenvm *x, int rc)
{
	if (!rc)
		return 0;
	if (rc == ERROR_NOMEM || (rc == ERROR_FAIL && no_room(x)))
		return -ENOMEM;
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

static int fill_config(struct xenvm *x, libxl_domain_config *c)
{
	const struct vm_config *cfg = &x->config;
	char name[96];

	libxl_domain_config_init(c);
	c->c_info.type = LIBXL_DOMAIN_TYPE_PVH;
	snprintf(name, sizeof(name), "vmfork-%d-%" PRIu64, getppid(), x->handle);
	c->c_info.name = strdup(name);
	c->c_info.uuid = x->uuid;
	libxl_domain_build_info_init_type(&c->b_info, LIBXL_DOMAIN_TYPE_PVH);
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

static int made(struct xenvm *x, uint32_t domain)
{
	int r;

	x->fresh = true;
	x->domain = domain;
	r = device_make(&x->device, domain, x->size);
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
		r = error_of(x, libxl_domain_create_new(x->ctx, &c, &domain, NULL, NULL));
	libxl_domain_config_dispose(&c);
	return r ? r : made(x, domain);
}

int domain_restore(struct xenvm *x, int descriptor)
{
	libxl_domain_restore_params params;
	libxl_domain_config c;
	uint32_t domain = 0;
	int r = fill_config(x, &c);

	libxl_domain_restore_params_init(&params);
	params.stream_version = 2;
	if (!r)
		r = error_of(x, libxl_domain_create_restore(x->ctx, &c, &domain, descriptor, -1,
							    &params, NULL, NULL));
	libxl_domain_restore_params_dispose(&params);
	libxl_domain_config_dispose(&c);
	r = r ? r : made(x, domain);
	return r ? r : load_ring(x);
}

bool domain_is_stopped(struct xenvm *x)
{
	xc_domaininfo_t info;

	return xc_domain_getinfolist(x->xc, x->domain, 1, &info) == 1 &&
		info.domain == x->domain && (info.flags & XEN_DOMINF_shutdown);
}

static bool is_stopped(void *data)
{
	return domain_is_stopped(data);
}

static void *split_thread(void *data)
{
	split_run(data);
	return NULL;
}

static int save(struct xenvm *x, struct split *s)
{
	pthread_t thread;
	int pipes[2], r;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	fcntl(pipes[1], F_SETPIPE_SZ, PIPE_SIZE);
	s->in = pipes[0];
	r = -pthread_create(&thread, NULL, split_thread, s);
	if (!r) {
		r = error_of(x, libxl_domain_suspend(x->ctx, x->domain, pipes[1],
						     LIBXL_SUSPEND_LIVE, NULL));
		close(steal_fd(&pipes[1]));
		pthread_join(thread, NULL);
	}
	closep(&pipes[0]);
	closep(&pipes[1]);
	return r ? r : s->err;
}

int domain_freeze(struct xenvm *x, const int *fds)
{
	uint64_t npages = pvh_pages(x->config.memory);
	struct split s = {
		.image = fds[0], .out = fds[2], .npages = npages, .is_stopped = is_stopped,
		.data = x,
	};
	int r;

	s.presence = mmap(NULL, npages, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
	if (s.presence == MAP_FAILED)
		return -errno;
	r = fds[3] < 0 ? 0 : lower_copy(fds[0], s.presence, npages, fds[3], fds[4]);
	r = r ? r : save(x, &s);
	munmap(s.presence, npages);
	x->rep.stopped_ns = s.stopped_ns;
	x->rep.copied = s.copied;
	x->rep.copied_late = s.copied_late;
	x->frozen = is_stopped(x);
	if (r)
		log_err("domain %u: not copied: %s", x->domain, strerror(-r));
	return r;
}

int domain_resume(struct xenvm *x)
{
	bool fresh = x->fresh;

	x->fresh = false;
	x->frozen = false;
	if (fresh)
		return error_of(x, libxl_domain_unpause(x->ctx, x->domain, NULL));
	if (is_stopped(x))
		return error_of(x, libxl_domain_resume(x->ctx, x->domain, 1, NULL));
	return 0;	/* the copy failed before the guest stood still */
}
