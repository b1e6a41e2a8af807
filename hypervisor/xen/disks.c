// SPDX-License-Identifier: GPL-2.0-or-later
/* Disks of Xen domains: layers, and what the QEMU that serves them is told. */
#include "disks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../qemu/qmp.h"
#include "../qemu/sockets.h"
#include "log.h"
#include "qdisk.h"
#include "util.h"
#include "xen.h"

#define QMP_SOCKET	"qmp.sock"
#define QEMU_LOG	"qemu.log"

static unsigned int ndisks(const struct xen_vm *x)
{
	return vm_config(x->vm)->ndisks;
}

static int check_disk(const struct vm_disk *disk, char *why, size_t len)
{
	struct layer *l;
	int r;

	if (strcmp(disk->format, "raw") && strcmp(disk->format, "qcow2")) {
		snprintf(why, len, "disk %s: format '%s' is neither raw nor qcow2", disk->path,
			 disk->format);
		return -EINVAL;
	}
	r = layer_open_base(disk, 0, why, len, &l);
	if (r < 0)
		return -EINVAL;
	layer_put(l);
	return 0;
}

int disks_check(const struct vm_config *config, char *why, size_t len)
{
	int r = 0;

	if (config->ndisks > VM_DISKS_MAX) {
		snprintf(why, len, "more than %d disks", VM_DISKS_MAX);
		return -EINVAL;
	}
	if (config->ndisks && access(qdisk_program(), X_OK) < 0) {
		snprintf(why, len, "disks need a QEMU with Xen: %s: %s (Debian: apt install "
			 "qemu-system-xen)", qdisk_program(), strerror(errno));
		return -EINVAL;
	}
	for (unsigned int i = 0; r == 0 && i < config->ndisks; i++)
		r = check_disk(&config->disks[i], why, len);
	return r;
}

/* ---- commands */

static void begin(struct xen_vm *x, disks_fn done)
{
	x->disks.steps = 1;
	x->disks.err = 0;
	x->disks.done = done;
}

static void end(struct xen_vm *x, int err)
{
	disks_fn done = x->disks.done;

	if (err && !x->disks.err)
		x->disks.err = err;
	if (--x->disks.steps)
		return;
	x->disks.done = NULL;
	done(x, x->disks.err);
}

static void answered(void *data, int err, json_t *ret, const char *text)
{
	struct xen_vm *x = data;

	if (err)
		log_err("vm%" PRIu64 ": the QEMU of its disks: %s", vm_handle(x->vm),
			text ? text : strerror(-err));
	end(x, err);
}

static void step(struct xen_vm *x, const char *command, json_t *arguments, int fd,
		 qmp_reply_fn fn)
{
	int r;

	x->disks.steps++;
	r = qmp_execute(x->disks.qmp, command, arguments, fd, fn, x);
	if (r < 0)
		end(x, r);
}

static void give(struct xen_vm *x, const struct layer *l, bool write, qmp_reply_fn fn)
{
	_cleanup_close_ int fd = layer_fd(l, write);

	if (fd >= 0)
		step(x, "add-fd", json_pack("{s:i}", "fdset-id", l->id), fd, fn);
	else
		end(x, fd);
}

/* ---- the domain is there */

static void add_device(struct xen_vm *x, unsigned int i)
{
	const struct xen_disk *d = &x->disks.disk[i];
	char node[LAYER_NODE_MAX], id[16], vdev[16];

	layer_name(d->top, node);
	snprintf(id, sizeof(id), "disk%u", i);
	snprintf(vdev, sizeof(vdev), "xvd%c", 'a' + (int)i);
	step(x, "blockdev-add", layer_node(d->base, false, NULL), -1, answered);
	step(x, "blockdev-add", layer_node(d->top, true, d->base), -1, answered);
	step(x, "device_add", json_pack("{s:s, s:s, s:s, s:s, s:i}", "driver", "xen-disk", "id", id,
					"vdev", vdev, "drive", node, "frontend-id", (int)x->domain),
	     -1, answered);
}

static void give_layers(struct xen_vm *x);

static void on_given(void *data, int err, json_t *ret, const char *text)
{
	struct xen_vm *x = data;

	if (!err)
		give_layers(x);
	answered(x, err, ret, text);
}

/* One after the other: a chain may have more layers than commands can wait. */
static void give_layers(struct xen_vm *x)
{
	struct xen_disks *d = &x->disks;

	while (d->giving < ndisks(x)) {
		const struct layer *l = d->layer;

		if (l) {
			d->layer = l->below;
			give(x, l, l == d->disk[d->giving].top, on_given);
			return;
		}
		add_device(x, d->giving++);
		d->layer = d->giving < ndisks(x) ? d->disk[d->giving].top : NULL;
	}
}

static int open_disk(struct xen_vm *x, struct layer *frozen, unsigned int i)
{
	const struct vm_disk *disk = &vm_config(x->vm)->disks[i];
	struct xen_disk *d = &x->disks.disk[i];
	char why[256];
	int r = layer_open_base(disk, i, why, sizeof(why), &d->base);

	if (r < 0) {
		log_err("vm%" PRIu64 ": %s", vm_handle(x->vm), why);
		return r;
	}
	if (frozen && layer_base(frozen) != d->base) {
		log_err("vm%" PRIu64 ": disk %s: no longer the file that its family was started "
			"with", vm_handle(x->vm), disk->path);
		return -ESTALE;
	}
	return layer_new_overlay(frozen ? frozen : d->base, &d->top);
}

