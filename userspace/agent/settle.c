// SPDX-License-Identifier: GPL-2.0-or-later
/* What a clone does after the release. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "hooks.h"
#include "log.h"
#include "settle.h"
#include "spawn.h"
#include "ssh.h"

#define SYSTEMCTL_MS	300000	/* a unit has its own, shorter limits */

static int systemctl(const char *verb, const char *unit)
{
	return spawn(SYSTEMCTL_MS, "systemctl", "--quiet", verb, unit, NULL);
}

/* pid 1 keeps the machine-id that it has read */
static int settle_reexec(const struct clone *c)
{
	return c->cfg->reexec ? systemctl("daemon-reexec", NULL) : 0;
}

/* its files are named by the machine-id, its messages carry both IDs */
static int settle_journald(const struct clone *c)
{
	return c->cfg->journald ? systemctl("restart", "systemd-journald.service") : 0;
}

static int settle_ssh_keys(const struct clone *c)
{
	switch (c->cfg->host_keys) {
	case HOST_KEYS_REGENERATE:
		return ssh_generate_keys(&c->cfg->key_types);
	case HOST_KEYS_PARAMS:
		return ssh_publish_keys();
	default:
		return 0;
	}
}

static int settle_dhcp(const struct clone *c)
{
	char *argv[] = { "/bin/sh", "-c", (char *)c->cfg->net_dhcp, NULL };
	struct spawn s = { .argv = argv, .envp = (char *const *)c->env, .timeout_ms = SYSTEMCTL_MS };

	if (!c->cfg->net_dhcp[0] || !c->link[0] || c->address[0])
		return 0;
	return spawn_wait(&s);
}

static int settle_restart(const struct clone *c)
{
	unsigned int i;
	int r = 0, one;

	for (i = 0; c->cfg->kill_restart && i < c->restart.n; i++) {
		/* that it was killed must not count against its limit of starts */
		systemctl("reset-failed", c->restart.word[i]);
		one = systemctl("restart", c->restart.word[i]);
		if (one)
			log_err("%s: not started again", c->restart.word[i]);
		r = r ? r : one;
	}
	return r;
}

static int settle_hooks(const struct clone *c)
{
	char failed[WORD_MAX];
	int r = hooks_run(c->cfg->hooks_dir, "post", (char *const *)c->env,
			  c->cfg->post_timeout_ms, failed);

	if (r)
		log_err("hook %s post: %s", failed, r < 0 ? strerror(-r) : "failed");
	return r;
}

static const struct {
	const char *name;
	int (*run)(const struct clone *c);
} parts[] = {
	{ "daemon-reexec", settle_reexec },
	{ "journald", settle_journald },
	{ "ssh-keys", settle_ssh_keys },
	{ "dhcp", settle_dhcp },
	{ "restart", settle_restart },
	{ "hooks", settle_hooks },
};

static int write_report(json_t *steps, double ms)
{
	json_t *root = json_pack("{s:o, s:f}", "settle", steps, "settle_ms", ms);
	char *text = root ? json_dumps(root, JSON_REAL_PRECISION(6)) : NULL;
	int r = text ? file_replace(SETTLE_REPORT, 0644, text, strlen(text)) : -ENOMEM;

	free(text);
	json_decref(root);
	return r;
}

static int settle(const struct clone *c)
{
	double begun = clock_ms(), at;
	json_t *steps = json_array();
	size_t i;
	int r, bad = 0;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		at = clock_ms();
		r = parts[i].run(c);
		bad |= r != 0;
		if (r)
			log_warn("after the release: %s: %s", parts[i].name,
				 r < 0 ? strerror(-r) : "failed");
		json_array_append_new(steps, json_pack("{s:s, s:i, s:f}", "name", parts[i].name,
						       "result", r, "ms", clock_ms() - at));
	}
	write_report(steps, clock_ms() - begun);
	if (c->cfg->timers == TIMERS_SKIP) {
		struct timespec wait = {
			.tv_sec = c->cfg->settle_ms / 1000,
			.tv_nsec = c->cfg->settle_ms % 1000 * 1000000L,
		};

		nanosleep(&wait, NULL);
		unlink(SETTLING_PATH);
	}
	return bad;
}

int settle_prepare(const struct clone *c)
{
	unlink(SETTLE_REPORT);
	if (c->cfg->timers == TIMERS_KEEP)
		return 0;
	return file_overwrite(SETTLING_PATH, 0644, "", 0);
}

pid_t settle_start(const struct clone *c, int close_fd)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(close_fd);
	_exit(settle(c));
}

void settle_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
