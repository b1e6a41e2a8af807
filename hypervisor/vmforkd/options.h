/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of vmforkd, shared by its two roles. */
#ifndef VMFORKD_OPTIONS_H
#define VMFORKD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "address.h"

#define OPT_PATH_MAX 256

struct options {
	char runtime_dir[OPT_PATH_MAX];
	char image_dir[OPT_PATH_MAX];
	char socket[OPT_PATH_MAX];
	char lib_dir[OPT_PATH_MAX];	/* libvmfork-ram.so */
	char pager[OPT_PATH_MAX];	/* program */
	char cgroup[OPT_PATH_MAX];	/* internal: that of machines' cgroups; empty: none */
	char user[64];			/* whom QEMU runs as; empty: as vmforkd */
	char pager_user[64];		/* whom the pager runs as; empty: as vmforkd */
	uid_t uid;			/* of user; ~0: unchanged */
	gid_t gid;
	unsigned int clones_max;	/* per ticket */
	unsigned int clones_total;
	uint64_t memory_max;		/* bytes; 0: MemAvailable alone limits */
	unsigned int identity_timeout;	/* seconds beyond the agent's own limit */
	struct net_pool net_pool;	/* subnets for families with net "bridge" */
	bool net_isolated;		/* clones of a family do not reach each other */
	bool net_without_agent;		/* open the network of clones that have none */
	bool die_with_parent;
	bool control;			/* internal: this is the control role */
};

extern struct options opt;

/**
 * options_parse() - fill @o from the command line.
 * Return: 0 go on; 1 all said already (--help, --version); -EINVAL: said on stderr.
 */
int options_parse(struct options *o, int argc, char **argv);

/** parse_size() - "512M", "2G", "1048576" -> bytes. Return 0 or -EINVAL. */
int parse_size(const char *s, uint64_t *ret);

#endif /* VMFORKD_OPTIONS_H */
