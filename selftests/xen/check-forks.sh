#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forks of a Xen domain with 2 vCPUs: clones are what their parent was; the pager, vmforkd and the processes
# that tend domains may be killed; nothing is left.
. "$(dirname "$0")/../host/e2e.sh"

domains_are() { # N, dom0 not counted
	[ "$(xl list | wc -l)" = $(($1 + 2)) ]
}

no_domain_no_device() {
	domains_are 0 && ! xenstore-ls /local/domain/0/backend/vmfork 2> /dev/null | grep -q .
}

vms_are() { # N
	[ "$(vm_count)" = "$1" ]
}

descriptor_is_small() { # of the checkpoint that is there; its image lacks what was free
	local bytes image free
	bytes=$(json '.checkpoints[-1].descriptor_bytes' ps) image=$(json '.checkpoints[-1].image_bytes' ps)
	free=$(json '.checkpoints[-1].free_pages' ps)
	echo "descriptor $bytes bytes, image $image, free pages left out $free"
	((bytes > 10000 && bytes < 200000 && free > 1000 && image < (128 << 20) - free * 4096 + (4 << 20)))
}

tender_of() { # VM: the process that tends its domain, behind the one in front
	pgrep -P "$(lab_vm "$1" pid)"
}


lab_start
lab_run web --memory 128M --cpus 2 || bail_out "the guest does not boot"
is "it runs on Xen" "$(lab_vm web accel)" xen
guest_tap web "vmfork-e2e fidelity 2 4"
check "no clone is left" only_vms_soon web
check "nor a domain of one" lab_wait_for 60 "one domain" domains_are 1

check "4 clones, asked for by the host, run" vmforkctl fork web -n 4
check "a domain each" domains_are 5
check "their checkpoint is small" descriptor_is_small
check "the pager is killed and started again" kill_pager
check "vmforkd is killed and finds its domains again" kill_control
check "all of them" vms_are 5
check "the parent answers" lab_exec web true
check "a clone answers" lab_exec web.2.1 true
kill -KILL "$(tender_of web.2.2)"
check "a clone whose process is killed ends, with its domain" lab_wait_for 60 "4 domains" domains_are 4
kill -KILL "$(lab_vm web.2.3 pid)"
check "so does one whose process in front is killed" lab_wait_for 60 "3 domains" domains_are 3
check "clones are killed" vmforkctl kill web.2.1
check "and end" lab_wait_for 60 "2 domains" domains_are 2
guest_tap web.2.4 "vmfork-e2e fidelity 1 2"
guest_tap web "vmfork-e2e fidelity 1 2"
check "everything ends" kill_all
check "no domain, no device is left" lab_wait_for 60 "no domain" no_domain_no_device
done_testing
