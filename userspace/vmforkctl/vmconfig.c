// SPDX-License-Identifier: GPL-2.0-or-later
/* What `vmforkctl run` was asked for, as vmforkd's "config". */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "size.h"
#include "vmconfig.h"

int vmconfig_memory(json_t *config, const char *text, char *why, size_t size)
{
	uint64_t bytes, up;

	if (size_parse(text, &bytes) || bytes > INT64_MAX - MEMORY_UNIT) {
		snprintf(why, size, "not a size: %s (as in 512M or 2G)", text);
		return -EINVAL;
	}
	up = (bytes + MEMORY_UNIT - 1) / MEMORY_UNIT * MEMORY_UNIT;
	if (!bytes || bytes != up) {
		snprintf(why, size, "memory is a multiple of 2M; the next above %s is %" PRIu64 "M",
			 text, (up ? up : MEMORY_UNIT) >> 20);
		return -EINVAL;
	}
	json_object_set_new(config, "memory", json_integer((json_int_t)bytes));
	return 0;
}

/* Return: the absolute path, allocated, or NULL with @why */
static char *absolute(const char *path, char *why, size_t size)
{
	char *full = realpath(path, NULL);

	if (!full)
		snprintf(why, size, "%s: %s", path, strerror(errno));
	return full;
}

static int not_text(const char *path, char *why, size_t size)
{
	snprintf(why, size, "%s: not UTF-8, which vmforkd wants", path);
	return -EINVAL;
}

int vmconfig_path(json_t *config, const char *key, const char *path, char *why, size_t size)
{
	char *full = absolute(path, why, size);
	int r;

	if (!full)
		return -EINVAL;
	r = json_object_set_new(config, key, json_string(full));
	free(full);
	return r ? not_text(path, why, size) : 0;
}

static const char *format_by_name(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && !strcmp(dot, ".qcow2") ? "qcow2" : "raw";
}

int vmconfig_disk(json_t *config, const char *text, char *why, size_t size)
{
	const char *comma = strrchr(text, ','), *format = NULL;
	json_t *disks = json_object_get(config, "disks"), *disk;
	char *path, *full;

	if (comma && !strncmp(comma, ",format=", 8)) {
		format = comma + 8;
		if (strcmp(format, "raw") && strcmp(format, "qcow2")) {
			snprintf(why, size, "a disk's format is raw or qcow2, not %s", format);
			return -EINVAL;
		}
	}
	path = strndup(text, format ? (size_t)(comma - text) : strlen(text));
	full = path ? absolute(path, why, size) : NULL;
	free(path);
	if (!full)
		return -EINVAL;
	disk = json_pack("{s:s, s:s}", "path", full, "format", format ? format :
			 format_by_name(full));
	free(full);
	if (!disks) {
		disks = json_array();
		json_object_set_new(config, "disks", disks);
	}
	return json_array_append_new(disks, disk) ? not_text(text, why, size) : 0;
}
