// SPDX-License-Identifier: GPL-2.0-or-later
/* vmforkctl run: start a root VM. */
#include <getopt.h>

#include "cloneconfig.h"
#include "vmconfig.h"
#include "vmforkctl.h"

const char run_options[] =
"  --disk FILE[,format=raw|qcow2]  a disk, up to 8; FILE itself is never written\n"
"  --memory SIZE                   512M, 2G: a multiple of 2M\n"
"  --cpus N                        virtual CPUs, 1 to 16 (1)\n"
"  --kernel FILE --initrd FILE --append STRING\n"
"  --net none|user|bridge          (none)\n"
"  --accel auto|kvm|tcg            (auto)\n"
"  --machine pc|q35                (pc); on Xen: pvh|hvm (pvh)\n"
"  --lifetime TIME                 90, 5m, 2h: it is ended then\n"
"  --memory-limit SIZE             memory of the host's that it may have\n"
"  --cpu-weight N                  share of the processors, 1 to 10000 (100)\n"
"  --qemu-arg ARG                  for QEMU as it is; what cannot be forked is told\n"
"  --console                       attach to its console once it runs\n";

enum { DISK = 1, MEMORY, CPUS, KERNEL, INITRD, APPEND, NET, ACCEL, MACHINE, CONSOLE, LIFETIME,
	MEMORY_LIMIT, CPU_WEIGHT, QEMU_ARG };

static const struct option options[] = {
	{ "disk", required_argument, NULL, DISK },
	{ "memory", required_argument, NULL, MEMORY },
	{ "cpus", required_argument, NULL, CPUS },
	{ "kernel", required_argument, NULL, KERNEL },
	{ "initrd", required_argument, NULL, INITRD },
	{ "append", required_argument, NULL, APPEND },
	{ "net", required_argument, NULL, NET },
	{ "accel", required_argument, NULL, ACCEL },
	{ "machine", required_argument, NULL, MACHINE },
	{ "console", no_argument, NULL, CONSOLE },
	{ "lifetime", required_argument, NULL, LIFETIME },
	{ "memory-limit", required_argument, NULL, MEMORY_LIMIT },
	{ "cpu-weight", required_argument, NULL, CPU_WEIGHT },
	{ "qemu-arg", required_argument, NULL, QEMU_ARG },
	{ }
};

/* the option's name is the member's */
static int set_text(json_t *config, int option, const char *value)
{
	return json_object_set_new(config, options[option - 1].name, json_string(value));
}

static int set_cpus(json_t *config, const char *text, char *why, size_t size)
{
	uint64_t n;

	if (number_parse(text, 1, 16, &n)) {
		snprintf(why, size, "not a number of CPUs, 1 to 16: %s", text);
		return -1;
	}
	return json_object_set_new(config, "vcpus", json_integer((json_int_t)n));
}

static int set_limit(json_t *config, const char *option, const char *text, char *why, size_t size)
{
	json_t *limits = json_object_get(config, "limits");

	if (!limits) {
		limits = json_object();
		json_object_set_new(config, "limits", limits);
	}
	return limit_set(limits, option, text, why, size);
}

static int add_extra(json_t *config, const char *arg)
{
	json_t *extra = json_object_get(config, "extra");

	if (!extra) {
		extra = json_array();
		json_object_set_new(config, "extra", extra);
	}
	return json_array_append_new(extra, json_string(arg));
}

static int set_option(json_t *config, int option, bool *console, char *why, size_t size)
{
	switch (option) {
	case DISK:
		return vmconfig_disk(config, optarg, why, size);
	case MEMORY:
		return vmconfig_memory(config, optarg, why, size);
	case CPUS:
		return set_cpus(config, optarg, why, size);
	case KERNEL:
	case INITRD:
		return vmconfig_path(config, options[option - 1].name, optarg, why, size);
	case LIFETIME:
	case MEMORY_LIMIT:
	case CPU_WEIGHT:
		return set_limit(config, options[option - 1].name, optarg, why, size);
	case QEMU_ARG:
		snprintf(why, size, "not text that vmforkd could take: --qemu-arg");
		return add_extra(config, optarg);
	case CONSOLE:
		*console = true;
		return 0;
	default:
		snprintf(why, size, "not text that vmforkd could take: --%s",
			 options[option - 1].name);
		return set_text(config, option, optarg);
	}
}

/* Return: 0 or STATUS_USAGE */
static int parse(struct ctl *ctl, int argc, char **argv, json_t *config, bool *console)
{
	char why[512];
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?') {
			usage_option(ctl);
			fputs(run_options, stderr);
			return STATUS_USAGE;
		}
		if (set_option(config, c, console, why, sizeof(why)))
			return usage(ctl, "%s", why);
	}
	if (argc - optind != 1)
		return usage(ctl, "a name for the VM?");
	json_object_set_new(config, "name", json_string(argv[optind]));
	if (!json_object_get(config, "kernel") && !json_object_get(config, "disks"))
		return usage(ctl, "nothing to boot: --disk or --kernel");
	if (!json_object_get(config, "memory"))
		vmconfig_memory(config, "512M", why, sizeof(why));
	return 0;
}

int cmd_run(struct ctl *ctl, int argc, char **argv)
{
	json_t *config = json_object(), *result, *vm;
	char handle[HANDLE_TEXT], accel[16];
	bool console = false;
	int status = parse(ctl, argc, argv, config, &console);

	if (status) {
		json_decref(config);
		return status;
	}
	result = ctl_call(ctl, "run", json_pack("{s:o}", "config", config));
	if (!result)
		return STATUS_ERROR;
	vm = get_object(result, "vm");
	if (ctl->json) {
		print_json(result);
	} else {
		text_clean(accel, sizeof(accel), get_text(vm, "accel"));
		printf("%s runs: handle %s, accel %s\n", argv[optind],
		       get_handle(vm, "handle", handle), accel);
		fflush(stdout);
	}
	if (console)
		status = console_attach(ctl, argv[optind]);
	json_decref(result);
	return status;
}
