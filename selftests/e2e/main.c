// SPDX-License-Identifier: GPL-2.0-or-later
/* vmfork-e2e: the end-to-end tests inside the guest, one verb each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;
} tests[] = {
	{ "fidelity", test_fidelity, "[CLONES] [MiB]" },
	{ "forks", test_forks, "[FORKS]" },
	{ "ahead", test_ahead, "FILE [MiB] [CLONES]" },
	{ "generations", test_generations, "" },
	{ "smp", test_smp, "[FORKS] [CLONES]" },
	{ "ticket", test_ticket, "" },
	{ "abandon", test_abandon, "[CLONES]" },
	{ "ends", test_ends, "" },
	{ "messages", test_messages, "[MiB]" },
	{ "doorbell", test_doorbell, "[CLONES] [ROUNDS] [RUNG] [HEARD]" },
	{ "checkpoint", test_checkpoint, "live | keep NAME | clone NAME [CLONES] | errors" },
	{ "disk", test_disk, "[CLONES] [MiB]" },
	{ "clock", test_clock, "[SECONDS]" },
	{ "connections", test_connections, "ADDRESS PORT [CLONES]" },
	{ "library", test_library, "" },
	{ "limits", test_limits, "root | nochannel" },
	{ "rubbish", test_rubbish, "[SEED]" },
	{ "forkloop", test_forkloop, "COUNT [CLONES]" },
	{ "params", test_params, "[show]" },
	{ "agent", test_agent, "report | refuse | die | hang" },
	{ "grants", test_grants, "lifetime | memory | nested | unsupported" },
	{ "faultload", test_faultload, "[CLONES] [MiB]" },
	{ "lodger", test_lodger, "DIR MiB" },
	{ "file", test_file, "PATH MiB" },
	{ "dropcache", test_dropcache, "FILE MiB" },
	{ "poison", test_poison, "DIR FILE MiB [ROUNDS]" },
	{ "pressure", test_pressure, "MiB PROCESSES ROUNDS" },
	{ "cma", test_cma, "held PID | free" },
};

int main(int argc, char **argv)
{
	const char *seconds = getenv("E2E_TIMEOUT");
	size_t n = sizeof(tests) / sizeof(tests[0]);

	for (size_t i = 0; i < n && argc > 1; i++) {
		if (strcmp(argv[1], tests[i].name))
			continue;
		watchdog(seconds ? (unsigned int)atoi(seconds) : 240);
		return tests[i].run(argc - 1, argv + 1);
	}
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "vmfork-e2e %s %s\n", tests[i].name, tests[i].args);
	return 2;
}
