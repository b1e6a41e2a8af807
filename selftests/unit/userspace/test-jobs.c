// SPDX-License-Identifier: GPL-2.0-or-later
/* Argument sets, command lines made of them, changes between two looks, the ETA. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../run.h"
#include "changes.h"
#include "jobs.h"
#include "progress.h"

/* the words with "|" between */
static char *joined(char *const *words)
{
	static char text[4096];

	text[0] = '\0';
	for (unsigned int i = 0; words[i]; i++) {
		if (i)
			strcat(text, "|");
		strcat(text, words[i]);
	}
	return text;
}

static const struct {
	const char *set, *words;
	int n;
} splits[] = {
	{ "", "", 0 },
	{ "  \t ", "", 0 },
	{ "a", "a", 1 },
	{ " a  b\tc ", "a|b|c", 3 },
	{ "'a b' \"c 'd\"", "a b|c 'd", 2 },
	{ "a\\ b \\'", "a b|'", 2 },
	{ "x'y'z\"\"", "xyz", 1 },
	{ "''", "", 1 },
	{ "a\\", "a\\", 1 },
	{ "'a", NULL, -EINVAL },
	{ "a \"b", NULL, -EINVAL },
};

START_TEST(a_set_is_split)
{
	char **words;
	int n = job_words(splits[_i].set, &words);

	ck_assert_int_eq(n, splits[_i].n);
	if (n < 0)
		return;
	ck_assert_str_eq(joined(words), splits[_i].words);
	free(words);
}
END_TEST

START_TEST(a_set_is_whole)
{
	static const char set[] = " it's \" 5 ";
	char **words;

	ck_assert_int_eq(job_whole(set, &words), 1);
	ck_assert_str_eq(words[0], set);
	ck_assert_ptr_null(words[1]);
	free(words);
}
END_TEST

START_TEST(sets_of_a_file)
{
	static char text[] = "a b\n\n \t\nc";
	FILE *f = fmemopen(text, strlen(text), "r");
	struct jobs j = { 0 };

	ck_assert_int_eq(jobs_read(&j, f, false), 0);
	fclose(f);
	ck_assert_uint_eq(j.n, 2);
	ck_assert_str_eq(j.set[1], "c");
	jobs_free(&j);
	f = fopen("/tmp", "r");
	ck_assert_int_eq(jobs_read(&j, f, false), -EISDIR);
	fclose(f);
	jobs_free(&j);
}
END_TEST

START_TEST(too_many_words)
{
	char set[2 * (JOB_WORDS_MAX + 1) + 1], **words;

	for (unsigned int i = 0; i <= JOB_WORDS_MAX; i++)
		memcpy(set + 2 * i, "a ", 2);
	set[sizeof(set) - 1] = '\0';
	ck_assert_int_eq(job_words(set, &words), -E2BIG);
	set[2 * JOB_WORDS_MAX] = '\0';
	ck_assert_int_eq(job_words(set, &words), JOB_WORDS_MAX);
	free(words);
}
END_TEST

static const struct {
	char *argv[4];
	const char *got;
} lines[] = {
	{ { "echo" }, "echo|a b|c" },
	{ { "echo", "{}" }, "echo|'a b' c" },
	{ { "echo", "{2}-{1}" }, "echo|c-a b" },
	{ { "echo", "{3}", "{#}" }, "echo||7" },
	{ { "{1}", "x{}y{}" }, "a b|x'a b' cy'a b' c" },
	{ { "echo", "{0}", "{a}", "{" }, "echo|{0}|{a}|{|a b|c" },
	{ { "echo", "{1", "{}}" }, "echo|{1|'a b' c}" },
};

START_TEST(a_command_line)
{
	char *argv[5] = { NULL }, **words, **got;

	memcpy(argv, lines[_i].argv, sizeof(lines[_i].argv));
	ck_assert_int_eq(job_words("'a b' c", &words), 2);
	ck_assert_int_eq(job_argv(argv, "'a b' c", words, 7, &got), 0);
	ck_assert_str_eq(joined(got), lines[_i].got);
	job_argv_free(got);
	free(words);
}
END_TEST

