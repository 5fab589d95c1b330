/** @file
 * Git repositories, read only.  Nothing outside daemon/git/ knows libgit2.
 *
 * Every call blocks: make it from a job, never from the loop thread.  A repository handle belongs
 * to one thread at a time; open one per job.  Messages name the repository and the cure.
 *
 * Paths, names and messages out of a repository are bytes chosen by whoever pushed them: NUL
 * terminated, not always UTF-8, possibly with control characters.  Results that hold strings or
 * arrays live in the arena the caller gives.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clausewatch/arena.h"
#include "clausewatch/buf.h"
#include "clausewatch/error.h"

/* Object ids */

#define CW_OID_HEX_SIZE 65

/** An object id: 20 bytes for SHA-1, 32 for SHA-256.  All zero (len 0) means "none". */
struct cw_oid {
	unsigned char len;
	unsigned char id[32];
};

/** "" for none. */
void cw_oid_to_hex(const struct cw_oid *oid, char out[CW_OID_HEX_SIZE]);
/** 40 or 64 hexadecimal digits; the id git writes as zeros becomes none.  Else CW_EINVAL. */
int cw_oid_from_hex(const char *hex, size_t len, struct cw_oid *out_oid);
bool cw_oid_eq(const struct cw_oid *a, const struct cw_oid *b);
bool cw_oid_is_none(const struct cw_oid *oid);

/* The library */

/** 0 everywhere is right for the daemon. */
struct cw_git_opts {
	size_t map_window; /**< bytes of one mapped piece of a pack; 0: 32 MiB */
	size_t map_limit; /**< bytes mapped in all; 0: 512 MiB */
	size_t map_files; /**< pack files open at once; 0: 256 */
	size_t cache_max; /**< bytes of objects kept in memory; 0: 32 MiB */
	bool user_config; /**< read the user's git configuration too: command line and hooks */
	bool verify_hashes; /**< check each object against its id: for repositories of strangers */
};

/**
 * Once per process, before any thread opens a repository.  opts may be NULL.
 * Works without HOME.  Calls nest: each success needs one cw_git_shutdown().
 */
int cw_git_init(const struct cw_git_opts *opts, struct cw_error *err);
void cw_git_shutdown(void);

/* Repositories */

struct cw_git_repo;

enum {
	CW_GIT_TRUST_OWNER = 1 << 0, /**< the configuration says trust_owner: any owner will do */
	CW_GIT_SEARCH = 1 << 1, /**< path may lie inside the work tree: look upwards */
};

/**
 * Open a repository: bare, with work tree, or a linked work tree.
 * @return CW_EDENIED when another user owns it and neither the flag nor safe.directory trusts it,
 *   or when it cannot be read; CW_ENOTFOUND when there is none; CW_EUNSUPPORTED for SHA-256,
 *   reftable and other extensions; CW_ECORRUPT when it is damaged
 */
int cw_git_open(const char *path, unsigned flags, struct cw_git_repo **out_repo,
		struct cw_error *err);

/**
 * Open the repository whose hook this process is, from GIT_DIR or else the working directory,
 * with the objects of a push still in quarantine and the index of a commit being made
 * (GIT_OBJECT_DIRECTORY, GIT_ALTERNATE_OBJECT_DIRECTORIES, GIT_QUARANTINE_PATH, GIT_INDEX_FILE).
 * Never looks at PWD.  The ownership is git's affair: it checked before it ran the hook.
 */
int cw_git_open_quarantine(struct cw_git_repo **out_repo, struct cw_error *err);
/** Accepts NULL. */
void cw_git_close(struct cw_git_repo *repo);

bool cw_git_is_bare(const struct cw_git_repo *repo);
/** Absolute, ending in '/'; valid until close.  The directory with HEAD and index. */
const char *cw_git_dir(const struct cw_git_repo *repo);
/** The same for all linked work trees: the directory with refs and objects. */
const char *cw_git_common_dir(const struct cw_git_repo *repo);
/** Append what core.hooksPath says; nothing when git runs the hooks of the repository itself. */
int cw_git_hooks_path(struct cw_git_repo *repo, struct cw_buf *out, struct cw_error *err);
/** NULL when bare. */
const char *cw_git_work_dir(const struct cw_git_repo *repo);

/* References and revisions */

enum cw_git_type { CW_GIT_COMMIT, CW_GIT_TREE, CW_GIT_BLOB, CW_GIT_TAG };

struct cw_git_ref {
	const char *name; /**< "refs/heads/main" */
	struct cw_oid target; /**< what the reference holds: of an annotated tag, the tag */
	enum cw_git_type type; /**< of what it leads to, through tags */
	struct cw_oid commit; /**< none when it leads to a tree or a blob */
	struct cw_oid tree; /**< none when it leads to a blob */
	bool broken; /**< the object is missing: only name and target are set */
};

struct cw_git_refs {
	struct cw_git_ref *items; /**< by name */
	size_t count;
};

