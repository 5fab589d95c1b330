/*
 * A watched folder.  What the watcher reports becomes a task for its path; tasks are taken in
 * batches by jobs.  What is gone waits until the folder is quiet, so that a file which only got
 * another name is known under its new one first.
 */
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/glob.h"
#include "pipeline_folder.h"

#define GONE_WAIT_MS 700 /* beyond the settle time */
#define GONE_LONGEST_MS 10000 /* then new tasks wait for it */
#define TASKS_ENOUGH 512

/** A path with something to read; in the tree of tasks until it was read. */
struct cw_task {
	struct cw_task *next; /* in the queue */
	bool running, again;
	const char *cause, *again_cause;
	char path[];
};

/* ---- tasks ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct cw_task *)a)->path, ((const struct cw_task *)b)->path);
}

static void push(struct cw_task_queue *q, struct cw_task *t)
{
	t->next = NULL;
	*q->tail = t;
	q->tail = &t->next;
}

static struct cw_task *pop(struct cw_task_queue *q)
{
	struct cw_task *t = q->head;

	if (t) {
		q->head = t->next;
		if (!q->head)
			q->tail = &q->head;
	}
	return t;
}

static struct cw_task_queue *queue_for(struct cw_folder *f, const char *cause)
{
	return strcmp(cause, "save") == 0 ? &f->hot : &f->cold;
}

/* Out of memory forgets the task; the next listing finds the file again. */
static void add_task(struct cw_source *s, const char *path, const char *cause)
{
	struct cw_folder *f = s->folder;
	size_t len = strlen(path) + 1;
	struct cw_task *t = calloc(1, sizeof(*t) + len);

	if (!t)
		return;
	memcpy(t->path, path, len);
	t->cause = cause;
	struct cw_task **at = tsearch(t, &f->tasks, by_path);
	if (!at || *at != t) {
		free(t);
		if (at && (*at)->running) {
			(*at)->again = true;
			(*at)->again_cause = cause;
		}
		return;
	}
	f->ntasks++;
	s->pending++;
	push(queue_for(f, cause), t);
}

static void end_task(struct cw_source *s, struct cw_task *t)
{
	tdelete(t, &s->folder->tasks, by_path);
	s->folder->ntasks--;
	s->pending--;
	if (t->again)
		add_task(s, t->path, t->again_cause);
	free(t);
}

/* ---- what may be gone ---- */

static struct cw_gone *add_gone(struct cw_folder *f, const char *path, int64_t due_ms)
{
	size_t len = strlen(path) + 1;
	struct cw_gone *g = calloc(1, sizeof(*g) + len);

	if (!g)
		return NULL;
	memcpy(g->path, path, len);
	g->due_ms = due_ms;
	*f->gone_tail = g;
	f->gone_tail = &g->next;
	return g;
}

void cw_gone_free(struct cw_gone *g)
{
	while (g) {
		struct cw_gone *next = g->next;

		free(g->listed);
		free(g);
		g = next;
	}
}

static int64_t gone_due(const struct cw_source *s)
{
	return cw_now_ms() + s->p->settings->config->watch.settle + GONE_WAIT_MS;
}

/* ---- what the watcher says ---- */

static struct cw_source *folder_of(void *ctx, const char *root)
{
	struct cw_source *s = cw_source_find(ctx, root);

	return s && s->folder ? s : NULL;
}

static bool any_glob(const struct cw_strings *globs, const char *path)
{
	for (size_t i = 0; i < globs->count; i++)
		if (cw_glob_match(globs->items[i], path))
			return true;
	return false;
}

bool cw_folder_wants(const struct cw_config_source *cfg, const char *path)
{
	if (any_glob(&cfg->exclude, path))
		return false;
	return cfg->include.count > 0 ? any_glob(&cfg->include, path)
				      : cw_extract_is_document(path);
}

static bool on_wanted(void *ctx, const char *path, bool is_dir)
{
	const struct cw_source *s = ctx;

	return is_dir ? !any_glob(&s->cfg->exclude, path) : cw_folder_wants(s->cfg, path);
}

static void no_longer_awaited(struct cw_folder *f, const char *path, const char **cause)
{
	struct cw_known_file *file = cw_known_find(&f->known, cw_known_path(path));

	if (!file || !(file->look & 1))
		return;
	file->look &= ~(uint64_t)1;
	f->awaited--;
	*cause = "rescan";
}

static void on_changed(void *ctx, const struct cw_watch_file *file)
{
	struct cw_source *s = folder_of(ctx, file->root);
	const char *cause = "save";

	if (!s)
		return;
	no_longer_awaited(s->folder, file->path, &cause);
	if (s->first_scan)
		cause = "first-scan";
	add_task(s, file->path, cause);
	cw_pipeline_pump(s->p);
}

