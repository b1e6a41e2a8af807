/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts of identity: /etc/hosts, resolv.conf, IDs. Pure functions. */
#ifndef AGENT_TEXT_H
#define AGENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_TEXT_MAX	40	/* bytes of an ID's text, with newline and NUL */

/** struct hosts_self - what /etc/hosts is to say of this machine. */
struct hosts_self {
	const char *old_name;	/* what it called itself until now */
	const char *name;
	const char *domain;	/* or "" */
	const char *address;	/* or NULL */
};

/**
 * hosts_text() - /etc/hosts of the clone.
 *
 * On lines of loopback addresses the old name becomes the new one. A line that this
 * function made before (it has a mark) goes; if there is an address a new one comes.
 * If no line is left that has the name, 127.0.1.1 gets it.
 * Return: malloc()ed text, or NULL.
 */
char *hosts_text(const char *old, size_t len, const struct hosts_self *self);

/** resolv_text() - resolv.conf with one server. Return: malloc()ed text, or NULL. */
char *resolv_text(const char *dns, const char *domain);

/** name_valid() - a host name label or labels: [A-Za-z0-9.-], no empty label. */
bool name_valid(const char *name);

/** machine_id_text() - 32 hexadecimal digits and a newline, of a random UUID. */
void machine_id_text(const uint8_t random[16], char text[ID_TEXT_MAX]);

/** boot_id_text() - the same with dashes. */
void boot_id_text(const uint8_t random[16], char text[ID_TEXT_MAX]);

#endif /* AGENT_TEXT_H */
