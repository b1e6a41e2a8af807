# SPDX-License-Identifier: GPL-2.0-or-later
# Static for any guest, whatever its libraries; and the same file is installed.
$(call guest_program,vmfork,$(addprefix userspace/vmfork/,main.c parent.c clone.c output.c \
	summary.c interrupt.c progress.c) $(LIBVMFORK_SRCS),,)