static void on_gone(void *ctx, const char *root, const char *path, bool is_dir)
{
	struct cw_source *s = folder_of(ctx, root);
	const char *cause;

	if (!s)
		return;
	no_longer_awaited(s->folder, path, &cause);
	struct cw_gone *g = add_gone(s->folder, path, gone_due(s));
	if (g)
		g->is_dir = is_dir;
}

static void on_scan_begin(void *ctx, const char *root, const char *prefix,
			  enum cw_watch_reason reason)
{
	struct cw_source *s = folder_of(ctx, root);

	if (!s)
		return;
	s->scanning = true;
	s->folder->nlisted = 0;
	cw_log(CW_LOG_DEBUG, "listing", CW_LOG_STR("source", root), CW_LOG_STR("below", prefix),
	       CW_LOG_STR("reason", cw_watch_reason_name(reason)));
}

static void remember_listed(struct cw_folder *f, uint64_t path)
{
	if (f->nlisted == f->cap_listed) {
		size_t cap = f->cap_listed ? f->cap_listed * 2 : 256;
		uint64_t *more = realloc(f->listed, cap * sizeof(*more));

		if (!more)
			return; /* a file not remembered is looked for on disk */
		f->listed = more;
		f->cap_listed = cap;
	}
	f->listed[f->nlisted++] = path;
}

static bool on_scan_file(void *ctx, const struct cw_watch_file *file)
{
	struct cw_source *s = folder_of(ctx, file->root);
	uint64_t path = cw_known_path(file->path);

	if (!s)
		return false;
	struct cw_folder *f = s->folder;
	remember_listed(f, path);
	struct cw_known_file *known = cw_known_put(&f->known, path);
	if (!known)
		return true;
	uint64_t look = cw_known_look(file->size, file->mtime_ns, file->ino);
	if ((known->look & ~(uint64_t)1) == look)
		return false;
	if (!(known->look & 1)) {
		known->look |= 1;
		f->awaited++;
	}
	return true;
}

static void on_scan_end(void *ctx, const char *root, const char *prefix, bool complete)
{
	struct cw_source *s = folder_of(ctx, root);

	if (!s)
		return;
	struct cw_folder *f = s->folder;
	s->scanning = false;
	if (!complete)
		return;
	struct cw_gone *g = add_gone(f, prefix, gone_due(s));
	if (g) {
		g->sweep = true;
		g->listed = f->listed;
		g->nlisted = f->nlisted;
		f->listed = NULL;
		f->nlisted = f->cap_listed = 0;
	}
	if (prefix[0] == '\0') {
		f->scanned = true;
		s->last_scan_ms = cw_now_ms();
	}
}

static bool on_scan_ready(void *ctx)
{
	struct cw_pipeline *p = ctx;
	uint64_t waiting = 0;

	for (struct cw_source *s = p->sources; s; s = s->next)
		waiting += s->pending;
	return waiting < TASKS_ENOUGH;
}

static void on_degraded(void *ctx, const char *root, const char *message)
{
	struct cw_source *s = folder_of(ctx, root);

	if (s)
		cw_source_degraded(s, message);
}

static void on_restored(void *ctx, const char *root, const char *message)
{
	struct cw_source *s = folder_of(ctx, root);

	(void)message;
	if (s)
		cw_source_degraded(s, NULL);
}

const struct cw_watch_events cw_folder_events = {
	.changed = on_changed,
	.gone = on_gone,
	.scan_begin = on_scan_begin,
	.scan_file = on_scan_file,
	.scan_end = on_scan_end,
	.scan_ready = on_scan_ready,
	.degraded = on_degraded,
	.restored = on_restored,
};

/* ---- reading documents ---- */

enum outcome { NOT_YET, STORED, MISSING };

struct read_work {
	struct cw_work w;
	bool quiet;
	size_t n;
	struct cw_task *tasks[CW_BATCH_MAX];
	enum outcome outcome[CW_BATCH_MAX];
	uint64_t look[CW_BATCH_MAX];
	struct cw_batch batch;
};

static int code_of_errno(int reason)
{
	switch (reason) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
		return CW_ENOTFOUND;
	case EACCES:
	case EPERM:
		return CW_EDENIED;
	default:
		return CW_EIO;
	}
}

