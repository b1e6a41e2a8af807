// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: descriptors, and their stored form. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_round_trip(const uint8_t *data, size_t len)
{
	void *stored, *raw;
	size_t nstored, nraw;

	if (descriptor_pack(data, len, &stored, &nstored))
		return;
	if (descriptor_unpack(stored, nstored, &raw, &nraw) || nraw != len ||
	    memcmp(raw, data, len))
		abort();
	free(raw);
	free(stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	void *raw;
	size_t n;

	check_round_trip(data, len);
	if (descriptor_unpack(data, len, &raw, &n) == 0) {
		if (n > DESCRIPTOR_MAX || descriptor_check(raw, n))
			abort();
		free(raw);
	}
	return 0;
}
