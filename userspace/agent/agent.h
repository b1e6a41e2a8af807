/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon: registered with the module, it waits to find itself in a clone. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "config.h"

/** agent_run() - until SIGTERM or SIGINT. Return: an exit status. */
int agent_run(const struct config *cfg);

#endif /* AGENT_AGENT_H */
