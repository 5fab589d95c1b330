/*
 * A watched repository.  One job looks at all references: those that moved since they were last
 * stored are compared tree by tree, and only changed blobs are read.  The stored tip moves after
 * all its documents are committed, so a look that was cut short is simply repeated.
 *
 * Movement is noticed by watching the directory of the references, and every poll_interval.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clausewatch/glob.h"
#include "pipeline.h"

#define RETRY_MS 2000
#define COMMITS_MOST 500
#define REMOVALS_ONE_BY_ONE 3
#define PAGE 500

struct cw_git_source {
	int64_t due_ms;
	bool watched;
};

/** A path that differs between two trees. */
struct moved {
	const char *path, *old_path; /* old_path: NULL unless renamed */
	bool deleted, missing;
	struct cw_oid blob, old_blob;
	const struct cw_git_commit *commit; /* that touched it last; NULL: the tip */
};

struct check {
	struct cw_work w;
	struct cw_batch batch;
	struct cw_git_repo *repo;
	struct cw_arena arena;
	char refs_dir[PATH_MAX];
	bool first, again; /* never seen; seen with other paths */
	char definition[2 * CW_HASH_SIZE + 1];
	bool store_failed; /* not the repository's fault */
};

/** One reference on its way. */
struct update {
	struct check *c;
	const struct cw_git_update *u;
	struct moved *list;
	size_t n, cap;
	struct moved *base; /* of a new branch: what differs from where it came from */
	size_t nbase;
	struct cw_git_commit tip;
	bool quiet, full;
	struct cw_document **gone;
	const struct moved **gone_by;
	size_t ngone, cap_gone, cap_by;
};

static int no_memory(struct cw_error *err)
{
	return cw_fail(err, CW_ENOMEM, "out of memory");
}

/* ---- what is wanted ---- */

static bool wanted(const struct cw_config_source *cfg, const char *path)
{
	if (cfg->paths.count == 0)
		return cw_extract_is_document(path);
	for (size_t i = 0; i < cfg->paths.count; i++)
		if (cw_glob_match(cfg->paths.items[i], path))
			return true;
	return false;
}

static bool want(const char *path, size_t len, bool is_dir, void *ctx)
{
	const struct cw_config_source *cfg = ctx;
	char copy[CW_STORE_PATH_MAX + 1];

	if (is_dir || len > CW_STORE_PATH_MAX)
		return is_dir;
	memcpy(copy, path, len);
	copy[len] = '\0';
	return wanted(cfg, copy);
}

static int make_definition(struct check *c, struct cw_error *err)
{
	const struct cw_config_source *cfg = c->w.cfg;
	struct cw_buf text = { 0 };
	uint8_t hash[CW_HASH_SIZE];

	cw_buf_printf(&text, "%s\n", cfg->repository);
	for (size_t i = 0; i < cfg->paths.count; i++)
		cw_buf_printf(&text, "%s\n", cfg->paths.items[i]);
	int ret = cw_buf_ok(&text, err);
	if (ret == CW_OK)
		cw_store_hash(text.data, text.len, hash);
	for (size_t i = 0; ret == CW_OK && i < CW_HASH_SIZE; i++)
		(void)snprintf(c->definition + 2 * i, 3, "%02x", hash[i]);
	cw_buf_release(&text);
	return ret;
}

/* ---- differences ---- */

static const char *copy_path(struct update *up, const char *path)
{
	return path ? cw_arena_strdup(&up->c->arena, path) : NULL;
}

static int on_change(const struct cw_git_change *change, void *ctx)
{
	struct update *up = ctx;
	struct moved *at = cw_arena_grow(&up->c->arena, up->list, up->n, &up->cap, sizeof(*at));

	if (!at)
		return CW_ENOMEM;
	up->list = at;
	at += up->n;
	*at = (struct moved){
		.path = copy_path(up, change->path),
		.deleted = change->new.kind != CW_GIT_FILE,
		.missing = change->new.missing,
		.blob = change->new.oid,
		.old_blob = change->old.oid,
	};
	if (change->kind == CW_GIT_RENAMED)
		at->old_path = copy_path(up, change->old_path);
	if (!at->path)
		return CW_ENOMEM;
	/* Links and submodules are no documents, before and after. */
	if (change->new.kind == CW_GIT_FILE || change->old.kind == CW_GIT_FILE)
		up->n++;
	return CW_OK;
}

