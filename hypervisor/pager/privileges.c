// SPDX-License-Identifier: GPL-2.0-or-later
/* What the pager gives up once it has started. */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

/**
 * DOC: Stages
 *
 * 1. Limits, as long as they can be raised: descriptors (five per image, two per
 *    clone), locked memory; no core (it holds guests' pages).
 * 2. Memory locked: a pager that faults itself makes guests wait for the disk.
 * 3. Bounding set, user and groups. This clears the parent-death signal: it is set again.
 * 4. No capabilities, no new privileges, no processes.
 * All that the pager works on comes to it as open descriptors.
 */
static void raise_limit(int what)
{
	struct rlimit r = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };

	if (what == RLIMIT_MEMLOCK && setrlimit(what, &r) == 0)
		return;
	if (getrlimit(what, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(what, &r);
}

static void set_limits(void)
{
	struct rlimit none = { 0 };

	raise_limit(RLIMIT_NOFILE);
	raise_limit(RLIMIT_MEMLOCK);
	setrlimit(RLIMIT_CORE, &none);
}

/* With a limit, later mappings would fail: then only what is there now is locked. */
static void lock_memory(void)
{
	struct rlimit r;
	int flags = MCL_CURRENT;

	if (getrlimit(RLIMIT_MEMLOCK, &r) == 0 && r.rlim_cur == RLIM_INFINITY)
		flags |= MCL_FUTURE;
	if (mlockall(flags) < 0)
		log_info("memory is not locked (errno %d)", errno);
}

static int become(const char *user)
{
	const struct passwd *pw;
	int death = 0;

	errno = 0;
	pw = getpwnam(user);
	if (!pw)
		return errno ? -errno : -ENOENT;
	prctl(PR_GET_PDEATHSIG, &death);
	if (setgroups(0, NULL) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return -errno;
	if (death && prctl(PR_SET_PDEATHSIG, death) < 0)
		return -errno;
	return 0;
}

static void drop_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap);
}

static int drop_capabilities(void)
{
	cap_t none = cap_init();
	int err = 0;

	if (!none)
		return -ENOMEM;
	if (cap_set_proc(none) < 0)
		err = -errno;
	cap_free(none);
	return err;
}

int privileges_drop(const char *user)
{
	struct rlimit none = { 0 };
	int err;

	set_limits();
	lock_memory();
	drop_bounding_set();
	err = user ? become(user) : 0;
	if (!err)
		err = drop_capabilities();
	if (err)
		return err;
	setrlimit(RLIMIT_NPROC, &none);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}
