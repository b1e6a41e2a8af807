#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Xen runs out of memory: clones that cannot be made, or that ask for a page that there is not.
. "$(dirname "$0")/xen.sh"

ballast=''

take_memory() { # LEAVE-MIB: all of Xen's free memory but that
	coproc BALLAST { exec "$LAB_BUILD/bin/vmfork-xen-ballast" "$1"; }
	# shellcheck disable=SC2153
	ballast=$BALLAST_PID
	read -r -t 120 -u "${BALLAST[0]}" _ || bail_out "Xen's memory cannot be taken"
	diag "$(xl info free_memory) MiB are left"
}

give_back() {
	kill -TERM "$ballast"
	wait "$ballast"
}

statuses() { # TICKET: of its clones, in order of ID
	timeout "$LAB_PATIENCE" vmforkctl --json wait "$1" |
		jq -r '[.exits | sort_by(.id)[] | "\(.reason) \(.status)"] | join(", ")'
}

channels() { # event channels of dom0
	lsevtchn 0 | grep -c .
}

channels_are() { # N, or fewer
	channels
	[ "$(channels)" -le "$1" ]
}

free_again() { # MIB, but for a few that Xen keeps for itself
	[ "$(xl info free_memory)" -ge $(($1 - 8)) ]
}

none_left_over() { # of N domains, ballast not counted
	domains_soon "$1" && lab_wait_for 60 "event channels of before" channels_are "$ports" && ! xl list | grep -F '(null)'
}

lab_start
lab_run web --memory 128M || bail_out "the guest does not boot"
check "a fork" vmforkctl fork web
check "its clone ends" vmforkctl kill web.1.1
domains_soon 1
ports=$(channels) free=$(xl info free_memory)
diag "$free MiB free, $ports event channels in dom0"
lab_exec web "dd if=/dev/urandom of=/dev/shm/data bs=1M count=24 2> /dev/null"

ticket=$(json .ticket.handle fork web -n 2 --memory-limit 40M --cpu-weight 200)
clone=$(json '.vms[] | select(.id == 1).name' ps) other=$(json '.vms[] | select(.id == 2).name' ps)
check "a clone runs with a limit on its memory" lab_exec "$clone" true
is "and with a weight" "$(xl sched-credit2 -d "$(lab_vm "$clone" domain)" | awk 'END { print $3 }')" 512
lab_exec "$clone" "sha256sum /dev/shm/data; dd if=/dev/zero of=/dev/shm/more bs=1M count=24" > /dev/null 2>&1
check "its sibling goes on" lab_exec "$other" true
check "until it is killed" vmforkctl kill "$other"
ends=$(statuses "$ticket")
is "the one that asked for more was ended for that" "${ends%%,*}" "out-of-memory 0"
domains_soon 1

take_memory 1
check_fails "no clone runs if there is no memory at all" "none of the 2 clones runs" vmforkctl fork web -n 2
check "it is said why" daemon_log_says "cannot be loaded: Cannot allocate memory"
check "the parent goes on" lab_exec web true
give_back
check "no domain and no event channel is left over" none_left_over 1

take_memory 40
ticket=$(json .ticket.handle fork web -n 1)
clone=$(json '.vms[] | select(.name != "web").name' ps)
check "with little memory a clone runs" lab_exec "$clone" true
lab_exec "$clone" "sha256sum /dev/shm/data; dd if=/dev/zero of=/dev/shm/more bs=1M count=24" > /dev/null 2>&1
is "one that asks for more is lost" "$(statuses "$ticket")" "lost 12"
check "it is said why" daemon_log_says "$clone: there is no memory for a page of it"
check "the parent goes on" lab_exec web true
give_back
check "no domain and no event channel is left over" none_left_over 1
check "the memory is free again" lab_wait_for 60 "free memory" free_again "$free"
check "and the next fork works" vmforkctl fork web
check "everything ends" kill_all
check "no domain, no device is left" no_domain_no_device
done_testing
