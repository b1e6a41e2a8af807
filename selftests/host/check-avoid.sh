#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Avoidance at run time: what a clone need not fetch is not fetched, and nothing else is lost.
. "$(dirname "$0")/e2e.sh"

MIB=96	# of memory that a process holds over the fork

fetched() { # VM: pages that were read from the source for it
	json ".vms[] | select(.name == \"$1\") | .pager.fetched" stats
}

figure() { # VM POLICY/NAME
	lab_exec "$1" "cat /sys/class/misc/vmfork/$2"
}

lodger() { # VM COMMAND: its answer, of two numbers
	lab_exec "$1" "echo '$2' > /tmp/lodger/in; cat /tmp/lodger/out"
}

clone() { # forks web from the host; the clone's name
	vmforkctl fork web -n 1 > /dev/null && vmforkctl ps -q | grep '^web\.' | tail -n 1
}

switch() { # VM PARAMETER Y|N
	lab_exec "$1" "echo $3 > /sys/module/vmfork/parameters/$2"
}

gone() { # VM
	vmforkctl kill "$1"
	only_vms_soon web
}

# cost ret COMMAND...: pages fetched meanwhile for the VM that is COMMAND's first argument
cost() {
	local -n ret_cost=$1
	local before
	shift
	before=$(fetched "$2")
	"$@" > "$LAB_DIR/answer" || return
	# shellcheck disable=SC2034
	ret_cost=$(($(fetched "$2") - before))
}

answer() {
	tr -d '\r' < "$LAB_DIR/answer" | tail -n 1
}

pages=$((MIB * 256))
lab_start
lab_run web --memory 256M || bail_out "the guest does not boot"
for policy in free_set free_hook io_overwrite; do
	is "$policy is in force" "$(figure web $policy/in_force)" 1
done
lab_exec web "vmfork-e2e file /root/data $MIB && echo 3 > /proc/sys/vm/drop_caches"
lab_exec web "vmfork-e2e lodger /tmp/lodger $MIB > /tmp/lodger.log 2>&1 &"
check "a lodger fills $MIB MiB" lab_wait_for 60 "lodger" lab_exec web "[ -p /tmp/lodger/out ]"
is "its memory is as it was filled" "$(lodger web check)" "$pages 0"

# ---- the free hook: memory that the clone frees and allocates again
for on in Y N; do
	vm=$(clone)
	switch "$vm" free_hook $on
	cost n lodger "$vm" free
	diag "free_hook=$on: freeing fetched $n pages"
	cost n lodger "$vm" "new 7"
	is "free_hook=$on: what is allocated again holds what is written" "$(answer)" "$pages 0"
	diag "free_hook=$on: allocating $pages pages again fetched $n pages"
	diag "marked: $(figure "$vm" free_hook/pages) pages in $(figure "$vm" free_hook/events) events"
	if [ $on = Y ]; then
		check "with the free hook hardly any of it is fetched" test "$n" -lt $((pages / 10))
		check "pages were marked" test "$(figure "$vm" free_hook/pages)" -gt $((pages / 2))
	else
		check "without it most of it is" test "$n" -gt $((pages / 3))
	fi
	check "the clone is clean" lab_exec "$vm" "! dmesg | grep -E 'BUG|WARNING|Oops|corrupt'"
	gone "$vm" > /dev/null
done

# ---- I/O overwrite: a direct read into memory from before the fork
for on in Y N; do
	vm=$(clone)
	switch "$vm" io_overwrite $on
	cost n lodger "$vm" "direct /root/data"
	is "io_overwrite=$on: a direct read gives the file" "$(answer)" "$((pages * 4096)) 0"
	diag "io_overwrite=$on: reading $pages pages fetched $n pages"
	if [ $on = Y ]; then
		check "what it overwrote was hardly fetched" test "$n" -lt $((pages / 10))
	else
		check "without it most is" test "$n" -gt $((pages / 2))
	fi
	gone "$vm" > /dev/null
done

is "the parent's memory is as it was" "$(lodger web check)" "$pages 0"
is "the parent has marked nothing" "$(figure web free_hook/pages)" 0
done_testing
