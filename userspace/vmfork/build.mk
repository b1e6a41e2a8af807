# SPDX-License-Identifier: GPL-2.0-or-later
# Static for any guest, whatever its libraries; and the same file is installed.
VMFORK_SRCS := $(addprefix userspace/vmfork/,main.c options.c options_check.c options_help.c jobs.c parent.c crew.c \
	sink.c output.c fetch.c feed.c archive.c summary.c interrupt.c progress.c clone.c command.c \
	link.c sandbox.c changes.c parameters.c missing.c) $(LIBVMFORK_SRCS)
$(call guest_program,vmfork,$(VMFORK_SRCS),,-ljansson -lpthread)
$(call asan_guest_program,vmfork,$(VMFORK_SRCS),,-l:libjansson.a -lpthread)
