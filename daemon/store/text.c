#include "store/records.h"

#include <zstd.h>

/* Level 3 packs contracts to about a third at some 300 MB/s; higher levels gain little. */
#define LEVEL 3

int cw_store__pack_text(const char *text, size_t len, struct cw_packed_text *out,
			struct cw_error *err)
{
	struct cw_buf record = { 0 };

	cw_store_hash(text, len, out->hash);
	cw_pack_begin(&record);
	cw_pack_uint(&record, len);
	char *room = cw_buf_reserve(&record, ZSTD_compressBound(len));
	if (!room) {
		cw_buf_release(&record);
		return cw_fail(err, CW_ENOMEM, "out of memory for a text of %zu bytes", len);
	}
	size_t n = ZSTD_compress(room, ZSTD_compressBound(len), text, len, LEVEL);
	if (ZSTD_isError(n)) {
		cw_buf_release(&record);
		return cw_fail(err, CW_ENOMEM, "compressing a text of %zu bytes: %s", len,
			       ZSTD_getErrorName(n));
	}
	record.len += n;
	out->record = record;
	return CW_OK;
}

static int count_text(struct cw_tx *tx, MDB_val key, uint32_t *out)
{
	MDB_val val;
	int ret = cw_store__get_sized(tx, CW_DB_TEXTREF, key, 4, &val);

	*out = ret == CW_OK ? cw_get_be32(val.mv_data) : 0;
	return ret == CW_ENOTFOUND ? CW_OK : ret;
}

static int put_count(struct cw_tx *tx, MDB_val key, uint32_t n)
{
	uint8_t bytes[4];

	cw_be32(bytes, n);
	return cw_store__put(tx, CW_DB_TEXTREF, key, cw_val(bytes, sizeof(bytes)));
}

int cw_store__keep_text(struct cw_tx *tx, const struct cw_packed_text *text)
{
	MDB_val key = cw_val(text->hash, CW_HASH_SIZE);
	uint32_t n;
	int ret = count_text(tx, key, &n);

	if (ret == CW_OK && n == 0)
		ret = cw_store__put(tx, CW_DB_TEXT, key,
				    cw_val(text->record.data, text->record.len));
	return ret < 0 ? ret : put_count(tx, key, n + 1);
}

int cw_store__import_text(struct cw_tx *tx, const struct cw_packed_text *text)
{
	MDB_val key = cw_val(text->hash, CW_HASH_SIZE), val;
	int ret = cw_store__get(tx, CW_DB_TEXTREF, key, &val);

	if (ret != CW_ENOTFOUND)
		return ret;
	ret = cw_store__put(tx, CW_DB_TEXT, key, cw_val(text->record.data, text->record.len));
	return ret < 0 ? ret : put_count(tx, key, 0);
}

int cw_store__ref_text(struct cw_tx *tx, const uint8_t hash[CW_HASH_SIZE])
{
	MDB_val key = cw_val(hash, CW_HASH_SIZE), val;

	if (memcmp(hash, cw_no_hash, CW_HASH_SIZE) == 0)
		return CW_OK;
	int ret = cw_store__get_sized(tx, CW_DB_TEXTREF, key, 4, &val);
	return ret < 0 ? ret : put_count(tx, key, cw_get_be32(val.mv_data) + 1);
}

int cw_store__drop_text(struct cw_tx *tx, const uint8_t hash[CW_HASH_SIZE])
{
	MDB_val key = cw_val(hash, CW_HASH_SIZE);
	uint32_t n;

	if (memcmp(hash, cw_no_hash, CW_HASH_SIZE) == 0)
		return CW_OK;
	int ret = count_text(tx, key, &n);
	if (ret < 0)
		return ret;
	if (n > 1)
		return put_count(tx, key, n - 1);
	ret = n == 1 ? cw_store__del(tx, CW_DB_TEXTREF, key) : CW_ENOTFOUND;
	if (ret == CW_OK)
		ret = cw_store__del(tx, CW_DB_TEXT, key);
	return ret == CW_ENOTFOUND ? cw_store__corrupt(tx, CW_DB_TEXT, key, "it is missing") : ret;
}

int cw_store__unpack_text(const void *bytes, size_t len, struct cw_arena *arena, const char **out,
			  size_t *out_len)
{
	struct cw_unpack u;

	cw_unpack_begin(&u, bytes, len, arena);
	size_t size = (size_t)cw_unpack_max(&u, CW_TEXT_MAX);
	size_t rest = (size_t)(u.end - u.at);
	if (u.bad || ZSTD_getFrameContentSize(u.at, rest) != size)
		return CW_ECORRUPT;
	char *text = cw_arena_alloc(arena, size + 1);
	if (!text)
		return CW_ENOMEM;
	if (ZSTD_decompress(text, size, u.at, rest) != size)
		return CW_ECORRUPT;
	*out = text;
	*out_len = size;
	return CW_OK;
}

int cw_store__load_text(struct cw_tx *tx, const uint8_t hash[CW_HASH_SIZE], struct cw_arena *arena,
			const char **out, size_t *out_len)
{
	MDB_val key = cw_val(hash, CW_HASH_SIZE), val;
	uint8_t found[CW_HASH_SIZE] = { 0 };
	const char *text = NULL;
	size_t len = 0;
	int ret = cw_store__get(tx, CW_DB_TEXT, key, &val);

	if (ret == CW_OK) {
		ret = cw_store__unpack_text(val.mv_data, val.mv_size, arena, &text, &len);
		if (ret == CW_ENOMEM)
			return cw_store__nomem(tx);
		if (ret == CW_OK)
			cw_store_hash(text, len, found);
		if (ret < 0 || memcmp(found, hash, CW_HASH_SIZE) != 0)
			return cw_store__corrupt(tx, CW_DB_TEXT, key,
						 "it does not unpack to the text of that hash");
	}
	if (ret < 0)
		return ret;
	*out = text;
	*out_len = len;
	return CW_OK;
}

struct read_text {
	const uint8_t *hash;
	struct cw_arena *arena;
	const char *text;
	size_t len;
};

static int read_text(struct cw_tx *tx, void *ctx)
{
	struct read_text *r = ctx;
	int ret = cw_store__load_text(tx, r->hash, r->arena, &r->text, &r->len);

	if (ret == CW_ENOTFOUND)
		return cw_fail(tx->err, ret, "store: this text is not kept");
	return ret;
}

int cw_store_text(struct cw_store *s, const uint8_t text[CW_HASH_SIZE], struct cw_arena *arena,
		  const char **out, size_t *out_len, struct cw_error *err)
{
	struct read_text r = { .hash = text, .arena = arena };
	int ret = cw_store__read(s, read_text, &r, err);

	if (ret < 0)
		return ret;
	*out = r.text;
	*out_len = r.len;
	return CW_OK;
}
