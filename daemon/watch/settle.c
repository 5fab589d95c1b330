/*
 * A pending path goes through two quiet halves of settle_ms, each ended by a look:
 *
 *   event --> FIRST --look--> SECOND --look, same as the first--> no lock file --> reported
 *               ^                |                                  |
 *               +--- any event --+--- look differs: SECOND again    +-> LOCKED until the lock
 *                                                                       goes or lock_max_ms
 * settle_max_ms after the first event the next look is the last, whatever it shows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "watch/internal.h"
#include "watch/names.h"

#define BATCH ((size_t)256)

enum stage {
	FIRST,
	SECOND,
	LOCKED,
};

struct watch_pend {
	struct watch_key key;
	struct watch_tick tick;
	struct watch_root *root;
	struct watch_pend *next; /* due */
	enum stage stage;
	uint64_t since_ms; /* first event since the last report */
	uint64_t locked_ms; /* when a lock was first met, or 0 */
	struct watch_found found;
	bool seen; /* found is set */
	bool fresh; /* was not there before: nothing to report if it is gone again */
	bool is_dir; /* a directory went away */
	bool looking; /* in a job, which keeps it alive */
	bool dirty; /* an event came during the look */
	bool dropped;
	char path[];
};

struct item {
	struct watch_pend *pend;
	bool last; /* overdue: report whatever there is */
	bool want_lock;
	bool locked;
	int error;
	mode_t mode;
	struct watch_found found;
};

struct look {
	struct cw_job job;
	struct watch_root *root;
	char *base;
	uint64_t dev, ino;
	bool root_lost;
	size_t count;
	struct item items[BATCH];
};

static void on_due(struct watch_tick *tick);

static void set_stage(struct watch_pend *p, enum stage stage)
{
	if (p->stage == LOCKED)
		p->root->locked--;
	if (stage == LOCKED)
		p->root->locked++;
	p->stage = stage;
}

static void arm(struct watch_pend *p, uint64_t due_ms)
{
	watch_clock_set(&p->root->w->clock, &p->tick, due_ms);
}

static uint64_t deadline(const struct watch_pend *p)
{
	return p->since_ms + p->root->w->opts.settle_max_ms;
}

static void wait_quiet(struct watch_pend *p, enum stage stage)
{
	uint64_t due = watch_now() + (p->root->w->opts.settle_ms + 1) / 2;

	set_stage(p, stage);
	arm(p, due < deadline(p) ? due : deadline(p));
}

static struct watch_pend *pend_new(struct watch_root *root, const char *path)
{
	size_t len = strlen(path);
	struct watch_pend *p = calloc(1, sizeof(*p) + len + 1);

	if (!p || watch_table_reserve(&root->pends) < 0) {
		free(p);
		watch_scan_ask(root, "", CW_WATCH_SCAN_OVERFLOW, 1000);
		return NULL;
	}
	memcpy(p->path, path, len);
	p->root = root;
	p->tick.fn = on_due;
	p->since_ms = watch_now();
	p->key = (struct watch_key){ .hash = watch_hash(path), .path = p->path };
	watch_table_put(&root->pends, &p->key);
	root->w->stats.settling++;
	return p;
}

static void pend_unlink(struct watch_pend *p)
{
	struct watch_root *root = p->root;

	if (p->dropped)
		return;
	set_stage(p, FIRST);
	watch_clock_unset(&root->w->clock, &p->tick);
	watch_table_remove(&root->pends, &p->key);
	root->w->stats.settling--;
	p->dropped = true;
}

static void pend_drop(struct watch_pend *p)
{
	pend_unlink(p);
	if (!p->looking)
		free(p);
}

void watch_settle_event(struct watch_root *root, const char *path, bool is_dir, bool fresh)
{
	struct watch_pend *p = watch_table_find(&root->pends, path);

	if (!p) {
		p = pend_new(root, path);
		if (!p)
			return;
		p->fresh = fresh;
	}
	p->is_dir |= is_dir;
	if (p->stage == LOCKED)
		p->since_ms = watch_now();
	if (p->looking)
		p->dirty = true;
	else
		wait_quiet(p, FIRST);
}

static bool is_old(const struct watch_root *root, int64_t mtime_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return mtime_ns / 1000000 <
	       (int64_t)now.tv_sec * 1000 - (int64_t)root->w->opts.settle_max_ms;
}

void watch_settle_seen(struct watch_root *root, const char *path, const struct watch_found *found)
{
	if (watch_table_find(&root->pends, path))
		return;
	struct watch_pend *p = pend_new(root, path);

	if (!p)
		return;
	p->found = *found;
	p->seen = true;
	p->stage = SECOND;
	arm(p, watch_now() + (is_old(root, found->mtime_ns) ? 0 : root->w->opts.settle_ms));
}

