#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What clones are told, what they may have, who they are: parameters, limits, an agent that
# reports or does not, tickets of clones. Limits on memory and CPU need cgroup v2.
. "$(dirname "$0")/e2e.sh"

MEMORY=400M	# a clone writes 150M; the nested lab's guests have less

no_limits() { # why there are none on memory and CPU, or fails
	grep -o "no limits on machines' memory and CPU: .*" "$LAB_DIR/vmforkd.log"
}

cgroup_of() { # VM: its path below the mount point
	sed -n 's/^0:://p' "/proc/$(lab_vm "$1" pid)/cgroup"
}

cgroup_file() { # VM FILE
	cat "$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)$(cgroup_of "$1")/$2"
}

child_of() { # VM: name of its one clone
	json ".vms[] | select(.parent == $(lab_vm "$1" handle)) | .name" ps
}

states() { # of all VMs, as people see them
	vmforkctl ps | awk 'NR > 1 { print $4 }' | sort -u
}

nobody_but() { # VM: and only its checkpoints
	only_vms_soon "$1"
}

held() { # a clone is
	vmforkctl ps | awk '$4 == "held" { n++ } END { exit n != 1 }'
}

lab_setup
echo_start || bail_out "no echo server"
lab_start --identity-timeout 10
# a device more, of no interest, does no harm: all that follows forks it
more=(--qemu-arg -device --qemu-arg pci-testdev)
! on_xen || more=()
lab_run web --memory "$MEMORY" --net user "${more[@]}" ||
	bail_out "the guest does not boot"

# ---- parameters
guest_tap web "vmfork-e2e params"
printf '{"env": {"N": "1"}, "k": "file"}' > "$LAB_DIR/params.json"
check "the host gives parameters" \
	vmforkctl fork web --params "$LAB_DIR/params.json" --param k=option --param other=2
clone=$(child_of web)
is "its clone has them" "$(lab_exec "$clone" "vmfork-e2e params show" | jq -cS .)" \
	'{"env":{"N":"1"},"k":"option","other":"2"}'
check "the clone ends" vmforkctl kill "$clone"
check "a checkpoint" vmforkctl checkpoint web limits-cp
clone=$(json '.vms[0].name' clone limits-cp --param from=checkpoint)
is "a clone of a checkpoint has its parameters" \
	"$(lab_exec "$clone" "vmfork-e2e params show")" '{"from":"checkpoint"}'
check "the clone ends" vmforkctl kill "$clone"
check_fails "too many" "16384" \
	vmforkctl clone limits-cp --param "k=$(head -c 16384 /dev/zero | tr '\0' x)"
check_fails "not KEY=VALUE" "KEY=VALUE" vmforkctl clone limits-cp --param nothing
check_fails "not an object" "not a JSON object" vmforkctl clone limits-cp --params <(echo '[1]')
check "no clone is left" only_vms_soon web

# ---- identity: the host's half
guest_tap web "vmfork-e2e agent report"
guest_tap web "vmfork-e2e agent refuse"
guest_tap web "vmfork-e2e agent die"
check "vmforkd's log says who was held" daemon_log_says "web.*ended: its kernel panicked: .*agent"
guest_tap web "vmfork-e2e agent hang"
guest_tap_begin web "vmfork-e2e agent stuck"
check "a clone is held" lab_wait_for 60 "a clone that is held" held
clone=$(child_of web)
kill -STOP "$(lab_vm "$clone" pid)"
is "its link is shut" "$(lab_vm "$clone" net.link)" shut
guest_tap_end
check "no clone is left" only_vms_soon web

# ---- the network that needs no privilege
check "the guest has an address" echo_network web
guest_tap web "vmfork-e2e agent link 10.0.2.2 $ECHO_PORT"
is "while it was held nothing of the clone's came out" "$(echo_heard held)" 0
check "then it did" test "$(echo_heard open)" -gt 0
clone=$(json '.vms[0].name' fork web)
is "without an agent it is open" "$(lab_vm "$clone" net.link)" up
check "and goes where its parent's goes" echo_answers "$clone" unheard
check "the clone ends" vmforkctl kill "$clone"
check "vmfork-agent in the guest" lab_exec web "vmfork-agent > /tmp/agent.log 2>&1 < /dev/null &
	until vmfork-agent --status --json | grep -q '\"agent\": *true'; do sleep 0.5; done"
names=$(json '.vms[].name' fork web -n 2)
for clone in $names; do
	check "$clone is opened when it has reported" lab_wait_for 120 "its report" \
		json ".vms[] | select(.name == \"$clone\" and .identity == \"complete\" and .net.link == \"up\")" ps
	is "its name" "$(lab_exec "$clone" hostname | tr -d '\r')" "${clone//./-}"
	check "its network works" echo_answers "$clone" "$clone"
