// SPDX-License-Identifier: GPL-2.0-or-later
/* What the machine calls itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "names.h"

#define HOSTS_MAX	(1U << 20)
#define MACHINE_ID_PATH	"/etc/machine-id"
#define DBUS_ID_PATH	"/var/lib/dbus/machine-id"

int names_hostname(const char *name)
{
	char line[80];

	if (!name_valid(name) || strlen(name) > 63)
		return -EINVAL;
	if (sethostname(name, strlen(name)))
		return -errno;
	if (access("/etc/hostname", F_OK))
		return 0;
	snprintf(line, sizeof(line), "%s\n", name);
	return file_rewrite("/etc/hostname", 0644, line, strlen(line));
}

int names_hosts(const struct hosts_self *self)
{
	char *old, *text;
	size_t len;
	int r = file_read("/etc/hosts", HOSTS_MAX, &old, &len);

	if (r)
		return r == -ENOENT ? 0 : r;
	text = hosts_text(old, len, self);
	r = text ? 0 : -ENOMEM;
	if (!r && (strlen(text) != len || memcmp(text, old, len)))
		r = file_rewrite("/etc/hosts", 0644, text, strlen(text));
	free(text);
	free(old);
	return r;
}

int names_resolv(const char *dns, const char *domain)
{
	struct stat st;
	char *text;
	int r;

	if (!lstat("/etc/resolv.conf", &st) && !S_ISREG(st.st_mode))
		return 0;
	text = resolv_text(dns, domain);
	if (!text)
		return -ENOMEM;
	r = file_rewrite("/etc/resolv.conf", 0644, text, strlen(text));
	free(text);
	return r;
}

/* @source over @target, once: what is mounted there already is seen to change. */
static int mount_over(const char *source, const char *target, mode_t mode, const char *text)
{
	struct stat a, b;
	int r = file_overwrite(source, mode, text, strlen(text));

	if (r)
		return r;
	if (!stat(source, &a) && !stat(target, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return 0;
	return mount(source, target, NULL, MS_BIND, NULL) ? -errno : 0;
}

static bool is_mounted(const char *path)
{
	struct stat at, dir;

	return !stat(path, &at) && !stat("/etc", &dir) && at.st_dev != dir.st_dev;
}

int names_machine_id(bool persistent)
{
	uint8_t random[16];
	char text[ID_TEXT_MAX];
	struct stat st;
	int r = -EROFS;

	if (access(MACHINE_ID_PATH, F_OK))
		return 0;
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	machine_id_text(random, text);
	if (persistent && !is_mounted(MACHINE_ID_PATH))
		r = file_overwrite(MACHINE_ID_PATH, 0444, text, strlen(text));
	if (r == -EROFS)
		r = mount_over(RUN_DIR "/machine-id", MACHINE_ID_PATH, 0444, text);
	if (!r && !lstat(DBUS_ID_PATH, &st) && S_ISREG(st.st_mode))
		r = file_overwrite(DBUS_ID_PATH, 0444, text, strlen(text));
	return r;
}

int names_boot_id(void)
{
	uint8_t random[16];
	char text[ID_TEXT_MAX];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	boot_id_text(random, text);
	return mount_over(RUN_DIR "/boot_id", BOOT_ID_PATH, 0444, text);
}

int names_rehearse(void)
{
	static const char from[] = RUN_DIR "/rehearsal", to[] = RUN_DIR "/rehearsal.over";
	char name[65];
	int r;

	if (gethostname(name, sizeof(name)))
		return -errno;
	r = file_replace(from, 0600, "", 0);
	if (!r)
		r = file_replace(to, 0600, "", 0);
	if (!r && mount(from, to, NULL, MS_BIND, NULL))
		r = -errno;
	if (!r && umount2(to, MNT_DETACH))
		r = -errno;
	unlink(from);
	unlink(to);
	return r;
}
