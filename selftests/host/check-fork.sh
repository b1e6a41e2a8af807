#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forks of a guest with one CPU: fidelity, 1, 8 and 32 clones, clones of clones, tickets, messages.
. "$(dirname "$0")/e2e.sh"

lab_start
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"

guest_tap web "vmfork-e2e fidelity 1 $E2E_MIB"
guest_tap -t 300 web "vmfork-e2e fidelity 8 $E2E_MIB"
check "no clone is left" only_vms_soon web
guest_tap -t 400 web "vmfork-e2e fidelity $E2E_CLONES 8"
check "no clone is left" only_vms_soon web
guest_tap -t 300 web "vmfork-e2e forks 10"
guest_tap -t 300 web "vmfork-e2e generations"
guest_tap -t 300 web "vmfork-e2e ticket"
guest_tap -t 300 web "vmfork-e2e ends"
guest_tap -t 300 web "vmfork-e2e messages 10"
guest_tap web "vmfork-e2e abandon 2"
check "closing a ticket kills the clones that are left" only_vms_soon web
check "every ticket's checkpoint is gone with its last clone" \
	lab_wait_for 60 "no checkpoint" json '.checkpoints | length == 0' ps
done_testing
