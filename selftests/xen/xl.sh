# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The baseline of the benchmarks on Xen: machines like those of vmfork, by xl; and figures.
# shellcheck source=selftests/xen/xen.sh
. "$(dirname "${BASH_SOURCE[0]}")/xen.sh"
files=''

xl_begin() { # instead of lab_start
	exec 3>&1
	lab_start
	files=$(mktemp -d "$LAB_DIR/xl.XXXXXX")
}

figure() { # WAY CLONES WHAT VALUE: not into the output that check() keeps
	diag "FIGURE $*" >&3
}

ms_since() { # NANOSECONDS
	echo $((($(date +%s%N) - $1) / 1000000))
}

pause_ms() { # of the last fork
	sed -n 's/.*forked, stood still for \([0-9.]*\) ms.*/\1/p' "$LAB_DIR/vmforkd.log" | tail -n 1
}

xl_config() { # NAME MiB
	cat > "$files/$1.cfg" << END
name = "$1"
type = "pvh"
kernel = "$LAB_KERNEL"
ramdisk = "$LAB_INITRD"
cmdline = "$LAB_APPEND vmfork.shell"
memory = $2
vcpus = 1
tsc_mode = "native"
on_crash = "destroy"
END
}

xl_tty() { # DOMAIN
	xenstore-read "/local/domain/$(xl domid "$1")/console/tty"
}

xl_start() { # MiB: a machine "bench" like that of vmfork; waits for its shell
	local reader status=0
	xl_config bench "$1"
	xl create -e -q "$files/bench.cfg" || return
	cat "$(xl_tty bench)" > "$files/console" 2>&1 &
	reader=$!
	lab_wait_for 120 "xl's machine is up" grep -qa VMFORK-READY "$files/console" || status=1
	kill "$reader"
	wait "$reader" 2> /dev/null
	return "$status"
}

xl_exec() { # DOMAIN COMMAND: by its console, as lab_exec does it
	vmfork-guest-exec -t "$LAB_PATIENCE" "$(xl_tty "$1")" "$2"
}

# Fast: a process that is started in the lab's dom0 takes as long as what is measured.
xl_ttys() { # NAME: those of all domains whose names begin so
	local path value name='' ttys=()
	while IFS='= ' read -r path value; do
		case $path in
		*/name) name=$value ;;
		*/console/tty) [[ $name != "\"$1"* ]] || ttys+=("${value//\"/}") ;;
		esac
	done < <(xenstore-ls -f /local/domain)
	echo "${ttys[@]}"
}
