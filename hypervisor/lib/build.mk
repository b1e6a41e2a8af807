# SPDX-License-Identifier: GPL-2.0-or-later
LIB_SRCS := hypervisor/lib/fdpass.c hypervisor/lib/log.c
