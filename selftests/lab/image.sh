# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# How the lab's images are made: a Debian, a disk, an initramfs. Builders for cached().
: "${here:?}"

make_debian() { # DIR PACKAGES MIRROR: root.tar, a minimal Debian, and the package index it was made from
	# The index is taken before mmdebstrap cleans up.
	# shellcheck disable=SC2016
	mmdebstrap --variant=minbase --include="$2" \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-include=/usr/share/doc/*/copyright' \
		--customize-hook='mkdir -p "$1/usr/share/debgraph"' \
		--customize-hook='/usr/lib/apt/apt-helper cat-file \
			"$1"/var/lib/apt/lists/*_dists_bookworm_main_binary-amd64_Packages* \
			> "$1/usr/share/debgraph/Packages"' \
		bookworm "$1/root.tar" "deb $3 bookworm main"
}

# The disk's files belong to root: see make_disk_as_root for how an ordinary user makes it.
make_disk() { # DIR DEBIAN KERNEL SIZE
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
	truncate -s "$4" "$1/disk.img"
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

make_disk_as_root() { # DIR DEBIAN KERNEL SIZE
	if [ "$(id -u)" = 0 ]; then
		make_disk "$@"
	else
		export -f make_disk chroot_user
		export here
		fakeroot bash -euc 'make_disk "$@"' make_disk "$@"
	fi
}

make_initramfs() { # DIR KERNEL
	local tree=$1/tree module
	mkdir -p "$tree"/{bin,dev,proc,sys,run,root,modules,payload}
	cp "$(busybox_static)" "$tree/bin/busybox"
	cp "$here/image/init" "$tree/init"
	: > "$tree/modules/list"
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
