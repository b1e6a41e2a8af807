# SPDX-License-Identifier: GPL-2.0-or-later
VMFORKD_TEST_LIBS := -ljansson -lsystemd
VMFORKD_TEST_DIR := selftests/unit/vmforkd
VMFORKD_FAKES := $(addprefix $(VMFORKD_TEST_DIR)/,fake.c fake_guest.c fake_network.c)
$(call unit_test,vmforkd-parse,$(VMFORKD_TEST_DIR)/test_parse.c $(VMFORKD_FAKES) $(VMFORKD_CORE_SRCS) \
	$(LIB_SRCS),,$(VMFORKD_TEST_LIBS))
$(call unit_test,vmforkd-text,$(VMFORKD_TEST_DIR)/test_text.c hypervisor/vmforkd/keeper_spawn.c \
	hypervisor/vmforkd/keeper_store.c $(VMFORKD_FAKES) $(VMFORKD_CORE_SRCS) \
	$(LIB_SRCS),,$(VMFORKD_TEST_LIBS) -lcap)
$(call unit_test,vmforkd-fork,$(VMFORKD_TEST_DIR)/test_fork.c $(VMFORKD_FAKES) \
	$(VMFORKD_CORE_SRCS) $(LIB_SRCS),,$(VMFORKD_TEST_LIBS))
$(call unit_test,vmforkd-checkpoint,$(VMFORKD_TEST_DIR)/test_checkpoint.c $(VMFORKD_FAKES) \
	$(VMFORKD_CORE_SRCS) $(LIB_SRCS),,$(VMFORKD_TEST_LIBS))
$(call unit_test,vmforkd-host-fork,$(VMFORKD_TEST_DIR)/test_host_fork.c $(VMFORKD_FAKES) \
	$(VMFORKD_CORE_SRCS) $(LIB_SRCS),,$(VMFORKD_TEST_LIBS))
$(call unit_test,vmforkd-messages,$(VMFORKD_TEST_DIR)/test_messages.c $(VMFORKD_FAKES) \
	$(VMFORKD_CORE_SRCS) $(LIB_SRCS),,$(VMFORKD_TEST_LIBS))
$(call unit_test,vmforkd-hung,$(VMFORKD_TEST_DIR)/test_hung.c $(VMFORKD_FAKES) \
	$(VMFORKD_CORE_SRCS) $(LIB_SRCS),,$(VMFORKD_TEST_LIBS))

$(call unit_test,vmforkd-kill,$(VMFORKD_TEST_DIR)/test_kill.c $(VMFORKD_FAKES) \
	$(VMFORKD_CORE_SRCS) $(LIB_SRCS),,$(VMFORKD_TEST_LIBS))

$(call unit_test,vmforkd-identity,$(VMFORKD_TEST_DIR)/test_identity.c $(VMFORKD_FAKES) \
	$(VMFORKD_CORE_SRCS) $(LIB_SRCS),,$(VMFORKD_TEST_LIBS))

$(call unit_test,vmforkd-limits,$(VMFORKD_TEST_DIR)/test_limits.c $(VMFORKD_FAKES) \
	hypervisor/vmforkd/keeper_cgroup.c $(VMFORKD_CORE_SRCS) $(LIB_SRCS),,$(VMFORKD_TEST_LIBS))

FUZZ_SRCS_channel := $(addprefix hypervisor/vmforkd/,channel_parse.c ring.c names.c)
FUZZ_SRCS_control := $(VMFORKD_FAKES) $(VMFORKD_CORE_SRCS) $(LIB_SRCS)
FUZZ_LIBS_control := $(VMFORKD_TEST_LIBS)
