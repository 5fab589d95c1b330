/*
 * The files that differ are collected first, since a deleted document may continue as an added
 * one.  Then their versions are read side by side and taken in order: the deleted ones, then of
 * each document the old version and the new one, which are compared as soon as both are there.
 */
#include "gate.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum part { PART_GONE, PART_OLD, PART_NEW };

/* One version of a document to be read. */
struct piece {
	enum part part;
	struct cw_git_change *file; /* of PART_OLD and PART_NEW */
	struct gate_gone *gone; /* of PART_GONE */
	struct gate_version v;
	bool late; /* there was no time */
	int ret; /* as read_version() */
	char *message; /* why not; malloc'ed */
};

struct judge {
	struct gate *g;
	struct gate_report *report;
	struct cw_arena arena;
	pthread_mutex_t git; /* a repository is for one thread at a time */
	struct cw_git_change *files; /* documents that changed or were added */
	size_t nfiles, files_cap;
	struct gate_gone *gone;
	size_t ngone, gone_cap;
	struct piece *pieces;
	struct cli_items items; /* one for each piece, for the pool to count */
};

/* Hidden names without an extension are settings of tools. */
static bool is_document(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;

	return !(base[0] == '.' && !strchr(base + 1, '.')) && cw_extract_is_document(path);
}

static int add_gone(struct judge *j, const char *path, const struct cw_git_side *side)
{
	struct gate_gone *at =
		cw_arena_grow(&j->arena, j->gone, j->ngone, &j->gone_cap, sizeof(*at));
	const char *copy = gate_keep(j->report, path);

	if (!at)
		return CW_ENOMEM;
	j->gone = at;
	at[j->ngone++] = (struct gate_gone){ .path = copy, .side = *side };
	return CW_OK;
}

static int add_file(struct judge *j, const struct cw_git_change *change, bool was_document)
{
	struct cw_git_change *at =
		cw_arena_grow(&j->arena, j->files, j->nfiles, &j->files_cap, sizeof(*at));

	if (!at)
		return CW_ENOMEM;
	j->files = at;
	at += j->nfiles++;
	*at = *change;
	at->path = gate_keep(j->report, change->path);
	at->old_path = was_document ? gate_keep(j->report, change->old_path) : at->path;
	if (!was_document)
		at->old = (struct cw_git_side){ 0 };
	return CW_OK;
}

static int on_change(const struct cw_git_change *change, void *ctx)
{
	struct judge *j = ctx;
	bool is = is_document(change->path);
	bool was = change->old.kind == CW_GIT_FILE && is_document(change->old_path);

	if (change->new.kind == CW_GIT_SUBMODULE)
		gate_add_unchecked(j->report, change->path, "submodule",
				   "its files lie in another repository");
	else if (change->new.kind == CW_GIT_SYMLINK && is)
		gate_add_unchecked(j->report, change->path, "symlink",
				   "a link to another file is not followed");
	else if (change->new.kind == CW_GIT_FILE &&
		 is &&was &&cw_oid_eq(&change->old.oid, &change->new.oid))
		return CW_OK;
	else if (change->new.kind == CW_GIT_FILE && is)
		return add_file(j, change, was);
	else if (!was)
		j->report->others++;
	return was ? add_gone(j, change->old_path, &change->old) : CW_OK;
}

static size_t max_size(const struct gate *g)
{
	int64_t max = g->config->watch.max_file_size;

	return max > 0 && (size_t)max < CW_EXTRACT_MAX ? (size_t)max : CW_EXTRACT_MAX;
}

void gate_version_release(struct gate_version *v)
{
	cw_analysis_free(v->analysis);
	cw_text_release(&v->text);
	cw_buf_release(&v->blob);
	*v = (struct gate_version){ 0 };
}

/* Any thread.  Positive: it stands for a file that is kept elsewhere. */
static int read_version(struct judge *j, const char *path, const struct cw_git_side *side,
			struct gate_version *v, struct cw_error *err)
{
	struct gate *g = j->g;
	const struct cw_analysis_options options = { .legacy_before = g->config->legacy_before,
						     .today = g->today };

