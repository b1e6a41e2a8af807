# SPDX-License-Identifier: GPL-2.0-or-later
$(call guest_program,vmfork-e2e,$(wildcard selftests/e2e/*.c) $(LIBVMFORK_SRCS),-Iselftests/lib,-lpthread)
