// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest's list of frames, as text. */
#include "extents.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* strtoull() would take spaces, signs and 0x as well. */
static int number(const char **text, char end, uint64_t *ret)
{
	const char *p = *text;
	uint64_t v = 0;

	do {
		if (!isxdigit((unsigned char)*p) || v >> 60)
			return -EBADMSG;
		v = v << 4 | (uint64_t)(isdigit((unsigned char)*p) ? *p - '0' :
					tolower((unsigned char)*p) - 'a' + 10);
	} while (*++p != end);
	*text = p + 1;
	*ret = v;
	return 0;
}

int extents_parse(const char *text, uint64_t *gfns, uint64_t npages, uint64_t limit)
{
	uint64_t n = 0, gfn, count;

	while (n < npages) {
		if (number(&text, '+', &gfn) || number(&text, ' ', &count))
			return -EBADMSG;
		if (!count || count > npages - n || gfn >= limit || count > limit - gfn)
			return -EBADMSG;
		while (count--)
			gfns[n++] = gfn++;
	}
	return *text ? -EBADMSG : 0;
}
