/** @file
 * What the files of this room share.  The only header that knows libgit2's types.
 */
#pragma once

#include <git2.h>

#include "clausewatch/git.h"

struct cw_git_repo {
	git_repository *repo;
	git_odb *odb;
	char *path; /* how messages name it */
	char *work_dir; /* ends in '/'; NULL when bare */
	char *index_path; /* of a commit being made; NULL: the repository's own */
};

/* One entry of a raw tree object; points into it. */
struct git_entry {
	uint32_t mode;
	const char *name;
	size_t name_len;
	git_oid oid;
};

/* Walks a raw tree object: nothing is allocated, which is most of a comparison's time. */
struct git_cursor {
	git_odb_object *object; /* NULL: the empty tree */
	const char *at, *end;
	struct git_entry entry;
	bool valid; /* entry holds something */
};

#define GIT_QUOTE_SIZE 200

/* text with control characters and broken UTF-8 escaped, shortened to fit; returns out. */
const char *git_quote(const char *text, size_t len, char out[GIT_QUOTE_SIZE]);

void git_oid_to_cw(const git_oid *oid, struct cw_oid *out_oid);
/* CW_EINVAL for none and for ids of a length that libgit2 cannot hold. */
int git_oid_of(const struct cw_git_repo *r, const struct cw_oid *oid, git_oid *out_oid,
	       struct cw_error *err);

/* Translate a failure of libgit2: "repository 'PATH': WHAT: its message". */
int git_failed(const struct cw_git_repo *r, int rc, struct cw_error *err, const char *fmt, ...)
	__attribute__((cold, format(printf, 4, 5)));
int git_no_memory(const struct cw_git_repo *r, struct cw_error *err);
/* The same without a repository. */
enum cw_code git_code(int rc);
const char *git_message(void);

/* Read an object of a certain type (GIT_OBJECT_ANY takes all); a missing one says what to do. */
int git_read_object(const struct cw_git_repo *r, const git_oid *oid, git_object_t type,
		    git_odb_object **out_object, struct cw_error *err);
int git_read_commit(const struct cw_git_repo *r, const git_oid *oid, git_commit **out_commit,
		    struct cw_error *err);
/* Follow annotated tags; sets what applies and leaves the others alone. */
int git_peel(const struct cw_git_repo *r, const git_oid *oid, enum cw_git_type *out_type,
	     struct cw_oid *out_oid, struct cw_oid *out_commit, struct cw_oid *out_tree,
	     struct cw_error *err);

/* tree NULL: the empty tree.  Stands on the first entry; release always. */
int git_cursor_open(const struct cw_git_repo *r, const git_oid *tree, struct git_cursor *c,
		    struct cw_error *err);
int git_cursor_next(const struct cw_git_repo *r, struct git_cursor *c, struct cw_error *err);
void git_cursor_close(struct git_cursor *c);

void git_make_side(uint32_t mode, const git_oid *oid, struct cw_git_side *out_side);
void git_find_size(const struct cw_git_repo *r, struct cw_git_side *side);

/* Read the configuration: can this format be read, and where is the work tree? */
int git_check_layout(struct cw_git_repo *r, struct cw_error *err);

/* Does the user who runs this own dir, or does safe.directory trust one of the names? */
int git_check_owner(const char *dir, const char *const *names, size_t nnames, struct cw_error *err);

/* The state nearest to commit that one of the tips reaches; none when there is none. */
int git_nearest_base(struct cw_git_repo *r, const struct cw_oid *commit, const struct cw_oid *known,
		     size_t nknown, struct cw_oid *out_base, struct cw_error *err);
/* A walk over commit's history without that of the tips (NULL: all references). */
int git_walk_new(struct cw_git_repo *r, const struct cw_oid *tips, size_t ntips,
		 const struct cw_oid *hide, size_t nhide, bool hide_refs, git_revwalk **out_walk,
		 struct cw_error *err);
/* The index to look at: the caller's to free. */
int git_open_index(const struct cw_git_repo *r, git_index **out_index, struct cw_error *err);