void disks_attach(struct xen_vm *x, const struct xen_checkpoint *c, disks_fn done)
{
	struct xen_disks *d = &x->disks;
	int r = 0;

	begin(x, done);
	for (unsigned int i = 0; r == 0 && i < ndisks(x); i++)
		r = open_disk(x, c ? c->disks[i] : NULL, i);
	d->giving = 0;
	d->layer = d->disk[0].top;
	if (r == 0)
		give_layers(x);
	end(x, r);
}

/* ---- a fork */

/* If a command fails here, blockdev-snapshot will. */
static int prepare_disk(struct xen_vm *x, struct xen_disk *d)
{
	_cleanup_close_ int fd = -1;
	int r = layer_new_overlay(d->top, &d->next);

	fd = r < 0 ? r : layer_fd(d->next, true);
	if (fd < 0)
		return fd;
	r = qmp_execute(x->disks.qmp, "add-fd", json_pack("{s:i}", "fdset-id", d->next->id), fd,
			NULL, NULL);
	return r ? r : qmp_execute(x->disks.qmp, "blockdev-add", layer_node(d->next, true, NULL),
				   -1, NULL, NULL);
}

int disks_prepare(struct xen_vm *x)
{
	int r = 0;

	if (ndisks(x))
		merge_cancel(x);
	for (unsigned int i = 0; r == 0 && i < ndisks(x); i++)
		r = prepare_disk(x, &x->disks.disk[i]);
	if (r < 0)
		disks_unprepare(x);
	return r;
}

/* Its node, if there is one, stays in QEMU, unused, under a name that nobody uses again. */
void disks_unprepare(struct xen_vm *x)
{
	for (unsigned int i = 0; i < VM_DISKS_MAX; i++) {
		layer_put(x->disks.disk[i].next);
		x->disks.disk[i].next = NULL;
	}
}

/* The disks are answered in their order. */
static void on_snapped(void *data, int err, json_t *ret, const char *text)
{
	struct xen_vm *x = data;
	unsigned int i = x->disks.snapped++;
	struct xen_disk *d = &x->disks.disk[i];

	if (!err) {
		x->disks.into->disks[i] = d->top;
		d->top = d->next;
		d->next = NULL;
	}
	answered(x, err, ret, text);
}

void disks_snapshot(struct xen_vm *x, struct xen_checkpoint *c, disks_fn done)
{
	char old[LAYER_NODE_MAX], new[LAYER_NODE_MAX];

	begin(x, done);
	x->disks.snapped = 0;
	x->disks.into = c;
	x->disks.merge.forked = true;
	for (unsigned int i = 0; i < ndisks(x); i++) {
		layer_name(x->disks.disk[i].top, old);
		layer_name(x->disks.disk[i].next, new);
		step(x, "blockdev-snapshot", json_pack("{s:s, s:s}", "node", old, "overlay", new),
		     -1, on_snapped);
	}
	end(x, 0);
}

/* ---- the process */

static int open_log(const char *dir)
{
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = dirfd < 0 ? -1 : openat(dirfd, QEMU_LOG,
					 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

	return fd < 0 ? -errno : fd;
}

int disks_listen(struct xen_vm *x, int fds[2])
{
	fds[0] = fds[1] = -1;
	if (!ndisks(x))
		return 0;
	fds[0] = socket_listen(vm_dir(x->vm), QMP_SOCKET, 0600);
	fds[1] = fds[0] < 0 ? fds[0] : open_log(vm_dir(x->vm));
	return fds[1] < 0 ? fds[1] : 0;
}

static void on_event(void *data, const char *name, json_t *body)
{
	merge_event(data, name, body);
}

/* Its end is its vmfork-xenvm's end. */
static void on_closed(void *data)
{
}

int disks_connect(struct xen_vm *x)
{
	static const struct qmp_handler handler = { .event = on_event, .closed = on_closed };

	return ndisks(x) ? qmp_connect(core_loop(), vm_dir(x->vm), QMP_SOCKET, &handler, x,
				       &x->disks.qmp) : 0;
}

void disks_forget(struct xen_vm *x)
{
	static const char *const files[] = { QMP_SOCKET, QEMU_LOG };
	_cleanup_close_ int dirfd = open(vm_dir(x->vm), O_PATH | O_DIRECTORY | O_CLOEXEC);

	qmp_free(x->disks.qmp);
	x->disks.qmp = NULL;
	merge_forget(x);
	disks_unprepare(x);
	for (unsigned int i = 0; i < VM_DISKS_MAX; i++) {
		layer_put(x->disks.disk[i].top);
		layer_put(x->disks.disk[i].base);
		x->disks.disk[i] = (struct xen_disk){ 0 };
	}
	for (unsigned int i = 0; dirfd >= 0 && i < ARRAY_SIZE(files); i++)
		unlinkat(dirfd, files[i], 0);
}

void disks_describe(const struct xen_vm *x, json_t *into)
{
	json_int_t sum = 0;
	struct stat st;

	for (unsigned int i = 0; i < ndisks(x); i++) {
		const struct layer *l = x->disks.disk[i].top;

		if (l && fstat(l->fd, &st) == 0)
			sum += (json_int_t)st.st_blocks * 512;
	}
	json_object_set_new(into, "overlay_bytes", json_integer(sum));
	json_object_set_new(into, "disk_layers",
			    json_integer(layer_depth(x->disks.disk[0].top)));
}