static int diff(struct update *up, const struct cw_oid *from, const struct cw_oid *to,
		struct cw_error *err)
{
	struct cw_config_source *cfg = (struct cw_config_source *)(uintptr_t)up->c->w.cfg;
	const struct cw_git_diff_opts opts = {
		.want = want, .ctx = cfg, .renames = true, .sizes = true
	};

	up->list = NULL;
	up->n = up->cap = 0;
	return cw_git_diff_trees(up->c->repo, from, to, &opts, on_change, up, err);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct moved *)a)->path, ((const struct moved *)b)->path);
}

static int find_differences(struct update *up, struct cw_error *err)
{
	const struct cw_git_update *u = up->u;
	bool known = u->kind != CW_GIT_CREATE && !up->full;
	int ret;

	if (known && !cw_oid_is_none(&u->base_tree)) {
		ret = diff(up, &u->base_tree, &u->new_tree, err);
		if (ret != CW_ENOTFOUND)
			return ret;
	}
	up->full = true;
	if (u->kind == CW_GIT_CREATE && !up->quiet && !cw_oid_is_none(&u->base_tree)) {
		ret = diff(up, &u->base_tree, &u->new_tree, err);
		if (ret < 0)
			return ret;
		up->base = up->list;
		up->nbase = up->n;
		if (up->nbase > 1)
			qsort(up->base, up->nbase, sizeof(*up->base), by_path);
	}
	return diff(up, NULL, &u->new_tree, err);
}

static const struct moved *in_base(const struct update *up, const struct moved *m)
{
	return up->nbase ? bsearch(m, up->base, up->nbase, sizeof(*m), by_path) : NULL;
}

/* ---- who changed what ---- */

static bool blob_at(struct check *c, const struct cw_oid *tree, const char *path,
		    struct cw_oid *out)
{
	struct cw_git_side side;

	*out = (struct cw_oid){ 0 };
	if (cw_git_tree_blob(c->repo, tree, path, &side, NULL) < 0)
		return false;
	*out = side.oid;
	return true;
}

/* A commit touched a path if it differs there from all its parents. */
static bool touched(struct check *c, const struct cw_git_commit *commit,
		    const struct cw_git_commit *parents, const char *path)
{
	struct cw_oid now, then;
	bool is = blob_at(c, &commit->tree, path, &now);

	for (size_t i = 0; i < commit->nparents; i++) {
		bool was = blob_at(c, &parents[i].tree, path, &then);
		if (is == was && (!is || cw_oid_eq(&now, &then)))
			return false;
	}
	return is || commit->nparents > 0;
}

static size_t attribute_to(struct update *up, const struct cw_git_commit *commit)
{
	struct check *c = up->c;
	struct cw_git_commit *parents =
		cw_arena_alloc(&c->arena, (commit->nparents + 1) * sizeof(*parents));
	size_t left = 0;

	for (size_t i = 0; parents && i < commit->nparents; i++)
		if (cw_git_commit_info(c->repo, &c->arena, &commit->parents[i], &parents[i], NULL) <
		    0)
			return up->n; /* a shallow clone ends here */
	for (size_t i = 0; parents && i < up->n; i++) {
		if (!up->list[i].commit && touched(c, commit, parents, up->list[i].path))
			up->list[i].commit = commit;
		left += !up->list[i].commit;
	}
	return left;
}

