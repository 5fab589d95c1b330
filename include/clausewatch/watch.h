/** @file
 * Watching folders: one inotify descriptor for many trees, settling, and polling where
 * inotify cannot see (network mounts) or may not (watch limit).
 *
 * Everything is called, and calls back, on the loop thread; directories are listed and files
 * looked at in jobs off the loop.  Paths are relative to their root, bytes as the kernel gave
 * them (spaces, newlines, invalid UTF-8), NUL-terminated, without leading or trailing slash.
 *
 * What is never reported: names that start with a dot (unless opts.hidden), version control
 * directories, temporary, backup and lock files of editors, anything that is not a regular
 * file, and symbolic links, wherever they point: a link's target is reported under its own
 * path if it lies inside a root, and is not our business if it lies outside.
 *
 * A root that is missing or unmounted is degraded; its files are not reported gone.  When it
 * is back it is scanned, and the owner finds what is missing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "clausewatch/error.h"

/** Longer relative paths are not entered, and counted in cw_watch_stats.skipped. */
#define CW_WATCH_PATH_MAX 4000

struct cw_watcher;

/** Fill with cw_watch_opts_init(), then change what you need. */
struct cw_watch_opts {
	unsigned settle_ms; /**< quiet time before a file is reported (400) */
	unsigned settle_max_ms; /**< a file written without pause is reported this often (5000) */
	unsigned lock_max_ms; /**< longest wait for an editor's lock file to go (60000); 0: none */
	unsigned reconcile_s; /**< seconds between scans made for safety (21600); 0: never */
	unsigned retry_ms; /**< how often a missing root is looked for (1000) */
	unsigned walk_jobs; /**< pool threads used at most (2) */
	unsigned max_depth; /**< directories below the root that are entered (64) */
	bool hidden; /**< report names that start with a dot (false) */
};

void cw_watch_opts_init(struct cw_watch_opts *opts);

enum cw_watch_poll {
	CW_WATCH_POLL_AUTO, /**< poll network mounts, FUSE, and what the watch limit leaves out */
	CW_WATCH_POLL_ALWAYS,
	CW_WATCH_POLL_NEVER, /**< inotify even on network mounts; past the watch limit: degraded */
};

/** All zero is valid: everything is wanted, poll automatically, every 30 s. */
struct cw_watch_root_opts {
	/** Loop thread.  False: leave this file out, or do not enter this directory. */
	bool (*wanted)(void *ctx, const char *path, bool is_dir);
	void *wanted_ctx;
	enum cw_watch_poll poll;
	unsigned poll_ms; /**< 0: 30000 */
};

/** Valid during the callback only. */
struct cw_watch_file {
	const char *root; /**< the name given to cw_watcher_add_root() */
	const char *path;
	uint64_t size;
	int64_t mtime_ns;
	uint64_t ino;
	bool being_edited; /**< an editor still held its lock file after lock_max_ms */
};

enum cw_watch_reason {
	CW_WATCH_SCAN_START, /**< the root was added */
	CW_WATCH_SCAN_NEW, /**< a directory was made or moved here */
	CW_WATCH_SCAN_OVERFLOW, /**< the kernel dropped events */
	CW_WATCH_SCAN_RECONCILE, /**< for safety, every reconcile_s */
	CW_WATCH_SCAN_RETURNED, /**< a missing root or directory is back */
	CW_WATCH_SCAN_ASKED, /**< cw_watcher_rescan() */
};

const char *cw_watch_reason_name(enum cw_watch_reason reason);

/**
 * What the owner hears.  Any member may be NULL.  Every callback may call any function of this
 * header, cw_watcher_close() too: nothing is called after that.
 */
