/** @file
 * What the files of this room share.  Loop thread only, but for the run() of jobs.
 *
 * An event of the kernel or a difference found by a listing makes a path *pending* (settle.c).
 * A pending path is looked at twice in jobs, and then reported as changed or gone.  State is
 * kept for each directory (tree.c), for each pending path, and for each file of a polled
 * directory (snapshot.c); what exists is known by listing (listing.c off the loop, scan.c on it).
 *
 * Memory that a caller further up the stack may still hold (directories, roots) is put aside
 * and freed by watch_reap(), which only entry points from the loop call.
 */
#pragma once

#include <dirent.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "clausewatch/buf.h"
#include "clausewatch/job.h"
#include "clausewatch/watch.h"
#include "watch/clock.h"
#include "watch/table.h"

struct watch_root;

/* A directory that has an inotify watch. */
struct watch_node {
	struct watch_key key; /* by path, in root->nodes */
	struct watch_key wd_key; /* in w->wds; two paths to one directory share a watch */
	struct watch_root *root;
	struct watch_node *parent, *child, *next, *prev;
	uint32_t seen; /* generation of the last listing that met it */
	bool dropped;
	char path[];
};

enum watch_trouble {
	WATCH_FINE,
	WATCH_MISSING,
	WATCH_NO_INSTANCE,
	WATCH_LIMIT,
	WATCH_UNREADABLE,
};

struct watch_found {
	uint64_t size;
	int64_t mtime_ns;
	uint64_t ino;
};

/* What an examination of a root's path found. */
struct watch_probe {
	struct cw_job job;
	struct watch_root *root;
	enum cw_watch_reason reason;
	char *path;
	char *real; /* NULL: missing, error says why */
	uint64_t dev, ino;
	bool network;
	bool mount_point;
	int error; /* errno */
};

struct watch_wish {
	struct watch_wish *next;
	enum cw_watch_reason reason;
	char prefix[];
};

struct watch_root {
	struct cw_watcher *w;
	struct watch_root *next;
	char *name, *path;
	struct cw_watch_root_opts opts;
	unsigned refs; /* jobs under way, and one for the list of roots */
	bool removed;

	char *real; /* canonical path; NULL while missing */
	uint64_t dev, ino;
	bool network, poll_all;
	bool unmounted; /* what is below the mount point now is not the root */
	bool probing;

	struct watch_tick scan_tick, retry_tick, poll_tick, reconcile_tick;
	struct watch_walk *walk;
	bool whole_wanted;
	enum cw_watch_reason whole_reason;
	struct watch_wish *wishes, **wishes_end;
	size_t wish_count;
	uint32_t generation; /* of listings */
	uint64_t overflow_ms; /* last time */
	unsigned backoff_ms;

	struct watch_table nodes, pends, snaps;
	struct watch_table tops; /* where unwatched, polled subtrees begin */
	size_t unwatched; /* directories, at the last listing */
	size_t locked; /* pending paths that wait for a lock */

	struct watch_pend *due, **due_end;
	bool looking;

	enum watch_trouble trouble;
	struct cw_error message;
};

struct cw_watcher {
	uv_loop_t *loop;
	struct cw_watch_opts opts;
	struct cw_watch_events ev;
	void *ctx;
	int fd; /* -1: no inotify instance */
	uv_poll_t poll;
	struct watch_clock clock;
	struct cw_jobs jobs;
	unsigned handles;
	bool closing;
	struct watch_root *roots, *dead_roots;
	struct watch_node *dead_nodes;
	struct watch_table wds;
	struct cw_watch_stats stats;
};

/* listing.c: directories read off the loop */

enum watch_entry_kind {
	WATCH_ENTRY_FILE,
	WATCH_ENTRY_DIR,
	WATCH_ENTRY_FAILED, /* the directory could not be listed, error says why */
};

struct watch_entry {
	enum watch_entry_kind kind;
	bool polled; /* it, or the directory it is in, has no watch */
	int error;
	size_t path; /* offset in watch_walk.paths */
	struct watch_found found;
};

struct watch_todo {
	char *path;
	bool polled;
};

/* A listing under way: in a job, or between two, never both. */
struct watch_walk {
	struct cw_job job;
	struct watch_root *root;
	struct watch_tick tick;
	char *prefix;
	enum cw_watch_reason reason;
	bool poll; /* compare with snapshots; the owner hears of differences only */
	size_t unwatched; /* directories met that have no watch */
	bool broken; /* a part is missing from the listing, or it was cut short */
	size_t unreadable;
	char first_unreadable[256];
	char **failed; /* directories whose snapshots stay */
	size_t failed_count, failed_cap;

