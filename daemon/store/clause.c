#include "store/records.h"

#include <stdlib.h>

#define INDEXED (CW_CLAUSE_SKEL | CW_CLAUSE_SKETCH)

/* ---- records ---- */

static void pack_outline(struct cw_buf *out, const struct cw_outline_item *items, size_t n)
{
	uint32_t byte = 0, line = 0;

	cw_pack_begin(out);
	cw_pack_uint(out, n);
	for (size_t i = 0; i < n; i++) {
		const struct cw_outline_item *it = &items[i];

		cw_pack_uint(out, it->clause);
		cw_pack_uint(out, it->flags);
		cw_pack_u64(out, it->fingerprint);
		cw_pack_u64(out, it->skeleton);
		cw_pack_int(out, (int64_t)it->span.byte_start - byte);
		cw_pack_int(out, (int64_t)it->span.byte_end - it->span.byte_start);
		cw_pack_int(out, (int64_t)it->span.line_start - line);
		cw_pack_int(out, (int64_t)it->span.line_end - it->span.line_start);
		cw_pack_str(out, it->section);
		byte = it->span.byte_start;
		line = it->span.line_start;
	}
}

static uint32_t unpack_step(struct cw_unpack *u, uint32_t from)
{
	int64_t step = cw_unpack_int(u);

	if (step > (int64_t)UINT32_MAX - from || step < -(int64_t)from) {
		u->bad = true;
		return 0;
	}
	return (uint32_t)(from + step);
}

int cw_store__unpack_outline(struct cw_unpack *u, struct cw_outline_item **out, size_t *out_n)
{
	uint32_t byte = 0, line = 0;
	size_t n;
	struct cw_outline_item *items = cw_unpack_array(u, &n, sizeof(*items), 23);

	for (size_t i = 0; i < n; i++) {
		struct cw_outline_item *it = &items[i];

		it->clause = cw_unpack_u32(u);
		it->flags = (unsigned)cw_unpack_max(u, INDEXED);
		it->fingerprint = cw_unpack_u64(u);
		it->skeleton = cw_unpack_u64(u);
		it->span.byte_start = byte = unpack_step(u, byte);
		it->span.byte_end = unpack_step(u, byte);
		it->span.line_start = line = unpack_step(u, line);
		it->span.line_end = unpack_step(u, line);
		it->section = cw_unpack_cstr(u);
	}
	int ret = cw_unpack_end(u);
	if (ret < 0)
		return ret;
	*out = items;
	*out_n = n;
	return CW_OK;
}

int cw_store__load_outline(struct cw_tx *tx, uint64_t doc, struct cw_arena *arena,
			   struct cw_outline_item **out, size_t *out_n)
{
	uint8_t bytes[8];
	MDB_val key = cw_val(bytes, sizeof(bytes)), val;
	struct cw_unpack u;

	cw_be64(bytes, doc);
	int ret = cw_store__get(tx, CW_DB_OUTLINE, key, &val);
	if (ret < 0)
		return ret;
	cw_unpack_begin(&u, val.mv_data, val.mv_size, arena);
	cw_store__unpack_outline(&u, out, out_n);
	return cw_store__unpacked(tx, &u, CW_DB_OUTLINE, key);
}

struct clause_key {
	uint8_t bytes[4];
};

static MDB_val clause_key(struct clause_key *key, uint32_t id)
{
	cw_be32(key->bytes, id);
	return cw_val(key->bytes, sizeof(key->bytes));
}

static void pack_clause(struct cw_buf *out, const struct cw_clause_record *rec)
{
	cw_pack_begin(out);
	cw_pack_uint(out, rec->doc);
	cw_pack_uint(out, rec->flags);
	cw_pack_u64(out, rec->skeleton);
	if (rec->flags & CW_CLAUSE_SKETCH)
		cw_buf_put(out, rec->sketch, sizeof(rec->sketch));
}

int cw_store__unpack_clause(struct cw_unpack *u, struct cw_clause_record *out)
{
	struct cw_clause_record rec = { 0 };

	rec.doc = cw_unpack_uint(u);
	rec.flags = (unsigned)cw_unpack_max(u, INDEXED | CW_CLAUSE_LEADER);
	rec.skeleton = cw_unpack_u64(u);
	if (rec.flags & CW_CLAUSE_SKETCH) {
		const uint8_t *sketch = cw_unpack_raw(u, sizeof(rec.sketch));

		if (sketch)
			memcpy(rec.sketch, sketch, sizeof(rec.sketch));
	}
	int ret = cw_unpack_end(u);
	if (ret == CW_OK)
		*out = rec;
	return ret;
}

