# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Builders for cached(): Xen's source as Debian has it, and the hypervisor with our patches. Nothing of
# this machine's own package lists is touched.

XEN_SUITE=${XEN_SUITE:-bookworm}
: "${top:?}"
xen_patches=$top/hypervisor/xen/patches

fetch_xen_source() { # DIR MIRROR SUITE: src/, with Debian's patches applied
	local apt=$1/apt
	mkdir -p "$apt"/lists/partial "$apt"/archives/partial
	echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $2 $3 main" > "$apt/sources.list"
	set -- "$1" -q -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt" -o "Dir::Cache::Archives=$apt/archives" \
		-o APT::Sandbox::User=root
	cd "$1" || return
	apt-get "${@:2}" update
	apt-get "${@:2}" --download-only source xen
	dpkg-source --no-check -x xen_*.dsc src
	rm -rf apt xen_*
}

make_hypervisor() { # DIR SOURCE: xen, an uncompressed hypervisor (QEMU loads it by multiboot)
	local tree=$1/tree patch
	cp -a "$2/src" "$tree"
	while read -r patch; do
		patch -d "$tree" -p1 --no-backup-if-mismatch < "$xen_patches/$patch"
	done < "$xen_patches/series"
	cp "$xen_patches/config" "$tree/xen/.config"
	nice -n 5 make -C "$tree/xen" olddefconfig
	nice -n 5 make -C "$tree/xen" -j"$(nproc)" XEN_BUILD_DATE=1970-01-01
	cp "$tree/xen/xen" "$tree/xen/.config" "$1/"
	rm -rf "$tree"
}

make_plain_hypervisor() { # DIR SOURCE: the same without our patches
	mkdir "$1/none"
	: > "$1/none/series"
	cp "$xen_patches/config" "$1/none/"
	xen_patches=$1/none make_hypervisor "$@"
}
