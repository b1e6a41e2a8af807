/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vmfork(1) was asked to do. */
#ifndef WRAPPER_OPTIONS_H
#define WRAPPER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define CLONES_MAX	4096	/* more than any ticket grants */
#define PATHS_MAX	64	/* --put, --get: of each */
#define AT_A_TIME	8	/* --map, --args-from without -n */

/* exit statuses of vmfork itself; see vmfork(1) */
#define STATUS_TIMEOUT		124
#define STATUS_FAILED		125
#define STATUS_NOT_EXECUTABLE	126
#define STATUS_NOT_FOUND	127

enum fail_mode { FAIL_LATE, FAIL_FAST, FAIL_NEVER };
enum output_mode { OUTPUT_LINE, OUTPUT_GROUP, OUTPUT_DIR };

/** struct paths - a list of paths given one by one. */
struct paths {
	const char *path[PATHS_MAX];
	unsigned int n;
};

struct options {
	unsigned int clones;	/* in all; with jobs: at a time. 0: not said */
	bool exact;
	bool sync;
	bool label;
	enum output_mode output;
	const char *output_dir;
	enum fail_mode fail;
	unsigned int fail_after;	/* FAIL_FAST: at this many failures */
	double timeout;		/* s of each clone; 0: none */
	const char *json;	/* path, "-" for stdout; NULL: no summary */
	const char *checkpoint;	/* make this one */
	const char *from;	/* create clones of this one */
	const char *keep;	/* keep each clone at its end as this checkpoint */
	bool show_id;
	bool sandbox;
	bool use_stdin;		/* every command reads what vmfork reads */
	struct paths put, get;
	const char *into;	/* where what is got goes */
	bool map;		/* an argument set for each of @sets */
	const char *args_from;	/* or for each line of this file; "-": stdin */
	bool null;		/* its sets end with NUL */
	char **sets;
	unsigned int nsets;
	char **argv;		/* the command, NULL-terminated; may be empty */
};

/** options_jobs() - is there a queue of argument sets, each with a clone of its own? */
bool options_jobs(const struct options *o);

/**
 * options_parse() - the command line.
 * Return: 0 to go on; else exit with *@ret_status, all has been said.
 */
int options_parse(struct options *o, int argc, char **argv, int *ret_status);

#endif /* WRAPPER_OPTIONS_H */
