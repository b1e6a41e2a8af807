// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl top: stats, again and again. */
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "terminal.h"
#include "vmforkctl.h"

/* Return: false when it is time to go. A key other than q refreshes at once. */
static bool pause_or_key(bool keys, int ms)
{
	struct pollfd p[2] = {
		{ .fd = keys ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = terminal_signal_fd(), .events = POLLIN },
	};
	char key;

	if (poll(p, 2, ms) <= 0)
		return true;
	if (p[1].revents)
		return false;
	return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q' && key != 3;
}

static int show(struct ctl *ctl, bool screen)
{
	json_t *result = ctl_call(ctl, "stats", NULL);

	if (!result)
		return STATUS_ERROR;
	if (ctl->json) {
		print_json(result);
	} else {
		if (screen)
			fputs("\033[H\033[2J", stdout);
		printf("%zu VMs%s\n", json_array_size(get_array(result, "vms")),
		       screen ? "   (q quits)" : "");
		show_stats(result);
	}
	json_decref(result);
	return fflush(stdout) ? STATUS_ERROR : STATUS_OK;
}

int cmd_top(struct ctl *ctl, int argc, char **argv)
{
	uint64_t seconds = 2;
	bool screen, keys;
	int c, status;

	while ((c = getopt(argc, argv, "d:")) != -1) {
		if (c == '?')
			return usage_option(ctl);
		if (number_parse(optarg, 1, 3600, &seconds))
			return usage(ctl, "not a number of seconds: %s", optarg);
	}
	if (argc != optind)
		return usage(ctl, "no arguments, please");
	if (ctl_connect(ctl))
		return STATUS_ERROR;
	screen = !ctl->json && isatty(STDOUT_FILENO);
	keys = screen && isatty(STDIN_FILENO);
	if (terminal_begin(keys ? TERMINAL_KEYS : TERMINAL_PLAIN))
		return STATUS_ERROR;
	do {
		status = show(ctl, screen);
	} while (!status && pause_or_key(keys, (int)seconds * 1000));
	terminal_end();
	return status;
}