/**
 * References whose name matches one of the globs; nglobs 0 means all.
 * A glob without "refs/" in front is one of refs/heads/.  '*' also crosses '/', as in a refspec;
 * "refs/tags" without any wildcard takes all below it.  Symbolic references are left out.
 */
int cw_git_list_refs(struct cw_git_repo *repo, struct cw_arena *arena, const char *const *globs,
		     size_t nglobs, struct cw_git_refs *out_refs, struct cw_error *err);
bool cw_git_ref_matches(const char *name, const char *const *globs, size_t nglobs);

/** HEAD: name is the branch it names, also one without commits, or "HEAD" when detached. */
int cw_git_head(struct cw_git_repo *repo, struct cw_arena *arena, struct cw_git_ref *out_ref,
		struct cw_error *err);

struct cw_git_object {
	enum cw_git_type type; /**< never CW_GIT_TAG */
	struct cw_oid oid, commit, tree; /**< commit and tree as in struct cw_git_ref */
	const char *path; /**< of "REV:PATH", points into spec; else NULL */
	uint32_t mode; /**< of "REV:PATH", else 0 */
};

/**
 * "HEAD", "main", "v1.0", "HEAD~2", a short id, "REV:PATH", or ":PATH" for the staged content.
 * @return CW_ENOTFOUND; CW_EINVAL when ambiguous or not a revision
 */
int cw_git_resolve(struct cw_git_repo *repo, const char *spec, struct cw_git_object *out_object,
		   struct cw_error *err);

/* Differences */

enum cw_git_change_kind { CW_GIT_ADDED, CW_GIT_DELETED, CW_GIT_MODIFIED, CW_GIT_RENAMED };
enum cw_git_kind { CW_GIT_ABSENT, CW_GIT_FILE, CW_GIT_SYMLINK, CW_GIT_SUBMODULE };

#define CW_GIT_SIZE_UNKNOWN UINT64_MAX

struct cw_git_side {
	enum cw_git_kind kind; /**< CW_GIT_ABSENT: the other members are 0 */
	uint32_t mode;
	struct cw_oid oid; /**< of the blob; of a submodule, a commit of another repository */
	uint64_t size; /**< bytes, or CW_GIT_SIZE_UNKNOWN */
	bool missing; /**< the object is not there, as in a partial clone (only with sizes) */
};

struct cw_git_change {
	enum cw_git_change_kind kind;
	const char *path; /**< of the new side, or of the old one when deleted */
	size_t path_len;
	const char *old_path; /**< differs from path when renamed */
	struct cw_git_side old, new;
};

struct cw_git_diff_opts {
	/** NULL takes all.  Asked for directories too: false leaves out all below. */
	bool (*want)(const char *path, size_t len, bool is_dir, void *ctx);
	void *ctx; /**< for want */
	bool renames; /**< join a deletion and an addition of the same blob; needs all in memory */
	bool sizes; /**< look up sizes and missing blobs */
	size_t max_changes; /**< 0: one million */
	size_t max_entries; /**< of trees looked at; 0: ten million */
};

/** Strings are valid during the call.  0 goes on, negative stops with that code, else stops. */
typedef int cw_git_change_cb(const struct cw_git_change *change, void *ctx);

/**
 * Compare two trees; none or NULL stands for the empty tree.  In order of path, except that a file
 * which became a directory is two changes.  A change of the executable bit alone is no change.
 * opts may be NULL.
 * @return CW_EFULL at a limit, CW_ENOTFOUND for a missing tree, CW_ECORRUPT, or what cb returned
 */
int cw_git_diff_trees(struct cw_git_repo *repo, const struct cw_oid *old_tree,
		      const struct cw_oid *new_tree, const struct cw_git_diff_opts *opts,
		      cw_git_change_cb *cb, void *ctx, struct cw_error *err);

/** What the index has that HEAD has not: what a commit would change.  Conflicts: CW_EINVAL. */
int cw_git_diff_index(struct cw_git_repo *repo, const struct cw_git_diff_opts *opts,
		      cw_git_change_cb *cb, void *ctx, struct cw_error *err);

/* Objects */

/**
 * Append the bytes of a blob to buf.
 * @return CW_ENOTFOUND when missing, CW_EFULL when larger than max_size (0: no limit), CW_ECORRUPT
 */
int cw_git_read_blob(struct cw_git_repo *repo, const struct cw_oid *oid, size_t max_size,
		     struct cw_buf *buf, struct cw_error *err);
/** A text that stands for a file kept elsewhere by Git LFS. */
bool cw_git_is_lfs_pointer(const char *bytes, size_t len);
/** Find a file, link or submodule; directories are CW_EINVAL.  Size is looked up. */
int cw_git_tree_blob(struct cw_git_repo *repo, const struct cw_oid *tree, const char *path,
		     struct cw_git_side *out_side, struct cw_error *err);

#define CW_GIT_DATE_SIZE 32

