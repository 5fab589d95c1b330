#include "git/internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TAG_DEPTH_MAX 32
#define LFS_POINTER_MAX 1024

static int missing(const struct cw_git_repo *r, const git_oid *oid, struct cw_error *err)
{
	char hex[GIT_OID_HEXSZ + 1];

	return cw_fail(err, CW_ENOTFOUND,
		       "repository '%s': object %s is missing: a partial or shallow clone needs "
		       "`git fetch --unshallow` or `--refetch`, else run `git -C '%s' fsck`",
		       r->path, git_oid_tostr(hex, sizeof(hex), oid), r->path);
}

int git_read_object(const struct cw_git_repo *r, const git_oid *oid, git_object_t type,
		    git_odb_object **out_object, struct cw_error *err)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_odb_object *object;
	int rc = git_odb_read(&object, r->odb, oid);

	if (rc == GIT_ENOTFOUND)
		return missing(r, oid, err);
	git_oid_tostr(hex, sizeof(hex), oid);
	if (rc < 0)
		return git_failed(r, rc, err, "cannot read object %s", hex);
	if (type != GIT_OBJECT_ANY && git_odb_object_type(object) != type) {
		int ret = cw_fail(err, CW_EINVAL, "repository '%s': object %s is a %s, not a %s",
				  r->path, hex, git_object_type2string(git_odb_object_type(object)),
				  git_object_type2string(type));

		git_odb_object_free(object);
		return ret;
	}
	*out_object = object;
	return CW_OK;
}

int git_read_commit(const struct cw_git_repo *r, const git_oid *oid, git_commit **out_commit,
		    struct cw_error *err)
{
	char hex[GIT_OID_HEXSZ + 1];
	int rc = git_commit_lookup(out_commit, r->repo, oid);

	if (rc == 0)
		return CW_OK;
	if (rc == GIT_ENOTFOUND && !git_odb_exists(r->odb, oid))
		return missing(r, oid, err);
	return git_failed(r, rc, err, "cannot read commit %s",
			  git_oid_tostr(hex, sizeof(hex), oid));
}

static int peel_tag(const struct cw_git_repo *r, git_oid *oid, struct cw_error *err)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_tag *tag;
	int rc = git_tag_lookup(&tag, r->repo, oid);

	if (rc < 0)
		return git_failed(r, rc, err, "cannot read tag %s",
				  git_oid_tostr(hex, sizeof(hex), oid));
	git_oid_cpy(oid, git_tag_target_id(tag));
	git_tag_free(tag);
	return CW_OK;
}

int git_peel(const struct cw_git_repo *r, const git_oid *oid, enum cw_git_type *out_type,
	     struct cw_oid *out_oid, struct cw_oid *out_commit, struct cw_oid *out_tree,
	     struct cw_error *err)
{
	git_oid at = *oid;
	git_object_t type = GIT_OBJECT_TAG;
	git_commit *commit;
	size_t size;
	int ret = CW_OK;

	for (int depth = 0; type == GIT_OBJECT_TAG; depth++) {
		int rc = git_odb_read_header(&size, &type, r->odb, &at);

		if (rc == GIT_ENOTFOUND)
			return missing(r, &at, err);
		if (rc < 0)
			return git_failed(r, rc, err, "cannot read an object");
		if (depth == TAG_DEPTH_MAX)
			return cw_fail(err, CW_EUNSUPPORTED,
				       "repository '%s': more than %d tags of tags", r->path,
				       TAG_DEPTH_MAX);
		if (type == GIT_OBJECT_TAG)
			ret = peel_tag(r, &at, err);
		if (ret < 0)
			return ret;
	}
	if (type == GIT_OBJECT_COMMIT) {
		ret = git_read_commit(r, &at, &commit, err);
		if (ret < 0)
			return ret;
		*out_type = CW_GIT_COMMIT;
		git_oid_to_cw(&at, out_commit);
		git_oid_to_cw(git_commit_tree_id(commit), out_tree);
		git_commit_free(commit);
	} else if (type == GIT_OBJECT_TREE) {
		*out_type = CW_GIT_TREE;
		git_oid_to_cw(&at, out_tree);
	} else {
		*out_type = CW_GIT_BLOB;
	}
	git_oid_to_cw(&at, out_oid);
	return CW_OK;
}

