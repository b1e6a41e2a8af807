# SPDX-License-Identifier: GPL-2.0-or-later
# the core: all that unit tests can link without a keeper, a pager or a hypervisor
VMFORKD_CORE_PARTS := names.c policy.c ring.c channel_parse.c channel.c journal.c relay.c guest.c vm.c \
	ticket.c checkpoint.c fork.c fork_clones.c core.c waiters.c describe.c events.c server.c ops.c ops_run.c \
	ops_fork.c ops_query.c state.c state_json.c adopt.c options.c runtime.c watchdog.c last_words.c
VMFORKD_CORE_SRCS := $(addprefix hypervisor/vmforkd/,$(VMFORKD_CORE_PARTS))
VMFORKD_PARTS := main.c keeper.c keeper_link.c keeper_store.c keeper_spawn.c control.c \
	keeper_client.c pager_client.c
VMFORKD_SRCS := $(VMFORKD_CORE_SRCS) $(addprefix hypervisor/vmforkd/,$(VMFORKD_PARTS)) $(LIB_SRCS)
$(call program,vmforkd,$(VMFORKD_SRCS) $(QEMU_BACKEND_SRCS),,-ljansson -lsystemd -lzstd)
$(call asan_program,vmforkd,$(VMFORKD_SRCS) $(QEMU_BACKEND_SRCS),,-ljansson -lsystemd -lzstd)
ifdef HAVE_XEN
$(call program,vmforkd-xen,$(VMFORKD_SRCS) $(XEN_BACKEND_SRCS),,-ljansson -lsystemd $(XEN_LIBS))
endif

include $(wildcard selftests/unit/vmforkd/build.mk)
