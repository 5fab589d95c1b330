#include "store/records.h"

#include <stdlib.h>

#define SIMILAR_MIN 0.4
/* A bucket of one band and tag holds leaders of one hash; more than this is an attack or noise. */
#define BUCKET_MAX 4096

static int by_ordinal(struct cw_tx *tx, uint64_t doc, struct cw_list *out)
{
	struct cw_outline_item *items = NULL;
	size_t n = 0;
	int ret = cw_store__load_outline(tx, doc, out->arena, &items, &n);

	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		struct cw_clause_ref *ref = cw_list_add(out);

		if (!ref)
			return cw_store__nomem(tx);
		*ref = (struct cw_clause_ref){ .doc = doc,
					       .ordinal = (uint32_t)i,
					       .span = items[i].span,
					       .section = items[i].section,
					       .fingerprint = items[i].fingerprint,
					       .skeleton = items[i].skeleton,
					       .similarity = 1 };
	}
	return ret == CW_ENOTFOUND ? CW_OK : ret;
}

/* Where a clause stands. */
static int add_clause(struct cw_tx *tx, uint32_t id, double similarity, struct cw_list *out)
{
	struct cw_clause_record rec;
	struct cw_outline_item *items = NULL;
	struct clause_key {
		uint8_t bytes[4];
	} key;
	size_t n = 0, i = 0;
	int ret = cw_store__load_clause(tx, id, &rec);

	if (ret == CW_OK)
		ret = cw_store__load_outline(tx, rec.doc, &tx->scratch, &items, &n);
	if (ret < 0 && ret != CW_ENOTFOUND)
		return ret;
	while (i < n && items[i].clause != id)
		i++;
	cw_be32(key.bytes, id);
	if (i == n)
		return cw_store__corrupt(tx, CW_DB_CLAUSE, cw_val(key.bytes, 4),
					 "its document does not hold it");
	struct cw_clause_ref *ref = cw_list_add(out);
	if (!ref)
		return cw_store__nomem(tx);
	*ref = (struct cw_clause_ref){ .doc = rec.doc,
				       .ordinal = (uint32_t)i,
				       .span = items[i].span,
				       .section = cw_arena_strdup(out->arena, items[i].section),
				       .fingerprint = items[i].fingerprint,
				       .skeleton = items[i].skeleton,
				       .similarity = similarity };
	return ref->section ? CW_OK : cw_store__nomem(tx);
}

/* Every clause under a hash, until the list is full. */
static int add_hash(struct cw_tx *tx, enum cw_db db, uint64_t hash, double similarity,
		    struct cw_list *out)
{
	uint8_t bytes[8];
	MDB_val key = cw_val(bytes, sizeof(bytes));
	struct cw_list ids = { .arena = &tx->scratch,
			       .size = sizeof(MDB_val),
			       .limit = out->limit ? out->limit - out->n : 0 };

	cw_be64(bytes, hash);
	int ret = cw_store__dups(tx, db, key, NULL, cw_store__collect_val, &ids);
	for (size_t i = 0; ret == CW_OK && i < ids.n; i++) {
		const MDB_val *id = cw_list_at(&ids, i);

		if (id->mv_size != 4)
			return cw_store__corrupt(tx, db, key, "its size is wrong");
		ret = add_clause(tx, cw_get_be32(id->mv_data), similarity, out);
	}
	return ret;
}

struct find {
	enum cw_db db;
	uint64_t hash; /**< or the document */
	uint8_t sketch[CW_SKETCH_LEN];
	double min;
	struct cw_list out;
};

static int read_outline(struct cw_tx *tx, void *ctx)
{
	struct find *f = ctx;

	return by_ordinal(tx, f->hash, &f->out);
}

static int read_hash(struct cw_tx *tx, void *ctx)
{
	struct find *f = ctx;

	return add_hash(tx, f->db, f->hash, 1, &f->out);
}

static int run(struct cw_store *s, cw_tx_fn *fn, struct find *f, struct cw_arena *arena,
	       size_t limit, struct cw_clause_ref **out, size_t *out_n, struct cw_error *err)
{
	f->out = (struct cw_list){ .arena = arena,
				   .size = sizeof(struct cw_clause_ref),
				   .limit = limit };
	int ret = cw_store__read(s, fn, f, err);

	if (ret < 0)
		return ret;
	*out = f->out.items;
	*out_n = f->out.n;
	return CW_OK;
}

int cw_store_clauses(struct cw_store *s, uint64_t doc, struct cw_arena *arena,
		     struct cw_clause_ref **out, size_t *out_n, struct cw_error *err)
{
	struct find f = { .hash = doc };

	return run(s, read_outline, &f, arena, 0, out, out_n, err);
}

int cw_store_clauses_by_fingerprint(struct cw_store *s, uint64_t fingerprint, size_t limit,
				    struct cw_arena *arena, struct cw_clause_ref **out,
				    size_t *out_n, struct cw_error *err)
{
	struct find f = { .db = CW_DB_EXACT, .hash = fingerprint };

	return run(s, read_hash, &f, arena, limit, out, out_n, err);
}

