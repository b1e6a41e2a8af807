/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `vmforkctl run` was asked for, as vmforkd's "config". */
#ifndef VMFORKCTL_VMCONFIG_H
#define VMFORKCTL_VMCONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#define MEMORY_UNIT	((uint64_t)2 << 20)	/* a VM's memory is a multiple of this */

/**
 * vmconfig_memory() - the value of --memory into @config.
 * Return: 0, or -EINVAL with what is wrong in @why.
 */
int vmconfig_memory(json_t *config, const char *text, char *why, size_t size);

/**
 * vmconfig_disk() - "FILE[,format=raw|qcow2]" added to @config's disks. Without a
 * format: qcow2 if FILE ends with ".qcow2", else raw; the contents are not looked at,
 * since a guest may have written them.
 */
int vmconfig_disk(json_t *config, const char *text, char *why, size_t size);

/** vmconfig_path() - an absolute path for member @key; @path must exist. */
int vmconfig_path(json_t *config, const char *key, const char *path, char *why, size_t size);

#endif /* VMFORKCTL_VMCONFIG_H */
