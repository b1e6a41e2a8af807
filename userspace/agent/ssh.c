// SPDX-License-Identifier: GPL-2.0-or-later
/* ssh host keys. */
#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "spawn.h"
#include "ssh.h"

#define KEY_GLOB	"/etc/ssh/ssh_host_*_key"
#define KEY_TIMEOUT_MS	600000	/* RSA takes a minute where processors are emulated */
#define PATH_LEN	(WORD_MAX + 32)

static int key_path(const char *type, char path[PATH_LEN])
{
	size_t i;

	for (i = 0; type[i]; i++)
		if (!isalnum((unsigned char)type[i]))
			return -EINVAL;
	if (!i || i >= WORD_MAX)
		return -EINVAL;
	snprintf(path, PATH_LEN, "/etc/ssh/ssh_host_%s_key", type);
	return 0;
}

int ssh_kill_list(struct words *executables)
{
	static const char sshd[] = "sshd*";

	return words_add(executables, sshd, strlen(sshd));
}

static int remove_glob(const char *pattern)
{
	glob_t g;
	size_t i;
	int r = glob(pattern, 0, NULL, &g);

	if (r == GLOB_NOMATCH)
		return 0;
	if (r)
		return -EIO;
	for (i = 0; i < g.gl_pathc && !r; i++)
		if (unlink(g.gl_pathv[i]) && errno != ENOENT)
			r = -errno;
	globfree(&g);
	return r;
}

int ssh_remove_keys(void)
{
	int r = remove_glob(KEY_GLOB);

	return r ? r : remove_glob(KEY_GLOB ".pub");
}

/* sshd reads no key without the newline at its end, which $(cat KEY) loses */
static int write_key(const char *path, const json_t *key)
{
	size_t len = json_string_length(key);
	char *text;
	int r;

	if (!len)
		return -EINVAL;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, json_string_value(key), len);
	if (text[len - 1] != '\n')
		text[len++] = '\n';
	r = file_replace(path, 0600, text, len);
	explicit_bzero(text, len);
	free(text);
	return r;
}

static int write_keys(json_t *keys)
{
	char path[PATH_LEN];
	const char *type;
	json_t *key;
	int r = 0;

	json_object_foreach(keys, type, key) {
		if (!json_is_string(key) || key_path(type, path))
			return -EINVAL;
		r = write_key(path, key);
		if (r)
			return r;
	}
	return json_object_size(keys) ? 0 : -ENODATA;
}

int ssh_keys_from_params(const char *params, size_t len)
{
	json_t *root = json_loadb(params, len, 0, NULL), *keys;
	int r;

	if (!root)
		return -EINVAL;
	keys = json_object_get(root, "ssh_host_keys");
	r = keys ? (json_is_object(keys) ? write_keys(keys) : -EINVAL) : -ENODATA;
	json_decref(root);
	return r;
}

static int generate(const char *type)
{
	char path[PATH_LEN];

	if (key_path(type, path))
		return -EINVAL;
	if (!access(path, F_OK))
		return 0;
	return spawn(KEY_TIMEOUT_MS, "ssh-keygen", "-q", "-t", type, "-N", "", "-f", path, NULL);
}

static int publish(const char *path)
{
	char pub[PATH_LEN + 8];
	char *argv[] = { "ssh-keygen", "-y", "-f", (char *)path, NULL };
	struct spawn s = { .argv = argv, .output = pub, .timeout_ms = KEY_TIMEOUT_MS };
	int r;

	if (snprintf(pub, sizeof(pub), "%s.pub", path) >= (int)sizeof(pub))
		return -ENAMETOOLONG;
	if (!access(pub, F_OK))
		return 0;
	r = spawn_wait(&s);
	if (!r && chmod(pub, 0644))
		r = -errno;
	return r;
}

int ssh_generate_keys(const struct words *types)
{
	unsigned int i;
	int r = 0;

	for (i = 0; i < types->n && !r; i++)
		r = generate(types->word[i]);
	return r ? r : ssh_publish_keys();
}

int ssh_publish_keys(void)
{
	glob_t g;
	size_t k;
	int r = 0;

	if (glob(KEY_GLOB, 0, NULL, &g))
		return 0;
	for (k = 0; k < g.gl_pathc && !r; k++)
		r = publish(g.gl_pathv[k]);
	globfree(&g);
	return r;
}
