// SPDX-License-Identifier: GPL-2.0-or-later
/* Answers of vmforkd, checked: nothing is taken to be there because it should be. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "answer.h"
#include "client.h"

static const char *text_or(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : otherwise;
}

int answer_check(const json_t *line, json_int_t id, struct answer *ret)
{
	const json_t *given = json_object_get(line, "id"), *ok = json_object_get(line, "ok");
	json_t *result = json_object_get(line, "result"), *error = json_object_get(line, "error");
	struct answer a = { .name = "", .message = "", .hint = "" };

	if (!json_is_integer(given) || json_integer_value(given) != id || !json_is_boolean(ok))
		return -EBADMSG;
	if (json_is_true(ok)) {
		if (!json_is_object(result))
			return -EBADMSG;
		a.result = result;
	} else {
		if (!json_is_object(error))
			return -EBADMSG;
		a.name = text_or(error, "errno", "");
		a.message = text_or(error, "message", "no reason given");
		a.hint = text_or(error, "hint", "");
	}
	*ret = a;
	return 0;
}

const char *get_text(const json_t *o, const char *key)
{
	return text_or(o, key, "-");
}

json_int_t get_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

bool has_number(const json_t *o, const char *key)
{
	return json_is_number(json_object_get(o, key));
}

double get_number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

json_t *get_object(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_object(v) ? v : NULL;
}

json_t *get_array(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_array(v) ? v : NULL;
}

const char *get_handle(const json_t *o, const char *key, char text[HANDLE_TEXT])
{
	const json_t *v = json_object_get(o, key);

	if (json_is_string(v))
		snprintf(text, HANDLE_TEXT, "%s", json_string_value(v));
	else if (json_integer_value(v))
		snprintf(text, HANDLE_TEXT, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else
		snprintf(text, HANDLE_TEXT, "-");
	return text;
}

json_t *find_vm(const json_t *result, const char *name)
{
	json_t *vms = get_array(result, "vms"), *vm;
	char text[HANDLE_TEXT];
	size_t i;

	json_array_foreach(vms, i, vm)
		if (!strcmp(get_text(vm, "name"), name) ||
		    !strcmp(get_handle(vm, "handle", text), name))
			return vm;
	return NULL;
}
