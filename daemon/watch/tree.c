#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "watch/internal.h"
#include "watch/names.h"

/* Without IN_MODIFY: a save of 1 MiB in small writes would be hundreds of events. */
#define WATCH_MASK                                                                                 \
	(IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF |   \
	 IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)

struct watch_node *watch_tree_find(const struct watch_root *root, const char *path)
{
	return watch_table_find(&root->nodes, path);
}

static void release_wd(struct watch_node *node)
{
	struct cw_watcher *w = node->root->w;
	uint64_t wd = node->wd_key.hash;

	watch_table_remove(&w->wds, &node->wd_key);
	if (watch_table_first(&w->wds, wd))
		return;
	w->stats.directories--;
	/* Fails when the directory is gone, and its watch with it. */
	if (w->fd >= 0)
		(void)inotify_rm_watch(w->fd, (int)wd);
}

static void unlink_node(struct watch_node *node)
{
	if (node->prev)
		node->prev->next = node->next;
	else if (node->parent)
		node->parent->child = node->next;
	if (node->next)
		node->next->prev = node->prev;
	node->parent = node->next = node->prev = NULL;
}

void watch_tree_drop(struct watch_node *node)
{
	struct cw_watcher *w = node->root->w;

	while (node->child)
		watch_tree_drop(node->child);
	release_wd(node);
	watch_table_remove(&node->root->nodes, &node->key);
	unlink_node(node);
	node->dropped = true;
	node->next = w->dead_nodes;
	w->dead_nodes = node;
}

static struct watch_node *parent_of(const struct watch_root *root, const char *path)
{
	char dir[CW_WATCH_PATH_MAX + 1];
	const char *slash = strrchr(path, '/');

	if (!path[0])
		return NULL;
	if (!slash)
		return watch_tree_find(root, "");
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	return watch_tree_find(root, dir);
}

static int new_node(struct watch_root *root, const char *path, int wd)
{
	struct cw_watcher *w = root->w;
	size_t len = strlen(path);
	struct watch_node *node = calloc(1, sizeof(*node) + len + 1);

	if (!node || watch_table_reserve(&root->nodes) < 0 || watch_table_reserve(&w->wds) < 0) {
		free(node);
		return CW_ENOMEM;
	}
	memcpy(node->path, path, len);
	node->root = root;
	node->seen = root->generation;
	node->key = (struct watch_key){ .hash = watch_hash(path), .path = node->path };
	node->wd_key.hash = (uint64_t)wd;
	node->parent = parent_of(root, path);
	if (node->parent) {
		node->next = node->parent->child;
		if (node->next)
			node->next->prev = node;
		node->parent->child = node;
	}
	if (!watch_table_first(&w->wds, (uint64_t)wd))
		w->stats.directories++;
	watch_table_put(&root->nodes, &node->key);
	watch_table_put(&w->wds, &node->wd_key);
	return CW_OK;
}

static enum watch_added refused(int error)
{
	switch (error) {
	case ENOSPC:
	case ENOMEM:
	case EBADF: /* no inotify instance */
		return WATCH_UNWATCHED;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
		return WATCH_VANISHED;
	default:
		return WATCH_REFUSED;
	}
}

enum watch_added watch_tree_add(struct watch_root *root, const char *path)
{
	struct cw_watcher *w = root->w;
	struct watch_node *node = watch_tree_find(root, path);
	char *full = watch_join(root->real, path);
	int wd = full ? inotify_add_watch(w->fd, full, WATCH_MASK) : -1;
	int error = full ? errno : ENOMEM;

	free(full);
	if (wd >= 0 && node && node->wd_key.hash == (uint64_t)wd) {
		node->seen = root->generation;
		return WATCH_KNOWN;
	}
	if (node)
		watch_tree_drop(node);
	if (wd < 0)
		return refused(error);
	if (new_node(root, path, wd) < 0) {
		if (!watch_table_first(&w->wds, (uint64_t)wd))
			(void)inotify_rm_watch(w->fd, wd);
		return WATCH_UNWATCHED;
	}
	return WATCH_ADDED;
}

static void sweep_below(struct watch_node *node, uint32_t generation)
{
	struct watch_node *next;

	for (struct watch_node *child = node->child; child; child = next) {
		next = child->next;
		if (child->seen != generation)
			watch_tree_drop(child);
		else
			sweep_below(child, generation);
	}
}

void watch_tree_sweep(struct watch_root *root, const char *prefix, uint32_t generation)
{
	struct watch_node *node = watch_tree_find(root, prefix);

	if (node)
		sweep_below(node, generation);
}

struct top {
	struct watch_key key;
	char path[];
};

void watch_tops_add(struct watch_root *root, const char *path)
{
	size_t len = strlen(path);

	if (watch_table_find(&root->tops, path))
		return;
	struct top *top = calloc(1, sizeof(*top) + len + 1);

	if (!top || watch_table_reserve(&root->tops) < 0) {
		free(top);
		return;
	}
	memcpy(top->path, path, len);
	top->key = (struct watch_key){ .hash = watch_hash(path), .path = top->path };
	watch_table_put(&root->tops, &top->key);
}

struct clearing {
	struct watch_root *root;
	const char *prefix;
};

static void clear_top(struct watch_key *key, void *ctx)
{
	const struct clearing *c = ctx;

	if (!watch_is_under(key->path, c->prefix))
		return;
	watch_table_remove(&c->root->tops, key);
	free(key);
}

void watch_tops_clear(struct watch_root *root, const char *prefix)
{
	watch_table_each(&root->tops, clear_top, &(struct clearing){ root, prefix });
}
