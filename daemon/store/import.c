#include "store/records.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

struct import {
	FILE *in;
	off_t start;
	unsigned long line;
};

static int bad(struct cw_tx *tx, const char *name, const char *why)
{
	return cw_fail(tx->err, CW_EINVAL, "'%s' %s", name, why);
}

/* ---- values ---- */

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int get_hex(struct cw_tx *tx, const json_t *value, const char *name, const char **out,
		   size_t *out_len)
{
	const char *hex = json_string_value(value);
	size_t len = json_string_length(value) / 2;
	char *bytes = cw_arena_alloc(&tx->scratch, len + 1);

	if (!bytes)
		return cw_store__nomem(tx);
	if (!hex || json_string_length(value) % 2)
		return bad(tx, name, "is not hexadecimal");
	for (size_t i = 0; i < len; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return bad(tx, name, "is not hexadecimal");
		bytes[i] = (char)(high << 4 | low);
	}
	*out = bytes;
	*out_len = len;
	return CW_OK;
}

/* name, or name_hex for what is not UTF-8. */
static int get_text(struct cw_tx *tx, const json_t *line, const char *name, const char **out,
		    size_t *out_len)
{
	char name_hex[64];
	const json_t *value = json_object_get(line, name);

	snprintf(name_hex, sizeof(name_hex), "%s_hex", name);
	const json_t *hex = json_object_get(line, name_hex);
	if (hex)
		return get_hex(tx, hex, name_hex, out, out_len);
	if (!json_is_string(value))
		return bad(tx, name, "is not a string");
	*out_len = json_string_length(value);
	*out = cw_arena_strndup(&tx->scratch, json_string_value(value), *out_len);
	return *out ? CW_OK : cw_store__nomem(tx);
}

static int get_str(struct cw_tx *tx, const json_t *line, const char *name, const char **out)
{
	size_t len = 0;
	int ret = get_text(tx, line, name, out, &len);

	return ret == CW_OK && strlen(*out) != len ? bad(tx, name, "holds a NUL") : ret;
}

static int get_hash(struct cw_tx *tx, const json_t *line, const char *name, uint8_t *out)
{
	const char *bytes = NULL;
	size_t len = 0;
	int ret = get_hex(tx, json_object_get(line, name), name, &bytes, &len);

	if (ret == CW_OK && len != CW_HASH_SIZE)
		return bad(tx, name, "is no hash");
	if (ret == CW_OK)
		memcpy(out, bytes, CW_HASH_SIZE);
	return ret;
}

static int get_int(struct cw_tx *tx, const json_t *line, const char *name, int64_t min, int64_t max,
		   int64_t *out)
{
	const json_t *value = json_object_get(line, name);

	if (!json_is_integer(value) || json_integer_value(value) < min ||
	    json_integer_value(value) > max)
		return bad(tx, name, "is not a number in range");
	*out = json_integer_value(value);
	return CW_OK;
}

static int get_id(struct cw_tx *tx, const json_t *line, const char *name, char *out, size_t size)
{
	const char *text = NULL;
	int ret = get_str(tx, line, name, &text);

	if (ret == CW_OK && strlen(text) >= size)
		return bad(tx, name, "is too long");
	if (ret == CW_OK)
		memcpy(out, text, strlen(text) + 1);
	return ret;
}

static int get_fixed(struct cw_tx *tx, const json_t *line, const char *name, uint64_t *out)
{
	const char *bytes = NULL;
	size_t len = 0;
	int ret = get_hex(tx, json_object_get(line, name), name, &bytes, &len);

	if (ret == CW_OK && len != 8)
		return bad(tx, name, "is no fingerprint");
	if (ret == CW_OK)
		*out = cw_get_be64(bytes);
	return ret;
}

