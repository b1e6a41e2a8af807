/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the clones ended, and what that makes together. */
#ifndef WRAPPER_SUMMARY_H
#define WRAPPER_SUMMARY_H

#include <stdint.h>
#include <stdio.h>
#include <linux/vmfork.h>

struct clone_result {
	unsigned int reason;	/* enum vmfork_reason; 0: not ended */
	int status;		/* as of vmfork_exit_info */
	double seconds;		/* from the fork to its end */
	uint64_t out_bytes, err_bytes;
};

struct summary {
	unsigned int requested, granted;
	uint64_t family;
	double seconds;
	int status;		/* of vmfork(1) */
	const struct clone_result *clones;	/* @granted of them; ID is index + 1 */
};

/** result_status() - one clone's end as an exit status: its own, 137 if it was
 * killed, 125 if it was lost or never ended. */
int result_status(const struct clone_result *result);

/** summary_fold() - all clones' as one: 0 if all are 0, else the highest. */
int summary_fold(const struct clone_result *results, unsigned int n);

/** summary_print() - one line of JSON. Return: 0 or -EIO. */
int summary_print(FILE *to, const struct summary *s);

#endif /* WRAPPER_SUMMARY_H */
