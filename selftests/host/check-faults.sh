#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad input and faults: each gives a clear error or is mended, and nothing else is harmed.
. "$(dirname "$0")/e2e.sh"

KILLS=${E2E_KILLS:-6}	# of the control role, and as many of the pager

random_pause() { # up to three seconds
	sleep "$((RANDOM % 3)).$((RANDOM % 10))"
}

unharmed() { # VM: its console and a fork of it work
	lab_exec "$1" true && [ "$(lab_exec "$1" "vmfork -n 2 --no-label -- echo fine 2> /dev/null" | sort -u)" = fine ]
}

lab_start
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"

# ---- refused by rule
guest_tap web "vmfork-e2e limits root"

# ---- a guest without the module
boot() { # NAME KERNEL-ARGUMENTS
	lab_boot "$1" "vmfork.shell $2" --memory "${LAB_MEMORY:-256M}" &&
		lab_await_shell "$1"
}

channel_is_broken() { # VM
	[ "$(lab_vm "$1" channel)" = broken ]
}

if on_xen; then
	rubbish=() others=(bare)
	skip "guests that write rubbish" "without the module a Xen domain has no channel to write it to"
else
	rubbish=(bare evil) others=(bare evil)
fi
check "a guest without the module boots" boot bare "module_blacklist=vmfork"
is "its channel is not there" "$(lab_vm bare channel)" none
check_fails "fork of it from the host" "module|channel" vmforkctl fork bare
check_fails "checkpoint of it from the host" "module|channel" vmforkctl checkpoint bare no
check_fails "fork in it" "no /dev/vmfork: load the module" lab_exec bare "vmfork -- true"
check "it is unharmed" lab_exec bare true

# ---- guests that write rubbish, with and without the module, while another forks
on_xen || check "a guest without scruples boots" boot evil "iomem=relaxed"
guest_tap_begin -t 400 web "vmfork-e2e forkloop 6 2"
i=0
for vm in "${rubbish[@]}"; do
	guest_tap "$vm" "vmfork-e2e rubbish $((++i))"
done
for vm in "${rubbish[@]}"; do
	check "$vm, which wrote rubbish, is reported broken" \
		lab_wait_for 30 "channel broken" channel_is_broken "$vm"
	check_fails "fork of $vm from the host" "channel|broken" vmforkctl fork "$vm"
	check "$vm runs on" test "$(lab_vm "$vm" state)" = running
done
guest_tap_end
check "the other VM is unharmed" unharmed web
check "the other ones can be killed" vmforkctl kill "${others[@]}"

# ---- a clone's hypervisor dies
guest_tap_begin -t 300 web "vmfork -n 3 -- sh -c 'echo begun; sleep 1000'; echo \"status \$?\""
check "three clones have begun" lab_wait_for 120 begun \
	guest_says_times 3 begun
clones=$(vmforkctl ps -q | grep '^web\.')
first=$(head -n 1 <<< "$clones")
kill -KILL "$(lab_vm "$first" pid)"
check "the parent reads that it was lost" lab_wait_for 60 "lost" guest_says "clone 1 was lost"
for vm in $(tail -n 2 <<< "$clones"); do
	check "its sibling $vm goes on" sh -c "vmforkctl ps -q | grep -qx $vm"
done
guest_interrupt
check "Ctrl-C ends the rest" only_vms_soon web
check "the parent is unharmed" unharmed web

# ---- the pager dies under fault load
guest_tap_begin -t 400 web "vmfork-e2e faultload 4 $E2E_MIB"
check "four clones page in" lab_wait_for 120 "running" guest_says running
killed=0
while ((killed < KILLS)) && ! guest_ended; do
	kill_pager || break
	killed=$((killed + 1))
	random_pause
done
is "the pager was killed and started again, more than once" "$((killed > 1))" 1
diag "killed $killed times"
guest_tap_end
check "the parent is unharmed" unharmed web

# ---- the control role dies while forks are under way
guest_tap_begin -t 600 web "vmfork-e2e forkloop $((KILLS * 8)) 2"
check "the first fork was whole" lab_wait_for 120 "rounds" guest_says "rounds [0-9]* whole 1"
killed=0
while ((killed < KILLS)) && ! guest_ended; do
	random_pause
	kill_control || break
	killed=$((killed + 1))
done
is "the control role was killed and started again $KILLS times" "$killed" "$KILLS"
guest_tap_end
check "its VM was taken back" test "$(lab_vm web state)" = running
check "later forks work" unharmed web
check "and from the host" vmforkctl fork web -n 2
pid=$(lab_vm web pid)
check "once more with the host's clones alive" kill_control
is "the same process is there" "$(lab_vm web pid)" "$pid"
is "all VMs were taken back" "$(vm_count)" 3
for vm in $(vmforkctl ps -q); do
	check "$vm answers" lab_exec "$vm" true
done
# shellcheck disable=SC2046
check "the host's clones end" vmforkctl kill $(vmforkctl ps -q | grep '^web\.')

# ---- Ctrl-C of vmforkctl: the fork goes on, nothing hangs
env --default-signal=INT vmforkctl fork web -n 2 > /dev/null 2>&1 &
client=$!
kill -INT "$client"
wait "$client" 2> /dev/null
check "what an interrupted vmforkctl asked for is whole or not there" \
	lab_wait_for 60 "0 or 2 clones" sh -c 'n=$(vmforkctl ps -q | grep -c "^web\."); [ "$n" = 0 ] || [ "$n" = 2 ]'
check "vmforkd is unharmed" unharmed web

# ---- the parent's hypervisor dies with clones alive
ticket=$(json .ticket.handle fork web -n 1) || ticket=
host_clone=$(json ".tickets[] | select(.handle == $ticket or .handle == \"$ticket\") | .handle" ps)
check "the host made a clone" test -n "$host_clone"
guest_tap_begin -t 300 web "vmfork -n 2 -- sh -c 'echo begun; sleep 1000'"
check "two clones have begun" lab_wait_for 120 begun \
	guest_says_times 2 begun
before=$(vm_count)
kill -KILL "$(lab_vm web pid)"
guest_wait
check "a guest's clones go with their parent, the host's live on" \
	lab_wait_for 60 "two clones and the parent are gone" sh -c "[ \"\$(vmforkctl ps -q | wc -l)\" = $((before - 3)) ]"
for vm in $(vmforkctl ps -q); do
	check "$vm is unharmed" unharmed "$vm"
done
done_testing
