#include "store/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* clang-format off */
static const struct {
	const char *name;
	unsigned flags;
} dbs[CW_DB_COUNT] = {
	[CW_DB_META] = { "meta", 0 },
	[CW_DB_DOC] = { "doc", 0 },
	[CW_DB_DOCNAME] = { "docname", 0 },
	[CW_DB_CONTENT] = { "content", MDB_DUPSORT | MDB_DUPFIXED },
	[CW_DB_VERSION] = { "version", 0 },
	[CW_DB_SEEN] = { "seen", 0 },
	[CW_DB_TEXT] = { "text", 0 },
	[CW_DB_TEXTREF] = { "textref", 0 },
	[CW_DB_OUTLINE] = { "outline", 0 },
	[CW_DB_CLAUSE] = { "clause", 0 },
	[CW_DB_EXACT] = { "exact", MDB_DUPSORT | MDB_DUPFIXED },
	[CW_DB_SKEL] = { "skel", MDB_DUPSORT | MDB_DUPFIXED },
	[CW_DB_FRESH] = { "fresh", 0 },
	[CW_DB_BAND] = { "band", MDB_DUPSORT | MDB_DUPFIXED },
	[CW_DB_FINDING] = { "finding", 0 },
	[CW_DB_FINDID] = { "findid", MDB_DUPSORT | MDB_DUPFIXED },
	[CW_DB_EVENT] = { "event", 0 },
	[CW_DB_EVENTID] = { "eventid", 0 },
	[CW_DB_EVENTTIME] = { "eventtime", 0 },
	[CW_DB_OUTBOX] = { "outbox", 0 },
	[CW_DB_QUEUE] = { "queue", 0 },
	[CW_DB_WAIVER] = { "waiver", 0 },
	[CW_DB_REF] = { "ref", 0 },
	[CW_DB_BLOB] = { "blob", 0 },
};

/* What LMDB and the system say, in our words, and what the reader of the message can do. */
static const struct {
	int rc;
	enum cw_code code;
	const char *remedy;
} failures[] = {
	{ MDB_MAP_FULL, CW_EFULL, "; nothing was changed: raise the store's size limit" },
	{ MDB_TXN_FULL, CW_EFULL, "; nothing was changed: commit fewer documents at once" },
	{ ENOSPC, CW_EFULL, "; nothing was changed: free space there and try again" },
	{ EDQUOT, CW_EFULL, "; nothing was changed: free space there and try again" },
	{ EIO, CW_EIO, "; nothing was changed: check the disk" },
	{ MDB_PANIC, CW_EIO, "; check the disk, then restart the daemon" },
	{ MDB_CORRUPTED, CW_ECORRUPT, "; keep the directory and restore a backup" },
	{ MDB_PAGE_NOTFOUND, CW_ECORRUPT, "; keep the directory and restore a backup" },
	{ MDB_INVALID, CW_EUNSUPPORTED, "; data.mdb there is no store that this LMDB can read:"
	  " export it with the version that wrote it, or move it away; nothing was changed" },
	{ MDB_VERSION_MISMATCH, CW_EUNSUPPORTED, "; another LMDB wrote data.mdb there: export it"
	  " with the version that wrote it, or move it away; nothing was changed" },
	{ MDB_NOTFOUND, CW_ENOTFOUND, "" },
	{ ENOENT, CW_ENOTFOUND, "; create the directory" },
	{ ENOMEM, CW_ENOMEM, "" },
	{ EACCES, CW_EDENIED, "; the daemon's user must own the directory" },
	{ EPERM, CW_EDENIED, "; the daemon's user must own the directory" },
	{ EROFS, CW_EDENIED, "; the directory must be writable" },
};
/* clang-format on */

const char *cw_store__db_name(enum cw_db db)
{
	return dbs[db].name;
}

unsigned cw_store__db_flags(enum cw_db db)
{
	return dbs[db].flags;
}

int cw_store__fail(struct cw_tx *tx, int rc, const char *what)
{
	enum cw_code code = CW_EIO;
	const char *remedy = "";

	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		if (failures[i].rc == rc) {
			code = failures[i].code;
			remedy = failures[i].remedy;
		}
	}
	if (rc == MDB_MAP_FULL)
		tx->map_full = true;
	return cw_fail(tx->err, code, "store '%s': %s: %s%s", tx->s->dir, what, mdb_strerror(rc),
		       remedy);
}

