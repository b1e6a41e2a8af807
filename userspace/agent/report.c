// SPDX-License-Identifier: GPL-2.0-or-later
/* /run/vmfork/identity.json, and `vmfork-agent --status`. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "missing.h"
#include "report.h"
#include "settle.h"

static json_t *handle(uint64_t h)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, h);
	return json_string(text);
}

static json_t *who_json(const struct vmfork_identity *w)
{
	return json_pack("{s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:I}", "id", (int)w->id, "depth",
			 (int)w->depth, "clones", (int)w->clones, "family", handle(w->family), "vm",
			 handle(w->vm), "parent", handle(w->parent), "checkpoint",
			 handle(w->checkpoint), "generation", (json_int_t)w->generation);
}

static json_t *steps_json(const struct clone *c)
{
	json_t *steps = json_array();
	int i;

	for (i = 0; i < STEP_MAX; i++)
		if (c->steps[i].done)
			json_array_append_new(steps,
					      json_pack("{s:s, s:i, s:f}", "name",
							step_name((enum step)i), "result",
							c->steps[i].result, "ms", c->steps[i].ms));
	return steps;
}

int report_write(const struct clone *c)
{
	json_t *root = who_json(&c->who);
	char *text;
	int r;

	if (!root)
		return -ENOMEM;
	json_object_set_new(root, "hostname", json_string(c->name));
	json_object_set_new(root, "link", json_string(c->link));
	json_object_set_new(root, "address", json_string(c->address));
	json_object_set_new(root, "sockets_destroyed", json_integer(c->sockets));
	json_object_set_new(root, "processes_killed", json_integer(c->killed));
	json_object_set_new(root, "steps", steps_json(c));
	json_object_set_new(root, "identified_ms", json_real(c->identified_ms));
	if (c->released_ms > 0)
		json_object_set_new(root, "released_ms", json_real(c->released_ms));
	text = json_dumps(root, JSON_REAL_PRECISION(6));
	json_decref(root);
	r = text ? file_replace(IDENTITY_REPORT, 0644, text, strlen(text)) : -ENOMEM;
	free(text);
	return r;
}

static json_t *missing_json(const struct vmfork_api *api)
{
	json_t *list = json_array();
	unsigned int at = 0;
	const char *text;

	while ((text = missing_next(api, &at)))
		json_array_append_new(list, json_string(text));
	return list;
}

/* All that is known, in one object. */
static int status_json(json_t **ret)
{
	struct vmfork_identity who;
	struct vmfork_api api;
	json_t *report, *settle;
	int fd = open("/dev/vmfork", O_RDWR | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, VMFORK_GET_ID, &who) || ioctl(fd, VMFORK_GET_API, &api))
		r = -errno;
	close(fd);
	if (r)
		return r;
	*ret = who_json(&who);
	json_object_set_new(*ret, "agent", json_boolean(api.features & VMFORK_FEATURE_AGENT));
	json_object_set_new(*ret, "missing", missing_json(&api));
	report = json_load_file(IDENTITY_REPORT, 0, NULL);
	settle = json_load_file(SETTLE_REPORT, 0, NULL);
	if (report && settle)
		json_object_update(report, settle);
	if (report)
		json_object_set(*ret, "identity", report);
	json_decref(settle);
	json_decref(report);
	return 0;
}

static void print_steps(const json_t *identity, const char *title, const char *member)
{
	const json_t *steps = json_object_get(identity, member), *step;
	size_t i;

	json_array_foreach(steps, i, step)
		printf("%-11s %-14s %9.2f ms%s\n", i ? "" : title,
		       json_string_value(json_object_get(step, "name")),
		       json_number_value(json_object_get(step, "ms")),
		       json_integer_value(json_object_get(step, "result")) ? "  failed" : "");
}

static void print_number(const json_t *o, const char *title, const char *member)
{
	printf("%-11s %" JSON_INTEGER_FORMAT "\n", title,
	       json_integer_value(json_object_get(o, member)));
}

static void print_status(const json_t *s)
{
	const json_t *missing = json_object_get(s, "missing");
	const json_t *identity = json_object_get(s, "identity"), *item;
	size_t i;

	print_number(s, "id", "id");
	print_number(s, "depth", "depth");
	printf("%-11s %s\n", "vm", json_string_value(json_object_get(s, "vm")));
	printf("%-11s %s\n", "parent", json_string_value(json_object_get(s, "parent")));
	printf("%-11s %s\n", "agent", json_is_true(json_object_get(s, "agent")) ? "yes" : "no");
	json_array_foreach(missing, i, item)
		printf("%-11s %s\n", i ? "" : "missing", json_string_value(item));
	if (!identity)
		return;
	printf("%-11s %s\n", "hostname", json_string_value(json_object_get(identity, "hostname")));
	printf("%-11s %s\n", "address", json_string_value(json_object_get(identity, "address")));
	print_number(identity, "destroyed", "sockets_destroyed");
	print_number(identity, "killed", "processes_killed");
	print_steps(identity, "before", "steps");
	printf("%-11s %-14s %9.2f ms\n", "", "all",
	       json_number_value(json_object_get(identity, "identified_ms")));
	print_steps(identity, "after", "settle");
}

int report_status(bool json)
{
	json_t *status = NULL;
	int r = status_json(&status);

	if (r) {
		fprintf(stderr, "vmfork-agent: /dev/vmfork: %s%s\n", strerror(-r), device_hint(r));
		return 1;
	}
	if (json) {
		json_dumpf(status, stdout, JSON_REAL_PRECISION(6));
		putchar('\n');
	} else {
		print_status(status);
	}
	json_decref(status);
	return 0;
}
