#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Xen: a domain is copied from the ticket on, so that a fork copies only what has changed since.
. "$(dirname "$0")/xen.sh"

ahead() { # "true" or "false": is a copy waiting for a fork?
	[ "$(lab_vm web copied_ahead)" = "$1" ]
}

# RAM is 32768 pages; what is copied ahead lacks what the guest's firmware leaves out, and no more.
copied_before_the_fork() {
	local early all late
	early=$(lab_vm web copied_early_pages) all=$(lab_vm web copied_pages) late=$(lab_vm web copied_late_pages)
	echo "$early pages before the fork, $((all - early)) since, $late of them while it stood still"
	((early > 30000 && all - early >= 1024 && all - early < early / 2 && late < 2048))
}

copied_anew() {
	echo "$(lab_vm web copied_pages) pages in all"
	(($(lab_vm web copied_pages) > 30000))
}

begin() { # FILE MiB: in the guest, in the background: a ticket, and a fork once FILE is there
	lab_exec web "E2E_TIMEOUT=600 vmfork-e2e ahead $1 $2 > /tmp/ahead.out 2>&1 & echo \$! > /tmp/ahead.pid"
}

clone_answers() {
	lab_exec "$(json '.vms[-1].name' ps)" true
}

abandon() { # the ticket's owner ends
	lab_exec web 'kill $(cat /tmp/ahead.pid)'
}

lab_start
lab_run web --memory 128M || bail_out "the guest does not boot"
check "nothing is copied yet" ahead false
check "a program asks for a ticket" begin /tmp/go 16
check "which has the domain copied" lab_wait_for 120 "a copy" ahead true
check "it runs on meanwhile" lab_exec web true
guest_tap web 'touch /tmp/go; while kill -0 $(cat /tmp/ahead.pid); do sleep 0.2; done 2> /dev/null; cat /tmp/ahead.out'
check "most of it was copied before the fork" copied_before_the_fork
check "that copy is used up" ahead false
check "another ticket" begin /tmp/never 1
check "has it copied again" lab_wait_for 120 "a copy" ahead true
check "its owner ends" abandon
check "the copy is dropped" lab_wait_for 60 "no copy" ahead false
check "the host forks without a ticket" vmforkctl fork web -n 1
check "all is copied anew" copied_anew
check "the clone answers" clone_answers
check "a ticket once more" begin /tmp/never 1
check "has it copied" lab_wait_for 120 "a copy" ahead true
check "vmforkd is killed, and its copy with it" kill_control
check "no copy is left" ahead false
check "the host forks all the same" vmforkctl fork web -n 1
check "a ticket at last" begin /tmp/never 1
check "has it copied" lab_wait_for 120 "a copy" ahead true
check "a domain ends while its copy waits" kill_all
check "no domain, no device is left" no_domain_no_device
done_testing
