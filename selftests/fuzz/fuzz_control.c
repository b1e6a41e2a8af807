// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: a line of the control socket, and the `config` of `run`. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "ops.h"
#include "server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_config(json_t *o)
{
	struct vm_config c;
	char why[256];

	if (!json_is_object(o) || config_parse(o, &c, why, sizeof(why)) < 0)
		return;
	if (!root_name_valid(c.name) || c.memory % (2 << 20) || c.vcpus < 1 || c.vcpus > 16 ||
	    c.ndisks > VM_DISKS_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct request q = { 0 };
	char why[256];

	if (request_parse((const char *)data, len, &q, why, sizeof(why)) < 0)
		return 0;
	check_config(json_object_get(q.json, "config"));
	json_decref(q.json);
	return 0;
}
