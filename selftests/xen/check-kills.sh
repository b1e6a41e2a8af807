#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Xen domains, when the pager, vmforkd and the processes that tend them are killed; the size of a descriptor.
. "$(dirname "$0")/xen.sh"

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

# The process is killed while libxl makes its domain, or right after; nobody but it knows that domain's number.
killed_while_made() {
	local delay
	for delay in 0.1 0.4 0.8 1.6; do
		lab_boot doomed "" --memory 128M &
		lab_wait_for 30 "its process" tender_of doomed || return
		sleep "$delay"
		kill -KILL "$(tender_of doomed)"
		wait $!
	done
	domains_soon 1
}

lab_start
lab_run web --memory 128M || bail_out "the guest does not boot"
check "3 clones run" vmforkctl fork web -n 3
check "a domain each" domains_are 4
check "their checkpoint is small" descriptor_is_small
check "the pager is killed and started again" kill_pager
check "vmforkd is killed and finds its domains" kill_control
check "all of them" vms_are 4
check "the parent answers" lab_exec web true
check "a clone answers" lab_exec web.1.1 true
kill -KILL "$(tender_of web.1.2)"
check "a clone whose process is killed ends, with its domain" domains_soon 3
kill -KILL "$(lab_vm web.1.3 pid)"
check "so does one whose process in front is killed" domains_soon 2
check "the other clone still answers" lab_exec web.1.1 true
check "a clone is killed" vmforkctl kill web.1.1
check "and its domain ends" domains_soon 1
check "no domain is left of processes that are killed while it is made" killed_while_made
check "everything ends" kill_all
check "no domain, no device is left" no_domain_no_device
done_testing
