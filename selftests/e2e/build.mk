# SPDX-License-Identifier: GPL-2.0-or-later
$(call guest_program,vmfork-e2e,$(wildcard selftests/e2e/*.c) $(LIBVMFORK_SRCS),,-lpthread)

# The suites that boot guests; see Documentation/testing.md.
CHECK_SUITES += $(wildcard selftests/host/check-*.sh)
