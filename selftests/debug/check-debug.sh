#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module on a debug kernel (make check-debug): KASAN, lockdep, DEBUG_ATOMIC_SLEEP, kmemleak and
# page poisoning have nothing to say of forks and avoidance. Everything takes some times longer there.
# What is on a console is looked at by the lab, for every machine of every suite (LAB_REPORTS).
. "$(dirname "$0")/../host/e2e.sh"

silent() { # VM: its kernel has reported nothing
	! lab_exec "$1" dmesg | grep -aE -A 30 "$LAB_REPORT"
}

clone() { # VM: forks it from the host; the clone's name
	vmforkctl fork "$1" -n 1 > /dev/null && vmforkctl ps -q | grep "^$1\\." | tail -n 1
}

lab_start --poison-avoided
lab_run web --memory "$E2E_MEMORY" --cpus 2 || bail_out "the guest does not boot"
check "the checkers are on" lab_exec web "dmesg | grep -q 'KernelAddressSanitizer initialized' && grep -q 'debug_locks: *1' /proc/lockdep_stats"
check "booting and loading the module was silent" silent web
guest_tap web uapi_test
guest_tap web "fork_test 2"
guest_tap web "vmfork-e2e fidelity 2 8"
guest_tap web "vmfork-e2e smp 2 2"
lab_exec web "vmfork-e2e file /root/data 16"
lab_exec web "vmfork-e2e lodger /tmp/lodger 16 > /tmp/lodger.log 2>&1 &"
check "a lodger" lab_wait_for 60 "lodger" lab_exec web "[ -p /tmp/lodger/out ]"
vm=$(clone web)
guest_tap "$vm" "vmfork-e2e poison /root /root/data 16 3"
lab_exec "$vm" "fallocate -l 64M /root/swap && chmod 600 /root/swap && mkswap -q /root/swap && swapon /root/swap"
guest_tap "$vm" "vmfork-e2e pressure 64 4 1"
guest_tap "$vm" "vmfork-e2e dropcache /root/data 16"
for policy in free_hook io_overwrite free_set; do
	for on in 0 1; do
		check "$policy=$on at run time, in a clone" lab_exec "$vm" "echo $on > /sys/module/vmfork/parameters/$policy"
	done
done
check "the clone's kernel was silent" silent "$vm"
lab_look_at "$vm"
vmforkctl kill "$vm" > /dev/null
lab_exec web "echo quit > /tmp/lodger/in"
guest_tap web unbind_test
guest_tap web "reload_test.sh /usr/lib/vmfork/vmfork.ko uapi_test"
check "the parent's kernel was silent" silent web
lab_look_at web
check "lockdep is still on" lab_exec web "grep -q 'debug_locks: *1' /proc/lockdep_stats"
kill_all

# ---- page_poison=1: the free heuristics are off, by themselves
{ lab_boot poisoned "vmfork.shell page_poison=1" --memory "$E2E_MEMORY" &&
	lab_await_shell poisoned 240; } || bail_out "no boot with page_poison=1"
for policy in free_set free_hook; do
	is "page_poison=1: $policy is not in force" "$(lab_exec poisoned "cat /sys/class/misc/vmfork/$policy/in_force" | tr -d '\r')" 0
done
guest_tap poisoned "vmfork-e2e fidelity 2 8"
check "its kernel was silent" silent poisoned
done_testing
