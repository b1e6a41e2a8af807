#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A contiguous memory area (CMA), most of the guest's free memory: it lends its pages to whatever can
# be moved, and takes them back. In parents and in clones, which have most of these pages not yet:
# what moves out of the area is fetched and right, what was free in it is avoided, and nobody ever
# sees the checker's poison.
. "$(dirname "$0")/../host/e2e.sh"

MIB=64		# of memory that a process holds
CHUNK=256	# pages that are allocated from the area at once
pages=$((MIB * 256))
size=${LAB_MEMORY:-768M}
size=${size%M}
area=$((size / 2))

clone() { # VM: forks it from the host; the clone's name
	vmforkctl fork "$1" -n 1 > /dev/null && vmforkctl ps -q | grep "^$1\\." | tail -n 1
}

lodger_is_well() { # VM WHEN
	is "$1: $2 what a process holds is as it was" \
		"$(lab_exec "$1" "echo check > /tmp/lodger/in; cat /tmp/lodger/out" | tr -d '\r')" "$pages 0"
}

held() { # VM: pages of the lodger's that are in the area
	lab_exec "$1" "vmfork-e2e cma held \$(pgrep -f 'e2e lodger' | head -n 1)" | tr -d '\r' | cut -d' ' -f1
}

figure() { # VM NAME: of the area
	lab_exec "$1" "cat /sys/kernel/debug/cma/reserved/$2" | tr -d '\r'
}

# A chunk that is not to be had (somebody holds a page of it for a while) is passed over.
take() { # VM: allocates the area, as far as it goes; sets $taken
	lab_exec -t $((LAB_PATIENCE * 2)) "$1" "cd /sys/kernel/debug/cma/reserved; for i in \$(seq $((count / CHUNK))); do
		echo $CHUNK > alloc; done 2> /dev/null; for i in \$(seq 64); do echo 16 > alloc; done 2> /dev/null; true"
	taken=$(figure "$1" used)
	diag "$1: $taken of $count pages are allocated from the area"
}

give() { # VM
	lab_exec "$1" "echo $count > /sys/kernel/debug/cma/reserved/free"
	is "$1: the area has all of its pages back" "$(figure "$1" used)" 0
}

taken_and_given() { # VM: allocates, looks, frees, looks again
	local before after
	before=$(held "$1")
	check "$1: pages of a process are in the area ($before)" test "$before" -gt $((pages / 8))
	take "$1"
	check "$1: most of it can be allocated" test "$taken" -ge $((count * 3 / 4))
	after=$(held "$1")
	check "$1: pages moved out of it ($after are left)" test "$after" -le $((count - taken))
	lodger_is_well "$1" "with the area allocated,"
	give "$1"
	lodger_is_well "$1" "with the area free,"
}

move_in() { # VM: its lodger's pages, which stay where they were moved to, are in the area again
	is "$1: a process has new memory" "$(lab_exec "$1" "cd /tmp/lodger; echo free > in; cat out > /dev/null
		echo new 9 > in; cat out" | tr -d '\r')" "$pages 0"
}

# free_pages VM: sets $poison, $zeros, $other, $free, of free pages in the area
free_pages() {
	read -r poison zeros other free <<< "$(lab_exec "$1" "vmfork-e2e cma free" | tr -d '\r')"
	diag "$1: of $free free pages in the area were looked at: $poison avoided, $zeros zeros, $other others"
}

count=0 taken=0 poison=0 zeros=0 other=0 free=0
lab_start --poison-avoided --fill none
{ lab_boot web "vmfork.shell cma=${area}M" --memory "${size}M" --cpus 2 &&
	lab_await_shell web; } || bail_out "the guest does not boot"
lab_exec web "mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug"
if ! lab_exec web "test -d /sys/kernel/debug/cma/reserved"; then
	skip "an area of CMA" "this guest's kernel cannot allocate from one by hand"
	done_testing
fi
count=$(figure web count)
is "the area is there" "$count" $((area * 256))

# ---- the truth in its free pages is not zeros: somebody had them
lab_exec web "vmfork-e2e pressure $((area / 4)) 2 1" > /dev/null
lab_exec web "vmfork-e2e file /root/data 32"
lab_exec web "vmfork-e2e lodger /tmp/lodger $MIB > /tmp/lodger.log 2>&1 &"
check "a lodger fills $MIB MiB" lab_wait_for 60 "lodger" lab_exec web "[ -p /tmp/lodger/out ]"
lodger_is_well web "to begin with,"
free_pages web
seen=$((poison + zeros + other)) dirty=$other
check "free pages in the area hold what somebody left" test "$dirty" -gt $((seen / 4))
is "none of the parent's is avoided" "$poison" 0

# ---- the free set has them
vm=$(clone web)
free_pages "$vm"
check "in a clone most of these were avoided" test "$poison" -gt $((dirty / 2))
lodger_is_well "$vm" "after that,"
vmforkctl kill "$vm" > /dev/null
lab_exec web "echo 0 > /sys/module/vmfork/parameters/free_set"
vm=$(clone web)
lab_exec web "echo 1 > /sys/module/vmfork/parameters/free_set"
free_pages "$vm"
check "without the free set hardly any is" test "$poison" -lt $((dirty / 10))
vmforkctl kill "$vm" > /dev/null

# ---- allocated from in a clone, whose memory is elsewhere; in its parent meanwhile; in its clone
vm=$(clone web)
taken_and_given "$vm"
late=$(clone web)
taken_and_given web
lodger_is_well "$late" "after its parent has moved everything,"
guest_tap "$vm" "vmfork-e2e pressure $((area / 4)) 2 1"
guest_tap "$vm" "vmfork-e2e poison /root /root/data 16 2"
take "$vm"
vm2=$(clone "$vm")
check "a machine is forked with its area allocated" test -n "$vm2"
is "its clone has it allocated, too" "$(figure "$vm2" used)" "$taken"
give "$vm2"
guest_tap "$vm2" "vmfork-e2e pressure $((area / 4)) 2 1"
guest_tap "$vm2" "vmfork-e2e poison /root /root/data 16 2"
lodger_is_well "$vm2" "at the end,"
vmforkctl kill "$vm2" > /dev/null

# ---- in a clone of a clone, which has less of what is there than its parent has
give "$vm"
move_in "$vm"
vm2=$(clone "$vm")
taken_and_given "$vm2"

# ---- moved while the memory is used
for vm in $(vmforkctl ps -q); do
	lab_exec "$vm" "cd /sys/kernel/debug/cma/reserved; while sleep 0.2; do echo $CHUNK > alloc; echo $CHUNK > alloc
		echo $((2 * CHUNK)) > free; done > /dev/null 2>&1 & echo \$! > /tmp/mover"
	guest_tap "$vm" "vmfork-e2e pressure $((area / 4)) 2 2"
	lab_exec "$vm" "kill \$(cat /tmp/mover)"
	lodger_is_well "$vm" "after all,"
done
guest_tap web "vmfork-e2e fidelity 3 8"
done_testing
