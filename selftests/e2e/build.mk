# SPDX-License-Identifier: GPL-2.0-or-later
$(call guest_program,vmfork-e2e,$(wildcard selftests/e2e/*.c) $(LIBVMFORK_SRCS),,-lpthread)

# The suites that boot guests, the quick ones first; see Documentation/testing.md.
E2E_SUITES := module identity fork limits wrapper bindings disk checkpoint smp nospace faults agent
CHECK_SUITES += $(E2E_SUITES:%=selftests/host/check-%.sh)