void watch_settle_look(struct watch_root *root, const char *path)
{
	if (watch_table_find(&root->pends, path))
		return;
	struct watch_pend *p = pend_new(root, path);

	if (!p)
		return;
	p->stage = SECOND;
	arm(p, watch_now());
}

struct unlocking {
	const char *path;
	size_t dir_len;
};

static void unlock_one(struct watch_key *key, void *ctx)
{
	struct watch_pend *p = (struct watch_pend *)key;
	const struct unlocking *u = ctx;
	size_t dir_len = (size_t)(watch_base_name(p->path) - p->path);

	if (dir_len != u->dir_len || memcmp(p->path, u->path, dir_len) != 0)
		return;
	if (p->looking) {
		p->dirty = true;
	} else if (p->stage == LOCKED) {
		p->since_ms = watch_now();
		wait_quiet(p, SECOND);
	}
}

void watch_settle_unlocked(struct watch_root *root, const char *lock_path)
{
	struct unlocking u = { lock_path, (size_t)(watch_base_name(lock_path) - lock_path) };

	if (root->locked > 0 || root->looking)
		watch_table_each(&root->pends, unlock_one, &u);
}

static void clear_one(struct watch_key *key, void *ctx)
{
	(void)ctx;
	pend_drop((struct watch_pend *)key);
}

void watch_settle_clear(struct watch_root *root)
{
	/* Due ones wait in a list of their own: take them out before they are freed. */
	while (root->due) {
		struct watch_pend *p = root->due;

		root->due = p->next;
		p->looking = false;
	}
	root->due_end = &root->due;
	watch_table_each(&root->pends, clear_one, NULL);
}

static void on_due(struct watch_tick *tick)
{
	struct watch_pend *p =
		(struct watch_pend *)((char *)tick - offsetof(struct watch_pend, tick));

	p->looking = true;
	p->next = NULL;
	*p->root->due_end = p;
	p->root->due_end = &p->next;
}

/* Job */
static bool has_lock(const char *full)
{
	char lock[1024];
	struct stat st;
	const char *name = watch_base_name(full);
	size_t dir_len = (size_t)(name - full);
	char *path = malloc(dir_len + sizeof(lock));
	bool found = false;

	if (!path)
		return false;
	memcpy(path, full, dir_len);
	for (size_t i = 0; !found && watch_lock_name(name, i, lock, sizeof(lock)); i++) {
		memcpy(path + dir_len, lock, strlen(lock) + 1);
		found = lstat(path, &st) == 0;
	}
	free(path);
	return found;
}

static int look_at(struct item *item, const char *base)
{
	struct stat st;
	char *full = watch_join(base, item->pend->path);

	if (!full)
		return ENOMEM;
	int error = lstat(full, &st) < 0 ? errno : 0;

	if (!error) {
		item->mode = st.st_mode;
		watch_found_from(&item->found, &st);
		item->locked = item->want_lock && has_lock(full);
	}
	free(full);
	return error;
}

