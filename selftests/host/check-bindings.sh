#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libvmfork from Python, and forks from the shell: the examples, run in a guest that has Python.
LAB_GUEST=${LAB_GUEST:-$(cd "$(dirname "$0")/../.." && pwd)/build/lab-services}
. "$(dirname "$0")/e2e.sh"

run=/usr/lib/vmfork
python="LIBVMFORK=$run/lib/libvmfork.so.0 PYTHONPATH=$run/python python3 -B"

says() { # COMMAND: what it prints
	lab_exec web "$1" | tr -d '\r'
}

lab_start
lab_run web --memory "$E2E_MEMORY" || bail_out "the guest does not boot"
is "Python: primes by 3 clones" "$(says "$python $run/examples/primes.py 3 5000")" \
	"669 primes below 5000, by 3 clones, random numbers differ"
guest_tap -t 300 web "$python $run/python/test_vmfork.py"
total=$(says "find /usr/bin -type f -printf '%i %s\n' | awk '{ s += \$2 } END { print s }'")
is "shell: sizes by 3 clones" "$(says "$run/examples/share.sh 3 /usr/bin")" \
	"$total bytes, by 3 clones"
check "no clone is left" only_vms_soon web
done_testing
