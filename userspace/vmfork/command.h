/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command in a clone: its process, its output, its input. */
#ifndef WRAPPER_COMMAND_H
#define WRAPPER_COMMAND_H

#include <stdbool.h>

#include "link.h"

/** command_signals() - what the terminal and others send: SIG_IGN or SIG_DFL. */
void command_signals(void (*how)(int));

/**
 * command_run() - run @argv until it has ended and its output is closed.
 * @input:	its stdin comes over the link; else from /dev/null
 * Return: its status, 128 + signal, or a STATUS_* of ours.
 */
int command_run(struct link *l, char *const *argv, bool input);

#endif /* WRAPPER_COMMAND_H */
