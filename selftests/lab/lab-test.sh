#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The lab itself: a guest under vmforkd, commands in it, and nothing left when it is over.
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

lab_start
check "a guest starts under vmforkd and answers" lab_run web --memory 256M
is "a command's output comes back" "$(lab_exec web 'echo hello; echo error >&2')" "hello
error"
lab_exec web 'exit 7'
is "and its status" $? 7
is "a large output is whole" "$(lab_exec web 'seq 1 20000' | md5sum)" "$(seq 1 20000 | md5sum)"
check "the module has a channel" lab_exec web 'dmesg | grep -i vmfork; test -c /dev/vmfork'
is "the guest is known to be ready" "$(lab_vm web channel)" ready
check_fails "no second guest of that name" "named .web. already" lab_boot web vmfork.shell --memory 256M
done_testing
