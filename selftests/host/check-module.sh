#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module's own tests in a guest: a rejection per flag and reserved field of the uapi, forks and
# checkpoints through the raw ioctls, the device unbound below open files, the module reloaded.
. "$(dirname "$0")/e2e.sh"

lab_start
lab_run module --memory "${LAB_MEMORY:-384M}" --cpus 2 || bail_out "the guest does not boot"
if [ "$(lab_vm module accel)" = tcg ]; then
	check_fails "an emulated CPU has no cmpxchg16b, which QEMU 7.2 gets wrong" "^0" \
		lab_exec module "grep -cw cx16 /proc/cpuinfo"
fi
guest_tap module uapi_test
set_clock module
guest_tap -t 300 module "fork_test 2"
set_clock module
guest_tap -t 300 module "checkpoint_test 5"
guest_tap -t 300 module kill_test
check "no clone is left" only_vms_soon module
guest_tap -t 300 module unbind_test
guest_tap -t 300 module "reload_test.sh /usr/lib/vmfork/vmfork.ko uapi_test"
check "vmfork --sync, whoever syncs" lab_exec module "vmfork --sync -n 2 -- true"
check "its kernel has nothing to complain of" lab_exec module \
	'! dmesg | grep -E "BUG:|WARNING:|scheduling while atomic|Call Trace"'
check "the guest is unharmed" lab_exec module "vmfork -n 2 -- true"
done_testing
