# SPDX-License-Identifier: GPL-2.0-or-later
$(call unit_test,libvmfork,selftests/unit/userspace/test-libvmfork.c $(LIBVMFORK_SRCS),,)
$(call unit_test,wrapper,selftests/unit/userspace/test-wrapper.c \
	userspace/vmfork/output.c userspace/vmfork/summary.c,-Iuserspace/vmfork,-ljansson)
$(call unit_test,vmforkctl,selftests/unit/userspace/test-vmforkctl.c $(VMFORKCTL_LIB),\
	-Iuserspace/vmforkctl,-ljansson)
$(call unit_test,jobs,selftests/unit/userspace/test-jobs.c $(addprefix userspace/vmfork/,jobs.c \
	changes.c progress.c),-Iuserspace/vmfork,)
$(call unit_test,agent,selftests/unit/userspace/test-agent.c $(AGENT_LIB),$(AGENT_CFLAGS),)
$(call unit_test,parameters,selftests/unit/userspace/test-parameters.c userspace/vmfork/parameters.c \
	$(LIBVMFORK_SRCS),-Iuserspace/vmfork,-ljansson)
$(call unit_test,agent-net,selftests/unit/userspace/test-agent-net.c $(addprefix userspace/agent/,\
	link.c connections.c netlink.c spawn.c),$(AGENT_CFLAGS),-lnl-route-3 -lnl-3)
