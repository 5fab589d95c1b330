#include "store/records.h"

#include <stdlib.h>

#define FIELD(member, kind) CW_FIELD(cw_document, member, kind)

const struct cw_field cw_document_fields[] = {
	FIELD(id, U64),
	FIELD(name.source, STR),
	FIELD(name.ref, STR),
	FIELD(name.path, STR),
	FIELD(present, BOOL),
	FIELD(checked, BOOL),
	FIELD(error_code, STR),
	FIELD(error_message, STR),
	FIELD(content, HASH),
	FIELD(text, HASH),
	FIELD(prev_text, HASH),
	FIELD(blob, STR),
	FIELD(size, U64),
	FIELD(inode, U64),
	FIELD(mtime_ns, I64),
	CW_FIELD_UPTO(cw_document, format, ENUM, CW_FORMAT_MARKDOWN),
	{ "file_kind", CW_FIELD_STR, offsetof(struct cw_document, kind), 0 },
	FIELD(version, U32),
	FIELD(checked_version, U32),
	FIELD(first_seen_ms, I64),
	FIELD(changed_ms, I64),
	FIELD(analysed_ms, I64),
	FIELD(rules_digest, STR),
	FIELD(type, STR),
	FIELD(online, BOOL),
	FIELD(vendor, STR),
	FIELD(customer, STR),
	FIELD(agreement_date, STR),
	FIELD(effective_date, STR),
	FIELD(expiration_date, STR),
	FIELD(auto_renews, INT),
	FIELD(notice_period_days, INT),
	FIELD(governing_law, STR),
	FIELD(in_force, STR),
	FIELD(legacy, BOOL),
	FIELD(risk, INT),
	FIELD(counts[CW_INFO], U32),
	FIELD(counts[CW_LOW], U32),
	FIELD(counts[CW_MEDIUM], U32),
	FIELD(counts[CW_HIGH], U32),
	FIELD(counts[CW_CRITICAL], U32),
	FIELD(nclauses, U32),
	FIELD(nfindings, U32),
};
const size_t cw_document_nfields = sizeof(cw_document_fields) / sizeof(*cw_document_fields);

/* ---- names ---- */

/* LMDB takes keys of 511 bytes; the full name is in the record. */
#define NAME_KEY_MAX 511
#define NAME_CUT (NAME_KEY_MAX - CW_HASH_SIZE)

struct name_key {
	char bytes[CW_STORE_SOURCE_MAX + CW_STORE_REF_MAX + CW_STORE_PATH_MAX + 3];
	size_t len;
};

static void add_part(struct name_key *key, const char *part)
{
	size_t len = strlen(part);

	memcpy(key->bytes + key->len, part, len);
	key->len += len;
}

/* source 0 ref 0 path, whole; the caller checked the lengths. */
static void full_name(const struct cw_docname *name, struct name_key *key)
{
	key->len = 0;
	add_part(key, name->source);
	key->bytes[key->len++] = '\0';
	add_part(key, name->ref);
	key->bytes[key->len++] = '\0';
	add_part(key, name->path);
}

static MDB_val name_key(const struct cw_docname *name, struct name_key *key)
{
	full_name(name, key);
	if (key->len > NAME_CUT) {
		uint8_t hash[CW_HASH_SIZE];

		cw_store_hash(key->bytes, key->len, hash);
		memcpy(key->bytes + NAME_CUT, hash, CW_HASH_SIZE);
		key->len = NAME_KEY_MAX;
	}
	return cw_val(key->bytes, key->len);
}

int cw_store__check_name(struct cw_tx *tx, const struct cw_docname *name)
{
	const char *what = NULL;

	if (!name->source || !name->ref || !name->path)
		what = "a part of the name is missing";
	else if (!name->source[0] || strlen(name->source) > CW_STORE_SOURCE_MAX)
		what = "the source's name is empty or too long";
	else if (strlen(name->ref) > CW_STORE_REF_MAX)
		what = "the reference's name is too long";
	else if (!name->path[0] || strlen(name->path) > CW_STORE_PATH_MAX)
		what = "the path is empty or too long";
	if (!what)
		return CW_OK;
	return cw_fail(tx->err, CW_EINVAL, "document '%.200s': %s", name->path ? name->path : "",
		       what);
}

/* ---- records ---- */

