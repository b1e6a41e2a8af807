// SPDX-License-Identifier: GPL-2.0-or-later
/* An image: a sparse file, its presence map, and the source of what is absent. */
#include "image.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pagewrite.h"

static uint8_t bring_buf[FETCH_MAX * PAGER_PAGE_SIZE] __attribute__((aligned(PAGER_PAGE_SIZE)));

static bool file_holds(int fd, uint64_t bytes)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size >= bytes;
}

static int map_presence(struct image *img, int map_fd)
{
	void *p;

	if (!file_holds(map_fd, img->npages))
		return -EINVAL;
	p = mmap(NULL, img->npages, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	img->map = p;
	return 0;
}

/* What earlier pagers have done. */
static void count_states(struct image *img)
{
	for (uint64_t page = 0; page < img->npages; page++) {
		enum page_state s = image_state(img, page);

		img->stats.present += s == PAGE_PRESENT;
		img->stats.zero += s == PAGE_ZERO;
	}
}

int image_init(struct image *img, uint64_t handle, uint64_t npages, int file, int map_fd,
	       struct image *lower, const struct source *source)
{
	int err;

	*img = (struct image){
		.handle = handle, .npages = npages, .file = file, .source = *source,
	};
	err = file_holds(file, npages * PAGER_PAGE_SIZE) ? 0 : -EINVAL;
	if (!err)
		err = map_presence(img, map_fd);
	close(map_fd);
	if (err) {
		image_fini(img);
		return err;
	}
	img->lower = lower;
	if (lower)
		lower->users++;
	count_states(img);
	return 0;
}

void image_fini(struct image *img)
{
	if (img->lower)
		img->lower->users--;
	if (img->map)
		munmap(img->map, img->npages);
	record_fini(&img->record);
	img->source.ops->close(&img->source);
	close(img->file);
	*img = (struct image){ .handle = 0 };
}

enum page_state image_state(const struct image *img, uint64_t page)
{
	uint8_t s = __atomic_load_n(&img->map[page], __ATOMIC_ACQUIRE);

	return s == PAGE_PRESENT || s == PAGE_ZERO ? s : PAGE_ABSENT;
}

static void set_state(struct image *img, uint64_t page, enum page_state s)
{
	__atomic_store_n(&img->map[page], (uint8_t)s, __ATOMIC_RELEASE);
}

static int read_file(const struct image *img, uint64_t page, void *buf)
{
	ssize_t n;

	do {
		n = pread(img->file, buf, PAGER_PAGE_SIZE, (off_t)(page * PAGER_PAGE_SIZE));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == PAGER_PAGE_SIZE ? FETCH_DATA : -EIO;
}

/* What an absent page of a higher image is that its source has no copy of. */
static int fetch_lower(const struct image *img, uint64_t page, uint8_t *buf)
{
	uint8_t r = FETCH_LOWER;
	int err = 0;

	for (; r == FETCH_LOWER && !err; img = img->lower) {
		switch (image_state(img, page)) {
		case PAGE_PRESENT:
			return read_file(img, page, buf);
		case PAGE_ZERO:
			return FETCH_ZERO;
		case PAGE_ABSENT:
			err = img->source.ops->fetch(&img->source, page, 1, buf, &r);
		}
	}
	return err ? err : r;
}

static int fetch_run(const struct image *img, uint64_t page, unsigned int n, uint8_t *buf,
		     uint8_t *results)
{
	int r = img->source.ops->fetch(&img->source, page, n, buf, results);

	for (unsigned int i = 0; i < n && r >= 0; i++) {
		if (results[i] != FETCH_LOWER)
			continue;
		r = fetch_lower(img->lower, page + i, buf + i * PAGER_PAGE_SIZE);
		results[i] = (uint8_t)r;
	}
	return r < 0 ? r : 0;
}

int image_fetch(const struct image *img, uint64_t page, void *buf)
{
	uint8_t result;
	int err = fetch_run(img, page, 1, buf, &result);

	return err ? err : result;
}

int image_fill(struct image *img, uint64_t page, const void *buf, unsigned int n)
{
	if (pagewrite(img->file, page * PAGER_PAGE_SIZE, buf, n))
		return -ENOSPC;
	for (unsigned int i = 0; i < n; i++)
		set_state(img, page + i, PAGE_PRESENT);
	img->stats.present += n;
	img->stats.fetched_bytes += n * PAGER_PAGE_SIZE;
	return 0;
}

void image_set_zero(struct image *img, uint64_t page)
{
	set_state(img, page, PAGE_ZERO);
	img->stats.zero++;
}

bool page_is_zero(const void *buf)
{
	const uint64_t *w = buf;

	for (unsigned int i = 0; i < PAGER_PAGE_SIZE / sizeof(*w); i += 8) {
		if (w[i] | w[i + 1] | w[i + 2] | w[i + 3] |
		    w[i + 4] | w[i + 5] | w[i + 6] | w[i + 7])
			return false;
	}
	return true;
}

/* Of @n neighbours @bring_buf has those with FETCH_DATA. */
static int put(struct image *img, uint64_t page, unsigned int n, uint8_t *results)
{
	unsigned int from, to;

	for (unsigned int i = 0; i < n; i++) {
		if (results[i] == FETCH_DATA && page_is_zero(bring_buf + i * PAGER_PAGE_SIZE))
			results[i] = FETCH_ZERO;
		if (results[i] == FETCH_ZERO)
			image_set_zero(img, page + i);
	}
	for (from = 0; from < n; from = to + 1) {
		for (to = from; to < n && results[to] == FETCH_DATA; to++)
			;
		if (to > from && image_fill(img, page + from, bring_buf + from * PAGER_PAGE_SIZE,
					    to - from))
			return -ENOSPC;
	}
	return 0;
}

int image_bring(struct image *img, uint64_t page, unsigned int n)
{
	uint8_t results[FETCH_MAX];
	int err = fetch_run(img, page, n, bring_buf, results);

	return err ? err : put(img, page, n, results);
}
