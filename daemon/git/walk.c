#include "git/internal.h"

#include <stdlib.h>
#include <string.h>

/* Candidates for a base looked at: more come from histories with very many merges only. */
#define BOUNDARY_MAX 64

int git_walk_new(struct cw_git_repo *r, const struct cw_oid *tips, size_t ntips,
		 const struct cw_oid *hide, size_t nhide, bool hide_refs, git_revwalk **out_walk,
		 struct cw_error *err)
{
	struct cw_arena arena = { 0 };
	struct cw_git_tips refs = { 0 };
	git_revwalk *walk = NULL;
	int rc = git_revwalk_new(&walk, r->repo);
	int ret = rc < 0 ? git_failed(r, rc, err, "cannot walk its history") : CW_OK;
	git_oid id;

	if (ret == CW_OK)
		git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL | GIT_SORT_TIME);
	for (size_t i = 0; ret == CW_OK && i < ntips; i++) {
		struct cw_oid oid, commit = { 0 }, tree;
		enum cw_git_type type;

		ret = git_oid_of(r, &tips[i], &id, err);
		if (ret == CW_OK)
			ret = git_peel(r, &id, &type, &oid, &commit, &tree, err);
		if (ret < 0 || cw_oid_is_none(&commit))
			continue;
		ret = git_oid_of(r, &commit, &id, err);
		if (ret == CW_OK && (rc = git_revwalk_push(walk, &id)) < 0)
			ret = git_failed(r, rc, err, "cannot walk its history");
	}
	if (ret == CW_OK && hide_refs)
		ret = cw_git_snapshot_refs(r, &arena, NULL, 0, &refs, err);
	/* Tags on files and references to lost objects hide nothing: that is no failure. */
	for (size_t i = 0; ret == CW_OK && i < refs.count; i++) {
		if (git_oid_of(r, &refs.items[i].oid, &id, NULL) == CW_OK)
			git_revwalk_hide(walk, &id);
	}
	for (size_t i = 0; ret == CW_OK && i < nhide; i++) {
		if (git_oid_of(r, &hide[i], &id, NULL) == CW_OK)
			git_revwalk_hide(walk, &id);
	}
	cw_arena_release(&arena);
	if (ret == CW_OK) {
		*out_walk = walk;
		walk = NULL;
	}
	git_revwalk_free(walk);
	return ret;
}

/* 0: *out_oid holds the next one; 1: that was all. */
static int walk_next(struct cw_git_repo *r, git_revwalk *walk, git_oid *out_oid,
		     struct cw_error *err)
{
	int rc = git_revwalk_next(out_oid, walk);

	if (rc == GIT_ITEROVER)
		return 1;
	if (rc == GIT_ENOTFOUND)
		return cw_fail(err, CW_ENOTFOUND,
			       "repository '%s': its history is incomplete (%s): run `git fetch "
			       "--unshallow` in it",
			       r->path, git_message());
	if (rc < 0)
		return git_failed(r, rc, err, "cannot walk its history");
	return 0;
}

static void reverse(struct cw_oid *items, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct cw_oid swap = items[i];

		items[i] = items[count - 1 - i];
		items[count - 1 - i] = swap;
	}
}

int cw_git_walk(struct cw_git_repo *repo, struct cw_arena *arena, const struct cw_git_range *range,
		struct cw_git_commits *out_commits, struct cw_error *err)
{
	struct cw_git_commits list = { 0 };
	git_revwalk *walk = NULL;
	size_t cap = 0;
	git_oid id;
	int ret = git_walk_new(repo, range->tips, range->ntips, range->hide, range->nhide,
			       range->hide_refs, &walk, err);

	if (ret < 0)
		return ret;
	if (range->first_parent)
		git_revwalk_simplify_first_parent(walk);
	while ((ret = walk_next(repo, walk, &id, err)) == 0) {
		struct cw_oid *grown;

		if (range->limit > 0 && list.count == range->limit) {
			list.truncated = true;
			break;
		}
		grown = cw_arena_grow(arena, list.items, list.count, &cap, sizeof(*grown));
		if (!grown) {
			ret = git_no_memory(repo, err);
			break;
		}
		list.items = grown;
		git_oid_to_cw(&id, &list.items[list.count++]);
	}
	git_revwalk_free(walk);
	if (ret < 0)
		return ret;
	reverse(list.items, list.count);
	*out_commits = list;
	return CW_OK;
}

int cw_git_is_descendant(struct cw_git_repo *repo, const struct cw_oid *commit,
			 const struct cw_oid *ancestor, bool *out_yes, struct cw_error *err)
{
	git_oid a, b;
	int ret = git_oid_of(repo, commit, &a, err);

	if (ret == CW_OK)
		ret = git_oid_of(repo, ancestor, &b, err);
	if (ret < 0)
		return ret;
	int rc = git_oid_equal(&a, &b) ? 1 : git_graph_descendant_of(repo->repo, &a, &b);
	if (rc < 0)
		return git_failed(repo, rc, err, "cannot compare two histories");
	*out_yes = rc == 1;
	return CW_OK;
}

int cw_git_merge_base(struct cw_git_repo *repo, const struct cw_oid *a, const struct cw_oid *b,
		      struct cw_oid *out_base, struct cw_error *err)
{
	git_oid x, y, base;
	int ret = git_oid_of(repo, a, &x, err);

