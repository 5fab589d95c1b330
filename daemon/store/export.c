#include "store/records.h"

#include <errno.h>
#include <stdio.h>

#include "clausewatch/json.h"
#include "clausewatch/utf8.h"

/* Lines are made inside a read transaction and written outside of it. */
#define BATCH 64

static void put_hex(struct cw_json *json, const char *name, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	struct cw_buf hex = { 0 };

	for (size_t i = 0; i < len; i++)
		cw_buf_printf(&hex, "%02x", at[i]);
	if (hex.failed)
		json->out->failed = true;
	cw_json_str(json, name, cw_buf_str(&hex));
	cw_buf_release(&hex);
}

/* JSON holds UTF-8 only; other bytes (names of files may be any) come as name_hex. */
static void put_text(struct cw_json *json, const char *name, const char *text, size_t len)
{
	char name_hex[64];

	if (cw_utf8_valid(text, len)) {
		cw_json_strn(json, name, text, len);
		return;
	}
	snprintf(name_hex, sizeof(name_hex), "%s_hex", name);
	put_hex(json, name_hex, text, len);
}

static void put_field(struct cw_json *json, const struct cw_field *f, const void *at)
{
	const char *name = strrchr(f->name, '.');
	char hex[17];

	name = name ? name + 1 : f->name;
	switch (f->kind) {
	case CW_FIELD_STR:
		put_text(json, name, *(const char *const *)at, strlen(*(const char *const *)at));
		break;
	case CW_FIELD_ID:
		cw_json_str(json, name, at);
		break;
	case CW_FIELD_U32:
	case CW_FIELD_ENUM:
		cw_json_int(json, name, *(const uint32_t *)at);
		break;
	case CW_FIELD_U64:
	case CW_FIELD_I64:
		cw_json_int(json, name, *(const int64_t *)at);
		break;
	case CW_FIELD_INT:
		cw_json_int(json, name, *(const int *)at);
		break;
	case CW_FIELD_BOOL:
		cw_json_bool(json, name, *(const bool *)at);
		break;
	case CW_FIELD_HASH:
		put_hex(json, name, at, CW_HASH_SIZE);
		break;
	case CW_FIELD_FIXED64:
		snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)*(const uint64_t *)at);
		cw_json_str(json, name, hex);
		break;
	case CW_FIELD_FLOAT:
		cw_json_real(json, name, (double)*(const float *)at);
		break;
	}
}

static void open_line(struct cw_json *json, struct cw_buf *out, const char *kind)
{
	cw_json_init(json, out);
	cw_json_open(json, NULL, '{');
	cw_json_str(json, "kind", kind);
}

static void close_line(struct cw_json *json)
{
	cw_json_close(json, '}');
	cw_buf_putc(json->out, '\n');
}

static void put_fields(struct cw_json *json, const struct cw_field *fields, size_t n,
		       const void *record)
{
	for (size_t i = 0; i < n; i++) {
		if (!strchr(fields[i].name, '[')) /* counts are counted again */
			put_field(json, &fields[i], (const char *)record + fields[i].offset);
	}
}

static void put_record(struct cw_buf *out, const char *kind, const struct cw_field *fields,
		       size_t n, const void *record)
{
	struct cw_json json;

	open_line(&json, out, kind);
	put_fields(&json, fields, n, record);
	close_line(&json);
}

/** One table on its way out. */
struct export
{
	struct cw_buf lines;
	uint8_t from[512]; /**< key to go on at */
	size_t from_len;
	size_t n; /**< records in this batch */
	enum cw_db db;
	cw_scan_fn *line;
};

static int put_text_line(struct cw_tx *tx, struct cw_buf *out, const uint8_t *hash)
{
	struct cw_json json;
	const char *text;
	size_t len;

	if (memcmp(hash, cw_no_hash, CW_HASH_SIZE) == 0)
		return CW_OK;
	int ret = cw_store__load_text(tx, hash, &tx->scratch, &text, &len);
	if (ret == CW_ENOTFOUND)
		return cw_store__corrupt(tx, CW_DB_TEXT, cw_val(hash, CW_HASH_SIZE),
					 "it is missing");
	if (ret < 0)
		return ret;
	open_line(&json, out, "text");
	put_hex(&json, "hash", hash, CW_HASH_SIZE);
	put_text(&json, "text", text, len);
	close_line(&json);
	return CW_OK;
}

static void put_parties(struct cw_json *json, const struct cw_document *doc)
{
	cw_json_open(json, "parties", '[');
	for (size_t i = 0; i < doc->nparties; i++) {
		cw_json_open(json, NULL, '{');
		put_text(json, "name", doc->parties[i].name, strlen(doc->parties[i].name));
		put_text(json, "alias", doc->parties[i].alias, strlen(doc->parties[i].alias));
		cw_json_int(json, "role", doc->parties[i].role);
		cw_json_close(json, '}');
	}
	cw_json_close(json, ']');
}