int cw_store__nomem(struct cw_tx *tx)
{
	return cw_fail(tx->err, CW_ENOMEM, "store '%s': out of memory", tx->s->dir);
}

int cw_store__corrupt(struct cw_tx *tx, enum cw_db db, MDB_val key, const char *why)
{
	char name[64] = "";
	const uint8_t *bytes = key.mv_data;

	for (size_t i = 0; i < key.mv_size && 2 * i + 3 < sizeof(name); i++)
		snprintf(name + 2 * i, 3, "%02x", bytes[i]);
	return cw_fail(tx->err, CW_ECORRUPT,
		       "store '%s': record %s of table '%s' is corrupt: %s;"
		       " keep the directory and restore a backup",
		       tx->s->dir, name, dbs[db].name, why);
}

int cw_store__unpacked(struct cw_tx *tx, const struct cw_unpack *u, enum cw_db db, MDB_val key)
{
	int ret = cw_unpack_end(u);

	if (ret == CW_ENOMEM)
		return cw_store__nomem(tx);
	return ret < 0 ? cw_store__corrupt(tx, db, key, "its bytes make no sense") : CW_OK;
}

int cw_store__get(struct cw_tx *tx, enum cw_db db, MDB_val key, MDB_val *out)
{
	int rc = mdb_get(tx->txn, tx->s->db[db], &key, out);

	if (rc == MDB_NOTFOUND)
		return CW_ENOTFOUND;
	return rc ? cw_store__fail(tx, rc, dbs[db].name) : CW_OK;
}

int cw_store__get_sized(struct cw_tx *tx, enum cw_db db, MDB_val key, size_t size, MDB_val *out)
{
	int ret = cw_store__get(tx, db, key, out);

	if (ret == CW_OK && out->mv_size != size)
		return cw_store__corrupt(tx, db, key, "its size is wrong");
	return ret;
}

static int put(struct cw_tx *tx, enum cw_db db, MDB_val key, MDB_val val, unsigned flags)
{
	int rc = mdb_put(tx->txn, tx->s->db[db], &key, &val, flags);

	return rc ? cw_store__fail(tx, rc, dbs[db].name) : CW_OK;
}

int cw_store__put(struct cw_tx *tx, enum cw_db db, MDB_val key, MDB_val val)
{
	return put(tx, db, key, val, 0);
}

int cw_store__put_buf(struct cw_tx *tx, enum cw_db db, MDB_val key)
{
	if (tx->buf.failed)
		return cw_store__nomem(tx);
	return put(tx, db, key, cw_val(tx->buf.data, tx->buf.len), 0);
}

int cw_store__append_buf(struct cw_tx *tx, enum cw_db db, MDB_val key)
{
	if (tx->buf.failed)
		return cw_store__nomem(tx);
	return put(tx, db, key, cw_val(tx->buf.data, tx->buf.len), MDB_APPEND);
}

static int del(struct cw_tx *tx, enum cw_db db, MDB_val key, MDB_val *val)
{
	int rc = mdb_del(tx->txn, tx->s->db[db], &key, val);

	if (rc == MDB_NOTFOUND)
		return CW_ENOTFOUND;
	return rc ? cw_store__fail(tx, rc, dbs[db].name) : CW_OK;
}

int cw_store__del(struct cw_tx *tx, enum cw_db db, MDB_val key)
{
	return del(tx, db, key, NULL);
}

int cw_store__del_dup(struct cw_tx *tx, enum cw_db db, MDB_val key, MDB_val val)
{
	return del(tx, db, key, &val);
}

uint64_t cw_store__entries(struct cw_tx *tx, enum cw_db db)
{
	MDB_stat st;

	return mdb_stat(tx->txn, tx->s->db[db], &st) == 0 ? st.ms_entries : 0;
}

/* ---- scans ---- */

struct walk {
	MDB_cursor *cur;
	MDB_val key, val, prefix;
	MDB_cursor_op next;
};

static int begin_walk(struct cw_tx *tx, enum cw_db db, struct walk *w)
{
	int rc = mdb_cursor_open(tx->txn, tx->s->db[db], &w->cur);

	return rc ? cw_store__fail(tx, rc, dbs[db].name) : CW_OK;
}

