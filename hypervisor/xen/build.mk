# SPDX-License-Identifier: GPL-2.0-or-later
# Left out where Xen's libraries are not (Debian: libxen-dev): nothing else needs them.
HAVE_XEN := $(shell pkg-config --exists xenlight xencontrol xenforeignmemory 2> /dev/null && echo y)
ifeq ($(HAVE_XEN),)
undefine HAVE_XEN
endif
XEN_LIBS := -lxenctrl -lxencall -lxenforeignmemory
XENVM_SRCS := $(addprefix hypervisor/xen/,xenvm.c xenvm_front.c xenvm_domain.c xenvm_copy.c xenvm_standby.c split.c extents.c xenvm_load.c \
	xenvm_console.c xenvm_device.c xenvm_vif.c xenvm_disk.c qdisk.c mark.c slow.c lower.c) $(LIB_SRCS)
XEN_BACKEND_SRCS := $(addprefix hypervisor/xen/,builtin.c backend.c vm.c freeze.c load.c adopt.c image.c region.c \
	abilities.c mark.c disks.c disks_adopt.c disks_merge.c qdisk.c) \
	$(addprefix hypervisor/qemu/,sockets.c layer.c qcow2.c qmp.c qmp_parse.c)
ifdef HAVE_XEN
$(call program,vmfork-xenvm,$(XENVM_SRCS),-Ihypervisor/xen,-lxenlight -lxenguest -lxentoollog -lxenevtchn -lxenstore \
	$(XEN_LIBS) -lpthread)
$(call program,vmfork-pager-xen,$(PAGER_SRCS) $(addprefix hypervisor/xen/,links.c xen_link.c),-Ihypervisor/xen,\
	$(XEN_LIBS) -lcap)
endif
