#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forks of a Xen domain: a clone is what its parent was.
. "$(dirname "$0")/xen.sh"

lab_start
lab_run web --memory 128M --cpus 2 || bail_out "the guest does not boot"
is "it runs on Xen" "$(lab_vm web accel)" xen
guest_tap web "vmfork-e2e fidelity 1 8"
check "no clone is left" only_vms_soon web
check "nor a domain of one" domains_soon 1
check "everything ends" kill_all
check "no domain, no device is left" no_domain_no_device
done_testing
