// SPDX-License-Identifier: GPL-2.0-or-later
/* From the parent's identity to the clone's own: the steps. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "clone.h"
#include "connections.h"
#include "device.h"
#include "file.h"
#include "hooks.h"
#include "kill.h"
#include "log.h"
#include "names.h"
#include "ssh.h"

#define PARAMS_PATH	RUN_DIR "/params.json"
#define HOOK_LOG_MAX	(1U << 20)
#define ATTACH_POLL_MS	20U

/* More than the errno: what failed. Return: @err */
static int why(struct clone *c, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int why(struct clone *c, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return err;
}

static int step_link_down(struct clone *c)
{
	return links_down(c->has_net ? c->net.old_mac : NULL, &c->links);
}

static int step_sockets(struct clone *c)
{
	int r;

	if (!c->cfg->net_sockets)
		return 0;
	r = connections_destroy(&c->sockets);
	return r == -EBUSY ? why(c, r, "some of the parent's connections do not end") : r;
}

/* The host leaves the network to the guest: down, or another address and a lease. */
static int fresh_links(struct clone *c)
{
	unsigned int i;
	int r = 0;

	if (c->cfg->net_without_host == WITHOUT_DOWN)
		return 0;
	for (i = 0; i < c->links.n && !r; i++)
		r = link_fresh(c->links.name[i]);
	if (c->links.n)
		strcpy(c->link, c->links.name[0]);
	return r;
}

/* A device that is there but not connected yet: for half of the time that there is. */
static int configure_link(struct clone *c)
{
	unsigned int left = c->cfg->timeout_ms / 2 / ATTACH_POLL_MS;
	int r;

	while ((r = link_configure(&c->net, c->link)) == -ENODEV && left--)
		usleep(ATTACH_POLL_MS * 1000);
	return r == -ENODEV ? why(c, r, "%s does not come back from the fork", c->link) : r;
}

static int step_network(struct clone *c)
{
	const uint8_t *m = c->net.old_mac;
	int r;

	if (!c->has_net)
		return fresh_links(c);
	r = configure_link(c);
	if (r == -ENXIO)
		return why(c, r, "no network device has had %02x:%02x:%02x:%02x:%02x:%02x", m[0],
			   m[1], m[2], m[3], m[4], m[5]);
	if (!r && c->net.flags & VMFORK_NET_ADDRESS)
		inet_ntop(AF_INET, &c->net.address, c->address, sizeof(c->address));
	return r;
}

static int step_hostname(struct clone *c)
{
	if (gethostname(c->old_name, sizeof(c->old_name)))
		return -errno;
	c->old_name[sizeof(c->old_name) - 1] = '\0';
	if (!c->cfg->hostname) {
		strcpy(c->name, c->old_name);
		return 0;
	}
	if (c->has_net && c->net.hostname[0])
		snprintf(c->name, sizeof(c->name), "%.63s", c->net.hostname);
	else
		snprintf(c->name, sizeof(c->name), "clone%u", c->who.id);
	return names_hostname(c->name);
}

static int step_hosts(struct clone *c)
{
	struct hosts_self self = {
		.old_name = c->old_name,
		.name = c->name,
		.domain = c->net.domain,
		.address = c->address[0] ? c->address : NULL,
	};
	char dns[16];
	int r;

	if (self.domain[0] && !name_valid(self.domain))
		return why(c, -EINVAL, "the host gives a domain that is none");
	r = c->cfg->hosts ? names_hosts(&self) : 0;
	if (r || !c->cfg->net_resolv_conf || !c->address[0] || !c->net.dns)
		return r;
	inet_ntop(AF_INET, &c->net.dns, dns, sizeof(dns));
	return names_resolv(dns, c->net.domain);
}

static int step_machine_id(struct clone *c)
{
	if (c->cfg->machine_id == MACHINE_ID_KEEP)
		return 0;
	return names_machine_id(c->cfg->machine_id == MACHINE_ID_PERSISTENT);
}

static int step_boot_id(struct clone *c)
{
	return c->cfg->boot_id ? names_boot_id() : 0;
}

static int step_params(struct clone *c)
{
	int r = device_params(c->dev, &c->params, &c->params_len);

	if (r == -ENODATA || r == -EOPNOTSUPP) {
		/* not the parent's, which was a clone itself */
		return unlink(PARAMS_PATH) && errno != ENOENT ? -errno : 0;
	}
	if (r)
		return r;
	return file_replace(PARAMS_PATH, 0600, c->params, c->params_len);
}

static int step_kill(struct clone *c)
{
	struct kill_list list = {
		.units = c->cfg->kill_units,
		.executables = c->cfg->kill_executables,
	};
	int r = 0;

	if (c->cfg->host_keys != HOST_KEYS_KEEP)
		r = ssh_kill_list(&list.executables);
	if (!r)
		r = kill_all(&list, &c->restart, &c->killed);
	return r == -ETIMEDOUT ? why(c, r, "a process on the kill list does not die") : r;
}

static int step_ssh_keys(struct clone *c)
{
	int r;

	if (c->cfg->host_keys == HOST_KEYS_KEEP)
		return 0;
	r = ssh_remove_keys();
	if (r || c->cfg->host_keys != HOST_KEYS_PARAMS)
		return r;
	r = c->params ? ssh_keys_from_params(c->params, c->params_len) : -ENODATA;
	if (r == -ENODATA || r == -EINVAL)
		return why(c, r, "the parameters have no ssh_host_keys");
	return r;
}

static void env_add(struct clone *c, unsigned int *n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void env_add(struct clone *c, unsigned int *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->env_text[*n], sizeof(c->env_text[0]), fmt, ap);
	va_end(ap);
	c->env[*n] = c->env_text[*n];
	c->env[++*n] = NULL;
}

static void make_env(struct clone *c)
{
	unsigned int n = 0;

	env_add(c, &n, "VMFORK_ID=%u", c->who.id);
	env_add(c, &n, "VMFORK_CLONES=%u", c->who.clones);
	env_add(c, &n, "VMFORK_DEPTH=%u", c->who.depth);
	env_add(c, &n, "VMFORK_FAMILY=%llu", (unsigned long long)c->who.family);
	env_add(c, &n, "VMFORK_VM=%llu", (unsigned long long)c->who.vm);
	env_add(c, &n, "VMFORK_PARENT=%llu", (unsigned long long)c->who.parent);
	env_add(c, &n, "VMFORK_CHECKPOINT=%llu", (unsigned long long)c->who.checkpoint);
	env_add(c, &n, "VMFORK_GENERATION=%llu", (unsigned long long)c->who.generation);
	env_add(c, &n, "VMFORK_HOSTNAME=%s", c->name);
	env_add(c, &n, "VMFORK_OLD_HOSTNAME=%s", c->old_name);
	env_add(c, &n, "VMFORK_LINK=%s", c->link);
	env_add(c, &n, "VMFORK_ADDRESS=%s", c->address);
	if (c->params)
		env_add(c, &n, "VMFORK_PARAMS=%s", PARAMS_PATH);
}

/* the last line that hooks wrote, for who asks why */
static void last_line(char *ret, size_t size)
{
	char *text, *line;
	size_t len;

	ret[0] = '\0';
	if (file_read(HOOKS_PRE_LOG, HOOK_LOG_MAX, &text, &len))
		return;
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	line = strrchr(text, '\n');
	snprintf(ret, size, ": %s", line ? line + 1 : text);
	if (!len)
		ret[0] = '\0';
	free(text);
}

static int step_hooks(struct clone *c)
{
	char failed[WORD_MAX], said[80];
	int r;

	r = hooks_run(c->cfg->hooks_dir, "pre", c->env, c->cfg->pre_timeout_ms, failed);
	if (!r)
		return 0;
	last_line(said, sizeof(said));
	if (r > 0)
		return why(c, -ECANCELED, "hook %.40s pre: status %d%s", failed, r, said);
	if (r == -ETIMEDOUT)
		return why(c, r, "hook %.40s pre takes too long%s", failed, said);
	return why(c, r, "hook %.40s pre: %s", failed, strerror(-r));
}

static int (*const steps[STEP_MAX])(struct clone *c) = {
	[STEP_LINK_DOWN] = step_link_down,
	[STEP_SOCKETS] = step_sockets,
	[STEP_NETWORK] = step_network,
	[STEP_HOSTNAME] = step_hostname,
	[STEP_HOSTS] = step_hosts,
	[STEP_MACHINE_ID] = step_machine_id,
	[STEP_BOOT_ID] = step_boot_id,
	[STEP_PARAMS] = step_params,
	[STEP_KILL] = step_kill,
	[STEP_SSH_KEYS] = step_ssh_keys,
	[STEP_HOOKS] = step_hooks,
};

static int run_step(struct clone *c, enum step step)
{
	struct step_result *s = &c->steps[step];
	double begun = clock_ms();
	char text[VMFORK_WHY_MAX];

	c->why[0] = '\0';
	if (step == STEP_HOOKS)
		make_env(c);
	s->result = steps[step](c);
	s->ms = clock_ms() - begun;
	s->done = true;
	if (!s->result)
		return 0;
	snprintf(text, sizeof(text), "%s: %.90s", step_name(step),
		 c->why[0] ? c->why : strerror(-s->result));
	strcpy(c->why, text);
	if (!(c->cfg->optional & 1U << step))
		return s->result;
	log_warn("%s (optional)", c->why);
	c->why[0] = '\0';
	return 0;
}

/* What the host says. Neither is an error: old hosts have no such answer. */
static int ask_host(struct clone *c)
{
	int r = device_net(c->dev, &c->net);

	c->has_net = r == 0;
	c->net.hostname[sizeof(c->net.hostname) - 1] = '\0';
	c->net.domain[sizeof(c->net.domain) - 1] = '\0';
	if (!r || r == -ENODATA || r == -ENOTTY || r == -EOPNOTSUPP)
		return 0;
	return why(c, r, "the host does not tell the network: %s", strerror(-r));
}

int clone_identify(struct clone *c)
{
	int step, r;

	c->begun = clock_ms();
	c->sockets = 0;
	c->killed = 0;
	c->has_net = false;
	c->net = (struct vmfork_net) { 0 };
	c->links = (struct links) { 0 };
	c->link[0] = '\0';
	c->address[0] = '\0';
	c->params = NULL;
	c->why[0] = '\0';
	memset(c->steps, 0, sizeof(c->steps));
	r = ask_host(c);
	for (step = 0; step < STEP_MAX && !r; step++)
		r = run_step(c, (enum step)step);
	c->identified_ms = clock_ms() - c->begun;
	return r;
}

void clone_free(struct clone *c)
{
	free(c->params);
	c->params = NULL;
}