	(void)pthread_mutex_lock(&j->git);
	int ret = cw_git_read_blob(g->repo, &side->oid, max_size(g), &v->blob, err);
	(void)pthread_mutex_unlock(&j->git);
	if (ret < 0)
		return ret;
	if (cw_git_is_lfs_pointer(cw_buf_str(&v->blob), v->blob.len))
		return 1;
	ret = cw_extract(cw_buf_str(&v->blob), v->blob.len, path, &v->text, err);
	if (ret == CW_OK)
		ret = cw_analyse(g->rules, v->text.bytes, v->text.len, v->text.format, &options,
				 &v->analysis, err);
	if (ret == CW_OK)
		cli_override(g->config, v->analysis);
	return ret;
}

/*
 * The state before.  One that could not have been checked then protects nothing now, so that all
 * of the new state counts as new; but bytes that are missing make a comparison worthless.
 */
static int read_before(struct judge *j, const char *path, const struct cw_git_side *side,
		       struct gate_version *v, struct cw_error *err)
{
	int ret = read_version(j, path, side, v, err);

	if (ret != CW_OK && (v->blob.len > 0 || ret == CW_EFULL)) {
		gate_version_release(v);
		return CW_OK;
	}
	return ret < 0 ? cw_wrap(err, ret, "the version before") : ret;
}

static void read_piece(void *ctx, const struct cli_item *item, struct cli_result *result)
{
	struct judge *j = ctx;
	struct piece *p = &j->pieces[item - j->items.at];
	struct cw_error err = { 0 };

	(void)result;
	p->late = cli_now() > j->g->deadline;
	if (p->late)
		return;
	if (p->part == PART_GONE)
		p->ret = read_version(j, p->gone->path, &p->gone->side, &p->v, &err);
	else if (p->part == PART_OLD)
		p->ret = read_before(j, p->file->old_path, &p->file->old, &p->v, &err);
	else
		p->ret = read_version(j, p->file->path, &p->file->new, &p->v, &err);
	if (p->ret < 0)
		p->message = strdup(err.msg);
}

static void unchecked(struct judge *j, const char *path, int ret, const char *message)
{
	if (ret > 0)
		gate_add_unchecked(j->report, path, "lfs", "its content is kept by Git LFS");
	else
		gate_add_unchecked(j->report, path, cw_unchecked_name(ret), message);
}

static void compare(struct judge *j, const struct cw_git_change *file, struct cw_analysis *old,
		    struct cw_analysis *new)
{
	struct cw_comparison *c = NULL;
	struct cw_error err = { 0 };
	int ret = cw_compare(old, new, &c, &err);

	if (ret < 0) {
		unchecked(j, file->path, ret, err.msg);
		return;
	}
	j->report->checked++;
	gate_take_changes(j->g, file->path, file->old_path, c);
	cw_comparison_free(c);
}

/* An added document, which may be a deleted one under another name. */
static void take_added(struct judge *j, struct cw_git_change *file, struct cw_analysis *new)
{
	struct gate_gone *from = gate_gone_match(j->gone, j->ngone, new);
	struct gate_version old = { 0 };
	struct cw_error err = { 0 };
	int ret = CW_OK;

	if (from) {
		from->claimed = true;
		file->old_path = from->path;
		ret = read_before(j, from->path, &from->side, &old, &err);
	}
	if (ret == CW_OK)
		compare(j, file, old.analysis, new);
	else
		unchecked(j, file->path, ret, err.msg);
	gate_version_release(&old);
}

static void take_new(struct judge *j, struct piece *p)
{
	struct piece *old = p->file->old.kind == CW_GIT_FILE ? p - 1 : NULL;

	if (p->late || (old && old->late))
		j->report->late++;
	else if (p->ret != CW_OK)
		unchecked(j, p->file->path, p->ret, p->message ? p->message : "");
	else if (!old)
		take_added(j, p->file, p->v.analysis);
	else if (old->ret != CW_OK)
		unchecked(j, p->file->path, old->ret, old->message ? old->message : "");
	else
		compare(j, p->file, old->v.analysis, p->v.analysis);
	if (old)
		gate_version_release(&old->v);
	gate_version_release(&p->v);
}

