/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules for the names of machines and checkpoints. */
#ifndef VMFORKD_NAMES_H
#define VMFORKD_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** name_valid() - 1..63 characters of [A-Za-z0-9._-], not beginning with '.' or '-'. */
bool name_valid(const char *name);
/** root_name_valid() - the same, and it begins with a letter (else it is a handle). */
bool root_name_valid(const char *name);
/** checkpoint_name_valid() - a valid name, not digits alone (else it is a handle). */
bool checkpoint_name_valid(const char *name);
/** name_field_valid() - a NUL-padded field of @len bytes holds a name for a checkpoint. */
bool name_field_valid(const char *field, size_t len);
/** name_handle() - a string of digits as handle; 0 if it is not one. */
uint64_t name_handle(const char *s);
/** clone_name() - "PARENT.FORK.ID", or "vmHANDLE" where that is too long. */
void clone_name(char *buf, size_t len, const char *parent, unsigned int fork, unsigned int id,
		uint64_t handle);

#endif /* VMFORKD_NAMES_H */
