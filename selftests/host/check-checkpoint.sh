#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checkpoints: cloned while their machine goes on, after it ended, by its family and by the host.
. "$(dirname "$0")/e2e.sh"

# The guest's clock against the host's, in whole seconds; a console round trip is in between.
clock_right() { # VM
	local before after guest
	before=$(date +%s)
	guest=$(lab_exec "$1" "date +%s") || return
	after=$(date +%s)
	echo "host $before..$after, guest $guest"
	((guest >= before - 2 && guest <= after + 2))
}

statuses() { # TICKET: of its clones, in order of ID
	json '[.exits | sort_by(.id)[] | "\(.reason) \(.status)"] | join(", ")' wait "$1"
}

# The pager's count COUNT of checkpoints of web.
image_count() { # COUNT
	json ".checkpoints[] | select(.vm == \"web\") | .pager.$1" stats
}

checkpoint_member() { # MEMBER of that checkpoint
	json ".checkpoints[] | select(.vm == \"web\") | .$1" ps
}

fill_goes_beyond() { # PAGES
	[ "$(image_count prefetched)" -gt "$1" ]
}

fill_is_done() {
	local before
	before=$(image_count prefetched)
	sleep $((1 + LAB_PATIENCE / 240))
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
	lab_wait_for 60 "no checkpoint" json '.checkpoints | length == 0' ps
}

lab_start
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"

set_clock web
guest_tap -t 300 web "vmfork-e2e checkpoint live"
check "an unnamed checkpoint goes with its last descriptor and clone" \
	lab_wait_for 60 "no checkpoint" json '.checkpoints | length == 0' ps
guest_tap -t 300 web "vmfork-e2e clock 8"
guest_tap web "vmfork-e2e checkpoint errors"
check "a named checkpoint outlives its descriptors" \
	json '.checkpoints[] | select(.name == "e2e-taken") | .name' ps
check "checkpoint rm" vmforkctl checkpoint rm e2e-taken
check "it is gone" lab_wait_for 60 "no checkpoint" json '.checkpoints | length == 0' ps
check_fails "clones of what is gone" "ENOENT|no checkpoint" vmforkctl clone e2e-taken

# a checkpoint of a program, cloned by another machine of the family once its maker has ended
guest_tap web "vmfork-e2e checkpoint keep kept"
guest_tap -t 300 web "vmfork-e2e checkpoint clone kept 2"
check "the host forks an idle guest" vmforkctl fork web
heir=$(json '.vms[] | select(.parent != 0 and .parent != "0") | .name' ps)
check "the clone's console answers" lab_exec "$heir" "test -c /dev/vmfork"
check "the clone's clock is right" clock_right "$heir"
check "the parent ends" vmforkctl kill web
check "the host's clone lives on" only_vms_soon "$heir"
guest_tap -t 300 "$heir" "vmfork-e2e checkpoint clone kept 2"
lab_look_at "$heir"
check "the heir ends" vmforkctl kill "$heir"
check "nobody is left" lab_wait_for 60 "no VM" json '.vms | length == 0' ps

# and by the host, when nobody of the family is left
ticket=$(json .ticket.handle clone kept -n 2)
is "clones that the host makes of it verify themselves" "$(statuses "$ticket")" \
	"exited 41, exited 42"
ticket=$(json .ticket.handle clone kept)
is "and once more" "$(statuses "$ticket")" "exited 41"
check "checkpoint rm" vmforkctl checkpoint rm kept

# a checkpoint that the host makes: time passes, then clones of an idle shell
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"
nonce=$RANDOM$RANDOM$RANDOM
check "a nonce is in the guest's memory" lab_exec web "echo $nonce > /dev/shm/nonce"
check "the host makes a checkpoint" vmforkctl checkpoint web host-made
check_fails "a name that is taken" "already" vmforkctl checkpoint web host-made
lab_exec web "echo future > /dev/shm/nonce; touch /dev/shm/future"
sleep 5
names=$(json '.vms[].name' clone host-made -n 2)
for vm in $names; do
	is "$vm is of the checkpoint's instant" \
		"$(lab_exec "$vm" "cat /dev/shm/nonce; ls /dev/shm")" "$nonce"$'\n'nonce
	check "$vm: its clock is right" clock_right "$vm"
done
# shellcheck disable=SC2086
check "the clones end" vmforkctl kill $names
check "checkpoint rm while its machine runs" vmforkctl checkpoint rm host-made

# what the clones of one fork asked for is there before those of the next ask: 8 MiB of data
lab_exec web "dd if=/dev/urandom of=/dev/shm/data bs=1M count=8 2> /dev/null"
truth=$(lab_exec web "sha256sum < /dev/shm/data")
fork_and_read true
is "a clone reads a file in memory" "$sum" "$truth"
first=$fetched
check "each of its pages was fetched on demand" [ "$first" -ge 2048 ]
check "and recorded" [ "$(image_count recorded)" -ge 2048 ]
check "the fork ends" end_forks
fork_and_read lab_wait_for 120 "the pages of the record are there" fill_is_done
is "a clone of the next fork reads the same" "$sum" "$truth"
# A Xen domain asks for a thousand pages on its way out of its suspend, before any has come ahead: not for those of the file.
few=$((first / 4))
! on_xen || few=$((first - 2048))
check "it waits for few of the pages ($fetched of $first)" [ "$fetched" -le "$few" ]
check_fails "a fill that there is not" "none, record or all" \
	vmforkctl checkpoint fill "$(checkpoint_member handle)" much
check "all others are wanted" vmforkctl checkpoint fill "$(checkpoint_member handle)" all
check "and come" lab_wait_for 120 "more pages than were read" fill_goes_beyond 8000
check "pages are held back" [ "$(image_count probes)" -gt 0 ]
check "and most are asked for" [ "$(image_count probes_used)" -ge $(($(image_count probes) / 2)) ]
check "the fork ends" end_forks
done_testing