static int take_piece(void *ctx, struct cli_result *result, struct cw_error *err)
{
	struct judge *j = ctx;
	struct piece *p = &j->pieces[result->item - j->items.at];

	(void)err;
	if (p->part == PART_NEW) {
		take_new(j, p);
	} else if (p->part == PART_GONE) {
		j->report->late += p->late;
		if (p->v.analysis)
			gate_gone_fill(j->report, p->gone, p->v.analysis);
		gate_version_release(&p->v);
	}
	return CW_OK;
}

static void take_gone(struct judge *j, const struct gate_gone *gone)
{
	struct gate_report *r = j->report;

	if (gone->claimed || gone->record.ntitles == 0)
		return;
	for (size_t i = 0; i < r->ndeleted; i++)
		if (strcmp(r->deleted[i].path, gone->path) == 0)
			return;
	r->deleted = gate_grow(r, r->deleted, r->ndeleted, &r->deleted_cap, sizeof(*r->deleted));
	r->deleted[r->ndeleted++] = gone->record;
}

static bool load_rules(struct gate *g)
{
	struct cw_error err = { 0 };

	if (g->rules || g->report->rules_code < 0)
		return g->rules != NULL;
	cw_today(g->today);
	g->report->rules_code = cli_load_rules(g->config, g->packs, &g->rules, &err);
	if (g->report->rules_code < 0)
		gate_add_unchecked(g->report, NULL, "rules", err.msg);
	return g->rules != NULL;
}

static int list_pieces(struct judge *j, struct cw_error *err)
{
	size_t n = 0, max = j->ngone + 2 * j->nfiles;

	j->pieces = calloc(max, sizeof(*j->pieces));
	j->items.at = calloc(max, sizeof(*j->items.at));
	if (!j->pieces || !j->items.at)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	for (size_t i = 0; i < j->ngone; i++)
		j->pieces[n++] = (struct piece){ .part = PART_GONE, .gone = &j->gone[i] };
	for (size_t i = 0; i < j->nfiles; i++) {
		struct cw_git_change *file = &j->files[i];
		if (file->old.kind == CW_GIT_FILE)
			j->pieces[n++] = (struct piece){ .part = PART_OLD, .file = file };
		j->pieces[n++] = (struct piece){ .part = PART_NEW, .file = file };
	}
	j->items.count = n;
	return CW_OK;
}

static int judge_all(struct judge *j, struct cw_error *err)
{
	int ret;

	if (j->nfiles + j->ngone == 0 || !load_rules(j->g))
		return CW_OK;
	ret = list_pieces(j, err);
	if (ret == CW_OK)
		ret = cli_pool_run(&j->items, (unsigned)j->g->config->watch.jobs, read_piece, j,
				   take_piece, j, err);
	for (size_t i = 0; i < j->items.count; i++) {
		gate_version_release(&j->pieces[i].v);
		free(j->pieces[i].message);
	}
	free(j->pieces);
	free(j->items.at);
	for (size_t i = 0; i < j->ngone && ret == CW_OK; i++)
		take_gone(j, &j->gone[i]);
	return ret;
}

static const struct cw_git_diff_opts diff_opts = { .renames = true };

static struct judge begin(struct gate *g)
{
	g->report->changes_before = g->report->nchanges;
	g->report->unchecked_before = g->report->nunchecked;
	return (struct judge){ .g = g, .report = g->report, .git = PTHREAD_MUTEX_INITIALIZER };
}

static int finish(struct judge *j, int ret, struct cw_error *err)
{
	if (ret == CW_OK)
		ret = judge_all(j, err);
	cw_arena_release(&j->arena);
	return ret;
}

int gate_trees(struct gate *g, const struct cw_oid *old_tree, const struct cw_oid *new_tree,
	       struct cw_error *err)
{
	struct judge j = begin(g);
	int ret = cw_git_diff_trees(g->repo, old_tree, new_tree, &diff_opts, on_change, &j, err);

	return finish(&j, ret, err);
}

int gate_index(struct gate *g, struct cw_error *err)
{
	struct judge j = begin(g);
	int ret = cw_git_diff_index(g->repo, &diff_opts, on_change, &j, err);

	return finish(&j, ret, err);
}

void gate_release(struct gate *g)
{
	cw_ruleset_free(g->rules);
	g->rules = NULL;
}
