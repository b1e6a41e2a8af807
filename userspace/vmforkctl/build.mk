# SPDX-License-Identifier: GPL-2.0-or-later
VMFORKCTL_LIB := $(addprefix userspace/vmforkctl/,answer.c size.c table.c vmconfig.c cloneconfig.c)
VMFORKCTL_SRCS := $(addprefix userspace/vmforkctl/,main.c client.c show.c terminal.c \
	$(patsubst %,builtin-%.c,run ps tree fork checkpoint kill wait console stats top \
	watch shutdown version)) $(VMFORKCTL_LIB) \
	hypervisor/lib/fdpass.c
$(call program,vmforkctl,$(VMFORKCTL_SRCS),,-ljansson)
$(call asan_program,vmforkctl,$(VMFORKCTL_SRCS),,-ljansson)
