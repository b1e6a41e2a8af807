/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Argument sets, and the command lines made of them. */
#ifndef WRAPPER_JOBS_H
#define WRAPPER_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define JOBS_MAX	1000000U
#define JOB_WORDS_MAX	1024U
#define JOB_SET_MAX	65536U	/* bytes */

/** struct jobs - a list of argument sets, as text. */
struct jobs {
	char **set;
	unsigned int n;
};

/** jobs_add() - one more set; copied. Return: 0, -ENOMEM, -E2BIG. */
int jobs_add(struct jobs *j, const char *text);

/** jobs_read() - a set per line, or per NUL with @null; lines of blanks are none.
 * Return: 0, -E2BIG (too many, or one too long), -ENOMEM, or what read(2) said. */
int jobs_read(struct jobs *j, FILE *from, bool null);

void jobs_free(struct jobs *j);

/**
 * job_words() - split a set at blanks, with '', "" and \ as xargs(1) takes them.
 * @ret:	NULL-terminated, one allocation: free() it
 * Return: how many, -EINVAL a quote is open at the end, -E2BIG, -ENOMEM.
 */
int job_words(const char *set, char ***ret);

/** job_whole() - the same for a set that is one word, whatever is in it. */
int job_whole(const char *set, char ***ret);

/**
 * job_argv() - the command line for one set.
 * @argv:	the command as given, NULL-terminated
 * @set:	its text, which is {}
 * @words:	its words, {1} and so on: one that is not there is empty
 * @number:	{#}
 * @ret:	NULL-terminated; free with job_argv_free()
 * Without any of these in @argv the words are appended. Return: 0, -E2BIG, -ENOMEM.
 */
int job_argv(char *const *argv, const char *set, char *const *words, unsigned int number,
	     char ***ret);
void job_argv_free(char **argv);

#endif /* WRAPPER_JOBS_H */
