# SPDX-License-Identifier: GPL-2.0
# The guest module. Each kernel builds its own copy of the sources, under
# build/kmod-RELEASE/, so that kernels do not collide and the tree stays clean.

KMOD_SRCS := $(wildcard kmod/*.[ch]) kmod/Kbuild Kbuild $(wildcard include/uapi/linux/*.h)
KMOD_RELEASE = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h 2>/dev/null)
KMOD_COPY = $(B)/kmod-$(KMOD_RELEASE)
# unpacked headers bring no vmlinux for BTF, and warnings are errors here
KMOD_MAKE = $(MAKE) -C $(KDIR) M=$(abspath $(KMOD_COPY)) CONFIG_DEBUG_INFO_BTF_MODULES= \
	VMFORK_VERSION=$(VERSION) KCFLAGS=-Werror W=1

define kmod_copy
@test -n "$(KMOD_RELEASE)" || { echo "no kernel headers in KDIR=$(KDIR)" >&2; exit 1; }
@for f in $(KMOD_SRCS); do \
	cmp -s $$f $(KMOD_COPY)/$$f || install -D -m 644 $$f $(KMOD_COPY)/$$f; done
endef

.PHONY: modules modules_install sparse
modules: ## the guest module, for KDIR's kernel
	$(kmod_copy)
	@$(KMOD_MAKE) modules
	@cp $(KMOD_COPY)/kmod/vmfork.ko $(KMOD_COPY)/vmfork.ko
	@echo "  MODULE  $(KMOD_COPY)/vmfork.ko"

# signed by nobody's key; depmod is left to who installs
modules_install: modules ## install the module for KDIR's kernel, below INSTALL_MOD_PATH
	@$(KMOD_MAKE) CONFIG_MODULE_SIG_ALL= modules_install

sparse: ## the guest module through sparse
	$(kmod_copy)
	@$(KMOD_MAKE) C=2 CF=-Wsparse-error modules

# Debian's own kernel and the newest 6.12 that apt knows, its headers unpacked into the cache.
.PHONY: check-kernels
check-kernels: sparse ## the guest module for 6.1 and 6.12: W=1, warnings as errors, sparse
	@kdir=$$(selftests/lab/fetch-headers.sh 6.12) && \
		$(MAKE) --no-print-directory sparse KDIR="$$kdir"

$(call unit_test,kmod_test,selftests/unit/kmod/kmod_test.c kmod/ring.c kmod/layout.c kmod/name.c kmod/bits.c)
