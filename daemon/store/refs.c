#include "store/records.h"

#include <xxhash.h>

#define FIELD(member, kind) CW_FIELD(cw_ref, member, kind)

const struct cw_field cw_ref_fields[] = {
	FIELD(source, STR),
	FIELD(ref, STR),
	FIELD(oid, STR),
	FIELD(time_ms, I64),
};
const size_t cw_ref_nfields = sizeof(cw_ref_fields) / sizeof(*cw_ref_fields);

struct ref_key {
	char bytes[CW_STORE_SOURCE_MAX + CW_STORE_REF_MAX + 2];
};

/* ref NULL: the prefix of all of a source. */
static int ref_key(struct cw_tx *tx, const char *source, const char *ref, struct ref_key *key,
		   MDB_val *out)
{
	size_t source_len = strlen(source), ref_len = ref ? strlen(ref) : 0;

	if (source_len == 0 || source_len > CW_STORE_SOURCE_MAX || ref_len > CW_STORE_REF_MAX)
		return cw_fail(tx->err, CW_EINVAL, "reference '%.200s' of '%.100s': name too long",
			       ref ? ref : "", source);
	memcpy(key->bytes, source, source_len + 1);
	if (ref)
		memcpy(key->bytes + source_len + 1, ref, ref_len);
	*out = cw_val(key->bytes, source_len + 1 + ref_len);
	return CW_OK;
}

int cw_store__put_ref(struct cw_tx *tx, const struct cw_ref *ref)
{
	struct ref_key buf;
	MDB_val key;
	int ret = ref_key(tx, ref->source, ref->ref, &buf, &key);

	if (ret == CW_OK && strlen(ref->oid) > CW_STORE_OID_MAX)
		ret = cw_fail(tx->err, CW_EINVAL, "'%.80s' is no object id", ref->oid);
	if (ret < 0)
		return ret;
	cw_pack_begin(&tx->buf);
	cw_pack_fields(&tx->buf, cw_ref_fields, cw_ref_nfields, ref);
	return cw_store__put_buf(tx, CW_DB_REF, key);
}

int cw_store__unpack_ref(struct cw_unpack *u, struct cw_ref *ref)
{
	cw_unpack_fields(u, cw_ref_fields, cw_ref_nfields, ref);
	return cw_unpack_end(u);
}

static int write_put(struct cw_tx *tx, void *ctx)
{
	return cw_store__put_ref(tx, *(const struct cw_ref **)ctx);
}

int cw_store_put_ref(struct cw_store *s, const struct cw_ref *ref, struct cw_error *err)
{
	return cw_store__write(s, write_put, &ref, err);
}

struct refs {
	const char *source, *ref;
	struct cw_list list;
};

static int missing(struct cw_tx *tx, const struct refs *r)
{
	return cw_fail(tx->err, CW_ENOTFOUND, "store: reference '%.200s' of '%.100s' was not seen",
		       r->ref, r->source);
}

static int write_delete(struct cw_tx *tx, void *ctx)
{
	const struct refs *r = ctx;
	struct ref_key buf;
	MDB_val key;
	int ret = ref_key(tx, r->source, r->ref, &buf, &key);

	if (ret == CW_OK)
		ret = cw_store__del(tx, CW_DB_REF, key);
	return ret == CW_ENOTFOUND ? missing(tx, r) : ret;
}

int cw_store_delete_ref(struct cw_store *s, const char *source, const char *ref,
			struct cw_error *err)
{
	struct refs r = { .source = source, .ref = ref };

	return cw_store__write(s, write_delete, &r, err);
}

static int add_ref(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct cw_list *list = ctx;
	struct cw_unpack u;
	struct cw_ref *ref = cw_list_add(list);

	if (!ref)
		return cw_store__nomem(tx);
	cw_unpack_begin(&u, val.mv_data, val.mv_size, list->arena);
	cw_store__unpack_ref(&u, ref);
	return cw_store__unpacked(tx, &u, CW_DB_REF, key);
}

static int read_refs(struct cw_tx *tx, void *ctx)
{
	struct refs *r = ctx;
	struct ref_key buf;
	MDB_val key = cw_val("", 0), val;
	int ret = r->source ? ref_key(tx, r->source, r->ref, &buf, &key) : CW_OK;

	if (ret < 0)
		return ret;
	if (!r->ref)
		return cw_store__scan(tx, CW_DB_REF, key, key.mv_size, add_ref, &r->list);
	ret = cw_store__get(tx, CW_DB_REF, key, &val);
	if (ret == CW_OK)
		ret = add_ref(tx, key, val, &r->list);
	return ret == CW_ENOTFOUND ? missing(tx, r) : ret;
}

