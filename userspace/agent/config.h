/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /etc/vmfork/agent.conf: what is to be done in a clone. See vmfork-agent.conf(5). */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "step.h"

#define CONFIG_PATH		"/etc/vmfork/agent.conf"
#define CONFIG_MAX		65536	/* bytes of the file */
#define WORDS_MAX		64
#define WORD_MAX		128	/* bytes, with the NUL */

/** struct words - a list of short words. */
struct words {
	unsigned int n;
	char word[WORDS_MAX][WORD_MAX];
};

enum without_host { WITHOUT_DOWN, WITHOUT_DHCP };
enum machine_id { MACHINE_ID_PERSISTENT, MACHINE_ID_TRANSIENT, MACHINE_ID_KEEP };
enum host_keys { HOST_KEYS_KEEP, HOST_KEYS_REGENERATE, HOST_KEYS_PARAMS };
enum timers { TIMERS_SKIP, TIMERS_KEEP };

/** struct config - all of it; config_init() sets what holds without a file. */
struct config {
	unsigned int timeout_ms;	/* from the fork point to the report */
	uint32_t optional;		/* bit of each step that may fail */

	bool net_root;			/* configure a root VM's network too */
	bool net_sockets;		/* destroy the parent's connections */
	bool net_resolv_conf;
	enum without_host net_without_host;
	char net_dhcp[WORD_MAX];	/* command that renews the lease, or empty */

	bool hostname;
	bool hosts;
	enum machine_id machine_id;
	bool boot_id;

	struct words kill_units;	/* patterns of fnmatch(3) */
	struct words kill_executables;
	bool kill_restart;

	enum host_keys host_keys;
	struct words key_types;

	char hooks_dir[WORD_MAX];
	unsigned int pre_timeout_ms;	/* of all hooks together */
	unsigned int post_timeout_ms;

	bool reexec;			/* systemd learns its new machine-id */
	bool journald;
	enum timers timers;
	unsigned int settle_ms;		/* how long timers stay held after all else */
};

/** struct config_error - where and what. */
struct config_error {
	unsigned int line;		/* 1.., or 0: the file as a whole */
	char text[128];
};

void config_init(struct config *c);

/**
 * config_parse() - read a file's bytes. Pure.
 * @c:		config_init()ed; on failure partly changed
 * Return: 0, or -EINVAL with *@ret_error.
 */
int config_parse(struct config *c, const char *buf, size_t len,
		 struct config_error *ret_error);

/**
 * config_load() - read @path. A file that is not there is an empty one, unless
 * @must_exist. Return: 0 or -errno with *@ret_error.
 */
int config_load(struct config *c, const char *path, bool must_exist,
		struct config_error *ret_error);

/** words_add() - Return: 0 (also if it is there), -ENOSPC, -ENAMETOOLONG. */
int words_add(struct words *w, const char *word, size_t len);

#endif /* AGENT_CONFIG_H */
