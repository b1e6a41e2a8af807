// SPDX-License-Identifier: GPL-2.0-or-later
/* Disk layers: base images and the overlays above them, shared by all who read them. */
#include "layer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "qcow2.h"
#include "util.h"

#define FIRST_ID	64	/* below: fdsets of the command line */
#define OVERLAY_DIR	"/var/tmp"

static struct layer layers[LAYERS_MAX];
static unsigned int last_id = FIRST_ID;

unsigned int layer_new_id(void)
{
	return ++last_id;
}

static struct layer *find_free(void)
{
	for (unsigned int i = 0; i < LAYERS_MAX; i++) {
		if (!layers[i].refs)
			return &layers[i];
	}
	return NULL;
}

static void store_name(unsigned int id, char *buf, size_t len)
{
	snprintf(buf, len, "layer.%u", id);
}

static int add(const struct layer *like, struct layer **ret)
{
	struct layer *l = find_free();
	char name[32];
	int r;

	if (!l)
		return -ENFILE;
	store_name(like->id, name, sizeof(name));
	r = core_store_fd(name, like->fd);
	if (r < 0)
		return r;
	*l = *like;
	l->refs = 1;
	*ret = l;
	return 0;
}

static int base_size(struct layer *l, const struct stat *st)
{
	char head[QCOW2_HEAD];
	ssize_t n;

	if (l->raw && l->device)
		return ioctl(l->fd, BLKGETSIZE64, &l->size) < 0 ? -errno : 0;
	if (l->raw) {
		l->size = (uint64_t)st->st_size / 512 * 512;
		return l->size ? 0 : -EINVAL;
	}
	n = pread(l->fd, head, sizeof(head), 0);
	if (n < 0)
		return -errno;
	return qcow2_size(head, (size_t)n, &l->size);
}

static const char *base_problem(int err)
{
	switch (err) {
	case -EBADMSG:
		return "is not a qcow2 image";
	case -EMLINK:
		return "has a backing file; make a whole image of it with qemu-img convert";
	case -EOPNOTSUPP:
		return "uses encryption, an external data file or another feature that cannot be "
		       "a base here";
	default:
		return strerror(-err);
	}
}

int layer_open_base(const struct vm_disk *disk, char *why, size_t len, struct layer **ret)
{
	struct layer l = { .id = layer_new_id(), .raw = !strcmp(disk->format, "raw") };
	_cleanup_close_ int fd = open(disk->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		snprintf(why, len, "disk %s: %s", disk->path, strerror(-r));
		return r;
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		snprintf(why, len, "disk %s: neither a file nor a block device", disk->path);
		return -EINVAL;
	}
	l.device = S_ISBLK(st.st_mode);
	l.fd = fd;
	r = base_size(&l, &st);
	if (r < 0) {
		snprintf(why, len, "disk %s: %s", disk->path, base_problem(r));
		return r;
	}
	r = add(&l, ret);
	if (r == 0)
		steal_fd(&fd);
	return r;
}

static int open_unnamed(void)
{
	const char *dir = getenv("VMFORK_OVERLAY_DIR");
	int fd = open(dir ? dir : OVERLAY_DIR, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

int layer_new_overlay(struct layer *below, struct layer **ret)
{
	struct layer l = { .id = layer_new_id(), .size = below->size, .below = below };
	_cleanup_close_ int fd = -1;
	int r;

	if (layer_depth(below) >= LAYER_DEPTH_MAX)
		return -EMLINK;
	fd = open_unnamed();
	if (fd < 0)
		return fd;
	r = qcow2_make_empty(fd, l.size);
	if (r < 0)
		return r;
	l.fd = fd;
	r = add(&l, ret);
	if (r < 0)
		return r;
	steal_fd(&fd);
	layer_get(below);
	return 0;
}

struct layer *layer_get(struct layer *l)
{
	if (l)
		l->refs++;
	return l;
}

void layer_put(struct layer *l)
{
	while (l && --l->refs == 0) {
		struct layer *below = l->below;
		char name[32];

		store_name(l->id, name, sizeof(name));
		core_drop_fds(name);
		close(l->fd);
		memset(l, 0, sizeof(*l));
		l = below;
	}
}

unsigned int layer_depth(const struct layer *l)
{
	unsigned int n = 0;

	for (; l; l = l->below)
		n++;
	return n;
}

int layer_fd(const struct layer *l, bool write)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", l->fd);
	fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Nothing here outlives the host's uptime: no fsync. Locks would only tell a VM's
 * frozen layer from the same one in a clone. */
static json_t *one_node(const struct layer *l, bool write)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/fdset/%u", l->id);
	return json_pack("{s:s, s:b, s:{s:b}, s:{s:s, s:s, s:s}}",
			 "driver", l->raw ? "raw" : "qcow2", "read-only", !write,
			 "cache", "no-flush", 1,
			 "file", "driver", l->device ? "host_device" : "file", "filename", path,
			 "locking", "off");
}

json_t *layer_node(const struct layer *l, const char *name, bool chain)
{
	json_t *top = one_node(l, true), *node = top;

	json_object_set_new(top, "node-name", json_string(name));
	json_object_set_new(top, "discard", json_string("unmap"));
	for (l = chain ? l->below : NULL; l; l = l->below) {
		json_t *lower = one_node(l, false);

		json_object_set_new(node, "backing", lower);
		node = lower;
	}
	if (strcmp(json_string_value(json_object_get(node, "driver")), "raw"))
		json_object_set_new(node, "backing", json_null());
	return top;
}

json_t *layers_save(const struct layer *top)
{
	json_t *a = json_array();

	for (; top; top = top->below)
		json_array_append_new(a, json_pack("{s:i, s:I, s:b, s:b}", "id", top->id,
						   "size", (json_int_t)top->size,
						   "device", top->device, "raw", top->raw));
	return a;
}

static struct layer *find(unsigned int id)
{
	for (unsigned int i = 0; i < LAYERS_MAX; i++) {
		if (layers[i].refs && layers[i].id == id)
			return &layers[i];
	}
	return NULL;
}

/* @below: a reference that the new layer takes over. */
static int adopt_one(const json_t *saved, struct layer *below, struct layer **ret)
{
	struct layer l = { .below = below };
	json_int_t id, size;
	char name[32];
	int device, raw, r;

	if (json_unpack((json_t *)saved, "{s:I, s:I, s:b, s:b}", "id", &id, "size", &size,
			"device", &device, "raw", &raw) < 0)
		return -EBADMSG;
	l.id = (unsigned int)id;
	l.size = (uint64_t)size;
	l.device = device;
	l.raw = raw;
	store_name(l.id, name, sizeof(name));
	l.fd = core_take_fd(name);
	if (l.fd < 0)
		return -EBADF;
	r = add(&l, ret);
	if (r < 0)
		close(l.fd);
	if (l.id > last_id)
		last_id = l.id;
	return r;
}

int layers_adopt(const json_t *saved, struct layer **ret)
{
	struct layer *top = NULL;

	for (size_t i = json_array_size(saved); i-- > 0;) {
		const json_t *one = json_array_get(saved, i);
		struct layer *known, *l;
		int r;

		known = find((unsigned int)json_integer_value(json_object_get(one, "id")));
		if (known) {
			layer_put(top);
			top = layer_get(known);
			continue;
		}
		r = adopt_one(one, top, &l);
		if (r < 0) {
			layer_put(top);
			return r;
		}
		top = l;
	}
	*ret = top;
	return 0;
}
