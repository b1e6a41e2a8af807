// SPDX-License-Identifier: GPL-2.0-or-later
/* The network of machines: shut until a clone's identity is complete. */
#include "network.h"

#include <errno.h>
#include <string.h>

#include "vm.h"

int network_shut(struct vm *vm)
{
	return !strcmp(vm->config.net, "none") ? 0 : -EOPNOTSUPP;
}

void network_open(struct vm *vm, network_opened_fn done)
{
	done(vm, !strcmp(vm->config.net, "none") ? 0 : -EOPNOTSUPP);
}
