# SPDX-License-Identifier: GPL-2.0-or-later
PAGER_PARTS := slots.c avoid.c ahead.c request.c source_snapshot.c source_none.c record.c image.c pagewrite.c \
	uffd_ops.c clone.c fault.c fill.c pager.c peer.c loop.c privileges.c
PAGER_SRCS := $(addprefix hypervisor/pager/,$(PAGER_PARTS) main.c) $(LIB_SRCS)
$(call program,vmfork-pager,$(PAGER_SRCS) hypervisor/pager/links.c,,-lcap)
$(call asan_program,vmfork-pager,$(PAGER_SRCS) hypervisor/pager/links.c,,-lcap)

include selftests/host/pager/build.mk selftests/unit/pager/build.mk
