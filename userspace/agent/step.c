// SPDX-License-Identifier: GPL-2.0-or-later
/* The steps' names. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "step.h"

static const char *const names[] = {
	[STEP_LINK_DOWN] = "link-down",
	[STEP_SOCKETS] = "sockets",
	[STEP_NETWORK] = "network",
	[STEP_HOSTNAME] = "hostname",
	[STEP_HOSTS] = "hosts",
	[STEP_MACHINE_ID] = "machine-id",
	[STEP_BOOT_ID] = "boot-id",
	[STEP_PARAMS] = "params",
	[STEP_KILL] = "kill",
	[STEP_SSH_KEYS] = "ssh-keys",
	[STEP_HOOKS] = "hooks",
};

static_assert(sizeof(names) / sizeof(names[0]) == STEP_MAX, "a name for each step");

const char *step_name(enum step step)
{
	return names[step];
}

int step_find(const char *name, size_t len)
{
	int i;

	for (i = 0; i < STEP_MAX; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], name, len))
			return i;
	return -ENOENT;
}
