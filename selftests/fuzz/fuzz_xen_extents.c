// SPDX-License-Identifier: GPL-2.0-or-later
/* extents_parse() on whatever a guest may have written into xenstore. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../hypervisor/xen/extents.h"

#define PAGES	300
#define LIMIT	(1ULL << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t gfns[PAGES];
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (extents_parse(text, gfns, PAGES, LIMIT) == 0) {
		for (int i = 0; i < PAGES; i++) {
			if (gfns[i] >= LIMIT)
				abort();
		}
	}
	free(text);
	return 0;
}
