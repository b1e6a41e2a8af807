#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Avoidance at run time: what a clone need not fetch is not fetched, and nothing else is lost.
# All of it with the checker: an avoided page is full of poison, which nobody may ever see.
. "$(dirname "$0")/e2e.sh"

MIB=64	# of memory that a process holds over the fork

pager() { # VM FILTER: of its pager's counts
	json ".vms[] | select(.name == \"$1\") | .pager | $2" stats
}

fetched() { # VM: pages that were read from the source for it, asked for or behind such a one
	pager "$1" .fetched
}

counted_once() { # VM: nothing else brings pages into its image
	json "(.checkpoints[] | select(.vm == \"web\") | .pager.present) ==
		(.vms[] | select(.name == \"$1\") | .pager | .fetched - .private)" stats
}

clean() { # VM: its kernel has nothing to say
	! lab_exec "$1" dmesg | grep -E 'BUG|WARNING|Oops|KASAN|orrupt|Bad page|bad page|general protection'
}

figure() { # VM POLICY/NAME
	lab_exec "$1" "cat /sys/class/misc/vmfork/$2"
}

lodger() { # VM COMMAND [DIR]: its answer, of two numbers
	local dir=${3:-/tmp/lodger}
	lab_exec "$1" "echo '$2' > $dir/in; cat $dir/out"
}

clone() { # [OPTION...]: forks web from the host; the clone's name
	vmforkctl fork web -n 1 "$@" > /dev/null && vmforkctl ps -q | grep '^web\.' | tail -n 1
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

pages=$((MIB * 256)) n=0
# nothing is fetched but for this clone
lab_start --poison-avoided --fill none
lab_run web --memory "${E2E_TIGHT:-256M}" || bail_out "the guest does not boot"
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
	check "each page that was fetched is counted once" \
		lab_wait_for 20 "counts that agree" counted_once "$vm"
	check "its kernel is clean" clean "$vm"
	gone "$vm" > /dev/null
done

# ---- I/O overwrite: a direct read into memory from before the fork. Some pages are the kernel's own: hundreds,
# on a debug kernel 1900 of 18000
without=0
for on in N Y; do
	vm=$(clone)
	switch "$vm" io_overwrite $on
	cost n lodger "$vm" "direct /root/data"
	is "io_overwrite=$on: a direct read gives the file" "$(answer)" "$((pages * 4096)) 0"
	diag "io_overwrite=$on: reading $pages pages fetched $n pages"
	if [ $on = Y ]; then
		check "what it overwrote was hardly fetched" test "$n" -lt $((without / 8))
	else
		check "without it most is" test "$n" -gt $((pages / 2))
		without=$n
	fi
	gone "$vm" > /dev/null
done

# ---- huge pages from before the fork: split, moved, joined again where they are not yet
vmstat() { # VM NAME: nothing if the kernel does not count that
	lab_exec "$1" "sed -n 's/^$2 //p' /proc/vmstat" | tr -d '\r'
}

huge() { # VM: KiB in huge pages
	lab_exec "$1" "sed -n 's/^AnonHugePages: *\([0-9]*\) kB/\1/p' /proc/meminfo" | tr -d '\r'
}

joined() { # VM: how many huge pages khugepaged has made
	lab_exec "$1" "cat $THP/khugepaged/pages_collapsed" | tr -d '\r'
}

more_than() { # N COMMAND...: what it says
	test "$("${@:2}")" -gt "$1"
}

THP=/sys/kernel/mm/transparent_hugepage
if lab_exec web "[ -d $THP ]"; then
	was=$(lab_exec web "sed 's/.*\[\(.*\)\].*/\1/' $THP/enabled" | tr -d '\r')
	lab_exec web "echo always > $THP/enabled; vmfork-e2e lodger /tmp/huge 32 > /tmp/huge.log 2>&1 &"
	check "another lodger" lab_wait_for 60 "lodger" lab_exec web "[ -p /tmp/huge/out ]"
	is "its memory is as it was filled" "$(lodger web check /tmp/huge)" "8192 0"
	check "it has huge pages" more_than 4096 huge web
	vm=$(clone)
	moved=$(vmstat "$vm" pgmigrate_success) made=$(joined "$vm") whole=$(huge "$vm")
	cost n lodger "$vm" punch /tmp/huge
	is "huge pages that a clone has not are split, and hold what they held" "$(answer)" "8192 0"
	diag "splitting fetched $n of 8192 pages"
	check "they were split" test "$(huge "$vm")" -lt $((whole / 2))
	lab_exec "$vm" "for i in 1 2 3; do echo 1 > /proc/sys/vm/compact_memory; done"
	if [ -n "$moved" ]; then
		check "memory is compacted in a clone" more_than "$moved" vmstat "$vm" pgmigrate_success
	else
		skip "memory is compacted in a clone" "this guest's kernel does not count it (CONFIG_VM_EVENT_COUNTERS)"
	fi
	lab_exec "$vm" "cd $THP/khugepaged; echo 8192 > pages_to_scan; echo 10 > scan_sleep_millisecs"
	check "huge pages are joined in a clone" lab_wait_for 60 "khugepaged" \
		more_than "$made" joined "$vm"
	is "after that its memory is as it was" "$(lodger "$vm" check /tmp/huge | tr -d '\r')" "8192 0"
	guest_tap "$vm" "vmfork-e2e poison /root /root/data 16 2"
	check "its kernel is clean" clean "$vm"
	gone "$vm" > /dev/null
	lab_exec web "echo quit > /tmp/huge/in; echo $was > $THP/enabled"
else
	skip "huge pages" "this guest's kernel has none"
fi

# ---- page cache: dropped before the fork, per call and by the module's parameter
lab_exec web "vmfork-e2e file /root/small 16"
guest_tap web "vmfork-e2e dropcache /root/small 16"
cached='grep -E "^Cached" /proc/meminfo | tr -dc 0-9'
dropped() { # HOW VM: a clone of web, whose cache was $before KiB
	local after
	after=$(lab_exec "$2" "$cached" | tr -d '\r')
	diag "$1: cached $before KiB in the parent before, $after KiB in the clone"
	check "$1 drops it" test "$after" -lt $((before - 12288))
	gone "$2" > /dev/null
}

fill_cache() {
	lab_exec web "cat /root/small > /dev/null"
	before=$(lab_exec web "$cached" | tr -d '\r')
}

fill_cache
switch web drop_cache Y
vm=$(clone)
switch web drop_cache N
dropped "drop_cache=Y before every fork" "$vm"
fill_cache
dropped "vmforkctl fork --drop-cache" "$(clone --drop-cache)"
fill_cache
vmforkctl checkpoint make web dry --drop-cache > /dev/null
dropped "vmforkctl checkpoint --drop-cache" "$(json '.vms[0].name' clone dry)"
vmforkctl checkpoint rm dry > /dev/null
fill_cache
vm=$(clone)
check "without it is left" test "$(lab_exec "$vm" "$cached" | tr -d '\r')" -ge $((before - 4096))
gone "$vm" > /dev/null
check_fails "clones of a checkpoint have the cache that it has" "made already" \
	vmforkctl clone dry --drop-cache

# ---- a read that fails: a disk with a bad sector, made in the guest
medium_error() { # VM 2|0: reads of sectors 0x1234.. fail
	lab_exec "$1" "echo $2 > /sys/bus/pseudo/drivers/scsi_debug/opts"
}

scsi_disk() { # VM
	lab_exec "$1" 'for i in 1 2 3 4 5 6 7 8 9; do [ -b /dev/sda ] && exit; sleep 1; done; exit 1'
}

if lab_exec web "modprobe scsi_debug dev_size_mb=16 && modprobe sd_mod" && scsi_disk web; then
	lab_exec web "vmfork-e2e file /dev/sda 16 && echo 3 > /proc/sys/vm/drop_caches"
	vm=$(clone)
	medium_error "$vm" 2
	cost n lodger "$vm" "span /dev/sda 512 256"
	is "a direct read over a bad sector fails, and only its own pages are touched" "$(answer)" "-61 0"
	diag "it fetched $n pages; marked: $(figure "$vm" io_overwrite/pages)"
	is "a direct read beyond the end of the disk leaves the rest alone" \
		"$(lodger "$vm" "span /dev/sda 4000 200" | tr -d '\r')" "$((96 * 4096)) 0"
	check_fails "a buffered read of it fails" "No data available|Input/output error" \
		lab_exec "$vm" "dd if=/dev/sda of=/dev/null bs=4096 skip=582 count=1"
	medium_error "$vm" 0
	is "once the disk is well, the same memory gets the data" \
		"$(lodger "$vm" "span /dev/sda 512 256" | tr -d '\r')" "$((256 * 4096)) 0"
	guest_tap "$vm" "vmfork-e2e poison /root /dev/sda 16 2"
	check "its kernel has said nothing but the error" clean "$vm"
	gone "$vm" > /dev/null
else
	skip "a read that fails" "no scsi_debug in this guest's kernel"
fi

# ---- the checker: all that user space can read, under pressure, in a clone and in its clone
vm=$(clone)
lab_exec "$vm" "fallocate -l 160M /root/swap && chmod 600 /root/swap && mkswap -q /root/swap && swapon /root/swap"
guest_tap "$vm" "vmfork-e2e poison /root /root/data $MIB"
check "pages were avoided, and full of poison" test "$(pager "$vm" .poisoned)" -gt 1000
guest_tap "$vm" "vmfork-e2e pressure 48 4 2"
check "it swapped" lab_exec "$vm" "grep -Eq '[[:space:]]file[[:space:]]+[0-9]+[[:space:]]+[1-9]' /proc/swaps"
child=$(vmforkctl fork "$vm" -n 1 > /dev/null && vmforkctl ps -q | grep "^$vm\." | tail -n 1)
guest_tap "$child" "vmfork-e2e poison /root /root/data $MIB 5"
guest_tap "$child" "vmfork-e2e pressure 64 2 1"
guest_tap "$child" "vmfork-e2e fidelity 4 8"
check "its kernel is clean" clean "$child"
check "the clone's is, too" clean "$vm"
is "and its lodger's memory" "$(lodger "$vm" check | tr -d '\r')" "$pages 0"
lab_look_at "$vm"
for one in $(vmforkctl ps -q | grep '^web\.'); do
	vmforkctl kill "$one" > /dev/null
done

is "the parent's memory is as it was" "$(lodger web check)" "$pages 0"
is "the parent has marked nothing" "$(figure web free_hook/pages)" 0
done_testing
