// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent: its configuration, the texts of identity, whom it kills, the order of hooks. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../run.h"
#include "config.h"
#include "file.h"
#include "hooks.h"
#include "kill.h"
#include "spawn.h"
#include "text.h"

static struct config cfg;
static struct config_error error;

static int parse(const char *text)
{
	config_init(&cfg);
	return config_parse(&cfg, text, strlen(text), &error);
}

START_TEST(config_of_nothing)
{
	ck_assert_int_eq(parse(""), 0);
	ck_assert_uint_eq(cfg.timeout_ms, 30000);
	ck_assert(cfg.net_sockets && cfg.hostname && cfg.boot_id && cfg.reexec);
	ck_assert(!cfg.net_root);
	ck_assert_uint_eq(cfg.optional, 0);
	ck_assert_uint_eq(cfg.key_types.n, 1);
	ck_assert_str_eq(cfg.key_types.word[0], "ed25519");
	ck_assert_str_eq(cfg.hooks_dir, "/etc/vmfork/clone.d");
}
END_TEST

START_TEST(config_of_everything)
{
	ck_assert_int_eq(parse("# comment\n; another\n[agent]\ntimeout = 45s\n"
			       "optional = boot-id hooks\n\n[ network ]\nconfigure-root=yes\n"
			       "destroy-sockets = no\nwithout-host = dhcp\n"
			       "dhcp-command = dhclient -1 \"$VMFORK_LINK\"\nresolv-conf = no\n"
			       "[identity]\nhostname = no\nhosts = no\nmachine-id = transient\nboot-id = no\n"
			       "[kill]\nunits = nginx.service\tapache2*.service \n"
			       "units = haproxy.service\nexecutables = /usr/bin/java\nrestart = no\n"
			       "[ssh]\nhost-keys = regenerate\nkey-types = rsa ecdsa\n"
			       "[hooks]\ndirectory = /opt/hooks\npre-timeout = 250 ms\npost-timeout = 2min\n"
			       "[after]\nreexec = no\nrestart-journald = no\ntimers = keep\nsettle = 5"), 0);
	ck_assert_uint_eq(cfg.timeout_ms, 45000);
	ck_assert_uint_eq(cfg.optional, 1U << STEP_BOOT_ID | 1U << STEP_HOOKS);
	ck_assert(cfg.net_root && !cfg.net_sockets && !cfg.net_resolv_conf);
	ck_assert_int_eq(cfg.net_without_host, WITHOUT_DHCP);
	ck_assert_str_eq(cfg.net_dhcp, "dhclient -1 \"$VMFORK_LINK\"");
	ck_assert(!cfg.hostname && !cfg.hosts && !cfg.boot_id);
	ck_assert_int_eq(cfg.machine_id, MACHINE_ID_TRANSIENT);
	ck_assert_uint_eq(cfg.kill_units.n, 3);
	ck_assert_str_eq(cfg.kill_units.word[1], "apache2*.service");
	ck_assert_str_eq(cfg.kill_units.word[2], "haproxy.service");
	ck_assert_uint_eq(cfg.kill_executables.n, 1);
	ck_assert(!cfg.kill_restart);
	ck_assert_int_eq(cfg.host_keys, HOST_KEYS_REGENERATE);
	ck_assert_uint_eq(cfg.key_types.n, 2);
	ck_assert_str_eq(cfg.key_types.word[0], "rsa");
	ck_assert_str_eq(cfg.hooks_dir, "/opt/hooks");
	ck_assert_uint_eq(cfg.pre_timeout_ms, 250);
	ck_assert_uint_eq(cfg.post_timeout_ms, 120000);
	ck_assert(!cfg.reexec && !cfg.journald);
	ck_assert_int_eq(cfg.timers, TIMERS_KEEP);
	ck_assert_uint_eq(cfg.settle_ms, 5000);
}
END_TEST

static const struct {
	const char *text;
	unsigned int line;
	const char *says;
} bad[] = {
	{ "timeout = 3\n", 1, "before any section" },
	{ "[agent]\ntimeout = soon\n", 2, "'soon' is no value for timeout" },
	{ "[agent]\ntimeout = 9999999999999999999999s\n", 2, "no value" },
	{ "[agent]\ntimeout = 2d\n", 2, "no value" },
	{ "[agent]\ntimeout =\n", 2, "no value" },
	{ "[agent]\noptional = hooks everything\n", 2, "no value for optional" },
	{ "[agent]\nunits = a\n", 2, "no key 'units' in [agent]" },
	{ "[nothing]\n", 1, "no section [nothing]" },
	{ "[agent\n", 1, "without its ']'" },
	{ "[]\n", 1, "without its ']'" },
	{ "[identity]\nhostname = maybe\n", 2, "'maybe' is no value" },
	{ "[identity]\nmachine-id = PERSISTENT\n", 2, "no value" },
	{ "[kill]\n\n\nnginx\n", 4, "neither a section" },
	{ "[kill]\n= x\n", 2, "no key ''" },
};

