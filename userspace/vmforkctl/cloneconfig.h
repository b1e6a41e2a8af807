/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that say what machines may have, and what clones are told. */
#ifndef VMFORKCTL_CLONECONFIG_H
#define VMFORKCTL_CLONECONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

/* Each: 0, or -EINVAL with what is wrong in @why. */

/** limit_set() - @option "lifetime", "memory-limit" or "cpu-weight" into @limits. */
int limit_set(json_t *limits, const char *option, const char *text, char *why, size_t size);
/** param_set() - "KEY=VALUE": a string member of @params. */
int param_set(json_t *params, const char *text, char *why, size_t size);
/** params_file() - the members of the JSON object in file @path. */
int params_file(json_t *params, const char *path, char *why, size_t size);
/** seconds_parse() - "90", "90s", "5m", "2h", "1d", at least 1 s. */
int seconds_parse(const char *text, uint64_t *ret);

#endif /* VMFORKCTL_CLONECONFIG_H */