static int pack_document(struct cw_tx *tx, const struct cw_document *doc)
{
	cw_pack_begin(&tx->buf);
	cw_pack_fields(&tx->buf, cw_document_fields, cw_document_nfields, doc);
	cw_pack_uint(&tx->buf, doc->nparties);
	for (size_t i = 0; i < doc->nparties; i++) {
		cw_pack_str(&tx->buf, doc->parties[i].name);
		cw_pack_str(&tx->buf, doc->parties[i].alias);
		cw_pack_uint(&tx->buf, doc->parties[i].role);
	}
	uint8_t key[8];
	cw_be64(key, doc->id);
	return cw_store__put_buf(tx, CW_DB_DOC, cw_val(key, sizeof(key)));
}

int cw_store__unpack_document(struct cw_unpack *u, struct cw_document *doc)
{
	cw_unpack_fields(u, cw_document_fields, cw_document_nfields, doc);
	struct cw_party *parties = cw_unpack_array(u, &doc->nparties, sizeof(*parties), 3);
	for (size_t i = 0; i < doc->nparties; i++) {
		parties[i].name = cw_unpack_cstr(u);
		parties[i].alias = cw_unpack_cstr(u);
		parties[i].role = (enum cw_role)cw_unpack_max(u, CW_ROLE_OTHER);
	}
	doc->parties = parties;
	return cw_unpack_end(u);
}

static int read_record(struct cw_tx *tx, MDB_val key, MDB_val val, struct cw_arena *arena,
		       struct cw_document **out)
{
	struct cw_unpack u;
	struct cw_document *doc = cw_arena_alloc(arena, sizeof(*doc));

	if (!doc)
		return cw_store__nomem(tx);
	cw_unpack_begin(&u, val.mv_data, val.mv_size, arena);
	cw_store__unpack_document(&u, doc);
	int ret = cw_store__unpacked(tx, &u, CW_DB_DOC, key);
	if (ret == CW_OK && (key.mv_size != 8 || doc->id != cw_get_be64(key.mv_data)))
		ret = cw_store__corrupt(tx, CW_DB_DOC, key, "it belongs to another document");
	if (ret == CW_OK)
		*out = doc;
	return ret;
}

int cw_store__load_document(struct cw_tx *tx, uint64_t id, struct cw_arena *arena,
			    struct cw_document **out)
{
	uint8_t bytes[8];
	MDB_val key = cw_val(bytes, sizeof(bytes)), val;

	cw_be64(bytes, id);
	int ret = cw_store__get(tx, CW_DB_DOC, key, &val);
	return ret < 0 ? ret : read_record(tx, key, val, arena, out);
}

int cw_store__need_document(struct cw_tx *tx, uint64_t id, struct cw_document **out)
{
	int ret = cw_store__load_document(tx, id, &tx->scratch, out);

	if (ret == CW_ENOTFOUND)
		return cw_fail(tx->err, ret, "store: there is no document %llu",
			       (unsigned long long)id);
	return ret;
}

int cw_store__find_document(struct cw_tx *tx, const struct cw_docname *name, struct cw_arena *arena,
			    struct cw_document **out)
{
	struct name_key buf;
	struct cw_document *doc = NULL;
	MDB_val key, val;
	int ret = cw_store__check_name(tx, name);

	if (ret < 0)
		return ret;
	key = name_key(name, &buf);
	ret = cw_store__get_sized(tx, CW_DB_DOCNAME, key, 8, &val);
	if (ret < 0)
		return ret;
	ret = cw_store__load_document(tx, cw_get_be64(val.mv_data), arena, &doc);
	if (ret == CW_ENOTFOUND || (ret == CW_OK && strcmp(doc->name.path, name->path) != 0))
		return cw_store__corrupt(tx, CW_DB_DOCNAME, key, "it leads to no such document");
	if (ret == CW_OK)
		*out = doc;
	return ret;
}

int cw_store__new_document(struct cw_tx *tx, const struct cw_docname *name,
			   struct cw_document **out)
{
	struct name_key buf;
	uint8_t id[8];
	struct cw_document *doc = cw_arena_alloc(&tx->scratch, sizeof(*doc));

	if (!doc)
		return cw_store__nomem(tx);
	doc->id = ++tx->n[CW_N_NEXT_DOC];
	doc->name = *name;
	doc->risk = doc->auto_renews = doc->notice_period_days = -1;
	cw_be64(id, doc->id);
	int ret = cw_store__put(tx, CW_DB_DOCNAME, name_key(name, &buf), cw_val(id, sizeof(id)));
	if (ret == CW_OK)
		*out = doc;
	return ret;
}

