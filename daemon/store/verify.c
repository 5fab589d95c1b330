#include "store/records.h"

/** What the documents say there should be. */
struct tally {
	uint64_t n[CW_N_COUNT];
	uint64_t documents, clauses, indexed, fresh, banded, findings, texts, kept;
	uint64_t events, deliveries;
};

static bool has_pair(struct cw_tx *tx, enum cw_db db, MDB_val key, MDB_val val)
{
	MDB_cursor *cur;

	if (mdb_cursor_open(tx->txn, tx->s->db[db], &cur) != 0)
		return false;
	int rc = mdb_cursor_get(cur, &key, &val, MDB_GET_BOTH);
	mdb_cursor_close(cur);
	return rc == 0;
}

static int check_bands(struct cw_tx *tx, MDB_val id, const struct cw_clause_record *rec)
{
	for (unsigned band = 0; band < CW_BANDS; band++) {
		uint8_t key[4], val[8];

		cw_store__band(rec->sketch, band, key, val);
		memcpy(val + 4, id.mv_data, 4);
		if (!has_pair(tx, CW_DB_BAND, cw_val(key, 4), cw_val(val, 8)))
			return cw_store__corrupt(tx, CW_DB_CLAUSE, id, "a band misses it");
	}
	return CW_OK;
}

static int check_clause(struct cw_tx *tx, uint64_t doc, const struct cw_outline_item *it,
			struct tally *t)
{
	struct cw_clause_record rec;
	uint8_t id_bytes[4], hash[8];
	MDB_val id = cw_val(id_bytes, 4);
	int ret = cw_store__load_clause(tx, it->clause, &rec);

	if (ret < 0)
		return ret;
	cw_be32(id_bytes, it->clause);
	if (rec.doc != doc || rec.skeleton != it->skeleton)
		return cw_store__corrupt(tx, CW_DB_CLAUSE, id, "its document does not agree");
	cw_be64(hash, it->fingerprint);
	if (!has_pair(tx, CW_DB_EXACT, cw_val(hash, 8), id))
		return cw_store__corrupt(tx, CW_DB_CLAUSE, id, "'exact' misses it");
	t->clauses++;
	if (!(it->flags & CW_CLAUSE_SKEL))
		return CW_OK;
	t->indexed++;
	cw_be64(hash, it->skeleton);
	if (!has_pair(tx, CW_DB_SKEL, cw_val(hash, 8), id))
		return cw_store__corrupt(tx, CW_DB_CLAUSE, id, "'skel' misses it");
	if (!(rec.flags & CW_CLAUSE_LEADER))
		return CW_OK;
	MDB_val val;
	ret = cw_store__get(tx, CW_DB_FRESH, id, &val);
	if (ret != CW_ENOTFOUND) {
		t->fresh++;
		return ret;
	}
	t->banded++;
	return check_bands(tx, id, &rec);
}

/* A clause with a sketch can be found only through a leader of its skeleton. */
static int check_led(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct cw_clause_record rec;
	bool *led = ctx; /* a sketch was seen, a leader was seen */
	int ret = cw_store__load_clause(tx, cw_get_be32(val.mv_data), &rec);

	(void)key;
	if (ret < 0)
		return ret;
	led[0] |= (rec.flags & CW_CLAUSE_SKETCH) != 0;
	led[1] |= (rec.flags & CW_CLAUSE_LEADER) != 0;
	return led[1] ? CW_STOP : CW_OK;
}

static int check_outline(struct cw_tx *tx, const struct cw_document *doc, struct tally *t)
{
	struct cw_outline_item *items = NULL;
	size_t n = 0;
	uint8_t key[8];
	int ret = cw_store__load_outline(tx, doc->id, &tx->scratch, &items, &n);

	cw_be64(key, doc->id);
	if (ret == CW_ENOTFOUND)
		ret = CW_OK;
	if (ret == CW_OK && n != doc->nclauses)
		return cw_store__corrupt(tx, CW_DB_OUTLINE, cw_val(key, 8), "clauses are missing");
	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		bool led[2] = { false, false };

		ret = check_clause(tx, doc->id, &items[i], t);
		cw_be64(key, items[i].skeleton);
		if (ret == CW_OK && items[i].flags & CW_CLAUSE_SKETCH)
			ret = cw_store__dups(tx, CW_DB_SKEL, cw_val(key, 8), NULL, check_led, led);
		if (ret == CW_OK && led[0] && !led[1])
			ret = cw_store__corrupt(tx, CW_DB_SKEL, cw_val(key, 8),
						"none of its clauses leads");
	}
	return ret;
}

