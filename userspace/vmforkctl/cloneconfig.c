// SPDX-License-Identifier: GPL-2.0-or-later
/* Options that say what machines may have, and what clones are told. */
#include "cloneconfig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "size.h"

int seconds_parse(const char *text, uint64_t *ret)
{
	static const char units[] = "smhd";
	static const uint64_t seconds[] = { 1, 60, 3600, 86400 };
	size_t n = strspn(text, "0123456789");
	const char *unit = text[n] ? strchr(units, text[n]) : units;
	char digits[16];
	uint64_t v;

	if (!unit || n >= sizeof(digits) || (text[n] && text[n + 1]))
		return -EINVAL;
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (number_parse(digits, 1, UINT32_MAX, &v) || v * seconds[unit - units] > UINT32_MAX)
		return -EINVAL;
	*ret = v * seconds[unit - units];
	return 0;
}

static int set(json_t *o, const char *key, uint64_t value)
{
	return json_object_set_new(o, key, json_integer((json_int_t)value)) ? -ENOMEM : 0;
}

int limit_set(json_t *limits, const char *option, const char *text, char *why, size_t size)
{
	uint64_t v;

	if (!strcmp(option, "lifetime")) {
		if (seconds_parse(text, &v) == 0)
			return set(limits, "lifetime_s", v);
		snprintf(why, size, "not a time: %s (as in 90, 5m, 2h, 1d)", text);
	} else if (!strcmp(option, "memory-limit")) {
		if (size_parse(text, &v) == 0 && v >> 20)
			return set(limits, "memory_mib", v >> 20);
		snprintf(why, size, "not a size of 1M or more: %s", text);
	} else {
		if (number_parse(text, 1, 10000, &v) == 0)
			return set(limits, "cpu_weight", v);
		snprintf(why, size, "not a weight, 1 to 10000: %s", text);
	}
	return -EINVAL;
}

int param_set(json_t *params, const char *text, char *why, size_t size)
{
	size_t n = strcspn(text, "=");
	char key[128];

	if (!text[n] || !n || n >= sizeof(key)) {
		snprintf(why, size, "not KEY=VALUE: %s", text);
		return -EINVAL;
	}
	memcpy(key, text, n);
	key[n] = '\0';
	if (json_object_set_new(params, key, json_string(text + n + 1)) == 0)
		return 0;
	snprintf(why, size, "not UTF-8: %s", text);
	return -EINVAL;
}

int params_file(json_t *params, const char *path, char *why, size_t size)
{
	json_error_t e;
	json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
	int r = -EINVAL;

	if (!o)
		snprintf(why, size, "%s: %s", path, e.text);
	else if (!json_is_object(o))
		snprintf(why, size, "%s: not a JSON object", path);
	else
		r = json_object_update(params, o) ? -ENOMEM : 0;
	json_decref(o);
	return r;
}
