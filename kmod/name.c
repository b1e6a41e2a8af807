// SPDX-License-Identifier: GPL-2.0
/* Names of checkpoints. */
#include "name.h"

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '.' || c == '_' || c == '-';
}

int vmfork_name_take(const char *field, char *ret)
{
	int i, len, digits = 0;

	for (len = 0; len < VMFORK_NAME_MAX && field[len]; len++) {
		if (!name_char(field[len]))
			return -EINVAL;
		digits += field[len] >= '0' && field[len] <= '9';
	}
	if (len == VMFORK_NAME_MAX)
		return -EINVAL;
	if (field[0] == '.' || field[0] == '-')
		return -EINVAL;
	if (len && digits == len)	/* a handle, to the host */
		return -EINVAL;
	for (i = 0; i < VMFORK_NAME_MAX; i++)
		ret[i] = i < len ? field[i] : '\0';
	return len;
}
