#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forks of guests with 1, 2 and 4 CPUs that are busy computing, with memory, files and processes;
# the last of them with 4 GiB.
. "$(dirname "$0")/e2e.sh"

lab_start
for cpus in 1 2 4; do
	memory=$E2E_MEMORY
	# more than 3 GiB: RAM in two places of the guest; what nobody touches costs nothing
	[ "$cpus" != 4 ] || on_xen || memory=4G
	lab_run "smp$cpus" --memory "$memory" --cpus "$cpus" || {
		not_ok "a guest with $cpus CPUs boots"
		continue
	}
	guest_tap -t 400 "smp$cpus" "vmfork-e2e smp 3 2"
	check "no clone is left" only_vms_soon "smp$cpus"
	if [ "$cpus" = 4 ]; then
		guest_tap -t 300 "smp$cpus" "vmfork-e2e fidelity 3 64 high"
		guest_tap -t 300 "smp$cpus" "vmfork-e2e generations"
	fi
	[ "$cpus" != 2 ] || lab_look_at "smp$cpus"
	check "the guest ends" vmforkctl kill "smp$cpus"
done
done_testing
