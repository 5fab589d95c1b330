/* Updates of references: what a push brings, and what the daemon finds afterwards. */
#include "git/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)16 << 20)
#define LINES_MAX 100000

const char *cw_git_update_kind_name(enum cw_git_update_kind kind)
{
	static const char *const names[] = {
		[CW_GIT_CREATE] = "create",
		[CW_GIT_DELETE] = "delete",
		[CW_GIT_FAST_FORWARD] = "fast-forward",
		[CW_GIT_FORCED] = "forced",
	};

	return names[kind];
}

static bool is_tag_name(const char *ref)
{
	return strncmp(ref, "refs/tags/", 10) == 0;
}

static int parse_line(struct cw_arena *arena, const char *line, size_t len, size_t no,
		      struct cw_git_update *out, struct cw_error *err)
{
	char quoted[GIT_QUOTE_SIZE];
	const char *first = memchr(line, ' ', len);
	const char *second =
		first ? memchr(first + 1, ' ', len - (size_t)(first + 1 - line)) : NULL;
	struct cw_git_update u = { 0 };
	int valid = 0;

	git_quote(line, len, quoted);
	if (!second || first - line != second - first - 1 ||
	    cw_oid_from_hex(line, (size_t)(first - line), &u.old) < 0 ||
	    cw_oid_from_hex(first + 1, (size_t)(second - first - 1), &u.new) < 0)
		return cw_fail(err, CW_EINVAL,
			       "line %zu of the push is not \"OLD NEW REFERENCE\": '%s'", no,
			       quoted);
	size_t name_len = len - (size_t)(second + 1 - line);
	char *name = cw_arena_strndup(arena, second + 1, name_len);
	if (!name)
		return cw_fail(err, CW_ENOMEM, "line %zu of the push: out of memory", no);
	if (strlen(name) != name_len || strncmp(name, "refs/", 5) != 0 ||
	    git_reference_name_is_valid(&valid, name) < 0 || !valid)
		return cw_fail(err, CW_EINVAL,
			       "line %zu of the push: '%s' is not the name of a reference", no,
			       git_quote(second + 1, name_len, quoted));
	if (cw_oid_is_none(&u.old) && cw_oid_is_none(&u.new))
		return cw_fail(err, CW_EINVAL,
			       "line %zu of the push: '%s' goes from nothing to nothing", no,
			       git_quote(name, name_len, quoted));
	u.ref = name;
	u.tag = is_tag_name(name);
	*out = u;
	return CW_OK;
}

int cw_git_parse_updates(struct cw_arena *arena, const char *text, size_t len,
			 struct cw_git_updates *out_updates, struct cw_error *err)
{
	struct cw_git_updates list = { 0 };
	size_t cap = 0;

	if (len > INPUT_MAX)
		return cw_fail(err, CW_EFULL, "the push names more than %zu bytes of references",
			       INPUT_MAX);
	while (len > 0) {
		const char *lf = memchr(text, '\n', len);
		size_t line = lf ? (size_t)(lf - text) : len;
		struct cw_git_update *grown =
			cw_arena_grow(arena, list.items, list.count, &cap, sizeof(*grown));

		if (!grown)
			return cw_fail(err, CW_ENOMEM, "the push: out of memory");
		list.items = grown;
		if (list.count == LINES_MAX)
			return cw_fail(err, CW_EFULL, "the push updates more than %d references",
				       LINES_MAX);
		int ret =
			parse_line(arena, text, line, list.count + 1, &list.items[list.count], err);
		if (ret < 0)
			return ret;
		list.count++;
		text += line + (lf ? 1 : 0);
		len -= line + (lf ? 1 : 0);
	}
	*out_updates = list;
	return CW_OK;
}

int cw_git_read_updates(struct cw_arena *arena, int fd, struct cw_git_updates *out_updates,
			struct cw_error *err)
{
	struct cw_buf buf = { 0 };
	int ret = CW_OK;

	while (buf.len <= INPUT_MAX) {
		char *at = cw_buf_reserve(&buf, 8192);
		ssize_t n = at ? read(fd, at, 8192) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ret = cw_fail(err, CW_EIO, "cannot read the list of updates: %s",
				      strerror(errno));
		if (n <= 0)
			break;
		buf.len += (size_t)n;
	}
	if (ret == CW_OK)
		ret = cw_buf_ok(&buf, err);
	if (ret == CW_OK)
		ret = cw_git_parse_updates(arena, cw_buf_str(&buf), buf.len, out_updates, err);
	cw_buf_release(&buf);
	return ret;
}

struct state {
	bool exists;
	enum cw_git_type type;
	struct cw_oid oid, commit, tree;
};

static int read_state(struct cw_git_repo *r, const struct cw_oid *oid, struct state *s,
		      struct cw_error *err)
{
	git_oid id;
	int ret = CW_OK;

	*s = (struct state){ 0 };
	if (cw_oid_is_none(oid))
		return CW_OK;
	ret = git_oid_of(r, oid, &id, err);
	if (ret == CW_OK)
		ret = git_peel(r, &id, &s->type, &s->oid, &s->commit, &s->tree, err);
	s->exists = ret == CW_OK;
	return ret;
}

static int set_base(struct cw_git_repo *r, const struct cw_oid *known, size_t nknown,
		    struct cw_git_update *u, struct cw_error *err)
{
	struct state base;
	struct cw_oid commit;
	int ret;