int cw_git_read_blob(struct cw_git_repo *repo, const struct cw_oid *oid, size_t max_size,
		     struct cw_buf *buf, struct cw_error *err)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_oid id;
	git_object_t type;
	git_odb_object *object = NULL;
	size_t size;
	int ret = git_oid_of(repo, oid, &id, err);

	if (ret < 0)
		return ret;
	/* The size first: a blob that is too large must not be inflated at all. */
	if (max_size > 0 && git_odb_read_header(&size, &type, repo->odb, &id) == 0 &&
	    size > max_size)
		return cw_fail(err, CW_EFULL,
			       "repository '%s': blob %s has %zu bytes, the limit is %zu",
			       repo->path, git_oid_tostr(hex, sizeof(hex), &id), size, max_size);
	ret = git_read_object(repo, &id, GIT_OBJECT_BLOB, &object, err);
	if (ret < 0)
		return ret;
	cw_buf_put(buf, git_odb_object_data(object), git_odb_object_size(object));
	git_odb_object_free(object);
	return cw_buf_ok(buf, err);
}

bool cw_git_is_lfs_pointer(const char *bytes, size_t len)
{
	static const char *const starts[] = {
		"version https://git-lfs.github.com/spec/",
		"version https://hawser.github.com/spec/",
	};
	bool starts_so = false;

	if (len >= LFS_POINTER_MAX)
		return false;
	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		size_t n = strlen(starts[i]);

		starts_so = starts_so || (len > n && memcmp(bytes, starts[i], n) == 0);
	}
	return starts_so && memmem(bytes, len, "\noid sha256:", 12) &&
	       memmem(bytes, len, "\nsize ", 6);
}

/* "" when the time lies outside what a calendar can say. */
static void format_date(const git_time *when, char out[CW_GIT_DATE_SIZE])
{
	time_t local = 0;
	struct tm tm;
	int minutes = when->offset < 0 ? -when->offset : when->offset;

	out[0] = '\0';
	if (minutes >= 24 * 60 || __builtin_add_overflow(when->time, when->offset * 60, &local) ||
	    !gmtime_r(&local, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return;
	snprintf(out, CW_GIT_DATE_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 when->offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static const struct cw_oid *copy_parents(struct cw_arena *arena, const git_commit *commit,
					 size_t *out_count)
{
	unsigned n = git_commit_parentcount(commit);
	struct cw_oid *parents = cw_arena_alloc(arena, (n + 1) * sizeof(*parents));

	for (unsigned i = 0; parents && i < n; i++)
		git_oid_to_cw(git_commit_parent_id(commit, i), &parents[i]);
	*out_count = n;
	return parents;
}

int cw_git_commit_info(struct cw_git_repo *repo, struct cw_arena *arena, const struct cw_oid *oid,
		       struct cw_git_commit *out_commit, struct cw_error *err)
{
	struct cw_git_commit info = { .oid = *oid };
	const git_signature *author, *committer;
	const char *subject;
	git_commit *commit = NULL;
	git_oid id;
	int ret = git_oid_of(repo, oid, &id, err);

	if (ret == CW_OK)
		ret = git_read_commit(repo, &id, &commit, err);
	if (ret < 0)
		return ret;
	author = git_commit_author(commit);
	committer = git_commit_committer(commit);
	subject = git_commit_summary(commit);
	git_oid_to_cw(git_commit_tree_id(commit), &info.tree);
	info.parents = copy_parents(arena, commit, &info.nparents);
	info.author_name = cw_arena_strdup(arena, author->name ? author->name : "");
	info.author_email = cw_arena_strdup(arena, author->email ? author->email : "");
	info.subject = cw_arena_strdup(arena, subject ? subject : "");
	info.author_time = author->when.time;
	info.commit_time = committer->when.time;
	format_date(&author->when, info.author_date);
	format_date(&committer->when, info.commit_date);
	git_commit_free(commit);
	if (!info.parents || !info.author_name || !info.author_email || !info.subject)
		return git_no_memory(repo, err);
	*out_commit = info;
	return CW_OK;
}
