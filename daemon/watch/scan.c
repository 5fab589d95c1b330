/*
 * A listing: one walk at a time for each root, a directory's watch added before it is read.
 * A scan tells the owner every file; a poll compares with snapshots, for unwatched parts only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "watch/internal.h"
#include "watch/names.h"

#define SETTLING_MAX ((size_t)4096) /* more, and the listing waits */
#define PAUSE_MS 20
#define LOST "it is gone, or another directory has taken its place"
#define WISHES_MAX ((size_t)1000) /* more, and the whole root is listed instead */

static void step(struct watch_walk *walk);

static void clear_wishes(struct watch_root *root)
{
	while (root->wishes) {
		struct watch_wish *wish = root->wishes;

		root->wishes = wish->next;
		free(wish);
	}
	root->wishes_end = &root->wishes;
	root->wish_count = 0;
}

static bool add_wish(struct watch_root *root, const char *prefix, enum cw_watch_reason reason)
{
	size_t len = strlen(prefix);

	for (const struct watch_wish *wish = root->wishes; wish; wish = wish->next)
		if (watch_is_under(prefix, wish->prefix))
			return true;
	struct watch_wish *wish = calloc(1, sizeof(*wish) + len + 1);

	if (!wish || root->wish_count >= WISHES_MAX) {
		free(wish);
		return false;
	}
	memcpy(wish->prefix, prefix, len);
	wish->reason = reason;
	*root->wishes_end = wish;
	root->wishes_end = &wish->next;
	root->wish_count++;
	return true;
}

void watch_scan_ask(struct watch_root *root, const char *prefix, enum cw_watch_reason reason,
		    uint64_t delay_ms)
{
	uint64_t due = watch_now() + delay_ms;

	if (!prefix[0] || !add_wish(root, prefix, reason)) {
		if (!root->whole_wanted)
			root->whole_reason = reason;
		root->whole_wanted = true;
	}
	if (!root->scan_tick.armed || root->scan_tick.due_ms > due)
		watch_clock_set(&root->w->clock, &root->scan_tick, due);
}

void watch_scan_stop(struct watch_root *root)
{
	clear_wishes(root);
	root->whole_wanted = false;
	watch_clock_unset(&root->w->clock, &root->scan_tick);
	if (!root->walk)
		return;
	atomic_store(&root->walk->stop, true);
	/* If it pauses between two jobs, let it notice at once. */
	if (root->walk->tick.armed)
		watch_clock_set(&root->w->clock, &root->walk->tick, watch_now());
}

static void fail_walk(struct watch_walk *walk, const char *path, int error)
{
	walk->broken = true;
	if (walk->unreadable++ == 0)
		snprintf(walk->first_unreadable, sizeof(walk->first_unreadable), "'%.180s': %s",
			 path[0] ? path : walk->base, strerror(error));
	if (walk->failed_count == walk->failed_cap) {
		size_t cap = walk->failed_cap ? walk->failed_cap * 2 : 8;
		char **failed = realloc(walk->failed, cap * sizeof(*failed));

		if (!failed) {
			atomic_store(&walk->stop, true);
			return;
		}
		walk->failed = failed;
		walk->failed_cap = cap;
	}
	char *copy = strdup(path);

	if (copy)
		walk->failed[walk->failed_count++] = copy;
	else
		atomic_store(&walk->stop, true);
}

static void enter_dir(struct watch_walk *walk, const char *path, bool polled)
{
	struct watch_root *root = walk->root;

	if (!polled) {
		switch (watch_tree_add(root, path)) {
		case WATCH_ADDED:
		case WATCH_KNOWN:
			break;
		case WATCH_UNWATCHED:
			watch_tops_add(root, path);
			polled = true;
			break;
		case WATCH_REFUSED:
			fail_walk(walk, path, EACCES);
			return;
		case WATCH_VANISHED:
			if (!path[0])
				watch_root_lost(root, LOST);
			return;
		}
	}
	walk->unwatched += polled;
	if (watch_walk_push(walk, strdup(path), polled) < 0)
		fail_walk(walk, path, ENOMEM);
}

static void take_file(struct watch_walk *walk, const struct watch_entry *e, const char *path)
{
	struct watch_root *root = walk->root;
	struct cw_watcher *w = root->w;
	bool differs = e->polled && watch_snap_update(root, path, &e->found);

	if (!walk->poll) {
		struct cw_watch_file file = { .root = root->name,
					      .path = path,
					      .size = e->found.size,
					      .mtime_ns = e->found.mtime_ns,
					      .ino = e->found.ino };

		differs = !w->ev.scan_file || w->ev.scan_file(w->ctx, &file);
	}
	if (differs && watch_root_alive(root) && !atomic_load(&walk->stop))
		watch_settle_seen(root, path, &e->found);
}

