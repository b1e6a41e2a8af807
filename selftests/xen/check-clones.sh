#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Clones of clones: what is paged out stays so while they are copied. What one clone asked for is given to the next.
. "$(dirname "$0")/xen.sh"

count_of() { # COUNT of a VM's pager: fetched, zero ...
	json ".vms[].pager.$2" stats "$1"
}

image_count() { # COUNT of web's checkpoint
	json "[.checkpoints[] | select(.vm == \"web\")][-1].pager.$1" stats
}

memory_of() { # VM
	lab_vm "$1" memory_use.rss
}

new_vm() { # VM: the host forks it; prints its clone
	json '.vms[].name' fork "$1"
}

is_filled() { # nothing more comes in two seconds
	local before
	before=$(image_count prefetched)
	sleep 2
	[ "$before" -gt 0 ] && [ "$(image_count prefetched)" = "$before" ]
}

# Reads the file in VM: sets $sum and $asked, the pages that came when they were touched.
read_data() { # VM
	sum=$(lab_exec "$1" "sha256sum < /dev/shm/data")
	asked=$(count_of "$1" fetched)
	diag "$1: $asked pages on demand; all clones of its image: $(image_count prefetched) before they were" \
		"asked for; of $(image_count probes) held back $(image_count probes_used) were asked for"
}

lab_start
lab_run web --memory 128M || bail_out "the guest does not boot"
guest_tap -t 300 web "vmfork-e2e generations"
check "no clone is left" only_vms_soon web
lab_exec web "dd if=/dev/urandom of=/dev/shm/data bs=1M count=16 2> /dev/null"
truth=$(lab_exec web "sha256sum < /dev/shm/data")

# a clone that the host forks: what it did not touch is not copied, and not paged in for the copy
clone=$(new_vm web)
lab_exec "$clone" "echo $clone > /dev/shm/own"
before=$(count_of "$clone" fetched)
heir=$(new_vm "$clone")
after=$(count_of "$clone" fetched) copied=$(lab_vm "$clone" copied_pages) present=$(image_count present)
diag "$clone of $present pages had fetched $before when it was forked, $after when its own clone ran;" \
	"$copied were copied out of it"
check "a clone is forked" lab_exec "$heir" true
check "the clones have less memory than web" \
	[ "$(($(memory_of "$clone") > 0 && $(memory_of "$clone") + $(memory_of "$heir") < $(memory_of web)))" = 1 ]
check "what it had not asked for stays away" [ "$after" -lt $((present / 2)) ]
check "and is not copied" [ "$copied" -lt $((present / 2)) ]
is "its clone has what it wrote" "$(lab_exec "$heir" "cat /dev/shm/own")" "$clone"
is "and what only its parent's parent had" "$(lab_exec "$heir" "sha256sum < /dev/shm/data")" "$truth"
check "the clones end" vmforkctl kill "$clone" "$heir"
check "their domains too" domains_soon 1

# the second clone of a checkpoint is given what the first one asked for
check "a checkpoint" vmforkctl checkpoint web kept
check "of which nothing is given unasked" vmforkctl checkpoint fill kept none
clone=$(json '.vms[].name' clone kept)
read_data "$clone"
first=$asked
is "its clone reads a file in memory" "$sum" "$truth"
check "each page was fetched on demand" [ "$first" -ge 4096 ]
check "from now on what was asked for is" vmforkctl checkpoint fill kept record
second=$(json '.vms[].name' clone kept)
check "the next one is given pages" lab_wait_for 300 "no more of them" is_filled
read_data "$second"
is "it reads the same" "$sum" "$truth"
check "and waits for a quarter of them at most ($asked of $first)" [ "$asked" -le $((first / 4)) ]
check "all that there is can be given" vmforkctl checkpoint fill kept all
check "and comes" lab_wait_for 300 "no more of it" is_filled
given=$(image_count prefetched) asked=$(($(count_of "$clone" fetched) + $(count_of "$second" fetched)))
present=$(image_count present)
diag "$given pages given to two clones, $asked asked for, of $present"
check "once to each" [ "$given" -le $((2 * present)) ]
check "and nearly all" [ $((given + asked)) -ge $((present * 7 / 4)) ]
check "checkpoint rm" vmforkctl checkpoint rm kept
check "the clones end" vmforkctl kill "$clone" "$second"
check "their domains too" domains_soon 1

check "everything ends" kill_all
check "no domain, no device is left" no_domain_no_device
done_testing
