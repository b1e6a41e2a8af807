// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules for the names of machines and checkpoints. */
#include "names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <linux/vmfork.h>

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '.' || c == '_' || c == '-';
}

bool name_valid(const char *name)
{
	size_t n = strnlen(name, VMFORK_NAME_MAX);

	if (n == 0 || n >= VMFORK_NAME_MAX || name[0] == '.' || name[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!name_char(name[i]))
			return false;
	return true;
}

bool root_name_valid(const char *name)
{
	char c = name[0] | 0x20;

	return c >= 'a' && c <= 'z' && name_valid(name);
}

bool checkpoint_name_valid(const char *name)
{
	return name_valid(name) && name[strspn(name, "0123456789")];
}

bool name_field_valid(const char *field, size_t len)
{
	size_t n = strnlen(field, len);

	if (n == len || !checkpoint_name_valid(field))
		return false;
	for (size_t i = n; i < len; i++)
		if (field[i])
			return false;
	return true;
}

uint64_t name_handle(const char *s)
{
	uint64_t v = 0;

	if (!*s || strlen(s) > 18)
		return 0;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return 0;
		v = v * 10 + (unsigned int)(*s - '0');
	}
	return v;
}

void clone_name(char *buf, size_t len, const char *parent, unsigned int fork, unsigned int id,
		uint64_t handle)
{
	char full[2 * VMFORK_NAME_MAX];
	int n = snprintf(full, sizeof(full), "%.64s.%u.%u", parent, fork, id);

	if (n >= VMFORK_NAME_MAX)
		n = snprintf(full, sizeof(full), "vm%" PRIu64, handle);
	snprintf(buf, len, "%s", full);
}
