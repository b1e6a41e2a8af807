# SPDX-License-Identifier: GPL-2.0-or-later
# the core: all that unit tests can link without a keeper, a pager or a hypervisor
VMFORKD_CORE_PARTS := names.c policy.c ring.c channel_parse.c channel.c channel_region.c journal.c relay.c guest.c \
	vm.c ticket.c checkpoint.c fork.c fork_call.c fork_clones.c core.c waiters.c describe.c events.c server.c ops.c \
	ops_run.c ops_fork.c ops_query.c ops_fill.c state.c state_json.c adopt.c options.c runtime.c watchdog.c \
	last_words.c identity.c params.c vmlimits.c cgroup.c
VMFORKD_CORE_SRCS := $(addprefix hypervisor/vmforkd/,$(VMFORKD_CORE_PARTS)) \
	hypervisor/net/address.c
VMFORKD_PARTS := main.c keeper.c keeper_link.c keeper_pager.c keeper_store.c keeper_spawn.c keeper_cgroup.c \
	control.c keeper_client.c pager_client.c network.c network_family.c network_names.c
VMFORKD_SRCS := $(VMFORKD_CORE_SRCS) $(addprefix hypervisor/vmforkd/,$(VMFORKD_PARTS)) $(NET_SRCS) \
	$(LIB_SRCS)
VMFORKD_LIBS := -ljansson -lsystemd -lzstd -lcap $(NET_LIBS)
$(call program,vmforkd,$(VMFORKD_SRCS) $(QEMU_BACKEND_SRCS),,$(VMFORKD_LIBS))
$(call asan_program,vmforkd,$(VMFORKD_SRCS) $(QEMU_BACKEND_SRCS),,$(VMFORKD_LIBS))
ifdef HAVE_XEN
$(call program,vmforkd-xen,$(VMFORKD_SRCS) $(XEN_BACKEND_SRCS),,$(VMFORKD_LIBS) $(XEN_LIBS))
endif

include $(wildcard selftests/unit/vmforkd/build.mk)
