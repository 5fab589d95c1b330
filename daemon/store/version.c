#include "store/records.h"

#define FIELD(member, kind) CW_FIELD(cw_version, member, kind)

const struct cw_field cw_version_fields[] = {
	FIELD(doc, U64),     FIELD(number, U32),      FIELD(time_ms, I64), FIELD(content, HASH),
	FIELD(text, HASH),   FIELD(cause, STR),       FIELD(commit, STR),  FIELD(author, STR),
	FIELD(subject, STR), FIELD(commit_date, STR), FIELD(blob, STR),
};
const size_t cw_version_nfields = sizeof(cw_version_fields) / sizeof(*cw_version_fields);

struct version_key {
	uint8_t bytes[12];
};

static MDB_val version_key(struct version_key *key, uint64_t doc, uint32_t number)
{
	cw_be64(key->bytes, doc);
	cw_be32(key->bytes + 8, number);
	return cw_val(key->bytes, sizeof(key->bytes));
}

struct seen_key {
	uint8_t bytes[8 + CW_HASH_SIZE];
};

static MDB_val seen_key(struct seen_key *key, uint64_t doc, const uint8_t content[CW_HASH_SIZE])
{
	cw_be64(key->bytes, doc);
	memcpy(key->bytes + 8, content, CW_HASH_SIZE);
	return cw_val(key->bytes, sizeof(key->bytes));
}

int cw_store__put_version(struct cw_tx *tx, const struct cw_version *v)
{
	struct version_key key;
	struct seen_key seen;
	uint8_t number[4];

	cw_pack_begin(&tx->buf);
	cw_pack_fields(&tx->buf, cw_version_fields, cw_version_nfields, v);
	int ret = cw_store__put_buf(tx, CW_DB_VERSION, version_key(&key, v->doc, v->number));
	cw_be32(number, v->number);
	if (ret == CW_OK)
		ret = cw_store__put(tx, CW_DB_SEEN, seen_key(&seen, v->doc, v->content),
				    cw_val(number, sizeof(number)));
	return ret;
}

int cw_store__delete_versions(struct cw_tx *tx, uint64_t doc)
{
	uint8_t prefix[8];

	cw_be64(prefix, doc);
	int ret = cw_store__del_prefix(tx, CW_DB_VERSION, cw_val(prefix, sizeof(prefix)));
	if (ret == CW_OK)
		ret = cw_store__del_prefix(tx, CW_DB_SEEN, cw_val(prefix, sizeof(prefix)));
	return ret;
}

int cw_store__unpack_version(struct cw_unpack *u, struct cw_version *v)
{
	cw_unpack_fields(u, cw_version_fields, cw_version_nfields, v);
	return cw_unpack_end(u);
}

static int read_record(struct cw_tx *tx, MDB_val key, MDB_val val, struct cw_arena *arena,
		       struct cw_version *v)
{
	struct cw_unpack u;

	cw_unpack_begin(&u, val.mv_data, val.mv_size, arena);
	cw_store__unpack_version(&u, v);
	int ret = cw_store__unpacked(tx, &u, CW_DB_VERSION, key);
	if (ret == CW_OK && (key.mv_size != 12 || v->doc != cw_get_be64(key.mv_data)))
		ret = cw_store__corrupt(tx, CW_DB_VERSION, key, "it belongs to another document");
	return ret;
}

static int add_version(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct cw_list *list = ctx;
	struct cw_version *v = cw_list_add(list);

	if (!v)
		return cw_store__nomem(tx);
	int ret = read_record(tx, key, val, list->arena, v);
	return ret == CW_OK && cw_list_full(list) ? CW_STOP : ret;
}

int cw_store__list_versions(struct cw_tx *tx, uint64_t doc, uint32_t before, struct cw_list *out)
{
	struct version_key key;

	return cw_store__scan_back(tx, CW_DB_VERSION,
				   version_key(&key, doc, before ? before : UINT32_MAX), 8,
				   add_version, out);
}

struct read_versions {
	uint64_t doc;
	uint32_t before;
	const uint8_t *content;
	struct cw_list list;
};

static int read_versions(struct cw_tx *tx, void *ctx)
{
	struct read_versions *r = ctx;

	return cw_store__list_versions(tx, r->doc, r->before, &r->list);
}

int cw_store_versions(struct cw_store *s, uint64_t doc, uint32_t before, size_t limit,
		      struct cw_arena *arena, struct cw_version **out, size_t *out_n,
		      struct cw_error *err)
{
	struct read_versions r = {
		.doc = doc,
		.before = before,
		.list = { .arena = arena, .size = sizeof(struct cw_version), .limit = limit }
	};
	int ret = cw_store__read(s, read_versions, &r, err);

	if (ret < 0)
		return ret;
	*out = r.list.items;
	*out_n = r.list.n;
	return CW_OK;
}

static int read_seen(struct cw_tx *tx, void *ctx)
{
	struct read_versions *r = ctx;
	struct seen_key seen;
	struct version_key key;
	MDB_val val;
	int ret = cw_store__get_sized(tx, CW_DB_SEEN, seen_key(&seen, r->doc, r->content), 4, &val);

	if (ret == CW_ENOTFOUND)
		return cw_fail(tx->err, ret, "store: document %llu never had this content",
			       (unsigned long long)r->doc);
	if (ret < 0)
		return ret;
	MDB_val at = version_key(&key, r->doc, cw_get_be32(val.mv_data));
	ret = cw_store__get(tx, CW_DB_VERSION, at, &val);
	if (ret == CW_ENOTFOUND)
		return cw_store__corrupt(tx, CW_DB_VERSION, at, "it is missing");
	return ret < 0 ? ret : add_version(tx, at, val, &r->list);
}

int cw_store_version_seen(struct cw_store *s, uint64_t doc, const uint8_t content[CW_HASH_SIZE],
			  struct cw_arena *arena, struct cw_version **out, struct cw_error *err)
{
	struct read_versions r = { .doc = doc,
				   .content = content,
				   .list = { .arena = arena, .size = sizeof(struct cw_version) } };
	int ret = cw_store__read(s, read_seen, &r, err);

	if (ret == CW_OK)
		*out = r.list.items;
	return ret;
}
