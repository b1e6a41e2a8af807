// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of vmforkd, shared by its two roles. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ticket.h"
#include "util.h"

#define NET_POOL	"10.77.0.0/16"

struct options opt;

enum { O_RUNTIME = 256, O_IMAGE, O_USER, O_PAGER_USER, O_CLONES_MAX, O_CLONES_TOTAL, O_MEMORY_MAX,
	O_IDENTITY, O_SOCKET, O_FILL, O_FILL_MAX, O_NET_POOL, O_NET_ISOLATED, O_NET_AGENT, O_DIE,
	O_LIB, O_POISON, O_CONTROL, O_CGROUP, O_HELP, O_VERSION };

static const struct option long_options[] = {
	{ "runtime-dir", required_argument, NULL, O_RUNTIME },
	{ "image-dir", required_argument, NULL, O_IMAGE },
	{ "user", required_argument, NULL, O_USER },
	{ "pager-user", required_argument, NULL, O_PAGER_USER },
	{ "clones-max", required_argument, NULL, O_CLONES_MAX },
	{ "clones-total", required_argument, NULL, O_CLONES_TOTAL },
	{ "memory-max", required_argument, NULL, O_MEMORY_MAX },
	{ "identity-timeout", required_argument, NULL, O_IDENTITY },
	{ "socket", required_argument, NULL, O_SOCKET },
	{ "fill", required_argument, NULL, O_FILL },
	{ "fill-max", required_argument, NULL, O_FILL_MAX },
	{ "net-pool", required_argument, NULL, O_NET_POOL },
	{ "net-isolated", no_argument, NULL, O_NET_ISOLATED },
	{ "net-without-agent", required_argument, NULL, O_NET_AGENT },
	{ "die-with-parent", no_argument, NULL, O_DIE },
	{ "lib-dir", required_argument, NULL, O_LIB },
	{ "poison-avoided", no_argument, NULL, O_POISON },
	{ "control-role", no_argument, NULL, O_CONTROL },
	{ "cgroup", required_argument, NULL, O_CGROUP },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ }
};

static const char usage[] =
"Usage: vmforkd [OPTION]...\n"
"Keep virtual machines that fork: see vmforkd(8), vmforkctl(1).\n\n"
"  --runtime-dir DIR    sockets and state of the machines (/run/vmfork)\n"
"  --image-dir DIR      a tmpfs for memory images (/dev/shm)\n"
"  --socket PATH        the control socket (RUNTIME-DIR/control.sock)\n"
"  --user USER          whom QEMU runs as (vmfork, when started by root)\n"
"  --pager-user USER    whom the pager runs as (nobody, when started by root)\n"
"  --clones-max N       most clones of one ticket (64)\n"
"  --clones-total N     most clones at any time (256)\n"
"  --memory-max SIZE    most memory, estimated, of all machines (no limit)\n"
"  --identity-timeout N seconds that a clone's agent may take beyond its own limit (60)\n"
"  --fill WHAT          pages that clones get before they ask: none, all, or (the\n"
"                       default) 'record': those that earlier forks' clones used\n"
"  --fill-max SIZE      most of that, of each image (no limit)\n"
"  --net-pool NETWORK   subnets of families with a bridge (10.77.0.0/16)\n"
"  --net-isolated       machines of a family do not reach each other either\n"
"  --net-without-agent shut|open\n"
"                       a bridge's link of clones without vmfork-agent (shut)\n"
"  --lib-dir DIR        where libvmfork-ram.so and vmfork-pager are\n"
"  --die-with-parent    end when the process that started vmforkd ends\n"
"  --poison-avoided     for tests: clones find poison in pages that the guest gave up\n"
"  --help, --version    this text; the version\n";

int parse_size(const char *s, uint64_t *ret)
{
	unsigned int shift = 0;
	uint64_t v;
	char *end;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno)
		return -EINVAL;
	switch (*end) {
	case 'T':
		shift = 40;
		break;
	case 'G':
		shift = 30;
		break;
	case 'M':
		shift = 20;
		break;
	case 'K':
		shift = 10;
		break;
	}
	if (shift)
		end++;
	if (*end || v > (UINT64_MAX >> shift))
		return -EINVAL;
	*ret = v << shift;
	return 0;
}

