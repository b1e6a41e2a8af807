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

network_of_sandbox() {
	check "the machine has a network" echo_network web
	check "and a server there answers" echo_answers web outside
	is "a clone has it, too" "$(lab_exec web "vmfork --no-label -- $(echo_command clone) 2> /dev/null" | tr -d '\r')" clone
	is "in a sandbox nothing comes back, for whoever it is" \
		"$(lab_exec web "vmfork --sandbox -- $(echo_command boxed) 2> /dev/null; echo status \$?" | tr -d '\r' | tail -n 1)" "status 124"
	is "nor does anything come out" "$(echo_heard boxed)" 0
}

lab_setup
echo_start || bail_out "no echo server"
lab_start
net=user
! on_xen || net=none
lab_run web --memory "$E2E_MEMORY" --net "$net" || bail_out "the guest does not boot"

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
is "a command that kills vmfork in its clone ends the clone" \
	"$(lab_exec web '{ vmfork -- sh -c "kill -9 \$PPID; sleep 1000" 2>&1; echo $?; } | cat' | tr -d '\r' | tr '\n' ,)" \
	"1| vmfork: was killed in the clone,137,"
is "so does one that kills what guards it" \
	"$(status_of web 'vmfork -- sh -c "kill -9 \$(cut -d\" \" -f4 /proc/\$PPID/stat); sleep 1000"')" 137
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
is "--checkpoint --json" "$(lab_exec web 'vmfork --checkpoint told --json -- true; vmfork --from told 2> /dev/null')" \
	'{"checkpoint": "told", "id": 0}'
check "it is removed" vmforkctl checkpoint rm told
is "--from" "$(output_of web 'vmfork --from made -n 2')" $'1| clone 1\n2| clone 2'

# ---- a queue of argument sets
lab_exec web 'mkdir -p /var/tmp/q && cd /var/tmp/q && for i in 1 2 3 4 5; do echo "content $i" > "f $i"; done' > /dev/null
is "--map: a clone for each file" \
	"$(output_of web 'cd /var/tmp/q && vmfork --map *\ * -- sh -c "cat \"\$1\"; echo \$VMFORK_JOB/\$VMFORK_JOBS" sh {}' | tr '\n' ,)" \
	"1| 1/5,1| content 1,2| 2/5,2| content 2,3| 3/5,3| content 3,4| 4/5,4| content 4,5| 5/5,5| content 5,"
is "--jobs: more sets than clones are queued, each from the same instant" \
	"$(lab_exec web 'cd /var/tmp/q && vmfork --jobs 2 --no-label --map f* -- sh -c "echo once >> log; wc -l < log" 2> /dev/null; ls log 2>&1 | grep -c "No such"' | tr '\n' ,)" \
	"1,1,1,1,1,1,"
is "--args-from: words and quotes" \
	"$(output_of web 'printf "a b\n\"c d\" e\n" | vmfork -n 2 --args-from - -- printf "<%s>\n"')" \
	$'1| <a>\n1| <b>\n2| <c d>\n2| <e>'
is "-0: a set is one word" "$(output_of web 'printf "a b\0c\047d" | vmfork -0 --args-from - -- printf "<%s>\n"')" \
	$'1| <a b>\n2| <c\'d>'
is "names with quotes are names" "$(output_of web 'vmfork --map "it'\''s" "5\"" "\\" " " -- printf "<%s>\n"')" \
	$'1| <it\'s>\n2| <5">\n3| <\\>\n4| < >'
check_fails "no room for its pipes" "cannot start the command: Too many open files" \
	lab_exec web "ulimit -n 8; exec vmfork -- true"
check_fails "--keep: a name that is none is refused at once" "a name is 1 to 55" \
	lab_exec web 'vmfork -n 2 --keep a/b -- true'
check_fails "so are digits: those are handles" "not digits alone" lab_exec web 'vmfork --checkpoint 123 -- true'
check_fails "a folder is no list of sets" "Is a directory" lab_exec web 'vmfork --args-from /tmp -- echo'
check_fails "an open quote" "quote" lab_exec web 'echo "\"a" | vmfork --args-from - -- echo'
check_fails "--map without files" "no files" lab_exec web 'vmfork --map -- echo'
is "--fail=2 stops a queue" \
	"$(lab_exec web 'seq 1 40 | vmfork -n 2 --fail=2 --json --args-from - -- sh -c "exit 3" 2> /dev/null' | jq -c '[.status, (.clones | length < 40)]')" '[3,true]'
is "-t is each one's time" \
	"$(lab_exec web 'printf "0\n1000\n0\n" | vmfork -n 1 -t 20 --json --args-from - -- sleep 2> /dev/null' | jq -c '[.status, [.clones[] | .timed_out, .args]]')" \
	'[124,[false,"0",true,"1000",false,"0"]]'

check "on a terminal: progress, and how long the rest may take" \
	bash -c "grep -q '1 running, 2 of 4 done, [0-9]* s, about [0-9]* s left' <<< \"\$1\"" sh \
	"$(lab_exec web 'seq 1 4 | vmfork -n 1 --args-from - -- sleep 1')"

# ---- input and files
is "--stdin: every clone reads it all" "$(output_of web 'seq 1 30000 | vmfork -n 3 --stdin -- wc -lc')" \
	$'1|   30000  168894\n2|   30000  168894\n3|   30000  168894'
is "--stdin: a command that does not read harms nobody" \
	"$(output_of web 'seq 1 60000 | vmfork -n 2 --stdin --no-label -- sh -c "[ \$VMFORK_ID = 1 ] || wc -l"')" 60000
is "--stdin with a queue: also those that begin late" \
	"$(output_of web 'printf "x\ny\nz\n" > /var/tmp/sets; seq 1 9 | vmfork -n 1 --stdin --args-from /var/tmp/sets -- sh -c "tail -n 1"')" \
	$'1| 9\n2| 9\n3| 9'
is "--get brings files and folders, by clone" \
	"$(lab_exec web 'rm -rf /var/tmp/in; vmfork -n 2 --get /var/tmp/res --get /var/tmp/one --into /var/tmp/in -- sh -c "mkdir /var/tmp/res; echo \$VMFORK_ID > /var/tmp/res/x; echo 1 > /var/tmp/one" 2> /dev/null; cd /var/tmp/in && grep -r . | sort; ls /var/tmp/res 2>&1 | grep -c "No such"' | tr '\n' ,)" \
	"1/one:1,1/res/x:1,2/one:1,2/res/x:2,1,"
is "--get of what is not there fails" "$(status_of web 'vmfork --get /nonexistent -- true')" 125
is "--put: files as they are now, also after a checkpoint's instant" \
	"$(lab_exec web 'echo now > /var/tmp/fresh; vmfork -n 2 --no-label --put /var/tmp/fresh -- sh -c "cat /var/tmp/fresh" 2> /dev/null' | sort | tr '\n' ,)" "now,now,"
is "--put of what is not there fails" "$(status_of web 'vmfork --put /nonexistent -- true')" 125
is "a large file goes both ways" \
	"$(lab_exec web 'head -c 3000000 /dev/urandom > /var/tmp/big; vmfork --put /var/tmp/big --get /var/tmp/back --into /var/tmp/in -- cp /var/tmp/big /var/tmp/back 2> /dev/null; cmp /var/tmp/big /var/tmp/in/1/back && echo same')" same
is "--output=dir" \
	"$(lab_exec web 'vmfork -n 2 --output-dir /var/tmp/out -- sh -c "echo o\$VMFORK_ID; echo e >&2; exit \$VMFORK_ID" 2> /dev/null; cd /var/tmp/out && grep -r . | sort' | tr '\n' ,)" \
	"1/status:1,1/stderr:e,1/stdout:o1,2/status:2,2/stderr:e,2/stdout:o2,"

# ---- parameters, limits
is "--param and --env reach the clones" \
	"$(output_of web 'vmfork -n 2 --param colour=red --env GREETING="hello you" -- sh -c "echo \$GREETING; vmfork --show-params"')" \
	$'1| hello you\n1| {"colour":"red","env":{"GREETING":"hello you"}}\n2| hello you\n2| {"colour":"red","env":{"GREETING":"hello you"}}'
is "--params: a file, also with a queue" \
	"$(output_of web 'echo "{\"a\": [1, 2]}" > /var/tmp/p.json; vmfork -n 1 --params /var/tmp/p.json --param b=c --map x y -- sh -c "echo \$VMFORK_PARAMS \$1" sh {}')" \
	$'1| {"a":[1,2],"b":"c"} x\n2| {"a":[1,2],"b":"c"} y'
check_fails "a parameter without a value" "not NAME=VALUE" lab_exec web "vmfork --param x -- true"
check_fails "a file that is no JSON" "params" lab_exec web "vmfork --params /etc/passwd -- true"
check_fails "too many parameters" "16 KiB" lab_exec web 'vmfork --param "x=$(head -c 20000 /dev/zero | tr "\0" x)" -- true'
is "a root machine has none" "$(status_of web 'vmfork --show-params')" 125
is "--lifetime: the host ends it" \
	"$(lab_exec web 'vmfork --lifetime=2 --json -- sleep 1000 2> /dev/null' | jq -c '[.status, .clones[0].reason]')" '[137,"expired"]'
if grep -q "no limits on machines' memory and CPU" "$LAB_DIR/vmforkd.log"; then
	check_fails "--memory where there is no cgroup v2" "no such limits" lab_exec web 'vmfork --memory=1000 -- true'
else
	is "--memory" "$(status_of web 'vmfork --memory=1000 --cpu-weight=50 -- true')" 0
fi

# ---- odd surroundings
is "stdin closed" "$(status_of web 'vmfork -- true <&-')" 0
is "stdout closed, and something to say" \
	"$(lab_exec web 'vmfork -- echo x 2>&1 >&- | cat; vmfork -- echo x >&- 2> /dev/null; echo $?' | tr -d '\r' | tail -n 1)" 125
is "stderr closed" "$(lab_exec web 'vmfork --no-label -- sh -c "echo out; echo err >&2" 2>&- < /dev/null; echo $?' | tr -d '\r' | tr '\n' ,)" "out,125,"
check_fails "a summary that cannot be written" "cannot write the summary: No space" \
	lab_exec web 'vmfork --json=/dev/full -- true'
is "its folder is gone" "$(lab_exec web 'mkdir /tmp/gone; cd /tmp/gone; rmdir /tmp/gone; vmfork --no-label -- echo alive 2> /dev/null' | tr -d '\r')" alive

# ---- checkpoints that are told what to do
is "--from with another command, files and input" \
	"$(lab_exec web 'vmfork --checkpoint told -- echo recorded > /dev/null; echo new > /var/tmp/newer; echo line | vmfork --from told --no-label --stdin --put /var/tmp/newer -- sh -c "cat; cat /var/tmp/newer" 2> /dev/null; vmfork --from told --no-label 2> /dev/null' | tr '\n' ,)" \
	"line,new,recorded,"
check "it is removed" vmforkctl checkpoint rm told

# ---- sandbox and keep
is "--sandbox lists what was changed, and throws it away" \
	"$(lab_exec web 'echo a > /var/tmp/s1; echo b > /var/tmp/s2; sync; vmfork --sandbox -- sh -c "rm /var/tmp/s1; echo c >> /var/tmp/s2; echo d > /var/tmp/s3" 2>&1 | grep -v vmfork-; cat /var/tmp/s1 /var/tmp/s2; ls /var/tmp/s3 2>&1 | grep -c "No such"' | grep -v /var/log/ | tr '\n' ,)" \
	"D /var/tmp/s1,M /var/tmp/s2,A /var/tmp/s3,a,b,1,"
if on_xen; then
	skip "a sandbox without network" "what QEMU's own network shows; check-net has the bridge"
else
	network_of_sandbox
fi
is "whoever may fork may have a sandbox" \
	"$(lab_exec web 'setpriv --reuid=1000 --regid=1000 --groups="$(stat -c %g /dev/vmfork)" vmfork --sandbox -- sh -c "id -u; echo x > /var/tmp/mine" 2>&1 | cat; ls /var/tmp/mine 2> /dev/null' | grep -v /var/log/ | tr -d '\r' | tr '\n' ,)" \
	"1000,A /var/tmp/mine,"
is "--keep: the clone's end is a checkpoint" \
	"$(lab_exec web 'vmfork -n 2 --keep kept -- true' > /dev/null; json '[.checkpoints[].name | select(. != null and startswith("kept"))] | sort | join(",")' checkpoint ls)" "kept.1,kept.2"
is "what was kept can be told what to do" \
	"$(lab_exec web 'vmfork --keep box -- sh -c "echo made > /var/tmp/made" 2> /dev/null; vmfork --from box --no-label -- cat /var/tmp/made 2> /dev/null')" made
check "what was kept is removed" vmforkctl checkpoint rm kept.1 kept.2 box

# ---- the manual's examples, as they stand there
lab_exec web 'mkdir /var/tmp/ex && cd /var/tmp/ex && for i in 1 2 3; do echo "$i" > "$i.txt"; done' > /dev/null
while IFS= read -r -d '' example; do
	check "example: ${example%%$'\n'*}" lab_exec web "cd /var/tmp/ex && { $example
}"
done < <("$LAB_TOP/selftests/lab/man-examples.sh" "$LAB_TOP/Documentation/man/vmfork.1")
is "an example's results" "$(lab_exec web 'cd /var/tmp/ex/results && zcat 1/out.gz 2/out.gz 3/out.gz; ls ../runs | wc -l' | tr '\n' ,)" "1,2,3,20,"
check "what the examples kept is removed" vmforkctl checkpoint rm warm broken

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

# who asks and goes: nothing stays that nobody knows of
asks_and_goes() { # VERB...: vmforkd sees the request when there is nobody any more who waits for the answer
	local asker status=0
	kill -STOP "$(control_pid)"
	vmforkctl "$@" > /dev/null 2>&1 &
	asker=$!
	lab_wait_for 30 "the request" grep -q unix_stream "/proc/$asker/wchan"
	kill "$asker"
	wait "$asker" || status=$?
	kill -CONT "$(control_pid)"
	[ "$status" != 0 ]
}

forked_again() { # FORKS: more than so many
	[ "$(lab_vm web forks)" -gt "$1" ]
}

no_checkpoint() { # NAME
	[ "$(json ".checkpoints | map(select(.name == \"$1\")) | length" checkpoint ls)" = 0 ]
}

forks=$(lab_vm web forks)
check "who asked for a fork has gone" asks_and_goes fork web -n 2
check "it is forked" lab_wait_for 60 "a fork" forked_again "$forks"
check "there are no clones" only_vms_soon web
check "who asked for a checkpoint has gone" asks_and_goes checkpoint web gone
check "it is made" lab_wait_for 60 "a fork" forked_again $((forks + 1))
check "there is none" lab_wait_for 60 "it is gone" no_checkpoint gone
check "who started a machine has gone" asks_and_goes run quick --memory 128M --kernel "$LAB_KERNEL"
check "it ran" lab_wait_for 60 "the log" daemon_log_says "quick: runs"
check "it has ended" only_vms_soon web

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
	vmforkctl run other --memory 256M --kernel "$LAB_KERNEL" --disk /nonexistent,format=raw
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
