# SPDX-License-Identifier: GPL-2.0-or-later
RAMLIB_SRCS := $(addprefix hypervisor/qemu/,ram.c ramctl.c ramlib.c snapshot.c) \
	hypervisor/lib/fdpass.c
$(call shared,libvmfork-ram.so,$(RAMLIB_SRCS),,-lpthread)
