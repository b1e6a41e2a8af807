#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module's half of a clone's identity: the gate and its agent, the generation page, secrets,
# parameters, lineage.
. "$(dirname "$0")/e2e.sh"

word=$(tr -dc a-z < /dev/urandom | head -c 24)
secret=${word^^}
public=$(tr a-z 01234567890123456789012345 <<< "$word")

images_have() { # TEXT: is it in a file that the daemon's processes hold, as images are? (-z: holes are no line)
	local pid fd
	for pid in $(pgrep -P "$LAB_DAEMON"); do
		for fd in /proc/"$pid"/fd/*; do
			[[ $(readlink "$fd") == *"$LAB_IMAGES"* || $(readlink "$fd") == */memfd:* ]] || continue
			! LC_ALL=C grep -zqaF -- "$1" "$fd" 2> /dev/null || return 0
		done
	done
	return 1
}

lacks() { # TEXT
	! images_have "$1"
}

lab_start
lab_run ident --memory "${LAB_MEMORY:-384M}" --cpus 2 || bail_out "the guest does not boot"
guest_tap ident uapi_test
guest_tap -t 400 ident agent_test
check "no clone is left" only_vms_soon ident

lab_exec ident "echo 4 > /proc/sys/vm/nr_hugepages"
guest_tap_begin -t 300 ident "secret_test $word"
lab_wait_for 120 "the clone is there" guest_says "image can be searched" || not_ok "no clone"
check "what is no secret is in the image" images_have "$public"
check "a secret is not" lacks "$secret"
guest_interrupt
tap_replay ident secret_test < "$bg_out"

lab_exec ident "secret_test deny & echo \$! > /tmp/denier"
check_fails "a machine with a secret: vmforkctl fork is refused" "busy|EBUSY" vmforkctl fork ident
check "its log names the process" \
	lab_exec ident 'dmesg | grep -q "process $(cat /tmp/denier) holds a secret"'
lab_exec ident 'kill $(cat /tmp/denier)'
check "then it is forked" vmforkctl fork ident
kids() { vmforkctl ps -q | grep -vx ident; }
for vm in $(kids); do vmforkctl kill "$vm" > /dev/null 2>&1; done
check "no clone is left" only_vms_soon ident

guest_tap -t 300 ident params_test
guest_tap -t 300 ident "vmfork-e2e library"
guest_tap -t 300 ident identity_test
check "the guest is unharmed" lab_exec ident "vmfork -n 2 -- true"
done_testing