int cw_store__load_clause(struct cw_tx *tx, uint32_t id, struct cw_clause_record *out)
{
	struct clause_key buf;
	MDB_val key = clause_key(&buf, id), val;
	struct cw_unpack u;
	int ret = cw_store__get(tx, CW_DB_CLAUSE, key, &val);

	if (ret == CW_ENOTFOUND)
		return cw_store__corrupt(tx, CW_DB_CLAUSE, key, "it is missing");
	if (ret < 0)
		return ret;
	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	cw_store__unpack_clause(&u, out);
	return cw_store__unpacked(tx, &u, CW_DB_CLAUSE, key);
}

/* ---- near duplicates: one leader a skeleton ---- */

struct heir {
	uint32_t id; /**< 0: none */
	bool first_only;
	struct cw_clause_record rec;
};

static int find_heir(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct heir *heir = ctx;

	if (val.mv_size != 4)
		return cw_store__corrupt(tx, CW_DB_SKEL, key, "its size is wrong");
	uint32_t id = cw_get_be32(val.mv_data);
	int ret = cw_store__load_clause(tx, id, &heir->rec);
	if (ret < 0)
		return ret;
	if (heir->rec.flags & CW_CLAUSE_SKETCH)
		heir->id = id;
	return heir->id || heir->first_only ? CW_STOP : CW_OK;
}

static MDB_val hash_key(uint8_t bytes[8], uint64_t hash)
{
	cw_be64(bytes, hash);
	return cw_val(bytes, 8);
}

/* The leader is gone: the next clause with the same skeleton takes its place. */
static int promote(struct cw_tx *tx, uint64_t skeleton)
{
	struct heir heir = { 0 };
	struct clause_key key;
	uint8_t skel[8];
	int ret = cw_store__dups(tx, CW_DB_SKEL, hash_key(skel, skeleton), NULL, find_heir, &heir);

	if (ret < 0 || heir.id == 0 || heir.rec.flags & CW_CLAUSE_LEADER)
		return ret;
	heir.rec.flags |= CW_CLAUSE_LEADER;
	pack_clause(&tx->buf, &heir.rec);
	ret = cw_store__put_buf(tx, CW_DB_CLAUSE, clause_key(&key, heir.id));
	return ret < 0 ? ret : cw_store__lead(tx, heir.id);
}

/* ---- one clause in and out of the indexes ---- */

static int add_clause(struct cw_tx *tx, struct cw_outline_item *it, struct cw_clause_record *rec)
{
	struct clause_key id_key;
	uint8_t hash[8], skel[8];
	int ret = CW_OK;

	if (tx->n[CW_N_NEXT_CLAUSE] >= UINT32_MAX)
		return cw_fail(tx->err, CW_EFULL,
			       "store '%s': all clause numbers are used; export it and import"
			       " into an empty directory",
			       tx->s->dir);
	it->clause = (uint32_t)++tx->n[CW_N_NEXT_CLAUSE];
	MDB_val id = clause_key(&id_key, it->clause), skel_key = hash_key(skel, it->skeleton);
	rec->skeleton = it->skeleton;
	rec->flags = it->flags;
	if (it->flags & CW_CLAUSE_SKETCH) {
		struct heir first = { .first_only = true };

		ret = cw_store__dups(tx, CW_DB_SKEL, skel_key, NULL, find_heir, &first);
		if (ret == CW_OK && !(first.id && first.rec.flags & CW_CLAUSE_LEADER)) {
			rec->flags |= CW_CLAUSE_LEADER;
			ret = cw_store__lead(tx, it->clause);
		}
	}
	if (ret == CW_OK && it->flags & CW_CLAUSE_SKEL)
		ret = cw_store__put(tx, CW_DB_SKEL, skel_key, id);
	if (ret == CW_OK)
		ret = cw_store__later(tx, CW_DB_EXACT, false, hash_key(hash, it->fingerprint), id);
	if (ret < 0)
		return ret;
	pack_clause(&tx->buf, rec);
	return cw_store__append_buf(tx, CW_DB_CLAUSE, id);
}

static int drop_clause(struct cw_tx *tx, const struct cw_outline_item *it)
{
	struct cw_clause_record rec = { 0 };
	struct clause_key key;
	uint8_t hash[8];
	MDB_val id = clause_key(&key, it->clause);
	int ret = cw_store__load_clause(tx, it->clause, &rec);

	if (ret == CW_OK)
		ret = cw_store__del(tx, CW_DB_CLAUSE, id);
	if (ret == CW_OK)
		ret = cw_store__later(tx, CW_DB_EXACT, true, hash_key(hash, it->fingerprint), id);
	if (ret == CW_OK && it->flags & CW_CLAUSE_SKEL) {
		MDB_val skel = hash_key(hash, it->skeleton);

		ret = cw_store__del_dup(tx, CW_DB_SKEL, skel, id);
		if (ret == CW_ENOTFOUND)
			ret = cw_store__corrupt(tx, CW_DB_SKEL, skel, "an entry is missing");
	}
	if (ret == CW_OK && rec.flags & CW_CLAUSE_LEADER) {
		ret = cw_store__unlead(tx, it->clause, rec.sketch);
		if (ret == CW_OK)
			ret = promote(tx, it->skeleton);
	}
	return ret;
}

