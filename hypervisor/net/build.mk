# SPDX-License-Identifier: GPL-2.0-or-later
# linked into vmforkd, see hypervisor/vmforkd/build.mk; the core has address.c itself
NET_SRCS := $(addprefix hypervisor/net/,iface.c filter.c)
NET_LIBS := -lnl-route-3 -lnl-3 -lnftables

include $(wildcard selftests/unit/net/build.mk)
