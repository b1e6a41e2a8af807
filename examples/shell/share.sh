#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sum up the sizes of a directory's files with clones of this machine, each with its share.
#
#	share.sh [CLONES [DIRECTORY]]
set -eu
clones=${1:-3}
dir=${2:-/usr/bin}

# In each clone VMFORK_ID is 1..VMFORK_CLONES; what it prints comes back to the parent.
# shellcheck disable=SC2016
vmfork -n "$clones" --no-label -- sh -c '
	find "$1" -type f -printf "%i %s\n" |
		awk -v n="$VMFORK_CLONES" -v me="$VMFORK_ID" "\$1 % n == me - 1 { sum += \$2 } END { print sum + 0 }"
' share "$dir" | awk '{ sum += $1; n++ } END { printf "%d bytes, by %d clones\n", sum, n }'
