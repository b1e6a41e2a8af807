# SPDX-License-Identifier: GPL-2.0-or-later
LIBVMFORK_SRCS := $(addprefix userspace/libvmfork/,machine.c ticket.c checkpoint.c message.c \
	strerror.c params.c secret.c agent.c generation.c)
LIBVMFORK_MAP := userspace/libvmfork/libvmfork.map

$(call shared,libvmfork.so.0,$(LIBVMFORK_SRCS),,-Wl$(comma)-soname$(comma)libvmfork.so.0 \
	-Wl$(comma)--version-script=$(LIBVMFORK_MAP))
$(B)/lib/libvmfork.so.0: $(LIBVMFORK_MAP)

$(B)/lib/libvmfork.a: $(call objects,plain,$(LIBVMFORK_SRCS))
	@mkdir -p $(@D)
	@echo "  AR      $@"
	@rm -f $@ && $(AR) rcs $@ $^

USER_TARGETS += $(B)/lib/libvmfork.a