static int read_text(const char *text, size_t len, bool null, struct jobs *j)
{
	FILE *f = fmemopen((void *)text, len, "r");
	int r = jobs_read(j, f, null);

	fclose(f);
	return r;
}

START_TEST(sets_are_read)
{
	struct jobs j = { 0 };

	ck_assert_int_eq(read_text("one\n\n two \nlast", 15, false, &j), 0);
	ck_assert_uint_eq(j.n, 3);
	ck_assert_str_eq(j.set[0], "one");
	ck_assert_str_eq(j.set[1], " two ");
	ck_assert_str_eq(j.set[2], "last");
	jobs_free(&j);
	ck_assert_int_eq(read_text("a\nb\0c\0\0d", 8, true, &j), 0);
	ck_assert_uint_eq(j.n, 3);
	ck_assert_str_eq(j.set[0], "a\nb");
	ck_assert_str_eq(j.set[2], "d");
	jobs_free(&j);
	ck_assert_int_eq(read_text("a\0b\n", 4, false, &j), -EINVAL);
	jobs_free(&j);
}
END_TEST

START_TEST(a_set_has_a_size)
{
	struct jobs j = { 0 };
	char *big = malloc(JOB_SET_MAX + 2);

	memset(big, 'x', JOB_SET_MAX + 1);
	big[JOB_SET_MAX + 1] = '\0';
	ck_assert_int_eq(jobs_add(&j, big), -E2BIG);
	big[JOB_SET_MAX] = '\0';
	ck_assert_int_eq(jobs_add(&j, big), 0);
	jobs_free(&j);
	free(big);
}
END_TEST

static struct change_entry entry(const char *path, uint64_t ino, int64_t ctime, uint32_t mode)
{
	return (struct change_entry){
		.path = (char *)path, .ino = ino, .ctime_s = ctime, .mode = mode,
	};
}

static void note(void *data, char kind, const char *path)
{
	char *to = data;

	sprintf(to + strlen(to), "%c%s ", kind, path);
}

START_TEST(changes_are_told)
{
	struct change_entry before[] = {
		entry("/", 1, 1, S_IFDIR), entry("/gone", 2, 1, S_IFREG),
		entry("/same", 3, 1, S_IFREG), entry("/touched", 4, 1, S_IFREG),
		entry("/turned", 5, 1, S_IFREG), entry("/was", 9, 1, S_IFDIR | 0755),
	};
	struct change_entry after[] = {
		entry("/was", 9, 1, S_IFDIR | 0700), entry("/turned", 6, 1, S_IFREG),
		entry("/touched", 4, 2, S_IFREG), entry("/same", 3, 1, S_IFREG),
		entry("/new", 8, 2, S_IFREG), entry("/", 1, 2, S_IFDIR),
	};
	struct change_list b = { before, 6, 6 }, a = { after, 6, 6 };
	char text[256] = "";

	changes_sort(&b);
	changes_sort(&a);
	ck_assert_uint_eq(changes_compare(&b, &a, note, text), 5);
	ck_assert_str_eq(text, "D/gone A/new M/touched M/turned M/was ");
	text[0] = '\0';
	ck_assert_uint_eq(changes_compare(&a, &a, note, text), 0);
}
END_TEST

START_TEST(eta)
{
	struct progress p = { .total = 10, .seconds = 4 };

	ck_assert(progress_eta(&p) < 0);
	p.done = 4;
	ck_assert_double_eq_tol(progress_eta(&p), 6, 1e-9);
	p.done = 10;
	ck_assert(progress_eta(&p) < 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("jobs");
	TCase *t = tcase_create("jobs");

	tcase_add_loop_test(t, a_set_is_split, 0, sizeof(splits) / sizeof(splits[0]));
	tcase_add_test(t, too_many_words);
	tcase_add_test(t, a_set_is_whole);
	tcase_add_test(t, sets_of_a_file);
	tcase_add_loop_test(t, a_command_line, 0, sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(t, sets_are_read);
	tcase_add_test(t, a_set_has_a_size);
	tcase_add_test(t, changes_are_told);
	tcase_add_test(t, eta);
	suite_add_tcase(suite, t);
	return run_suite(suite);
}