/* Best effort: what finds no author has the tip's. */
static void attribute(struct update *up)
{
	struct check *c = up->c;
	const struct cw_git_range range = { .tips = &up->u->new_commit,
					    .ntips = 1,
					    .hide = &up->u->base_commit,
					    .nhide = !cw_oid_is_none(&up->u->base_commit),
					    .limit = COMMITS_MOST };
	struct cw_git_commits commits = { 0 };
	size_t left = up->n;

	if (up->quiet || cw_oid_is_none(&up->u->base_commit) || up->n > COMMITS_MOST ||
	    cw_git_walk(c->repo, &c->arena, &range, &commits, NULL) < 0)
		return;
	for (size_t i = commits.count; i > 0 && left > 0; i--) {
		struct cw_git_commit *commit = cw_arena_alloc(&c->arena, sizeof(*commit));

		if (!commit ||
		    cw_git_commit_info(c->repo, &c->arena, &commits.items[i - 1], commit, NULL) < 0)
			return;
		left = attribute_to(up, commit);
	}
}

/* ---- documents ---- */

static int fill_reading(struct update *up, const struct moved *m, struct cw_reading *r,
			struct cw_error *err)
{
	struct check *c = up->c;
	const struct cw_git_commit *commit = m && m->commit ? m->commit : &up->tip;
	char *hex = cw_arena_alloc(&c->arena, CW_OID_HEX_SIZE);
	char *blob = cw_arena_alloc(&c->arena, CW_OID_HEX_SIZE);

	if (!hex || !blob)
		return no_memory(err);
	cw_oid_to_hex(&commit->oid, hex);
	*r = (struct cw_reading){
		.name = { .source = c->w.cfg->name, .ref = up->u->ref, .path = m ? m->path : "" },
		.cause = up->quiet ? "first-scan" : "commit",
		.quiet = up->quiet,
		.commit = hex,
		.author = commit->author_name,
		.subject = commit->subject,
		.commit_date = commit->commit_date,
		.forced = up->u->kind == CW_GIT_FORCED,
	};
	if (m && !m->deleted) {
		cw_oid_to_hex(&m->blob, blob);
		r->blob = blob;
	}
	return CW_OK;
}

static int failed_store(struct check *c, int ret)
{
	c->store_failed = c->store_failed || ret < 0;
	return ret;
}

static int stored(struct check *c, const struct cw_docname *name, struct cw_document **out,
		  struct cw_error *err)
{
	struct cw_error missing = { 0 };
	int ret = cw_store_document(c->w.store, name, &c->arena, out, &missing);

	if (ret == CW_ENOTFOUND) {
		*out = NULL;
		return CW_OK;
	}
	return ret < 0 ? failed_store(c, cw_fail(err, (enum cw_code)ret, "%s", missing.msg)) : ret;
}

static int read_blob(struct check *c, const struct moved *m, struct cw_buf *bytes,
		     struct cw_error *why)
{
	size_t most = (size_t)c->w.settings->config->watch.max_file_size;
	int ret = m->missing ? cw_fail(why, CW_ENOTFOUND, "its blob is not in this repository")
			     : cw_git_read_blob(c->repo, &m->blob, most, bytes, why);

	if (ret == CW_OK && cw_git_is_lfs_pointer(cw_buf_str(bytes), bytes->len))
		ret = cw_fail(why, CW_EUNSUPPORTED, "its content is kept by Git LFS");
	if (ret < 0)
		cw_buf_release(bytes);
	return ret;
}

/* What the document said where the new branch began. */
static int read_base(struct update *up, const struct moved *m, struct cw_reading *r)
{
	const struct moved *base = in_base(up, m);
	struct cw_buf bytes = { 0 };

	if (!up->full || up->u->kind != CW_GIT_CREATE || up->quiet)
		return CW_OK;
	r->quiet = !base;
	if (!base || cw_oid_is_none(&base->old_blob) ||
	    cw_git_read_blob(up->c->repo, &base->old_blob, CW_EXTRACT_MAX, &bytes, NULL) < 0) {
		cw_buf_release(&bytes);
		return CW_OK;
	}
	r->base = cw_arena_strndup(&up->c->arena, cw_buf_str(&bytes), bytes.len);
	r->base_len = bytes.len;
	cw_buf_release(&bytes);
	return r->base ? CW_OK : CW_ENOMEM;
}

