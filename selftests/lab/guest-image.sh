#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the guest of the tests and of the demo: a Debian 12 root disk, a kernel, an initramfs.
#
#   guest-image.sh [OUT]     OUT (build/lab) gets initrd.img and env, which names all three
#
# Environment: KERNEL=6.1 (default) or 6.12; VMFORK_CACHE; VMFORK_MIRROR;
# KDIR: build directory of the kernel to use. Slow steps are cached by what goes into them; the
# payload (module, programs, jobs) is packed anew each time, which takes a second.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$here/cache.sh"
. "$here/kernel.sh"

out=${1:-$top/build/lab}
mirror=${VMFORK_MIRROR:-http://deb.debian.org/debian}
packages=systemd-sysv,udev,dbus,kmod,iproute2,procps
disk_size=1G

make_debian() { # DIR: root.tar, a minimal Debian, and the package index it was made from
	# The index is taken before mmdebstrap cleans up.
	# shellcheck disable=SC2016
	mmdebstrap --variant=minbase --include="$packages" \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-include=/usr/share/doc/*/copyright' \
		--customize-hook='mkdir -p "$1/usr/share/debgraph"' \
		--customize-hook='/usr/lib/apt/apt-helper cat-file \
			"$1"/var/lib/apt/lists/*_dists_bookworm_main_binary-amd64_Packages* \
			> "$1/usr/share/debgraph/Packages"' \
		bookworm "$1/root.tar" "deb $mirror bookworm main"
}

# Runs under fakeroot for an ordinary user, so that the disk's files belong to root.
make_disk() { # DIR DEBIAN KERNEL
	local root=$1/root unit
	mkdir "$root"
	tar -x -f "$2/root.tar" -C "$root" --numeric-owner --exclude='./dev/*'
	cp -a "$3/lib/modules" "$root/usr/lib/"
	mkdir -p "$root/usr/lib/vmfork"
	echo vmfork-lab > "$root/etc/hostname"
	echo '127.0.0.1 localhost vmfork-lab' > "$root/etc/hosts"
	echo '/dev/vda / ext4 noatime 0 1' > "$root/etc/fstab"
	: > "$root/etc/machine-id"
	chroot_user "$root"
	cp "$here"/image/systemd/*.service "$root/etc/systemd/system/"
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
	for unit in "$here"/image/systemd/*.service; do
		ln -s "../${unit##*/}" "$root/etc/systemd/system/multi-user.target.wants/"
	done
	mkdir -p "$root/etc/systemd/system/serial-getty@ttyS0.service.d"
	printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty -a root -L ttyS0 115200 linux\n' \
		> "$root/etc/systemd/system/serial-getty@ttyS0.service.d/autologin.conf"
	truncate -s "$disk_size" "$1/disk.img"
	mke2fs -q -F -t ext4 -L vmfork-lab -J size=16 -E lazy_itable_init=0,lazy_journal_init=0 \
		-d "$root" "$1/disk.img"
	rm -rf "$root"
}

# The group of /dev/vmfork, and an ordinary user outside it, for tests of permissions.
chroot_user() { # ROOT
	echo 'vmfork:x:990:' >> "$1/etc/group"
	echo 'someone:x:1000:' >> "$1/etc/group"
	echo 'someone:x:1000:1000::/home/someone:/bin/sh' >> "$1/etc/passwd"
	mkdir -p "$1/home/someone"
	chown 1000:1000 "$1/home/someone"
	sed -i 's/^root:[^:]*:/root::/' "$1/etc/shadow"
}

make_disk_as_root() { # DIR DEBIAN KERNEL
	if [ "$(id -u)" = 0 ]; then
		make_disk "$@"
	else
		export -f make_disk chroot_user
		export here disk_size
		fakeroot bash -euc 'make_disk "$@"' make_disk "$@"
	fi
}

