#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The commands: vmfork(1) in the guest, vmforkctl(1) on the host.
. "$(dirname "$0")/e2e.sh"

status_of() { # VM COMMAND: its exit status, nothing else
	lab_exec "$1" "$2" > /dev/null 2>&1
	echo $?
}

output_of() { # VM COMMAND: its output, lines sorted (clones come in any order)
	lab_exec "$1" "{ $2; } 2>&1 | sort"
}

lab_start
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"

# ---- vmfork(1)
is "output lines are labelled" "$(output_of web 'vmfork -n 3 -- sh -c "echo I am \$VMFORK_ID of \$VMFORK_CLONES"')" \
	$'1| I am 1 of 3\n2| I am 2 of 3\n3| I am 3 of 3'
is "no labels" "$(output_of web 'vmfork -n 2 --no-label -- sh -c "echo \$VMFORK_ID"')" $'1\n2'
is "stderr comes back as stderr" "$(output_of web 'vmfork -n 2 -- sh -c "echo e\$VMFORK_ID >&2" > /dev/null')" \
	$'1| e1\n2| e2'
is "many lines stay whole and in order" "$(output_of web 'vmfork -n 2 -- seq 1 20000 2> /dev/null | sed s/^2/1/ | sort | uniq -c | awk "{n[\$1]++} END {print n[2]}"')" 20000
is "status 0" "$(status_of web 'vmfork -n 2 -- true')" 0
is "the highest status counts" "$(status_of web 'vmfork -n 3 -- sh -c "exit \$((VMFORK_ID * 5))"')" 15
is "--fail=never" "$(status_of web 'vmfork -n 2 --fail=never -- false')" 0
is "--fail=fast ends the others" "$(status_of web 'vmfork -n 2 --fail=fast -- sh -c "[ \$VMFORK_ID = 1 ] && exit 9; sleep 1000"')" 9
is "time is up" "$(status_of web 'vmfork -n 2 -t 3 -- sleep 1000')" 124
is "no such command" "$(status_of web 'vmfork -n 1 -- /nonexistent')" 127
is "not executable" "$(status_of web 'vmfork -n 1 -- /etc/passwd')" 126
is "no clones asked for" "$(status_of web 'vmfork -n 0 -- true')" 125
is "too many" "$(status_of web 'vmfork -n 4000 -- true')" 125
is "a signal in the clone" "$(status_of web 'vmfork -- sh -c "kill -TERM \$\$"')" 143
is "-n 1 is a sandbox" \
	"$(lab_exec web 'echo old > /var/tmp/box; vmfork -- sh -c "rm -rf /var/tmp/box /usr/bin/*" 2> /dev/null; cat /var/tmp/box; ls /usr/bin | wc -l | sed "s/[1-9].*/many/"')" \
	$'old\nmany'
summary=$(lab_exec web 'vmfork -n 2 --json -- sh -c "exit \$VMFORK_ID" 2> /dev/null' | tail -n 1)
is "--json: a summary" "$(jq -c '[.status, .granted, [.clones[] | [.id, .reason, .status]]]' <<< "$summary")" \
	'[2,2,[[1,"exited",1],[2,"exited",2]]]'
is "--id" "$(lab_exec web 'vmfork --id --json' | jq -c '[.id, .depth, .parent]')" '[0,0,"0"]'
is "--id in a clone" "$(lab_exec web 'vmfork -n 2 --no-label -- vmfork --id --json 2> /dev/null' | jq -sc 'sort_by(.id) | [.[] | [.id, .depth, .clones]]')" \
	'[[1,1,2],[2,1,2]]'
is "a clone forks by the wrapper" "$(output_of web 'vmfork -n 2 -- vmfork -n 2 -- echo x')" \
	$'1| 1| x\n1| 2| x\n2| 1| x\n2| 2| x'
is "--checkpoint" "$(lab_exec web 'vmfork --checkpoint made -- sh -c "echo clone \$VMFORK_ID"')" 0
is "--from" "$(output_of web 'vmfork --from made -n 2')" $'1| clone 1\n2| clone 2'
check_fails "a user who is not in the group" "permission|group" \
	lab_exec web "setpriv --reuid=1000 --regid=1000 --clear-groups vmfork -- true"

# Ctrl-C on the console goes to the wrapper
guest_tap_begin web "trap : INT; vmfork -n 2 -- sh -c 'echo begun; sleep 1000'; echo \"status \$?\""
check "both clones have begun" lab_wait_for 120 begun \
	guest_says_times 2 begun
guest_interrupt
check "Ctrl-C ends it with 130" guest_says "status 130"
check "Ctrl-C leaves no clone" only_vms_soon web