static int commit_batch(struct check *c, struct cw_error *err)
{
	return failed_store(c, cw_batch_commit(&c->batch, err));
}

static int read_document(struct update *up, const struct moved *m, struct cw_error *err)
{
	struct check *c = up->c;
	struct cw_reading r;
	struct cw_document *old = NULL, *former = NULL;
	struct cw_buf bytes = { 0 };
	struct cw_error why = { 0 };
	int ret = fill_reading(up, m, &r, err);

	if (ret == CW_OK)
		ret = stored(c, &r.name, &old, err);
	if (ret < 0)
		return ret;
	if (old && old->present && old->checked && strcmp(old->blob, r.blob) == 0)
		return CW_OK;
	if (m->old_path) {
		const struct cw_docname name = { r.name.source, r.name.ref, m->old_path };

		ret = stored(c, &name, &former, err);
		if (former && former->present && strcmp(former->blob, r.blob) == 0)
			r.moved_from = m->old_path;
	}
	if (ret == CW_OK && read_base(up, m, &r) < 0)
		ret = no_memory(err);
	if (ret < 0)
		return ret;
	int code = read_blob(c, m, &bytes, &why);
	r.size = bytes.len;
	ret = failed_store(c, cw_batch_document(&c->batch, &r, &bytes, code, &why, err));
	if (ret == CW_OK && !cw_batch_room(&c->batch))
		ret = commit_batch(c, err);
	return ret;
}

/* ---- removals ---- */

static int add_gone(struct update *up, struct cw_document *doc, const struct moved *m,
		    struct cw_error *err)
{
	struct cw_document **docs =
		cw_arena_grow(&up->c->arena, up->gone, up->ngone, &up->cap_gone, sizeof(*docs));
	const struct moved **by =
		cw_arena_grow(&up->c->arena, up->gone_by, up->ngone, &up->cap_by, sizeof(*by));
	if (!docs || !by)
		return no_memory(err);
	up->gone = docs;
	up->gone_by = by;
	docs[up->ngone] = doc;
	by[up->ngone++] = m;
	return CW_OK;
}

static int deleted_document(struct update *up, const char *path, const struct moved *m,
			    struct cw_error *err)
{
	const struct cw_docname name = { up->c->w.cfg->name, up->u->ref, path };
	struct cw_document *doc = NULL;
	int ret = stored(up->c, &name, &doc, err);

	return ret == CW_OK && doc && doc->present ? add_gone(up, doc, m, err) : ret;
}

/* Every stored document of the reference, or those that the new tree has not. */
static int find_gone(struct update *up, bool all, struct cw_error *err)
{
	struct check *c = up->c;
	struct cw_document_query q = { .limit = PAGE, .source = c->w.cfg->name, .ref = up->u->ref };
	size_t n = 0;
	int ret;

	do {
		struct cw_document *docs = NULL;

		ret = failed_store(c,
				   cw_store_documents(c->w.store, &q, &c->arena, &docs, &n, err));
		for (size_t i = 0; ret == CW_OK && i < n; i++) {
			struct cw_oid blob;

			q.after = docs[i].id;
			if (all || !wanted(c->w.cfg, docs[i].name.path) ||
			    !blob_at(c, &up->u->new_tree, docs[i].name.path, &blob))
				ret = add_gone(up, &docs[i], NULL, err);
		}
	} while (ret == CW_OK && n == PAGE);
	return ret;
}

static int tell_gone(struct update *up, bool together, const char *why, struct cw_error *err)
{
	int ret = CW_OK;

	together = together || up->ngone > REMOVALS_ONE_BY_ONE;
	for (size_t i = 0; ret == CW_OK && i < up->ngone; i += together ? up->ngone : 1) {
		struct cw_reading r;

		ret = fill_reading(up, together ? NULL : up->gone_by[i], &r, err);
		if (ret == CW_OK)
			ret = failed_store(up->c,
					   cw_batch_remove(&up->c->batch, &r, up->gone + i,
							   together ? up->ngone : 1, why, err));
	}
	return ret;
}

