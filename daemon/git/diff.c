/* Two trees compared by walking them side by side: only what differs is ever opened. */
#include "git/internal.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 512
#define PATH_BYTES_MAX ((size_t)1 << 16)
#define CHANGES_MAX ((size_t)1000000)
#define ENTRIES_MAX ((size_t)10000000)

struct diff {
	struct cw_git_repo *repo;
	const struct cw_git_diff_opts *opts;
	cw_git_change_cb *cb;
	void *ctx;
	struct cw_error *err;
	struct cw_buf path;
	struct cw_arena arena; /* pending, when renames are wanted */
	struct cw_git_change *pending;
	size_t npending, cap;
	size_t nchanges, nentries;
	size_t max_changes, max_entries;
};

/* Positive: the callback has seen enough. */
static int deliver(struct diff *d, struct cw_git_change *change)
{
	if (d->opts->sizes) {
		git_find_size(d->repo, &change->old);
		git_find_size(d->repo, &change->new);
	}
	return d->cb(change, d->ctx);
}

static int keep(struct diff *d, const struct cw_git_change *change)
{
	struct cw_git_change *grown =
		cw_arena_grow(&d->arena, d->pending, d->npending, &d->cap, sizeof(*grown));
	char *path = cw_arena_strndup(&d->arena, change->path, change->path_len);

	if (!grown || !path)
		return git_no_memory(d->repo, d->err);
	d->pending = grown;
	d->pending[d->npending] = *change;
	d->pending[d->npending].path = path;
	d->pending[d->npending++].old_path = path;
	return CW_OK;
}

static int on_change(struct diff *d, const struct cw_git_side *old, const struct cw_git_side *new)
{
	struct cw_git_change change = {
		.kind = old->kind == CW_GIT_ABSENT   ? CW_GIT_ADDED
			: new->kind == CW_GIT_ABSENT ? CW_GIT_DELETED
						     : CW_GIT_MODIFIED,
		.path = cw_buf_str(&d->path),
		.path_len = d->path.len,
		.old_path = cw_buf_str(&d->path),
		.old = *old,
		.new = *new,
	};

	if (d->opts->want && !d->opts->want(change.path, change.path_len, false, d->opts->ctx))
		return CW_OK;
	if (++d->nchanges > d->max_changes)
		return cw_fail(d->err, CW_EFULL, "repository '%s': more than %zu changed files",
			       d->repo->path, d->max_changes);
	return d->opts->renames ? keep(d, &change) : deliver(d, &change);
}

static bool is_dir(uint32_t mode)
{
	return (mode & 0170000) == 0040000;
}

