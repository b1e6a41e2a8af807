/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keeper role: owns processes and descriptors, restarts control and pager. */
#ifndef VMFORKD_KEEPER_H
#define VMFORKD_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "keeper_proto.h"

#define STORE_MAX	8192	/* fds kept for control */
#define CHILDREN_MAX	1024

struct options;

/** keeper_run() - the whole role. Return: the exit status of the process. */
int keeper_run(const struct options *o, char **argv);

/* keeper_store.c */
int store_put(const char *name, int fd);	/* takes @fd */
void store_drop(const char *pattern);		/* a name, or a prefix and '*' */
/** store_get() - the @i-th entry; NULL: no such one. */
const char *store_get(unsigned int i, int *ret_fd);

/* keeper_spawn.c */
/**
 * struct spawn - a process to be.
 * @fds:	become 3, 4, ...
 * @out:	stdout and stderr, or -1: the keeper's
 * @cgroup:	cgroup.procs of the one that it enters, or -1: the keeper's
 * @net:	keeps what a server of DNS and DHCP needs: ports below 1024, raw sockets, ARP
 */
struct spawn {
	char *const *argv;
	char *const *envp;
	const int *fds;
	unsigned int nfds;
	int out;
	uid_t uid;
	gid_t gid;
	int cgroup;
	bool no_new_privs;
	bool net;
};

/** spawn_process() - fork and exec. Return: pid, or -errno (of the exec, too). */
int spawn_process(const struct spawn *s);

/** spawn_unpack() - blob of NUL-terminated strings -> vectors. Pure.
 * Return: 0 or -EINVAL. @argv and @envp have room for argc + 1 and envc + 1. */
int spawn_unpack(char *blob, size_t len, unsigned int argc, unsigned int envc, char **argv,
		 char **envp);

#endif /* VMFORKD_KEEPER_H */
