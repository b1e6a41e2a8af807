#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory that comes and goes around a fork: a balloon, and blocks that go offline and online.
# With the checker: an avoided page is full of poison, which nobody may see.
. "$(dirname "$0")/e2e.sh"

MIB=32	# of memory that a process holds all the time
pages=$((MIB * 256))
size=${LAB_MEMORY:-768M}	# of which 384 are not movable
size=${size%M}

lodger_is_well() { # VM
	is "$1: what a process holds is as it was" \
		"$(lab_exec "$1" "echo check > /tmp/lodger/in; cat /tmp/lodger/out" | tr -d '\r')" "$pages 0"
}

clone() { # VM: forks it from the host; the clone's name
	vmforkctl fork "$1" -n 1 > /dev/null && vmforkctl ps -q | grep "^$1\\." | tail -n 1
}

in_use() { # VM: allocates, writes, moves and gives back much of its memory
	guest_tap "$1" "vmfork-e2e pressure 32 4 2"
	guest_tap "$1" "vmfork-e2e poison /root /root/data 16 2"
	lodger_is_well "$1"
}

# ---- the balloon: its monitor is the machine's own, and the path that of the youngest
balloon_in='' balloon_out='' balloons=()
balloon_open() { # of the machine that was made last
	local pipe=$LAB_DIR/balloon/pipe${#balloons[@]}
	mkfifo "$pipe.in" "$pipe.out"
	"$LAB_TOP/selftests/host/balloon.py" "$LAB_DIR/balloon/qmp.sock" < "$pipe.in" > "$pipe.out" &
	balloons+=($!)
	exec {balloon_in}> "$pipe.in" {balloon_out}< "$pipe.out"
}

balloon_to() { # WHAT VM MIB [IN OUT]
	local to=${4:-$balloon_in} from=${5:-$balloon_out} now=''
	echo "$3" >&"$to"
	read -r -t "$LAB_PATIENCE" now <&"$from"
	is "$1: $2 has $3 MiB" "$now" "$3"
}

memory_total() { # VM: MiB that its kernel says it has
	lab_exec "$1" "sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo" | tr -d '\r' | awk '{ print int($1 / 1024) }'
}

lab_start --poison-avoided
mkdir -m 1777 "$LAB_DIR/balloon"
lab_boot web "vmfork.shell movablecore=$((size - 384))M" --memory "${size}M" --cpus 2 \
	--qemu-arg -device --qemu-arg virtio-balloon-pci \
	--qemu-arg -qmp --qemu-arg "unix:$LAB_DIR/balloon/qmp.sock,server=on,wait=off" &&
	lab_await_shell web || bail_out "the guest does not boot"
lab_exec web "vmfork-e2e file /root/data 16"
lab_exec web "vmfork-e2e lodger /tmp/lodger $MIB > /tmp/lodger.log 2>&1 &"
check "a lodger fills $MIB MiB" lab_wait_for 60 "lodger" lab_exec web "[ -p /tmp/lodger/out ]"

balloon=$(lab_exec web "modprobe virtio_balloon && basename /sys/bus/virtio/drivers/virtio_balloon/virtio*" | tr -d '\r')
if [[ $balloon != virtio[0-9]* ]]; then
	skip "a balloon" "this guest's kernel has no virtio_balloon"
elif lab_exec web "dmesg | grep -q \"\$(basename \$(readlink -f /sys/bus/virtio/devices/$balloon/..)): PCI INT .: no GSI\""; then
	skip "a balloon" "its device has no interrupt in this guest, so it is not told what to do"
else
	whole=$(memory_total web)
	less=$((size - size / 4)) least=$((size / 2))
	balloon_open
	root_in=$balloon_in root_out=$balloon_out
	balloon_to "inflated before a fork" web "$less"
	given=$((whole - $(memory_total web)))
	check "its kernel has given $((size / 4)) MiB away ($given)" test "$given" -ge $((size / 4 - 8))
	vm=$(clone web)
	check "a machine with a balloon is forked" test -n "$vm"
	lodger_is_well "$vm"
	balloon_open
	balloon_to "deflated in a clone" "$vm" "$size" && in_use "$vm"
	balloon_to "inflated in a clone" "$vm" "$least"
	balloon_to "deflated in the parent meanwhile" web "$size" "$root_in" "$root_out"
	lodger_is_well web
	vm2=$(clone "$vm")
	check "the clone is forked with its balloon inflated" test -n "$vm2"
	balloon_open
	balloon_to "deflated in its clone" "$vm2" "$size" && in_use "$vm2"
	lodger_is_well "$vm"
	# the parent moves its balloon while it is forked
	echo "$less" >&"$root_in"
	for _ in 1 2 3; do
		check "a fork while the balloon moves" vmforkctl fork web -n 1
	done
	read -r -t "$LAB_PATIENCE" _ <&"$root_out"
	for vm in $(vmforkctl ps -q | grep '^web\.'); do
		lodger_is_well "$vm"
		vmforkctl kill "$vm" > /dev/null
	done
	balloon_to "deflated in the parent at the end" web "$size" "$root_in" "$root_out"
	in_use web
	kill "${balloons[@]}" 2> /dev/null
fi
check "no clone is left" only_vms_soon web

# ---- blocks of memory: those of a movable zone can go offline, but for the last, where firmware's tables are
blocks() { # VM STATE: numbers of the blocks that can go and are in it
	lab_exec "$1" "cd /sys/devices/system/memory && for b in memory*; do
		grep -q Movable \$b/valid_zones && grep -qx $2 \$b/state && echo \${b#memory}; done; true" |
		tr -d '\r' | sort -n | sed '$d'
}

set_block() { # VM BLOCK STATE: what is busy is tried again
	lab_exec "$1" "for i in 1 2 3 4 5 6 7 8; do
		echo $3 > /sys/devices/system/memory/memory$2/state && exit; sleep 1; done; exit 1"
}

# What a kernel took early may be in some of them: a debug kernel takes a lot.
block='' stuck=' '
for one in $(blocks web online | sort -rn); do
	if set_block web "$one" offline; then
		block=$one
		break
	fi
	diag "block $one cannot go offline in this guest"
	stuck+="$one "
done
if [ -n "$block" ]; then
	ok "block $block goes offline before a fork"
	vm=$(clone web)
	check "a machine is forked with a block offline" test -n "$vm"
	check "the block comes online in the clone" set_block "$vm" "$block" online_movable
	in_use "$vm"
	for other in $(blocks "$vm" online); do
		[[ $stuck != *" $other "* ]] || continue
		check "block $other, in use, goes offline in the clone" set_block "$vm" "$other" offline
		lodger_is_well "$vm"
		check "it comes online again" set_block "$vm" "$other" online_movable
	done
	in_use "$vm"
	vm2=$(clone "$vm")
	check "a clone of the clone" test -n "$vm2"
	in_use "$vm2"
	check "the block comes online in the parent" set_block web "$block" online_movable
	in_use web
	for vm in $(vmforkctl ps -q | grep '^web\.'); do
		vmforkctl kill "$vm" > /dev/null
	done
else
	skip "blocks of memory" "none of this guest's can go offline"
fi

for vm in $(vmforkctl ps -q); do
	check "$vm: its kernel has nothing to say" lab_exec "$vm" \
		"! dmesg | grep -aE 'BUG|WARNING|Oops|orrupt|[Bb]ad page|general protection'"
done
done_testing
