/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that the agent runs: with a time limit, and their end known for sure. */
#ifndef AGENT_SPAWN_H
#define AGENT_SPAWN_H

/** struct spawn - how to run one. */
struct spawn {
	char *const *argv;		/* argv[0] is a path, or found in PATH */
	char *const *envp;		/* added to the agent's own environment; or NULL */
	const char *output;		/* file for stdout and stderr, appended; NULL: the agent's */
	unsigned int timeout_ms;	/* then its process group gets SIGKILL */
};

/**
 * spawn_wait() - run it to its end, in a process group of its own.
 * Return: its exit status 0..255, 128 + signal, -ETIMEDOUT, or -errno.
 */
int spawn_wait(const struct spawn *s);

/** spawn() - the same for a command without frills, its arguments up to a NULL. */
int spawn(unsigned int timeout_ms, const char *command, ...);

#endif /* AGENT_SPAWN_H */