int cw_store_clauses_by_skeleton(struct cw_store *s, uint64_t skeleton, size_t limit,
				 struct cw_arena *arena, struct cw_clause_ref **out, size_t *out_n,
				 struct cw_error *err)
{
	struct find f = { .db = CW_DB_SKEL, .hash = skeleton };

	return run(s, read_hash, &f, arena, limit, out, out_n, err);
}

/* ---- near duplicates ---- */

struct candidate {
	uint32_t id;
	double similarity;
	uint64_t skeleton;
};

struct bucket {
	uint8_t tag[4];
	size_t seen;
	struct cw_list *candidates;
};

static int add_candidate(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct bucket *b = ctx;

	if (val.mv_size != 8)
		return cw_store__corrupt(tx, CW_DB_BAND, key, "its size is wrong");
	if (memcmp(val.mv_data, b->tag, sizeof(b->tag)) != 0 || b->seen++ >= BUCKET_MAX)
		return CW_STOP;
	struct candidate *c = cw_list_add(b->candidates);
	if (!c)
		return cw_store__nomem(tx);
	c->id = cw_get_be32((const char *)val.mv_data + 4);
	return CW_OK;
}

static int by_id(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int by_similarity(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->similarity != y->similarity)
		return x->similarity > y->similarity ? -1 : 1;
	return by_id(a, b);
}

/* One value in 256 is equal by chance where a sketch is cut to bytes. */
static double similarity(const uint8_t *a, const uint8_t *b)
{
	int equal = 0;

	for (size_t i = 0; i < CW_SKETCH_LEN; i++)
		equal += a[i] == b[i];
	double share = ((double)equal / CW_SKETCH_LEN - 1.0 / 256) / (255.0 / 256);
	return share > 0 ? share : 0;
}

/* Those that are in no band yet are compared one by one. */
static int add_fresh(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct candidate *c = cw_list_add(ctx);

	(void)val;
	if (!c)
		return cw_store__nomem(tx);
	if (key.mv_size != 4)
		return cw_store__corrupt(tx, CW_DB_FRESH, key, "its size is wrong");
	c->id = cw_get_be32(key.mv_data);
	return CW_OK;
}

static int collect_candidates(struct cw_tx *tx, const struct find *f, struct cw_list *list)
{
	int ret = cw_store__scan(tx, CW_DB_FRESH, cw_val("", 0), 0, add_fresh, list);

	for (unsigned band = 0; ret == CW_OK && band < CW_BANDS; band++) {
		struct bucket b = { .candidates = list };
		uint8_t key[4], from[8] = { 0 };
		MDB_val at = cw_val(from, sizeof(from));

		cw_store__band(f->sketch, band, key, b.tag);
		memcpy(from, b.tag, sizeof(b.tag));
		ret = cw_store__dups(tx, CW_DB_BAND, cw_val(key, sizeof(key)), &at, add_candidate,
				     &b);
	}
	if (list->n > 1)
		qsort(list->items, list->n, list->size, by_id);
	return ret;
}

/* Keeps those that are similar enough, each once. */
static int verify_candidates(struct cw_tx *tx, const struct find *f, struct cw_list *list)
{
	struct candidate *c = list->items;
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct cw_clause_record rec;

		if (i > 0 && c[i - 1].id == c[i].id)
			continue;
		int ret = cw_store__load_clause(tx, c[i].id, &rec);
		if (ret < 0)
			return ret;
		double s = similarity(f->sketch, rec.sketch);
		if (s >= f->min)
			c[kept++] = (struct candidate){ c[i].id, s, rec.skeleton };
	}
	list->n = kept;
	if (kept > 1)
		qsort(c, kept, sizeof(*c), by_similarity);
	return CW_OK;
}

static int read_similar(struct cw_tx *tx, void *ctx)
{
	struct find *f = ctx;
	struct cw_list list = { .arena = &tx->scratch, .size = sizeof(struct candidate) };
	int ret = collect_candidates(tx, f, &list);

	if (ret == CW_OK)
		ret = verify_candidates(tx, f, &list);
	for (size_t i = 0; ret == CW_OK && i < list.n && !cw_list_full(&f->out); i++) {
		const struct candidate *c = cw_list_at(&list, i);

		ret = add_hash(tx, CW_DB_SKEL, c->skeleton, c->similarity, &f->out);
	}
	return ret;
}

int cw_store_clauses_similar(struct cw_store *s, const uint32_t sketch[CW_SKETCH_LEN], double min,
			     size_t limit, struct cw_arena *arena, struct cw_clause_ref **out,
			     size_t *out_n, struct cw_error *err)
{
	struct find f = { .min = min > 0 ? min : SIMILAR_MIN };

	for (size_t i = 0; i < CW_SKETCH_LEN; i++)
		f.sketch[i] = (uint8_t)sketch[i];
	return run(s, read_similar, &f, arena, limit, out, out_n, err);
}
