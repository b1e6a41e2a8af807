/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd_notify(3)'s protocol: libsystemd is not to be had static. */
#ifndef AGENT_NOTIFY_H
#define AGENT_NOTIFY_H

/** notify() - tell the service manager, if there is one; never waits. */
void notify(const char *state);

#endif /* AGENT_NOTIFY_H */
