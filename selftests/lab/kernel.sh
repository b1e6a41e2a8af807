# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The guest's kernel: Debian's own image and the modules that image/modules lists.
# Uses $here of the script that reads it.
: "${here:?}"

# choose_kernel SERIES: sets KREL, the release to boot, KDIR, what modules are built against, and
# KROOT, where boot/ and lib/modules/ of it are: "/" or, if it is to be downloaded, nothing
choose_kernel() {
	case $1 in
	6.1) choose_installed ;;
	6.12|rt) choose_unpacked "$1" ;;
	debug) choose_debug ;;
	*) die "KERNEL=$1: 6.1, 6.12, rt and debug are known" ;;
	esac
}

# The release whose headers are installed: the module must be built for what boots.
choose_installed() {
	local dir
	if [ -z "${KDIR:-}" ]; then
		for dir in "/lib/modules/$(uname -r)/build" /lib/modules/*/build; do
			[ -e "$dir/include/generated/utsrelease.h" ] && KDIR=$dir
			[ "$dir" = "/lib/modules/$(uname -r)/build" ] && [ -n "${KDIR:-}" ] && break
		done
	fi
	[ -n "${KDIR:-}" ] || die "no kernel headers here: install linux-headers-amd64 (make deps)"
	KREL=$(release_of "$KDIR")
	KROOT=
	if [ -r "/boot/vmlinuz-$KREL" ] && [ -d "/lib/modules/$KREL/kernel" ]; then
		KROOT=/
	fi
}

# Another series than this machine's: headers and image are unpacked in the cache.
choose_unpacked() { # SERIES
	local found
	found=$(VMFORK_CACHE=$CACHE "$here/fetch-headers.sh" --image "$1") || exit 1
	KROOT=$(tail -n 2 <<< "$found" | head -n 1)
	KDIR=$(tail -n 1 <<< "$found")
	KREL=$(release_of "$KDIR")
}

# 6.1 with the kernel's own checkers, built from source.
choose_debug() {
	local built
	built=$(VMFORK_CACHE=$CACHE "$here/debug-kernel.sh") || exit 1
	KROOT=$(tail -n 2 <<< "$built" | head -n 1)
	KDIR=$(tail -n 1 <<< "$built")
	KREL=$(release_of "$KDIR")
}

release_of() { # KDIR
	sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' "$1/include/generated/utsrelease.h"
}

# kernel_id: what tells this kernel from another of the same release
kernel_id() {
	if [ -n "$KROOT" ]; then
		sha256sum < "$KROOT/boot/vmlinuz-$KREL"
	else
		echo "package $KREL"
	fi
}

# The image's package, for a machine that has the headers but boots something else.
download_kernel() { # DIR
	local package
	mkdir "$1"
	for package in "linux-image-$KREL" "linux-image-$KREL-unsigned"; do
		if apt-get -q -o APT::Sandbox::User=root download "$package"; then
			dpkg -x "$package"_*.deb "$1"
			rm "$package"_*.deb
			return
		fi
	done
	die "apt has no linux-image-$KREL"
}

make_kernel() { # DIR: vmlinuz, vmlinux, lib/modules/RELEASE, initramfs.list
	local from=$KROOT module kind name
	cd "$1" || return
	if [ -z "$from" ]; then
		from=$PWD/package
		download_kernel "$from"
	fi
	[ "$from" = / ] || depmod -b "$from" "$KREL"
	cp "$from/boot/vmlinuz-$KREL" vmlinuz
	chmod 644 vmlinuz
	extract_vmlinux vmlinuz > vmlinux
	mkdir -p "lib/modules/$KREL"
	touch initramfs.list	# all may be built in
	while read -r kind name; do
		[ "$kind" = initramfs ] || [ "$kind" = maybe ] || [ "$kind" = disk ] || continue
		if ! modprobe -d "$from" -S "$KREL" --show-depends "$name" > depends; then
			[ "$kind" != initramfs ] && continue
			return 1
		fi
		for module in $(sed -n "s/^insmod \([^ ]*\).*/\1/p" depends); do
			take_module "$from" "lib/modules/${module#*/lib/modules/}" "$kind"
		done
	done < "$here/image/modules"
	for module in modules.builtin modules.builtin.modinfo modules.order; do
		cp "$from/lib/modules/$KREL/$module" "lib/modules/$KREL/"
	done
	depmod -b . "$KREL"
	rm -rf package depends
}

# The kernel proper: under TCG the compressed one spends five seconds on unpacking itself.
# Its boot header says where the payload is (Documentation/x86/boot.rst); the payload's last four
# bytes are its unpacked size, which gzip has as its own end.
extract_vmlinux() { # VMLINUZ
	local at length
	at=$(($(field "$1" 0x1f1 1) * 512 + 512 + $(field "$1" 0x248 4)))
	length=$(($(field "$1" 0x24c 4) - 4))
	tail -c "+$((at + 1))" "$1" | head -c "$length" > payload
	case $(od -An -tx1 -N4 payload) in
	' fd 37 7a 58') xz -dc payload ;;
	' 1f 8b 08 '*) tail -c "+$((at + 1))" "$1" | head -c "$((length + 4))" | gzip -dc ;;
	' 28 b5 2f fd') zstd -dc payload ;;
	*) die "vmlinuz is packed in an unknown way" ;;
	esac
	rm payload
}

field() { # FILE OFFSET BYTES: a little-endian number
	od -An -tu"$3" -j "$(($2))" -N "$3" "$1" | tr -d ' '
}

take_module() { # FROM PATH KIND: copies it, unpacked; lists it for the initramfs
	local to=${2%.xz}
	mkdir -p "${to%/*}"
	if [ "$to" != "$2" ]; then
		xz -dc "$1/$2" > "$to"
	else
		cp "$1/$2" "$to"
	fi
	if [ "$3" != disk ] && ! grep -qsxF "$to" initramfs.list; then
		echo "$to" >> initramfs.list
	fi
}
