/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /run/vmfork/identity.json: how this clone came to its identity; and `vmfork-agent --status`. */
#ifndef AGENT_REPORT_H
#define AGENT_REPORT_H

#include <stdbool.h>

#include "clone.h"
#include "file.h"

#define IDENTITY_REPORT	RUN_DIR "/identity.json"

/** report_write() - @c as JSON, for everybody to read. Return: 0 or -errno. */
int report_write(const struct clone *c);

/** report_status() - who this machine is and how its last identity was made, to stdout.
 * Return: an exit status. */
int report_status(bool json);

#endif /* AGENT_REPORT_H */