static int check_finding(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct cw_stored_finding f;
	struct cw_unpack u;
	uint32_t *n = ctx;

	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	cw_store__unpack_finding(&u, &f);
	int ret = cw_store__unpacked(tx, &u, CW_DB_FINDING, key);
	if (ret == CW_OK && !has_pair(tx, CW_DB_FINDID, cw_str_val(f.id), key))
		ret = cw_store__corrupt(tx, CW_DB_FINDING, key, "'findid' misses it");
	++*n;
	return ret;
}

static int check_text(struct cw_tx *tx, const uint8_t *hash, struct tally *t)
{
	const char *text;
	size_t len;

	if (memcmp(hash, cw_no_hash, CW_HASH_SIZE) == 0)
		return CW_OK;
	t->texts++;
	int ret = cw_store__load_text(tx, hash, &tx->scratch, &text, &len);
	return ret == CW_ENOTFOUND ? cw_store__corrupt(tx, CW_DB_TEXT, cw_val(hash, CW_HASH_SIZE),
						       "it is missing")
				   : ret;
}

static int check_document(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct tally *t = ctx;
	struct cw_unpack u;
	struct cw_document doc = { 0 }, *found;
	struct cw_list newest = { .arena = &tx->scratch,
				  .size = sizeof(struct cw_version),
				  .limit = 1 };
	uint32_t findings = 0;

	cw_arena_release(&tx->scratch); /* nothing before this document is needed */
	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	cw_store__unpack_document(&u, &doc);
	int ret = cw_store__unpacked(tx, &u, CW_DB_DOC, key);
	if (ret < 0)
		return ret;
	t->documents++;
	cw_store__count_document(&doc, t->n, 1);
	ret = cw_store__find_document(tx, &doc.name, &tx->scratch, &found);
	if (ret == CW_ENOTFOUND || (ret == CW_OK && found->id != doc.id))
		return cw_store__corrupt(tx, CW_DB_DOC, key, "its name does not lead to it");
	if (ret == CW_OK && doc.present &&
	    !has_pair(tx, CW_DB_CONTENT, cw_val(doc.content, CW_HASH_SIZE), key))
		return cw_store__corrupt(tx, CW_DB_DOC, key, "'content' misses it");
	if (ret == CW_OK)
		ret = cw_store__list_versions(tx, doc.id, 0, &newest);
	if (ret == CW_OK &&
	    (newest.n == 0 || ((struct cw_version *)cw_list_at(&newest, 0))->number != doc.version))
		return cw_store__corrupt(tx, CW_DB_DOC, key, "its version is missing");
	if (ret == CW_OK)
		ret = check_outline(tx, &doc, t);
	if (ret == CW_OK)
		ret = cw_store__scan(tx, CW_DB_FINDING, key, 8, check_finding, &findings);
	if (ret == CW_OK && findings != doc.nfindings)
		return cw_store__corrupt(tx, CW_DB_DOC, key, "findings are missing");
	t->findings += findings;
	if (ret == CW_OK)
		ret = check_text(tx, doc.text, t);
	return ret < 0 ? ret : check_text(tx, doc.prev_text, t);
}

static int check_event(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct tally *t = ctx;
	struct cw_unpack u;
	struct cw_stored_event e;
	uint8_t at[16];

	cw_arena_release(&tx->scratch);
	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	cw_store__unpack_event(&u, &e);
	int ret = cw_store__unpacked(tx, &u, CW_DB_EVENT, key);
	if (ret < 0)
		return ret;
	cw_be64(at, cw_time_key(e.time_ms));
	memcpy(at + 8, key.mv_data, 8);
	if (cw_store__get(tx, CW_DB_EVENTTIME, cw_val(at, 16), &val) != CW_OK ||
	    cw_store__get(tx, CW_DB_EVENTID, cw_str_val(e.id), &val) != CW_OK || val.mv_size != 8 ||
	    memcmp(val.mv_data, key.mv_data, 8) != 0)
		return cw_store__corrupt(tx, CW_DB_EVENT, key, "an index misses it");
	t->events++;
	return CW_OK;
}

