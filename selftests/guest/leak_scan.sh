#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Has the module lost memory? Prints kmemleak's records of allocations that it made; fails if there
# are any. What the kernel itself has lost is counted only.
f=/sys/kernel/debug/kmemleak
mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
[ -e $f ] || { echo "no kmemleak in this kernel"; exit 1; }
# The youngest objects are not looked at; an object is lost if two scans saw it so, unchanged.
sleep 6
echo scan > $f && echo scan > $f || exit 1
awk '
function judge() {
	if (record ~ /\[vmfork\]/) {
		print record
		ours++
	} else if (record)
		others++
}
/^unreferenced object/ { judge(); record = "" }
{ record = record $0 "\n" }
END {
	judge()
	print "others: " others + 0
	exit ours > 0
}' $f
