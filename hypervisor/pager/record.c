// SPDX-License-Identifier: GPL-2.0-or-later
/* The record of an image: which pages its clones asked for, in order of first use. */
#include "record.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORD	64U

static bool test_bit(const uint64_t *map, uint64_t page)
{
	return map[page / WORD] >> page % WORD & 1;
}

static void set_bit(uint64_t *map, uint64_t page)
{
	map[page / WORD] |= 1ULL << page % WORD;
}

static size_t bitmap_bytes(uint64_t npages)
{
	return (npages + WORD - 1) / WORD * sizeof(uint64_t);
}

static uint32_t room(size_t bytes)
{
	size_t n;

	if (bytes < sizeof(struct pager_record) + sizeof(uint32_t))
		return 0;
	n = (bytes - sizeof(struct pager_record)) / sizeof(uint32_t);
	return n < PAGER_RECORD_MAX ? (uint32_t)n : PAGER_RECORD_MAX;
}

static int map_file(int fd, int prot, struct pager_record **ret_file, size_t *ret_bytes)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !room((size_t)st.st_size))
		return -EINVAL;
	p = mmap(NULL, (size_t)st.st_size, prot, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret_file = p;
	*ret_bytes = (size_t)st.st_size;
	return 0;
}

static uint32_t count_of(const struct pager_record *file, uint32_t capacity)
{
	uint32_t n = __atomic_load_n(&file->count, __ATOMIC_ACQUIRE);

	return n < capacity ? n : capacity;
}

static void set_count(struct record *r, uint32_t n)
{
	__atomic_store_n(&r->file->count, n, __ATOMIC_RELEASE);
}

/* What an earlier pager wrote. */
static void take_entries(struct record *r)
{
	uint32_t n = count_of(r->file, r->capacity);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t e = r->file->entry[i];
		uint64_t page = e & PAGER_RECORD_PAGE;

		if (page >= r->npages)
			continue;
		set_bit(e & PAGER_RECORD_PROBE ? r->probe : r->seen, page);
		r->probes += !!(e & PAGER_RECORD_PROBE);
	}
}

int record_init(struct record *r, int fd, uint64_t npages)
{
	size_t bits = bitmap_bytes(npages);
	int err;

	*r = (struct record){ .npages = npages };
	err = map_file(fd, PROT_READ | PROT_WRITE, &r->file, &r->bytes);
	close(fd);
	if (err)
		return err;
	r->seen = mmap(NULL, 2 * bits, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r->seen == MAP_FAILED) {
		err = -errno;
		munmap(r->file, r->bytes);
		r->file = NULL;
		return err;
	}
	r->probe = r->seen + bits / sizeof(*r->seen);
	r->capacity = room(r->bytes);
	take_entries(r);
	return 0;
}

void record_fini(struct record *r)
{
	if (!r->file)
		return;
	record_settle(r);
	munmap(r->seen, 2 * bitmap_bytes(r->npages));
	munmap(r->file, r->bytes);
	r->file = NULL;
}

/* Each page is held back once in RECORD_PROBES generations. */
static bool is_probe(uint64_t page, uint32_t generation)
{
	uint64_t h = page * 0x9e3779b97f4a7c15ULL >> 32;

	return (h + generation) % RECORD_PROBES == 0;
}

/* A probe that nobody asked for is left out, as is what is there twice. */
static void seed_from(struct record *r, const struct pager_record *earlier, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n && kept < r->capacity; i++) {
		uint32_t e = earlier->entry[i];
		bool probe;

		if (e >= r->npages || test_bit(r->seen, e) || test_bit(r->probe, e))
			continue;
		probe = is_probe(e, r->file->generation);
		set_bit(probe ? r->probe : r->seen, e);
		r->probes += probe;
		r->file->entry[kept++] = probe ? e | PAGER_RECORD_PROBE : e;
	}
	r->file->seeded = kept;
	set_count(r, kept);
}

void record_seed(struct record *r, int fd)
{
	struct pager_record *earlier;
	size_t bytes;

	if (!r->file || r->file->count || map_file(fd, PROT_READ, &earlier, &bytes))
		return;
	r->file->generation = earlier->generation + 1;
	seed_from(r, earlier, count_of(earlier, room(bytes)));
	munmap(earlier, bytes);
}

void record_note(struct record *r, uint64_t page)
{
	uint32_t n;

	if (!r->file || test_bit(r->seen, page))
		return;
	set_bit(r->seen, page);
	if (test_bit(r->probe, page)) {
		r->probes_used++;
		r->unsettled = true;
		return;
	}
	n = count_of(r->file, r->capacity);
	if (n == r->capacity)
		return;
	r->file->entry[n] = (uint32_t)page;
	set_count(r, n + 1);
}

bool record_held_back(const struct record *r, uint64_t page)
{
	return r->file && test_bit(r->probe, page);
}

void record_settle(struct record *r)
{
	uint32_t n;

	if (!r->file || !r->unsettled)
		return;
	n = count_of(r->file, r->capacity);
	for (uint32_t i = 0; i < n && i < r->file->seeded; i++) {
		uint32_t page = r->file->entry[i] & PAGER_RECORD_PAGE;

		if (page < r->npages && test_bit(r->seen, page))
			r->file->entry[i] = page;
	}
	r->unsettled = false;
}

uint32_t record_count(const struct record *r)
{
	return r->file ? count_of(r->file, r->capacity) : 0;
}

uint32_t record_seeded(const struct record *r)
{
	uint32_t n = record_count(r);

	return n && r->file->seeded < n ? r->file->seeded : n;
}

uint64_t record_next(const struct record *r, uint32_t *at, uint32_t end)
{
	uint32_t n = record_count(r);

	n = n < end ? n : end;
	while (*at < n) {
		uint32_t e = r->file->entry[(*at)++];

		if (e < r->npages)	/* no probe, and no rubbish */
			return e;
	}
	return UINT64_MAX;
}

void record_stats(const struct record *r, struct pager_image_stats *stats)
{
	if (!r->file)
		return;
	stats->recorded = count_of(r->file, r->capacity);
	stats->seeded = r->file->seeded;
	stats->probes = r->probes;
	stats->probes_used = r->probes_used;
}
