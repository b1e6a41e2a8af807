#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Xen: forks of a HVM domain; its device model is taken along.
. "$(dirname "$0")/xen.sh"

device_models_are() { # N
	[ "$(pgrep -fc -- '-xen-domid [0-9]')" = "$1" ]
}

is_hvm() {
	xl list -l | jq -er '.[] | select(.config.c_info.type == "hvm") | .domid'
}

lab_start
lab_run web --machine hvm --kernel "$LAB_VMLINUZ" --memory 128M || bail_out "the guest does not boot"
check "it is a HVM domain" is_hvm
check "with a device model" device_models_are 1
guest_tap web "vmfork-e2e fidelity 1 8"
check "no clone is left" only_vms_soon web
check "nor a domain of one" domains_soon 1
check "2 clones by the host" vmforkctl fork web -n 2
check "one answers" lab_exec "$(json '.vms[1].name' ps)" true
check "so does the other" lab_exec "$(json '.vms[2].name' ps)" true
check "each has a device model" device_models_are 3
check "everything ends" kill_all
check "no device model is left" lab_wait_for 30 "no device model" device_models_are 0
check "no domain, no device is left" no_domain_no_device
done_testing
