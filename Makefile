# SPDX-License-Identifier: GPL-2.0-or-later
# vmfork: `make help` lists what there is. Everything that is built goes to build/.
#
# Each folder says in its build.mk what it makes, with the four calls below:
#   $(call program,NAME,SOURCES,CFLAGS,LIBS)     -> build/bin/NAME
#   $(call shared,NAME,SOURCES,CFLAGS,LIBS)      -> build/lib/NAME
#   $(call guest_program,NAME,SOURCES,CFLAGS,LIBS) -> build/guest/NAME, static
#   $(call unit_test,NAME,SOURCES,CFLAGS,LIBS)   -> build/unit/NAME, Check, ASan + UBSan

B := build
CC ?= gcc
PREFIX ?= /usr/local
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(lastword $(sort $(wildcard /lib/modules/*/build))))
VERSION := 0.1
comma := ,

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-unused-parameter
NL_CFLAGS := $(shell pkg-config --cflags libnl-3.0 2> /dev/null)
CPPFLAGS_ALL := -D_GNU_SOURCE -Iinclude/uapi -Ihypervisor/lib -Ihypervisor/pager \
	-Ihypervisor/qemu -Ihypervisor/vmforkd -Ihypervisor/net $(NL_CFLAGS) -Iuserspace/libvmfork \
	-DVMFORK_VERSION='"$(VERSION)"'
CFLAGS_ALL := -std=gnu11 -O2 -g -fstack-protector-strong $(WARN) $(CFLAGS)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

USER_TARGETS :=
GUEST_TARGETS :=
UNIT_TARGETS :=
ASAN_TARGETS :=

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

# $(call objects,SUBDIR,SOURCES): where their objects are
objects = $(patsubst %.c,$(B)/obj/$(1)/%.o,$(2))

# Objects are per target kind: plain, pic (shared), guest (static), asan.
define compile_rule
$(B)/obj/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	@echo "  CC      $$@"
	@$$(CC) $$(CPPFLAGS_ALL) $$(CFLAGS_ALL) $(2) $$(XCFLAGS) -MMD -MP -c -o $$@ $$<
endef
$(eval $(call compile_rule,plain,))
$(eval $(call compile_rule,pic,-fPIC -fvisibility=hidden))
$(eval $(call compile_rule,guest,))
$(eval $(call compile_rule,asan,$(SANITIZE)))

# $(call link_rule,KIND,TARGET,SOURCES,CFLAGS,LIBS,LDFLAGS)
define link_rule
$(2): private XCFLAGS := $(4)
$(call objects,$(1),$(3)): private XCFLAGS := $(4)
$(2): $(call objects,$(1),$(3))
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	@$$(CC) $$(CFLAGS_ALL) $(6) -o $$@ $(call objects,$(1),$(3)) $(5)
-include $(patsubst %.o,%.d,$(call objects,$(1),$(3)))
endef

program = $(eval $(call link_rule,plain,$(B)/bin/$(1),$(2),$(3),$(4),$(LDFLAGS)))$(eval USER_TARGETS += $(B)/bin/$(1))
shared = $(eval $(call link_rule,pic,$(B)/lib/$(1),$(2),$(3),$(4),-shared $(LDFLAGS)))$(eval USER_TARGETS += $(B)/lib/$(1))
guest_program = $(eval $(call link_rule,guest,$(B)/guest/$(1),$(2),$(3),$(4),-static))$(eval GUEST_TARGETS += $(B)/guest/$(1))
unit_test = $(eval $(call link_rule,asan,$(B)/unit/$(1),$(2),$(3),$(4) -lcheck -lsubunit -lm -lrt -lpthread,$(SANITIZE)))$(eval UNIT_TARGETS += $(B)/unit/$(1))

# The same program under ASan and UBSan, in build/asan/bin/, or for the guest, in build/asan/guest/:
# that brings the sanitizers' runtime along, as the guest has none
asan_program = $(eval $(call link_rule,asan,$(B)/asan/bin/$(1),$(2),$(3),$(4),$(SANITIZE)))$(eval ASAN_TARGETS += $(B)/asan/bin/$(1))
asan_guest_program = $(eval $(call link_rule,asan,$(B)/asan/guest/$(1),$(2),$(3),$(4),$(SANITIZE) -static-libasan -static-libubsan))$(eval ASAN_TARGETS += $(B)/asan/guest/$(1))

include hypervisor/lib/build.mk
include $(wildcard hypervisor/pager/build.mk hypervisor/qemu/build.mk hypervisor/xen/build.mk \
	hypervisor/net/build.mk hypervisor/vmforkd/build.mk)
include $(wildcard userspace/*/build.mk examples/build.mk)
# a part may have included its tests itself
include $(filter-out $(patsubst ./%,%,$(MAKEFILE_LIST)),$(wildcard kmod/build.mk \
	selftests/*/build.mk selftests/unit/*/build.mk Documentation/build.mk))
include $(wildcard userspace/install.mk)

.PHONY: unit-programs all user modules unit asan help clean
all: user modules ## build everything

user: $(USER_TARGETS) $(GUEST_TARGETS) ## programs and libraries

unit-programs: $(UNIT_TARGETS)

# a busy machine is no failed test (Check's own limit is 4 s)
export CK_DEFAULT_TIMEOUT ?= 60

unit: $(UNIT_TARGETS) ## unit tests (Check) under ASan and UBSan
	@set -e; for t in $(UNIT_TARGETS); do echo "  TEST    $$t"; $$t; done

# VMFORK_BUILD=$PWD/build/asan ASAN_OPTIONS=detect_leaks=0 selftests/...: the rest is the plain build's
# (a pager that may not be traced, nor start processes, cannot look for leaks)
asan: user modules $(ASAN_TARGETS) ## vmforkd, vmfork-pager, vmforkctl and vmfork under ASan and UBSan, to run the tests with
	@ln -sfn ../lib $(B)/asan/lib
	@for d in bin guest; do for p in $(B)/$$d/*; do p=$${p##*/}; \
		[ -f $(B)/asan/$$d/$$p ] && [ ! -L $(B)/asan/$$d/$$p ] || \
		ln -sfn ../../$$d/$$p $(B)/asan/$$d/$$p; done; done
	@[ ! -L $(B)/asan/lab ] || rm $(B)/asan/lab
	@KDIR=$(KDIR) GUEST_PROGRAMS=$(abspath $(B))/asan/guest selftests/lab/guest-image.sh $(B)/asan/lab

clean: ## remove what was built (not the caches)
	rm -rf $(B)

help: ## this list
	@grep -hE '^[a-z_-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/:.*## /\t/' | expand -t 20
