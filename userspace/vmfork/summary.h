/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the clones ended, and what that makes together. */
#ifndef WRAPPER_SUMMARY_H
#define WRAPPER_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/vmfork.h>

struct clone_result {
	unsigned int reason;	/* enum vmfork_reason; 0: not ended */
	int status;		/* as of vmfork_exit_info */
	bool timed_out;		/* it was killed because its time was up */
	double seconds;		/* from its fork to its end */
	uint64_t out_bytes, err_bytes, got_bytes;
	char why[VMFORK_WHY_MAX];
};

struct summary {
	unsigned int requested, granted;
	uint64_t family;
	double seconds;
	int status;		/* of vmfork(1) */
	unsigned int n;
	char *const *sets;	/* @n argument sets, or NULL */
	const struct clone_result *clones;	/* @n of them; ID or job is index + 1 */
};

/** result_status() - one clone's end as an exit status: its own, 124 when its time was
 * up, 137 if it was killed, 125 if it was lost or never ended. */
int result_status(const struct clone_result *result);

/** summary_fold() - all clones' as one: 0 if all are 0; 124 if the time of any was up;
 * else the highest. */
int summary_fold(const struct clone_result *results, unsigned int n);

/** reason_name() - a word for @reason. */
const char *reason_name(unsigned int reason);

/** summary_print() - one line of JSON. Return: 0 or -EIO. */
int summary_print(FILE *to, const struct summary *s);

#endif /* WRAPPER_SUMMARY_H */