static bool has_vanished(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

static void take_entry(struct watch_walk *walk, const struct watch_entry *e)
{
	struct watch_root *root = walk->root;
	const char *path = walk->paths.data + e->path;

	switch (e->kind) {
	case WATCH_ENTRY_FILE:
		if (watch_root_wants(root, path, false))
			take_file(walk, e, path);
		break;
	case WATCH_ENTRY_DIR:
		if (watch_root_wants(root, path, true))
			enter_dir(walk, path, e->polled);
		break;
	case WATCH_ENTRY_FAILED:
		if (!path[0] && (has_vanished(e->error) || e->error == ESTALE))
			watch_root_lost(root, LOST);
		else if (!has_vanished(e->error))
			fail_walk(walk, path, e->error);
		break;
	}
}

static void judge_limit(struct watch_root *root)
{
	struct cw_watcher *w = root->w;
	size_t needed = w->stats.directories + root->unwatched, limit = w->stats.watch_limit;
	size_t better = limit > needed ? limit : needed;
	char then[96];

	if (root->opts.poll == CW_WATCH_POLL_NEVER)
		snprintf(then, sizeof(then), "changes there are seen by the reconcile scan only");
	else
		snprintf(then, sizeof(then), "they are polled every %u ms", root->opts.poll_ms);
	watch_root_trouble(root, WATCH_LIMIT,
			   "the limit of inotify watches is reached (fs.inotify.max_user_watches = "
			   "%zu): %zu directories are watched, %zu are not, %s; at "
			   "least %zu watches are needed, more if other programs of this user "
			   "watch too: sysctl -w fs.inotify.max_user_watches=%zu, and the same in "
			   "/etc/sysctl.d/ to keep it",
			   limit, w->stats.directories, root->unwatched, then, needed, better * 2);
}

/* What the listing tells about how well the root is seen. */
static void judge(const struct watch_walk *walk)
{
	struct watch_root *root = walk->root;
	bool whole = !walk->poll && !walk->prefix[0];

	root->unwatched = walk->prefix[0] ? root->unwatched + walk->unwatched : walk->unwatched;
	if (root->w->fd < 0 && root->opts.poll != CW_WATCH_POLL_ALWAYS && !root->network)
		watch_root_trouble(root, WATCH_NO_INSTANCE,
				   "no inotify instance is left for this user, so it is %s: raise "
				   "the limit with sysctl -w fs.inotify.max_user_instances=1024, "
				   "and the same in /etc/sysctl.d/ to keep it",
				   root->opts.poll == CW_WATCH_POLL_NEVER ? "not watched"
									  : "polled");
	else if (root->tops.count > 0)
		judge_limit(root);
	else if (walk->unreadable > 0)
		watch_root_trouble(root, WATCH_UNREADABLE,
				   "%zu directories cannot be read; the first is %s",
				   walk->unreadable, walk->first_unreadable);
	else if (whole || (walk->poll && root->poll_all))
		watch_root_fine(root);
}

static void start_next(struct watch_root *root)
{
	if (root->whole_wanted || root->wishes) {
		if (!root->scan_tick.armed)
			watch_clock_set(&root->w->clock, &root->scan_tick, watch_now());
	}
	if ((root->poll_all || root->tops.count > 0) && root->opts.poll != CW_WATCH_POLL_NEVER &&
	    !root->poll_tick.armed)
		watch_clock_set(&root->w->clock, &root->poll_tick,
				watch_now() + root->opts.poll_ms);
}

/* Takes the walk out of the root, frees it, and lets the next one start. */
static void finish(struct watch_walk *walk)
{
	struct watch_root *root = walk->root;
	struct cw_watcher *w = root->w;
	bool cut = atomic_load(&walk->stop);

	watch_clock_unset(&w->clock, &walk->tick);
	root->walk = NULL;
	if (watch_root_alive(root)) {
		w->stats.unreadable += walk->unreadable;
		if (!cut) {
			watch_snap_sweep(root, walk);
			if (!walk->poll && !walk->broken)
				watch_tree_sweep(root, walk->prefix, root->generation);
		}
		if (!walk->poll && w->ev.scan_end)
			w->ev.scan_end(w->ctx, root->name, walk->prefix, !cut);
		if (watch_root_alive(root) && !cut && root->real)
			judge(walk);
		if (watch_root_alive(root) && root->real)
			start_next(root);
	}
	watch_walk_free(walk);
}

static void walked(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct watch_walk *walk = (struct watch_walk *)job;
	struct watch_root *root = walk->root;
	struct cw_watcher *w = root->w;

	(void)err;
	watch_reap(w);
	if (ret < 0)
		atomic_store(&walk->stop, true);
	for (size_t i = 0; i < walk->entry_count; i++) {
		if (!watch_root_alive(root) || atomic_load(&walk->stop))
			break;
		take_entry(walk, &walk->entries[i]);
	}
	w->stats.skipped += walk->skipped;
	walk->skipped = 0;
	walk->entry_count = 0;
	cw_buf_clear(&walk->paths);
	if (!watch_root_alive(root) || atomic_load(&walk->stop) || watch_walk_finished(walk))
		finish(walk);
	else
		step(walk);
	watch_root_unref(root);
	watch_clock_restart(w);
	watch_try_free(w);
}

static void step(struct watch_walk *walk)
{
	struct watch_root *root = walk->root;
	struct cw_watcher *w = root->w;

	if (w->stats.settling > SETTLING_MAX + root->locked ||
	    (!walk->poll && w->ev.scan_ready && !w->ev.scan_ready(w->ctx))) {
		if (watch_root_alive(root))
			watch_clock_set(&w->clock, &walk->tick, watch_now() + PAUSE_MS);
		return;
	}
	watch_submit(root, &walk->job);
}

static void resume(struct watch_tick *tick)
{
	struct watch_walk *walk =
		(struct watch_walk *)((char *)tick - offsetof(struct watch_walk, tick));

	if (atomic_load(&walk->stop))
		finish(walk);
	else
		step(walk);
}

static struct watch_walk *new_walk(struct watch_root *root, const char *prefix, bool poll)
{
	struct watch_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return NULL;
	walk->job.run = watch_walk_run;
	walk->job.done = walked;
	walk->root = root;
	walk->tick.fn = resume;
	walk->poll = poll;
	walk->prefix = strdup(prefix);
	walk->base = strdup(root->real);
	walk->dev = root->dev;
	walk->ino = root->ino;
	walk->max_depth = root->w->opts.max_depth;
	walk->hidden = root->w->opts.hidden;
	if (!walk->prefix || !walk->base) {
		watch_walk_free(walk);
		return NULL;
	}
	root->walk = walk;
	root->generation++;
	return walk;
}

static bool in_polled_part(const struct watch_root *root, const char *path)
{
	char at[CW_WATCH_PATH_MAX + 1];

	if (root->poll_all || watch_table_find(&root->tops, path) ||
	    watch_table_find(&root->tops, ""))
		return true;
	snprintf(at, sizeof(at), "%s", path);
	for (char *slash = strrchr(at, '/'); slash; slash = strrchr(at, '/')) {
		*slash = '\0';
		if (watch_table_find(&root->tops, at))
			return true;
	}
	return false;
}

void watch_scan_start(struct watch_root *root, const char *prefix, enum cw_watch_reason reason)
{
	struct cw_watcher *w = root->w;
	struct watch_walk *walk;

	/* What is under the prefix is tried again, so that a raised limit is noticed. */
	if (!prefix[0])
		watch_tops_clear(root, prefix);
	walk = new_walk(root, prefix, false);
	if (!walk) {
		watch_scan_ask(root, prefix, reason, 1000);
		return;
	}
	walk->reason = reason;
	w->stats.scans++;
	if (w->ev.scan_begin)
		w->ev.scan_begin(w->ctx, root->name, prefix, reason);
	if (!watch_root_alive(root)) {
		finish(walk);
		return;
	}
	enter_dir(walk, walk->prefix, in_polled_part(root, walk->prefix));
	step(walk);
}

void watch_scan_tick(struct watch_tick *tick)
{
	struct watch_root *root =
		(struct watch_root *)((char *)tick - offsetof(struct watch_root, scan_tick));
	struct watch_wish *wish = root->wishes;

	if (root->walk || root->probing || !root->real)
		return; /* asked again when that is over */
	if (root->whole_wanted) {
		root->whole_wanted = false;
		clear_wishes(root);
		watch_root_examine(root, root->whole_reason);
	} else if (wish) {
		root->wishes = wish->next;
		root->wish_count--;
		if (!root->wishes)
			root->wishes_end = &root->wishes;
		watch_scan_start(root, wish->prefix, wish->reason);
		free(wish);
	}
}

static void poll_top(struct watch_key *key, void *ctx)
{
	struct watch_walk *walk = ctx;

	walk->unwatched++;
	if (watch_walk_push(walk, strdup(key->path), true) < 0)
		fail_walk(walk, key->path, ENOMEM);
}

/* Is there room for watches again? */
static bool limit_was_raised(struct watch_root *root)
{
	struct cw_watcher *w = root->w;

	if (root->poll_all && !root->network && root->opts.poll == CW_WATCH_POLL_AUTO)
		return w->fd >= 0 || watch_inotify_open(w, NULL) == CW_OK;
	for (size_t i = 0; root->tops.slots && i <= root->tops.mask; i++)
		if (root->tops.slots[i]) {
			enum watch_added added = watch_tree_add(root, root->tops.slots[i]->path);

			return added == WATCH_ADDED || added == WATCH_KNOWN;
		}
	return false;
}

void watch_poll_tick(struct watch_tick *tick)
{
	struct watch_root *root =
		(struct watch_root *)((char *)tick - offsetof(struct watch_root, poll_tick));

	if (root->walk || root->probing || !root->real || root->whole_wanted)
		return; /* armed again when that is over */
	if (limit_was_raised(root)) {
		watch_scan_ask(root, "", CW_WATCH_SCAN_RETURNED, 0);
		return;
	}
	struct watch_walk *walk = new_walk(root, "", true);

	if (!walk) {
		watch_clock_set(&root->w->clock, tick, watch_now() + root->opts.poll_ms);
		return;
	}
	root->w->stats.polls++;
	if (root->poll_all)
		enter_dir(walk, "", true);
	else
		watch_table_each(&root->tops, poll_top, walk);
	step(walk);
}
