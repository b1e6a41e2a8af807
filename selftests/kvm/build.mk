# SPDX-License-Identifier: GPL-2.0-or-later
# Suites that are to run under -accel kvm: KVM_SUITES, in this order, l2-boots first.
KVM_SUITES += selftests/kvm/check-bells.sh selftests/kvm/check-kvm-forks.sh selftests/host/check-limits.sh

# vmforkd with selftests/kvm/bells.c in front of what it wraps
BELLS := ivshmem_send_memory ivshmem_send_vectors op_begin
$(call program,bells-vmforkd,selftests/kvm/bells.c $(VMFORKD_SRCS) $(QEMU_BACKEND_SRCS),,$(VMFORKD_LIBS) \
	$(addprefix -Wl$(comma)--wrap=,$(BELLS)))

.PHONY: check-kvm
check-kvm: user modules guest-image ## the end-to-end suites under -accel kvm, nested if need be
	@selftests/kvm/check-kvm.sh selftests/kvm/l2-boots.sh $(KVM_SUITES)
