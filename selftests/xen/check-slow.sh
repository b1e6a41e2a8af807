#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forks as on a hypervisor without our patches (and on one, where it has none): page by page.
. "$(dirname "$0")/xen.sh"

export VMFORK_XEN_SLOW=1
lab_start
check "vmforkd says how domains are forked" daemon_log_says "forked the slow way"
is "so does vmforkctl" "$(json '.backends[0].why' version | grep -o 'the slow way')" "the slow way"
lab_run web --memory 128M --cpus 2 || bail_out "the guest does not boot"
guest_tap web "vmfork-e2e fidelity 1 8"
check "no clone is left" only_vms_soon web
check "everything ends" kill_all
check "no domain, no device is left" no_domain_no_device
done_testing
