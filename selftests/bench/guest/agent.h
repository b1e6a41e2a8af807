/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmfork-agent, started and ended between two forks. */
#ifndef BENCH_AGENT_H
#define BENCH_AGENT_H

/** agent_set() - with @on, start it and wait until it is registered; else end it.
 * Return: 0 or a negative errno */
int agent_set(int on);

#endif /* BENCH_AGENT_H */
