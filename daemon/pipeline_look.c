/* The first look at a folder: what is known of it already, and the summary when it ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline_folder.h"

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
	struct cw_document_query q = { .limit = CW_PAGE, .source = lw->w.cfg->name };
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
	} while (ret == CW_OK && n == CW_PAGE);
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
		s->folder->retry_ms = cw_now_ms() + CW_RETRY_MS;
		cw_pipeline_store_failed(s->p, err);
	}
	cw_known_release(&lw->known);
	free(lw);
}

void cw_folder_start_look(struct cw_source *s)
{
	struct look_work *lw = calloc(1, sizeof(*lw));

	if (!lw)
		return;
	lw->w.run = run_look;
	lw->w.done = look_done;
	cw_work_start(&lw->w, s, &s->p->side, true);
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
		s->folder->retry_ms = cw_now_ms() + CW_RETRY_MS;
		cw_pipeline_store_failed(s->p, err);
	}
	free(CW_OF(w, struct end_work, w));
}

void cw_folder_start_end(struct cw_source *s)
{
	struct end_work *ew = calloc(1, sizeof(*ew));

	if (!ew)
		return;
	ew->w.run = run_end;
	ew->w.done = end_done;
	cw_work_start(&ew->w, s, &s->p->side, true);
}
