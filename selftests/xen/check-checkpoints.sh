#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checkpoints of a Xen domain, cloned while it goes on and after it ended; clones that fork.
. "$(dirname "$0")/xen.sh"

no_checkpoint() {
	lab_wait_for 60 "no checkpoint" json '.checkpoints | length == 0' ps
}

statuses() { # TICKET: of its clones, in order of ID
	json '[.exits | sort_by(.id)[] | "\(.reason) \(.status)"] | join(", ")' wait "$1"
}

remember() { # VM WORD: in its memory
	lab_exec "$1" "echo $2 >> /dev/shm/words"
}

words_of() { # VM
	lab_exec "$1" "echo \$(cat /dev/shm/words)"
}

image_count() { # COUNT: of web's checkpoint, the pager's
	json ".checkpoints[0].pager.$1" stats
}

fill_goes_beyond() { # PAGES
	[ "$(image_count prefetched)" -gt "$1" ]
}

fill_is_done() {
	local before
	before=$(image_count prefetched)
	sleep 2
	[ "$before" -gt 0 ] && [ "$(image_count prefetched)" = "$before" ]
}

# Forks web, has the clone read the file, sets $sum and $fetched: pages that it had to wait for.
fork_and_read() { # COMMAND...: before it reads
	local vm
	vm=$(json '.vms[].name' fork web)
	"$@"
	sum=$(lab_exec "$vm" "sha256sum < /dev/shm/data")
	fetched=$(json '.vms[].pager.fetched' stats "$vm")
	diag "$vm: $fetched pages on demand, $(image_count prefetched) ahead; of" \
		"$(image_count probes) held back $(image_count probes_used) were asked for"
}

end_forks() {
	vmforkctl kill "$(json '.vms[] | select(.name != "web").name' ps)" > /dev/null
	no_checkpoint
}

lab_start
lab_run web --memory 128M || bail_out "the guest does not boot"

# by programs in the guest
guest_tap web "vmfork-e2e generations"
check "no clone is left" only_vms_soon web
guest_tap web "vmfork-e2e checkpoint live"
check "an unnamed checkpoint goes with its last descriptor and clone" no_checkpoint
guest_tap web "vmfork-e2e checkpoint keep kept"
guest_tap web "vmfork-e2e checkpoint clone kept 2"
check "no clone is left" only_vms_soon web

# by the host: each generation writes a word, then is forked
remember web root
check "the host makes a checkpoint" vmforkctl checkpoint web early
remember web later
child=$(json '.vms[0].name' fork web)
remember web parent
is "a clone has what its parent had" "$(words_of "$child")" "root later"
remember "$child" child
grandchild=$(json '.vms[0].name' fork "$child")
remember "$child" after
is "a clone of a clone has what that had" "$(words_of "$grandchild")" "root later child"
check "a checkpoint of a clone" vmforkctl checkpoint "$child" middle
check "the parent ends, with the checkpoint's machine" vmforkctl kill web
check "the host's clones live on" only_vms_soon "$child" "$grandchild"
is "a clone of the checkpoint is of its instant" \
	"$(words_of "$(json '.vms[0].name' clone early)")" "root"
check "the clone that was forked ends" vmforkctl kill "$child"
is "a clone of its checkpoint, too" \
	"$(words_of "$(json '.vms[0].name' clone middle)")" "root later child after"
is "the clone's clone is as it was" "$(words_of "$grandchild")" "root later child"
is "a program's checkpoint still makes clones, which verify themselves" \
	"$(statuses "$(json .ticket.handle clone kept -n 2)")" "exited 41, exited 42"
check "all end" kill_all
check "the checkpoints are removed" vmforkctl checkpoint rm early middle kept
check "nothing is left of them" no_checkpoint

# what the clone of one fork asked for is given to that of the next before it asks: 4 MiB of data
lab_run web --memory 128M || bail_out "the guest does not boot"
lab_exec web "dd if=/dev/urandom of=/dev/shm/data bs=1M count=4 2> /dev/null"
truth=$(lab_exec web "sha256sum < /dev/shm/data")
fork_and_read true
is "a clone reads a file in memory" "$sum" "$truth"
first=$fetched
check "what it asked for is recorded" [ "$(image_count recorded)" -ge 1024 ]
check "the fork ends" end_forks
fork_and_read lab_wait_for 120 "the pages of the record are there" fill_is_done
is "a clone of the next fork reads the same" "$sum" "$truth"
check "it waits for half of the pages at most ($fetched of $first)" [ "$fetched" -le $((first / 2)) ]
check "pages are held back" [ "$(image_count probes)" -gt 0 ]
before=$(image_count prefetched)
check "all others are wanted" vmforkctl checkpoint fill "$(json '.checkpoints[0].handle' ps)" all
check "and come" lab_wait_for 120 "more pages" fill_goes_beyond "$before"
check "the pager is killed" kill_pager
sum=$(lab_exec "$(json '.vms[] | select(.name != "web").name' ps)" "sha256sum < /dev/shm/data")
is "the clone reads the same still" "$sum" "$truth"
check "everything ends" kill_all
check "no domain, no device is left" no_domain_no_device
done_testing
