// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: what QEMU says, cut into pieces whose sizes the input chooses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "qmp_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct qmp_lines lines;

static void take_lines(void)
{
	const char *line;
	size_t n;

	while ((line = qmp_lines_next(&lines, &n))) {
		struct qmp_message m;

		if (memchr(line, '\n', n))
			abort();
		if (qmp_parse(line, n, &m) < 0)
			continue;
		if ((m.kind == QMP_EVENT || m.kind == QMP_ERROR) && !m.text)
			abort();
		qmp_message_clear(&m);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	lines.used = lines.taken = 0;
	while (len > 1) {
		size_t n = data[0] < len - 1 ? data[0] : len - 1;
		char *at;

		if (qmp_lines_room(&lines, &at) < n)
			return 0;
		memcpy(at, data + 1, n);
		qmp_lines_added(&lines, n);
		take_lines();
		data += n + 1;
		len -= n + 1;
	}
	return 0;
}