static int read_fd(int fd, size_t limit, struct cw_reading *r, struct cw_buf *out,
		   struct cw_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return cw_fail(err, CW_EIO, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return cw_fail(err, CW_ENOTFOUND, "not a regular file");
	r->size = (uint64_t)st.st_size;
	r->inode = st.st_ino;
	r->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	if (r->size > limit)
		return cw_fail(err, CW_EFULL, "%ju bytes; max_file_size is %zu", (uintmax_t)r->size,
			       limit);
	for (;;) {
		size_t room = (r->size > out->len ? (size_t)r->size - out->len : 65536) + 1;
		char *at = cw_buf_reserve(out, room);
		if (!at)
			return cw_buf_ok(out, err);
		ssize_t n = read(fd, at, room);
		if (n < 0 && errno != EINTR)
			return cw_fail(err, CW_EIO, "%s", strerror(errno));
		if (n == 0)
			return CW_OK;
		out->len += n > 0 ? (size_t)n : 0;
		at[n > 0 ? n : 0] = '\0';
		if (out->len > limit)
			return cw_fail(err, CW_EFULL, "more than %zu bytes", limit);
	}
}

static int read_file(const char *path, size_t limit, struct cw_reading *r, struct cw_buf *out,
		     struct cw_error *err)
{
	/* Not blocking: somebody may put a pipe here between the listing and now. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return cw_fail(err, (enum cw_code)code_of_errno(errno), "%s", strerror(errno));
	int ret = read_fd(fd, limit, r, out, err);
	close(fd);
	return ret;
}

static int read_one(struct read_work *rw, size_t i, struct cw_error *err)
{
	struct cw_batch *b = &rw->batch;
	const struct cw_task *t = rw->tasks[i];
	struct cw_buf bytes = { 0 };
	struct cw_error why = { 0 };
	struct cw_reading r = {
		.name = { .source = rw->w.cfg->name, .ref = "", .path = t->path },
		.cause = t->cause,
		.quiet = rw->quiet,
		.full_path = cw_arena_printf(&b->arena, "%s/%s", rw->w.cfg->folder, t->path),
	};

	if (!r.full_path)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	int code = read_file(r.full_path, (size_t)rw->w.settings->config->watch.max_file_size, &r,
			     &bytes, &why);
	if (code < 0)
		cw_buf_release(&bytes);
	if (code == CW_ENOMEM)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	if (code == CW_ENOTFOUND) {
		rw->outcome[i] = MISSING;
		return CW_OK;
	}
	/* A file that cannot be read may be readable later without looking different. */
	rw->look[i] =
		code == CW_OK || code == CW_EFULL ? cw_known_look(r.size, r.mtime_ns, r.inode) : 0;
	int ret = cw_batch_document(b, &r, &bytes, code, &why, err);
	if (ret == CW_OK)
		rw->outcome[i] = STORED;
	return ret;
}

/* Those read since the last commit are to be done again. */
static void undo(struct read_work *rw, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (rw->outcome[i] == STORED)
			rw->outcome[i] = NOT_YET;
}

static int run_read(struct cw_work *w, struct cw_error *err)
{
	struct read_work *rw = CW_OF(w, struct read_work, w);
	size_t committed = 0;
	int ret = CW_OK;

	cw_batch_init(&rw->batch, w);
	for (size_t i = 0; i < rw->n; i++) {
		int one = read_one(rw, i, err);

		ret = one < 0 ? one : ret;
		if (i + 1 < rw->n && cw_batch_room(&rw->batch))
			continue;
		one = cw_batch_commit(&rw->batch, err);
		if (one < 0) {
			undo(rw, committed, i + 1);
			ret = one;
		}
		committed = i + 1;
	}
	cw_batch_release(&rw->batch);
	return ret;
}

static void note_read(struct cw_source *s, const struct read_work *rw, size_t i)
{
	const struct cw_task *t = rw->tasks[i];

	if (rw->outcome[i] == MISSING) {
		(void)add_gone(s->folder, t->path, gone_due(s));
		return;
	}
	struct cw_known_file *file = cw_known_put(&s->folder->known, cw_known_path(t->path));
	if (file)
		file->look = rw->look[i] | (file->look & 1);
}

static void read_done(struct cw_work *w, int ret, const struct cw_error *err)
{
	struct read_work *rw = CW_OF(w, struct read_work, w);
	struct cw_source *s = w->source;
	struct cw_folder *f = s->folder;

	f->running--;
	for (size_t i = 0; i < rw->n; i++) {
		struct cw_task *t = rw->tasks[i];

		t->running = false;
		if (rw->outcome[i] == NOT_YET) {
			push(&f->cold, t);
			continue;
		}
		note_read(s, rw, i);
		end_task(s, t);
	}
	if (ret < 0 && ret != CW_ECANCELED) {
		f->retry_ms = cw_now_ms() + CW_RETRY_MS;
		cw_pipeline_store_failed(s->p, err);
	}
	cw_pipeline_count(s, &rw->batch);
	free(rw);
}

static void start_read(struct cw_source *s)
{
	struct cw_folder *f = s->folder;
	struct read_work *rw = calloc(1, sizeof(*rw));
	size_t share = (f->ntasks + s->p->docs.limit - 1) / s->p->docs.limit;

	if (!rw)
		return;
	while (rw->n < CW_BATCH_MAX && rw->n < share) {
		struct cw_task *t = pop(&f->hot);

		t = t ? t : pop(&f->cold);
		if (!t)
			break;
		t->running = true;
		rw->tasks[rw->n++] = t;
	}
	rw->quiet = s->first_scan && s->p->settings->config->alerts.first_scan != CW_FIRST_ALL;
	rw->w.run = run_read;
	rw->w.done = read_done;
	f->running++;
	cw_work_start(&rw->w, s, &s->p->docs, false);
}

/* ---- watching ---- */

static void watch_root(struct cw_source *s)
{
	struct cw_error err = { 0 };
	const struct cw_watch_root_opts opts = {
		.wanted = on_wanted,
		.wanted_ctx = s,
		.poll = s->cfg->poll == CW_POLL_ALWAYS  ? CW_WATCH_POLL_ALWAYS
			: s->cfg->poll == CW_POLL_NEVER ? CW_WATCH_POLL_NEVER
							: CW_WATCH_POLL_AUTO,
		.poll_ms = (unsigned)s->cfg->poll_interval,
	};

	int ret = cw_watcher_add_root(s->p->folders, s->name, s->cfg->folder, &opts, &err);
	if (ret < 0) {
		s->folder->retry_ms = cw_now_ms() + s->cfg->poll_interval;
		cw_source_degraded(s, err.msg);
		return;
	}
	s->folder->watched = true;
	cw_log(CW_LOG_INFO, "folder watched", CW_LOG_STR("source", s->name),
	       CW_LOG_STR("folder", s->cfg->folder),
	       CW_LOG_STR("first_scan", s->first_scan ? "yes" : NULL));
}

/* Files that vanished before they settled are not awaited for ever. */
static bool nothing_awaited(const struct cw_source *s)
{
	struct cw_watch_stats stats;

	if (s->folder->awaited == 0)
		return true;
	cw_watcher_stats(s->p->folders, &stats);
	return stats.settling == 0;
}

/* ---- the loop's side ---- */

static bool gone_is_due(const struct cw_folder *f, int64_t now_ms, int64_t more_ms)
{
	for (const struct cw_gone *g = f->gone; g; g = g->next)
		if (g->due_ms + more_ms <= now_ms)
			return true;
	return false;
}

void cw_folder_pump(struct cw_source *s, int64_t now_ms)
{
	struct cw_folder *f = s->folder;

	if (s->exclusive || s->removed || now_ms < f->retry_ms)
		return;
	if (!f->loaded) {
		cw_folder_start_look(s);
		return;
	}
	if (!f->watched) {
		watch_root(s);
		return;
	}
	if (f->running == 0 && gone_is_due(f, now_ms, f->ntasks > 0 ? GONE_LONGEST_MS : 0)) {
		cw_folder_start_gone(s);
		return;
	}
	while ((f->hot.head || f->cold.head) && !gone_is_due(f, now_ms, GONE_LONGEST_MS) &&
	       s->p->docs.running + s->p->docs.queued < s->p->docs.limit && !s->p->rereading)
		start_read(s);
	if (s->first_scan && f->scanned && f->ntasks == 0 && !f->gone && nothing_awaited(s))
		cw_folder_start_end(s);
}

bool cw_folder_idle(const struct cw_source *s)
{
	return s->folder->ntasks == 0 && !s->folder->gone && !s->exclusive && s->folder->watched &&
	       !s->first_scan;
}

int cw_folder_open(struct cw_source *s, struct cw_error *err)
{
	struct cw_folder *f = calloc(1, sizeof(*f));

	if (!f)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	f->hot.tail = &f->hot.head;
	f->cold.tail = &f->cold.head;
	f->gone_tail = &f->gone;
	s->folder = f;
	return CW_OK;
}

void cw_folder_close(struct cw_source *s)
{
	if (s->folder->watched && s->p->folders)
		(void)cw_watcher_remove_root(s->p->folders, s->name, NULL);
	s->folder->watched = false;
}

void cw_folder_free(struct cw_folder *f)
{
	if (!f)
		return;
	tdestroy(f->tasks, free);
	cw_gone_free(f->gone);
	cw_known_release(&f->known);
	free(f->listed);
	free(f);
}
