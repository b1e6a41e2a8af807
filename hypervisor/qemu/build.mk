# SPDX-License-Identifier: GPL-2.0-or-later
RAMLIB_SRCS := $(addprefix hypervisor/qemu/,ram.c ramctl.c ramlib.c snapshot.c) \
	hypervisor/lib/fdpass.c
$(call shared,libvmfork-ram.so,$(RAMLIB_SRCS),,-lpthread)

# linked into vmforkd, see hypervisor/vmforkd/build.mk
QEMU_BACKEND_PARTS := backend.c vm.c process.c args.c check.c forkable.c forkcheck.c freeze.c keep.c load.c adopt.c \
	describe.c presence.c image.c layer.c qcow2.c descriptor.c ram_slots.c ivshmem.c ramlib_client.c \
	qmp.c qmp_parse.c sockets.c kvm_probe.c kvm_guest.c
QEMU_BACKEND_SRCS := $(addprefix hypervisor/qemu/,$(QEMU_BACKEND_PARTS))
$(call program,vmfork-kvm-probe,$(addprefix hypervisor/qemu/,kvm_probe_main.c kvm_probe.c kvm_guest.c))

include $(wildcard selftests/unit/qemu/build.mk)
