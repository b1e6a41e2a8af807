# SPDX-License-Identifier: GPL-2.0-or-later
$(call unit_test,pager-request,selftests/unit/pager/test_request.c \
	$(addprefix hypervisor/pager/,request.c slots.c),,)
FAULT_SRCS := selftests/unit/pager/fake_link.c hypervisor/lib/log.c \
	$(addprefix hypervisor/pager/,slots.c avoid.c ahead.c record.c image.c pagewrite.c clone.c fault.c fill.c)
$(call unit_test,pager-fault,selftests/unit/pager/test_fault.c $(FAULT_SRCS),,)
$(call unit_test,pager-trouble,selftests/unit/pager/test_trouble.c $(FAULT_SRCS),,)
$(call unit_test,pager-own,selftests/unit/pager/test_own.c \
	$(addprefix hypervisor/pager/,slots.c avoid.c ahead.c record.c image.c pagewrite.c clone.c fault.c fill.c \
	source_none.c) hypervisor/lib/log.c,,)
$(call unit_test,pager-uffd,selftests/unit/pager/test_uffd.c hypervisor/pager/uffd_ops.c,,)
$(call unit_test,pager-record,selftests/unit/pager/test_record.c hypervisor/pager/record.c,,)
$(call unit_test,pager-ahead,selftests/unit/pager/test_ahead.c hypervisor/pager/ahead.c,,)