START_TEST(config_errors)
{
	ck_assert_int_eq(parse(bad[_i].text), -EINVAL);
	ck_assert_uint_eq(error.line, bad[_i].line);
	ck_assert_msg(strstr(error.text, bad[_i].says), "%s", error.text);
}
END_TEST

START_TEST(config_limits)
{
	char text[WORDS_MAX * 8 + 400];
	unsigned int i;
	size_t at = (size_t)sprintf(text, "[kill]\nunits =");

	for (i = 0; i < WORDS_MAX; i++)
		at += (size_t)sprintf(text + at, " u%u", i);
	ck_assert_int_eq(parse(text), 0);
	ck_assert_uint_eq(cfg.kill_units.n, WORDS_MAX);
	strcpy(text + at, " more");
	ck_assert_int_eq(parse(text), -EINVAL);
	sprintf(text, "[hooks]\ndirectory = /%0*d", WORD_MAX, 0);
	ck_assert_int_eq(parse(text), -EINVAL);
	ck_assert_int_eq(parse("[kill]\nunits = a\nunits =\nunits = b\n"), 0);
	ck_assert_uint_eq(cfg.kill_units.n, 1);
	/* bytes that are no text */
	config_init(&cfg);
	ck_assert_int_eq(config_parse(&cfg, "[hooks]\ndirectory = a\0b\n", 24, &error), -EINVAL);
}
END_TEST

START_TEST(example_is_right)
{
	config_init(&cfg);
	ck_assert_msg(config_load(&cfg, "userspace/agent/agent.conf", true, &error) == 0, "%u: %s",
		      error.line, error.text);
	ck_assert_int_eq(config_load(&cfg, "/nonexistent", true, &error), -ENOENT);
	ck_assert_int_eq(config_load(&cfg, "/nonexistent", false, &error), 0);
}
END_TEST

START_TEST(step_names)
{
	int i;

	for (i = 0; i < STEP_MAX; i++)
		ck_assert_int_eq(step_find(step_name((enum step)i), strlen(step_name((enum step)i))), i);
	ck_assert_int_eq(step_find("hook", 4), -ENOENT);
	ck_assert_int_eq(step_find("", 0), -ENOENT);
}
END_TEST

static void hosts_are(const char *old, const char *address, const char *domain, const char *wanted)
{
	struct hosts_self self = {
		.old_name = "web", .name = "clone3", .domain = domain, .address = address,
	};
	char *text = hosts_text(old, strlen(old), &self);

	ck_assert_str_eq(text, wanted);
	free(text);
}

START_TEST(hosts)
{
	hosts_are("127.0.0.1 localhost\n127.0.1.1\tweb.local web # own\n10.0.0.1 web\n", NULL, "",
		  "127.0.0.1 localhost\n127.0.1.1\tweb.local clone3 # own\n10.0.0.1 web\n");
	hosts_are("127.0.0.1 localhost\n::1 localhost web\n", "10.1.0.5", "vm",
		  "127.0.0.1 localhost\n::1 localhost clone3\n"
		  "10.1.0.5 clone3.vm clone3 # by vmfork-agent\n");
	/* what a parent that was a clone had goes */
	hosts_are("127.0.0.1 localhost\n10.1.0.4 web # by vmfork-agent\n", "10.1.0.5", "",
		  "127.0.0.1 localhost\n10.1.0.5 clone3 # by vmfork-agent\n");
	hosts_are("", NULL, "", "127.0.1.1 clone3 # by vmfork-agent\n");
	/* no newline at the end, comments, part of a name */
	hosts_are("# 127.0.0.1 web\n127.0.0.1 webmail web#x\n127.0.1.1 clone3", NULL, "",
		  "# 127.0.0.1 web\n127.0.0.1 webmail clone3#x\n127.0.1.1 clone3\n");
}
END_TEST

START_TEST(names)
{
	ck_assert(name_valid("clone3"));
	ck_assert(name_valid("a-b.c1"));
	ck_assert(!name_valid(""));
	ck_assert(!name_valid("-a"));
	ck_assert(!name_valid("a..b"));
	ck_assert(!name_valid("a."));
	ck_assert(!name_valid(".a"));
	ck_assert(!name_valid("a b"));
	ck_assert(!name_valid("a\n127.0.0.1 evil"));
}
END_TEST

