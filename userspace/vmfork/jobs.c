// SPDX-License-Identifier: GPL-2.0-or-later
/* Argument sets, and the command lines made of them. See jobs.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs.h"

int jobs_add(struct jobs *j, const char *text)
{
	char **set;

	if (j->n == JOBS_MAX || strlen(text) > JOB_SET_MAX)
		return -E2BIG;
	if ((j->n & (j->n - 1)) == 0) {	/* a power of two: full */
		set = realloc(j->set, (j->n ? 2 * (size_t)j->n : 1) * sizeof(*set));
		if (!set)
			return -ENOMEM;
		j->set = set;
	}
	j->set[j->n] = strdup(text);
	if (!j->set[j->n])
		return -ENOMEM;
	j->n++;
	return 0;
}

static bool is_empty(const char *set, bool null)
{
	return !set[null ? 0 : strspn(set, " \t")];
}

int jobs_read(struct jobs *j, FILE *from, bool null)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int r = 0;

	errno = 0;
	while (!r && (len = getdelim(&line, &room, null ? '\0' : '\n', from)) > 0) {
		if (!null && line[len - 1] == '\n')
			line[--len] = '\0';
		if (!null && strlen(line) != (size_t)len)
			r = -EINVAL;	/* NUL within a line: -0 was forgotten */
		else if (len > 0 && !is_empty(line, null))
			r = jobs_add(j, line);
	}
	if (!r && ferror(from))
		r = errno ? -errno : -EIO;
	free(line);
	return r;
}

void jobs_free(struct jobs *j)
{
	for (unsigned int i = 0; i < j->n; i++)
		free(j->set[i]);
	free(j->set);
	*j = (struct jobs){ 0 };
}

/* One word from *@from to *@to, both moved on. Return: 1, 0 none is left, -EINVAL. */
static int one_word(const char **from, char **to)
{
	const char *p = *from;
	char *w = *to, quote = '\0';

	while (isblank((unsigned char)*p))
		p++;
	if (!*p)
		return 0;
	for (; *p && (quote || !isblank((unsigned char)*p)); p++) {
		if (quote && *p == quote)
			quote = '\0';
		else if (!quote && (*p == '\'' || *p == '"'))
			quote = *p;
		else if (!quote && *p == '\\' && p[1])
			*w++ = *++p;
		else
			*w++ = *p;
	}
	*w++ = '\0';
	*from = p;
	*to = w;
	return quote ? -EINVAL : 1;
}

int job_words(const char *set, char ***ret)
{
	size_t head = (JOB_WORDS_MAX + 1) * sizeof(char *);
	char **words = malloc(head + 2 * strlen(set) + 2), *to;
	unsigned int n = 0;
	int r = 1;

	if (!words)
		return -ENOMEM;
	to = (char *)words + head;
	while (r > 0) {
		words[n] = to;	/* there is room for one more than the most */
		r = one_word(&set, &to);
		if (r > 0 && n++ == JOB_WORDS_MAX)
			r = -E2BIG;
	}
	if (r < 0) {
		free(words);
		return r;
	}
	words[n] = NULL;
	*ret = words;
	return (int)n;
}

int job_whole(const char *set, char ***ret)
{
	char **words = malloc(2 * sizeof(*words) + strlen(set) + 1);

	if (!words)
		return -ENOMEM;
	words[0] = strcpy((char *)(words + 2), set);
	words[1] = NULL;
	*ret = words;
	return 1;
}

/* {} {#} {N} at @p: what it stands for and how long it is; NULL: it is none of them */
static const char *placeholder(const char *p, const char *set, char *const *words,
			       const char *number, size_t *len)
{
	unsigned long n;
	char *end;

	if (!strncmp(p, "{}", 2)) {
		*len = 2;
		return set;
	}
	if (!strncmp(p, "{#}", 3)) {
		*len = 3;
		return number;
	}
	if (*p != '{' || !isdigit((unsigned char)p[1]))
		return NULL;
	n = strtoul(p + 1, &end, 10);
	if (*end != '}' || n < 1 || n > JOB_WORDS_MAX)
		return NULL;
	*len = (size_t)(end + 1 - p);
	for (unsigned long i = 0; words[i]; i++)
		if (i == n - 1)
			return words[i];
	return "";
}

/* One argument with its placeholders filled in; counts them. */
static char *fill_in(const char *arg, const char *set, char *const *words, const char *number,
		     unsigned int *found)
{
	size_t room, n, len;
	const char *text;
	FILE *f;
	char *out;

	f = open_memstream(&out, &room);
	if (!f)
		return NULL;
	for (; *arg; arg += n) {
		n = 1;
		text = placeholder(arg, set, words, number, &len);
		if (text) {
			n = len;
			fputs(text, f);
			(*found)++;
		} else {
			fputc(*arg, f);
		}
	}
	return fclose(f) ? NULL : out;
}

static unsigned int count(char *const *list)
{
	unsigned int n = 0;

	while (list[n])
		n++;
	return n;
}

int job_argv(char *const *argv, const char *set, char *const *words, unsigned int number,
	     char ***ret)
{
	unsigned int n = count(argv), more = count(words), found = 0, i;
	char **out, text[16];

	if (n + more > 65536)
		return -E2BIG;
	out = calloc(n + more + 1, sizeof(*out));
	if (!out)
		return -ENOMEM;
	snprintf(text, sizeof(text), "%u", number);
	for (i = 0; i < n; i++) {
		out[i] = fill_in(argv[i], set, words, text, &found);
		if (!out[i])
			goto fail;
	}
	for (; !found && i < n + more; i++) {
		out[i] = strdup(words[i - n]);
		if (!out[i])
			goto fail;
	}
	*ret = out;
	return 0;

fail:
	job_argv_free(out);
	return -ENOMEM;
}

void job_argv_free(char **argv)
{
	for (char **p = argv; argv && *p; p++)
		free(*p);
	free(argv);
}
