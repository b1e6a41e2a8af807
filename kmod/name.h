/* SPDX-License-Identifier: GPL-2.0 */
/* Names of checkpoints. */
#ifndef VMFORK_NAME_H
#define VMFORK_NAME_H

#include "pure.h"

/**
 * vmfork_name_take() - check a name's field and copy it, padded with NULs.
 * @field:	VMFORK_NAME_MAX bytes, as a program gave them
 * @ret:	VMFORK_NAME_MAX bytes, untouched on failure
 * Return: its length, 0 for none; -EINVAL for a bad one.
 */
int vmfork_name_take(const char *field, char *ret);

#endif /* VMFORK_NAME_H */
