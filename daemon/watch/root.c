#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "clausewatch/mount.h"
#include "watch/internal.h"
#include "watch/names.h"

#define POLL_MS 30000

bool watch_root_alive(const struct watch_root *root)
{
	return !root->removed && !root->w->closing;
}

bool watch_root_wants(struct watch_root *root, const char *path, bool is_dir)
{
	return !root->opts.wanted || root->opts.wanted(root->opts.wanted_ctx, path, is_dir);
}

static void retry(struct watch_tick *tick)
{
	struct watch_root *root =
		(struct watch_root *)((char *)tick - offsetof(struct watch_root, retry_tick));

	watch_root_examine(root, CW_WATCH_SCAN_RETURNED);
}

static void reconcile(struct watch_tick *tick)
{
	struct watch_root *root =
		(struct watch_root *)((char *)tick - offsetof(struct watch_root, reconcile_tick));

	if (root->real)
		watch_scan_ask(root, "", CW_WATCH_SCAN_RECONCILE, 0);
	watch_clock_set(&root->w->clock, tick,
			watch_now() + (uint64_t)root->w->opts.reconcile_s * 1000);
}

struct watch_root *watch_root_new(struct cw_watcher *w, const char *name, const char *path,
				  const struct cw_watch_root_opts *opts)
{
	struct watch_root *root = calloc(1, sizeof(*root));

	if (!root)
		return NULL;
	root->w = w;
	root->refs = 1;
	root->wishes_end = &root->wishes;
	root->due_end = &root->due;
	root->scan_tick.fn = watch_scan_tick;
	root->poll_tick.fn = watch_poll_tick;
	root->retry_tick.fn = retry;
	root->reconcile_tick.fn = reconcile;
	if (opts)
		root->opts = *opts;
	if (root->opts.poll_ms == 0)
		root->opts.poll_ms = POLL_MS;
	root->name = strdup(name);
	root->path = strdup(path);
	if (!root->name || !root->path) {
		watch_root_free(root);
		return NULL;
	}
	return root;
}

static void forget(struct watch_root *root)
{
	struct watch_node *top = watch_tree_find(root, "");

	watch_scan_stop(root);
	watch_clock_unset(&root->w->clock, &root->poll_tick);
	watch_settle_clear(root);
	watch_snap_clear(root);
	watch_tops_clear(root, "");
	if (top)
		watch_tree_drop(top);
}

void watch_root_remove(struct watch_root *root)
{
	struct watch_clock *clock = &root->w->clock;

	root->removed = true;
	forget(root);
	if (root->walk)
		watch_clock_unset(clock, &root->walk->tick);
	watch_clock_unset(clock, &root->retry_tick);
	watch_clock_unset(clock, &root->reconcile_tick);
	watch_root_unref(root);
}

void watch_root_unref(struct watch_root *root)
{
	if (--root->refs > 0)
		return;
	root->next = root->w->dead_roots;
	root->w->dead_roots = root;
}

void watch_root_free(struct watch_root *root)
{
	if (root->walk)
		watch_walk_free(root->walk);
	watch_table_release(&root->nodes);
	watch_table_release(&root->pends);
	watch_table_release(&root->snaps);
	watch_table_release(&root->tops);
	free(root->name);
	free(root->path);
	free(root->real);
	free(root);
}

void watch_root_trouble(struct watch_root *root, enum watch_trouble trouble, const char *fmt, ...)
{
	struct cw_watcher *w = root->w;
	bool known = root->trouble == trouble;
	struct cw_buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	cw_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	root->trouble = trouble;
	cw_fail(&root->message, CW_EIO, "'%.200s': %s", root->path, cw_buf_str(&text));
	cw_buf_release(&text);
	if (!known && w->ev.degraded)
		w->ev.degraded(w->ctx, root->name, root->message.msg);
}

void watch_root_fine(struct watch_root *root)
{
	struct cw_watcher *w = root->w;

	if (root->trouble == WATCH_FINE)
		return;
	root->trouble = WATCH_FINE;
	cw_fail(&root->message, CW_OK, "'%.200s': seen completely again", root->path);
	if (w->ev.restored)
		w->ev.restored(w->ctx, root->name, root->message.msg);
}

