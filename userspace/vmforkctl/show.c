// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkd's objects as tables. */
#include <inttypes.h>
#include <string.h>

#include "vmforkctl.h"

static void add_size(struct table *t, const json_t *o, const char *key)
{
	char text[SIZE_TEXT];

	if (has_number(o, key))
		table_add(t, "%s", size_text((uint64_t)get_int(o, key), text));
	else
		table_add(t, "-");
}

static void add_duration(struct table *t, const json_t *o, const char *key)
{
	char text[SIZE_TEXT];

	if (has_number(o, key))
		table_add(t, "%s", duration_text((uint64_t)get_int(o, key), text));
	else
		table_add(t, "-");
}

static void add_count(struct table *t, const json_t *o, const char *key)
{
	if (has_number(o, key))
		table_add(t, "%" JSON_INTEGER_FORMAT, get_int(o, key));
	else
		table_add(t, "-");
}

static void add_ms(struct table *t, const json_t *o, const char *key)
{
	if (has_number(o, key))
		table_add(t, "%.1f", get_number(o, key));
	else
		table_add(t, "-");
}

static void add_handle(struct table *t, const json_t *o, const char *key)
{
	char text[HANDLE_TEXT];

	table_add(t, "%s", get_handle(o, key, text));
}

/* a clone that runs is held until its agent has completed its identity */
static const char *state_of(const json_t *vm)
{
	const char *state = get_text(vm, "state");

	return !strcmp(state, "running") && !strcmp(get_text(vm, "identity"), "held") ?
		"held" : state;
}

/* an address, or "user"; and whether anything passes */
static void add_network(struct table *t, const json_t *vm)
{
	const json_t *net = get_object(vm, "net");
	const char *mode = get_text(net, "mode"), *link = get_text(net, "link");
	bool has_address = json_object_get(net, "address");

	table_add(t, "%s", has_address ? get_text(net, "address") :
		  strcmp(mode, "none") ? mode : "-");
	/* "shut: no agent" */
	table_add(t, "%.*s", (int)strcspn(link, ":"), link);
}

/* what a word in the table does not say */
static void show_reasons(json_t *vms)
{
	char name[128], why[256];
	json_t *vm;
	size_t i;

	json_array_foreach(vms, i, vm) {
		if (strcmp(get_text(vm, "state"), "io-error"))
			continue;
		text_clean(name, sizeof(name), get_text(vm, "name"));
		text_clean(why, sizeof(why), get_text(vm, "why"));
		printf("%s stands still until its disk can be written: %s\n", name, why);
	}
}

void show_vms(const json_t *result)
{
	json_t *vms = get_array(result, "vms"), *vm;
	struct table t;
	size_t i;

	table_init(&t, "lrrlllrrlrrlll", "NAME HANDLE ID STATE CHANNEL ACCEL CPUS MEMORY KERNEL "
		   "FORKS UPTIME PID ADDRESS LINK");
	json_array_foreach(vms, i, vm) {
		table_add(&t, "%s", get_text(vm, "name"));
		add_handle(&t, vm, "handle");
		add_count(&t, vm, "id");
		table_add(&t, "%s", state_of(vm));
		table_add(&t, "%s", get_text(vm, "channel"));
		table_add(&t, "%s", get_text(vm, "accel"));
		add_count(&t, vm, "vcpus");
		add_size(&t, vm, "memory");
		table_add(&t, "%s", get_text(vm, "kernel_release"));
		add_count(&t, vm, "forks");
		add_duration(&t, vm, "uptime_ms");
		add_count(&t, vm, "pid");
		add_network(&t, vm);
	}
	table_print(&t, stdout);
	table_free(&t);
	show_reasons(vms);
}

/* of a ticket's parent: its name if it is listed, "host", or its handle */
static void add_parent(struct table *t, const json_t *result, const json_t *ticket)
{
	char text[HANDLE_TEXT];
	json_t *vm;

	get_handle(ticket, "parent", text);
	vm = find_vm(result, text);
	table_add(t, "%s", vm ? get_text(vm, "name") : strcmp(text, "-") ? text : "host");
}

void show_tickets(const json_t *result)
{
	json_t *tickets = get_array(result, "tickets"), *ticket;
	struct table t;
	size_t i;

	table_init(&t, "rllrrrr", "TICKET PARENT STATE GRANTED LIVE ENDED CHECKPOINT");
	json_array_foreach(tickets, i, ticket) {
		add_handle(&t, ticket, "handle");
		add_parent(&t, result, ticket);
		table_add(&t, "%s", get_text(ticket, "state"));
		add_count(&t, ticket, "granted");
		add_count(&t, ticket, "live");
		table_add(&t, "%zu", json_array_size(get_array(ticket, "exits")));
		add_handle(&t, ticket, "checkpoint");
	}
	table_print(&t, stdout);
	table_free(&t);
}