	char *base;
	uint64_t dev, ino;
	unsigned max_depth;
	bool hidden;
	atomic_bool stop;
	struct watch_todo *todo;
	size_t todo_count, todo_cap;
	struct watch_todo at; /* the directory being read */
	DIR *dir;
	struct watch_entry *entries;
	size_t entry_count, entry_cap;
	struct cw_buf paths;
	size_t skipped;
};

/** Takes path, also on failure. */
int watch_walk_push(struct watch_walk *walk, char *path, bool polled);
/** Job: fill entries with the next part. */
int watch_walk_run(struct cw_job *job, struct cw_error *err);
bool watch_walk_finished(const struct watch_walk *walk);
void watch_walk_free(struct watch_walk *walk);
bool watch_too_deep(const char *path, unsigned max_depth);
void watch_found_from(struct watch_found *found, const struct stat *st);
bool watch_found_equal(const struct watch_found *a, const struct watch_found *b);

/* scan.c: listings on the loop */

/** List prefix when it is the turn; "" is the whole root, which is examined first. */
void watch_scan_ask(struct watch_root *root, const char *prefix, enum cw_watch_reason reason,
		    uint64_t delay_ms);
void watch_scan_tick(struct watch_tick *tick);
void watch_poll_tick(struct watch_tick *tick);
/** Cut the listing short and forget those asked for. */
void watch_scan_stop(struct watch_root *root);
void watch_scan_start(struct watch_root *root, const char *prefix, enum cw_watch_reason reason);

/* tree.c: directories with watches */

enum watch_added {
	WATCH_ADDED, /* watched now, was not before */
	WATCH_KNOWN, /* watched before: the same directory */
	WATCH_UNWATCHED, /* no watch to be had: to be polled */
	WATCH_REFUSED, /* may not be read */
	WATCH_VANISHED,
};

enum watch_added watch_tree_add(struct watch_root *root, const char *path);
struct watch_node *watch_tree_find(const struct watch_root *root, const char *path);
/** With all below it. */
void watch_tree_drop(struct watch_node *node);
/** Drop what is below prefix and was not met by the listing of this generation. */
void watch_tree_sweep(struct watch_root *root, const char *prefix, uint32_t generation);
/** Remember the root of a subtree that has no watches. */
void watch_tops_add(struct watch_root *root, const char *path);
void watch_tops_clear(struct watch_root *root, const char *prefix);

/* snapshot.c: files of polled directories */

/** True if the file is new or not as it was. */
bool watch_snap_update(struct watch_root *root, const char *path, const struct watch_found *found);
/** Make pending what the walk should have met and did not. */
void watch_snap_sweep(struct watch_root *root, const struct watch_walk *walk);
void watch_snap_clear(struct watch_root *root);

/* settle.c */

/** Something happened to the path; fresh: it was made just now. */
void watch_settle_event(struct watch_root *root, const char *path, bool is_dir, bool fresh);
/** A listing met a file that the owner should hear of. */
void watch_settle_seen(struct watch_root *root, const char *path, const struct watch_found *found);
/** Look at it now, and report it as changed or gone. */
void watch_settle_look(struct watch_root *root, const char *path);
/** A lock file went away. */
void watch_settle_unlocked(struct watch_root *root, const char *lock_path);
void watch_settle_clear(struct watch_root *root);
/** Look at what became due. */
void watch_settle_start(struct watch_root *root);

/* inotify.c */

/** Open w->fd and its handle; CW_EFULL when no instance is left. */
int watch_inotify_open(struct cw_watcher *w, struct cw_error *err);
/** A directory is there that may not be watched yet. */
void watch_dir_appeared(struct watch_root *root, const char *path);

/* root.c */

/** May the owner still be called for this root? */
bool watch_root_alive(const struct watch_root *root);
bool watch_root_wants(struct watch_root *root, const char *path, bool is_dir);
struct watch_root *watch_root_new(struct cw_watcher *w, const char *name, const char *path,
				  const struct cw_watch_root_opts *opts);
void watch_root_unref(struct watch_root *root);
/** Stop all that it does; freed when its jobs are through. */
void watch_root_remove(struct watch_root *root);
void watch_root_free(struct watch_root *root);
/** Examine its path off the loop, then list it or wait for it to appear. */
void watch_root_examine(struct watch_root *root, enum cw_watch_reason reason);
/** Forget what is known and wait for it to come back. */
void watch_root_lost(struct watch_root *root, const char *why);
void watch_root_trouble(struct watch_root *root, enum watch_trouble trouble, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Trouble is over. */
void watch_root_fine(struct watch_root *root);

/* watch.c */

void watch_reap(struct cw_watcher *w);
/** Free the watcher if nothing is left of it; true if so. */
bool watch_try_free(struct cw_watcher *w);
void watch_clock_restart(struct cw_watcher *w);
/** Submit a job that holds the root; done() must call watch_root_unref(). */
void watch_submit(struct watch_root *root, struct cw_job *job);
char *watch_join(const char *dir, const char *name);
