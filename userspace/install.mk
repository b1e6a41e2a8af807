# SPDX-License-Identifier: GPL-2.0-or-later
# make install: what was built goes to $(DESTDIR)$(PREFIX); make uninstall takes it away.
#
#   bin      vmfork, vmforkctl            sbin        vmforkd, vmfork-agent
#   lib      libvmfork                    lib/vmfork  vmfork-pager, the RAM library
# and for Xen, if it was built: sbin/vmforkd-xen, lib/vmfork/vmfork-{pager-xen,xenvm}
# Units, sysusers and udev rules go where systemd and udev look: UNITDIR, SYSUSERSDIR,
# UDEVDIR, TMPFILESDIR, GENERATORDIR; vmfork.py where Debian's Python looks: PYTHONDIR.
# The module is installed by make modules_install.

BINDIR := $(PREFIX)/bin
SBINDIR := $(PREFIX)/sbin
LIBDIR := $(PREFIX)/lib
INCLUDEDIR := $(PREFIX)/include
MANDIR := $(PREFIX)/share/man
COMPLETIONDIR := $(PREFIX)/share/bash-completion/completions
UNITDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/systemd/system
SYSUSERSDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/sysusers.d
UDEVDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/udev/rules.d
TMPFILESDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/tmpfiles.d
GENERATORDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/systemd/system-generators

PYTHONDIR ?= $(LIBDIR)/python$(if $(filter /usr,$(PREFIX)),3,$(shell \
	$(PY) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null || echo 3))/dist-packages

# One word a file: MODE|SOURCE|DESTINATION. Parts that are not there are left out.
install_one = $(if $(filter $(2),$(USER_TARGETS) $(GUEST_TARGETS))$(wildcard $(2)),$(1)|$(2)|$(3))
INSTALL_FILES = \
	$(call install_one,755,$(B)/guest/vmfork,$(BINDIR)/vmfork) \
	$(call install_one,755,$(B)/bin/vmforkctl,$(BINDIR)/vmforkctl) \
	$(call install_one,755,$(B)/bin/vmforkd,$(SBINDIR)/vmforkd) \
	$(call install_one,755,$(B)/guest/vmfork-agent,$(SBINDIR)/vmfork-agent) \
	644|userspace/agent/agent.conf|$(PREFIX)/share/doc/vmfork/agent.conf \
	$(call install_one,755,$(B)/bin/vmfork-pager,$(LIBDIR)/vmfork/vmfork-pager) \
	$(call install_one,755,$(B)/bin/vmforkd-xen,$(SBINDIR)/vmforkd-xen) \
	$(call install_one,755,$(B)/bin/vmfork-pager-xen,$(LIBDIR)/vmfork/vmfork-pager-xen) \
	$(call install_one,755,$(B)/bin/vmfork-xenvm,$(LIBDIR)/vmfork/vmfork-xenvm) \
	$(call install_one,644,$(B)/lib/libvmfork-ram.so,$(LIBDIR)/vmfork/libvmfork-ram.so) \
	$(call install_one,644,$(B)/lib/libvmfork.so.0,$(LIBDIR)/libvmfork.so.0) \
	$(call install_one,644,$(B)/lib/libvmfork.a,$(LIBDIR)/libvmfork.a) \
	644|userspace/libvmfork/vmfork.h|$(INCLUDEDIR)/vmfork.h \
	644|include/uapi/linux/vmfork.h|$(INCLUDEDIR)/linux/vmfork.h \
	$(foreach p,$(wildcard userspace/python/*.py),644|$(p)|$(PYTHONDIR)/$(notdir $(p))) \
	$(foreach m,$(wildcard Documentation/man/*.[1-8]),\
		644|$(m)|$(MANDIR)/man$(lastword $(subst ., ,$(m)))/$(notdir $(m))) \
	$(foreach c,$(wildcard userspace/completion/*),644|$(c)|$(COMPLETIONDIR)/$(notdir $(c))) \
	$(foreach r,$(wildcard userspace/udev/*.rules),644|$(r)|$(UDEVDIR)/$(notdir $(r))) \
	$(foreach u,$(wildcard userspace/systemd/*.sysusers),\
		644|$(u)|$(SYSUSERSDIR)/$(notdir $(u:.sysusers=.conf))) \
	$(foreach t,$(wildcard userspace/systemd/*.tmpfiles),\
		644|$(t)|$(TMPFILESDIR)/$(notdir $(t:.tmpfiles=.conf))) \
	$(foreach g,$(wildcard userspace/systemd/*-generator),755|$(g)|$(GENERATORDIR)/$(notdir $(g)))

# Files with @PREFIX@ and @VERSION@ in them: SOURCE|DESTINATION
INSTALL_TEMPLATES = \
	userspace/libvmfork/libvmfork.pc.in|$(LIBDIR)/pkgconfig/libvmfork.pc \
	$(foreach u,$(wildcard userspace/systemd/*.in),$(u)|$(UNITDIR)/$(notdir $(u:.in=)))

install_dest = $(DESTDIR)$(lastword $(subst |, ,$(1)))
install_field = $(word $(2),$(subst |, ,$(1)))

define install_file_cmd
@echo "  INSTALL $(call install_dest,$(1))"
@install -D -m $(call install_field,$(1),1) $(call install_field,$(1),2) "$(call install_dest,$(1))"

endef

define install_template_cmd
@echo "  INSTALL $(call install_dest,$(1))"
@mkdir -p "$(dir $(call install_dest,$(1)))"
@sed -e 's,@PREFIX@,$(PREFIX),g' -e 's,@VERSION@,$(VERSION),g' $(call install_field,$(1),1) \
	> "$(call install_dest,$(1))"

endef

.PHONY: install uninstall
install: user ## install to DESTDIR and PREFIX (/usr/local)
	$(foreach f,$(INSTALL_FILES),$(call install_file_cmd,$(f)))
	$(foreach f,$(INSTALL_TEMPLATES),$(call install_template_cmd,$(f)))
	@ln -sf libvmfork.so.0 "$(DESTDIR)$(LIBDIR)/libvmfork.so"
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

uninstall: ## remove what install put there
	@echo "  REMOVE  $(DESTDIR)$(PREFIX)"
	@rm -f $(foreach f,$(INSTALL_FILES) $(INSTALL_TEMPLATES),"$(call install_dest,$(f))") \
		"$(DESTDIR)$(LIBDIR)/libvmfork.so"
	@rmdir "$(DESTDIR)$(LIBDIR)/vmfork" "$(DESTDIR)$(PREFIX)/share/doc/vmfork" 2> /dev/null || true
