/*
 * What is gone from a folder: looked for on disk once more, told, and removed from the store.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pipeline_folder.h"

#define REMOVALS_ONE_BY_ONE 3

struct gone_work {
	struct cw_work w;
	struct cw_gone *list;
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
	bool moved = !cw_folder_wants(gw->w.cfg, doc->name.path);
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

static bool is_gone(const struct gone_work *gw, const struct cw_gone *g,
		    const struct cw_document *doc)
{
	uint64_t path = cw_known_path(doc->name.path);

	if (g->sweep && g->nlisted > 0 &&
	    bsearch(&path, g->listed, g->nlisted, sizeof(path), by_number))
		return false;
	if (g->sweep && !cw_folder_wants(gw->w.cfg, doc->name.path))
		return true;
	return !on_disk(gw, doc->name.path);
}

static int look_below(struct gone_work *gw, const struct cw_gone *g, struct cw_error *err)
{
	const char *prefix = g->path[0] ? cw_arena_printf(&gw->arena, "%s/", g->path) : NULL;
	struct cw_document_query q = { .limit = CW_PAGE,
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
	} while (ret == CW_OK && n == CW_PAGE);
	return ret;
}

static int look_at(struct gone_work *gw, const struct cw_gone *g, struct cw_error *err)
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
	for (const struct cw_gone *g = gw->list; g && ret == CW_OK; g = g->next)
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
		struct cw_gone *last = gw->list;

		while (last->next)
			last = last->next;
		last->next = f->gone;
		if (!f->gone)
			f->gone_tail = &last->next;
		f->gone = gw->list;
		gw->list = NULL;
		f->retry_ms = cw_now_ms() + CW_RETRY_MS;
		if (ret != CW_ECANCELED)
			cw_pipeline_store_failed(s->p, err);
	}
	cw_gone_free(gw->list);
	cw_pipeline_count(s, &gw->batch);
	cw_batch_release(&gw->batch);
	cw_known_release(&gw->judged);
	cw_arena_release(&gw->arena);
	free(gw);
}

void cw_folder_start_gone(struct cw_source *s)
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
