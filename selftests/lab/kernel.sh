# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The guest's kernel: Debian's own image and the modules that image/modules lists.

# choose_kernel SERIES: sets KREL, the release to boot, and KDIR, what modules are built against
choose_kernel() {
	case $1 in
	6.1) choose_installed ;;
	6.12) choose_backport ;;
	*) die "KERNEL=$1: 6.1 and 6.12 are known" ;;
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
	KREL=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' "$KDIR/include/generated/utsrelease.h")
}

# apt-get with lists of its own, for a suite that this machine does not follow
backports_apt() {
	local dir=$CACHE/apt-backports tool=$1
	shift
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-backports main" \
		> "$dir/sources.list"
	"$tool" -q -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir" -o APT::Sandbox::User=root \
		-o Dir::State::status=/dev/null -o Debug::NoLocking=1 "$@"
}

choose_backport() {
	local dir=$CACHE/apt-backports
	if [ -z "$(find "$dir/release" -mtime -7 2> /dev/null)" ]; then
		say "looking for the 6.12 kernel in bookworm-backports"
		backports_apt apt-get update > /dev/null || die "cannot reach $mirror"
		backports_apt apt-cache depends linux-image-amd64 |
			sed -n 's/.*Depends: linux-image-\(6\.12\..*\)/\1/p' | head -n 1 > "$dir/release"
	fi
	KREL=$(cat "$dir/release")
	[ -n "$KREL" ] || die "bookworm-backports has no 6.12 kernel"
	cached headers "kernel headers $KREL" "headers-$KREL" 1 make_headers
	KDIR=$headers/usr/src/linux-headers-$KREL
}

fetch_package() { # PACKAGE: its .deb into the current directory
	case $KREL in
	6.12.*) backports_apt apt-get download "$1" ;;
	*) apt-get -q -o APT::Sandbox::User=root download "$1" ;;
	esac
}

# Headers for building against, in the cache; Debian's own refer to /usr by absolute paths.
make_headers() { # DIR
	local deb version=${KREL%-*} package
	cd "$1"
	for package in "linux-headers-$KREL" "linux-headers-$version-common" linux-kbuild-6.12; do
		fetch_package "$package" || fetch_package "linux-kbuild-$version"
	done
	for deb in *.deb; do
		dpkg -x "$deb" .
		rm "$deb"
	done
	grep -rlI --include=Makefile --include=Kbuild '/usr/\(src\|lib\)/linux' usr/src |
		xargs -r sed -i "s|/usr/\(src\|lib\)/linux|$CACHE/headers-$KREL-1&|"
}

# kernel_id: what tells this kernel from another of the same release
kernel_id() {
	if [ -r "/boot/vmlinuz-$KREL" ] && [ -d "/lib/modules/$KREL/kernel" ]; then
		sha256sum < "/boot/vmlinuz-$KREL"
	else
		echo "package $KREL"
	fi
}

make_kernel() { # DIR: vmlinuz, vmlinux, lib/modules/RELEASE, initramfs.list
	local from=/ module kind name
	cd "$1"
	if [ "$(kernel_id)" = "package $KREL" ]; then
		fetch_package "linux-image-$KREL" || fetch_package "linux-image-$KREL-unsigned"
		mkdir package
		dpkg -x linux-image-*.deb package
		rm linux-image-*.deb
		from=$PWD/package
		depmod -b "$from" "$KREL"
	fi
	cp "$from/boot/vmlinuz-$KREL" vmlinuz
	chmod 644 vmlinuz
	extract_vmlinux vmlinuz > vmlinux
	while read -r kind name; do
		[ "$kind" = initramfs ] || [ "$kind" = disk ] || continue
		if ! modprobe -d "$from" -S "$KREL" --show-depends "$name" > depends; then
			[ "$kind" = disk ] && continue
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
extract_vmlinux() { # VMLINUZ
	local at
	for at in $(grep -aboP '\xfd7zXZ\x00' "$1" | cut -d: -f1); do
		tail -c "+$((at + 1))" "$1" | xz -dc --single-stream 2> /dev/null && return
	done
	for at in $(grep -aboP '\x28\xb5\x2f\xfd' "$1" | cut -d: -f1); do
		tail -c "+$((at + 1))" "$1" | zstd -dc 2> /dev/null && return
	done
	return 1
}

take_module() { # FROM PATH KIND: copies it, unpacked; lists it for the initramfs
	local to=${2%.xz}
	mkdir -p "${to%/*}"
	if [ "$to" != "$2" ]; then
		xz -dc "$1/$2" > "$to"
	else
		cp "$1/$2" "$to"
	fi
	if [ "$3" = initramfs ] && ! grep -qsxF "$to" initramfs.list; then
		echo "$to" >> initramfs.list
	fi
}
