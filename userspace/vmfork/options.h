/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vmfork(1) was asked to do. */
#ifndef WRAPPER_OPTIONS_H
#define WRAPPER_OPTIONS_H

#include <stdbool.h>

#define CLONES_MAX	4096	/* more than any ticket grants */

/* exit statuses of vmfork itself; see vmfork(1) */
#define STATUS_TIMEOUT		124
#define STATUS_FAILED		125
#define STATUS_NOT_EXECUTABLE	126
#define STATUS_NOT_FOUND	127

enum fail_mode { FAIL_LATE, FAIL_FAST, FAIL_NEVER };

struct options {
	unsigned int clones;
	bool exact;
	bool sync;
	bool label;
	bool group;		/* a clone's output at its end, in one piece */
	enum fail_mode fail;
	double timeout;		/* s; 0: none */
	const char *json;	/* path, "-" for stdout; NULL: no summary */
	const char *checkpoint;	/* make this one */
	const char *from;	/* create clones of this one */
	bool show_id;
	char **argv;		/* the command, NULL-terminated; may be empty */
};

#endif /* WRAPPER_OPTIONS_H */
