/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine calls itself: host name, /etc/hosts, resolv.conf, machine-id, boot_id. */
#ifndef AGENT_NAMES_H
#define AGENT_NAMES_H

#include <stdbool.h>
#include <linux/vmfork.h>

#include "text.h"

#define BOOT_ID_PATH	"/proc/sys/kernel/random/boot_id"

/** names_hostname() - the kernel's, and /etc/hostname where there is one. */
int names_hostname(const char *name);

/** names_hosts() - /etc/hosts, if there is one. */
int names_hosts(const struct hosts_self *self);

/** names_resolv() - resolv.conf, if it is a file of its own and not a resolver's. */
int names_resolv(const char *dns, const char *domain);

/** names_machine_id() - a new random one; @persistent: in the file on disk, else (or
 * if that is read-only) mounted over it. Return: 0, also without /etc/machine-id. */
int names_machine_id(bool persistent);

/** names_boot_id() - a new random one, mounted over the kernel's. */
int names_boot_id(void);

/** names_rehearse() - a bind mount and its end. */
int names_rehearse(void);

#endif /* AGENT_NAMES_H */
