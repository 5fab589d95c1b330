#include "clausewatch/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch/internal.h"

void cw_watch_opts_init(struct cw_watch_opts *opts)
{
	*opts = (struct cw_watch_opts){
		.settle_ms = 400,
		.settle_max_ms = 5000,
		.lock_max_ms = 60000,
		.reconcile_s = 21600,
		.retry_ms = 1000,
		.walk_jobs = 2,
		.max_depth = 64,
	};
}

const char *cw_watch_reason_name(enum cw_watch_reason reason)
{
	static const char *const names[] = {
		[CW_WATCH_SCAN_START] = "start",       [CW_WATCH_SCAN_NEW] = "new",
		[CW_WATCH_SCAN_OVERFLOW] = "overflow", [CW_WATCH_SCAN_RECONCILE] = "reconcile",
		[CW_WATCH_SCAN_RETURNED] = "returned", [CW_WATCH_SCAN_ASKED] = "asked",
	};

	return reason < sizeof(names) / sizeof(*names) ? names[reason] : "unknown";
}

char *watch_join(const char *dir, const char *name)
{
	char *path;

	if (!name[0])
		return strdup(dir);
	return asprintf(&path, "%s%s%s", dir, strcmp(dir, "/") == 0 ? "" : "/", name) < 0 ? NULL
											  : path;
}

static void reap(struct cw_watcher *w)
{
	while (w->dead_nodes) {
		struct watch_node *node = w->dead_nodes;

		w->dead_nodes = node->next;
		free(node);
	}
	while (w->dead_roots) {
		struct watch_root *root = w->dead_roots;

		w->dead_roots = root->next;
		watch_root_free(root);
	}
}

void watch_reap(struct cw_watcher *w)
{
	/* A close from a callback ends queued jobs at once, below the one that called back. */
	if (!w->closing)
		reap(w);
}

bool watch_try_free(struct cw_watcher *w)
{
	if (!w->closing || w->handles > 0 || !cw_jobs_idle(&w->jobs))
		return false;
	reap(w);
	watch_table_release(&w->wds);
	free(w);
	return true;
}

void watch_submit(struct watch_root *root, struct cw_job *job)
{
	root->refs++;
	if (cw_jobs_submit(&root->w->jobs, job, NULL) < 0)
		abort(); /* nothing is submitted after close */
}

static void on_clock(uv_timer_t *timer)
{
	struct cw_watcher *w = timer->data;
	uint64_t now = watch_now();
	struct watch_tick *tick;

	watch_reap(w);
	while (!w->closing && (tick = watch_clock_take(&w->clock, now)))
		tick->fn(tick);
	for (struct watch_root *root = w->roots; root && !w->closing; root = root->next)
		watch_settle_start(root);
	watch_clock_restart(w);
}

void watch_clock_restart(struct cw_watcher *w)
{
	if (!w->closing)
		watch_clock_start(&w->clock, on_clock);
}

