// SPDX-License-Identifier: GPL-2.0-or-later
/* vmfork-agent, started and ended between two forks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define STATE	"/sys/class/misc/vmfork/agent"
#define PATH	"/usr/lib/vmfork/bin/vmfork-agent"
#define CONFIG	"/run/vmfork-bench-agent.conf"
#define POLL_US	10000
#define POLLS	6000	/* a minute */

static pid_t agent;

/* Does the module have an agent? */
static int registered(void)
{
	char state[16] = "";
	int fd = open(STATE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, state, sizeof(state) - 1) < 0)
		state[0] = '\0';
	close(fd);
	return state[0] && strncmp(state, "none", 4) != 0;
}

/* The defaults, but that a crowded host is no reason to destroy a clone. */
static int configure(void)
{
	static const char text[] = "[agent]\ntimeout = 10min\n";
	int fd = open(CONFIG, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1)
		r = -EIO;
	close(fd);
	return r;
}

static int begin(void)
{
	int r = configure();

	if (r)
		return r;
	agent = fork();
	if (agent == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execl(PATH, "vmfork-agent", "--config", CONFIG, (char *)NULL);
		_exit(127);
	}
	if (agent < 0)
		return -errno;
	for (int i = 0; i < POLLS && waitpid(agent, NULL, WNOHANG) == 0; i++) {
		if (registered())
			return 0;
		usleep(POLL_US);
	}
	return -ESRCH;
}

static int end(void)
{
	kill(agent, SIGTERM);
	if (waitpid(agent, NULL, 0) < 0)
		return -errno;
	agent = 0;
	return registered() ? -EBUSY : 0;
}

int agent_set(int on)
{
	if (!on == !agent)
		return 0;
	return on ? begin() : end();
}
