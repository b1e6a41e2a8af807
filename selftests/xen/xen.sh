# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the Xen suites share, on top of the end-to-end library. Their guest has no disk: it boots faster.
# shellcheck disable=SC2034
LAB_GUEST=${VMFORK_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build}/xen/guest
# shellcheck source=selftests/host/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../host/e2e.sh"

domains_are() { # N, dom0 not counted
	[ "$(xl list | wc -l)" = $(($1 + 2)) ]
}

domains_soon() { # N
	lab_wait_for 60 "$1 domains" domains_are "$1" || {
		xl list
		return 1
	}
}

no_domain_no_device() {
	domains_soon 0 && ! xenstore-ls /local/domain/0/backend/vmfork 2> /dev/null | grep .
}