int cw_store_ref(struct cw_store *s, const char *source, const char *ref, struct cw_arena *arena,
		 struct cw_ref **out, struct cw_error *err)
{
	struct refs r = { source, ref, { .arena = arena, .size = sizeof(struct cw_ref) } };
	int ret = cw_store__read(s, read_refs, &r, err);

	if (ret == CW_OK)
		*out = r.list.items;
	return ret;
}

int cw_store_refs(struct cw_store *s, const char *source, struct cw_arena *arena,
		  struct cw_ref **out, size_t *out_n, struct cw_error *err)
{
	struct refs r = { source, NULL, { .arena = arena, .size = sizeof(struct cw_ref) } };
	int ret = cw_store__read(s, read_refs, &r, err);

	if (ret < 0)
		return ret;
	*out = r.list.items;
	*out_n = r.list.n;
	return CW_OK;
}

/* ---- blobs ---- */

struct blob_key {
	uint8_t bytes[8 + CW_STORE_OID_MAX];
};

static int blob_key(const char *digest, const char *blob, struct blob_key *key, MDB_val *out,
		    struct cw_error *err)
{
	size_t len = strlen(blob);

	if (len == 0 || len > CW_STORE_OID_MAX)
		return cw_fail(err, CW_EINVAL, "'%.80s' is no object id", blob);
	cw_be64(key->bytes, XXH3_64bits(digest, strlen(digest)));
	memcpy(key->bytes + 8, blob, len);
	*out = cw_val(key->bytes, 8 + len);
	return CW_OK;
}

struct blobs {
	const char *digest;
	const char *const *blobs;
	size_t n;
	int64_t time_ms;
	bool seen;
};

static int write_blobs(struct cw_tx *tx, void *ctx)
{
	const struct blobs *b = ctx;
	uint8_t when[8];
	int ret = CW_OK;

	cw_be64(when, cw_time_key(b->time_ms));
	for (size_t i = 0; ret == CW_OK && i < b->n; i++) {
		struct blob_key buf;
		MDB_val key;

		ret = blob_key(b->digest, b->blobs[i], &buf, &key, tx->err);
		if (ret == CW_OK)
			ret = cw_store__put(tx, CW_DB_BLOB, key, cw_val(when, sizeof(when)));
	}
	return ret;
}

int cw_store_mark_blobs(struct cw_store *s, const char *rules_digest, const char *const *blobs,
			size_t n, int64_t time_ms, struct cw_error *err)
{
	struct blobs b = { .digest = rules_digest, .blobs = blobs, .n = n, .time_ms = time_ms };

	return n > 0 ? cw_store__write(s, write_blobs, &b, err) : CW_OK;
}

static int read_blob(struct cw_tx *tx, void *ctx)
{
	struct blobs *b = ctx;
	struct blob_key buf;
	MDB_val key, val;
	int ret = blob_key(b->digest, b->blobs[0], &buf, &key, tx->err);

	if (ret == CW_OK) {
		ret = cw_store__get(tx, CW_DB_BLOB, key, &val);
		b->seen = ret == CW_OK;
	}
	return ret == CW_ENOTFOUND ? CW_OK : ret;
}

int cw_store_blob_seen(struct cw_store *s, const char *rules_digest, const char *blob, bool *out,
		       struct cw_error *err)
{
	struct blobs b = { .digest = rules_digest, .blobs = &blob, .n = 1 };
	int ret = cw_store__read(s, read_blob, &b, err);

	if (ret == CW_OK)
		*out = b.seen;
	return ret;
}

struct other_blobs {
	uint8_t digest[8];
	struct cw_list keys;
};

static int add_other(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct other_blobs *other = ctx;

	if (key.mv_size > 8 && memcmp(key.mv_data, other->digest, 8) == 0)
		return CW_OK;
	return cw_store__collect_key(tx, key, val, &other->keys);
}

static int write_prune(struct cw_tx *tx, void *ctx)
{
	const char *digest = *(const char **)ctx;
	struct other_blobs other = { .keys = { .arena = &tx->scratch, .size = sizeof(MDB_val) } };

	cw_be64(other.digest, XXH3_64bits(digest, strlen(digest)));
	int ret = cw_store__scan(tx, CW_DB_BLOB, cw_val("", 0), 0, add_other, &other);
	for (size_t i = 0; ret == CW_OK && i < other.keys.n; i++)
		ret = cw_store__del(tx, CW_DB_BLOB, *(MDB_val *)cw_list_at(&other.keys, i));
	return ret;
}

int cw_store_prune_blobs(struct cw_store *s, const char *rules_digest, struct cw_error *err)
{
	return cw_store__write(s, write_prune, &rules_digest, err);
}
