// SPDX-License-Identifier: GPL-2.0-or-later
/* The monitor client against a real QEMU: order, many commands at once, the end of it. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "../run.h"
#include "qmp.h"

#define QEMU "qemu-system-x86_64"
/* two disks of 256 layers, each told of and taken out again */
#define MANY 1024

static char dir[] = "/tmp/vmfork-test-XXXXXX";
static sd_event *loop;
static struct qmp *qmp;
static pid_t pid;
static unsigned int answers, wrong, last_err, closed_after;

static void on_event(void *data, const char *name, json_t *body)
{
}

static void on_closed(void *data)
{
	closed_after = answers;
}

static const struct qmp_handler handler = { .event = on_event, .closed = on_closed };

static void start(void)
{
	char socket[64];

	answers = wrong = last_err = closed_after = 0;
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(socket, sizeof(socket), "unix:%s/qmp,server=on,wait=off", dir);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!freopen("/dev/null", "w", stderr))	/* it says by what it was ended */
			_exit(127);
		execlp("timeout", "timeout", "-s", "KILL", "60", QEMU, "-S", "-nodefaults", "-machine",
		       "none", "-display", "none", "-qmp", socket, NULL);
		_exit(127);
	}
	ck_assert_int_ge(sd_event_new(&loop), 0);
	for (int i = 0; i < 600 && qmp_connect(loop, dir, "qmp", &handler, NULL, &qmp) < 0; i++)
		usleep(100000);
	ck_assert_ptr_nonnull(qmp);
}

static void stop(void)
{
	char path[64];

	qmp_free(qmp);
	qmp = NULL;
	sd_event_unref(loop);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	snprintf(path, sizeof(path), "%s/qmp", dir);
	unlink(path);
	rmdir(dir);
}

static void until_answered(unsigned int n)
{
	while (answers < n)
		ck_assert_int_gt(sd_event_run(loop, 30000000), 0);
}

/* The answer to the next command's add-fd names the next set. */
static void on_set(void *data, int err, json_t *ret, const char *text)
{
	wrong += err || json_integer_value(json_object_get(ret, "fdset-id")) != ++answers;
}

static void on_any(void *data, int err, json_t *ret, const char *text)
{
	answers++;
	wrong += err != 0;
}

static void on_end(void *data, int err, json_t *ret, const char *text)
{
	answers++;
	last_err = (unsigned int)-err;
}

static void sends_another(void *data, int err, json_t *ret, const char *text)
{
	answers++;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(qmp_send(qmp, "{\"execute\":\"query-name\"}", -1, on_any, NULL), 0);
}

START_TEST(many_at_once_are_answered_in_order)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (int i = 1; i <= MANY; i++)
		ck_assert_int_eq(qmp_execute(qmp, "add-fd", json_pack("{s:i}", "fdset-id", i), fd,
					     on_set, NULL), 0);
	close(fd);
	until_answered(MANY);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(a_callback_may_send)
{
	ck_assert_int_eq(qmp_send(qmp, "{\"execute\":\"query-name\"}", -1, sends_another, NULL), 0);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(qmp_send(qmp, "{\"execute\":\"query-name\"}", -1, on_any, NULL), 0);
	until_answered(121);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(too_many_and_an_end)
{
	int sent = 0, r;

	while ((r = qmp_send(qmp, "{\"execute\":\"query-name\"}", -1, on_end, NULL)) == 0)
		sent++;
	ck_assert_int_eq(r, -ENOBUFS);
	/* one is the client's own */
	ck_assert_int_eq(sent, QMP_QUEUE_MAX - 1);
	kill(pid, SIGTERM);
	while (!closed_after)
		ck_assert_int_gt(sd_event_run(loop, 30000000), 0);
	ck_assert_uint_eq(closed_after, (unsigned int)sent);
	ck_assert_uint_eq(last_err, ECONNRESET);
	ck_assert_int_eq(qmp_send(qmp, "{}", -1, NULL, NULL), -ECONNRESET);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qmp");
	TCase *t = tcase_create("real");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, start, stop);
	tcase_add_test(t, many_at_once_are_answered_in_order);
	tcase_add_test(t, a_callback_may_send);
	tcase_add_test(t, too_many_and_an_end);
	suite_add_tcase(s, t);
	return run_suite(s);
}