void cw_store__count_document(const struct cw_document *doc, uint64_t *n, int sign)
{
	uint64_t one = (uint64_t)(int64_t)sign;

	if (!doc)
		return;
	n[doc->present ? CW_N_PRESENT : CW_N_REMOVED] += one;
	if (!doc->present)
		return;
	if (!doc->checked)
		n[CW_N_UNCHECKED] += one;
	for (int i = 0; i < CW_STORE_SEVERITIES; i++)
		n[CW_N_SEVERITY + i] += one * doc->counts[i];
}

static int index_content(struct cw_tx *tx, const struct cw_document *doc, bool add)
{
	uint8_t id[8];
	MDB_val key = cw_val(doc->content, CW_HASH_SIZE), val = cw_val(id, sizeof(id));

	cw_be64(id, doc->id);
	if (add)
		return cw_store__put(tx, CW_DB_CONTENT, key, val);
	int ret = cw_store__del_dup(tx, CW_DB_CONTENT, key, val);
	return ret == CW_ENOTFOUND
		       ? cw_store__corrupt(tx, CW_DB_CONTENT, key, "an entry is missing")
		       : ret;
}

int cw_store__save_document(struct cw_tx *tx, const struct cw_document *old,
			    const struct cw_document *doc)
{
	bool was = old && old->present;
	bool same = was && memcmp(old->content, doc->content, CW_HASH_SIZE) == 0;
	int ret = CW_OK;

	cw_store__count_document(old, tx->n, -1);
	cw_store__count_document(doc, tx->n, 1);
	if (was && (!doc->present || !same))
		ret = index_content(tx, old, false);
	if (ret == CW_OK && doc->present && !same)
		ret = index_content(tx, doc, true);
	return ret < 0 ? ret : pack_document(tx, doc);
}

int cw_store__delete_document(struct cw_tx *tx, const struct cw_document *doc)
{
	struct name_key buf;
	uint8_t key[8];
	int ret = cw_store__del(tx, CW_DB_DOCNAME, name_key(&doc->name, &buf));

	cw_be64(key, doc->id);
	cw_store__count_document(doc, tx->n, -1);
	if (ret == CW_OK && doc->present)
		ret = index_content(tx, doc, false);
	if (ret == CW_OK)
		ret = cw_store__del(tx, CW_DB_DOC, cw_val(key, sizeof(key)));
	return ret == CW_ENOTFOUND ? cw_store__corrupt(tx, CW_DB_DOC, cw_val(key, sizeof(key)),
						       "a record is missing")
				   : ret;
}

/* ---- reading ---- */

struct read_one {
	const struct cw_docname *name;
	uint64_t id;
	struct cw_arena *arena;
	struct cw_document *doc;
};

static int read_one(struct cw_tx *tx, void *ctx)
{
	struct read_one *r = ctx;

	if (!r->name) {
		int ret = cw_store__load_document(tx, r->id, r->arena, &r->doc);

		if (ret == CW_ENOTFOUND)
			return cw_fail(tx->err, ret, "store: there is no document %llu",
				       (unsigned long long)r->id);
		return ret;
	}
	int ret = cw_store__find_document(tx, r->name, r->arena, &r->doc);
	if (ret == CW_ENOTFOUND)
		return cw_fail(tx->err, ret, "store: there is no document '%.200s' in '%s'",
			       r->name->path, r->name->source);
	return ret;
}

int cw_store_document(struct cw_store *s, const struct cw_docname *name, struct cw_arena *arena,
		      struct cw_document **out, struct cw_error *err)
{
	struct read_one r = { .name = name, .arena = arena };
	int ret = cw_store__read(s, read_one, &r, err);

	if (ret == CW_OK)
		*out = r.doc;
	return ret;
}

int cw_store_document_by_id(struct cw_store *s, uint64_t id, struct cw_arena *arena,
			    struct cw_document **out, struct cw_error *err)
{
	struct read_one r = { .id = id, .arena = arena };
	int ret = cw_store__read(s, read_one, &r, err);

	if (ret == CW_OK)
		*out = r.doc;
	return ret;
}

struct read_many {
	const struct cw_document_query *q;
	struct cw_list docs; /**< struct cw_document */
	const uint8_t *content;
};

static bool wanted(const struct cw_document_query *q, const struct cw_document *doc)
{
	if (!doc->present && !q->removed_too)
		return false;
	if (q->source && strcmp(q->source, doc->name.source) != 0)
		return false;
	if (q->ref && strcmp(q->ref, doc->name.ref) != 0)
		return false;
	if (q->path_prefix && strncmp(doc->name.path, q->path_prefix, strlen(q->path_prefix)) != 0)
		return false;
	return !q->other_rules || strcmp(q->other_rules, doc->rules_digest) != 0;
}

