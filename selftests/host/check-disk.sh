#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks: those of parent and clones diverge, and the base image is never written.
. "$(dirname "$0")/e2e.sh"

fork_from_host() { # sets names
	names=$(json '.vms[].name' fork web -n 2)
}

lab_start
before=$(sha256sum < "$LAB_DISK")
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"
guest_tap -t 300 web "vmfork-e2e disk 3 8"
guest_tap -t 300 web "vmfork-e2e disk 1 64"

# a file per machine by the console, and what was there before the fork
check "a file before the fork" lab_exec web "echo before > /var/tmp/same; sync"
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
	check "$vm: no error in its file system" lab_exec "$vm" \
		'! dmesg | grep -iE "ext4.*error|I/O error"'
done
is "the base image is unchanged" "$(sha256sum < "$LAB_DISK")" "$before"
done_testing