/* ---- references ---- */

static int put_ref(struct check *c, const char *name, const struct cw_oid *oid,
		   struct cw_error *err)
{
	char hex[CW_OID_HEX_SIZE];
	const struct cw_ref ref = {
		.source = c->w.cfg->name, .ref = name, .oid = hex, .time_ms = cw_now_ms()
	};

	cw_oid_to_hex(oid, hex);
	return failed_store(c, cw_store_put_ref(c->w.store, &ref, err));
}

static int delete_ref(struct update *up, struct cw_error *err)
{
	struct check *c = up->c;
	int ret = find_gone(up, true, err);

	cw_log(CW_LOG_NOTICE, "reference deleted", CW_LOG_STR("source", c->w.cfg->name),
	       CW_LOG_STR("ref", up->u->ref), CW_LOG_NUM("documents", up->ngone));
	(void)cw_git_commit_info(c->repo, &c->arena, &up->u->old, &up->tip, NULL);
	if (ret == CW_OK && up->ngone > 0)
		ret = tell_gone(up, true, "their branch was deleted", err);
	if (ret == CW_OK)
		ret = failed_store(
			c, cw_store_delete_ref(c->w.store, c->w.cfg->name, up->u->ref, err));
	return ret;
}

static bool stopped(const struct check *c)
{
	return __atomic_load_n(c->w.stop, __ATOMIC_RELAXED);
}

static int read_all(struct update *up, struct cw_error *err)
{
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < up->n; i++) {
		const struct moved *m = &up->list[i];

		if (stopped(up->c))
			return cw_fail(err, CW_ECANCELED, "shutting down");
		ret = m->deleted ? deleted_document(up, m->path, m, err)
				 : read_document(up, m, err);
	}
	return ret == CW_OK ? commit_batch(up->c, err) : ret;
}

/* A rename leaves its old path behind when the document there was another one than expected. */
static int leave_old_paths(struct update *up, struct cw_error *err)
{
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < up->n; i++)
		if (up->list[i].old_path)
			ret = deleted_document(up, up->list[i].old_path, &up->list[i], err);
	return ret;
}

static int move_ref(struct update *up, struct cw_error *err)
{
	struct check *c = up->c;
	const struct cw_git_update *u = up->u;
	int ret = CW_OK;

	if (cw_oid_is_none(&u->new_tree))
		return put_ref(c, u->ref, &u->new, err);
	if (u->kind == CW_GIT_FORCED)
		cw_log(CW_LOG_NOTICE, "history rewritten", CW_LOG_STR("source", c->w.cfg->name),
		       CW_LOG_STR("ref", u->ref));
	if (!cw_oid_is_none(&u->new_commit))
		ret = cw_git_commit_info(c->repo, &c->arena, &u->new_commit, &up->tip, err);
	if (ret == CW_OK)
		ret = find_differences(up, err);
	if (ret < 0)
		return ret;
	attribute(up);
	ret = read_all(up, err);
	if (ret == CW_OK)
		ret = up->full ? find_gone(up, false, err) : leave_old_paths(up, err);
	if (ret == CW_OK)
		ret = tell_gone(up, false, "removed", err);
	/* A branch from nowhere, after the first look: told as a first look of its own. */
	if (ret == CW_OK && u->kind == CW_GIT_CREATE && up->quiet && !c->first && !c->again) {
		char hex[CW_OID_HEX_SIZE];

		cw_oid_to_hex(&u->new, hex);
		return failed_store(c, cw_first_scan_end(c->w.store, c->w.settings, c->w.cfg,
							 u->ref, hex, err));
	}
	return ret == CW_OK ? put_ref(c, u->ref, &u->new, err) : ret;
}

static int do_update(struct check *c, const struct cw_git_update *u, struct cw_error *err)
{
	bool all = c->w.settings->config->alerts.first_scan == CW_FIRST_ALL;
	struct update up = { .c = c, .u = u, .full = c->first || c->again };

	up.quiet = up.full || (u->kind == CW_GIT_CREATE && cw_oid_is_none(&u->base_tree));
	up.quiet = up.quiet && !all;
	int ret = u->kind == CW_GIT_DELETE ? delete_ref(&up, err) : move_ref(&up, err);
	return ret < 0 ? cw_wrap(err, ret, "%s", u->ref) : ret;
}