struct cw_watch_events {
	/** Written, and quiet since.  May come again for the same bytes: compare hashes. */
	void (*changed)(void *ctx, const struct cw_watch_file *file);
	/** A file, or a directory with all that was in it.  May name what was never reported. */
	void (*gone)(void *ctx, const char *root, const char *path, bool is_dir);
	/** A listing of `prefix` ("" is the whole root) starts; one at a time for each root. */
	void (*scan_begin)(void *ctx, const char *root, const char *prefix,
			   enum cw_watch_reason reason);
	/**
	 * A file in the listing.  Return true if it is not what you know: changed() follows
	 * when it has settled.  Without this callback changed() follows for every file.
	 */
	bool (*scan_file)(void *ctx, const struct cw_watch_file *file);
	/**
	 * @param complete  true: call cw_watcher_look() for each file below prefix that you know
	 *                  and was not listed; gone() follows for those that really are.  False:
	 *                  the scan was cut short; conclude nothing, another follows.
	 */
	void (*scan_end)(void *ctx, const char *root, const char *prefix, bool complete);
	/** False: wait before listing more, the owner has enough to do. */
	bool (*scan_ready)(void *ctx);
	/** Less is seen than asked for; the message says why and what to do.  Once for a state. */
	void (*degraded)(void *ctx, const char *root, const char *message);
	void (*restored)(void *ctx, const char *root, const char *message);
};

/**
 * @param opts    copied; NULL for the defaults
 * @param events  copied; ctx is handed to each
 * @return CW_OK; CW_ENOMEM, CW_EIO.  No inotify instance left is not an error: roots are polled
 *         and degraded() tells.  *out_watcher is set only on success.
 */
int cw_watcher_open(uv_loop_t *loop, const struct cw_watch_opts *opts,
		    const struct cw_watch_events *events, void *ctx,
		    struct cw_watcher **out_watcher, struct cw_error *err);

/**
 * Watch a tree.  The scan for CW_WATCH_SCAN_START follows from the loop.  A missing directory is
 * no error: the root is degraded until it appears.
 *
 * @param name  unique; copied, as are path (absolute) and opts (NULL for the defaults)
 * @return CW_OK; CW_EINVAL (name or directory is watched already, path is not absolute or is
 *         a file), CW_ENOMEM
 */
int cw_watcher_add_root(struct cw_watcher *w, const char *name, const char *path,
			const struct cw_watch_root_opts *opts, struct cw_error *err);

/** Forget a root; nothing is reported for it any more.  CW_ENOTFOUND if there is none. */
int cw_watcher_remove_root(struct cw_watcher *w, const char *name, struct cw_error *err);

/** List a root again (CW_WATCH_SCAN_ASKED), or all if name is NULL. */
int cw_watcher_rescan(struct cw_watcher *w, const char *name, struct cw_error *err);

/**
 * Look at a path now: gone(), or changed() when it has settled, or nothing if it cannot be told
 * (unreadable directory, missing root).  CW_ENOTFOUND if there is no such root.
 */
int cw_watcher_look(struct cw_watcher *w, const char *name, const char *path, struct cw_error *err);

/** Stop now, free later from the loop.  NULL and a second call do nothing. */
void cw_watcher_close(struct cw_watcher *w);

struct cw_watch_stats {
	size_t roots;
	size_t directories; /**< watched by inotify */
	size_t watch_limit; /**< fs.inotify.max_user_watches, 0 if unknown */
	size_t polled_files; /**< in snapshots of polled directories */
	size_t settling; /**< files waiting to be quiet */
	uint64_t overflows;
	uint64_t scans; /**< listings made, whatever the reason; polls are not counted */
	uint64_t polls;
	uint64_t skipped; /**< too long or too deep, counted at each listing */
	uint64_t unreadable; /**< directories that could not be listed, counted at each listing */
};

void cw_watcher_stats(const struct cw_watcher *w, struct cw_watch_stats *out);

struct cw_watch_root_stats {
	const char *name; /**< pointers: until the loop runs again */
	const char *path;
	const char *backend; /**< "inotify", "poll", "inotify+poll" or "missing" */
	bool degraded;
	const char *message; /**< why degraded, "" otherwise */
	size_t directories;
	size_t polled_files;
	bool scanning;
};

/** @param index  0 .. roots - 1, in the order they were added; @return CW_ENOTFOUND beyond */
int cw_watcher_root_stats(const struct cw_watcher *w, size_t index,
			  struct cw_watch_root_stats *out);
