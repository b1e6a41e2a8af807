/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the command line of vmfork(1) goes together, and what is said if it does not. */
#ifndef WRAPPER_OPTIONS_CHECK_H
#define WRAPPER_OPTIONS_CHECK_H

#include "options.h"

extern const char options_help[];

/** options_check() - Return: 0, or the exit status: it was said why. */
int options_check(const struct options *o);

#endif /* WRAPPER_OPTIONS_CHECK_H */