/* The cursor stands at the first record, or rc says that there is none. */
static int walk(struct cw_tx *tx, enum cw_db db, struct walk *w, int rc, cw_scan_fn *fn, void *ctx)
{
	int ret = CW_OK;

	while (rc == 0 && ret == CW_OK) {
		if (w->key.mv_size < w->prefix.mv_size ||
		    (w->prefix.mv_size > 0 &&
		     memcmp(w->key.mv_data, w->prefix.mv_data, w->prefix.mv_size) != 0))
			break;
		ret = fn(tx, w->key, w->val, ctx);
		if (ret == CW_OK)
			rc = mdb_cursor_get(w->cur, &w->key, &w->val, w->next);
	}
	mdb_cursor_close(w->cur);
	if (ret < 0)
		return ret;
	return rc != 0 && rc != MDB_NOTFOUND ? cw_store__fail(tx, rc, dbs[db].name) : CW_OK;
}

int cw_store__scan(struct cw_tx *tx, enum cw_db db, MDB_val from, size_t prefix, cw_scan_fn *fn,
		   void *ctx)
{
	struct walk w = { .key = from, .prefix = cw_val(from.mv_data, prefix), .next = MDB_NEXT };
	int ret = begin_walk(tx, db, &w);

	if (ret < 0)
		return ret;
	int rc = mdb_cursor_get(w.cur, &w.key, &w.val, from.mv_size ? MDB_SET_RANGE : MDB_FIRST);
	return walk(tx, db, &w, rc, fn, ctx);
}

int cw_store__scan_back(struct cw_tx *tx, enum cw_db db, MDB_val before, size_t prefix,
			cw_scan_fn *fn, void *ctx)
{
	struct walk w = { .key = before,
			  .prefix = cw_val(before.mv_data, prefix),
			  .next = MDB_PREV };
	int ret = begin_walk(tx, db, &w);

	if (ret < 0)
		return ret;
	int rc = mdb_cursor_get(w.cur, &w.key, &w.val, MDB_SET_RANGE);
	if (rc == 0)
		rc = mdb_cursor_get(w.cur, &w.key, &w.val, MDB_PREV);
	else if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(w.cur, &w.key, &w.val, MDB_LAST);
	return walk(tx, db, &w, rc, fn, ctx);
}

int cw_store__dups(struct cw_tx *tx, enum cw_db db, MDB_val key, const MDB_val *from,
		   cw_scan_fn *fn, void *ctx)
{
	struct walk w = { .key = key, .val = from ? *from : key, .next = MDB_NEXT_DUP };
	int ret = begin_walk(tx, db, &w);

	if (ret < 0)
		return ret;
	int rc = mdb_cursor_get(w.cur, &w.key, &w.val, from ? MDB_GET_BOTH_RANGE : MDB_SET_KEY);
	return walk(tx, db, &w, rc, fn, ctx);
}

static int collect(struct cw_tx *tx, struct cw_list *list, MDB_val bytes)
{
	char *copy = cw_arena_alloc(list->arena, bytes.mv_size);
	MDB_val *item = copy ? cw_list_add(list) : NULL;

	if (!item)
		return cw_store__nomem(tx);
	memcpy(copy, bytes.mv_data, bytes.mv_size);
	*item = cw_val(copy, bytes.mv_size);
	return cw_list_full(list) ? CW_STOP : CW_OK;
}

int cw_store__collect_key(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	(void)val;
	return collect(tx, ctx, key);
}

int cw_store__collect_val(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	(void)key;
	return collect(tx, ctx, val);
}

int cw_store__del_prefix(struct cw_tx *tx, enum cw_db db, MDB_val prefix)
{
	struct cw_list keys = { .arena = &tx->scratch, .size = sizeof(MDB_val) };
	int ret = cw_store__scan(tx, db, prefix, prefix.mv_size, cw_store__collect_key, &keys);

	for (size_t i = 0; ret == CW_OK && i < keys.n; i++)
		ret = cw_store__del(tx, db, *(MDB_val *)cw_list_at(&keys, i));
	return ret;
}

/* ---- index changes, kept until the end ---- */