done
check "vmforkctl ps shows that" test "$(vmforkctl ps | awk 'NR > 1 { print $(NF - 1), $NF }' | sort -u)" = "user up"
check "the control role is killed" kill_control
for clone in web $names; do
	is "$clone is open as before" "$(lab_vm "$clone" net.link)" up
done
check "and its network works" echo_answers "$clone" again
for clone in $names; do vmforkctl kill "$clone" > /dev/null; done
check "the agent ends" lab_exec web 'kill $(pidof vmfork-agent)'
check "no clone is left" only_vms_soon web

# ---- life time
ticket=$(json .ticket.handle clone limits-cp --lifetime 3s)
is "the host's clone expires" "$(json '.exits[] | "\(.reason): \(.why)"' wait "$ticket")" \
	"expired: its 3 s were over"
ticket=$(json .ticket.handle clone limits-cp --lifetime 20s)
check "the control role is killed" kill_control
is "its time goes on" "$(json '.exits[] | .reason' wait "$ticket")" expired
check_fails "no time" "not a time" vmforkctl clone limits-cp --lifetime 0
ticket=$(json .ticket.handle clone limits-cp)
kill -KILL "$(json '.vms[] | select(.parent != 0) | .pid' ps)"
is "a process that was killed" "$(json '.exits[] | "\(.reason): \(.why)"' wait "$ticket")" \
	"lost: its process was killed by signal 9"

# ---- memory and CPU
if why=$(no_limits); then
	check_fails "no limit on memory here" "no limits on memory" \
		vmforkctl clone limits-cp --memory-limit 64M
	guest_tap web "vmfork-e2e grants unsupported"
	skip "limits on memory and CPU" "$why"
else
	guest_tap web "vmfork-e2e grants lifetime"
	guest_tap web "vmfork-e2e grants memory"
	clone=$(json '.vms[0].name' clone limits-cp --memory-limit 64M --cpu-weight 30)
	is "its limit of memory, and what QEMU needs" "$(cgroup_file "$clone" memory.max)" \
		"$(((64 + 96) << 20))"
	is "its share" "$(cgroup_file "$clone" cpu.weight)" 30
	is "it would end as a whole" "$(cgroup_file "$clone" memory.oom.group)" 1
	check "one cgroup for each" test "$(cgroup_of "$clone")" != "$(cgroup_of web)"
	check "stats know its use" json '.vms[0].cgroup.memory > 0' stats "$clone"
	checkpoint=$(json '.checkpoints[0].snapshot_pid' ps)
	check "the snapshot process is not in its machine's" \
		grep -q '/checkpoints$' "/proc/$checkpoint/cgroup"
	cgroup=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)$(cgroup_of "$clone")
	check "the clone ends" vmforkctl kill "$clone"
	check "so does its cgroup" lab_wait_for 30 "no cgroup" test ! -e "$cgroup"
fi
check "checkpoint rm" vmforkctl checkpoint rm limits-cp

# ---- clones of clones
guest_tap_begin web "vmfork-e2e grants nested"
check "there are three" lab_wait_for 120 "three VMs" json '.vms | length == 3' ps
middle=$(child_of web)
check "the tree shows the tickets" json '[.tickets[] | select(.parent != 0)] | length == 2' tree
is "one of them is the clone's" \
	"$(json "[.tickets[] | select(.parent == $(lab_vm "$middle" handle))] | length" tree)" 1
check "the one in the middle is killed" vmforkctl kill "$middle"
check "its clone ends with it" nobody_but web
guest_tap_end
check "no ticket is left" lab_wait_for 60 "no ticket" json '.tickets | map(select(.parent != 0)) | length == 0' ps
is "nothing but what runs is left" "$(states)" running

# ---- what cannot be forked
if on_xen; then
	check_fails "QEMU's arguments are refused" "is no machine of QEMU" lab_boot odd "" --qemu-arg -S
	skip "devices that cannot be forked" "Xen's domains have none"
	done_testing
fi
odd() { # WHAT PATTERN QEMU-ARGUMENT...: a machine with these is refused, and PATTERN said
	local what=$1 pattern=$2 args=() arg
	shift 2
	for arg in "$@"; do
		args+=(--qemu-arg "$arg")
	done
	check "a machine with $what runs" lab_boot odd "" --memory 128M "${args[@]}"
	check_fails "and is not forked" "odd: cannot be forked: $pattern" vmforkctl fork odd
	check_fails "nor kept" "odd: cannot be forked: $pattern" vmforkctl checkpoint odd odd-cp
	check "it ends" vmforkctl kill odd
}

