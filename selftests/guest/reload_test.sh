#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Unload and load the module: reload_test.sh MODULE.KO PROGRAM
#   PROGRAM: a test that is run before and after (uapi_test)
module=$1
program=$2
n=0
failed=0

result() { # result STATUS WHAT
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}

echo "TAP version 13"
echo "1..9"
"$program" > /dev/null
result $? "the module works"
exec 3<> /dev/vmfork
! rmmod vmfork 2> /dev/null
result $? "it stays while the device is open"
exec 3>&-
rmmod vmfork
result $? "it goes once the device is closed"
[ ! -e /dev/vmfork ] && [ ! -e /sys/class/misc/vmfork ]
result $? "the device is gone with it"
insmod "$module" free_set=0
result $? "it loads again, without the free set"
[ "$(cat /sys/module/vmfork/parameters/free_set)" = N ] &&
	echo 1 > /sys/module/vmfork/parameters/free_set &&
	[ "$(cat /sys/module/vmfork/parameters/free_set)" = Y ]
result $? "free_set can be set at run time"
"$program" > /dev/null
result $? "it works as before"
i=0
while [ $i -lt 5 ] && rmmod vmfork && insmod "$module"; do
	i=$((i + 1))
done
[ $i = 5 ]
result $? "five times more"
"$program" > /dev/null
result $? "and works"
exit $failed
