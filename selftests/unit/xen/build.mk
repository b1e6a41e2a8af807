# SPDX-License-Identifier: GPL-2.0-or-later
$(call unit_test,xen-split,selftests/unit/xen/test_split.c hypervisor/xen/split.c,-Ihypervisor/xen,)
$(call unit_test,xen-lower,selftests/unit/xen/test_lower.c hypervisor/xen/lower.c,-Ihypervisor/xen,)
$(call unit_test,xen-extents,selftests/unit/xen/test_extents.c hypervisor/xen/extents.c,-Ihypervisor/xen,)
$(call unit_test,xen-pvh-ram,selftests/unit/xen/test_pvh_ram.c,-Ihypervisor/xen,)

FUZZ_SRCS_xen_extents := hypervisor/xen/extents.c
