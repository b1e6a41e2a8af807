/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the parent's identity to the clone's own: the steps, run while user code is held. */
#ifndef AGENT_CLONE_H
#define AGENT_CLONE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/vmfork.h>
#include <net/if.h>

#include "config.h"
#include "link.h"
#include "step.h"

#define ENV_MAX		16

/** struct step_result - how one step went. */
struct step_result {
	bool done;
	int result;		/* 0 or -errno */
	double ms;
};

/** struct clone - one becoming of a clone; the agent has one at a time. */
struct clone {
	const struct config *cfg;
	int dev;
	struct vmfork_identity who;

	bool has_net;
	struct vmfork_net net;	/* if @has_net */
	struct links links;	/* what was up in the parent */
	char link[IFNAMSIZ];	/* the device that was configured, or "" */
	char address[16];	/* as text, or "" */

	char old_name[65];
	char name[65];
	char *params;		/* or NULL; malloc()ed */
	size_t params_len;

	/* Services to start again. It outlives the clone: who is forked before all of
	 * them were started has to start the rest. */
	struct words restart;

	unsigned int sockets;	/* destroyed */
	unsigned int killed;
	double begun;		/* clock_ms() */
	double identified_ms;	/* what all steps took */
	double released_ms;	/* when VMFORK_AGENT_REPORT had returned */
	struct step_result steps[STEP_MAX];
	char why[VMFORK_WHY_MAX];

	char env_text[ENV_MAX][160];
	char *env[ENV_MAX + 1];	/* for hooks */
};

/**
 * clone_identify() - run the steps. Only @cfg, @dev, @who and @restart are to be set.
 * Return: 0, or the -errno of a step that is not optional; @why says more.
 */
int clone_identify(struct clone *c);

/** clone_free() - what clone_identify() allocated. */
void clone_free(struct clone *c);

#endif /* AGENT_CLONE_H */
