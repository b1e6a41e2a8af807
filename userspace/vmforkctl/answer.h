/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of vmforkd's answers, read without trust in their presence or type. */
#ifndef VMFORKCTL_ANSWER_H
#define VMFORKCTL_ANSWER_H

#include <stdbool.h>
#include <string.h>
#include <jansson.h>

#define HANDLE_TEXT 24

/* A missing member, one of another type, or a NULL @o: "-", 0, false or NULL. */
const char *get_text(const json_t *o, const char *key);
json_int_t get_int(const json_t *o, const char *key);
bool has_number(const json_t *o, const char *key);
double get_number(const json_t *o, const char *key);
json_t *get_object(const json_t *o, const char *key);
json_t *get_array(const json_t *o, const char *key);

/** get_handle() - a handle as text; "-" for 0 or none. Return: @text. */
const char *get_handle(const json_t *o, const char *key, char text[HANDLE_TEXT]);

/** find_vm() - the VM called @name, or whose handle it is, in result "vms"; borrowed. */
json_t *find_vm(const json_t *result, const char *name);

#endif /* VMFORKCTL_ANSWER_H */