	if (ret == CW_OK)
		ret = git_oid_of(repo, b, &y, err);
	if (ret < 0)
		return ret;
	int rc = git_merge_base(&base, repo->repo, &x, &y);
	if (rc < 0)
		return git_failed(repo, rc, err, "no common history");
	git_oid_to_cw(&base, out_base);
	return CW_OK;
}

struct boundary {
	git_oid oid;
	int64_t time;
};

static int compare_oids(const void *a, const void *b)
{
	return git_oid_cmp(a, b);
}

static int newest_first(const void *a, const void *b)
{
	const struct boundary *x = a, *y = b;

	return x->time != y->time ? (x->time < y->time ? 1 : -1) : git_oid_cmp(&x->oid, &y->oid);
}

static int collect_new(struct cw_git_repo *r, struct cw_arena *arena, git_revwalk *walk,
		       git_oid **out_items, size_t *out_count, struct cw_error *err)
{
	git_oid *items = NULL, *grown, id;
	size_t n = 0, cap = 0;
	int ret;

	while ((ret = walk_next(r, walk, &id, err)) == 0) {
		grown = cw_arena_grow(arena, items, n, &cap, sizeof(*grown));
		if (!grown)
			return git_no_memory(r, err);
		items = grown;
		items[n++] = id;
	}
	if (ret < 0)
		return ret;
	if (n > 0)
		qsort(items, n, sizeof(*items), compare_oids);
	*out_items = items;
	*out_count = n;
	return CW_OK;
}

static int add_boundary(struct cw_git_repo *r, const git_oid *oid, struct boundary *list, size_t *n,
			struct cw_error *err)
{
	git_commit *commit;
	int ret;

	for (size_t i = 0; i < *n; i++) {
		if (git_oid_equal(&list[i].oid, oid))
			return CW_OK;
	}
	if (*n == BOUNDARY_MAX)
		return CW_OK;
	ret = git_read_commit(r, oid, &commit, err);
	if (ret < 0)
		return ret;
	list[*n].oid = *oid;
	list[(*n)++].time = git_commit_time(commit);
	git_commit_free(commit);
	return CW_OK;
}

/* Parents of new commits that are not new themselves: where the new history left the old one. */
static int find_boundaries(struct cw_git_repo *r, const git_oid *fresh, size_t nfresh,
			   struct boundary *list, size_t *out_n, struct cw_error *err)
{
	int ret = CW_OK;

	*out_n = 0;
	for (size_t i = 0; i < nfresh && ret == CW_OK; i++) {
		git_commit *commit;

		ret = git_read_commit(r, &fresh[i], &commit, err);
		if (ret < 0)
			break;
		for (unsigned p = 0; p < git_commit_parentcount(commit) && ret == CW_OK; p++) {
			const git_oid *parent = git_commit_parent_id(commit, p);

			if (!bsearch(parent, fresh, nfresh, sizeof(*fresh), compare_oids))
				ret = add_boundary(r, parent, list, out_n, err);
		}
		git_commit_free(commit);
	}
	qsort(list, *out_n, sizeof(*list), newest_first);
	return ret;
}

static bool has_newer(struct cw_git_repo *r, const struct boundary *list, size_t n,
		      const git_oid *than)
{
	for (size_t i = 0; i < n; i++) {
		if (git_graph_descendant_of(r->repo, &list[i].oid, than) == 1)
			return true;
	}
	return false;
}

/* Of several states, the one on the default branch counts; else the newest that has no newer. */
static const git_oid *choose(struct cw_git_repo *r, const git_oid *commit,
			     const struct boundary *list, size_t n)
{
	git_oid head, base;

	if (n > 1 && git_reference_name_to_id(&head, r->repo, "HEAD") == 0 &&
	    git_merge_base(&base, r->repo, commit, &head) == 0) {
		for (size_t i = 0; i < n; i++) {
			if (git_oid_equal(&list[i].oid, &base) && !has_newer(r, list, n, &base))
				return &list[i].oid;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (!has_newer(r, list, n, &list[i].oid))
			return &list[i].oid;
	}
	return &list[0].oid;
}

int git_nearest_base(struct cw_git_repo *r, const struct cw_oid *commit, const struct cw_oid *known,
		     size_t nknown, struct cw_oid *out_base, struct cw_error *err)
{
	struct boundary list[BOUNDARY_MAX] = { 0 };
	struct cw_arena arena = { 0 };
	git_revwalk *walk = NULL;
	git_oid *fresh = NULL, id;
	size_t nfresh = 0, n = 0;
	int ret = git_oid_of(r, commit, &id, err);

	*out_base = (struct cw_oid){ 0 };
	if (ret == CW_OK)
		ret = git_walk_new(r, commit, 1, known, nknown, !known, &walk, err);
	if (ret == CW_OK)
		ret = collect_new(r, &arena, walk, &fresh, &nfresh, err);
	if (ret == CW_OK && nfresh == 0)
		*out_base = *commit; /* the state was there already, under another name */
	else if (ret == CW_OK)
		ret = find_boundaries(r, fresh, nfresh, list, &n, err);
	if (ret == CW_OK && n > 0)
		git_oid_to_cw(choose(r, &id, list, n), out_base);
	git_revwalk_free(walk);
	cw_arena_release(&arena);
	return ret;
}