/* Tips as they were stored; none when the whole repository is to be looked at. */
static int stored_tips(struct check *c, struct cw_git_tips *out, struct cw_error *err)
{
	struct cw_ref *refs = NULL;
	size_t n = 0;
	int ret = cw_store_refs(c->w.store, c->w.cfg->name, &c->arena, &refs, &n, err);

	*out = (struct cw_git_tips){ 0 };
	c->first = true;
	if (ret < 0)
		return failed_store(c, ret);
	out->items = cw_arena_alloc(&c->arena, (n + 1) * sizeof(*out->items));
	if (!out->items)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		struct cw_git_tip *tip = &out->items[out->count];

		if (!refs[i].ref[0]) {
			c->first = false;
			c->again = strcmp(refs[i].oid, c->definition) != 0;
			continue;
		}
		tip->ref = refs[i].ref;
		if (cw_oid_from_hex(refs[i].oid, strlen(refs[i].oid), &tip->oid) == CW_OK)
			out->count++;
	}
	return CW_OK;
}

/* With other paths than before every reference is looked at as if it were new. */
static void forget_moved(struct cw_git_tips *before, const struct cw_git_tips *after)
{
	size_t n = 0;

	for (size_t i = 0; i < before->count; i++) {
		bool there = false;

		for (size_t k = 0; k < after->count && !there; k++)
			there = strcmp(before->items[i].ref, after->items[k].ref) == 0;
		if (!there)
			before->items[n++] = before->items[i];
	}
	before->count = n;
}

static int look(struct check *c, struct cw_error *err)
{
	const struct cw_config_source *cfg = c->w.cfg;
	struct cw_git_tips before, after = { 0 };
	struct cw_git_updates updates = { 0 };
	int ret = stored_tips(c, &before, err);

	if (ret == CW_OK)
		ret = cw_git_snapshot_refs(c->repo, &c->arena, cfg->refs.items, cfg->refs.count,
					   &after, err);
	if (ret == CW_OK && (c->first || c->again))
		forget_moved(&before, &after);
	if (ret == CW_OK)
		ret = cw_git_compare_refs(c->repo, &c->arena, &before, &after, &updates, err);
	for (size_t i = 0; ret == CW_OK && i < updates.count; i++)
		ret = do_update(c, &updates.items[i], err);
	if (ret == CW_OK && (c->first || c->again)) {
		ret = failed_store(c, cw_first_scan_end(c->w.store, c->w.settings, cfg, "",
							c->definition, err));
		c->batch.events++;
	}
	return ret;
}

/* ---- the job ---- */

static int run_check(struct cw_work *w, struct cw_error *err)
{
	struct check *c = CW_OF(w, struct check, w);
	int ret = make_definition(c, err);

	cw_batch_init(&c->batch, w);
	if (ret == CW_OK)
		ret = cw_git_open(w->cfg->repository, w->cfg->trust_owner ? CW_GIT_TRUST_OWNER : 0,
				  &c->repo, err);
	if (ret == CW_OK) {
		(void)snprintf(c->refs_dir, sizeof(c->refs_dir), "%s", cw_git_common_dir(c->repo));
		ret = look(c, err);
	}
	cw_git_close(c->repo);
	cw_batch_release(&c->batch);
	cw_arena_release(&c->arena);
	return ret;
}

static bool ref_wanted(void *ctx, const char *path, bool is_dir)
{
	(void)ctx;
	return strcmp(path, "refs") == 0 || strncmp(path, "refs/", 5) == 0 ||
	       (!is_dir && (strcmp(path, "HEAD") == 0 || strcmp(path, "packed-refs") == 0));
}

