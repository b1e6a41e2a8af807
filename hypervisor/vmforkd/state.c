// SPDX-License-Identifier: GPL-2.0-or-later
/* What a new control role must know: state.json in the runtime directory. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adopt.h"
#include "checkpoint.h"
#include "core.h"
#include "fork.h"
#include "log.h"
#include "options.h"
#include "ticket.h"
#include "util.h"

#define STATE_VERSION	1
/* handles given out since the last write are not used again */
#define HANDLE_RESERVE	4096

static bool changed;

void state_changed(void)
{
	changed = true;
	core_schedule();
}

static void path_of(char *buf, size_t len, const char *suffix)
{
	snprintf(buf, len, "%s/state.json%s", opt.runtime_dir, suffix);
}

static json_t *describe_all(void)
{
	json_t *v = json_array(), *t = json_array(), *c = json_array();

	for_each_vm(vm)
		json_array_append_new(v, vm_to_json(vm));
	for_each_ticket(ticket)
		json_array_append_new(t, ticket_to_json(ticket));
	for_each_checkpoint(cp)
		json_array_append_new(c, checkpoint_to_json(cp));
	return json_pack("{s:i, s:I, s:o, s:o, s:o}", "version", STATE_VERSION, "next_handle",
			 (json_int_t)core.next_handle, "vms", v, "tickets", t, "checkpoints", c);
}

/* json_dumpfd() would make a system call of each bracket, in the middle of a fork. */
static int write_file(const json_t *o)
{
	char path[OPT_PATH_MAX + 32], new[OPT_PATH_MAX + 32];
	_cleanup_free_ char *text = json_dumps(o, JSON_COMPACT);
	_cleanup_close_ int fd = -1;
	size_t len;

	if (!text)
		return -ENOMEM;
	len = strlen(text);
	path_of(path, sizeof(path), "");
	path_of(new, sizeof(new), ".new");
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	/* /run is memory: what is renamed is there, unless the host goes too */
	if (write(fd, text, len) != (ssize_t)len)
		return -EIO;
	return rename(new, path) < 0 ? -errno : 0;
}

void state_save_now(void)
{
	json_t *o;
	int r;

	if (core.adopting)
		return;
	o = describe_all();
	r = write_file(o);
	json_decref(o);
	changed = r < 0;
	if (r < 0)
		log_err("%s/state.json: %s: a restart would not find the machines", opt.runtime_dir,
			strerror(-r));
}

void state_save_if_changed(void)
{
	/* a machine that stands still does not wait for this */
	if (changed && !core.stopping && !fork_pausing())
		state_save_now();
}

void state_done(void)
{
	char path[OPT_PATH_MAX + 32];

	path_of(path, sizeof(path), "");
	unlink(path);
}

int state_load(void)
{
	char path[OPT_PATH_MAX + 32];
	json_error_t e;
	json_int_t next;
	json_t *o;

	path_of(path, sizeof(path), "");
	if (access(path, F_OK) < 0)
		return -ENOENT;
	o = json_load_file(path, 0, &e);
	next = json_integer_value(json_object_get(o, "next_handle"));
	if (!o || json_integer_value(json_object_get(o, "version")) != STATE_VERSION || next < 1) {
		log_err("%s: cannot be read: %s: its machines are ended", path,
			o ? "wrong version" : e.text);
		json_decref(o);
		o = json_object();
		next = (json_int_t)(clock_ns(CLOCK_REALTIME) >> 20);
	}
	core.next_handle = (uint64_t)next + HANDLE_RESERVE;
	adopt_all(o);
	json_decref(o);
	return 0;
}
