#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forks of Xen domains: clones are what their parent was, a pager may die, nothing is left.
. "$(dirname "$0")/../host/e2e.sh"

domains() { # how many but dom0
	echo $(($(xl list | wc -l) - 2))
}

domains_are() { # N
	[ "$(domains)" = "$1" ]
}

nothing_of_ours() { # no domain, and no device of one in xenstore
	domains_are 0 && ! xenstore-ls /local/domain/0/backend/vmfork 2> /dev/null | grep -q .
}

descriptor_is_small() { # of the last checkpoint that is there
	local bytes
	bytes=$(json '.checkpoints[-1].descriptor_bytes' ps) || return
	diag "descriptor: $bytes bytes, image: $(json '.checkpoints[-1].image_bytes' ps)," \
		"free pages left out: $(json '.checkpoints[-1].free_pages' ps)"
	((bytes > 10000 && bytes < 200000))
}

lab_start
lab_run web --memory 128M || bail_out "the guest does not boot"
is "it runs on Xen" "$(lab_vm web accel)" xen
guest_tap web "vmfork-e2e fidelity 1 8"
check "no clone is left" only_vms_soon web
check "nor its domain" lab_wait_for 60 "one domain" domains_are 1

lab_exec web "vmfork -n 4 -- sh -c 'sleep 600' > /dev/null 2>&1 &" || true
check "4 clones of a sleeping program run" lab_wait_for 300 "4 clones" is_count 5
check "a domain each" domains_are 5
check "their checkpoint is a small descriptor" descriptor_is_small
check "the pager is killed and started again" kill_pager
guest_tap web "vmfork-e2e fidelity 2 8"
check "everything ends" kill_all
check "no domain, no device is left" lab_wait_for 60 "no domain" nothing_of_ours

if lab_run smp --memory 128M --cpus 2; then
	guest_tap smp "vmfork-e2e fidelity 2 4"
	check "the guest ends" vmforkctl kill smp
else
	not_ok "a guest with 2 CPUs boots"
fi
check "no domain, no device is left" lab_wait_for 60 "no domain" nothing_of_ours
done_testing
