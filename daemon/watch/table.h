/** @file
 * Intrusive hash tables keyed by path or number.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Embed as the first member. */
struct watch_key {
	struct watch_key *next;
	uint64_t hash;
	const char *path; /* NULL: the hash is the key */
};

/** All zero is a valid empty table. */
struct watch_table {
	struct watch_key **slots;
	size_t mask; /* slots - 1 */
	size_t count;
};

uint64_t watch_hash(const char *path);
/** Room for one more; CW_OK or CW_ENOMEM.  watch_table_put() after it cannot fail. */
int watch_table_reserve(struct watch_table *table);
/** key->hash is set; the same key may be in more than once. */
void watch_table_put(struct watch_table *table, struct watch_key *key);
void watch_table_remove(struct watch_table *table, struct watch_key *key);
/** By path. */
void *watch_table_find(const struct watch_table *table, const char *path);
/** The newest with this hash, and from there the next one with the same. */
struct watch_key *watch_table_first(const struct watch_table *table, uint64_t hash);
struct watch_key *watch_table_next(const struct watch_key *key);
/** Visit all; visit() may remove the key that it is given, and no other. */
void watch_table_each(struct watch_table *table, void (*visit)(struct watch_key *key, void *ctx),
		      void *ctx);
/** Frees the slots, not what is in them. */
void watch_table_release(struct watch_table *table);
