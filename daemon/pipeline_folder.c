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
#include "pipeline.h"
#include "pipeline_known.h"

#define GONE_WAIT_MS 700 /* beyond the settle time */
#define GONE_LONGEST_MS 10000 /* then new tasks wait for it */
#define RETRY_MS 2000
#define TASKS_ENOUGH 512
#define REMOVALS_ONE_BY_ONE 3
#define PAGE 500

/** A path with something to read; in the tree of tasks until it was read. */
struct task {
	struct task *next; /* in the queue */
	bool running, again;
	const char *cause, *again_cause;
	char path[];
};

struct queue {
	struct task *head, **tail;
};

/** A path, or all that is below it, that may be gone. */
struct gone {
	struct gone *next;
	int64_t due_ms;
	bool sweep; /* a listing of prefix `path` ended; listed: what it saw */
	bool is_dir;
	uint64_t *listed;
	size_t nlisted;
	char path[];
};

struct cw_folder {
	void *tasks; /* tsearch() by path */
	size_t ntasks, running;
	struct queue hot, cold; /* saved; listed */
	int64_t retry_ms; /* nothing starts before */
	struct cw_known known;
	size_t awaited; /* listed, and not yet reported as settled */
	struct gone *gone, **gone_tail;
	bool loaded, watched, scanned, ending;
	uint64_t *listed;
	size_t nlisted, cap_listed;
};

