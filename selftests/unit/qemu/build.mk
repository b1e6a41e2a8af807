# SPDX-License-Identifier: GPL-2.0-or-later
$(call unit_test,qemu-parse,selftests/unit/qemu/test_parse.c \
	$(addprefix hypervisor/qemu/,args.c forkable.c qmp_parse.c ram_slots.c qcow2.c descriptor.c ivshmem.c \
	presence.c) \
	hypervisor/lib/fdpass.c,,-ljansson -lzstd)
$(call unit_test,qemu-real,selftests/unit/qemu/test_real.c \
	$(addprefix hypervisor/qemu/,ram_slots.c qcow2.c descriptor.c),,-ljansson -lzstd)
$(call unit_test,qemu-qmp,selftests/unit/qemu/test_qmp.c \
	$(addprefix hypervisor/qemu/,qmp.c qmp_parse.c sockets.c) \
	$(addprefix hypervisor/lib/,fdpass.c log.c),,-ljansson -lsystemd)
FUZZ_SRCS_descriptor := hypervisor/qemu/descriptor.c
FUZZ_LIBS_descriptor := -lzstd
FUZZ_SRCS_qmp := hypervisor/qemu/qmp_parse.c
FUZZ_LIBS_qmp := -ljansson