static size_t read_limit(const char *path)
{
	unsigned long value = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return 0;
	if (fscanf(f, "%lu", &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

/* The second is that of a user namespace; either may be hidden from a sandboxed service. */
static size_t watch_limit(void)
{
	size_t system = read_limit("/proc/sys/fs/inotify/max_user_watches");
	size_t space = read_limit("/proc/sys/user/max_inotify_watches");

	return space > 0 && (system == 0 || space < system) ? space : system;
}

int cw_watcher_open(uv_loop_t *loop, const struct cw_watch_opts *opts,
		    const struct cw_watch_events *events, void *ctx,
		    struct cw_watcher **out_watcher, struct cw_error *err)
{
	struct cw_watcher *w = calloc(1, sizeof(*w));

	if (!w)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	w->loop = loop;
	w->fd = -1;
	cw_watch_opts_init(&w->opts);
	if (opts)
		w->opts = *opts;
	if (w->opts.max_depth > 256)
		w->opts.max_depth = 256;
	w->ev = *events;
	w->ctx = ctx;
	cw_jobs_init(&w->jobs, loop, w->opts.walk_jobs);
	w->stats.watch_limit = watch_limit();
	int rc = uv_timer_init(loop, &w->clock.timer);
	if (rc < 0) {
		free(w);
		return cw_fail(err, CW_EIO, "timer: %s", uv_strerror(rc));
	}
	w->clock.timer.data = w;
	w->handles++;
	int ret = watch_inotify_open(w, err);
	if (ret < 0 && ret != CW_EFULL) {
		cw_watcher_close(w);
		return ret;
	}
	if (err)
		*err = (struct cw_error){ 0 };
	*out_watcher = w;
	return CW_OK;
}

static struct watch_root *find_root(const struct cw_watcher *w, const char *name)
{
	for (struct watch_root *root = w->roots; root; root = root->next)
		if (strcmp(root->name, name) == 0)
			return root;
	return NULL;
}

static int check_path(const struct cw_watcher *w, const char *name, const char *path,
		      struct cw_error *err)
{
	struct stat st, other;

	if (path[0] != '/')
		return cw_fail(err, CW_EINVAL, "root '%s': '%s' is not an absolute path", name,
			       path);
	if (find_root(w, name))
		return cw_fail(err, CW_EINVAL, "root '%s' is watched already", name);
	for (struct watch_root *root = w->roots; root; root = root->next)
		if (strcmp(root->path, path) == 0)
			return cw_fail(err, CW_EINVAL, "root '%s': '%s' is watched already as '%s'",
				       name, path, root->name);
	if (stat(path, &st) < 0)
		return CW_OK;
	if (!S_ISDIR(st.st_mode))
		return cw_fail(err, CW_EINVAL, "root '%s': '%s' is not a directory", name, path);
	for (struct watch_root *root = w->roots; root; root = root->next)
		if (stat(root->path, &other) == 0 && other.st_dev == st.st_dev &&
		    other.st_ino == st.st_ino)
			return cw_fail(err, CW_EINVAL, "root '%s': '%s' is the directory of '%s'",
				       name, path, root->name);
	return CW_OK;
}

int cw_watcher_add_root(struct cw_watcher *w, const char *name, const char *path,
			const struct cw_watch_root_opts *opts, struct cw_error *err)
{
	struct watch_root **end = &w->roots;
	int ret = check_path(w, name, path, err);

	if (ret < 0)
		return ret;
	struct watch_root *root = watch_root_new(w, name, path, opts);
	if (!root)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	while (*end)
		end = &(*end)->next;
	*end = root;
	w->stats.roots++;
	if (w->opts.reconcile_s > 0)
		watch_clock_set(&w->clock, &root->reconcile_tick,
				watch_now() + (uint64_t)w->opts.reconcile_s * 1000);
	watch_root_examine(root, CW_WATCH_SCAN_START);
	watch_clock_restart(w);
	return CW_OK;
}

int cw_watcher_remove_root(struct cw_watcher *w, const char *name, struct cw_error *err)
{
	struct watch_root *root = find_root(w, name), **at = &w->roots;

	if (!root)
		return cw_fail(err, CW_ENOTFOUND, "no root '%s'", name);
	while (*at != root)
		at = &(*at)->next;
	*at = root->next;
	w->stats.roots--;
	watch_root_remove(root);
	return CW_OK;
}

int cw_watcher_rescan(struct cw_watcher *w, const char *name, struct cw_error *err)
{
	if (name && !find_root(w, name))
		return cw_fail(err, CW_ENOTFOUND, "no root '%s'", name);
	for (struct watch_root *root = w->roots; root; root = root->next)
		if ((!name || strcmp(root->name, name) == 0) && root->real)
			watch_scan_ask(root, "", CW_WATCH_SCAN_ASKED, 0);
	watch_clock_restart(w);
	return CW_OK;
}

int cw_watcher_look(struct cw_watcher *w, const char *name, const char *path, struct cw_error *err)
{
	struct watch_root *root = find_root(w, name);

	if (!root)
		return cw_fail(err, CW_ENOTFOUND, "no root '%s'", name);
	if (root->real)
		watch_settle_look(root, path);
	watch_clock_restart(w);
	return CW_OK;
}

static void on_closed(uv_handle_t *handle)
{
	struct cw_watcher *w = handle->data;

	w->handles--;
	watch_try_free(w);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct cw_watcher *w = handle->data;

	close(w->fd);
	w->fd = -1;
	on_closed(handle);
}

void cw_watcher_close(struct cw_watcher *w)
{
	if (!w || w->closing)
		return;
	w->closing = true;
	while (w->roots) {
		struct watch_root *root = w->roots;

		w->roots = root->next;
		watch_root_remove(root);
	}
	cw_jobs_stop(&w->jobs);
	if (w->fd >= 0)
		uv_close((uv_handle_t *)&w->poll, on_poll_closed);
	uv_close((uv_handle_t *)&w->clock.timer, on_closed);
}

void cw_watcher_stats(const struct cw_watcher *w, struct cw_watch_stats *out)
{
	*out = w->stats;
}

static const char *backend(const struct watch_root *root)
{
	if (!root->real)
		return "missing";
	if (root->poll_all)
		return "poll";
	return root->tops.count > 0 ? "inotify+poll" : "inotify";
}

int cw_watcher_root_stats(const struct cw_watcher *w, size_t index, struct cw_watch_root_stats *out)
{
	const struct watch_root *root = w->roots;

	while (root && index-- > 0)
		root = root->next;
	if (!root)
		return CW_ENOTFOUND;
	*out = (struct cw_watch_root_stats){
		.name = root->name,
		.path = root->path,
		.backend = backend(root),
		.degraded = root->trouble != WATCH_FINE,
		.message = root->trouble != WATCH_FINE ? root->message.msg : "",
		.directories = root->nodes.count,
		.polled_files = root->snaps.count,
		.scanning = root->walk && !root->walk->poll,
	};
	return CW_OK;
}