# ---- vmforkctl(1)
check "version --json" json .version version
check "a backend is usable" json '.backends[] | select(.usable) | .why' version
is "ps -q" "$(vmforkctl ps -q)" web
is "ps --json" "$(json '.vms[0] | "\(.name) \(.state) \(.channel) \(.depth)"' ps)" "web running ready 0"
check "ps --json: handles, places, figures" json '.vms[0] | .handle != null and .family != null and
	(.console | startswith("/")) and (.log | startswith("/")) and .memory > 0 and .vcpus == 1 and
	.pid > 0 and .kernel_release != "" and (.times | has("pause_ms"))' ps
check "ps for people" sh -c "vmforkctl ps -a | grep -w web"
names=$(json '.vms[].name' fork web -n 2)
is "clones are named after their parent's fork" "$(sed 's/\.[0-9]*\./.N./' <<< "$names")" \
	$'web.N.1\nweb.N.2'
check "fork --json" json '.vms | length == 3' ps
check "tree" sh -c "vmforkctl tree | grep -E '(├|└|\|-|\`-).*web\.'"
check "stats --json" json '[.vms[] | select(.pager.faults > 0 and .memory_use.rss > 0)] | length >= 2' stats
check "stats for people" sh -c "vmforkctl stats | grep -w web"
first=$(head -n 1 <<< "$names")
check "a clone of the host's fork has the guest's shell" lab_exec "$first" true
check "console" sh -c "printf '\n' | timeout 20 vmforkctl console $first > /dev/null; [ \$? = 0 -o \$? = 124 ]"
ticket=$(json '.tickets[] | select(.live > 0) | .handle' ps)
check "kill of one" vmforkctl kill "$first"
check_fails "kill of one that is not there" "ENOENT|no VM" vmforkctl kill "$first"
is "kill --ticket" "$(json .killed kill --ticket "$ticket")" 1
is "wait --json" "$(json '[.exits | sort_by(.id)[] | .id] | join(" ")' wait "$ticket")" "1 2"
vmforkctl --json watch > "$LAB_DIR/watch" &
watch=$!
check "checkpoint" vmforkctl checkpoint web one
check "checkpoint ls --json" json '.checkpoints[] | select(.name == "one") | .handle' checkpoint ls
check "clone" vmforkctl clone one -n 2
check "watch --json says what happened" lab_wait_for 30 events \
	jq -es 'map(select(.event == "vm" and .what == "started")) | length >= 2' "$LAB_DIR/watch"
kill "$watch"
check "checkpoint rm" vmforkctl checkpoint rm one made
check_fails "fork of a VM that is not there" "no VM named 'nobody'" vmforkctl fork nobody
check_fails "0 clones" "0|number" vmforkctl fork -n 0 web
check_fails "too many clones" "must be 1 to" vmforkctl fork -n 4000 web
check_fails "a second VM of that name" "already" vmforkctl run web --memory 256M --kernel "$LAB_KERNEL"
check_fails "a disk that is not there" "ENOENT|No such file|not there" \
	vmforkctl run other --memory 256M --disk /nonexistent,format=raw
check_fails "an unknown verb" "." vmforkctl frobnicate

# ---- vmforkctl(1) in a terminal
tap_replay terminal "console, top, watch" < <("$(dirname "$0")/ctl_pty.py" -t "$LAB_PATIENCE" vmforkctl web 2>&1)
is "what is typed before Ctrl-] counts" "$(lab_exec web 'cat /tmp/typed-before-leaving')" typed
if [ "$(id -u)" = 0 ] && getent group vmfork > /dev/null; then
	cp "$LAB_BUILD/bin/vmforkctl" "$LAB_DIR/lib/"
	as_member() { # GROUP VMFORKCTL-ARGUMENT...
		setpriv --reuid=nobody --regid=nogroup --groups="$1" "$LAB_DIR/lib/vmforkctl" "${@:2}"
	}
	talk() { # a command to the console's shell, and its answer
		local status pid
		timeout 600 setpriv --reuid=nobody --regid=nogroup --groups=vmfork \
			"$LAB_DIR/lib/vmforkctl" console web > "$LAB_DIR/talk" \
			<<< "run member $(printf 'echo i-am-$((40 + 2))' | base64)" &
		pid=$!
		lab_wait_for 60 "an answer" grep -q i-am-42 "$LAB_DIR/talk"
		status=$?
		kill "$pid"
		wait "$pid"
		return "$status"
	}
	check "a member of the group may talk to a console" talk
	check_fails "others may not" "be root or a member of group vmfork" as_member nogroup console web
	check_fails "nor by its socket" "Permission denied" setpriv --reuid=nobody --regid=nogroup \
		--groups=vmfork python3 -c "import socket, sys
socket.socket(socket.AF_UNIX).connect(sys.argv[1])" "$(lab_vm web console)"
else
	skip "a member of the group may talk to a console" "not root, or no group vmfork"
fi

is "kill --family" "$(json '.killed > 0' kill --family web)" true
check "nobody is left" lab_wait_for 60 "no VM" json '.vms | length == 0' ps
check_fails "vmforkctl without vmforkd" "vmforkd" env VMFORK_SOCKET="$LAB_DIR/no.sock" vmforkctl ps
done_testing
