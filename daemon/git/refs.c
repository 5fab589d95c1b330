#include "git/internal.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool matches(const char *name, const char *glob)
{
	static const char heads[] = "refs/heads/";
	size_t len = strlen(glob);

	if (strncmp(glob, "refs/", 5) != 0 && strcmp(glob, "refs") != 0) {
		if (strncmp(name, heads, sizeof(heads) - 1) != 0)
			return false;
		name += sizeof(heads) - 1;
	}
	while (len > 1 && glob[len - 1] == '/')
		len--;
	if (!strpbrk(glob, "*?[\\"))
		return strncmp(name, glob, len) == 0 && (name[len] == '\0' || name[len] == '/');
	return fnmatch(glob, name, 0) == 0;
}

bool cw_git_ref_matches(const char *name, const char *const *globs, size_t nglobs)
{
	for (size_t i = 0; i < nglobs; i++) {
		if (matches(name, globs[i]))
			return true;
	}
	return nglobs == 0;
}

static int by_ref(const void *a, const void *b)
{
	const struct cw_git_tip *x = a, *y = b;

	return strcmp(x->ref, y->ref);
}

static int add_tip(struct cw_git_repo *r, struct cw_arena *arena, const git_reference *ref,
		   struct cw_git_tips *tips, size_t *cap, struct cw_error *err)
{
	struct cw_git_tip *grown =
		cw_arena_grow(arena, tips->items, tips->count, cap, sizeof(*grown));
	const char *name = cw_arena_strdup(arena, git_reference_name(ref));

	if (!grown || !name)
		return git_no_memory(r, err);
	tips->items = grown;
	tips->items[tips->count].ref = name;
	git_oid_to_cw(git_reference_target(ref), &tips->items[tips->count++].oid);
	return CW_OK;
}

int cw_git_snapshot_refs(struct cw_git_repo *repo, struct cw_arena *arena, const char *const *globs,
			 size_t nglobs, struct cw_git_tips *out_tips, struct cw_error *err)
{
	struct cw_git_tips tips = { 0 };
	git_reference_iterator *iter = NULL;
	git_reference *ref;
	size_t cap = 0;
	int ret = CW_OK;
	int rc = git_reference_iterator_new(&iter, repo->repo);

	while (rc == 0 && ret == CW_OK && (rc = git_reference_next(&ref, iter)) == 0) {
		if (git_reference_type(ref) == GIT_REFERENCE_DIRECT &&
		    cw_git_ref_matches(git_reference_name(ref), globs, nglobs))
			ret = add_tip(repo, arena, ref, &tips, &cap, err);
		git_reference_free(ref);
	}
	git_reference_iterator_free(iter);
	if (rc < 0 && rc != GIT_ITEROVER)
		ret = git_failed(repo, rc, err, "cannot list its references");
	if (ret < 0)
		return ret;
	if (tips.count > 0)
		qsort(tips.items, tips.count, sizeof(*tips.items), by_ref);
	*out_tips = tips;
	return CW_OK;
}

/* A reference to a lost object must not hide all the others. */
static int fill_ref(struct cw_git_repo *r, struct cw_git_ref *ref, struct cw_error *err)
{
	struct cw_oid at;
	git_oid id;
	int ret = git_oid_of(r, &ref->target, &id, err);

	if (ret == CW_OK)
		ret = git_peel(r, &id, &ref->type, &at, &ref->commit, &ref->tree, err);
	if (ret == CW_ENOMEM)
		return ret;
	ref->broken = ret < 0;
	return CW_OK;
}

int cw_git_list_refs(struct cw_git_repo *repo, struct cw_arena *arena, const char *const *globs,
		     size_t nglobs, struct cw_git_refs *out_refs, struct cw_error *err)
{
	struct cw_git_refs refs = { 0 };
	struct cw_error ignored;
	struct cw_git_tips tips;
	int ret = cw_git_snapshot_refs(repo, arena, globs, nglobs, &tips, err);

	if (ret < 0)
		return ret;
	refs.items = cw_arena_alloc(arena, (tips.count + 1) * sizeof(*refs.items));
	if (!refs.items)
		return git_no_memory(repo, err);
	for (; refs.count < tips.count; refs.count++) {
		struct cw_git_ref *ref = &refs.items[refs.count];

		ref->name = tips.items[refs.count].ref;
		ref->target = tips.items[refs.count].oid;
		if (fill_ref(repo, ref, &ignored) < 0)
			return git_no_memory(repo, err);
	}
	*out_refs = refs;
	return CW_OK;
}

int cw_git_head(struct cw_git_repo *repo, struct cw_arena *arena, struct cw_git_ref *out_ref,
		struct cw_error *err)
{
	struct cw_git_ref ref = { 0 };
	git_reference *head = NULL;
	const char *name;
	git_oid id;
	int ret = CW_OK;
	int rc = git_reference_lookup(&head, repo->repo, "HEAD");

	if (rc < 0)
		return git_failed(repo, rc, err, "cannot read HEAD");
	name = git_reference_symbolic_target(head);
	ref.name = cw_arena_strdup(arena, name ? name : "HEAD");
	git_reference_free(head);
	if (!ref.name)
		return git_no_memory(repo, err);
	rc = git_reference_name_to_id(&id, repo->repo, "HEAD");
	if (rc == 0) {
		git_oid_to_cw(&id, &ref.target);
		ret = fill_ref(repo, &ref, err);
	} else if (rc != GIT_ENOTFOUND) {
		ret = git_failed(repo, rc, err, "cannot read HEAD");
	}
	if (ret == CW_OK)
		*out_ref = ref;
	return ret;
}

