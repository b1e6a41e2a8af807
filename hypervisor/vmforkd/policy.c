// SPDX-License-Identifier: GPL-2.0-or-later
/* How many clones, and how much memory, may be had. */
#include "policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "options.h"
#include "vm.h"

#define MIB		(1ULL << 20)
#define QEMU_BYTES	(32 * MIB)	/* measured: 21-50 MiB, see Documentation/vmforkd.md */

static char last[256];

const char *policy_last(void)
{
	return last;
}

uint64_t policy_root_bytes(const struct vm_config *config)
{
	return config->memory + QEMU_BYTES;
}

/* A clone shares what it only reads; an eighth of its memory is what it writes. */
uint64_t policy_clone_bytes(const struct vm_config *config)
{
	return config->memory / 8 + QEMU_BYTES;
}

static void limit(unsigned int *n, uint64_t most, char *why, size_t len, const char *what)
{
	if (most >= *n)
		return;
	*n = (unsigned int)most;
	snprintf(why, len, "%s", what);
}

int policy_decide(const struct policy_input *in, unsigned int *ret_granted, char *why, size_t len)
{
	unsigned int n = in->wanted;
	uint64_t left;

	why[0] = '\0';
	if (in->wanted < 1 || in->wanted > in->clones_max) {
		snprintf(why, len, "%u clones wanted, 1 to %u can be asked for (--clones-max)",
			 in->wanted, in->clones_max);
		return -EINVAL;
	}
	left = in->clones_total > in->clones_now ? in->clones_total - in->clones_now : 0;
	limit(&n, left, why, len, "the limit on all clones (--clones-total)");
	if (in->memory_max) {
		left = in->memory_max > in->memory_used ? in->memory_max - in->memory_used : 0;
		limit(&n, left / in->clone_bytes, why, len, "the limit on memory (--memory-max)");
	}
	limit(&n, in->memory_available / in->clone_bytes, why, len, "the host's available memory");
	if (n == 0 || (in->exact && n < in->wanted))
		return -EDQUOT;
	*ret_granted = n;
	return 0;
}

static uint64_t mem_available(void)
{
	uint64_t kib = UINT64_MAX >> 10;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	if (!f)
		return kib << 10;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			break;
	fclose(f);
	return kib << 10;
}

static uint64_t memory_used(void)
{
	uint64_t sum = 0;

	for_each_vm(vm)
		sum += vm->parent || vm->ticket ? policy_clone_bytes(&vm->config) :
			policy_root_bytes(&vm->config);
	return sum;
}

int policy_grant(const char *who, const struct vm_config *config, unsigned int wanted, bool exact,
		 unsigned int *ret_granted)
{
	struct policy_input in = {
		.wanted = wanted,
		.exact = exact,
		.clones_max = opt.clones_max,
		.clones_total = opt.clones_total,
		.clones_now = vm_count_clones(),
		.clone_bytes = policy_clone_bytes(config),
		.memory_max = opt.memory_max,
		.memory_used = memory_used(),
		.memory_available = mem_available(),
	};
	unsigned int granted = 0;
	char why[128];
	int r = policy_decide(&in, &granted, why, sizeof(why));

	if (why[0]) {
		snprintf(last, sizeof(last), "%.63s: %u of %u clones granted: %s", who, granted, wanted,
			 why);
		log_warn("%s", last);
	}
	if (r == 0)
		*ret_granted = granted;
	return r;
}

int policy_root(const struct vm_config *config, char *why, size_t len)
{
	uint64_t need = policy_root_bytes(config);

	if (opt.memory_max && memory_used() + need > opt.memory_max) {
		snprintf(why, len, "%llu MiB more would exceed --memory-max", need / MIB);
		return -EDQUOT;
	}
	if (need > mem_available()) {
		snprintf(why, len, "the host has %llu MiB available, %llu are needed",
			 mem_available() / MIB, need / MIB);
		return -ENOMEM;
	}
	return 0;
}
