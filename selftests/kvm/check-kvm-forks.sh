#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forks under KVM: what differs from TCG is KVM's state, its clock, its page faults, its interrupts
# and several virtual CPUs. Smaller than the suites of selftests/host, as it runs nested.
. "$(dirname "$0")/../host/e2e.sh"

lab_start
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"
is "it runs under KVM" "$(lab_vm web accel)" kvm
guest_tap web "vmfork-e2e fidelity 1 16"
guest_tap web "vmfork-e2e fidelity 8 4"
check "no clone is left" only_vms_soon web
guest_tap web "vmfork-e2e clock"
guest_tap web "vmfork-e2e generations"
guest_tap web "vmfork-e2e forks 5"
guest_tap web "vmfork-e2e disk 2 4"
guest_tap web "vmfork-e2e checkpoint live"
check "the guest ends" vmforkctl kill web

if lab_run smp --memory "$E2E_MEMORY" --cpus 2; then
	guest_tap smp "vmfork-e2e smp 2 2"
	guest_tap smp "vmfork-e2e fidelity 2 8"
else
	not_ok "a guest with 2 CPUs boots"
fi
done_testing
