// SPDX-License-Identifier: GPL-2.0-or-later
/* vmfork-pager: serves the page faults of clones. Options and start. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"
#include "pagewrite.h"
#include "privileges.h"
#include "vmlink.h"

#define SPIN_US		50U
#define SPIN_US_MAX	1000U

struct options {
	const char *listen;
	const char *user;
	int fd;			/* -1: --listen */
	unsigned int spin_us;
};

static const struct option longopts[] = {
	{ "listen", required_argument, NULL, 'l' },
	{ "fd", required_argument, NULL, 'f' },
	{ "user", required_argument, NULL, 'u' },
	{ "spin", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *to)
{
	fputs("Usage: vmfork-pager --listen PATH | --fd N [--user NAME] [--spin USEC]\n"
	      "Serves the page faults of vmfork clones; its peer is vmforkd.\n"
	      "\n"
	      "  --listen PATH  listen on a SOCK_SEQPACKET socket at PATH\n"
	      "  --fd N         use descriptor N: such a socket, listening or connected\n"
	      "  --user NAME    become this user after the start\n"
	      "  --spin USEC    look for the next fault this long before sleeping (50)\n"
	      "  --help, --version\n", to);
}

static bool parse_number(const char *s, unsigned int max, unsigned int *ret)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(s, &end, 10);
	if (errno || end == s || *end || *s == '-' || v > max)
		return false;
	*ret = (unsigned int)v;
	return true;
}

/* -1: go on; else the exit status */
static int parse_options(int argc, char **argv, struct options *o)
{
	unsigned int fd;
	int c;

	while ((c = getopt_long(argc, argv, "hV", longopts, NULL)) >= 0) {
		switch (c) {
		case 'l':
			o->listen = optarg;
			break;
		case 'u':
			o->user = optarg;
			break;
		case 'f':
			if (!parse_number(optarg, 1 << 20, &fd))
				goto bad;
			o->fd = (int)fd;
			break;
		case 's':
			if (!parse_number(optarg, SPIN_US_MAX, &o->spin_us))
				goto bad;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			puts("vmfork-pager " VMFORK_VERSION);
			return 0;
		default:
			goto bad;
		}
	}
	if (optind == argc && !o->listen != (o->fd < 0))
		return -1;
bad:
	usage(stderr);
	return 2;
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	umask(0077);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 8) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct options o = { .fd = -1, .spin_us = SPIN_US };
	uid_t owner = getuid();
	int err;

	err = parse_options(argc, argv, &o);
	if (err >= 0)
		return err;
	log_init("vmfork-pager");
	if (o.listen)
		o.fd = listen_at(o.listen);
	if (o.fd < 0) {
		log_err("%s: %s", o.listen, strerror(-o.fd));
		return EXIT_FAILURE;
	}
	err = pagewrite_init();
	if (!err)
		err = vmlink_setup();
	if (!err)
		err = privileges_drop(o.user);
	if (err) {
		log_err("cannot start: %s", strerror(-err));
		return EXIT_FAILURE;
	}
	err = loop_run(o.fd, owner, o.spin_us);
	if (err)
		log_err("%s", strerror(-err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