START_TEST(ids)
{
	const uint8_t r[16] = { 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0xff, 0x77,
				0xff, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	char text[ID_TEXT_MAX];

	machine_id_text(r, text);
	ck_assert_str_eq(text, "0011223344554f77bf99aabbccddeeff\n");
	boot_id_text(r, text);
	ck_assert_str_eq(text, "00112233-4455-4f77-bf99-aabbccddeeff\n");
}
END_TEST

START_TEST(resolv)
{
	char *text = resolv_text("10.0.2.3", "");

	ck_assert_str_eq(text, "# by vmfork-agent\nnameserver 10.0.2.3\n");
	free(text);
	text = resolv_text("10.0.2.3", "vm");
	ck_assert_str_eq(text, "# by vmfork-agent\nsearch vm\nnameserver 10.0.2.3\n");
	free(text);
}
END_TEST

static const struct {
	const char *cgroup;
	const char *unit;
} cgroups[] = {
	{ "0::/system.slice/nginx.service\n", "nginx.service" },
	{ "0::/system.slice/docker.service/inner/x\n", "docker.service" },
	{ "0::/user.slice/user-0.slice/session-1.scope\n", "session-1.scope" },
	{ "0::/user.slice/user-0.slice/user@0.service/app.slice/a.service\n", "a.service" },
	{ "0::/init.scope\n", "init.scope" },
	{ "0::/\n", "" },
	{ "", "" },
	{ "12:memory:/system.slice/x.service\n1:name=systemd:/system.slice/ssh.service\n", "ssh.service" },
	{ "12:memory:/system.slice/x.service\n", "" },
	{ "0::/.service\n", "" },
};

static void file_is(const char *path, const char *wanted)
{
	char *text;
	size_t len;

	ck_assert_int_eq(file_read(path, 100, &text, &len), 0);
	ck_assert_str_eq(text, wanted);
	ck_assert_uint_eq(len, strlen(wanted));
	free(text);
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_ino;
}

START_TEST(read_whole)
{
	char path[] = "/tmp/agent-read.XXXXXX", *text, *big = malloc(20001);
	int fd = mkstemp(path);
	size_t len;

	ck_assert_int_ge(fd, 0);
	memset(big, 'x', 20000);
	big[20000] = '\0';
	ck_assert_int_eq(file_read(path, 0, &text, &len), 0);
	ck_assert_str_eq(text, "");
	free(text);
	ck_assert_int_eq(file_overwrite(path, 0600, big, 20000), 0);
	ck_assert_int_eq(file_read(path, 20000, &text, &len), 0);
	ck_assert_uint_eq(len, 20000);
	ck_assert_str_eq(text, big);
	free(text);
	ck_assert_int_eq(file_read(path, 19999, &text, &len), -EFBIG);
	ck_assert_int_eq(file_read("/tmp", 100, &text, &len), -EISDIR);
	free(big);
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(rewritten)
{
	char dir[] = "/tmp/agent-file.XXXXXX";
	ino_t inode;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(file_rewrite("one", 0644, "long enough", 11), 0);
	inode = inode_of("one");
	ck_assert_int_eq(file_rewrite("one", 0600, "short", 5), 0);
	file_is("one", "short");
	ck_assert_uint_eq(inode_of("one"), inode);
	ck_assert_int_eq(file_overwrite("one", 0600, "", 0), 0);
	file_is("one", "");
	/* what has another name keeps its content there */
	ck_assert_int_eq(link("one", "two"), 0);
	ck_assert_int_eq(file_rewrite("one", 0644, "mine", 4), 0);
	file_is("one", "mine");
	file_is("two", "");
	ck_assert_int_eq(unlink("one"), 0);
	ck_assert_int_eq(symlink("two", "one"), 0);
	ck_assert_int_eq(file_rewrite("one", 0644, "mine", 4), 0);
	file_is("two", "");
	ck_assert_int_eq(unlink("one") | unlink("two") | chdir("/") | rmdir(dir), 0);
}
END_TEST

START_TEST(units)
{
	char unit[WORD_MAX];

	kill_unit_of(cgroups[_i].cgroup, unit);
	ck_assert_str_eq(unit, cgroups[_i].unit);
}
END_TEST

START_TEST(kill_list)
{
	static struct kill_list list;

	ck_assert(!kill_matches(&list, "nginx.service", "/usr/sbin/nginx"));
	words_add(&list.units, "nginx.service", 13);
	words_add(&list.units, "php*.service", 12);
	words_add(&list.executables, "sshd", 4);
	words_add(&list.executables, "/opt/*/java", 11);
	ck_assert(kill_matches(&list, "nginx.service", "/bin/x"));
	ck_assert(kill_matches(&list, "php8.2-fpm.service", ""));
	ck_assert(!kill_matches(&list, "xnginx.service", "/bin/nginx.service"));
	ck_assert(kill_matches(&list, "", "/usr/sbin/sshd"));
	ck_assert(!kill_matches(&list, "", "/usr/sbin/sshd2"));
	ck_assert(kill_matches(&list, "init.scope", "/opt/jdk/java"));
	ck_assert(!kill_matches(&list, "init.scope", "/usr/bin/java"));
}
END_TEST

static void make_hook(const char *dir, const char *name, const char *body, mode_t mode)
{
	char path[300];
	FILE *f;

	sprintf(path, "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "#!/bin/sh\n%s\n", body);
	fclose(f);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static char dir[] = "/tmp/vmfork-hooks.XXXXXX";

static void hooks_setup(void)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(setenv("HOOK_DIR", dir, 1), 0);
}

static void hooks_teardown(void)
{
	ck_assert_int_eq(spawn(10000, "rm", "-rf", dir, NULL), 0);
}

START_TEST(hooks_in_order)
{
	char failed[WORD_MAX], line[64] = "", path[300];
	char *env[] = { "VMFORK_ID=7", NULL };
	FILE *f;

	make_hook(dir, "20-second", "echo \"$0 $1\" | sed 's,.*/,,' >> $HOOK_DIR/log; exit 3", 0755);
	make_hook(dir, "10-first.sh", "echo $VMFORK_ID >> $HOOK_DIR/log", 0755);
	make_hook(dir, "30-third", "echo third >> $HOOK_DIR/log", 0755);
	make_hook(dir, "05-not-executable", "echo no >> $HOOK_DIR/log", 0644);
	make_hook(dir, "06-backup~", "echo no >> $HOOK_DIR/log", 0755);
	ck_assert_int_eq(hooks_run(dir, "post", env, 60000, failed), 3);
	ck_assert_str_eq(failed, "20-second");
	sprintf(path, "%s/log", dir);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_str_eq(line, "7\n");
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_str_eq(line, "20-second post\n");
	ck_assert_ptr_null(fgets(line, sizeof(line), f));
	fclose(f);
}
END_TEST

START_TEST(hooks_too_long)
{
	char failed[WORD_MAX];

	make_hook(dir, "10-endless", "while :; do sleep 1000; done", 0755);
	ck_assert_int_eq(hooks_run(dir, "post", NULL, 50, failed), -ETIMEDOUT);
	ck_assert_str_eq(failed, "10-endless");
}
END_TEST

START_TEST(hooks_none)
{
	char failed[WORD_MAX];

	ck_assert_int_eq(hooks_run("/nonexistent", "post", NULL, 1000, failed), 0);
	ck_assert_str_eq(failed, "");
}
END_TEST

START_TEST(hook_names)
{
	ck_assert(hook_name_valid("10-a"));
	ck_assert(hook_name_valid("b.sh"));
	ck_assert(!hook_name_valid(""));
	ck_assert(!hook_name_valid(".hidden"));
	ck_assert(!hook_name_valid("a~"));
	ck_assert(!hook_name_valid("a.dpkg-new"));
	ck_assert(!hook_name_valid("a/b"));
}
END_TEST

START_TEST(spawned)
{
	ck_assert_int_eq(spawn(60000, "true", NULL), 0);
	ck_assert_int_eq(spawn(60000, "sh", "-c", "exit 9", NULL), 9);
	ck_assert_int_eq(spawn(60000, "sh", "-c", "kill -9 $$", NULL), 128 + 9);
	ck_assert_int_eq(spawn(60000, "/nonexistent", NULL), 127);
	ck_assert_int_eq(spawn(50, "sleep", "1000", NULL), -ETIMEDOUT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("agent");
	TCase *t = tcase_create("pure"), *h = tcase_create("programs");

	tcase_add_test(t, config_of_nothing);
	tcase_add_test(t, config_of_everything);
	tcase_add_loop_test(t, config_errors, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, config_limits);
	tcase_add_test(t, example_is_right);
	tcase_add_test(t, step_names);
	tcase_add_test(t, hosts);
	tcase_add_test(t, names);
	tcase_add_test(t, ids);
	tcase_add_test(t, resolv);
	tcase_add_test(t, read_whole);
	tcase_add_test(t, rewritten);
	tcase_add_loop_test(t, units, 0, sizeof(cgroups) / sizeof(cgroups[0]));
	tcase_add_test(t, kill_list);
	tcase_add_test(t, hook_names);
	tcase_add_checked_fixture(h, hooks_setup, hooks_teardown);
	tcase_set_timeout(h, 300);
	tcase_add_test(h, hooks_in_order);
	tcase_add_test(h, hooks_too_long);
	tcase_add_test(h, hooks_none);
	tcase_add_test(h, spawned);
	suite_add_tcase(s, t);
	suite_add_tcase(s, h);
	return run_suite(s);
}
