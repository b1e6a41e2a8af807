#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The host: Xen's tools answer, and the hypervisor has our patch. The other suites build on it.
# shellcheck disable=SC2034	# lab.sh uses it
. "$(dirname "$0")/../lab/lab.sh"

check "Xen's tools answer" xl list
exec_tap() {
	local line
	while IFS= read -r line; do
		case $line in
		"ok "*) ok "${line#ok * - }" ;;
		"not ok "*) not_ok "${line#not ok * - }" ;;
		"1.."*) ;;
		*) diag "${line#\# }" ;;
		esac
	done < <("$@" 2>&1)
}
exec_tap "$LAB_BUILD/bin/vmfork-xen-mark-test"
check "no domain is left" test "$(xl list | wc -l)" = 2
done_testing