make_initramfs() { # DIR KERNEL
	local tree=$1/tree module
	mkdir -p "$tree"/{bin,dev,proc,sys,run,root,modules,payload}
	cp "$(busybox_static)" "$tree/bin/busybox"
	cp "$here/image/init" "$tree/init"
	while read -r module; do
		cp "$2/$module" "$tree/modules/"
		echo "${module##*/}" >> "$tree/modules/list"
	done < "$2/initramfs.list"
	pack "$tree" "$1/initramfs.cpio"
	rm -r "$tree"
}

busybox_static() {
	local b
	for b in /bin/busybox /usr/bin/busybox; do
		if [ -x "$b" ] && ! ldd "$b" > /dev/null 2>&1; then
			echo "$b"
			return
		fi
	done
	die "no static busybox here: install busybox-static (make deps)"
}

pack() { # TREE CPIO
	(cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) > "$2"
}

# What changes with every build: it is appended to the initramfs, whose init copies it to
# /usr/lib/vmfork of the root disk (a tmpfs).
make_payload() { # DIR
	local tree=$1/payload p f
	rm -rf "$tree"
	mkdir -p "$tree/payload"/{bin,jobs,udev}
	p=$tree/payload
	cp "$here"/image/{lab-init,load-module,guest-shell} "$p/"
	cp "$(busybox_static)" "$p/busybox"
	[ -e "$module" ] && strip -d -o "$p/vmfork.ko" "$module"
	for f in "$top"/build/guest/*; do
		[ -f "$f" ] && strip -o "$p/bin/${f##*/}" "$f"
	done
	for f in "$top"/selftests/*/jobs/*; do
		[ -f "$f" ] && cp "$f" "$p/jobs/"
	done
	for f in "$top"/userspace/*/*.rules; do
		[ -f "$f" ] && cp "$f" "$p/udev/"
	done
	pack "$tree" "$1/payload.cpio"
	rm -r "$tree"
}

choose_kernel "${KERNEL:-6.1}"
module=$top/build/kmod-$KREL/vmfork.ko
if [ "${KERNEL:-6.1}" != 6.1 ]; then
	make -s -C "$top" modules KDIR="$KDIR" >&2
fi
kernel='' debian='' disk='' initramfs=''
cached kernel "[1/4] kernel $KREL" "kernel-$KREL" \
	"$(hash_of "$here/kernel.sh" "$here/image/modules" "$(kernel_id)")" make_kernel
cached debian "[2/4] Debian packages (about 30 MB over the network)" debian \
	"$(hash_of "$packages" "$mirror" "$(declare -f make_debian)")" make_debian
cached disk "[3/4] root disk" disk "$(hash_of "$debian" "$kernel" "$disk_size" \
	"$(declare -f make_disk chroot_user)" "$here"/image/systemd/*)" \
	make_disk_as_root "$debian" "$kernel"
cached initramfs "[4/4] initramfs" initramfs \
	"$(hash_of "$kernel" "$here/image/init" "$(busybox_static)" "$(declare -f make_initramfs)")" \
	make_initramfs "$kernel"
mkdir -p "$out"
make_payload "$out"
cat "$initramfs/initramfs.cpio" "$out/payload.cpio" > "$out/initrd.new"
rm "$out/payload.cpio"
mv "$out/initrd.new" "$out/initrd.img"
cat > "$out/env" << EOF
LAB_RELEASE=$KREL
LAB_KERNEL=$kernel/vmlinux
LAB_VMLINUZ=$kernel/vmlinuz
LAB_INITRD=$out/initrd.img
LAB_DISK=$disk/disk.img
LAB_DISK_FORMAT=raw
LAB_INDEX_TAR=$debian/root.tar
LAB_APPEND="console=ttyS0 quiet panic=-1"
EOF
say "guest: $KREL, $disk/disk.img, payload $([ -e "$module" ] && echo with || echo WITHOUT) vmfork.ko, $(find "$top/build/guest" -maxdepth 1 -type f 2> /dev/null | wc -l) programs"