static int document_lines(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct export *ex = ctx;
	struct cw_unpack u;
	struct cw_document doc = { 0 };
	struct cw_json json;
	struct cw_list versions = { .arena = &tx->scratch, .size = sizeof(struct cw_version) };

	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	cw_store__unpack_document(&u, &doc);
	int ret = cw_store__unpacked(tx, &u, CW_DB_DOC, key);
	if (ret == CW_OK)
		ret = put_text_line(tx, &ex->lines, doc.prev_text);
	if (ret == CW_OK)
		ret = put_text_line(tx, &ex->lines, doc.text);
	if (ret == CW_OK)
		ret = cw_store__list_versions(tx, doc.id, 0, &versions);
	if (ret < 0)
		return ret;
	open_line(&json, &ex->lines, "document");
	put_fields(&json, cw_document_fields, cw_document_nfields, &doc);
	put_parties(&json, &doc);
	close_line(&json);
	for (size_t i = versions.n; i > 0; i--)
		put_record(&ex->lines, "version", cw_version_fields, cw_version_nfields,
			   cw_list_at(&versions, i - 1));
	return CW_OK;
}

static int event_line(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct export *ex = ctx;
	struct cw_unpack u;
	struct cw_stored_event e = { 0 };
	struct cw_json json;

	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	cw_store__unpack_event(&u, &e);
	int ret = cw_store__unpacked(tx, &u, CW_DB_EVENT, key);
	if (ret < 0)
		return ret;
	open_line(&json, &ex->lines, "event");
	cw_json_str(&json, "id", e.id);
	cw_json_int(&json, "time_ms", e.time_ms);
	cw_json_raw(&json, "event", e.json);
	close_line(&json);
	return CW_OK;
}

static int delivery_line(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct export *ex = ctx;
	struct cw_unpack u;
	struct cw_delivery d = { 0 };

	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	cw_store__unpack_delivery(&u, &d);
	put_record(&ex->lines, "delivery", cw_delivery_fields, cw_delivery_nfields, &d);
	return cw_store__unpacked(tx, &u, CW_DB_OUTBOX, key);
}

static int waiver_line(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct export *ex = ctx;
	struct cw_unpack u;
	struct cw_waiver w = { 0 };

	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	cw_store__unpack_waiver(&u, &w);
	put_record(&ex->lines, "waiver", cw_waiver_fields, cw_waiver_nfields, &w);
	return cw_store__unpacked(tx, &u, CW_DB_WAIVER, key);
}

static int ref_line(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct export *ex = ctx;
	struct cw_unpack u;
	struct cw_ref ref = { 0 };

	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	cw_store__unpack_ref(&u, &ref);
	put_record(&ex->lines, "ref", cw_ref_fields, cw_ref_nfields, &ref);
	return cw_store__unpacked(tx, &u, CW_DB_REF, key);
}

/* The key after this one is the key with a zero behind it. */
static int add_line(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct export *ex = ctx;
	int ret = ex->line(tx, key, val, ex);

	if (ret < 0)
		return ret;
	memcpy(ex->from, key.mv_data, key.mv_size);
	ex->from[key.mv_size] = 0;
	ex->from_len = key.mv_size + 1;
	return ++ex->n == BATCH ? CW_STOP : CW_OK;
}

static int read_batch(struct cw_tx *tx, void *ctx)
{
	struct export *ex = ctx;

	ex->n = 0;
	return cw_store__scan(tx, ex->db, cw_val(ex->from, ex->from_len), 0, add_line, ex);
}

static int write_lines(struct export *ex, FILE *out, struct cw_error *err)
{
	int ret = cw_buf_ok(&ex->lines, err);

	if (ret == CW_OK && fwrite(cw_buf_str(&ex->lines), 1, ex->lines.len, out) != ex->lines.len)
		ret = cw_fail(err, errno == ENOSPC ? CW_EFULL : CW_EIO, "export: %s",
			      strerror(errno));
	cw_buf_clear(&ex->lines);
	return ret;
}

int cw_store_export(struct cw_store *s, FILE *out, struct cw_error *err)
{
	static const struct {
		enum cw_db db;
		cw_scan_fn *line;
	} tables[] = {
		{ CW_DB_DOC, document_lines },   { CW_DB_EVENT, event_line },
		{ CW_DB_OUTBOX, delivery_line }, { CW_DB_WAIVER, waiver_line },
		{ CW_DB_REF, ref_line },
	};
	struct export ex = { 0 };
	struct cw_json json;
	int ret;

	open_line(&json, &ex.lines, "store");
	cw_json_int(&json, "schema", CW_STORE_SCHEMA);
	close_line(&json);
	ret = write_lines(&ex, out, err);
	for (size_t i = 0; ret == CW_OK && i < sizeof(tables) / sizeof(*tables); i++) {
		ex.db = tables[i].db;
		ex.line = tables[i].line;
		ex.from_len = 0;
		do {
			ret = cw_store__read(s, read_batch, &ex, err);
			if (ret == CW_OK)
				ret = write_lines(&ex, out, err);
		} while (ret == CW_OK && ex.n == BATCH);
	}
	if (ret == CW_OK && fflush(out) != 0)
		ret = cw_fail(err, errno == ENOSPC ? CW_EFULL : CW_EIO, "export: %s",
			      strerror(errno));
	cw_buf_release(&ex.lines);
	return ret;
}