static int get_field(struct cw_tx *tx, const json_t *line, const struct cw_field *f, void *at)
{
	const char *name = strrchr(f->name, '.');
	int64_t n = 0;
	int ret = CW_OK;

	name = name ? name + 1 : f->name;
	switch (f->kind) {
	case CW_FIELD_STR:
		return get_str(tx, line, name, at);
	case CW_FIELD_ID:
		return get_id(tx, line, name, at, (size_t)f->max);
	case CW_FIELD_HASH:
		return get_hash(tx, line, name, at);
	case CW_FIELD_FIXED64:
		return get_fixed(tx, line, name, at);
	case CW_FIELD_U32:
	case CW_FIELD_ENUM:
		ret = get_int(tx, line, name, 0,
			      f->kind == CW_FIELD_ENUM ? (int64_t)f->max : UINT32_MAX, &n);
		*(uint32_t *)at = (uint32_t)n;
		return ret;
	case CW_FIELD_U64:
	case CW_FIELD_I64:
		return get_int(tx, line, name, INT64_MIN, INT64_MAX, at);
	case CW_FIELD_INT:
		ret = get_int(tx, line, name, INT32_MIN, INT32_MAX, &n);
		*(int *)at = (int)n;
		return ret;
	case CW_FIELD_BOOL:
		if (!json_is_boolean(json_object_get(line, name)))
			return bad(tx, name, "is neither true nor false");
		*(bool *)at = json_is_true(json_object_get(line, name));
		return CW_OK;
	case CW_FIELD_FLOAT:
		*(float *)at = (float)json_number_value(json_object_get(line, name));
		return CW_OK;
	}
	return CW_OK;
}

static int get_fields(struct cw_tx *tx, const json_t *line, const struct cw_field *fields, size_t n,
		      void *record)
{
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		if (!strchr(fields[i].name, '['))
			ret = get_field(tx, line, &fields[i], (char *)record + fields[i].offset);
	}
	return ret;
}

/* ---- kinds ---- */

static int take_store(struct cw_tx *tx, const json_t *line)
{
	if (json_integer_value(json_object_get(line, "schema")) != CW_STORE_SCHEMA)
		return bad(tx, "schema", "is not one that this version can import");
	return CW_OK;
}

static int take_text(struct cw_tx *tx, const json_t *line)
{
	struct cw_packed_text packed = { 0 };
	uint8_t hash[CW_HASH_SIZE];
	const char *text;
	size_t len;
	int ret = get_hash(tx, line, "hash", hash);

	if (ret == CW_OK)
		ret = get_text(tx, line, "text", &text, &len);
	if (ret == CW_OK && len > CW_TEXT_MAX)
		ret = bad(tx, "text", "is too long");
	if (ret == CW_OK)
		ret = cw_store__pack_text(text, len, &packed, tx->err);
	if (ret == CW_OK && memcmp(packed.hash, hash, CW_HASH_SIZE) != 0)
		ret = bad(tx, "text", "is not the text of its hash");
	if (ret == CW_OK)
		ret = cw_store__import_text(tx, &packed);
	cw_buf_release(&packed.record);
	return ret;
}

static int get_parties(struct cw_tx *tx, const json_t *line, struct cw_document *doc)
{
	const json_t *list = json_object_get(line, "parties");
	size_t n = json_array_size(list);
	struct cw_party *parties = cw_arena_alloc(&tx->scratch, (n + 1) * sizeof(*parties));
	int ret = parties ? CW_OK : cw_store__nomem(tx);

	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		const json_t *party = json_array_get(list, i);
		int64_t role = 0;

		ret = get_str(tx, party, "name", &parties[i].name);
		if (ret == CW_OK)
			ret = get_str(tx, party, "alias", &parties[i].alias);
		if (ret == CW_OK)
			ret = get_int(tx, party, "role", 0, CW_ROLE_OTHER, &role);
		parties[i].role = (enum cw_role)role;
	}
	doc->parties = parties;
	doc->nparties = n;
	return ret;
}

static int keep(struct cw_tx *tx, const uint8_t *hash)
{
	int ret = cw_store__ref_text(tx, hash);

	return ret == CW_ENOTFOUND ? bad(tx, "text", "did not come before its document") : ret;
}

