# SPDX-License-Identifier: GPL-2.0-or-later
# Left out where Xen's libraries are not (Debian: libxen-dev): nothing else needs them.
HAVE_XEN := $(shell pkg-config --exists xenlight xencontrol xenforeignmemory 2> /dev/null && echo y)
ifeq ($(HAVE_XEN),)
undefine HAVE_XEN
endif
XEN_LIBS := -lxenctrl -lxencall -lxenforeignmemory
