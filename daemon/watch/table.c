#include "watch/table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "clausewatch/error.h"

#define FIRST_SLOTS ((size_t)16)

uint64_t watch_hash(const char *path)
{
	return XXH3_64bits(path, strlen(path));
}

static struct watch_key **slot(const struct watch_table *table, uint64_t hash)
{
	return &table->slots[hash & table->mask];
}

int watch_table_reserve(struct watch_table *table)
{
	if (table->slots && table->count <= table->mask)
		return CW_OK;
	struct watch_table wide = { .mask = FIRST_SLOTS - 1 };

	if (table->slots)
		wide.mask = (table->mask + 1) * 2 - 1;
	wide.slots = calloc(wide.mask + 1, sizeof(struct watch_key *));
	if (!wide.slots) /* a crowded table is slow, a missing one is an error */
		return table->slots ? CW_OK : CW_ENOMEM;
	for (size_t i = 0; table->slots && i <= table->mask; i++) {
		struct watch_key *next;

		for (struct watch_key *key = table->slots[i]; key; key = next) {
			next = key->next;
			watch_table_put(&wide, key);
		}
	}
	free(table->slots);
	*table = wide;
	return CW_OK;
}

void watch_table_put(struct watch_table *table, struct watch_key *key)
{
	struct watch_key **at = slot(table, key->hash);

	key->next = *at;
	*at = key;
	table->count++;
}

void watch_table_remove(struct watch_table *table, struct watch_key *key)
{
	struct watch_key **at = slot(table, key->hash);

	while (*at != key)
		at = &(*at)->next;
	*at = key->next; /* key->next stays: whoever stands on the key can go on */
	table->count--;
}

struct watch_key *watch_table_next(const struct watch_key *key)
{
	struct watch_key *next = key->next;

	while (next && next->hash != key->hash)
		next = next->next;
	return next;
}

struct watch_key *watch_table_first(const struct watch_table *table, uint64_t hash)
{
	struct watch_key *key = table->slots ? *slot(table, hash) : NULL;

	return !key || key->hash == hash
		       ? key
		       : watch_table_next(&(struct watch_key){ .next = key, .hash = hash });
}

void *watch_table_find(const struct watch_table *table, const char *path)
{
	struct watch_key *key = watch_table_first(table, watch_hash(path));

	while (key && strcmp(key->path, path) != 0)
		key = watch_table_next(key);
	return key;
}

void watch_table_each(struct watch_table *table, void (*visit)(struct watch_key *key, void *ctx),
		      void *ctx)
{
	for (size_t i = 0; table->slots && i <= table->mask; i++) {
		struct watch_key *next;

		for (struct watch_key *key = table->slots[i]; key; key = next) {
			next = key->next;
			visit(key, ctx);
		}
	}
}

void watch_table_release(struct watch_table *table)
{
	free(table->slots);
	*table = (struct watch_table){ 0 };
}
