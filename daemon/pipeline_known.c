#include "pipeline_known.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

uint64_t cw_known_path(const char *path)
{
	uint64_t hash = XXH3_64bits(path, strlen(path));

	return hash ? hash : 1;
}

uint64_t cw_known_look(uint64_t size, int64_t mtime_ns, uint64_t inode)
{
	const uint64_t look[] = { size, (uint64_t)mtime_ns, inode };

	return XXH3_64bits(look, sizeof(look)) & ~(uint64_t)1;
}

static size_t slot_of(const struct cw_known *k, uint64_t path)
{
	size_t at = (size_t)path & (k->cap - 1);

	while (k->slots[at].path && k->slots[at].path != path)
		at = (at + 1) & (k->cap - 1);
	return at;
}

struct cw_known_file *cw_known_find(const struct cw_known *k, uint64_t path)
{
	if (k->count == 0)
		return NULL;
	struct cw_known_file *file = &k->slots[slot_of(k, path)];
	return file->path ? file : NULL;
}

static bool grow(struct cw_known *k)
{
	struct cw_known bigger = { .cap = k->cap ? k->cap * 2 : 64, .count = k->count };

	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < k->cap; i++)
		if (k->slots[i].path)
			bigger.slots[slot_of(&bigger, k->slots[i].path)] = k->slots[i];
	free(k->slots);
	*k = bigger;
	return true;
}

struct cw_known_file *cw_known_put(struct cw_known *k, uint64_t path)
{
	if (k->count * 4 >= k->cap * 3 && !grow(k))
		return NULL;
	struct cw_known_file *file = &k->slots[slot_of(k, path)];
	if (!file->path) {
		*file = (struct cw_known_file){ .path = path };
		k->count++;
	}
	return file;
}

void cw_known_remove(struct cw_known *k, uint64_t path)
{
	struct cw_known_file *file = cw_known_find(k, path);

	if (!file)
		return;
	k->count--;
	*file = (struct cw_known_file){ 0 };
	/* What had to pass this slot moves up. */
	for (size_t at = (size_t)(file - k->slots + 1) & (k->cap - 1); k->slots[at].path;
	     at = (at + 1) & (k->cap - 1)) {
		struct cw_known_file moved = k->slots[at];

		k->slots[at] = (struct cw_known_file){ 0 };
		k->slots[slot_of(k, moved.path)] = moved;
	}
}

void cw_known_release(struct cw_known *k)
{
	free(k->slots);
	*k = (struct cw_known){ 0 };
}
