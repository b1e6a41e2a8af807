// SPDX-License-Identifier: GPL-2.0-or-later
/* A clone of one image behind a scripted link and a scripted source. */
#include "fake_link.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagewrite.h"

struct script script;

struct image img, upper;
struct clone clone_;
static int avoid_fd;

static int s_read(struct vmlink *l, struct fault *faults)
{
	int n = script.nfaults;

	if (n > 0)
		memcpy(faults, script.faults, (size_t)n * sizeof(*faults));
	script.nfaults = 0;
	return n;
}

static int s_wake(struct vmlink *l, uint64_t page, uint64_t npages)
{
	script.wakes++;
	script.last_page = page;
	return 0;
}

static int private_result(int result)
{
	if (!script.results)
		return 0;
	script.results--;
	return result;
}

static int s_zero(struct vmlink *l, uint64_t page, unsigned int npages)
{
	int r = private_result(script.zero_result);

	script.zeros++;
	script.last_page = page;
	script.last_npages = npages;
	return r ? r : (int)npages;
}

static int s_copy(struct vmlink *l, uint64_t page, const void *data)
{
	script.copies++;
	memcpy(script.copied, data, PAGER_PAGE_SIZE);
	return private_result(script.copy_result);
}

static void s_close(struct vmlink *l)
{
}

static const struct vmlink_ops link_ops = {
	.read = s_read, .wake = s_wake, .zero = s_zero, .copy = s_copy, .close = s_close,
};

static int s_fetch(const struct source *s, uint64_t page, unsigned int n, uint8_t *buf,
		   uint8_t *results)
{
	script.fetches++;
	script.last_run = n;
	if (script.fetch_result < 0)
		return script.fetch_result;
	if (script.fetch_result == FETCH_DATA)
		memset(buf, script.fetch_byte, n * PAGER_PAGE_SIZE);
	memset(results, script.fetch_result, n);
	return 0;
}

static int always_lower(const struct source *s, uint64_t page, unsigned int n, uint8_t *buf,
			uint8_t *results)
{
	memset(results, FETCH_LOWER, n);
	return 0;
}

static void s_source_close(struct source *s)
{
}

const struct source_ops source_ops = { .fetch = s_fetch, .close = s_source_close };
const struct source_ops lower_ops = { .fetch = always_lower, .close = s_source_close };

int memory_file(size_t len)
{
	int fd = memfd_create("unit", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)len), 0);
	return fd;
}

void make_image(struct image *i, uint64_t handle, struct image *lower,
		const struct source_ops *ops)
{
	struct source source = { .ops = ops };

	ck_assert_int_eq(image_init(i, handle, NPAGES, memory_file(NPAGES * PAGER_PAGE_SIZE),
				    memory_file(NPAGES), lower, &source), 0);
}

void fake_setup(void)
{
	const struct slots slots = { .n = 1, .slot = { { .npages = NPAGES } } };
	struct vmlink link = { .ops = &link_ops, .npages = NPAGES };
	struct avoid avoid;

	memset(&script, 0, sizeof(script));
	script.fetch_byte = 0x42;
	ck_assert_int_eq(pagewrite_init(), 0);
	make_image(&img, 1, NULL, &source_ops);
	avoid_fd = memory_file(4096);
	ck_assert_int_eq(avoid_init(&avoid, avoid_fd, 0, 4096, &slots), 0);
	clone_init(&clone_, 2, &img, &link, &avoid);
}

void fake_teardown(void)
{
	clone_fini(&clone_);
	ck_assert_uint_eq(img.users, 0);
	image_fini(&img);
}

int fault(uint64_t page)
{
	int n;

	script.faults[0] = (struct fault){ .page = page };
	script.nfaults = 1;
	n = clone_serve(&clone_);
	return n == 1 ? 0 : n;
}

void set_avoid(uint64_t page)
{
	uint8_t byte;

	ck_assert_int_eq(pread(avoid_fd, &byte, 1, (off_t)page / 8), 1);
	byte |= (uint8_t)(1 << page % 8);
	ck_assert_int_eq(pwrite(avoid_fd, &byte, 1, (off_t)page / 8), 1);
}

uint8_t file_byte(const struct image *i, uint64_t page)
{
	uint8_t b;

	ck_assert_int_eq(pread(i->file, &b, 1, (off_t)(page * PAGER_PAGE_SIZE + 4095)), 1);
	return b;
}
