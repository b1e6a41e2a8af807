#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module's half of a clone's identity: the gate and its agent, the generation page, secrets,
# parameters, lineage.
. "$(dirname "$0")/e2e.sh"

lab_start
lab_run ident --memory "${LAB_MEMORY:-384M}" --cpus 2 || bail_out "the guest does not boot"
guest_tap -t 400 ident agent_test
check "no clone is left" only_vms_soon ident
check "the guest is unharmed" lab_exec ident "vmfork -n 2 -- true"
done_testing
