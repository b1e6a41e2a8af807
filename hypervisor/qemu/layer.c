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
#define ID_GAP		4096	/* numbers that may have been used since the last save */
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

static bool stat_changed(const struct layer *l)
{
	struct stat st;

	return fstat(l->fd, &st) < 0 ||
	       (l->raw && !l->device && (uint64_t)st.st_size / 512 * 512 != l->size);
}

/* An image that was made longer or shorter since is another one. */
static struct layer *find_base(const struct layer *like)
{
	for (unsigned int i = 0; i < LAYERS_MAX; i++) {
		struct layer *l = &layers[i];

		if (l->refs && !l->below && l->dev == like->dev && l->ino == like->ino &&
		    l->raw == like->raw && l->slot == like->slot && !stat_changed(l))
			return l;
	}
	return NULL;
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

int layer_open_base(const struct vm_disk *disk, unsigned int slot, char *why, size_t len,
		    struct layer **ret)
{
	struct layer l = {
		.id = layer_new_id(),
		.raw = !strcmp(disk->format, "raw"),
		.slot = slot,
	};
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
	l.dev = st.st_dev;
	l.ino = st.st_ino;
	*ret = layer_get(find_base(&l));
	if (*ret)
		return 0;
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

int layer_rebase(struct layer *l, struct layer *below)
{
	struct layer *old = l->below;

	if (layer_depth(below) >= LAYER_DEPTH_MAX)
		return -EMLINK;
	l->below = layer_get(below);
	layer_put(old);
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

static uint64_t bytes_of(const struct layer *l)
{
	struct stat st;

	return fstat(l->fd, &st) < 0 ? 0 : (uint64_t)st.st_blocks * 512;
}

struct layer *layer_merge_to(const struct layer *top)
{
	uint64_t above = bytes_of(top);
	struct layer *l = top->below;

	for (unsigned int n = 0; l->below && (n < LAYER_MERGE_MIN || bytes_of(l) <= above); n++) {
		above += bytes_of(l);
		l = l->below;
	}
	return l;
}

int layer_fd(const struct layer *l, bool write)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", l->fd);
	fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct layer *layer_base(struct layer *l)
{
	while (l && l->below)
		l = l->below;
	return l;
}

void layer_name(const struct layer *l, char name[LAYER_NODE_MAX])
{
	snprintf(name, LAYER_NODE_MAX, "n%u", l->id);
}

void layer_cover_name(const struct layer *l, char name[LAYER_NODE_MAX])
{
	snprintf(name, LAYER_NODE_MAX, "c%u", l->id);
}

/* A format for the base's raw bytes is one node less: QEMU takes the file as it is. */
static json_t *file_node(const struct layer *l)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/fdset/%u", l->id);
	return json_pack("{s:s, s:s, s:s}", "driver", l->device ? "host_device" : "file",
			 "filename", path, "locking", "off");
}

/* Nothing here outlives the host's uptime: no flush of what is written. Locks would
 * only tell a VM's frozen layer from the same one in a clone. */
static json_t *one_node(const struct layer *l, bool write)
{
	json_t *file = file_node(l), *node = file;
	char name[LAYER_NODE_MAX];

	if (!l->raw)
		node = json_pack("{s:s, s:o}", "driver", "qcow2", "file", file);
	layer_name(l, name);
	json_object_set_new(node, "node-name", json_string(name));
	if (write)
		json_object_set_new(node, "cache", json_pack("{s:b}", "no-flush", 1));
	if (write)
		json_object_set_new(node, "discard", json_string("unmap"));
	else
		json_object_set_new(node, "read-only", json_true());
	return node;
}

json_t *layer_node(const struct layer *l, bool write, const struct layer *known)
{
	json_t *top = one_node(l, write), *node = top;
	char name[LAYER_NODE_MAX];

	while (known && l->below && l->below != known) {
		json_t *lower = one_node(l->below, false);

		json_object_set_new(node, "backing", lower);
		node = lower;
		l = l->below;
	}
	if (l->raw)
		return top;
	if (known && l->below) {
		layer_name(known, name);
		json_object_set_new(node, "backing", json_string(name));
	} else {
		json_object_set_new(node, "backing", json_null());
	}
	return top;
}

json_t *layers_save(const struct layer *top)
{
	json_t *a = json_array();

	for (; top; top = top->below)
		json_array_append_new(a, json_pack("{s:i, s:I, s:b, s:b, s:i}", "id", top->id,
						   "size", (json_int_t)top->size,
						   "device", top->device, "raw", top->raw,
						   "slot", top->slot));
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
	struct stat st;
	char name[32];
	int device, raw, slot = 0, r;

	if (json_unpack((json_t *)saved, "{s:I, s:I, s:b, s:b, s?i}", "id", &id, "size", &size,
			"device", &device, "raw", &raw, "slot", &slot) < 0)
		return -EBADMSG;
	l.id = (unsigned int)id;
	l.size = (uint64_t)size;
	l.device = device;
	l.raw = raw;
	l.slot = (unsigned int)slot;
	store_name(l.id, name, sizeof(name));
	l.fd = core_take_fd(name);
	if (l.fd < 0)
		return -EBADF;
	if (!below && fstat(l.fd, &st) == 0) {
		l.dev = st.st_dev;
		l.ino = st.st_ino;
	}
	r = add(&l, ret);
	if (r < 0)
		close(l.fd);
	if (l.id + ID_GAP > last_id)
		last_id = l.id + ID_GAP;
	return r;
}

int layer_adopt_overlay(struct layer **top, unsigned int id)
{
	struct layer l = { .id = id, .size = (*top)->size, .below = *top };
	char name[32];
	int r;

	if ((*top)->id == id)
		return 0;
	store_name(id, name, sizeof(name));
	l.fd = core_take_fd(name);
	if (l.fd < 0)
		return -EBADF;
	r = add(&l, top);	/* which now has the reference to what was the top */
	if (r < 0)
		close(l.fd);
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
