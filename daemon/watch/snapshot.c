#include <stdlib.h>
#include <string.h>

#include "watch/internal.h"
#include "watch/names.h"

struct snap {
	struct watch_key key;
	struct watch_found found;
	uint32_t generation;
	char path[];
};

bool watch_snap_update(struct watch_root *root, const char *path, const struct watch_found *found)
{
	struct snap *s = watch_table_find(&root->snaps, path);
	bool differs = !s || !watch_found_equal(&s->found, found);

	if (!s) {
		size_t len = strlen(path);

		s = calloc(1, sizeof(*s) + len + 1);
		if (!s || watch_table_reserve(&root->snaps) < 0) {
			free(s);
			return true;
		}
		memcpy(s->path, path, len);
		s->key = (struct watch_key){ .hash = watch_hash(path), .path = s->path };
		watch_table_put(&root->snaps, &s->key);
		root->w->stats.polled_files++;
	}
	s->found = *found;
	s->generation = root->generation;
	return differs;
}

struct sweep {
	struct watch_root *root;
	const struct watch_walk *walk; /* NULL: all go, silently */
};

static bool was_unreadable(const struct watch_walk *walk, const char *path)
{
	for (size_t i = 0; i < walk->failed_count; i++)
		if (watch_is_under(path, walk->failed[i]))
			return true;
	return false;
}

static void sweep_one(struct watch_key *key, void *ctx)
{
	struct snap *s = (struct snap *)key;
	struct sweep *sweep = ctx;
	struct watch_root *root = sweep->root;

	if (sweep->walk) {
		if (s->generation == root->generation ||
		    !watch_is_under(s->path, sweep->walk->prefix) ||
		    was_unreadable(sweep->walk, s->path))
			return;
		watch_settle_look(root, s->path);
	}
	watch_table_remove(&root->snaps, key);
	root->w->stats.polled_files--;
	free(s);
}

void watch_snap_sweep(struct watch_root *root, const struct watch_walk *walk)
{
	watch_table_each(&root->snaps, sweep_one, &(struct sweep){ root, walk });
}

void watch_snap_clear(struct watch_root *root)
{
	watch_table_each(&root->snaps, sweep_one, &(struct sweep){ root, NULL });
}
