# SPDX-License-Identifier: GPL-2.0-or-later
# Suites that are to run under -accel kvm: KVM_SUITES, in this order, l2-boots first.
KVM_SUITES += selftests/kvm/check-kvm-forks.sh selftests/host/check-limits.sh

.PHONY: check-kvm
check-kvm: user modules guest-image ## the end-to-end suites under -accel kvm, nested if need be
	@selftests/kvm/check-kvm.sh selftests/kvm/l2-boots.sh $(KVM_SUITES)