void watch_root_lost(struct watch_root *root, const char *why)
{
	forget(root);
	free(root->real);
	root->real = NULL;
	watch_clock_set(&root->w->clock, &root->retry_tick, watch_now() + root->w->opts.retry_ms);
	watch_root_trouble(root, WATCH_MISSING, "%s; it is looked for every %u ms", why,
			   root->w->opts.retry_ms);
}

/* Job */
static int run_probe(struct cw_job *job, struct cw_error *err)
{
	struct watch_probe *probe = (struct watch_probe *)job;
	struct stat st, up;
	struct statfs fs;
	char *real = realpath(probe->path, NULL);
	int fd = real ? open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK) : -1;

	(void)err;
	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0) {
		probe->error = errno;
		free(real);
	} else {
		probe->real = real;
		probe->dev = st.st_dev;
		probe->ino = st.st_ino;
		/* inotify tells what this machine does there, not what others do. */
		probe->network = cw_network_kind((unsigned long)fs.f_type) != NULL;
		probe->mount_point = fstatat(fd, "..", &up, 0) == 0 && up.st_dev != st.st_dev;
	}
	if (fd >= 0)
		close(fd);
	return CW_OK;
}

/* Why the path is not the root that is wanted, or NULL. */
static const char *refuse(const struct watch_root *root, const struct watch_probe *probe)
{
	if (!probe->real)
		return strerror(probe->error);
	if (root->network && !probe->network)
		return "the network mount is gone, and its mount point is not what to watch";
	if (root->unmounted && probe->dev != root->dev && !probe->mount_point)
		return "it was unmounted, and its mount point is not what to watch";
	return NULL;
}

static void take_probe(struct watch_root *root, struct watch_probe *probe)
{
	struct cw_watcher *w = root->w;
	const char *why = refuse(root, probe);

	if (why) {
		watch_root_lost(root, why);
		return;
	}
	if (root->real && (root->dev != probe->dev || root->ino != probe->ino ||
			   strcmp(root->real, probe->real) != 0))
		forget(root);
	free(root->real);
	root->real = probe->real;
	probe->real = NULL;
	root->dev = probe->dev;
	root->ino = probe->ino;
	root->network = probe->network;
	root->unmounted = false;

	bool poll = root->opts.poll == CW_WATCH_POLL_ALWAYS ||
		    (root->opts.poll == CW_WATCH_POLL_AUTO && (probe->network || w->fd < 0));
	if (poll != root->poll_all)
		forget(root);
	root->poll_all = poll;
	watch_clock_unset(&w->clock, &root->retry_tick);
	if (root->trouble == WATCH_MISSING)
		watch_root_fine(root);
	if (!watch_root_alive(root))
		return;
	if (root->walk)
		watch_scan_ask(root, "", probe->reason, 0);
	else
		watch_scan_start(root, "", probe->reason);
}

static void probed(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct watch_probe *probe = (struct watch_probe *)job;
	struct watch_root *root = probe->root;
	struct cw_watcher *w = root->w;

	(void)err;
	watch_reap(w);
	root->probing = false;
	if (ret == CW_OK && watch_root_alive(root))
		take_probe(root, probe);
	free(probe->real);
	free(probe->path);
	free(probe);
	watch_root_unref(root);
	watch_clock_restart(w);
	watch_try_free(w);
}

void watch_root_examine(struct watch_root *root, enum cw_watch_reason reason)
{
	if (root->probing)
		return;
	struct watch_probe *probe = calloc(1, sizeof(*probe));
	char *path = strdup(root->path);

	if (!probe || !path) {
		free(probe);
		free(path);
		watch_clock_set(&root->w->clock, &root->retry_tick,
				watch_now() + root->w->opts.retry_ms);
		return;
	}
	probe->root = root;
	probe->path = path;
	probe->reason = reason;
	probe->job.run = run_probe;
	probe->job.done = probed;
	root->probing = true;
	watch_submit(root, &probe->job);
}
