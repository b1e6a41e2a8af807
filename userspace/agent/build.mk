# SPDX-License-Identifier: GPL-2.0-or-later
# Static for any guest, as vmfork(1) is.
AGENT_CFLAGS := -Iuserspace/agent -Iuserspace/vmfork $(shell pkg-config --cflags libnl-3.0 libnl-route-3.0 2> /dev/null)
# pure or nearly so: what unit tests link as well
AGENT_LIB := $(addprefix userspace/agent/,config.c step.c file.c text.c kill.c hooks.c spawn.c)
AGENT_SRCS := $(AGENT_LIB) $(addprefix userspace/agent/,main.c agent.c clone.c settle.c report.c \
	device.c names.c ssh.c link.c connections.c netlink.c notify.c) \
	hypervisor/lib/log.c userspace/vmfork/missing.c

$(call guest_program,vmfork-agent,$(AGENT_SRCS),$(AGENT_CFLAGS),\
	-lnl-route-3 -lnl-3 -ljansson -lpthread -Wl$(comma)--no-warnings)