void show_checkpoints(const json_t *result)
{
	json_t *checkpoints = get_array(result, "checkpoints"), *cp;
	struct table t;
	size_t i;

	table_init(&t, "lrlrrrrr", "CHECKPOINT HANDLE VM CLONES DESCRIPTOR STORED IMAGE PRESENT");
	json_array_foreach(checkpoints, i, cp) {
		table_add(&t, "%s", get_text(cp, "name"));
		add_handle(&t, cp, "handle");
		table_add(&t, "%s", get_text(cp, "vm"));
		add_count(&t, cp, "clones");
		add_size(&t, cp, "descriptor_bytes");
		add_size(&t, cp, "descriptor_stored_bytes");
		add_size(&t, cp, "image_bytes");
		add_count(&t, cp, "image_present_pages");
	}
	table_print(&t, stdout);
	table_free(&t);
}

/* AHEAD: put into the image before they were asked for; HELD, USED: see the man page. */
static void show_images(const json_t *result)
{
	json_t *checkpoints = get_array(result, "checkpoints"), *cp;
	struct table t;
	size_t i;

	if (!json_array_size(checkpoints))
		return;
	table_init(&t, "llrrrrrrr", "CHECKPOINT VM CLONES PRESENT ZERO AHEAD RECORD HELD USED");
	json_array_foreach(checkpoints, i, cp) {
		const json_t *pages = get_object(cp, "pager");

		if (json_is_string(json_object_get(cp, "name")))
			table_add(&t, "%s", get_text(cp, "name"));
		else
			add_handle(&t, cp, "handle");
		table_add(&t, "%s", get_text(cp, "vm"));
		add_count(&t, cp, "clones");
		add_count(&t, pages, "present");
		add_count(&t, pages, "zero");
		add_count(&t, pages, "prefetched");
		add_count(&t, pages, "recorded");
		add_count(&t, pages, "probes");
		add_count(&t, pages, "probes_used");
	}
	putchar('\n');
	table_print(&t, stdout);
	table_free(&t);
}

void show_stats(const json_t *result)
{
	json_t *vms = get_array(result, "vms"), *vm;
	struct table t;
	size_t i;

	table_init(&t, "lrrrrrrrrrrr", "NAME ID RESUMED-MS PAUSE-MS FAULTS FETCHED SHARED AVOIDED "
		   "PRIVATE RSS PSS DIRTY");
	json_array_foreach(vms, i, vm) {
		const json_t *pages = get_object(vm, "pager"), *use = get_object(vm, "memory_use");
		const json_t *times = get_object(vm, "times");

		table_add(&t, "%s", get_text(vm, "name"));
		add_count(&t, vm, "id");
		add_ms(&t, times, "resumed_ms");
		add_ms(&t, times, "pause_ms");
		add_count(&t, pages, "faults");
		add_count(&t, pages, "fetched");
		add_count(&t, pages, "shared");
		add_count(&t, pages, "avoided");
		add_count(&t, pages, "private");
		add_size(&t, use, "rss");
		add_size(&t, use, "pss");
		add_size(&t, use, "private_dirty");
	}
	table_print(&t, stdout);
	table_free(&t);
	show_images(result);
}

void show_exits(const json_t *result)
{
	const json_t *ticket = get_object(result, "ticket");
	json_t *exits = get_array(ticket ? ticket : result, "exits"), *e;
	struct table t;
	size_t i;

	table_init(&t, "rllrl", "ID VM REASON STATUS WHY");
	json_array_foreach(exits, i, e) {
		add_count(&t, e, "id");
		table_add(&t, "%s", get_text(e, "vm"));
		table_add(&t, "%s", get_text(e, "reason"));
		add_count(&t, e, "status");
		table_add(&t, "%s", get_text(e, "why"));
	}
	table_print(&t, stdout);
	table_free(&t);
}

void show_ticket_line(const json_t *result)
{
	const json_t *ticket = get_object(result, "ticket");
	char handle[HANDLE_TEXT];

	printf("ticket %s: %" JSON_INTEGER_FORMAT " clones\n",
	       get_handle(ticket, "handle", handle), get_int(ticket, "granted"));
}
