# SPDX-License-Identifier: GPL-2.0-or-later
# Static TAP programs that run inside a guest.
$(call guest_program,fork_test,selftests/guest/fork_test.c)
