#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the debug kernel of the tests from Debian's linux-source-6.1, into the cache.
#
#   debug-kernel.sh     the last lines printed: the folder that holds boot/ and lib/modules/, and
#                       the folder for `make modules KDIR=`, as fetch-headers.sh --image prints them
#
# It takes some 15 minutes of two idle processors, once: the outcome is kept by what goes into it.
# Everything that a guest of the lab needs is built in (debug-kernel.config), so there are no modules
# but ours. Environment: VMFORK_CACHE; DEBUG_JOBS: how many compilers (2).
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cache.sh"

source=/usr/src/linux-source-6.1.tar.xz
config=$here/debug-kernel.config
[ -r "$source" ] || die "no $source: install linux-source-6.1 (packages/debug)"

check_config() { # FILE: every line that was wished for is in it
	local wish missing=0
	while read -r wish; do
		grep -qxF "$wish" "$1" && continue
		echo "not in the outcome: $wish"
		missing=1
	done < <(grep '^CONFIG_' "$config")
	return "$missing"
}

# What building a module takes is left, in place: no file in it knows where it lies.
prune() { # TREE
	find "$1" -path "$1/scripts" -prune -o -path "$1/tools/objtool" -prune -o -type f \
		\( -name '*.[coSa]' -o -name '*.cmd' -o -name '*.dts*' -o -name '*.rst' \) -print0 |
		xargs -0 rm -f
	# shellcheck disable=SC2115	# the first in the list is sound
	rm -rf "$1"/{sound,samples,fs,drivers,net,kernel,mm,lib,vmlinux,vmlinux.o,.tmp_*}
}

build() { # DIR: boot/, lib/modules/, src/
	local tree=$1/src release
	mkdir -p "$tree" "$1/boot"
	tar -x -f "$source" -C "$tree" --strip-components=1
	make -C "$tree" allnoconfig KCONFIG_ALLCONFIG="$config"
	check_config "$tree/.config"
	nice make -C "$tree" -j"${DEBUG_JOBS:-2}" KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=lab \
		KBUILD_BUILD_HOST=lab bzImage modules
	release=$(make -s -C "$tree" kernelrelease)
	make -C "$tree" modules_install INSTALL_MOD_PATH="$1"
	rm -f "$1/lib/modules/$release"/{build,source}
	cp "$tree/arch/x86/boot/bzImage" "$1/boot/vmlinuz-$release"
	cp "$tree/System.map" "$1/boot/System.map-$release"
	prune "$tree"
}

made=''
cached made "debug kernel (15 minutes and more)" kernel-debug \
	"$(hash_of "$config" "$(stat -c '%s %Y' "$source")" "$(gcc --version | head -n 1)" \
	"$(declare -f build prune)")" build
echo "$made"
echo "$made/src"
