// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl tree: families, drawn. */
#include <stdlib.h>

#include "vmforkctl.h"

#define INDENT_MAX 256

struct tree {
	json_t *vms;
	bool *drawn;		/* each VM once, whatever the answer says */
};

/* does @vm hang below @parent ("-": below nobody)? */
static bool is_child(const struct tree *t, const json_t *vm, const char *parent)
{
	char text[HANDLE_TEXT], handle[HANDLE_TEXT];
	json_t *other;
	size_t i;

	get_handle(vm, "parent", text);
	if (strcmp(parent, "-"))
		return !strcmp(text, parent);
	json_array_foreach(t->vms, i, other)
		if (!strcmp(get_handle(other, "handle", handle), text))
			return false;
	return true;	/* a root, or its parent is gone */
}

static void print_vm(const json_t *vm, const char *indent, const char *branch)
{
	char name[128], state[32], handle[HANDLE_TEXT], parent[HANDLE_TEXT];

	text_clean(name, sizeof(name), get_text(vm, "name"));
	text_clean(state, sizeof(state), get_text(vm, "state"));
	printf("%s%s%s  %s", indent, branch, name, state);
	if (get_int(vm, "id"))
		printf("  id %" JSON_INTEGER_FORMAT, get_int(vm, "id"));
	get_handle(vm, "parent", parent);
	if (!*branch && strcmp(parent, "-"))
		printf("  (its parent %s is gone)", parent);
	printf("  [%s]\n", get_handle(vm, "handle", handle));
}

static void draw(struct tree *t, const char *parent, const char *indent)
{
	size_t i, next, n = json_array_size(t->vms);
	bool top = !strcmp(parent, "-");
	char deeper[INDENT_MAX], handle[HANDLE_TEXT];

	for (i = 0; i < n; i = next) {
		json_t *vm = json_array_get(t->vms, i);
		bool last;

		next = i + 1;
		if (t->drawn[i] || !is_child(t, vm, parent))
			continue;
		t->drawn[i] = true;
		while (next < n && (t->drawn[next] ||
				    !is_child(t, json_array_get(t->vms, next), parent)))
			next++;
		last = next == n;
		print_vm(vm, indent, top ? "" : last ? "`- " : "|- ");
		snprintf(deeper, sizeof(deeper), "%s%s", indent, top ? "" : last ? "   " : "|  ");
		get_handle(vm, "handle", handle);
		if (strcmp(handle, "-"))
			draw(t, handle, deeper);
	}
}

static void draw_all(struct tree *t)
{
	json_t *vm;
	size_t i;

	draw(t, "-", "");
	/* VMs that are each other's ancestors make no tree: list them */
	json_array_foreach(t->vms, i, vm)
		if (!t->drawn[i])
			print_vm(vm, "", "");
}

int cmd_tree(struct ctl *ctl, int argc, char **argv)
{
	struct tree t = { 0 };
	json_t *result;

	if (argc != 1)
		return usage(ctl, "no arguments, please");
	result = ctl_call(ctl, "ps", NULL);
	if (!result)
		return STATUS_ERROR;
	t.vms = get_array(result, "vms");
	t.drawn = calloc(json_array_size(t.vms) + 1, sizeof(*t.drawn));
	if (ctl->json)
		print_json(result);
	else if (t.drawn)
		draw_all(&t);
	free(t.drawn);
	json_decref(result);
	return STATUS_OK;
}
