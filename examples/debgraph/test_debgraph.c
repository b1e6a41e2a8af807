// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests of debgraph: the parser, the graph, the question, the merging. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "closure.h"
#include "graph.h"
#include "result.h"

static struct span text_of(const char *s)
{
	return (struct span){ s, strlen(s) };
}

static void same(struct span got, const char *wanted)
{
	ck_assert_uint_eq(got.len, strlen(wanted));
	ck_assert_int_eq(memcmp(got.s, wanted, got.len), 0);
}

/* No byte after the text may be read: the sanitizer sees it in a block of exact size. */
static struct span exact(const char *s, size_t len)
{
	char *copy = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, s, len);
	return (struct span){ copy, len };
}

START_TEST(test_stanza)
{
	struct span text = text_of("\nPackage: a\nInstalled-Size: 12\nDepends: b,\n c | d\nTag: x\n\n\n"
				   "package: b\nProvides:\n v (= 1)\n");
	struct stanza st;

	ck_assert_int_eq(stanza_next(&text, &st), 1);
	same(st.package, "a");
	same(st.depends, "b,\n c | d");
	ck_assert_uint_eq(st.installed_kib, 12);
	ck_assert_uint_eq(st.provides.len, 0);
	ck_assert_int_eq(stanza_next(&text, &st), 1);
	same(st.package, "b");
	same(st.provides, "v (= 1)");
	ck_assert_int_eq(stanza_next(&text, &st), 0);
}
END_TEST

static const char *const bad_stanzas[] = {
	"Version: 1\n",			/* no name */
	"Package:\n",			/* empty name */
	"rubbish\n",			/* no colon */
	": x\n",			/* no field name */
	" Package: a\n",		/* goes on from nothing */
	"Package: a\nInstalled-Size: 1x\n",
	"Package: a\nInstalled-Size: -1\n",
	"Package: a\nInstalled-Size: 9999999999999999\n",
	"Package: a\nInstalled-Size:\n",
};

START_TEST(test_bad_stanza)
{
	struct span text = text_of(bad_stanzas[_i]);
	struct stanza st;

	ck_assert_int_eq(stanza_next(&text, &st), -EBADMSG);
}
END_TEST

START_TEST(test_relations)
{
	struct span field = text_of("a (>= 1.2) | b:any [amd64 !i386] <!nocheck>, c++-dev,\n d");
	static const char *const names[] = { "a", "b", "c++-dev", "d" };
	struct relation rel;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(relation_next(&field, &rel), 1);
		same(rel.name, names[i]);
		ck_assert_int_eq(rel.alternative, i == 0);
	}
	ck_assert_int_eq(relation_next(&field, &rel), 0);
}
END_TEST

static const char *const bad_relations[] = {
	", a", "| a", "a (>= 1", "a [amd64", "a <x", "a b", "(>= 1)", "a )", "$x",
};

START_TEST(test_bad_relation)
{
	struct span field = text_of(bad_relations[_i]);
	struct relation rel;

	ck_assert_int_eq(relation_next(&field, &rel), -EBADMSG);
}
END_TEST

/* Every beginning of a good index is taken or refused, and never read past. */
START_TEST(test_cut)
{
	static const char whole[] = "Package: a\nInstalled-Size: 5\nDepends: b (>= 1) | c:any,\n d\n"
				    "Provides: v\n\nPackage: b\nPre-Depends: v [x]\n";
	struct graph *g;
	size_t len;
	int err;

	for (len = 0; len < sizeof(whole); len++) {
		struct span text = exact(whole, len);

		err = graph_build(text, &g);
		ck_assert(err == 0 || err == -EBADMSG);
		if (!err)
			graph_free(g);
		free((void *)text.s);
	}
}
END_TEST

static const char index_text[] =
	"Package: app\nInstalled-Size: 10\nDepends: lib (>= 2), mail-agent, gone\n\n"
	"Package: lib\nInstalled-Size: 20\nPre-Depends: base\n\n"
	"Package: base\nInstalled-Size: 40\nDepends: absent | lib\n\n"
	"Package: postfix\nInstalled-Size: 80\nProvides: mail-agent\n\n"
	"Package: exim\nInstalled-Size: 160\nProvides: mail-agent, absent-too\n\n"
	"Package: wants-exim\nInstalled-Size: 1\nDepends: exim, mail-agent\n\n"
	"Package: lib\nInstalled-Size: 9999\n";