/* The order of git's trees: a directory sorts as if its name ended in '/'. */
static int compare_entries(const struct git_entry *a, const struct git_entry *b)
{
	size_t min = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order = memcmp(a->name, b->name, min);
	unsigned char ca, cb;

	if (order != 0)
		return order;
	ca = a->name_len > min ? (unsigned char)a->name[min] : is_dir(a->mode) ? '/' : 0;
	cb = b->name_len > min ? (unsigned char)b->name[min] : is_dir(b->mode) ? '/' : 0;
	if (ca != cb)
		return ca < cb ? -1 : 1;
	return (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static int diff_trees(struct diff *d, const git_oid *old, const git_oid *new, unsigned depth);

/* An entry that differs or is on one side only (the other NULL).  Both name the same path. */
static int diff_entry(struct diff *d, const struct git_entry *old, const struct git_entry *new,
		      unsigned depth)
{
	const struct git_entry *any = old ? old : new;
	struct cw_git_side old_side = { 0 }, new_side = { 0 };
	size_t len = d->path.len;
	int ret = CW_OK;

	/* cppcheck-suppress nullPointerRedundantCheck ; one side is always there */
	if (len + any->name_len + 1 > PATH_BYTES_MAX)
		return cw_fail(d->err, CW_EFULL, "repository '%s': a path is longer than %zu bytes",
			       d->repo->path, PATH_BYTES_MAX);
	if (len > 0)
		cw_buf_putc(&d->path, '/');
	cw_buf_put(&d->path, any->name, any->name_len);
	if (d->path.failed)
		return git_no_memory(d->repo, d->err);
	if (is_dir(any->mode)) {
		if (!d->opts->want ||
		    d->opts->want(cw_buf_str(&d->path), d->path.len, true, d->opts->ctx))
			ret = diff_trees(d, old ? &old->oid : NULL, new ? &new->oid : NULL,
					 depth + 1);
	} else {
		if (old)
			git_make_side(old->mode, &old->oid, &old_side);
		if (new)
			git_make_side(new->mode, &new->oid, &new_side);
		if (old_side.kind != new_side.kind || !cw_oid_eq(&old_side.oid, &new_side.oid))
			ret = on_change(d, &old_side, &new_side);
	}
	d->path.len = len;
	return ret;
}

static int diff_trees(struct diff *d, const git_oid *old, const git_oid *new, unsigned depth)
{
	struct git_cursor a = { 0 }, b = { 0 };
	int ret;

	if (depth > DEPTH_MAX)
		return cw_fail(d->err, CW_EFULL,
			       "repository '%s': directories are nested deeper than %d",
			       d->repo->path, DEPTH_MAX);
	ret = git_cursor_open(d->repo, old, &a, d->err);
	if (ret == CW_OK)
		ret = git_cursor_open(d->repo, new, &b, d->err);
	while (ret == CW_OK && (a.valid || b.valid)) {
		int order = !a.valid ? 1 : !b.valid ? -1 : compare_entries(&a.entry, &b.entry);

		if (++d->nentries > d->max_entries)
			ret = cw_fail(d->err, CW_EFULL, "repository '%s': more than %zu files",
				      d->repo->path, d->max_entries);
		else if (order != 0 || git_oid_cmp(&a.entry.oid, &b.entry.oid) != 0 ||
			 a.entry.mode != b.entry.mode)
			ret = diff_entry(d, order <= 0 ? &a.entry : NULL,
					 order >= 0 ? &b.entry : NULL, depth);
		if (ret == CW_OK && order <= 0)
			ret = git_cursor_next(d->repo, &a, d->err);
		if (ret == CW_OK && order >= 0)
			ret = git_cursor_next(d->repo, &b, d->err);
	}
	git_cursor_close(&a);
	git_cursor_close(&b);
	return ret;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int compare_deleted(const void *a, const void *b)
{
	const struct cw_git_change *const *x = a, *const *y = b;
	int order = memcmp((*x)->old.oid.id, (*y)->old.oid.id, sizeof((*x)->old.oid.id));

	if (order == 0)
		order = (int)(*x)->old.kind - (int)(*y)->old.kind;
	return order != 0 ? order : strcmp((*x)->path, (*y)->path);
}

static bool same_blob(const struct cw_git_change *deleted, const struct cw_git_change *added)
{
	return deleted->old.kind == added->new.kind &&cw_oid_eq(&deleted->old.oid, &added->new.oid);
}

static size_t lower_bound(struct cw_git_change *const *list, size_t n,
			  const struct cw_git_change *added)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order =
			memcmp(list[mid]->old.oid.id, added->new.oid.id, sizeof(added->new.oid.id));

		if (order == 0)
			order = (int)list[mid]->old.kind - (int)added->new.kind;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Copies of one blob pair up by file name first; a used one has no kind any more. */
static void join_rename(struct cw_git_change *added, struct cw_git_change **deleted, size_t n)
{
	struct cw_git_change *from = NULL;
	size_t tries = 0;

	for (size_t i = lower_bound(deleted, n, added);
	     i < n && same_blob(deleted[i], added) && tries < 1000; i++, tries++) {
		if (deleted[i]->new.kind != CW_GIT_ABSENT)
			continue;
		bool same_name = strcmp(base_name(deleted[i]->path), base_name(added->path)) == 0;
		if (!from || same_name)
			from = deleted[i];
		if (same_name)
			break;
	}
	if (!from)
		return;
	added->kind = CW_GIT_RENAMED;
	added->old_path = from->path;
	added->old = from->old;
	from->new.kind = added->new.kind;
}

static int deliver_pending(struct diff *d)
{
	struct cw_git_change **deleted =
		cw_arena_alloc(&d->arena, (d->npending + 1) * sizeof(*deleted));
	size_t ndeleted = 0;
	int ret = CW_OK;

	if (!deleted)
		return git_no_memory(d->repo, d->err);
	for (size_t i = 0; i < d->npending; i++) {
		if (d->pending[i].kind == CW_GIT_DELETED)
			deleted[ndeleted++] = &d->pending[i];
	}
	qsort(deleted, ndeleted, sizeof(*deleted), compare_deleted);
	for (size_t i = 0; i < d->npending; i++) {
		if (d->pending[i].kind == CW_GIT_ADDED)
			join_rename(&d->pending[i], deleted, ndeleted);
	}
	for (size_t i = 0; i < d->npending && ret == CW_OK; i++) {
		struct cw_git_change *change = &d->pending[i];

		if (change->kind != CW_GIT_DELETED || change->new.kind == CW_GIT_ABSENT)
			ret = deliver(d, change);
	}
	return ret;
}

static void diff_start(struct diff *d, struct cw_git_repo *repo,
		       const struct cw_git_diff_opts *opts, cw_git_change_cb *cb, void *ctx,
		       struct cw_error *err)
{
	static const struct cw_git_diff_opts defaults;

	*d = (struct diff){
		.repo = repo, .opts = opts ? opts : &defaults, .cb = cb, .ctx = ctx, .err = err
	};
	d->max_changes = d->opts->max_changes ? d->opts->max_changes : CHANGES_MAX;
	d->max_entries = d->opts->max_entries ? d->opts->max_entries : ENTRIES_MAX;
}

static int diff_end(struct diff *d, int ret)
{
	if (ret == CW_OK && d->opts->renames)
		ret = deliver_pending(d);
	cw_buf_release(&d->path);
	cw_arena_release(&d->arena);
	return ret > 0 ? CW_OK : ret;
}

int cw_git_diff_trees(struct cw_git_repo *repo, const struct cw_oid *old_tree,
		      const struct cw_oid *new_tree, const struct cw_git_diff_opts *opts,
		      cw_git_change_cb *cb, void *ctx, struct cw_error *err)
{
	bool has_old = old_tree && !cw_oid_is_none(old_tree);
	bool has_new = new_tree && !cw_oid_is_none(new_tree);
	git_oid old, new;
	struct diff d;
	int ret = CW_OK;

	if (has_old)
		ret = git_oid_of(repo, old_tree, &old, err);
	if (ret == CW_OK && has_new)
		ret = git_oid_of(repo, new_tree, &new, err);
	if (ret < 0 || (has_old && has_new && cw_oid_eq(old_tree, new_tree)))
		return ret;
	diff_start(&d, repo, opts, cb, ctx, err);
	ret = diff_trees(&d, has_old ? &old : NULL, has_new ? &new : NULL, 0);
	return diff_end(&d, ret);
}

int git_open_index(const struct cw_git_repo *r, git_index **out_index, struct cw_error *err)
{
	int rc = r->index_path ? git_index_open(out_index, r->index_path)
			       : git_repository_index(out_index, r->repo);

	if (rc < 0)
		return git_failed(r, rc, err, "cannot read the index");
	return CW_OK;
}

static int head_tree(struct cw_git_repo *repo, git_tree **out_tree, struct cw_error *err)
{
	git_object *object = NULL;
	int rc = git_repository_head_unborn(repo->repo);

	*out_tree = NULL;
	if (rc == 1)
		return CW_OK;
	if (rc == 0)
		rc = git_revparse_single(&object, repo->repo, "HEAD^{tree}");
	if (rc < 0)
		return git_failed(repo, rc, err, "cannot read HEAD");
	*out_tree = (git_tree *)object;
	return CW_OK;
}

/* `git add -N`: the name is in the index, but its content is not. */
static bool is_intent_only(git_index *index, const char *path)
{
	const git_index_entry *entry = git_index_get_bypath(index, path, 0);

	return entry && (entry->flags_extended & GIT_INDEX_ENTRY_INTENT_TO_ADD);
}

static int on_delta(struct diff *d, git_index *index, const git_diff_delta *delta)
{
	struct cw_git_side old = { 0 }, new = { 0 };
	const char *path = delta->new_file.path ? delta->new_file.path : delta->old_file.path;

	if (delta->status != GIT_DELTA_ADDED)
		git_make_side(delta->old_file.mode, &delta->old_file.id, &old);
	if (delta->status != GIT_DELTA_DELETED && !is_intent_only(index, path))
		git_make_side(delta->new_file.mode, &delta->new_file.id, &new);
	if (old.kind == new.kind && cw_oid_eq(&old.oid, &new.oid))
		return CW_OK;
	cw_buf_clear(&d->path);
	cw_buf_puts(&d->path, path);
	return d->path.failed ? git_no_memory(d->repo, d->err) : on_change(d, &old, &new);
}

int cw_git_diff_index(struct cw_git_repo *repo, const struct cw_git_diff_opts *opts,
		      cw_git_change_cb *cb, void *ctx, struct cw_error *err)
{
	git_diff_options how;
	git_index *index = NULL;
	git_tree *tree = NULL;
	git_diff *deltas = NULL;
	struct diff d;
	int rc, ret;

	diff_start(&d, repo, opts, cb, ctx, err);
	ret = git_open_index(repo, &index, err);
	if (ret == CW_OK && git_index_has_conflicts(index))
		ret = cw_fail(err, CW_EINVAL,
			      "repository '%s': the index has conflicts: resolve them first",
			      repo->path);
	if (ret == CW_OK)
		ret = head_tree(repo, &tree, err);
	if (ret < 0)
		goto out;
	rc = git_diff_options_init(&how, GIT_DIFF_OPTIONS_VERSION);
	how.flags = GIT_DIFF_INCLUDE_TYPECHANGE;
	if (rc == 0)
		rc = git_diff_tree_to_index(&deltas, repo->repo, tree, index, &how);
	if (rc < 0) {
		ret = git_failed(repo, rc, err, "cannot compare the index with HEAD");
		goto out;
	}
	for (size_t i = 0; i < git_diff_num_deltas(deltas) && ret == CW_OK; i++)
		ret = on_delta(&d, index, git_diff_get_delta(deltas, i));
out:
	ret = diff_end(&d, ret);
	git_diff_free(deltas);
	git_tree_free(tree);
	git_index_free(index);
	return ret;
}
