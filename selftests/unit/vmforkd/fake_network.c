// SPDX-License-Identifier: GPL-2.0-or-later
/* Around the core in unit tests: machines without a network (selftests/unit/net has one). */
#include "vm.h"

int network_check(const struct vm_config *config, char *why, size_t len)
{
	return 0;
}

int network_attach(struct vm *vm)
{
	return 0;
}

void network_become(struct vm *vm, const struct checkpoint *cp)
{
}

void network_run_unheard(struct vm *vm)
{
}

void network_detach(struct vm *vm)
{
}

json_t *network_to_json(const struct vm *vm)
{
	return NULL;
}

json_t *network_describe(const struct vm *vm)
{
	return json_object();
}

void network_from_json(struct vm *vm, const json_t *o)
{
}