static bool is_missing(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

static int run_look(struct cw_job *job, struct cw_error *err)
{
	struct look *look = (struct look *)job;
	struct stat st;
	bool missing = false;

	(void)err;
	for (size_t i = 0; i < look->count; i++) {
		look->items[i].error = look_at(&look->items[i], look->base);
		missing |= is_missing(look->items[i].error);
	}
	/* A file is gone only if the root it was in is still there. */
	if (missing &&
	    (lstat(look->base, &st) < 0 || st.st_dev != look->dev || st.st_ino != look->ino))
		look->root_lost = true;
	return CW_OK;
}

static void report_changed(struct watch_pend *p, bool edited, bool again)
{
	struct watch_root *root = p->root;
	struct cw_watcher *w = root->w;
	struct cw_watch_file file = { .root = root->name,
				      .path = p->path,
				      .size = p->found.size,
				      .mtime_ns = p->found.mtime_ns,
				      .ino = p->found.ino,
				      .being_edited = edited };

	pend_unlink(p);
	if (w->ev.changed)
		w->ev.changed(w->ctx, &file);
	if (again && watch_root_alive(root) && root->real)
		watch_settle_event(root, p->path, false, false);
	free(p);
}

static void report_gone(struct watch_pend *p)
{
	struct watch_root *root = p->root;
	struct cw_watcher *w = root->w;
	bool silent = p->fresh && !p->is_dir;

	pend_unlink(p);
	if (!silent && w->ev.gone)
		w->ev.gone(w->ctx, root->name, p->path, p->is_dir);
	free(p);
}

/* Is somebody editing, and is it worth waiting? */
static bool wait_for_lock(struct watch_pend *p)
{
	const struct watch_root *root = p->root;
	uint64_t now = watch_now(), max = root->w->opts.lock_max_ms;

	if (!p->locked_ms)
		p->locked_ms = now;
	if (now >= p->locked_ms + max)
		return false;
	uint64_t due = p->locked_ms + max;

	set_stage(p, LOCKED);
	/* No event tells that a lock went when nothing watches. */
	if (root->poll_all || root->tops.count > 0) {
		uint64_t again = now + root->opts.poll_ms;

		due = again < due ? again : due;
	}
	arm(p, due);
	return true;
}

static void judge_file(struct watch_pend *p, const struct item *item)
{
	bool same = p->seen && watch_found_equal(&p->found, &item->found);
	bool dirty = p->dirty;

	p->found = item->found;
	p->seen = true;
	p->dirty = false;
	if (!item->last) {
		if (dirty) {
			wait_quiet(p, FIRST);
			return;
		}
		if (p->stage == FIRST || !same) {
			wait_quiet(p, SECOND);
			return;
		}
	}
	if (item->locked && wait_for_lock(p))
		return;
	report_changed(p, item->locked, dirty);
}

/* A directory went away, and now there is something of that name. */
static void judge_dir(struct watch_pend *p, const struct item *item)
{
	struct watch_root *root = p->root;

	if (S_ISDIR(item->mode)) {
		watch_dir_appeared(root, p->path);
		pend_drop(p);
		return;
	}
	p->looking = true;
	if (root->w->ev.gone)
		root->w->ev.gone(root->w->ctx, root->name, p->path, true);
	p->looking = false;
	if (p->dropped || !watch_root_alive(root)) {
		pend_drop(p);
		return;
	}
	p->is_dir = false;
	wait_quiet(p, FIRST);
}

static void judge(struct watch_pend *p, const struct item *item)
{
	struct watch_root *root = p->root;

	if (is_missing(item->error) && p->dirty && !item->last) {
		p->dirty = false;
		wait_quiet(p, FIRST);
	} else if (is_missing(item->error)) {
		report_gone(p);
	} else if (item->error) {
		/* Neither there nor gone: the next listing tries again. */
		root->w->stats.unreadable++;
		pend_drop(p);
	} else if (p->is_dir) {
		judge_dir(p, item);
	} else if (!S_ISREG(item->mode)) {
		report_gone(p);
	} else {
		judge_file(p, item);
	}
}

static void looked(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct look *look = (struct look *)job;
	struct watch_root *root = look->root;
	struct cw_watcher *w = root->w;

	(void)err;
	watch_reap(w);
	root->looking = false;
	/* Whatever happens in a callback, looking keeps those that were not judged yet. */
	if (look->root_lost && watch_root_alive(root) && root->real)
		watch_root_lost(root, "it is gone, or another directory has taken its place");
	for (size_t i = 0; i < look->count; i++) {
		struct watch_pend *p = look->items[i].pend;

		p->looking = false;
		if (p->dropped || ret < 0 || !watch_root_alive(root))
			pend_drop(p);
		else
			judge(p, &look->items[i]);
	}
	free(look->base);
	free(look);
	if (watch_root_alive(root))
		watch_settle_start(root);
	watch_root_unref(root);
	watch_clock_restart(w);
	watch_try_free(w);
}

void watch_settle_start(struct watch_root *root)
{
	uint64_t now = watch_now();

	if (root->looking || !root->due || !root->real)
		return;
	struct look *look = calloc(1, sizeof(*look));
	char *base = strdup(root->real);

	if (!look || !base) {
		free(look);
		free(base);
		return; /* the next tick of any file tries again */
	}
	look->base = base;
	look->root = root;
	look->dev = root->dev;
	look->ino = root->ino;
	while (root->due && look->count < BATCH) {
		struct watch_pend *p = root->due;
		bool last = p->stage != LOCKED && now >= deadline(p);

		root->due = p->next;
		look->items[look->count++] = (struct item){
			.pend = p,
			.last = last,
			.want_lock = root->w->opts.lock_max_ms > 0 && (last || p->stage != FIRST),
		};
	}
	if (!root->due)
		root->due_end = &root->due;
	root->looking = true;
	look->job.run = run_look;
	look->job.done = looked;
	watch_submit(root, &look->job);
}