/* Polling goes on beside it, so a watch that cannot be had costs only time. */
static void watch_refs(struct cw_source *s, char *dir)
{
	const struct cw_watch_root_opts opts = { .wanted = ref_wanted,
						 .poll = CW_WATCH_POLL_NEVER };
	struct cw_error err = { 0 };
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		dir[--len] = '\0';
	s->git->watched = true;
	if (cw_watcher_add_root(s->p->refs, s->name, dir, &opts, &err) < 0)
		cw_log(CW_LOG_INFO, "references are only polled", CW_LOG_STR("source", s->name),
		       CW_LOG_STR("error", err.msg));
}

static void check_failed(struct cw_source *s, const struct check *c, const struct cw_error *err)
{
	if (c->store_failed) {
		s->git->due_ms = cw_now_ms() + RETRY_MS;
		cw_pipeline_store_failed(s->p, err);
		return;
	}
	cw_source_degraded(s, err->msg);
}

static void check_done(struct cw_work *w, int ret, const struct cw_error *err)
{
	struct check *c = CW_OF(w, struct check, w);
	struct cw_source *s = w->source;
	bool nudged = s->git->due_ms == 0;

	s->scanning = false;
	s->git->due_ms = nudged ? 0 : cw_now_ms() + s->cfg->poll_interval;
	if (ret < 0 && ret != CW_ECANCELED && !s->removed) {
		check_failed(s, c, err);
	} else if (ret == CW_OK) {
		s->first_scan = false;
		s->last_scan_ms = cw_now_ms();
		cw_source_degraded(s, NULL);
		if (c->first)
			cw_log(CW_LOG_INFO, "first scan done", CW_LOG_STR("source", s->name),
			       CW_LOG_NUM("documents", c->batch.read));
	}
	if (c->refs_dir[0] && !s->git->watched && !s->removed && !s->p->closing)
		watch_refs(s, c->refs_dir);
	cw_pipeline_count(s, &c->batch);
	free(c);
}

void cw_git_source_pump(struct cw_source *s, int64_t now_ms)
{
	struct check *c;

	if (s->exclusive || s->removed || now_ms < s->git->due_ms)
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->w.run = run_check;
	c->w.done = check_done;
	s->scanning = true;
	s->git->due_ms = now_ms; /* a nudge from here on sets it to 0 */
	cw_work_start(&c->w, s, &s->p->side, true);
}

/* ---- the loop's side ---- */

void cw_git_source_nudge(struct cw_source *s)
{
	s->git->due_ms = 0;
}

static void nudge(void *ctx, const char *root)
{
	struct cw_source *s = cw_source_find(ctx, root);

	if (!s || !s->git)
		return;
	cw_git_source_nudge(s);
	cw_pipeline_pump(s->p);
}

static void on_changed(void *ctx, const struct cw_watch_file *file)
{
	nudge(ctx, file->root);
}

static void on_gone(void *ctx, const char *root, const char *path, bool is_dir)
{
	(void)path;
	(void)is_dir;
	nudge(ctx, root);
}

static bool on_scan_file(void *ctx, const struct cw_watch_file *file)
{
	(void)ctx;
	(void)file;
	return false;
}

static void on_scan_end(void *ctx, const char *root, const char *prefix, bool complete)
{
	(void)prefix;
	(void)complete;
	nudge(ctx, root);
}

const struct cw_watch_events cw_git_source_events = {
	.changed = on_changed,
	.gone = on_gone,
	.scan_file = on_scan_file,
	.scan_end = on_scan_end,
};

bool cw_git_source_idle(const struct cw_source *s)
{
	return !s->exclusive && s->git->due_ms != 0;
}

int cw_git_source_open(struct cw_source *s, struct cw_error *err)
{
	s->git = calloc(1, sizeof(*s->git));
	if (!s->git)
		return no_memory(err);
	s->first_scan = true;
	return CW_OK;
}

void cw_git_source_close(struct cw_source *s)
{
	if (s->git->watched && s->p->refs)
		(void)cw_watcher_remove_root(s->p->refs, s->name, NULL);
	s->git->watched = false;
}

void cw_git_source_free(struct cw_git_source *g)
{
	free(g);
}
