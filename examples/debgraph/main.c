// SPDX-License-Identifier: GPL-2.0-or-later
/* debgraph: what does each Debian package bring along? Answered by clones of this machine. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph.h"
#include "print.h"
#include "result.h"
#include "share.h"

static const char usage[] =
"Usage: debgraph [OPTION]...\n"
"Load Debian's package index as a dependency graph; then fork this machine, let each clone\n"
"compute what its share of the packages brings along, and merge the answers.\n\n"
"  -p, --packages FILE  the index (/usr/share/debgraph/Packages)\n"
"  -n, --clones N       clones to ask for (8)\n"
"  -e, --every K        ask about every K-th package only (1)\n"
"      --no-fork        do it all in this process: the answers must be the same\n"
"      --hold FILE      keep the clones, when they have answered, until FILE can be read from\n"
"      --help           this text\n";

struct options {
	const char *packages;
	struct plan plan;
	bool fork;
};

static int number(const char *name, const char *s, unsigned int max, unsigned int *ret)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (*s < '1' || *s > '9' || *end || v > max) {
		fprintf(stderr, "debgraph: --%s: '%s' is not a number from 1 to %u\n", name, s, max);
		return -EINVAL;
	}
	*ret = (unsigned int)v;
	return 0;
}

/* Return: 0, 1 after --help, -EINVAL. */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "packages", required_argument, NULL, 'p' },
		{ "clones", required_argument, NULL, 'n' },
		{ "every", required_argument, NULL, 'e' },
		{ "no-fork", no_argument, NULL, 'N' },
		{ "hold", required_argument, NULL, 'H' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c, err = 0;

	while (!err && (c = getopt_long(argc, argv, "p:n:e:", long_options, NULL)) != -1) {
		switch (c) {
		case 'p':
			o->packages = optarg;
			break;
		case 'n':
			err = number("clones", optarg, 1024, &o->plan.clones);
			break;
		case 'e':
			err = number("every", optarg, 1000000, &o->plan.every);
			break;
		case 'N':
			o->fork = false;
			break;
		case 'H':
			o->plan.hold = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			err = -EINVAL;
		}
	}
	if (!err && optind != argc) {
		fprintf(stderr, "debgraph: '%s': no arguments are taken\n", argv[optind]);
		err = -EINVAL;
	}
	return err;
}

/* The whole file in memory of our own: that is what the clones share with us. */
static int load(const char *path, struct span *ret)
{
	struct stat st;
	size_t have = 0;
	ssize_t n = 1;
	char *buf;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	buf = malloc((size_t)st.st_size + 1);
	while (buf && have < (size_t)st.st_size && n > 0) {
		n = read(fd, buf + have, (size_t)st.st_size - have);
		have += n > 0 ? (size_t)n : 0;
	}
	err = !buf ? -ENOMEM : n < 0 ? -errno : 0;
	close(fd);
	if (err)
		free(buf);
	else
		*ret = (struct span){ buf, have };
	return err;
}

static int answer(const struct options *o, const struct graph *g)
{
	struct share whole = { .index = 0, .count = 1, .every = o->plan.every };
	struct result total;
	int err;

	result_init(&total);
	if (o->fork)
		err = share_among_clones(g, &o->plan, &total);
	else
		err = share_compute(g, &whole, &total);
	if (err)
		return err;
	print_result(g, &total);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { "/usr/share/debgraph/Packages", { 8, 1, NULL }, true };
	struct graph *g = NULL;
	struct span text;
	int err = parse_options(&o, argc, argv);

	if (err)
		return err < 0 ? 2 : 0;
	print_step("loading %s", o.packages);
	err = load(o.packages, &text);
	if (!err)
		err = graph_build(text, &g);
	if (err) {
		fprintf(stderr, "debgraph: %s: %s\n", o.packages, strerror(-err));
		return 1;
	}
	print_step("%u packages, %u dependencies, %u virtual packages, %zu MiB of text",
		   g->packages, g->groups, g->virtuals, text.len >> 20);
	err = answer(&o, g);
	graph_free(g);
	free((void *)text.s);
	return err ? 1 : 0;
}