odd "a USB device of the host's" "usb-host .*a device of the host" \
	-device qemu-xhci,id=usb -device usb-host,bus=usb.0,vendorid=0xdead,productid=0xbeef
odd "more memory" "memory backend more: .*not in an image" \
	-object memory-backend-file,id=more,size=2M,share=on,mem-path=/dev/shm
odd "memory of huge pages" "memory backend huge: .*not in an image" \
	-object memory-backend-memfd,id=huge,size=2M,hugetlb=on,hugetlbsize=2M,reserve=off
check_fails "a machine whose RAM is elsewhere does not start" "odd does not start: qemu.*mem-path" \
	lab_boot odd "" --memory 128M --qemu-arg -mem-path --qemu-arg /dev/hugepages
check_fails "nor one with a device that is not there, which is named" \
	"odd does not start: qemu.*vfio.*no such host device" \
	lab_boot odd "" --memory 128M --qemu-arg -device --qemu-arg vfio-pci,host=ffff:00:1f.7
odd "a folder of the host's" "-virtfs .*would be shared" \
	-virtfs local,path=/usr/share,mount_tag=t,security_model=none,readonly=on
if command -v qemu-storage-daemon > /dev/null; then
	qemu-storage-daemon --blockdev driver=null-co,node-name=d,size=1048576 --export \
		"vhost-user-blk,id=e,node-name=d,addr.type=unix,addr.path=$LAB_DIR/vhost.sock" &
	backend=$!
	check "a back end of vhost-user" lab_wait_for 30 "its socket" test -S "$LAB_DIR/vhost.sock"
	chmod 777 "$LAB_DIR/vhost.sock"
	odd "a disk in another process" "vhost-user-blk-pci .*in another process \(at 00:" \
		-chardev "socket,id=vu,path=$LAB_DIR/vhost.sock" -device vhost-user-blk-pci,chardev=vu
	kill "$backend"
	wait "$backend"
else
	skip "a disk in another process" "there is no qemu-storage-daemon"
fi
virtiofsd=/usr/lib/qemu/virtiofsd
if [ "$(id -u)" = 0 ] && [ -x "$virtiofsd" ]; then
	setpriv --pdeathsig KILL "$virtiofsd" --socket-path="$LAB_DIR/fs.sock" \
		-o source=/usr/share -o sandbox=chroot 2> /dev/null &
	backend=$!
	check "a back end of a file system" lab_wait_for 30 "its socket" test -S "$LAB_DIR/fs.sock"
	chmod 777 "$LAB_DIR/fs.sock"
	odd "a file system in another process" "vhost-user-fs-pci .*in another process \(at 00:" \
		-chardev "socket,id=fs,path=$LAB_DIR/fs.sock" -device vhost-user-fs-pci,chardev=fs,tag=t
	kill "$backend" 2> /dev/null	# it ends with its machine
	wait "$backend"
else
	skip "a file system in another process" "not root, or no virtiofsd"
fi

# ---- swap on a disk that clones would share: this one boots, and swaps
kill_all	# the nested lab has no room for two
truncate -s 32M "$LAB_DIR/swap.img"
chmod 666 "$LAB_DIR/swap.img"
lab_run swapper --memory "${LAB_MEMORY:-256M}" --qemu-arg -blockdev --qemu-arg \
	"driver=file,filename=$LAB_DIR/swap.img,node-name=swap" \
	--qemu-arg -device --qemu-arg virtio-blk-pci,drive=swap,serial=swap || bail_out "the guest does not boot"
check "it swaps there" lab_exec swapper \
	'for d in /sys/block/vd*; do [ "$(cat $d/serial)" != swap ] || { mkswap /dev/${d##*/} && swapon /dev/${d##*/}; }; done
	grep -q /dev/vd /proc/swaps'
check_fails "it is not forked, and the disk is named" "swapper: cannot be forked: swap is a disk without overlay: swap" \
	vmforkctl fork swapper
check_fails "nor by itself" "no ticket: this machine has what cannot be forked" \
	lab_exec swapper "vmfork -- true"
check "the log names it then" daemon_log_says "swapper: no ticket: it cannot be forked: swap is a disk"
check_fails "nor kept by itself" "cannot be forked" lab_exec swapper "vmfork --checkpoint no"
check "vmforkctl ps --json, too" json '.vms[] | select(.name == "swapper") | .unforkable | test("^swap is a disk")' ps
check "it lives" lab_exec swapper true
done_testing
