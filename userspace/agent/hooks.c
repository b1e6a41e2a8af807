// SPDX-License-Identifier: GPL-2.0-or-later
/* The administrator's programs in /etc/vmfork/clone.d. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "hooks.h"
#include "spawn.h"

bool hook_name_valid(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-' &&
		    (name[i] != '.' || i == 0))
			return false;
	return i > 0 && i < WORD_MAX && name[i - 1] != '.' && !strstr(name, ".dpkg-");
}

static bool is_executable(int dir, const char *name)
{
	struct stat st;

	return !fstatat(dir, name, &st, 0) && S_ISREG(st.st_mode) && st.st_mode & 0111;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

int hooks_list(const char *dir, struct words *ret)
{
	struct dirent *entry;
	DIR *d = opendir(dir);
	int r = 0;

	ret->n = 0;
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(d)) && !r)
		if (hook_name_valid(entry->d_name) && is_executable(dirfd(d), entry->d_name))
			r = words_add(ret, entry->d_name, strlen(entry->d_name));
	closedir(d);
	qsort(ret->word, ret->n, WORD_MAX, by_name);
	return r;
}

static int run_one(const char *dir, const char *name, const char *stage, char *const *env,
		   unsigned int timeout_ms)
{
	char path[PATH_MAX];
	char *argv[] = { path, (char *)stage, NULL };
	struct spawn s = {
		.argv = argv,
		.envp = env,
		/* before the release the journal is held: its socket could fill up */
		.output = strcmp(stage, "pre") ? NULL : HOOKS_PRE_LOG,
		.timeout_ms = timeout_ms,
	};

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return spawn_wait(&s);
}

int hooks_run(const char *dir, const char *stage, char *const *env, unsigned int timeout_ms,
	      char *ret_failed)
{
	double end = clock_ms() + timeout_ms, left;
	struct words hooks;
	unsigned int i;
	int r;

	ret_failed[0] = '\0';
	if (!strcmp(stage, "pre"))
		unlink(HOOKS_PRE_LOG);
	r = hooks_list(dir, &hooks);
	for (i = 0; i < hooks.n && !r; i++) {
		left = end - clock_ms();
		r = left < 1 ? -ETIMEDOUT :
			       run_one(dir, hooks.word[i], stage, env, (unsigned int)left);
		if (r)
			strcpy(ret_failed, hooks.word[i]);
	}
	return r;
}