/* ---- all clauses of a document ---- */

/* A sketch of too few words is one value over and over and would match all others like it. */
static bool has_sketch(const uint32_t *sketch)
{
	for (size_t i = 1; sketch && i < CW_SKETCH_LEN; i++) {
		if (sketch[i] != sketch[0])
			return true;
	}
	return false;
}

static void describe(const struct cw_clause *c, const uint32_t *sketch, struct cw_outline_item *out)
{
	*out = (struct cw_outline_item){ .span = c->span,
					 .section = c->section,
					 .fingerprint = c->fingerprint,
					 .skeleton = c->skeleton };
	if (c->kind != CW_HEADING)
		out->flags = CW_CLAUSE_SKEL | (has_sketch(sketch) ? CW_CLAUSE_SKETCH : 0);
}

static int compare_words(const struct cw_outline_item *x, const struct cw_outline_item *y)
{
	if (x->fingerprint != y->fingerprint)
		return x->fingerprint < y->fingerprint ? -1 : 1;
	if (x->skeleton != y->skeleton)
		return x->skeleton < y->skeleton ? -1 : 1;
	return (x->flags > y->flags) - (x->flags < y->flags);
}

static int by_words(const void *a, const void *b)
{
	const struct cw_outline_item *x = *(struct cw_outline_item *const *)a;
	const struct cw_outline_item *y = *(struct cw_outline_item *const *)b;
	int diff = compare_words(x, y);

	return diff ? diff : (x > y) - (x < y); /* they stand in one array, in order */
}

static struct cw_outline_item **sorted(struct cw_tx *tx, struct cw_outline_item *items, size_t n)
{
	struct cw_outline_item **list = cw_arena_alloc(&tx->scratch, (n + 1) * sizeof(*list));

	if (!list)
		return NULL;
	for (size_t i = 0; i < n; i++)
		list[i] = &items[i];
	if (n > 1)
		qsort(list, n, sizeof(*list), by_words);
	return list;
}

/* Clauses whose words are still there keep their ids; the old ones lose theirs. */
static int match(struct cw_tx *tx, struct cw_outline_item *old, size_t nold,
		 struct cw_outline_item *new, size_t nnew)
{
	struct cw_outline_item **from = sorted(tx, old, nold), **to = sorted(tx, new, nnew);
	size_t i = 0, j = 0;

	if (!from || !to)
		return cw_store__nomem(tx);
	while (i < nold && j < nnew) {
		int diff = compare_words(from[i], to[j]);

		if (diff == 0) {
			to[j]->clause = from[i]->clause;
			from[i]->clause = 0;
		}
		i += diff <= 0;
		j += diff >= 0;
	}
	return CW_OK;
}

static int put_outline(struct cw_tx *tx, uint64_t doc, const struct cw_outline_item *items,
		       size_t n, bool had)
{
	uint8_t key[8];

	cw_be64(key, doc);
	if (n == 0)
		return had ? cw_store__del(tx, CW_DB_OUTLINE, cw_val(key, sizeof(key))) : CW_OK;
	pack_outline(&tx->buf, items, n);
	return cw_store__put_buf(tx, CW_DB_OUTLINE, cw_val(key, sizeof(key)));
}

int cw_store__put_clauses(struct cw_tx *tx, uint64_t doc, const struct cw_analysis *a,
			  const uint32_t *sketches)
{
	struct cw_outline_item *old = NULL;
	size_t nold = 0, nnew = a ? a->nclauses : 0;
	struct cw_outline_item *new = cw_arena_alloc(&tx->scratch, (nnew + 1) * sizeof(*new));
	int ret = new ? cw_store__load_outline(tx, doc, &tx->scratch, &old, &nold)
		      : cw_store__nomem(tx);
	bool had = ret == CW_OK;

	if (ret < 0 && ret != CW_ENOTFOUND)
		return ret;
	for (size_t i = 0; i < nnew; i++)
		describe(&a->clauses[i], sketches ? sketches + i * CW_SKETCH_LEN : NULL, &new[i]);
	ret = match(tx, old, nold, new, nnew);
	for (size_t i = 0; ret == CW_OK && i < nold; i++) {
		if (old[i].clause)
			ret = drop_clause(tx, &old[i]);
	}
	for (size_t i = 0; ret == CW_OK && i < nnew; i++) {
		struct cw_clause_record rec = { .doc = doc };

		if (new[i].clause)
			continue;
		for (size_t j = 0; sketches && j < CW_SKETCH_LEN; j++)
			rec.sketch[j] = (uint8_t)sketches[i * CW_SKETCH_LEN + j];
		ret = add_clause(tx, &new[i], &rec);
	}
	return ret < 0 ? ret : put_outline(tx, doc, new, nnew, had);
}
