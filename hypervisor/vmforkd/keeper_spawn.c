// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes of the keeper: fork, shed everything, exec. */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

#define GROUPS_MAX	32
#define FD_PARKED	512	/* above all that a child is given */

struct groups {
	gid_t list[GROUPS_MAX];
	int n;
};

int spawn_unpack(char *blob, size_t len, unsigned int argc, unsigned int envc, char **argv,
		 char **envp)
{
	char *p = blob, *end = blob + len;

	if (argc < 1 || (len && blob[len - 1]))
		return -EINVAL;
	for (unsigned int i = 0; i < argc + envc; i++) {
		if (p >= end)
			return -EINVAL;
		if (i < argc)
			argv[i] = p;
		else
			envp[i - argc] = p;
		p += strlen(p) + 1;
	}
	argv[argc] = NULL;
	envp[envc] = NULL;
	return p == end ? 0 : -EINVAL;
}

/* QEMU opens /dev/kvm itself, and no administrator should have to think of its user. */
static void add_kvm_group(struct groups *g)
{
	struct stat st;

	if (stat("/dev/kvm", &st) == 0 && st.st_gid != 0 && g->n < GROUPS_MAX)
		g->list[g->n++] = st.st_gid;
}

static void find_groups(uid_t uid, gid_t gid, struct groups *g)
{
	struct passwd *pw = getpwuid(uid);

	g->n = GROUPS_MAX;
	if (!pw || getgrouplist(pw->pw_name, gid, g->list, &g->n) < 0) {
		g->list[0] = gid;
		g->n = 1;
	}
}

static int arrange_fds(const struct spawn *s, int err_fd, int *ret_err_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), parked[KEEPER_FDS_MAX], out = -1;

	for (unsigned int i = 0; i < s->nfds; i++) {
		parked[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, FD_PARKED);
		if (parked[i] < 0)
			return -errno;
	}
	*ret_err_fd = fcntl(err_fd, F_DUPFD_CLOEXEC, FD_PARKED);
	if (s->out >= 0)
		out = fcntl(s->out, F_DUPFD_CLOEXEC, FD_PARKED);
	if (null < 0 || *ret_err_fd < 0 || (s->out >= 0 && out < 0))
		return -errno;
	dup2(null, 0);
	if (out >= 0 && (dup2(out, 1) < 0 || dup2(out, 2) < 0))
		return -errno;
	for (unsigned int i = 0; i < s->nfds; i++)
		if (dup2(parked[i], 3 + (int)i) < 0)
			return -errno;
	return close_range(3 + s->nfds, FD_PARKED - 1, 0) < 0 ? -errno : 0;
}

static const cap_value_t net_caps[] = { CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW };

static bool is_net_cap(cap_value_t cap)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(net_caps); i++)
		if (net_caps[i] == cap)
			return true;
	return false;
}

/* Before the user is changed. */
static int keep_net_caps(void)
{
	for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++)
		if (!is_net_cap(cap) && cap_drop_bound(cap) < 0)
			return -errno;
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* After it: they outlive the exec() as ambient ones. */
static int raise_net_caps(void)
{
	cap_t caps = cap_init();
	int n = ARRAY_SIZE(net_caps), r = 0;

	if (!caps)
		return -ENOMEM;
	for (cap_flag_t f = CAP_EFFECTIVE; f <= CAP_INHERITABLE; f++)
		cap_set_flag(caps, f, n, net_caps, CAP_SET);
	if (cap_set_proc(caps) < 0)
		r = -errno;
	cap_free(caps);
	for (int i = 0; r == 0 && i < n; i++)
		if (cap_set_ambient(net_caps[i], CAP_SET) < 0)
			r = -errno;
	return r;
}

static int become(const struct spawn *s, const struct groups *g)
{
	int r = s->net ? keep_net_caps() : 0;

	if (r < 0 || s->uid == (uid_t)-1)
		return r;
	if (setgroups((size_t)g->n, g->list) < 0 || setresgid(s->gid, s->gid, s->gid) < 0 ||
	    setresuid(s->uid, s->uid, s->uid) < 0)
		return -errno;
	return s->net ? raise_net_caps() : 0;
}

/* In the child. Changing the user clears the death signal: it comes after. */
static int prepare(const struct spawn *s, const struct groups *g, pid_t keeper, int err_fd,
		   int *ret_err_fd)
{
	sigset_t none;
	int r;

	if (s->cgroup >= 0 && write(s->cgroup, "0", 1) != 1)
		return -errno;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0);
	r = arrange_fds(s, err_fd, ret_err_fd);
	if (r == 0)
		r = become(s, g);
	if (r < 0)
		return r;
	if (s->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return getppid() == keeper ? 0 : -ESRCH;
}

static void child(const struct spawn *s, const struct groups *g, pid_t keeper, int err_fd)
{
	int err_high = err_fd, r;

	r = prepare(s, g, keeper, err_fd, &err_high);
	if (r == 0) {
		execve(s->argv[0], s->argv, s->envp);
		r = -errno;
	}
	if (write(err_high, &r, sizeof(r)) < 0)
		_exit(126);
	_exit(127);
}

int spawn_process(const struct spawn *s)
{
	pid_t keeper = getpid(), pid;
	struct groups g = { .n = 0 };
	int fds[2], r = 0;

	if (s->nfds > KEEPER_FDS_MAX)
		return -E2BIG;
	if (s->uid != (uid_t)-1)
		find_groups(s->uid, s->gid, &g);
	if (s->uid != (uid_t)-1 && !s->net)
		add_kvm_group(&g);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		child(s, &g, keeper, fds[1]);
	if (pid < 0)
		r = -errno;
	close(fds[1]);
	/* closed by the exec, or four bytes: the child is on its way either way */
	if (pid > 0 && read(fds[0], &r, sizeof(r)) < 0)
		r = -errno;
	close(fds[0]);
	return r < 0 ? r : pid;
}
