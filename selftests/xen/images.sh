#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes what the Xen lab boots: the patched hypervisor, dom0 (a Debian with Xen's tools) and the guest of
# the suites. images.sh [OUT]: OUT (build/xen) gets the guest's initramfs and env, which names the rest.
# XEN_PLAIN=1: the hypervisor has none of our patches (check-slow alone is of use there).
# XEN_ONLY=guest: no hypervisor and no dom0, for a host that runs Xen itself.
set -eu
export LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd)
xen_here=$top/selftests/xen
here=$top/selftests/lab
. "$here/cache.sh"
. "$here/kernel.sh"
. "$here/image.sh"
. "$xen_here/hypervisor.sh"
out=${1:-$top/build/xen}
mirror=${VMFORK_MIRROR:-http://deb.debian.org/debian}
packages=kmod,iproute2,procps,passwd,python3,jq,xen-utils-4.17,xenstore-utils,libjansson4,libnl-3-200,libnl-route-3-200,libnftables1,libcap2,libzstd1,libsystemd0,qemu-system-xen,seabios,nftables,dnsmasq-base,libcap2-bin
disk_size=2G

make_dom0_kernel() { # DIR: vmlinux and modules of dom0
	# shellcheck disable=SC2034
	local here=$xen_here
	make_kernel "$1"
}

# A domain's builder unpacks the kernel: gzip -1 is fastest for it (measured: 3.3 s against 11.5 s for xz)
make_guest_kernel() { # DIR VMLINUX
	gzip -1 -c "$2" > "$1/vmlinux.gz"
}

# What a disk and a network device take (check-devices), in the order of loading.
# Those of the initramfs of the guest's Debian, and what its agent needs for the sockets of a clone.
take_guest_modules() { # DIR KERNEL-DIR
	local module
	rm -rf "$1"
	mkdir -p "$1"
	while read -r module; do
		[[ $module != *virtio* ]] || continue
		cp "$2/$module" "$1/"
		echo "${module##*/}" >> "$1/list"
	done < <(cat "$2/initramfs.list"; printf "lib/modules/$KREL/kernel/net/ipv4/%s_diag.ko\n" inet tcp udp)
}

# Its file system is made here: dom0 needs no tools for that.
make_guest_disk() { # DIR
	truncate -s 32M "$1/data.img"
	mke2fs -q -F -t ext4 -L vmfork-data -J size=4 -E lazy_itable_init=0,lazy_journal_init=0 "$1/data.img"
}

# No root disk: busybox, the module, the static programs of the suites.
make_guest_initrd() { # FILE; modules are in FILE.modules
	local tree=$out/guest-tree p
	rm -rf "$tree"
	p=$tree/usr/lib/vmfork
	mkdir -p "$tree"/{bin,dev,proc,sys,run,tmp,root,etc,sbin,modules} "$p/bin"
	cp "$(busybox_static)" "$tree/bin/busybox"
	cp "$xen_here/image/guest-init" "$tree/init"
	cp "$here"/image/{guest-shell,load-module} "$p/"
	cp "$1.modules"/* "$tree/modules/"
	strip -d -o "$p/vmfork.ko" "$top/build/kmod-$KREL/vmfork.ko"
	for f in "$top"/build/guest/*; do
		strip -o "$p/bin/${f##*/}" "$f"
	done
	printf 'root:x:0:0::/root:/bin/sh\nsomeone:x:1000:1000::/:/bin/sh\n' > "$tree/etc/passwd"
	printf 'root:x:0:\nvmfork:x:990:\n' > "$tree/etc/group"
	pack "$tree" "$1.cpio"
	gzip -1 -c "$1.cpio" > "$1"
	rm -r "$tree" "$1.cpio"
}

