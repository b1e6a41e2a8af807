/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What main.c and the verbs share. */
#ifndef VMFORKCTL_H
#define VMFORKCTL_H

#include <stdbool.h>

#include "answer.h"
#include "client.h"
#include "size.h"
#include "table.h"

#define STATUS_OK	0
#define STATUS_ERROR	1	/* vmforkd refused, or could not be reached; it was said */
#define STATUS_USAGE	2

struct verb;

struct ctl {
	const struct verb *verb;
	const char *socket;	/* --socket, or NULL */
	bool json;		/* --json: the raw result */
	struct client client;	/* open once ctl_call() or ctl_connect() was called */
};

/** struct verb - one row of main.c's table. */
struct verb {
	const char *name;
	const char *synopsis;	/* after "vmforkctl NAME" */
	const char *summary;
	/** argv[0] is the verb; options are the verb's own. Return: STATUS_* */
	int (*fn)(struct ctl *ctl, int argc, char **argv);
	const char *options;	/* for --help, a line each; NULL: none but those above */
};

extern const char run_options[];
extern const char clone_options[], fork_options[], checkpoint_options[];

/** usage() - the verb was used wrongly: @fmt says how. Return: STATUS_USAGE */
int usage(const struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** usage_option() - getopt_long() returned '?' and said why. Return: STATUS_USAGE */
int usage_option(const struct ctl *ctl);

/** ctl_connect() - Return: 0, or -errno, which was said. */
int ctl_connect(struct ctl *ctl);

/** ctl_call() - as client_call(), connecting first if need be. */
json_t *ctl_call(struct ctl *ctl, const char *op, json_t *request);

/** print_json() - @json on one line. Return: STATUS_OK */
int print_json(const json_t *json);

/** parse_clones() - the value of -n. Return: 0 or -EINVAL. */
int parse_clones(const char *text, json_int_t *ret);

/* show.c: objects as tables */
void show_vms(const json_t *result);
void show_tickets(const json_t *result);
void show_checkpoints(const json_t *result);
void show_stats(const json_t *result);
void show_exits(const json_t *result);
void show_ticket_line(const json_t *result);

int cmd_run(struct ctl *ctl, int argc, char **argv);
int cmd_ps(struct ctl *ctl, int argc, char **argv);
int cmd_tree(struct ctl *ctl, int argc, char **argv);
int cmd_fork(struct ctl *ctl, int argc, char **argv);
int cmd_checkpoint(struct ctl *ctl, int argc, char **argv);
int cmd_clone(struct ctl *ctl, int argc, char **argv);
int cmd_kill(struct ctl *ctl, int argc, char **argv);
int cmd_wait(struct ctl *ctl, int argc, char **argv);
int cmd_console(struct ctl *ctl, int argc, char **argv);
int cmd_stats(struct ctl *ctl, int argc, char **argv);
int cmd_top(struct ctl *ctl, int argc, char **argv);
int cmd_watch(struct ctl *ctl, int argc, char **argv);
int cmd_shutdown(struct ctl *ctl, int argc, char **argv);
int cmd_version(struct ctl *ctl, int argc, char **argv);

/** console_attach() - this terminal to the console of VM @name until Ctrl-] or its end. */
int console_attach(struct ctl *ctl, const char *name);

#endif /* VMFORKCTL_H */
