/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of clones: a JSON object that vmfork(1) makes in the parent and reads in the clone. */
#ifndef WRAPPER_PARAMETERS_H
#define WRAPPER_PARAMETERS_H

#include "options.h"

/**
 * DOC: Members
 *
 *   "env"     strings by name, for the command's environment (--env)
 *   "vmfork"  for a clone of a checkpoint, what else --from was given: "argv", "put",
 *             "stdin", "get", "keep"
 *   others    --param and --params; strings, or whatever the file had
 */

/**
 * params_make() - what @o asks for.
 * @ret_text:	one line of JSON, free() it; NULL if nothing is asked for
 * Return: 0, or a STATUS_*: what is wrong was said.
 */
int params_make(const struct options *o, char **ret_text);

/**
 * params_parse() - @text is that of a clone; hostile.
 * @o:		members that "vmfork" has are taken over; strings stay valid for ever
 * @ret_argv:	a command that takes the place of the recorded one, else untouched
 * Return: 0; -EINVAL: not an object, or with members of the wrong kind.
 */
int params_parse(const char *text, size_t len, struct options *o, char ***ret_argv);

/** params_read() - this clone's, into environment (VMFORK_PARAMS and "env") and options.
 * Return: 1 there are some; 0; -errno. */
int params_read(int vm, struct options *o, char ***ret_argv);

/** params_show() - print them, or say that there are none. Return: exit status. */
int params_show(int vm);

#endif /* WRAPPER_PARAMETERS_H */
