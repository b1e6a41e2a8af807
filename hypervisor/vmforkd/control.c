// SPDX-License-Identifier: GPL-2.0-or-later
/* The control role: everything but owning processes. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "checkpoint.h"
#include "core.h"
#include "fork.h"
#include "keeper_client.h"
#include "log.h"
#include "network_family.h"
#include "ops.h"
#include "options.h"
#include "pager_client.h"
#include "server.h"
#include "state.h"
#include "ticket.h"
#include "watchdog.h"

#define KEEPER_FD 3

const char *core_lib_dir(void)
{
	return opt.lib_dir;
}

void core_vm_ids(uid_t *ret_uid, gid_t *ret_gid)
{
	*ret_uid = opt.uid;
	*ret_gid = opt.gid;
}

static bool all_gone(void)
{
	for_each_vm(vm)
		return false;
	return true;
}

static int stop_when_gone(sd_event_source *s, void *data)
{
	if (!all_gone())
		return 0;
	for_each_checkpoint(cp)
		checkpoint_free(cp);
	server_flush();
	server_close(opt.socket);
	state_done();
	keeper_stop();
	return sd_event_exit(core.loop, 0);
}

void control_shutdown(void)
{
	sd_event_source *post;

	if (core.stopping)
		return;
	core.stopping = true;
	for_each_vm(vm)
		if (vm->state != VM_DEAD)
			vm_end(vm, VMFORK_LOST, 0, "vmforkd was ended");
	core_schedule();
	if (sd_event_add_post(core.loop, &post, stop_when_gone, NULL) < 0)
		keeper_stop();
}

static int on_term(sd_event_source *s, const struct signalfd_siginfo *si, void *data)
{
	control_shutdown();
	return 0;
}

/* Ctrl-C at a terminal is the keeper's affair. */
static int on_int(sd_event_source *s, const struct signalfd_siginfo *si, void *data)
{
	return 0;
}

static int open_images(void)
{
	core.image_dir = open(opt.image_dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (core.image_dir >= 0)
		return 0;
	log_err("--image-dir %s: %s", opt.image_dir, strerror(errno));
	return -errno;
}

static int set_up(void)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	core.next_handle = 1;
	core.backend = backend_builtin;
	if (core.backend->patience)
		watchdog_usec = core.backend->patience * 1000000ULL;
	r = keeper_open(KEEPER_FD);
	if (r == 0)
		r = open_images();
	if (r == 0)
		r = sd_event_new(&core.loop);
	if (r == 0)
		r = sd_event_add_signal(core.loop, NULL, SIGTERM, on_term, NULL);
	if (r >= 0)
		r = sd_event_add_signal(core.loop, NULL, SIGINT, on_int, NULL);
	return r < 0 ? r : keeper_attach();
}

int control_run(void)
{
	char why[256] = "";
	int r, usable;

	r = set_up();
	if (r < 0) {
		log_err("cannot start: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	usable = core.backend->probe(why, sizeof(why));
	pager_restore();
	pager_attach();
	r = state_load();
	if (r == -ENOENT)
		log_info("vmforkd %s: %s", VMFORK_VERSION, why);
	if (usable < 0)
		log_warn("no machine can be run here: %s", why);
	network_families_settle();
	r = server_open(opt.socket);
	if (r < 0) {
		log_err("%s: %s", opt.socket, strerror(-r));
		return EXIT_FAILURE;
	}
	sd_notify(0, "READY=1");
	r = sd_event_loop(core.loop);
	return r < 0 ? EXIT_FAILURE : r;
}