	if (cw_oid_is_none(&u->new_commit))
		return CW_OK;
	ret = git_nearest_base(r, &u->new_commit, known, nknown, &commit, err);
	if (ret == CW_OK)
		ret = read_state(r, &commit, &base, err);
	if (ret == CW_OK) {
		u->base_commit = base.commit;
		u->base_tree = base.tree;
	}
	return ret;
}

static int is_forward(struct cw_git_repo *r, const struct state *old, const struct state *new,
		      bool *out_yes, struct cw_error *err)
{
	if (!cw_oid_is_none(&old->commit) && !cw_oid_is_none(&new->commit))
		return cw_git_is_descendant(r, &new->commit, &old->commit, out_yes, err);
	*out_yes = old->exists && cw_oid_eq(&old->oid, &new->oid);
	return CW_OK;
}

int cw_git_classify(struct cw_git_repo *repo, const struct cw_oid *known, size_t nknown,
		    struct cw_git_update *update, struct cw_error *err)
{
	struct cw_git_update u = { .ref = update->ref, .old = update->old, .new = update->new };
	struct state old, new;
	struct cw_error ignored;
	bool forward = false;
	int ret = read_state(repo, &u.new, &new, err);

	if (ret < 0)
		return ret;
	/* The old state may be gone already: a rewritten history that was cleaned up. */
	ret = read_state(repo, &u.old, &old, &ignored);
	if (ret < 0 && ret != CW_ENOTFOUND)
		return cw_fail(err, ret, "%s", ignored.msg);
	u.tag = is_tag_name(u.ref);
	u.type = new.exists ? new.type : old.type;
	u.new_commit = new.commit;
	u.new_tree = new.tree;
	u.base_commit = old.commit;
	u.base_tree = old.tree;
	ret = CW_OK;
	if (cw_oid_is_none(&u.new)) {
		u.kind = CW_GIT_DELETE;
	} else if (cw_oid_is_none(&u.old)) {
		u.kind = CW_GIT_CREATE;
	} else {
		ret = is_forward(repo, &old, &new, &forward, err);
		u.kind = forward ? CW_GIT_FAST_FORWARD : CW_GIT_FORCED;
	}
	if (ret == CW_OK && u.kind != CW_GIT_DELETE && !old.exists)
		ret = set_base(repo, known, nknown, &u, err);
	if (ret == CW_OK)
		*update = u;
	return ret;
}

static int by_ref(const void *a, const void *b)
{
	const struct cw_git_tip *x = a, *y = b;

	return strcmp(x->ref, y->ref);
}

static struct cw_git_tip *sorted(struct cw_arena *arena, const struct cw_git_tips *tips)
{
	struct cw_git_tip *copy = cw_arena_alloc(arena, (tips->count + 1) * sizeof(*copy));

	if (!copy || tips->count == 0)
		return copy;
	memcpy(copy, tips->items, tips->count * sizeof(*copy));
	qsort(copy, tips->count, sizeof(*copy), by_ref);
	return copy;
}

/* The next name of two sorted lists, with what it held and holds; false at the end. */
static bool next_pair(const struct cw_git_tip **a, const struct cw_git_tip *a_end,
		      const struct cw_git_tip **b, const struct cw_git_tip *b_end,
		      struct cw_git_update *u)
{
	int order;

	if (*a == a_end && *b == b_end)
		return false;
	order = *a == a_end ? 1 : *b == b_end ? -1 : strcmp((*a)->ref, (*b)->ref);
	*u = (struct cw_git_update){ .ref = order <= 0 ? (*a)->ref : (*b)->ref };
	if (order <= 0)
		u->old = (*a)++->oid;
	if (order >= 0)
		u->new = (*b)++->oid;
	return true;
}

int cw_git_compare_refs(struct cw_git_repo *repo, struct cw_arena *arena,
			const struct cw_git_tips *before, const struct cw_git_tips *after,
			struct cw_git_updates *out_updates, struct cw_error *err)
{
	const struct cw_git_tip *a = sorted(arena, before), *b = sorted(arena, after);
	struct cw_oid *known = cw_arena_alloc(arena, (before->count + 1) * sizeof(*known));
	struct cw_git_updates list = { 0 };
	struct cw_git_update u;
	size_t cap = 0;

	if (!a || !b || !known)
		return git_no_memory(repo, err);
	const struct cw_git_tip *a_end = a + before->count, *b_end = b + after->count;
	for (size_t i = 0; i < before->count; i++)
		known[i] = before->items[i].oid;
	while (next_pair(&a, a_end, &b, b_end, &u)) {
		struct cw_git_update *grown;
		const char *ref = u.ref;
		int ret;

		if (cw_oid_eq(&u.old, &u.new))
			continue;
		ret = cw_git_classify(repo, known, before->count, &u, err);
		if (ret < 0)
			return cw_wrap(err, ret, "%s", ref);
		u.ref = cw_arena_strdup(arena, ref);
		grown = cw_arena_grow(arena, list.items, list.count, &cap, sizeof(*grown));
		if (!grown || !u.ref)
			return git_no_memory(repo, err);
		list.items = grown;
		list.items[list.count++] = u;
	}
	*out_updates = list;
	return CW_OK;
}
