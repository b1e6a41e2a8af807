// SPDX-License-Identifier: GPL-2.0-or-later
/* What this machine or its host lacks, in words. */
#include <stddef.h>

#include "missing.h"

static const struct {
	__u64 feature;
	const char *text;
} features[] = {
	{ VMFORK_FEATURE_GATE, "user code in a clone is not held until clock and RNG are set" },
	{ VMFORK_FEATURE_IDENTITY, "the host does not wait for a clone's identity" },
	{ VMFORK_FEATURE_AGENT, "no agent: clones keep their parent's addresses, names and keys" },
	{ VMFORK_FEATURE_PARAMS, "clones cannot have parameters" },
	{ VMFORK_FEATURE_LIMITS, "the host does no limits on clones' memory and CPU" },
};

const char *missing_next(const struct vmfork_api *api, unsigned int *at)
{
	unsigned int i;

	if (*at == 0 && !api->clones_max) {
		*at = sizeof(features) / sizeof(features[0]);
		return "no host that forks this machine";
	}
	while (*at < sizeof(features) / sizeof(features[0])) {
		i = (*at)++;
		if (!(api->features & features[i].feature))
			return features[i].text;
	}
	return NULL;
}
