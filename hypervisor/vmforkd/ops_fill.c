// SPDX-License-Identifier: GPL-2.0-or-later
/* The operation `fill`: which pages of a checkpoint are there before clones ask for them. */
#include <errno.h>
#include <string.h>

#include "checkpoint.h"
#include "core.h"
#include "ops.h"
#include "options.h"

static void filled(void *data, const struct pager_rep *rep)
{
	struct request *q = data;

	if (rep->result < 0)
		request_failf(q, -rep->result, "", "the pager: %s", strerror(-rep->result));
	else
		request_ok(q, json_object());
}

void op_fill(struct request *q)
{
	const char *name = json_string_value(json_object_get(q->json, "checkpoint"));
	const char *what = json_string_value(json_object_get(q->json, "fill"));
	const struct checkpoint *cp = checkpoint_lookup(name);
	struct pager_req req = { .op = PAGER_IMAGE_FILL };
	enum fill fill;
	int r;

	if (!cp || !cp->complete) {
		request_failf(q, ENOENT, "see `vmforkctl checkpoint ls`",
			      "no checkpoint named '%.64s'", name);
		return;
	}
	if (fill_parse(what, &fill) < 0) {
		request_failf(q, EINVAL, "none, record or all", "no way to fill is '%.64s'", what);
		return;
	}
	req.handle = cp->handle;
	req.fill = fill == FILL_NONE ? 0 : opt.fill_max / PAGER_PAGE_SIZE;
	req.flags = fill == FILL_ALL ? PAGER_F_FILL_ALL : 0;
	r = core_pager(&req, NULL, 0, filled, q);
	if (r < 0)
		request_failf(q, -r, "try again", "the pager does not answer: %s", strerror(-r));
}
