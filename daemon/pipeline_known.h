/** @file
 * Which files of a folder are stored, and how they looked: 16 bytes each, so that a listing of a
 * million files asks no store.  A file whose hash collides is read at worst once too rarely until
 * it changes again; with 64 bits that does not happen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cw_known_file {
	uint64_t path; /**< hash; 0: empty slot */
	uint64_t look; /**< hash of size, time and inode; the lowest bit is `awaited` */
};

/** All zero is empty. */
struct cw_known {
	struct cw_known_file *slots;
	size_t count, cap; /**< cap is a power of two */
};

uint64_t cw_known_path(const char *path);
uint64_t cw_known_look(uint64_t size, int64_t mtime_ns, uint64_t inode);
/** NULL when there is none. */
struct cw_known_file *cw_known_find(const struct cw_known *k, uint64_t path);
/** Find or add (look 0).  NULL when out of memory. */
struct cw_known_file *cw_known_put(struct cw_known *k, uint64_t path);
void cw_known_remove(struct cw_known *k, uint64_t path);
void cw_known_release(struct cw_known *k);