/* What was found is not exported: without a rules_digest the next scan looks again. */
static int take_document(struct cw_tx *tx, const json_t *line)
{
	struct cw_document doc = { 0 }, *fresh;
	MDB_val val;
	uint8_t key[8];
	int ret = get_fields(tx, line, cw_document_fields, cw_document_nfields, &doc);

	if (ret == CW_OK)
		ret = get_parties(tx, line, &doc);
	if (ret == CW_OK)
		ret = cw_store__check_name(tx, &doc.name);
	if (ret < 0)
		return ret;
	cw_be64(key, doc.id);
	ret = cw_store__get(tx, CW_DB_DOC, cw_val(key, 8), &val);
	if (ret == CW_OK || doc.id == 0 || doc.id > INT64_MAX)
		return bad(tx, "id", "is used twice or out of range");
	if (ret != CW_ENOTFOUND)
		return ret;
	ret = cw_store__find_document(tx, &doc.name, &tx->scratch, &fresh);
	if (ret == CW_OK)
		return bad(tx, "path", "is there twice");
	if (ret != CW_ENOTFOUND)
		return ret;
	uint64_t next = tx->n[CW_N_NEXT_DOC];
	tx->n[CW_N_NEXT_DOC] = doc.id - 1;
	ret = cw_store__new_document(tx, &doc.name, &fresh);
	if (next > doc.id)
		tx->n[CW_N_NEXT_DOC] = next;
	if (ret == CW_OK)
		ret = keep(tx, doc.text);
	if (ret == CW_OK)
		ret = keep(tx, doc.prev_text);
	doc.rules_digest = "";
	doc.nclauses = doc.nfindings = 0;
	doc.risk = -1;
	return ret < 0 ? ret : cw_store__save_document(tx, NULL, &doc);
}

static int take_version(struct cw_tx *tx, const json_t *line)
{
	struct cw_version v = { 0 };
	int ret = get_fields(tx, line, cw_version_fields, cw_version_nfields, &v);

	return ret < 0 ? ret : cw_store__put_version(tx, &v);
}

