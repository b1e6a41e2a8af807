# SPDX-License-Identifier: GPL-2.0-or-later
PAGER_TEST := selftests/host/pager
$(call program,vmfork-pager-bench,$(addprefix $(PAGER_TEST)/,bench.c pgclient.c) $(LIB_SRCS),,)
$(call program,vmfork-test-vm,$(PAGER_TEST)/tvm.c,,-lpthread)
$(call program,vmfork-pager-test,$(addprefix $(PAGER_TEST)/,main.c rig.c pgclient.c t_clones.c \
	t_faults.c t_fill.c t_requests.c t_ramlib.c) $(LIB_SRCS),,)

CHECK_SUITES += $(B)/bin/vmfork-pager-test
.PHONY: check-pager
check-pager: user ## the pager and the RAM library without QEMU (TAP)
	@$(B)/bin/vmfork-pager-test
