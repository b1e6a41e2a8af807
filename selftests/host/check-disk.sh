#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks: those of parent and clones diverge, and the base image is never written.
. "$(dirname "$0")/e2e.sh"

fork_from_host() { # sets names
	names=$(json '.vms[].name' fork web -n 2)
}

base_sum() { # E2E_BASE_BYTES: of a part of it, where the whole takes too long
	dd if="$LAB_DISK" bs=1M iflag=count_bytes count="${E2E_BASE_BYTES:-2G}" status=none | sha256sum
}

# shellcheck disable=SC2016	# the guest expands it
# Each writes files, syncs them, and names them by their contents: what has a name is whole, and there is always one.
LOAD='mkdir -p $0; cd $0; i=0; touch /tmp/loading.$$; while [ -e /tmp/load ]; do
	i=$((i + 1)); dd if=/dev/urandom of=new bs=32k count=$((i % 16 + 1)) conv=fsync 2> /dev/null
	last=sum.$(cksum < new | tr " " .); mv new "$last"; [ $((i % 16)) != 0 ] ||
		for f in sum.*; do [ "$f" = "$last" ] || rm -f "$f"; done
done; rm /tmp/loading.$$'

# shellcheck disable=SC2016
load_is_whole() { # VM
	lab_exec "$1" 'rm /tmp/load; until [ "$(echo /tmp/loading.*)" = "/tmp/loading.*" ]; do sleep 0.1; done
		sync; echo 3 > /proc/sys/vm/drop_caches
		n=0
		for f in /var/tmp/load*/sum.*; do
			[ "${f#*/sum.}" = "$(cksum < "$f" | tr " " .)" ] || { echo "$f is broken"; exit 1; }
			n=$((n + 1))
		done
		echo "$n files"; [ "$n" -gt 0 ] && ! dmesg | grep -iE "ext4.*error|I/O error"'
}

lab_start
before=$(base_sum)
second=/dev/vdb
! on_xen || second=/dev/xvdb
lab_run web --memory "$E2E_MEMORY" --disk "$LAB_DISK,format=$LAB_DISK_FORMAT" || bail_out "the guest does not boot"
guest_tap -t 300 web "vmfork-e2e disk 3 8"
guest_tap -t 300 web "vmfork-e2e disk 1 $E2E_MIB"

# a file per machine by the console, and what was there before the fork
check "a file before the fork" lab_exec web "echo before > /var/tmp/same; sync"
check "the same image as a second disk: another one" lab_exec web "mount -t ext4 $second /mnt &&
	echo before > /mnt/second && umount /mnt && [ ! -e /second ]"
fork_from_host
for vm in web $names; do
	check "$vm writes" lab_exec "$vm" \
		"echo $vm >> /var/tmp/same; touch /var/tmp/of-$vm; sync; echo 3 > /proc/sys/vm/drop_caches"
done
for vm in web $names; do
	is "$vm reads its own" "$(lab_exec "$vm" "cat /var/tmp/same; ls /var/tmp | grep of-")" \
		"before"$'\n'"$vm"$'\n'"of-$vm"
done
for vm in web $names; do
	check "$vm: its second disk, too" lab_exec "$vm" "mount -t ext4 $second /mnt && grep -x before /mnt/second &&
		echo $vm >> /mnt/second && umount /mnt && mount -t ext4 $second /mnt && cat /mnt/second &&
		[ \"\$(tail -n +2 /mnt/second)\" = $vm ] && umount /mnt"
done
for vm in web $names; do
	check "$vm: no error in its file system" lab_exec "$vm" \
		'! dmesg | grep -iE "ext4.*error|I/O error"'
done

# forks in the middle of reading and writing
for vm in $names; do
	check "$vm ends" vmforkctl kill "$vm"
done
check "three processes write and sync" lab_exec web "touch /tmp/load
	for n in 1 2 3; do sh -c '$LOAD' /var/tmp/load\$n > /dev/null 2>&1 & done; sleep 3"
fork_from_host
for vm in web $names; do
	check "$vm: what was written under load is whole" load_is_whole "$vm"
done

# A layer for each fork, and merged as they become many: below 64 always, below 24 when it rests.
# E2E_FORKS=300: more than the 256 that a chain may have.
forks=${E2E_FORKS:-80}
layers() { # VM
	lab_vm "$1" disk_layers
}
few_layers() { # VM
	(($(layers "$1") < 24))
}
check "a file before many forks" lab_exec web "dd if=/dev/urandom of=/var/tmp/kept bs=64k count=16 2> /dev/null
	sync; cksum < /var/tmp/kept > /tmp/kept.sum"
check "a checkpoint" vmforkctl checkpoint web old
for ((i = 0; i < 3; i++)); do
	vmforkctl kill "$(json '.vms[0].name' fork web)" > /dev/null
done
older=$(json '.vms[0].name' clone old)
guest_tap -t 480 web "vmfork-e2e forks $forks"
check "after $forks forks its disk has no more than 66 layers" test "$(layers web)" -le 66
check "left alone it soon has fewer than 24" lab_wait_for 60 "fewer layers" few_layers web
fork_from_host
for vm in web $names; do
	check "$vm: the file is whole" lab_exec "$vm" \
		'echo 3 > /proc/sys/vm/drop_caches; cksum < /var/tmp/kept | cmp - /tmp/kept.sum'
	check "$vm: no error in its file system after all" lab_exec "$vm" \
		'! dmesg | grep -iE "ext4.*error|I/O error"'
done
# a clone of an older checkpoint, whose layers had others on them when it began
guest_tap -t 480 "$older" "vmfork-e2e forks $forks"
check "after $forks forks of its own it has no more than 66 layers" test "$(layers "$older")" -le 66
check "left alone it soon has fewer than 24" lab_wait_for 60 "fewer layers" few_layers "$older"
check "the file is whole there" lab_exec "$older" \
	'echo 3 > /proc/sys/vm/drop_caches; cksum < /var/tmp/kept | cmp - /tmp/kept.sum; vmfork -- true'
check "vmforkd restarts" kill_control
check "the disk of a VM that was merged outlives that" lab_exec web \
	'echo 3 > /proc/sys/vm/drop_caches; cksum < /var/tmp/kept | cmp - /tmp/kept.sum; vmfork -- true'
# As many disks as there may be, and a layer of each for each fork: a clone's QEMU is told of some 170, one command each.
eight_disks() {
	local n disks=()
	for n in 1 2 3 4 5 6 7; do
		truncate -s 16M "$LAB_DIR/empty$n"
		disks+=(--disk "$LAB_DIR/empty$n,format=raw")
	done
	lab_run many --memory "$E2E_MEMORY" "${disks[@]}" || bail_out "the guest does not boot"
	guest_tap -t 480 many "vmfork-e2e forks 20"
	check "after 20 forks each has more than 16 layers" test "$(layers many)" -gt 16
	names=$(json '.vms[].name' fork many)
	check "a clone has them all" lab_exec "$names" 'n=0; for d in /dev/vd[a-h]; do
		dd if=$d of=/dev/null bs=4k count=1 2> /dev/null && n=$((n + 1)); done; [ $n = 8 ]'
}
on_xen || eight_disks
is "the base image is unchanged" "$(base_sum)" "$before"
done_testing
