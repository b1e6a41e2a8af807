#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A QEMU that is new enough to emulate a machine with guests of its own (the nested labs).
#
#   newer-qemu.sh     prints the path of the system's QEMU, or of a wrapper of one in the cache
#
# QEMU's TCG before 8.1 translates code that another CPU is writing at that moment, and keeps the old
# translation ("accel/tcg: Always lock pages before translation"): kernels with two CPUs, which patch
# their own code, die of it. Debian 12 has 7.2, so Debian 13's is unpacked, not installed, with the
# libraries that it needs and their own loader. LAB_QEMU=PROGRAM: take that one and don't look.
set -eu
export LC_ALL=C
. "$(dirname "$0")/cache.sh"
needs=8.1
suite=trixie
mirror=${VMFORK_MIRROR:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

version_of() { # QEMU
	"$1" --version 2> /dev/null | sed -n '1s/.*version \([0-9.]*\).*/\1/p'
}

new_enough() { # QEMU
	local version
	version=$(version_of "$1")
	[ -n "$version" ] && printf '%s\n' "$needs" "$version" | sort -CV
}

make_qemu() { # DIR SUITE MIRROR: root/, with what a headless x86 machine takes, and run
	mmdebstrap --variant=extract --include=qemu-system-x86 "$2" "$1/root.tar" \
		"deb [signed-by=$keyring] $3 $2 main"
	mkdir "$1/root"
	tar -x -f "$1/root.tar" -C "$1/root" --no-same-owner ./usr/bin/qemu-system-x86_64 \
		./usr/lib/x86_64-linux-gnu ./usr/share/qemu ./usr/share/seabios
	rm "$1/root.tar"
	cat > "$1/run" <<- 'EOF'
		#!/bin/sh
		root=${0%/*}/root/usr
		libs=$root/lib/x86_64-linux-gnu
		QEMU_MODULE_DIR=$libs/qemu exec "$libs/ld-linux-x86-64.so.2" --argv0 "$0" --library-path "$libs" \
			"$root/bin/qemu-system-x86_64" -L "$root/share/qemu" -L "$root/share/seabios" "$@"
	EOF
	chmod +x "$1/run"
	"$1/run" --version
}

if [ -n "${LAB_QEMU:-}" ]; then
	echo "$LAB_QEMU"
elif new_enough qemu-system-x86_64; then
	command -v qemu-system-x86_64
else
	qemu=
	cached qemu "QEMU of Debian's $suite for nested labs (about 60 MB over the network)" lab-qemu \
		"$(hash_of "$suite" "$mirror" "$(declare -f make_qemu)")" make_qemu "$suite" "$mirror"
	echo "$qemu/run"
fi
