// SPDX-License-Identifier: GPL-2.0-or-later
/* Parameters of clones. See parameters.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "parameters.h"
#include "vmfork.h"

static int bad(const char *what, const char *value)
{
	fprintf(stderr, "vmfork: %s: %s\n", what, value);
	return STATUS_FAILED;
}

/* NAME=VALUE into @o. */
static int set_pair(json_t *o, const char *pair)
{
	const char *eq = strchr(pair, '=');
	json_t *value;
	char *name;
	int r;

	if (!eq || eq == pair)
		return bad("not NAME=VALUE", pair);
	name = strndup(pair, (size_t)(eq - pair));
	value = json_string(eq + 1);
	r = !name || !value ? bad("not UTF-8", pair) : json_object_set(o, name, value);
	json_decref(value);
	free(name);
	return r ? STATUS_FAILED : 0;
}

static int load_file(const char *path, json_t **ret)
{
	json_error_t e;
	json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, &e);

	if (json_is_object(o)) {
		*ret = o;
		return 0;
	}
	fprintf(stderr, "vmfork: --params: %s: %s\n", path,
		o ? "not a JSON object" : e.text);
	json_decref(o);
	return STATUS_FAILED;
}

static json_t *string_array(char *const *list)
{
	json_t *a = json_array();

	for (; list && *list; list++)
		json_array_append_new(a, json_string(*list));
	return a;
}

static json_t *path_array(const struct paths *p)
{
	json_t *a = json_array();

	for (unsigned int i = 0; i < p->n; i++)
		json_array_append_new(a, json_string(p->path[i]));
	return a;
}

/* What a clone of a checkpoint cannot know from its own memory. */
static json_t *describe_run(const struct options *o)
{
	json_t *run = json_object();

	if (o->argv[0])
		json_object_set_new(run, "argv", string_array(o->argv));
	if (o->put.n)
		json_object_set_new(run, "put", json_true());
	if (o->use_stdin)
		json_object_set_new(run, "stdin", json_true());
	if (o->get.n)
		json_object_set_new(run, "get", path_array(&o->get));
	if (o->keep)
		json_object_set_new(run, "keep", json_string(o->keep));
	return run;
}

static int fill_in(const struct options *o, json_t **all)
{
	json_t *env = json_object();
	int r = o->params_file ? load_file(o->params_file, all) : 0;

	for (unsigned int i = 0; !r && i < o->param.n; i++)
		r = set_pair(*all, o->param.path[i]);
	for (unsigned int i = 0; !r && i < o->env.n; i++)
		r = set_pair(env, o->env.path[i]);
	if (!r && json_object_size(env))
		json_object_set(*all, "env", env);
	if (!r && o->from)
		json_object_set_new(*all, "vmfork", describe_run(o));
	json_decref(env);
	return r;
}

int params_make(const struct options *o, char **ret_text)
{
	json_t *all = NULL;
	int r;

	*ret_text = NULL;
	if (!o->params_file && !o->param.n && !o->env.n &&
	    !(o->from && (o->argv[0] || o->put.n || o->use_stdin || o->get.n || o->keep)))
		return 0;
	all = o->params_file ? NULL : json_object();
	r = fill_in(o, &all);
	if (!r) {
		*ret_text = json_dumps(all, JSON_COMPACT);
		if (!*ret_text)
			r = bad("parameters", "not all of it is UTF-8");
		else if (strlen(*ret_text) > VMFORK_PARAMS_MAX)
			r = bad("parameters", "more than 16 KiB; bring a file by --put");
	}
	json_decref(all);
	return r;
}

/* Strings of @a, which is kept. */
static int take_strings(const json_t *a, const char **to, size_t room)
{
	size_t i, n = json_array_size(a);

	if (!json_is_array(a) || n > room)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		to[i] = json_string_value(json_array_get(a, i));
		if (!to[i])
			return -EINVAL;
	}
	return (int)n;
}

static int take_argv(const json_t *a, char ***ret_argv)
{
	char **argv = calloc(json_array_size(a) + 1, sizeof(*argv));
	int n = argv ? take_strings(a, (const char **)argv, json_array_size(a)) : -ENOMEM;

	if (n <= 0) {
		free(argv);
		return n ? n : -EINVAL;
	}
	*ret_argv = argv;
	return 0;
}

static int take_run(const json_t *run, struct options *o, char ***ret_argv)
{
	const json_t *get = json_object_get(run, "get"), *argv = json_object_get(run, "argv");
	int r = 0;

	if (!json_is_object(run))
		return -EINVAL;
	o->use_stdin = json_is_true(json_object_get(run, "stdin"));
	o->put.n = json_is_true(json_object_get(run, "put"));
	o->keep = json_string_value(json_object_get(run, "keep"));
	o->get.n = 0;
	if (get) {
		r = take_strings(get, o->get.path, PATHS_MAX);
		o->get.n = r > 0 ? (unsigned int)r : 0;
	}
	if (r >= 0 && argv)
		r = take_argv(argv, ret_argv);
	return r < 0 ? r : 0;
}

static int take_env(json_t *env)
{
	const char *name;
	json_t *value;

	if (!json_is_object(env))
		return -EINVAL;
	json_object_foreach(env, name, value) {
		if (!name[0] || strchr(name, '=') || !json_is_string(value))
			return -EINVAL;
		setenv(name, json_string_value(value), 1);
	}
	return 0;
}

int params_parse(const char *text, size_t len, struct options *o, char ***ret_argv)
{
	static json_t *kept;	/* its strings are used up to the clone's end */
	json_t *all = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL), *member;
	int r = json_is_object(all) ? 0 : -EINVAL;

	member = json_object_get(all, "env");
	if (!r && member)
		r = take_env(member);
	member = json_object_get(all, "vmfork");
	if (!r && member)
		r = take_run(member, o, ret_argv);
	json_decref(r ? all : kept);
	kept = r ? kept : all;
	return r;
}

int params_read(int vm, struct options *o, char ***ret_argv)
{
	static char text[VMFORK_PARAMS_MAX + 1];
	size_t len;
	int r = vmfork_get_params(vm, text, VMFORK_PARAMS_MAX, &len);

	if (r == -ENODATA || r == -EOPNOTSUPP)
		return 0;
	if (r)
		return r;
	text[len] = '\0';
	if (strlen(text) == len)
		setenv("VMFORK_PARAMS", text, 1);
	/* what is no JSON was not meant for us */
	r = params_parse(text, len, o, ret_argv);
	return r == -EINVAL ? 1 : r ? r : 1;
}

int params_show(int vm)
{
	static char text[VMFORK_PARAMS_MAX];
	size_t len;
	int r = vmfork_get_params(vm, text, sizeof(text), &len);

	if (r) {
		fprintf(stderr, "vmfork: parameters: %s\n", vmfork_strerror(r, VMFORK_CALL_PARAMS));
		return STATUS_FAILED;
	}
	fwrite(text, 1, len, stdout);
	if (!len || text[len - 1] != '\n')
		putchar('\n');
	return fflush(stdout) ? STATUS_FAILED : 0;
}