static int check_queued(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct tally *t = ctx;
	struct cw_unpack u;
	struct cw_delivery d = { 0 };

	cw_arena_release(&tx->scratch);
	int ret = key.mv_size > 9
			  ? cw_store__get(tx, CW_DB_OUTBOX,
					  cw_val((const char *)key.mv_data + 9, key.mv_size - 9),
					  &val)
			  : CW_ENOTFOUND;
	if (ret == CW_ENOTFOUND)
		return cw_store__corrupt(tx, CW_DB_QUEUE, key, "its delivery is missing");
	if (ret < 0)
		return ret;
	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	cw_store__unpack_delivery(&u, &d);
	ret = cw_store__unpacked(tx, &u, CW_DB_OUTBOX, key);
	if (ret == CW_OK && *(const uint8_t *)key.mv_data != d.state)
		return cw_store__corrupt(tx, CW_DB_QUEUE, key, "its delivery has another state");
	t->n[CW_N_OUTBOX + d.state]++;
	t->deliveries++;
	return ret;
}

static int count_kept(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct tally *t = ctx;

	if (val.mv_size != 4)
		return cw_store__corrupt(tx, CW_DB_TEXTREF, key, "its size is wrong");
	t->kept += cw_get_be32(val.mv_data);
	return CW_OK;
}

/* Every entry was found from its record, so equal numbers mean that there are no others. */
static int check_sizes(struct cw_tx *tx, const struct tally *t)
{
	const struct {
		enum cw_db db;
		uint64_t n;
	} sizes[] = {
		{ CW_DB_DOCNAME, t->documents },
		{ CW_DB_CONTENT, t->n[CW_N_PRESENT] },
		{ CW_DB_CLAUSE, t->clauses },
		{ CW_DB_EXACT, t->clauses },
		{ CW_DB_SKEL, t->indexed },
		{ CW_DB_FRESH, t->fresh },
		{ CW_DB_BAND, t->banded * CW_BANDS },
		{ CW_DB_FINDING, t->findings },
		{ CW_DB_FINDID, t->findings },
		{ CW_DB_EVENTID, t->events },
		{ CW_DB_EVENTTIME, t->events },
		{ CW_DB_OUTBOX, t->deliveries },
		{ CW_DB_TEXT, cw_store__entries(tx, CW_DB_TEXTREF) },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uint64_t n = cw_store__entries(tx, sizes[i].db);

		if (n != sizes[i].n)
			return cw_fail(tx->err, CW_ECORRUPT,
				       "store '%s': table '%s' has %llu entries instead of %llu",
				       tx->s->dir, cw_store__db_name(sizes[i].db),
				       (unsigned long long)n, (unsigned long long)sizes[i].n);
	}
	return CW_OK;
}

static int check_counters(struct cw_tx *tx, const struct tally *t)
{
	MDB_val val, key = cw_str_val("counters");
	struct cw_unpack u;
	int ret = cw_store__get(tx, CW_DB_META, key, &val);

	if (ret == CW_ENOTFOUND)
		return CW_OK;
	if (ret < 0)
		return ret;
	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	for (int i = 0; i < CW_N_COUNT; i++) {
		uint64_t n = cw_unpack_uint(&u);

		if (i >= CW_N_PRESENT && n != t->n[i])
			return cw_store__corrupt(tx, CW_DB_META, key, "it counts wrong");
	}
	return cw_store__unpacked(tx, &u, CW_DB_META, key);
}

static int verify(struct cw_tx *tx, void *ctx)
{
	struct tally *t = ctx;
	MDB_val all = cw_val("", 0);
	int ret = cw_store__scan(tx, CW_DB_DOC, all, 0, check_document, t);

	if (ret == CW_OK)
		ret = cw_store__scan(tx, CW_DB_EVENT, all, 0, check_event, t);
	if (ret == CW_OK)
		ret = cw_store__scan(tx, CW_DB_QUEUE, all, 0, check_queued, t);
	if (ret == CW_OK)
		ret = cw_store__scan(tx, CW_DB_TEXTREF, all, 0, count_kept, t);
	if (ret == CW_OK && t->kept != t->texts)
		ret = cw_fail(tx->err, CW_ECORRUPT,
			      "store '%s': texts are kept %llu times instead of %llu", tx->s->dir,
			      (unsigned long long)t->kept, (unsigned long long)t->texts);
	if (ret == CW_OK)
		ret = check_sizes(tx, t);
	return ret < 0 ? ret : check_counters(tx, t);
}

int cw_store_verify(struct cw_store *s, struct cw_error *err)
{
	struct tally t = { 0 };

	return cw_store__read(s, verify, &t, err);
}