choose_kernel 6.1
source='' hypervisor='' kernel='' debian='' disk='' initramfs='' guest='' data=''
if [ "${XEN_ONLY:-}" != guest ]; then
	cached source "[1/6] Xen's source (5 MB over the network)" xen-source \
		"$(hash_of "$mirror" "$XEN_SUITE" "$(declare -f fetch_xen_source)")" \
		fetch_xen_source "$mirror" "$XEN_SUITE"
	if [ -n "${XEN_PLAIN:-}" ]; then
		cached hypervisor "[2/6] Xen without our patches (some minutes)" xen-hypervisor-plain \
			"$(hash_of "$source" "$xen_patches"/config \
			"$(declare -f make_hypervisor make_plain_hypervisor)")" make_plain_hypervisor "$source"
	else
		cached hypervisor "[2/6] Xen with our patches (some minutes)" xen-hypervisor \
			"$(hash_of "$source" "$xen_patches"/series "$xen_patches"/config "$xen_patches"/*.patch \
			"$(declare -f make_hypervisor)")" make_hypervisor "$source"
	fi
	cached debian "[3/6] Debian packages of dom0 (about 60 MB over the network)" xen-dom0-debian \
		"$(hash_of "$packages" "$mirror" "$(declare -f make_debian)")" make_debian "$packages" "$mirror"
	cached kernel "[4/6] kernel $KREL of dom0" xen-dom0-kernel \
		"$(hash_of "$here/kernel.sh" "$xen_here/image/modules" "$(kernel_id)")" make_dom0_kernel
	cached disk "[5/6] root disk of dom0" xen-dom0-disk "$(hash_of "$debian" "$kernel" "$disk_size" \
		"$(declare -f make_disk chroot_user)" "$here"/image/systemd/*)" \
		make_disk_as_root "$debian" "$kernel" "$disk_size"
	cached initramfs "[6/6] initramfs of dom0" xen-dom0-initramfs \
		"$(hash_of "$kernel" "$here/image/init" "$(busybox_static)" "$(declare -f make_initramfs)")" \
		make_initramfs "$kernel"
fi
# shellcheck source=/dev/null
. "$top/build/lab/env"
cached guest "guest kernel" xen-guest-kernel "$(hash_of "$LAB_KERNEL")" make_guest_kernel "$LAB_KERNEL"
cached data "data disk of the guest" xen-guest-data "$(hash_of "$(declare -f make_guest_disk)")" make_guest_disk
mkdir -p "$out/payload" "$out/guest"
take_guest_modules "$out/guest/initrd.gz.modules" "$(dirname "$LAB_KERNEL")"
make_guest_initrd "$out/guest/initrd.gz"
cat > "$out/guest/env" << EOF
LAB_RELEASE=$KREL
LAB_KERNEL=$guest/vmlinux.gz
LAB_VMLINUZ=$LAB_VMLINUZ
LAB_INITRD=$out/guest/initrd.gz
LAB_DISK=
LAB_DATA=$data/data.img
LAB_APPEND="console=hvc0 quiet panic=-1 nowatchdog"
EOF
# The guest of the suites that run on QEMU, too: its disk is xvda here.
mkdir -p "$out/disk-guest"
cat > "$out/disk-guest/env" << EOF
LAB_RELEASE=$KREL
LAB_KERNEL=$guest/vmlinux.gz
LAB_INITRD=$LAB_INITRD
LAB_DISK=$LAB_DISK
LAB_DISK_FORMAT=$LAB_DISK_FORMAT
LAB_APPEND="console=hvc0 quiet panic=-1 nowatchdog root=/dev/xvda"
EOF
if [ "${XEN_ONLY:-}" != guest ]; then
	mkdir -p "$out/tree/payload/jobs" "$out/tree/payload/udev"
	cp "$xen_here"/jobs/* "$out/tree/payload/jobs/"
	cp "$(busybox_static)" "$out/tree/payload/busybox"
	: > "$out/tree/payload/udev/none.rules"
	pack "$out/tree" "$out/payload.cpio"
	rm -r "$out/tree"
	cat "$initramfs/initramfs.cpio" "$out/payload.cpio" > "$out/dom0-initrd.img"
	cat > "$out/env" << EOF
XEN_HYPERVISOR=$hypervisor/xen
XEN_KERNEL=$kernel/vmlinux
XEN_INITRD=$out/dom0-initrd.img
XEN_DISK=$disk/disk.img
XEN_CACHE=$CACHE
EOF
fi