START_TEST(test_graph)
{
	struct graph *g;

	ck_assert_int_eq(graph_build(text_of(index_text), &g), 0);
	ck_assert_uint_eq(g->packages, 6);
	ck_assert_uint_eq(g->groups, 7);
	ck_assert_uint_eq(g->virtuals, 2);
	ck_assert_uint_eq(g->installed_kib[1], 20);
	same(g->name[4], "exim");
	ck_assert_uint_eq(g->alt_begin[2] - g->alt_begin[1], 2);
	ck_assert_uint_eq(g->alts[g->alt_begin[1]], 3);
	ck_assert_uint_eq(g->alt_begin[3] - g->alt_begin[2], 0);
	graph_free(g);
}
END_TEST

START_TEST(test_closure)
{
	struct walker w;
	struct closure c;
	struct graph *g;

	ck_assert_int_eq(graph_build(text_of(index_text), &g), 0);
	ck_assert_int_eq(walker_init(&w, g), 0);
	c = walker_closure(&w, 0);	/* app, lib, postfix (the first provider), base */
	ck_assert_uint_eq(c.count, 4);
	ck_assert_uint_eq(c.installed_kib, 10 + 20 + 80 + 40);
	ck_assert_uint_eq(c.missing, 1);
	ck_assert(!c.cyclic);
	c = walker_closure(&w, 1);	/* lib -> base -> lib */
	ck_assert_uint_eq(c.count, 2);
	ck_assert(c.cyclic);
	c = walker_closure(&w, 5);	/* exim is there already: no second mail agent */
	ck_assert_uint_eq(c.count, 2);
	ck_assert_uint_eq(c.installed_kib, 161);
	walker_free(&w);
	graph_free(g);
}
END_TEST

/* Shares, merged in any order, are the whole. */
START_TEST(test_merge)
{
	struct result whole, part[3], sum;
	struct closure c;
	uint32_t p;
	int i;

	result_init(&whole);
	for (i = 0; i < 3; i++)
		result_init(&part[i]);
	for (p = 0; p < 100; p++) {
		c = (struct closure){ .package = p, .count = 1 + p * p % 97, .cyclic = p % 5 == 0,
				      .installed_kib = p * 31 % 41 };
		result_add(&whole, &c);
		result_add(&part[p % 3], &c);
	}
	result_init(&sum);
	for (i = 2; i >= 0; i--)
		result_merge(&sum, &part[i]);
	ck_assert_mem_eq(&sum, &whole, sizeof(sum));
	ck_assert_uint_ge(sum.top[0].installed_kib, sum.top[RESULT_TOP - 1].installed_kib);
}
END_TEST

START_TEST(test_result_parse)
{
	struct closure c = { .package = 7, .count = 3, .installed_kib = 5 };
	struct result r, got;

	result_init(&r);
	result_add(&r, &c);
	ck_assert_int_eq(result_parse(&r, sizeof(r), 8, &got), 0);
	ck_assert_mem_eq(&r, &got, sizeof(r));
	ck_assert_int_eq(result_parse(&r, sizeof(r) - 1, 8, &got), -EBADMSG);
	ck_assert_int_eq(result_parse(&r, 0, 8, &got), -EBADMSG);
	ck_assert_int_eq(result_parse(&r, sizeof(r), 7, &got), -EBADMSG);
	r.magic++;
	ck_assert_int_eq(result_parse(&r, sizeof(r), 8, &got), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("debgraph");
	TCase *tc = tcase_create("debgraph");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_stanza);
	tcase_add_loop_test(tc, test_bad_stanza, 0, sizeof(bad_stanzas) / sizeof(*bad_stanzas));
	tcase_add_test(tc, test_relations);
	tcase_add_loop_test(tc, test_bad_relation, 0,
			    sizeof(bad_relations) / sizeof(*bad_relations));
	tcase_add_test(tc, test_cut);
	tcase_add_test(tc, test_graph);
	tcase_add_test(tc, test_closure);
	tcase_add_test(tc, test_merge);
	tcase_add_test(tc, test_result_parse);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
