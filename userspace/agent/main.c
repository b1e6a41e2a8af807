// SPDX-License-Identifier: GPL-2.0-or-later
/* vmfork-agent: gives a clone its identity before any other user code runs in it. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "config.h"
#include "report.h"
#include "util.h"

static const char help[] =
"usage: vmfork-agent [--config FILE]\n"
"       vmfork-agent --check-config [--config FILE]\n"
"       vmfork-agent --status [--json]\n"
"Give each clone of this virtual machine an identity of its own before any other\n"
"user code runs in it.\n"
"\n"
"  -c, --config=FILE   instead of " CONFIG_PATH "\n"
"      --check-config  read the configuration, say what is wrong, exit\n"
"      --status        who this machine is, how its identity was made, and how long\n"
"                      each step took\n"
"      --json          as JSON\n"
"      --help, --version\n";

enum { OPT_CHECK = 256, OPT_STATUS, OPT_JSON, OPT_HELP, OPT_VERSION };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check-config", no_argument, NULL, OPT_CHECK },
	{ "status", no_argument, NULL, OPT_STATUS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ }
};

struct options {
	const char *config;
	bool check;
	bool status;
	bool json;
};

/* Return: -1 to go on, else an exit status */
static int parse(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case OPT_CHECK:
			o->check = true;
			break;
		case OPT_STATUS:
			o->status = true;
			break;
		case OPT_JSON:
			o->json = true;
			break;
		case OPT_HELP:
			fputs(help, stdout);
			return 0;
		case OPT_VERSION:
			puts("vmfork-agent " VMFORK_VERSION);
			return 0;
		default:
			fputs("Try 'vmfork-agent --help'.\n", stderr);
			return 2;
		}
	}
	if (optind == argc && !(o->check && o->status))
		return -1;
	fputs("vmfork-agent: takes no arguments, and one of its verbs\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static struct config cfg;
	struct config_error e;
	struct options o = { 0 };
	int r;

	standard_fds();
	r = parse(&o, argc, argv);
	if (r >= 0)
		return r;
	if (o.status)
		return report_status(o.json);
	config_init(&cfg);
	r = config_load(&cfg, o.config ? o.config : CONFIG_PATH, o.config != NULL, &e);
	if (r) {
		if (e.line)
			fprintf(stderr, "%s:%u: %s\n", o.config ? o.config : CONFIG_PATH, e.line, e.text);
		else
			fprintf(stderr, "%s: %s\n", o.config ? o.config : CONFIG_PATH, e.text);
		return 1;
	}
	return o.check ? 0 : agent_run(&cfg);
}