/* ---- tasks ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct task *)a)->path, ((const struct task *)b)->path);
}

static void push(struct queue *q, struct task *t)
{
	t->next = NULL;
	*q->tail = t;
	q->tail = &t->next;
}

static struct task *pop(struct queue *q)
{
	struct task *t = q->head;

	if (t) {
		q->head = t->next;
		if (!q->head)
			q->tail = &q->head;
	}
	return t;
}

static struct queue *queue_for(struct cw_folder *f, const char *cause)
{
	return strcmp(cause, "save") == 0 ? &f->hot : &f->cold;
}

/* Out of memory forgets the task; the next listing finds the file again. */
static void add_task(struct cw_source *s, const char *path, const char *cause)
{
	struct cw_folder *f = s->folder;
	size_t len = strlen(path) + 1;
	struct task *t = calloc(1, sizeof(*t) + len);

	if (!t)
		return;
	memcpy(t->path, path, len);
	t->cause = cause;
	struct task **at = tsearch(t, &f->tasks, by_path);
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

static void end_task(struct cw_source *s, struct task *t)
{
	tdelete(t, &s->folder->tasks, by_path);
	s->folder->ntasks--;
	s->pending--;
	if (t->again)
		add_task(s, t->path, t->again_cause);
	free(t);
}

/* ---- what may be gone ---- */

static struct gone *add_gone(struct cw_folder *f, const char *path, int64_t due_ms)
{
	size_t len = strlen(path) + 1;
	struct gone *g = calloc(1, sizeof(*g) + len);

	if (!g)
		return NULL;
	memcpy(g->path, path, len);
	g->due_ms = due_ms;
	*f->gone_tail = g;
	f->gone_tail = &g->next;
	return g;
}

static void free_gone(struct gone *g)
{
	while (g) {
		struct gone *next = g->next;

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

static bool wanted_file(const struct cw_config_source *cfg, const char *path)
{
	if (any_glob(&cfg->exclude, path))
		return false;
	return cfg->include.count > 0 ? any_glob(&cfg->include, path)
				      : cw_extract_is_document(path);
}

static bool on_wanted(void *ctx, const char *path, bool is_dir)
{
	const struct cw_source *s = ctx;

	return is_dir ? !any_glob(&s->cfg->exclude, path) : wanted_file(s->cfg, path);
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
	struct gone *g = add_gone(s->folder, path, gone_due(s));
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
	struct gone *g = add_gone(f, prefix, gone_due(s));
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
	struct task *tasks[CW_BATCH_MAX];
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
	const struct task *t = rw->tasks[i];
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
	const struct task *t = rw->tasks[i];

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
		struct task *t = rw->tasks[i];

		t->running = false;
		if (rw->outcome[i] == NOT_YET) {
			push(&f->cold, t);
			continue;
		}
		note_read(s, rw, i);
		end_task(s, t);
	}
	if (ret < 0 && ret != CW_ECANCELED) {
		f->retry_ms = cw_now_ms() + RETRY_MS;
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
		struct task *t = pop(&f->hot);

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

/* ---- removing documents ---- */

struct gone_work {
	struct cw_work w;
	struct gone *list;
	struct cw_batch batch;
	struct cw_document **docs; /* in the arena below: gone, and to be told */
	size_t ndocs, cap_docs;
	struct cw_arena arena;
	struct cw_known judged; /* a file and its directory may both be reported */
	uint64_t *removed; /* hashes of paths */
	size_t nremoved, cap_removed;
};

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool on_disk(const struct gone_work *gw, const char *path)
{
	struct cw_buf full = { 0 };
	struct stat st;

	cw_buf_printf(&full, "%s/%s", gw->w.cfg->folder, path);
	/* What cannot be seen is not gone. */
	bool there =
		full.failed || lstat(full.data, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
	cw_buf_release(&full);
	return there;
}

/* Its bytes came up under another name, and not before they were last seen here. */
static int was_moved(struct gone_work *gw, const struct cw_document *doc, bool *out,
		     struct cw_error *err)
{
	struct cw_document *same = NULL;
	struct cw_version *first = NULL;
	size_t n = 0, nfirst = 0;
	int ret = cw_store_documents_by_content(gw->w.store, doc->content, &gw->arena, &same, &n,
						err);

	*out = false;
	for (size_t i = 0; ret == CW_OK && i < n && !*out; i++) {
		if (same[i].id == doc->id || strcmp(same[i].name.source, doc->name.source) != 0 ||
		    same[i].first_seen_ms < doc->changed_ms)
			continue;
		ret = cw_store_versions(gw->w.store, same[i].id, 2, 1, &gw->arena, &first, &nfirst,
					err);
		*out = ret == CW_OK && nfirst == 1 && strcmp(first->cause, "move") == 0;
	}
	return ret;
}

static int note_removed(struct gone_work *gw, const char *path, struct cw_error *err)
{
	uint64_t *more = cw_arena_grow(&gw->arena, gw->removed, gw->nremoved, &gw->cap_removed,
				       sizeof(*more));
	if (!more)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	gw->removed = more;
	more[gw->nremoved++] = cw_known_path(path);
	return CW_OK;
}

static int remove_quietly(struct gone_work *gw, const struct cw_document *doc, struct cw_error *err)
{
	int ret = cw_store_remove_document(gw->w.store, &doc->name, cw_now_ms(), NULL, 0, err);

	return ret == CW_OK || ret == CW_ENOTFOUND ? note_removed(gw, doc->name.path, err) : ret;
}

/* Not wanted any more, or only moved: nobody needs to hear of it. */
static int judge_gone(struct gone_work *gw, struct cw_document *doc, struct cw_error *err)
{
	uint64_t path = cw_known_path(doc->name.path);
	bool moved = !wanted_file(gw->w.cfg, doc->name.path);
	int ret = CW_OK;

	if (cw_known_find(&gw->judged, path))
		return CW_OK;
	if (!cw_known_put(&gw->judged, path))
		return cw_fail(err, CW_ENOMEM, "out of memory");

	if (!moved)
		ret = was_moved(gw, doc, &moved, err);
	if (ret == CW_OK && moved)
		return remove_quietly(gw, doc, err);
	struct cw_document **more =
		cw_arena_grow(&gw->arena, gw->docs, gw->ndocs, &gw->cap_docs, sizeof(*more));
	if (!more)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	gw->docs = more;
	more[gw->ndocs++] = doc;
	return ret;
}

static bool is_gone(const struct gone_work *gw, const struct gone *g, const struct cw_document *doc)
{
	uint64_t path = cw_known_path(doc->name.path);

	if (g->sweep && bsearch(&path, g->listed, g->nlisted, sizeof(path), by_number))
		return false;
	if (g->sweep && !wanted_file(gw->w.cfg, doc->name.path))
		return true;
	return !on_disk(gw, doc->name.path);
}

static int look_below(struct gone_work *gw, const struct gone *g, struct cw_error *err)
{
	const char *prefix = g->path[0] ? cw_arena_printf(&gw->arena, "%s/", g->path) : NULL;
	struct cw_document_query q = { .limit = PAGE,
				       .source = gw->w.cfg->name,
				       .path_prefix = prefix };
	size_t n = 0;
	int ret;

	if (g->nlisted > 0)
		qsort(g->listed, g->nlisted, sizeof(*g->listed), by_number);
	do {
		struct cw_document *docs = NULL;

		ret = cw_store_documents(gw->w.store, &q, &gw->arena, &docs, &n, err);
		for (size_t i = 0; ret == CW_OK && i < n; i++) {
			q.after = docs[i].id;
			if (is_gone(gw, g, &docs[i]))
				ret = judge_gone(gw, &docs[i], err);
		}
	} while (ret == CW_OK && n == PAGE);
	return ret;
}

static int look_at(struct gone_work *gw, const struct gone *g, struct cw_error *err)
{
	const struct cw_docname name = { .source = gw->w.cfg->name, .ref = "", .path = g->path };
	struct cw_document *doc = NULL;

	if (g->sweep || g->is_dir)
		return look_below(gw, g, err);
	int ret = cw_store_document(gw->w.store, &name, &gw->arena, &doc, err);
	if (ret == CW_ENOTFOUND)
		return CW_OK;
	if (ret == CW_OK && doc->present && is_gone(gw, g, doc))
		ret = judge_gone(gw, doc, err);
	return ret;
}

/* A few are told one by one; many, such as a directory, in one event. */
static int tell_removed(struct gone_work *gw, struct cw_error *err)
{
	const struct cw_reading r = { .name = { .ref = "" }, .cause = "save" };
	size_t step = gw->ndocs > REMOVALS_ONE_BY_ONE ? gw->ndocs : 1;
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < gw->ndocs; i += step)
		ret = cw_batch_remove(&gw->batch, &r, gw->docs + i, step, "removed", err);
	for (size_t i = 0; ret == CW_OK && i < gw->ndocs; i++)
		ret = note_removed(gw, gw->docs[i]->name.path, err);
	return ret;
}

static bool root_is_there(const struct gone_work *gw)
{
	struct stat st;

	return stat(gw->w.cfg->folder, &st) == 0 && S_ISDIR(st.st_mode);
}

static int run_gone(struct cw_work *w, struct cw_error *err)
{
	struct gone_work *gw = CW_OF(w, struct gone_work, w);
	int ret = CW_OK;

	cw_batch_init(&gw->batch, w);
	if (!root_is_there(gw))
		return CW_OK;
	for (const struct gone *g = gw->list; g && ret == CW_OK; g = g->next)
		ret = look_at(gw, g, err);
	return ret == CW_OK ? tell_removed(gw, err) : ret;
}

static void gone_done(struct cw_work *w, int ret, const struct cw_error *err)
{
	struct gone_work *gw = CW_OF(w, struct gone_work, w);
	struct cw_source *s = w->source;
	struct cw_folder *f = s->folder;

	for (size_t i = 0; i < gw->nremoved; i++)
		cw_known_remove(&f->known, gw->removed[i]);
	if (ret < 0 && gw->list) {
		/* Again, before what came in the meantime. */
		struct gone *last = gw->list;

		while (last->next)
			last = last->next;
		last->next = f->gone;
		if (!f->gone)
			f->gone_tail = &last->next;
		f->gone = gw->list;
		gw->list = NULL;
		f->retry_ms = cw_now_ms() + RETRY_MS;
		if (ret != CW_ECANCELED)
			cw_pipeline_store_failed(s->p, err);
	}
	free_gone(gw->list);
	cw_pipeline_count(s, &gw->batch);
	cw_batch_release(&gw->batch);
	cw_known_release(&gw->judged);
	cw_arena_release(&gw->arena);
	free(gw);
}

static void start_gone(struct cw_source *s)
{
	struct cw_folder *f = s->folder;
	struct gone_work *gw = calloc(1, sizeof(*gw));

	if (!gw)
		return;
	gw->list = f->gone;
	f->gone = NULL;
	f->gone_tail = &f->gone;
	gw->w.run = run_gone;
	gw->w.done = gone_done;
	cw_work_start(&gw->w, s, &s->p->side, true);
}

/* ---- the first look ---- */

struct look_work {
	struct cw_work w;
	struct cw_known known;
	bool first;
};

/* What decides which documents a source has: another one is another first look. */
static int definition(const struct cw_config_source *cfg, char out[2 * CW_HASH_SIZE + 1],
		      struct cw_error *err)
{
	struct cw_buf text = { 0 };
	uint8_t hash[CW_HASH_SIZE];

	cw_buf_printf(&text, "%s\n", cfg->folder);
	for (size_t i = 0; i < cfg->include.count; i++)
		cw_buf_printf(&text, "+%s\n", cfg->include.items[i]);
	for (size_t i = 0; i < cfg->exclude.count; i++)
		cw_buf_printf(&text, "-%s\n", cfg->exclude.items[i]);
	int ret = cw_buf_ok(&text, err);
	if (ret == CW_OK)
		cw_store_hash(text.data, text.len, hash);
	for (size_t i = 0; ret == CW_OK && i < CW_HASH_SIZE; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
	cw_buf_release(&text);
	return ret;
}

static int load_known(struct look_work *lw, struct cw_error *err)
{
	struct cw_document_query q = { .limit = PAGE, .source = lw->w.cfg->name };
	size_t n = 0;
	int ret;

	do {
		struct cw_arena page = { 0 };
		struct cw_document *docs = NULL;

		ret = cw_store_documents(lw->w.store, &q, &page, &docs, &n, err);
		for (size_t i = 0; ret == CW_OK && i < n; i++) {
			const struct cw_document *d = &docs[i];
			struct cw_known_file *file =
				cw_known_put(&lw->known, cw_known_path(d->name.path));

			q.after = d->id;
			if (!file)
				ret = cw_fail(err, CW_ENOMEM, "out of memory");
			else if (strcmp(d->error_code, "unreadable") != 0)
				file->look = cw_known_look(d->size, d->mtime_ns, d->inode);
		}
		cw_arena_release(&page);
	} while (ret == CW_OK && n == PAGE);
	return ret;
}

static int run_look(struct cw_work *w, struct cw_error *err)
{
	struct look_work *lw = CW_OF(w, struct look_work, w);
	char now[2 * CW_HASH_SIZE + 1];
	struct cw_arena arena = { 0 };
	struct cw_ref *mark = NULL;
	int ret = definition(w->cfg, now, err);

	if (ret == CW_OK)
		ret = cw_store_ref(w->store, w->cfg->name, "", &arena, &mark, err);
	if (ret == CW_OK || ret == CW_ENOTFOUND) {
		lw->first = !mark || strcmp(mark->oid, now) != 0;
		ret = load_known(lw, err);
	}
	cw_arena_release(&arena);
	return ret;
}

static void look_done(struct cw_work *w, int ret, const struct cw_error *err)
{
	struct look_work *lw = CW_OF(w, struct look_work, w);
	struct cw_source *s = w->source;

	if (ret == CW_OK && !s->removed) {
		cw_known_release(&s->folder->known);
		s->folder->known = lw->known;
		lw->known = (struct cw_known){ 0 };
		s->first_scan = lw->first;
		s->folder->loaded = true;
	} else if (ret < 0 && ret != CW_ECANCELED) {
		s->folder->retry_ms = cw_now_ms() + RETRY_MS;
		cw_pipeline_store_failed(s->p, err);
	}
	cw_known_release(&lw->known);
	free(lw);
}

static void start_look(struct cw_source *s)
{
	struct look_work *lw = calloc(1, sizeof(*lw));

	if (!lw)
		return;
	lw->w.run = run_look;
	lw->w.done = look_done;
	cw_work_start(&lw->w, s, &s->p->side, true);
}

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

struct end_work {
	struct cw_work w;
};

static int run_end(struct cw_work *w, struct cw_error *err)
{
	char now[2 * CW_HASH_SIZE + 1];
	int ret = definition(w->cfg, now, err);

	return ret < 0 ? ret : cw_first_scan_end(w->store, w->settings, w->cfg, "", now, err);
}

static void end_done(struct cw_work *w, int ret, const struct cw_error *err)
{
	struct cw_source *s = w->source;
	static const struct cw_batch one = { .events = 1 };

	if (ret == CW_OK) {
		s->first_scan = false;
		cw_log(CW_LOG_INFO, "first scan done", CW_LOG_STR("source", s->name),
		       CW_LOG_NUM("documents", s->read));
		cw_pipeline_count(s, &one);
	} else if (ret != CW_ECANCELED) {
		s->folder->retry_ms = cw_now_ms() + RETRY_MS;
		cw_pipeline_store_failed(s->p, err);
	}
	free(CW_OF(w, struct end_work, w));
}

static void start_end(struct cw_source *s)
{
	struct end_work *ew = calloc(1, sizeof(*ew));

	if (!ew)
		return;
	ew->w.run = run_end;
	ew->w.done = end_done;
	cw_work_start(&ew->w, s, &s->p->side, true);
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
	for (const struct gone *g = f->gone; g; g = g->next)
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
		start_look(s);
		return;
	}
	if (!f->watched) {
		watch_root(s);
		return;
	}
	if (f->running == 0 && gone_is_due(f, now_ms, f->ntasks > 0 ? GONE_LONGEST_MS : 0)) {
		start_gone(s);
		return;
	}
	while ((f->hot.head || f->cold.head) && !gone_is_due(f, now_ms, GONE_LONGEST_MS) &&
	       s->p->docs.running + s->p->docs.queued < s->p->docs.limit && !s->p->rereading)
		start_read(s);
	if (s->first_scan && f->scanned && f->ntasks == 0 && !f->gone && nothing_awaited(s))
		start_end(s);
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
	free_gone(f->gone);
	cw_known_release(&f->known);
	free(f->listed);
	free(f);
}