int cw_store__later(struct cw_tx *tx, enum cw_db db, bool is_del, MDB_val key, MDB_val val)
{
	if (tx->nops == tx->cap_ops) {
		size_t cap = tx->cap_ops ? tx->cap_ops * 2 : 256;
		struct cw_index_op *ops = reallocarray(tx->ops, cap, sizeof(*ops));

		if (!ops)
			return cw_store__nomem(tx);
		tx->ops = ops;
		tx->cap_ops = cap;
	}
	struct cw_index_op *op = &tx->ops[tx->nops];

	*op = (struct cw_index_op){ .db = (uint8_t)db,
				    .del = is_del,
				    .key_len = (uint8_t)key.mv_size,
				    .val_len = (uint8_t)val.mv_size,
				    .order = (uint32_t)tx->nops++ };
	memcpy(op->key, key.mv_data, key.mv_size);
	memcpy(op->val, val.mv_data, val.mv_size);
	return CW_OK;
}

static int by_place(const void *a, const void *b)
{
	const struct cw_index_op *x = a, *y = b;
	int diff = x->db - y->db;

	if (!diff)
		diff = memcmp(x->key, y->key, sizeof(x->key));
	if (!diff)
		diff = memcmp(x->val, y->val, sizeof(x->val));
	return diff ? diff : x->order < y->order ? -1 : 1;
}

static bool same_pair(const struct cw_index_op *x, const struct cw_index_op *y)
{
	return x->db == y->db && memcmp(x->key, y->key, sizeof(x->key)) == 0 &&
	       memcmp(x->val, y->val, sizeof(x->val)) == 0;
}

/* One change a pair at most: added and deleted again within the transaction is none. */
static void fold_ops(struct cw_tx *tx)
{
	size_t kept = 0, end;

	qsort(tx->ops, tx->nops, sizeof(*tx->ops), by_place);
	for (size_t i = 0; i < tx->nops; i = end) {
		for (end = i + 1; end < tx->nops && same_pair(&tx->ops[i], &tx->ops[end]); end++)
			;
		if (tx->ops[i].del == tx->ops[end - 1].del)
			tx->ops[kept++] = tx->ops[i];
	}
	tx->nops = kept;
}

static int apply_deletes(struct cw_tx *tx)
{
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < tx->nops; i++) {
		const struct cw_index_op *op = &tx->ops[i];
		MDB_val key = cw_val(op->key, op->key_len);

		if (!op->del)
			continue;
		ret = cw_store__del_dup(tx, op->db, key, cw_val(op->val, op->val_len));
		if (ret == CW_ENOTFOUND)
			ret = cw_store__corrupt(tx, op->db, key, "an entry is missing");
	}
	return ret;
}

/* Through one cursor a table: it looks at the page it stands on before it starts at the root. */
static int apply_puts(struct cw_tx *tx)
{
	MDB_cursor *cur = NULL;
	int rc = 0, last = -1;

	for (size_t i = 0; rc == 0 && i < tx->nops; i++) {
		const struct cw_index_op *op = &tx->ops[i];
		MDB_val key = cw_val(op->key, op->key_len), val = cw_val(op->val, op->val_len);

		if (op->del)
			continue;
		if (op->db != last) {
			mdb_cursor_close(cur);
			cur = NULL;
			last = op->db;
			rc = mdb_cursor_open(tx->txn, tx->s->db[last], &cur);
		}
		if (rc == 0)
			rc = mdb_cursor_put(cur, &key, &val, 0);
	}
	mdb_cursor_close(cur);
	return rc ? cw_store__fail(tx, rc, "index") : CW_OK;
}

int cw_store__flush_ops(struct cw_tx *tx)
{
	if (tx->nops == 0)
		return CW_OK;
	fold_ops(tx);
	int ret = apply_deletes(tx);
	return ret < 0 ? ret : apply_puts(tx);
}

/* ---- lists ---- */

void *cw_list_add(struct cw_list *list)
{
	void *items = cw_arena_grow(list->arena, list->items, list->n, &list->cap, list->size);

	if (!items)
		return NULL;
	list->items = items;
	void *item = cw_list_at(list, list->n++);
	memset(item, 0, list->size);
	return item;
}

void cw_list_reverse(struct cw_list *list)
{
	char *low = list->items, *high = low + (list->n ? list->n - 1 : 0) * list->size;

	for (; low < high; low += list->size, high -= list->size) {
		for (size_t i = 0; i < list->size; i++) {
			char byte = low[i];

			low[i] = high[i];
			high[i] = byte;
		}
	}
}