static int add_wanted(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct read_many *r = ctx;
	struct cw_document *doc = NULL;
	int ret = read_record(tx, key, val, r->docs.arena, &doc);

	if (ret < 0 || !wanted(r->q, doc))
		return ret;
	struct cw_document *item = cw_list_add(&r->docs);
	if (!item)
		return cw_store__nomem(tx);
	*item = *doc;
	return cw_list_full(&r->docs) ? CW_STOP : CW_OK;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(((const MDB_val *)a)->mv_data, ((const MDB_val *)b)->mv_data, 8);
}

/* The documents whose ids were collected, in order of id. */
static int add_ids(struct cw_tx *tx, struct cw_list *ids, struct read_many *r)
{
	int ret = CW_OK;

	if (ids->n > 1)
		qsort(ids->items, ids->n, sizeof(MDB_val), by_bytes);
	for (size_t i = 0; ret == CW_OK && i < ids->n; i++) {
		MDB_val key = *(MDB_val *)cw_list_at(ids, i), val;

		if (key.mv_size != 8)
			return cw_store__corrupt(tx, CW_DB_DOC, key, "an id has a wrong size");
		if (cw_get_be64(key.mv_data) <= r->q->after)
			continue;
		ret = cw_store__get(tx, CW_DB_DOC, key, &val);
		if (ret == CW_ENOTFOUND)
			return cw_store__corrupt(tx, CW_DB_DOC, key, "it is missing");
		if (ret == CW_OK)
			ret = add_wanted(tx, key, val, r);
	}
	return ret < 0 ? ret : CW_OK;
}

static int read_many(struct cw_tx *tx, void *ctx)
{
	struct read_many *r = ctx;
	struct cw_list ids = { .arena = &tx->scratch, .size = sizeof(MDB_val) };

	if (!r->q->source) {
		uint8_t from[8];

		if (r->q->after == UINT64_MAX)
			return CW_OK;
		cw_be64(from, r->q->after + 1);
		return cw_store__scan(tx, CW_DB_DOC, cw_val(from, 8), 0, add_wanted, r);
	}
	bool whole = !r->q->path_prefix || !r->q->path_prefix[0]; /* of the ref */
	struct cw_docname name = { r->q->source, r->q->ref ? r->q->ref : "",
				   whole ? "x" : r->q->path_prefix };
	struct name_key key;
	int ret = cw_store__check_name(tx, &name);
	if (ret < 0)
		return ret;
	full_name(&name, &key);
	if (!r->q->ref)
		key.len = strlen(name.source) + 1;
	else if (whole)
		key.len -= 1;
	if (key.len > NAME_CUT)
		key.len = NAME_CUT;
	ret = cw_store__scan(tx, CW_DB_DOCNAME, cw_val(key.bytes, key.len), key.len,
			     cw_store__collect_val, &ids);
	return ret < 0 ? ret : add_ids(tx, &ids, r);
}

int cw_store_documents(struct cw_store *s, const struct cw_document_query *q,
		       struct cw_arena *arena, struct cw_document **out, size_t *out_n,
		       struct cw_error *err)
{
	struct read_many r = {
		.q = q,
		.docs = { .arena = arena, .size = sizeof(struct cw_document), .limit = q->limit }
	};
	int ret = cw_store__read(s, read_many, &r, err);

	if (ret < 0)
		return ret;
	*out = r.docs.items;
	*out_n = r.docs.n;
	return CW_OK;
}

static int read_content(struct cw_tx *tx, void *ctx)
{
	struct read_many *r = ctx;
	struct cw_list ids = { .arena = &tx->scratch, .size = sizeof(MDB_val) };
	int ret = cw_store__dups(tx, CW_DB_CONTENT, cw_val(r->content, CW_HASH_SIZE), NULL,
				 cw_store__collect_val, &ids);

	return ret < 0 ? ret : add_ids(tx, &ids, r);
}

int cw_store_documents_by_content(struct cw_store *s, const uint8_t content[CW_HASH_SIZE],
				  struct cw_arena *arena, struct cw_document **out, size_t *out_n,
				  struct cw_error *err)
{
	static const struct cw_document_query any = { 0 };
	struct read_many r = { .q = &any,
			       .content = content,
			       .docs = { .arena = arena, .size = sizeof(struct cw_document) } };
	int ret = cw_store__read(s, read_content, &r, err);

	if (ret < 0)
		return ret;
	*out = r.docs.items;
	*out_n = r.docs.n;
	return CW_OK;
}
