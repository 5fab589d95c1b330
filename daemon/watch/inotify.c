#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "watch/internal.h"
#include "watch/names.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 60000

void watch_dir_appeared(struct watch_root *root, const char *path)
{
	struct cw_watcher *w = root->w;

	if (watch_name_kind(watch_base_name(path), true, w->opts.hidden) != WATCH_NAME_PLAIN ||
	    !watch_root_wants(root, path, true))
		return;
	if (watch_too_deep(path, w->opts.max_depth)) {
		w->stats.skipped++;
		return;
	}
	switch (watch_tree_add(root, path)) {
	case WATCH_KNOWN:
	case WATCH_VANISHED:
		break;
	case WATCH_UNWATCHED:
		watch_tops_add(root, path);
		watch_scan_ask(root, path, CW_WATCH_SCAN_NEW, 0);
		break;
	case WATCH_REFUSED: /* the listing says why */
	case WATCH_ADDED:
		watch_scan_ask(root, path, CW_WATCH_SCAN_NEW, 0);
		break;
	}
}

static void dir_event(struct watch_root *root, const char *path, uint32_t mask)
{
	struct watch_node *node = watch_tree_find(root, path);
	const char *name = watch_base_name(path);

	if (watch_name_kind(name, true, root->w->opts.hidden) != WATCH_NAME_PLAIN)
		return;
	if (mask & (IN_DELETE | IN_MOVED_FROM)) {
		if (node)
			watch_tree_drop(node);
		watch_tops_clear(root, path);
		if (watch_root_wants(root, path, true))
			watch_settle_event(root, path, true, false);
	} else if (mask & (IN_CREATE | IN_MOVED_TO)) {
		watch_dir_appeared(root, path);
	} else if ((mask & IN_ATTRIB) && !node) {
		/* It may have become readable. */
		watch_dir_appeared(root, path);
		if (root->trouble == WATCH_UNREADABLE && watch_tree_find(root, path))
			watch_scan_ask(root, "", CW_WATCH_SCAN_RETURNED, root->w->opts.settle_ms);
	}
}

static void file_event(struct watch_root *root, const char *path, uint32_t mask)
{
	switch (watch_name_kind(watch_base_name(path), false, root->w->opts.hidden)) {
	case WATCH_NAME_IGNORED:
		break;
	case WATCH_NAME_LOCK:
		if (mask & (IN_DELETE | IN_MOVED_FROM))
			watch_settle_unlocked(root, path);
		break;
	case WATCH_NAME_PLAIN:
		if (watch_root_wants(root, path, false))
			watch_settle_event(root, path, false, mask & IN_CREATE);
		break;
	}
}

static void node_lost(struct watch_node *node, uint32_t mask)
{
	struct watch_root *root = node->root;

	if (!node->path[0]) {
		root->unmounted |= (mask & IN_UNMOUNT) != 0;
		watch_root_lost(root, mask & IN_UNMOUNT ? "it was unmounted"
							: "it was removed, renamed or replaced");
		return;
	}
	if (mask & IN_MOVE_SELF) /* its parent tells */
		return;
	watch_tree_drop(node);
	/* An unmount is no deletion: the reconcile scan decides. */
	if (!(mask & IN_UNMOUNT))
		watch_settle_event(root, node->path, true, false);
}

static void node_event(struct watch_node *node, const struct inotify_event *ev)
{
	struct watch_root *root = node->root;
	char path[CW_WATCH_PATH_MAX + 1];

	if (ev->mask & (IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF)) {
		node_lost(node, ev->mask);
		return;
	}
	if (ev->len == 0) /* the directory's own attributes: its parent tells, too */
		return;
	int len = snprintf(path, sizeof(path), "%s%s%s", node->path, node->path[0] ? "/" : "",
			   ev->name);
	if (len >= (int)sizeof(path)) {
		root->w->stats.skipped++;
		return;
	}
	if (ev->mask & IN_ISDIR)
		dir_event(root, path, ev->mask);
	else
		file_event(root, path, ev->mask);
}

static void overflow(struct cw_watcher *w)
{
	uint64_t now = watch_now();

	w->stats.overflows++;
	for (struct watch_root *root = w->roots; root; root = root->next) {
		if (!root->real || root->poll_all)
			continue;
		if (root->overflow_ms == 0 || now - root->overflow_ms > BACKOFF_MAX_MS)
			root->backoff_ms = BACKOFF_MIN_MS;
		else if (root->backoff_ms < BACKOFF_MAX_MS / 2)
			root->backoff_ms *= 2;
		else
			root->backoff_ms = BACKOFF_MAX_MS;
		root->overflow_ms = now;
		/* A listing that misses moves would tell of files gone that are not. */
		watch_scan_stop(root);
		watch_scan_ask(root, "", CW_WATCH_SCAN_OVERFLOW, root->backoff_ms);
	}
}

static void dispatch(struct cw_watcher *w, const char *buf, size_t len)
{
	const struct inotify_event *ev;

	for (size_t at = 0; at < len && !w->closing; at += sizeof(*ev) + ev->len) {
		struct watch_key *key, *next;

		ev = (const void *)(buf + at);
		if (ev->mask & IN_Q_OVERFLOW) {
			overflow(w);
			continue;
		}
		for (key = watch_table_first(&w->wds, (uint64_t)ev->wd); key; key = next) {
			struct watch_node *node =
				(struct watch_node *)((char *)key -
						      offsetof(struct watch_node, wd_key));

			/* Dropped ones keep their place in the chain until reaped. */
			next = watch_table_next(key);
			if (!node->dropped && watch_root_alive(node->root))
				node_event(node, ev);
			if (w->closing)
				return;
		}
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct cw_watcher *w = poll->data;
	_Alignas(struct inotify_event) char buf[65536];

	(void)events;
	watch_reap(w);
	if (status < 0) {
		overflow(w);
	} else {
		/* One buffer for each wake-up: a busy tree must not starve the loop. */
		ssize_t n = read(w->fd, buf, sizeof(buf));

		if (n > 0)
			dispatch(w, buf, (size_t)n);
	}
	watch_clock_restart(w);
}

int watch_inotify_open(struct cw_watcher *w, struct cw_error *err)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		return cw_fail(err, errno == EMFILE ? CW_EFULL : CW_EIO, "inotify: %s",
			       strerror(errno));
	int rc = uv_poll_init(w->loop, &w->poll, fd);
	if (rc < 0) {
		close(fd);
		return cw_fail(err, CW_EIO, "inotify: %s", uv_strerror(rc));
	}
	/* From here on only cw_watcher_close() may release it. */
	w->poll.data = w;
	w->fd = fd;
	w->handles++;
	rc = uv_poll_start(&w->poll, UV_READABLE, on_readable);
	return rc < 0 ? cw_fail(err, CW_EIO, "inotify: %s", uv_strerror(rc)) : CW_OK;
}