static int number(const char *name, const char *s, unsigned int max, unsigned int *ret)
{
	uint64_t v;

	if (parse_size(s, &v) < 0 || v < 1 || v > max) {
		fprintf(stderr, "vmforkd: --%s: '%s' is not a number from 1 to %u\n", name, s, max);
		return -EINVAL;
	}
	*ret = v;
	return 0;
}

static int path(const char *name, const char *s, char *ret)
{
	if (s[0] != '/' || strlen(s) >= OPT_PATH_MAX) {
		fprintf(stderr, "vmforkd: --%s: '%s' is not an absolute path of at most %d characters\n",
			name, s, OPT_PATH_MAX - 1);
		return -EINVAL;
	}
	strcpy(ret, s);
	return 0;
}

int fill_parse(const char *s, enum fill *ret)
{
	static const char *const names[] = {
		[FILL_NONE] = "none", [FILL_RECORD] = "record", [FILL_ALL] = "all",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(s, names[i])) {
			*ret = (enum fill)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int size(const char *name, const char *s, uint64_t *ret)
{
	if (parse_size(s, ret) == 0)
		return 0;
	fprintf(stderr, "vmforkd: --%s: '%s' is not a size (as in 8G)\n", name, s);
	return -EINVAL;
}

static int shut_or_open(const char *s, bool *ret)
{
	if (strcmp(s, "shut") && strcmp(s, "open")) {
		fprintf(stderr, "vmforkd: --net-without-agent: '%s' is neither shut nor open\n", s);
		return -EINVAL;
	}
	*ret = !strcmp(s, "open");
	return 0;
}

static int one_option(struct options *o, int c)
{
	switch (c) {
	case O_RUNTIME:
		return path("runtime-dir", optarg, o->runtime_dir);
	case O_IMAGE:
		return path("image-dir", optarg, o->image_dir);
	case O_SOCKET:
		return path("socket", optarg, o->socket);
	case O_LIB:
		return path("lib-dir", optarg, o->lib_dir);
	case O_USER:
		snprintf(o->user, sizeof(o->user), "%s", optarg);
		return 0;
	case O_PAGER_USER:
		snprintf(o->pager_user, sizeof(o->pager_user), "%s", optarg);
		return 0;
	case O_CLONES_MAX:
		return number("clones-max", optarg, TICKET_CLONES_MAX, &o->clones_max);
	case O_CLONES_TOTAL:
		return number("clones-total", optarg, CLONES_TOTAL_MAX, &o->clones_total);
	case O_MEMORY_MAX:
		return size("memory-max", optarg, &o->memory_max);
	case O_IDENTITY:
		return number("identity-timeout", optarg, 86400, &o->identity_timeout);
	case O_FILL:
		if (fill_parse(optarg, &o->fill) == 0)
			return 0;
		fprintf(stderr, "vmforkd: --fill: '%s' is not 'none', 'record' or 'all'\n", optarg);
		return -EINVAL;
	case O_FILL_MAX:
		return size("fill-max", optarg, &o->fill_max);
	case O_NET_POOL:
		if (net_pool_parse(optarg, &o->net_pool) == 0)
			return 0;
		fprintf(stderr, "vmforkd: --net-pool: '%s' is not a private network of /8 to /23 "
			"(as in 10.77.0.0/16)\n", optarg);
		return -EINVAL;
	case O_NET_ISOLATED:
		o->net_isolated = true;
		return 0;
	case O_NET_AGENT:
		return shut_or_open(optarg, &o->net_without_agent);
	case O_DIE:
		o->die_with_parent = true;
		return 0;
	case O_POISON:
		o->poison_avoided = true;
		return 0;
	case O_CGROUP:
		return path("cgroup", optarg, o->cgroup);
	case O_CONTROL:
		o->control = true;
		return 0;
	case 'h':
		fputs(usage, stdout);
		return 1;
	case 'V':
		puts("vmforkd " VMFORK_VERSION);
		return 1;
	default:
		fputs("Try 'vmforkd --help'.\n", stderr);
		return -EINVAL;
	}
}

static int look_up(const char *option, const char *who, const char *name, struct passwd **ret)
{
	*ret = getpwnam(name);
	if (!*ret) {
		fprintf(stderr, "vmforkd: there is no user '%s' to run %s as; create it:\n"
			"  useradd --system --user-group --no-create-home --shell /usr/sbin/nologin %s\n"
			"or name another one with --%s\n", name, who, name, option);
		return -EINVAL;
	}
	if ((*ret)->pw_uid == 0) {
		fprintf(stderr, "vmforkd: --%s: %s must not run as root\n", option, who);
		return -EINVAL;
	}
	return 0;
}

/*
 * The pager is given all that it works on as descriptors. As another user than QEMU
 * it can neither be reached through /proc by a QEMU that was taken over, nor reach it.
 * "nobody" is there already; QEMU's user serves where it is not, or is QEMU's.
 */
static int find_pager_user(struct options *o)
{
	struct passwd *pw;

	if (o->pager_user[0])
		return look_up("pager-user", "the pager", o->pager_user, &pw);
	pw = getpwnam("nobody");
	strcpy(o->pager_user, pw && pw->pw_uid && pw->pw_uid != o->uid ? "nobody" : o->user);
	return 0;
}

static int find_users(struct options *o)
{
	struct passwd *pw;
	int r;

	o->uid = (uid_t)-1;
	o->gid = (gid_t)-1;
	if (geteuid() != 0) {
		if (!o->user[0] && !o->pager_user[0])
			return 0;
		fputs("vmforkd: --user, --pager-user: only root can run programs as somebody else\n",
		      stderr);
		return -EINVAL;
	}
	if (!o->user[0])
		strcpy(o->user, "vmfork");
	r = look_up("user", "QEMU", o->user, &pw);
	if (r < 0)
		return r;
	o->uid = pw->pw_uid;
	o->gid = pw->pw_gid;
	return find_pager_user(o);
}

/* Beside the executable in a build tree (bin/ and lib/), else the install prefix. */
static void find_programs(struct options *o)
{
	char exe[PATH_MAX], try[PATH_MAX + 64], pager[64] = "vmfork-pager", *dir;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n < 0)
		n = 0;
	exe[n] = '\0';
	/* vmforkd-xen has vmfork-pager-xen */
	dir = strrchr(exe, '/');
	if (dir && !strncmp(dir, "/vmforkd-", 9))
		snprintf(pager, sizeof(pager), "vmfork-pager%.32s", dir + 8);
	dir = dirname(exe);
	if (o->lib_dir[0]) {
		snprintf(try, sizeof(try), "%s/%s", o->lib_dir, pager);
		if (access(try, X_OK) < 0)
			snprintf(try, sizeof(try), "%s/%s", dir, pager);
		snprintf(o->pager, sizeof(o->pager), "%.255s", try);
		return;
	}
	snprintf(o->pager, sizeof(o->pager), "%.180s/%s", dir, pager);
	snprintf(try, sizeof(try), "%s/../lib/libvmfork-ram.so", dir);
	if (access(try, R_OK) == 0) {
		snprintf(try, sizeof(try), "%s/../lib", dir);
		if (realpath(try, exe))
			snprintf(o->lib_dir, sizeof(o->lib_dir), "%.255s", exe);
		return;
	}
	snprintf(try, sizeof(try), "%s/../lib/vmfork", dir);
	if (realpath(try, exe))
		snprintf(o->lib_dir, sizeof(o->lib_dir), "%.255s", exe);
	if (access(o->pager, X_OK) < 0)
		snprintf(o->pager, sizeof(o->pager), "%.180s/%s", o->lib_dir, pager);
}

int options_parse(struct options *o, int argc, char **argv)
{
	int c, r;

	*o = (struct options){ .clones_max = 64, .clones_total = 256, .identity_timeout = 60,
				.fill = FILL_RECORD, .fill_max = UINT64_MAX };
	strcpy(o->runtime_dir, "/run/vmfork");
	strcpy(o->image_dir, "/dev/shm");
	net_pool_parse(NET_POOL, &o->net_pool);
	while ((c = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
		r = one_option(o, c);
		if (r)
			return r;
	}
	if (optind < argc) {
		fprintf(stderr, "vmforkd: unexpected argument '%s'\nTry 'vmforkd --help'.\n",
			argv[optind]);
		return -EINVAL;
	}
	if (!o->socket[0] &&
	    snprintf(o->socket, sizeof(o->socket), "%s/control.sock", o->runtime_dir) >= 108) {
		fputs("vmforkd: --runtime-dir: too long for a socket's path\n", stderr);
		return -EINVAL;
	}
	find_programs(o);
	return find_users(o);
}
