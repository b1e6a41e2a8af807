# SPDX-License-Identifier: GPL-2.0-or-later
$(call unit_test,net-parse,selftests/unit/net/test_parse.c \
	$(addprefix hypervisor/net/,address.c filter.c) hypervisor/lib/log.c,,-lnftables)
$(call unit_test,net-real,selftests/unit/net/test_real.c $(NET_SRCS) hypervisor/net/address.c \
	hypervisor/lib/log.c,,$(NET_LIBS))
