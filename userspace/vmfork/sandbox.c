// SPDX-License-Identifier: GPL-2.0-or-later
/* --sandbox: a clone whose changes to its disks are listed. The host keeps its links shut. */
#include <string.h>

#include "clone.h"
#include "sandbox.h"

int sandbox_enter(struct link *l, struct change_list *ret_before)
{
	int r = changes_look(ret_before);

	if (r)
		link_say(l, "vmfork: sandbox: cannot look at the disks: %s\n", strerror(-r));
	return r;
}

static void say_change(void *data, char kind, const char *path)
{
	char line[4];

	/* not link_say(): a path may be longer than its line */
	line[0] = kind;
	line[1] = ' ';
	link_send(data, TAG_ERR, line, 2);
	link_send(data, TAG_ERR, path, strlen(path));
	link_send(data, TAG_ERR, "\n", 1);
}

void sandbox_report(struct link *l, struct change_list *before)
{
	struct change_list after;
	size_t n;
	int r = changes_look(&after);

	if (r) {
		link_say(l, "vmfork: sandbox: cannot look at the disks: %s\n", strerror(-r));
		changes_free(before);
		return;
	}
	n = changes_compare(before, &after, say_change, l);
	if (!n)
		link_say(l, "vmfork: sandbox: nothing was changed on its disks\n");
	changes_free(before);
	changes_free(&after);
}