struct cw_git_commit {
	struct cw_oid oid, tree;
	const struct cw_oid *parents;
	size_t nparents;
	const char *author_name, *author_email, *subject; /**< bytes as stored; "" when absent */
	int64_t author_time, commit_time; /**< seconds since 1970, UTC */
	char author_date[CW_GIT_DATE_SIZE]; /**< "2024-03-01T09:30:00+01:00" */
	char commit_date[CW_GIT_DATE_SIZE];
};

int cw_git_commit_info(struct cw_git_repo *repo, struct cw_arena *arena, const struct cw_oid *oid,
		       struct cw_git_commit *out_commit, struct cw_error *err);

/* History */

struct cw_git_range {
	const struct cw_oid *tips; /**< commits or annotated tags whose history counts */
	size_t ntips;
	const struct cw_oid *hide; /**< and whose does not; an id that is missing is ignored */
	size_t nhide;
	bool hide_refs; /**< nor what any existing reference reaches: pre-receive */
	bool first_parent;
	size_t limit; /**< 0: none */
};

struct cw_git_commits {
	struct cw_oid *items; /**< oldest first, parents before children */
	size_t count;
	bool truncated; /**< the limit left out the oldest */
};

int cw_git_walk(struct cw_git_repo *repo, struct cw_arena *arena, const struct cw_git_range *range,
		struct cw_git_commits *out_commits, struct cw_error *err);
/** A commit descends from itself. */
int cw_git_is_descendant(struct cw_git_repo *repo, const struct cw_oid *commit,
			 const struct cw_oid *ancestor, bool *out_yes, struct cw_error *err);
/** CW_ENOTFOUND when they share no history. */
int cw_git_merge_base(struct cw_git_repo *repo, const struct cw_oid *a, const struct cw_oid *b,
		      struct cw_oid *out_base, struct cw_error *err);

/* Updates of references: a push, or what the daemon sees afterwards */

enum cw_git_update_kind {
	CW_GIT_CREATE,
	CW_GIT_DELETE,
	CW_GIT_FAST_FORWARD,
	CW_GIT_FORCED, /**< the old state is not part of the new history, or is gone */
};
const char *cw_git_update_kind_name(enum cw_git_update_kind kind);

struct cw_git_update {
	const char *ref;
	struct cw_oid old, new; /**< none: did not exist, will not exist */
	/* The rest is filled by cw_git_classify() */
	enum cw_git_update_kind kind;
	bool tag; /**< under refs/tags/ */
	enum cw_git_type type; /**< of what new leads to (old, when deleted) */
	struct cw_oid new_commit, new_tree; /**< none when it is not there; see struct cw_git_ref */
	/** What to compare with: the old state; for a new branch, the nearest state that some
	 *  reference already had; none: the empty tree, a first push or unrelated history. */
	struct cw_oid base_commit, base_tree;
};

struct cw_git_updates {
	struct cw_git_update *items;
	size_t count;
};

/**
 * The standard input of pre-receive and post-receive: lines "OLD NEW REF".
 * At most 16 MiB and 100,000 lines; CW_EINVAL names the line that is not one.
 */
int cw_git_parse_updates(struct cw_arena *arena, const char *text, size_t len,
			 struct cw_git_updates *out_updates, struct cw_error *err);
/** The same, reading fd to its end. */
int cw_git_read_updates(struct cw_arena *arena, int fd, struct cw_git_updates *out_updates,
			struct cw_error *err);
/**
 * Fill in the rest of an update.
 * @param known  tips that existed before; NULL: the references as they are now (pre-receive)
 */
int cw_git_classify(struct cw_git_repo *repo, const struct cw_oid *known, size_t nknown,
		    struct cw_git_update *update, struct cw_error *err);

/** A reference as it was stored: all that is needed to see later that it moved. */
struct cw_git_tip {
	const char *ref;
	struct cw_oid oid;
};

struct cw_git_tips {
	struct cw_git_tip *items; /**< by name */
	size_t count;
};

/** Fast: reads no objects.  Globs as in cw_git_list_refs(). */
int cw_git_snapshot_refs(struct cw_git_repo *repo, struct cw_arena *arena, const char *const *globs,
			 size_t nglobs, struct cw_git_tips *out_tips, struct cw_error *err);
/** What was created, moved or deleted between two snapshots (in any order), classified. */
int cw_git_compare_refs(struct cw_git_repo *repo, struct cw_arena *arena,
			const struct cw_git_tips *before, const struct cw_git_tips *after,
			struct cw_git_updates *out_updates, struct cw_error *err);

struct cw_git_watch_path {
	const char *path; /**< an existing directory: files are replaced, so watch where they lie */
	bool recursive;
};

/** Where to look for movement of references: refs/, packed-refs and HEAD. */
int cw_git_watch_paths(struct cw_git_repo *repo, struct cw_arena *arena,
		       struct cw_git_watch_path **out_paths, size_t *out_count,
		       struct cw_error *err);