static int take_event(struct cw_tx *tx, const json_t *line)
{
	const json_t *event = json_object_get(line, "event");
	const char *id = NULL;
	int64_t time_ms = 0;
	int ret = get_str(tx, line, "id", &id);

	if (ret == CW_OK)
		ret = get_int(tx, line, "time_ms", INT64_MIN, INT64_MAX, &time_ms);
	if (ret == CW_OK && !json_is_object(event))
		ret = bad(tx, "event", "is not an object");
	if (ret < 0)
		return ret;
	char *json = json_dumps(event, JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (!json)
		return cw_store__nomem(tx);
	ret = cw_store__put_event_json(tx, id, time_ms, json, strlen(json));
	free(json);
	return ret;
}

static int take_delivery(struct cw_tx *tx, const json_t *line)
{
	struct cw_delivery d = { 0 };
	int ret = get_fields(tx, line, cw_delivery_fields, cw_delivery_nfields, &d);

	return ret < 0 ? ret : cw_store__put_delivery(tx, &d);
}

static int take_waiver(struct cw_tx *tx, const json_t *line)
{
	struct cw_waiver w = { 0 };
	int ret = get_fields(tx, line, cw_waiver_fields, cw_waiver_nfields, &w);

	return ret < 0 ? ret : cw_store__put_waiver(tx, &w);
}

static int take_ref(struct cw_tx *tx, const json_t *line)
{
	struct cw_ref ref = { 0 };
	int ret = get_fields(tx, line, cw_ref_fields, cw_ref_nfields, &ref);

	return ret < 0 ? ret : cw_store__put_ref(tx, &ref);
}

static const struct {
	const char *kind;
	int (*take)(struct cw_tx *tx, const json_t *line);
} kinds[] = {
	{ "store", take_store },     { "text", take_text },   { "document", take_document },
	{ "version", take_version }, { "event", take_event }, { "delivery", take_delivery },
	{ "waiver", take_waiver },   { "ref", take_ref },
};

/* ---- lines ---- */

static int take_line(struct cw_tx *tx, const char *text, size_t len, bool first)
{
	json_error_t why;
	json_t *line = json_loadb(text, len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &why);
	const char *kind = json_string_value(json_object_get(line, "kind"));
	int ret = CW_OK;
	size_t i = 0, n = sizeof(kinds) / sizeof(*kinds);

	while (kind && i < n && strcmp(kinds[i].kind, kind) != 0)
		i++;
	if (!line)
		ret = cw_fail(tx->err, CW_EINVAL, "column %d: %.200s", why.column, why.text);
	else if (!kind || i == n)
		ret = bad(tx, "kind", "is unknown");
	else if (first != (i == 0))
		ret = cw_fail(tx->err, CW_EINVAL, "the first line must be the one of kind 'store'");
	else
		ret = kinds[i].take(tx, line);
	json_decref(line);
	return ret;
}

static int drop_unused_text(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	return val.mv_size == 4 && cw_get_be32(val.mv_data) == 0
		       ? cw_store__collect_key(tx, key, val, ctx)
		       : CW_OK;
}

static int finish(struct cw_tx *tx)
{
	struct cw_list unused = { .arena = &tx->scratch, .size = sizeof(MDB_val) };
	int ret = cw_store__scan(tx, CW_DB_TEXTREF, cw_val("", 0), 0, drop_unused_text, &unused);

	for (size_t i = 0; ret == CW_OK && i < unused.n; i++) {
		ret = cw_store__del(tx, CW_DB_TEXTREF, *(MDB_val *)cw_list_at(&unused, i));
		if (ret == CW_OK)
			ret = cw_store__del(tx, CW_DB_TEXT, *(MDB_val *)cw_list_at(&unused, i));
	}
	return ret;
}

static int write_import(struct cw_tx *tx, void *ctx)
{
	struct import *im = ctx;
	char *text = NULL;
	size_t cap = 0;
	ssize_t len;
	int ret = CW_OK;

	if (cw_store__entries(tx, CW_DB_DOC) > 0 || cw_store__entries(tx, CW_DB_EVENT) > 0)
		return cw_fail(tx->err, CW_EINVAL,
			       "store '%s' is in use; import into an empty directory", tx->s->dir);
	if (fseeko(im->in, im->start, SEEK_SET) != 0)
		return cw_fail(tx->err, CW_EIO, "import: %s", strerror(errno));
	im->line = 0;
	while (ret == CW_OK && (len = getline(&text, &cap, im->in)) > 0) {
		im->line++;
		cw_arena_release(&tx->scratch);
		ret = take_line(tx, text, (size_t)len, im->line == 1);
		if (ret < 0 && !tx->map_full)
			cw_wrap(tx->err, ret, "import: line %lu", im->line);
	}
	free(text);
	if (ret == CW_OK && ferror(im->in))
		ret = cw_fail(tx->err, CW_EIO, "import: %s", strerror(errno));
	if (ret == CW_OK && im->line == 0)
		ret = cw_fail(tx->err, CW_EINVAL, "import: there is nothing in it");
	return ret < 0 ? ret : finish(tx);
}

/* A pipe cannot be read again when the map has to grow. */
static int spool(FILE *in, FILE **out, struct cw_error *err)
{
	char block[65536];
	size_t n;
	FILE *copy = tmpfile();

	while (copy && (n = fread(block, 1, sizeof(block), in)) > 0) {
		if (fwrite(block, 1, n, copy) != n)
			break;
	}
	if (copy && !ferror(in) && fflush(copy) == 0) {
		*out = copy;
		return CW_OK;
	}
	int ret = cw_fail(err, errno == ENOSPC ? CW_EFULL : CW_EIO, "import: %s", strerror(errno));
	if (copy)
		fclose(copy);
	return ret;
}

int cw_store_import(struct cw_store *s, FILE *in, struct cw_error *err)
{
	struct import im = { .in = in, .start = ftello(in) };
	FILE *copy = NULL;
	int ret = im.start < 0 ? spool(in, &copy, err) : CW_OK;

	if (ret < 0)
		return ret;
	if (copy) {
		im.in = copy;
		im.start = 0;
	}
	ret = cw_store__write(s, write_import, &im, err);
	if (copy)
		fclose(copy);
	return ret;
}
