#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A clone's doorbell, rung before the clone runs and while it is stopped, is neither lost nor doubled;
# and the control: vectors that QEMU gets before the device's state are dead under KVM.
#
# TCG has no irqfds: there the control hears everything.
. "$(dirname "$0")/../host/e2e.sh"
export LAB_VMFORKD=bells-vmforkd

bells() { # WHEN WHAT RUNG HEARD: in each of two clones
	diag "$2"
	printf '%s' "$1" > "$VMFORK_BELLS"
	guest_tap web "vmfork-e2e doorbell 2 20 $3 $4"
}

lab_setup
export VMFORK_BELLS=$LAB_DIR/bells
: > "$VMFORK_BELLS"
lab_start
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"
heard=1
[ "$(lab_vm web accel)" != kvm ] || heard=0
bells '' "the usual order" 0 1
bells before "rung before QEMU has the vectors" 1 1
bells stopped "rung while it is stopped" 1 1
bells early "control: vectors before the device's state, under $(lab_vm web accel)" 0 "$heard"
bells '' "the usual order again" 0 1
check "the guest ends" vmforkctl kill web
done_testing