/* Where "REV:PATH" divides; a colon inside ^{/...} belongs to the revision. */
static const char *find_colon(const char *spec)
{
	int depth = 0;

	for (; *spec; spec++) {
		depth += (*spec == '{') - (*spec == '}');
		if (*spec == ':' && depth <= 0)
			return spec;
	}
	return NULL;
}

static int resolve_rev(struct cw_git_repo *r, const char *rev, struct cw_git_object *o,
		       struct cw_error *err)
{
	char quoted[GIT_QUOTE_SIZE];
	git_object *found = NULL;
	git_oid id;
	int rc;

	git_quote(rev, strlen(rev), quoted);
	git_error_clear();
	rc = *rev ? git_revparse_single(&found, r->repo, rev) : GIT_EINVALIDSPEC;
	if (rc == GIT_ENOTFOUND || rc == GIT_EUNBORNBRANCH)
		return cw_fail(err, CW_ENOTFOUND, "repository '%s': no revision '%s'", r->path,
			       quoted);
	if (rc == GIT_EAMBIGUOUS)
		return cw_fail(err, CW_EINVAL,
			       "repository '%s': '%s' names several objects: give more digits",
			       r->path, quoted);
	if (rc == GIT_EINVALIDSPEC)
		return cw_fail(err, CW_EINVAL, "repository '%s': '%s' is not a revision", r->path,
			       quoted);
	if (rc < 0)
		return git_failed(r, rc, err, "revision '%s'", quoted);
	id = *git_object_id(found);
	git_object_free(found);
	return git_peel(r, &id, &o->type, &o->oid, &o->commit, &o->tree, err);
}

static int resolve_staged(struct cw_git_repo *r, const char *path, struct cw_git_object *o,
			  struct cw_error *err)
{
	char quoted[GIT_QUOTE_SIZE];
	git_index *index;
	const git_index_entry *entry;
	int ret = git_open_index(r, &index, err);

	if (ret < 0)
		return ret;
	entry = git_index_get_bypath(index, path, 0);
	if (entry) {
		*o = (struct cw_git_object){ .type = CW_GIT_BLOB, .path = path };
		o->mode = entry->mode;
		git_oid_to_cw(&entry->id, &o->oid);
	} else {
		ret = cw_fail(err, CW_ENOTFOUND, "repository '%s': '%s' is not staged", r->path,
			      git_quote(path, strlen(path), quoted));
	}
	git_index_free(index);
	return ret;
}

static int resolve_path(struct cw_git_repo *r, const char *path, struct cw_git_object *o,
			struct cw_error *err)
{
	struct cw_git_side side;
	int ret;

	if (cw_oid_is_none(&o->tree))
		return cw_fail(err, CW_EINVAL, "repository '%s': the revision has no files",
			       r->path);
	if (!*path) {
		o->type = CW_GIT_TREE;
		o->oid = o->tree;
		return CW_OK;
	}
	ret = cw_git_tree_blob(r, &o->tree, path, &side, err);
	if (ret < 0)
		return ret;
	o->type = side.kind == CW_GIT_SUBMODULE ? CW_GIT_COMMIT : CW_GIT_BLOB;
	o->oid = side.oid;
	o->mode = side.mode;
	o->path = path;
	return CW_OK;
}

int cw_git_resolve(struct cw_git_repo *repo, const char *spec, struct cw_git_object *out_object,
		   struct cw_error *err)
{
	const char *colon = find_colon(spec);
	struct cw_git_object o = { 0 };
	struct cw_buf rev = { 0 };
	int ret;

	if (colon == spec) {
		ret = resolve_staged(repo, spec + 1, &o, err);
	} else {
		cw_buf_put(&rev, spec, colon ? (size_t)(colon - spec) : strlen(spec));
		ret = cw_buf_ok(&rev, err);
		if (ret == CW_OK)
			ret = resolve_rev(repo, cw_buf_str(&rev), &o, err);
		if (ret == CW_OK && colon)
			ret = resolve_path(repo, colon + 1, &o, err);
	}
	cw_buf_release(&rev);
	if (ret == CW_OK)
		*out_object = o;
	return ret;
}

int cw_git_watch_paths(struct cw_git_repo *repo, struct cw_arena *arena,
		       struct cw_git_watch_path **out_paths, size_t *out_count,
		       struct cw_error *err)
{
	const char *common = cw_git_common_dir(repo), *own = cw_git_dir(repo);
	struct cw_git_watch_path *paths = cw_arena_alloc(arena, 4 * sizeof(*paths));
	struct stat st;
	size_t n = 0;

	if (!paths)
		return git_no_memory(repo, err);
	paths[n++].path = cw_arena_strdup(arena, common); /* packed-refs and HEAD */
	paths[n].path = cw_arena_printf(arena, "%srefs/", common);
	paths[n++].recursive = true;
	if (strcmp(common, own) != 0) {
		paths[n++].path = cw_arena_strdup(arena, own); /* HEAD of a linked work tree */
		paths[n].path = cw_arena_printf(arena, "%srefs/", own);
		if (paths[n].path && stat(paths[n].path, &st) == 0)
			paths[n++].recursive = true;
	}
	for (size_t i = 0; i < n; i++) {
		if (!paths[i].path)
			return git_no_memory(repo, err);
	}
	*out_paths = paths;
	*out_count = n;
	return CW_OK;
}
