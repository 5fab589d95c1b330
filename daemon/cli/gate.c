/*
 * The files that differ are collected first, since a deleted document may continue as an added
 * one.  Then each document is read in both states; only one pair is in memory at a time.
 */
#include "gate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct judge {
	struct gate *g;
	struct gate_report *report;
	struct cw_arena arena;
	struct cw_git_change *files; /* documents that changed or were added */
	size_t nfiles, files_cap;
	struct gate_gone *gone;
	size_t ngone, gone_cap;
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

/* Positive: it stands for a file that is kept elsewhere. */
static int read_version(struct gate *g, const char *path, const struct cw_git_side *side,
			struct gate_version *v, struct cw_error *err)
{
	const struct cw_analysis_options options = { .legacy_before = g->config->legacy_before,
						     .today = g->today };
	int ret = cw_git_read_blob(g->repo, &side->oid, max_size(g), &v->blob, err);

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

static void unchecked(struct judge *j, const char *path, int ret, const struct cw_error *err)
{
	if (ret > 0)
		gate_add_unchecked(j->report, path, "lfs", "its content is kept by Git LFS");
	else
		gate_add_unchecked(j->report, path, cw_unchecked_name(ret), err->msg);
}

/*
 * The state before.  One that could not have been checked then protects nothing now, so that all
 * of the new state counts as new; but bytes that are missing make a comparison worthless.
 */
static int read_before(struct judge *j, const struct cw_git_change *file, struct gate_version *v,
		       struct cw_error *err)
{
	int ret = read_version(j->g, file->old_path, &file->old, v, err);

	if (ret != CW_OK && (v->blob.len > 0 || ret == CW_EFULL)) {
		gate_version_release(v);
		return CW_OK;
	}
	return ret < 0 ? cw_wrap(err, ret, "the version before") : ret;
}

static void judge_file(struct judge *j, struct cw_git_change *file)
{
	struct gate_version old = { 0 }, new = { 0 };
	struct cw_comparison *c = NULL;
	struct cw_error err = { 0 };
	int ret = read_version(j->g, file->path, &file->new, &new, &err);

	if (ret == CW_OK && file->old.kind != CW_GIT_FILE) {
		struct gate_gone *from = gate_gone_match(j->gone, j->ngone, new.analysis);
		if (from) {
			from->claimed = true;
			file->old_path = from->path;
			file->old = from->side;
		}
	}
	if (ret == CW_OK && file->old.kind == CW_GIT_FILE)
		ret = read_before(j, file, &old, &err);
	if (ret == CW_OK)
		ret = cw_compare(old.analysis, new.analysis, &c, &err);
	if (ret == CW_OK) {
		j->report->checked++;
		gate_take_changes(j->g, file->path, file->old_path, c);
	} else {
		unchecked(j, file->path, ret, &err);
	}
	cw_comparison_free(c);
	gate_version_release(&new);
	gate_version_release(&old);
}

static void read_gone(struct judge *j, struct gate_gone *gone)
{
	struct gate_version v = { 0 };
	struct cw_error err = { 0 };

	if (read_version(j->g, gone->path, &gone->side, &v, &err) == CW_OK)
		gate_gone_fill(j->report, gone, v.analysis);
	gate_version_release(&v);
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
	cli_today(g->today);
	g->report->rules_code = cli_load_rules(g->config, g->packs, &g->rules, &err);
	if (g->report->rules_code < 0)
		gate_add_unchecked(g->report, NULL, "rules", err.msg);
	return g->rules != NULL;
}

static void judge_all(struct judge *j)
{
	double deadline = j->g->deadline;

	if (j->nfiles + j->ngone == 0 || !load_rules(j->g))
		return;
	for (size_t i = 0; i < j->ngone; i++) {
		if (cli_now() > deadline)
			j->report->late++;
		else
			read_gone(j, &j->gone[i]);
	}
	for (size_t i = 0; i < j->nfiles; i++) {
		if (cli_now() > deadline)
			j->report->late++;
		else
			judge_file(j, &j->files[i]);
	}
	for (size_t i = 0; i < j->ngone; i++)
		take_gone(j, &j->gone[i]);
}

static const struct cw_git_diff_opts diff_opts = { .renames = true };

static struct judge begin(struct gate *g)
{
	g->report->changes_before = g->report->nchanges;
	g->report->unchecked_before = g->report->nunchecked;
	return (struct judge){ .g = g, .report = g->report };
}

static int finish(struct judge *j, int ret)
{
	if (ret == CW_OK)
		judge_all(j);
	cw_arena_release(&j->arena);
	return ret;
}

int gate_trees(struct gate *g, const struct cw_oid *old_tree, const struct cw_oid *new_tree,
	       struct cw_error *err)
{
	struct judge j = begin(g);

	return finish(
		&j, cw_git_diff_trees(g->repo, old_tree, new_tree, &diff_opts, on_change, &j, err));
}

int gate_index(struct gate *g, struct cw_error *err)
{
	struct judge j = begin(g);

	return finish(&j, cw_git_diff_index(g->repo, &diff_opts, on_change, &j, err));
}

void gate_release(struct gate *g)
{
	cw_ruleset_free(g->rules);
	g->rules = NULL;
}
