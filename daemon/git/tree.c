#include "git/internal.h"

#include <string.h>

#define MODE_TYPE 0170000
#define MODE_DIR 0040000
#define MODE_LINK 0120000
#define MODE_SUBMODULE 0160000

void git_make_side(uint32_t mode, const git_oid *oid, struct cw_git_side *out_side)
{
	uint32_t type = mode & MODE_TYPE;

	*out_side = (struct cw_git_side){ .mode = mode, .size = CW_GIT_SIZE_UNKNOWN };
	out_side->kind = type == MODE_LINK        ? CW_GIT_SYMLINK
			 : type == MODE_SUBMODULE ? CW_GIT_SUBMODULE
						  : CW_GIT_FILE;
	git_oid_to_cw(oid, &out_side->oid);
}

void git_find_size(const struct cw_git_repo *r, struct cw_git_side *side)
{
	git_object_t type;
	git_oid oid;
	size_t size;

	if ((side->kind != CW_GIT_FILE && side->kind != CW_GIT_SYMLINK) ||
	    git_oid_of(r, &side->oid, &oid, NULL) < 0)
		return;
	/* A damaged blob keeps an unknown size; reading it says what is wrong. */
	int rc = git_odb_read_header(&size, &type, r->odb, &oid);
	if (rc == 0)
		side->size = size;
	side->missing = rc == GIT_ENOTFOUND;
}

static int bad_tree(const struct cw_git_repo *r, const struct git_cursor *c, const char *what,
		    struct cw_error *err)
{
	char hex[GIT_OID_HEXSZ + 1];

	git_oid_tostr(hex, sizeof(hex), git_odb_object_id(c->object));
	return cw_fail(err, CW_ECORRUPT, "repository '%s': tree %s is damaged: %s", r->path, hex,
		       what);
}

int git_cursor_next(const struct cw_git_repo *r, struct git_cursor *c, struct cw_error *err)
{
	struct git_entry *e = &c->entry;
	const char *at = c->at;

	c->valid = false;
	if (at == c->end)
		return CW_OK;
	e->mode = 0;
	for (; at < c->end && *at >= '0' && *at <= '7' && e->mode < 01000000; at++)
		e->mode = e->mode * 8 + (uint32_t)(*at - '0');
	if (at == c->at || at == c->end || *at != ' ')
		return bad_tree(r, c, "an entry without a mode", err);
	e->name = ++at;
	const char *nul = memchr(at, '\0', (size_t)(c->end - at));
	if (!nul || c->end - nul - 1 < GIT_OID_RAWSZ)
		return bad_tree(r, c, "it ends inside an entry", err);
	e->name_len = (size_t)(nul - at);
	if (e->name_len == 0 || memchr(at, '/', e->name_len))
		return bad_tree(r, c, "an entry whose name is empty or has a slash", err);
	memcpy(e->oid.id, nul + 1, GIT_OID_RAWSZ);
	c->at = nul + 1 + GIT_OID_RAWSZ;
	c->valid = true;
	return CW_OK;
}

int git_cursor_open(const struct cw_git_repo *r, const git_oid *tree, struct git_cursor *c,
		    struct cw_error *err)
{
	*c = (struct git_cursor){ 0 };
	if (!tree)
		return CW_OK;
	int ret = git_read_object(r, tree, GIT_OBJECT_TREE, &c->object, err);
	if (ret < 0)
		return ret;
	c->at = git_odb_object_data(c->object);
	c->end = c->at + git_odb_object_size(c->object);
	return git_cursor_next(r, c, err);
}

void git_cursor_close(struct git_cursor *c)
{
	git_odb_object_free(c->object);
	c->object = NULL;
}

/* CW_ENOTFOUND leaves err alone: the caller knows the whole path. */
static int find_entry(const struct cw_git_repo *r, const git_oid *tree, const char *name,
		      size_t len, struct git_entry *out_entry, struct cw_error *err)
{
	struct git_cursor c;
	int ret = git_cursor_open(r, tree, &c, err);
	bool found = false;

	while (ret == CW_OK && c.valid && !found) {
		found = c.entry.name_len == len && memcmp(c.entry.name, name, len) == 0;
		if (!found)
			ret = git_cursor_next(r, &c, err);
	}
	*out_entry = c.entry;
	git_cursor_close(&c);
	out_entry->name = NULL; /* pointed into the tree */
	return ret < 0 ? ret : found ? CW_OK : 1;
}

int cw_git_tree_blob(struct cw_git_repo *repo, const struct cw_oid *tree, const char *path,
		     struct cw_git_side *out_side, struct cw_error *err)
{
	char quoted[GIT_QUOTE_SIZE];
	struct git_entry entry = { .mode = MODE_DIR };
	const char *at = path;
	int ret = git_oid_of(repo, tree, &entry.oid, err);

	if (ret < 0)
		return ret;
	git_quote(path, strlen(path), quoted);
	while (*at) {
		size_t len = strcspn(at, "/");
		git_oid in = entry.oid;

		ret = (entry.mode & MODE_TYPE) != MODE_DIR
			      ? 1
			      : find_entry(repo, &in, at, len, &entry, err);
		if (ret < 0)
			return cw_wrap(err, ret, "'%s'", quoted);
		if (ret > 0)
			return cw_fail(err, CW_ENOTFOUND, "repository '%s': no file '%s'",
				       repo->path, quoted);
		at += len;
		at += strspn(at, "/");
	}
	if ((entry.mode & MODE_TYPE) == MODE_DIR)
		return cw_fail(err, CW_EINVAL, "repository '%s': '%s' is a directory", repo->path,
			       quoted);
	git_make_side(entry.mode, &entry.oid, out_side);
	git_find_size(repo, out_side);
	return CW_OK;
}
