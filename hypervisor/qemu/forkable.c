// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a machine cannot be forked: devices of the host's, memory and disks of others. */
#include "forkable.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

#define OWN_MEMORY	"ram"
#define OWN_DISK	"/machine/peripheral/disk"

/* begins so -> why; of a device's type */
static const struct {
	const char *type;
	const char *why;
} devices[] = {
	{ "vfio-", "a device of the host's" },
	{ "vhost-user-", "its state is in another process" },
	{ "vhost-vdpa-", "a device of the host's" },
	{ "vhost-scsi", "its state is in the host's kernel" },
	{ "vhost-vsock-", "its state is in the host's kernel" },
	{ "virtio-9p-", "a folder of the host's would be shared" },
	{ "usb-host", "a device of the host's" },
	{ "usb-redir", "a device of another host's" },
	{ "usb-mtp", "a folder of the host's would be shared" },
	{ "scsi-block", "a device of the host's" },
	{ "scsi-generic", "a device of the host's" },
	{ "ccid-card-passthru", "a device of the host's" },
	{ "pc-dimm", "memory that is not in an image" },
	{ "nvdimm", "memory that is not in an image" },
	{ "virtio-pmem-", "memory that is not in an image" },
	{ "virtio-mem-", "memory that is not in an image" },
};

/* option and how its value begins -> why */
static const struct {
	const char *option;
	const char *value;
	const char *why;
} arguments[] = {
	{ "netdev", "vhost-user", "its state is in another process" },
	{ "netdev", "vhost-vdpa", "a device of the host's" },
	{ "nic", "vhost-user", "its state is in another process" },
	{ "nic", "vhost-vdpa", "a device of the host's" },
	{ "tpmdev", "passthrough", "a device of the host's" },
	{ "tpmdev", "emulator", "its state is in another process" },
	{ "virtfs", "", "a folder of the host's would be shared" },
	{ "fsdev", "", "a folder of the host's would be shared" },
	{ "mem-path", "", "memory that is not in an image" },
};

static void say(char *why, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(char *why, size_t len, const char *fmt, ...)
{
	va_list ap;

	if (why[0])
		return;
	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	forkable_text(why);
}

void forkable_text(char *why)
{
	for (; *why; why++)
		if (*why < ' ' || *why > '~')
			*why = '?';
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

void forkable_args(const struct vm_config *config, char *why, size_t len)
{
	for (unsigned int i = 0; i < config->nextra; i++) {
		const char *option = config->extra[i];
		const char *value = i + 1 < config->nextra ? config->extra[i + 1] : "";

		if (option[0] != '-')
			continue;
		option += begins(option, "--") ? 2 : 1;
		for (size_t k = 0; k < ARRAY_SIZE(arguments); k++)
			if (!strcmp(option, arguments[k].option) &&
			    begins(value, arguments[k].value))
				say(why, len, "-%s %.60s: %s", option, value, arguments[k].why);
	}
}

/* "child<vfio-pci>" */
static const char *reason_of(const char *child)
{
	const char *type = begins(child, "child<") ? child + strlen("child<") : child;

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (begins(type, devices[i].type))
			return devices[i].why;
	return NULL;
}

const char *forkable_devices(const json_t *list, char *why, size_t len)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v) {
		const char *child = text(v, "type"), *reason = reason_of(child);

		if (!reason)
			continue;
		child += strlen("child<");
		say(why, len, "%.*s %.40s: %s", (int)strcspn(child, ">"), child, text(v, "name"),
		    reason);
		return text(v, "name");
	}
	return NULL;
}

void forkable_memory(const json_t *memdevs, char *why, size_t len)
{
	json_t *v;
	size_t i;

	json_array_foreach(memdevs, i, v)
		if (strcmp(text(v, "id"), OWN_MEMORY))
			say(why, len, "memory backend %.40s: memory that is not in an image",
			    text(v, "id"));
}

void forkable_disks(const json_t *blocks, char *why, size_t len)
{
	json_t *v;
	size_t i;

	json_array_foreach(blocks, i, v) {
		const json_t *inserted = json_object_get(v, "inserted");
		const char *name = text(v, "device");

		if (!inserted || json_is_true(json_object_get(inserted, "ro")) ||
		    begins(text(v, "qdev"), OWN_DISK))
			continue;
		if (!name[0])
			name = text(inserted, "node-name");
		say(why, len, "%.40s is a disk without overlay: swap or files on it would be "
		    "shared", name);
	}
}

void forkable_state(const json_t *migration, char *why, size_t len)
{
	const json_t *reasons = json_object_get(migration, "blocked-reasons");
	const char *s = json_string_value(json_array_get(reasons, 0));

	if (s)
		say(why, len, "%s", s);
}
