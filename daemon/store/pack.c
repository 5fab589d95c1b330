#include "store/pack.h"

#include <string.h>

#include "clausewatch/store.h"

void cw_pack_begin(struct cw_buf *out)
{
	cw_buf_clear(out);
	cw_buf_putc(out, CW_PACK_VERSION);
}

void cw_pack_uint(struct cw_buf *out, uint64_t n)
{
	uint8_t bytes[10];
	size_t len = 0;

	while (n >= 0x80) {
		bytes[len++] = (uint8_t)(n | 0x80);
		n >>= 7;
	}
	bytes[len++] = (uint8_t)n;
	cw_buf_put(out, bytes, len);
}

void cw_pack_int(struct cw_buf *out, int64_t n)
{
	cw_pack_uint(out, ((uint64_t)n << 1) ^ (n < 0 ? UINT64_MAX : 0));
}

void cw_pack_u64(struct cw_buf *out, uint64_t n)
{
	uint8_t bytes[8];

	for (int i = 7; i >= 0; i--, n >>= 8)
		bytes[i] = (uint8_t)n;
	cw_buf_put(out, bytes, sizeof(bytes));
}

void cw_pack_bytes(struct cw_buf *out, const void *bytes, size_t len)
{
	cw_pack_uint(out, len);
	cw_buf_put(out, bytes, len);
}

void cw_pack_str(struct cw_buf *out, const char *text)
{
	cw_pack_bytes(out, text ? text : "", text ? strlen(text) : 0);
}

void cw_unpack_begin(struct cw_unpack *u, const void *bytes, size_t len, struct cw_arena *arena)
{
	*u = (struct cw_unpack){ .at = bytes, .end = (const uint8_t *)bytes + len, .arena = arena };
	if (len == 0 || *u->at++ != CW_PACK_VERSION)
		u->bad = true;
}

uint64_t cw_unpack_uint(struct cw_unpack *u)
{
	uint64_t n = 0;

	for (unsigned shift = 0; !u->bad && u->at < u->end && shift < 64; shift += 7) {
		uint8_t byte = *u->at++;

		if (shift == 63 && byte > 1)
			break;
		n |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return n;
	}
	u->bad = true;
	return 0;
}

uint64_t cw_unpack_max(struct cw_unpack *u, uint64_t max)
{
	uint64_t n = cw_unpack_uint(u);

	if (n <= max)
		return n;
	u->bad = true;
	return 0;
}

uint32_t cw_unpack_u32(struct cw_unpack *u)
{
	return (uint32_t)cw_unpack_max(u, UINT32_MAX);
}

int64_t cw_unpack_int(struct cw_unpack *u)
{
	uint64_t n = cw_unpack_uint(u);

	return (int64_t)((n >> 1) ^ (n & 1 ? UINT64_MAX : 0));
}

const uint8_t *cw_unpack_raw(struct cw_unpack *u, size_t n)
{
	const uint8_t *at = u->at;

	if (u->bad || n > (size_t)(u->end - at)) {
		u->bad = true;
		return NULL;
	}
	u->at += n;
	return at;
}

uint64_t cw_unpack_u64(struct cw_unpack *u)
{
	const uint8_t *bytes = cw_unpack_raw(u, 8);
	uint64_t n = 0;

	for (int i = 0; bytes && i < 8; i++)
		n = n << 8 | bytes[i];
	return n;
}

const char *cw_unpack_str(struct cw_unpack *u, size_t *out_len)
{
	size_t len = (size_t)cw_unpack_max(u, SIZE_MAX);
	const uint8_t *bytes = cw_unpack_raw(u, len);
	const char *copy = "";

	if (bytes && len > 0) {
		copy = cw_arena_strndup(u->arena, (const char *)bytes, len);
		if (!copy) {
			u->bad = u->nomem = true;
			copy = "";
		}
	}
	if (out_len)
		*out_len = u->bad ? 0 : len;
	return copy;
}

const char *cw_unpack_cstr(struct cw_unpack *u)
{
	size_t len;
	const char *text = cw_unpack_str(u, &len);

	if (strlen(text) != len)
		u->bad = true;
	return text;
}

void *cw_unpack_array(struct cw_unpack *u, size_t *out_n, size_t size, size_t least_bytes)
{
	size_t n = (size_t)cw_unpack_uint(u);
	void *items = NULL;

	if (n > (size_t)(u->end - u->at) / least_bytes)
		u->bad = true;
	else if (n > 0)
		items = cw_arena_alloc(u->arena, n * size);
	if (!u->bad && n > 0 && !items)
		u->bad = u->nomem = true;
	*out_n = items ? n : 0;
	return items;
}

int cw_unpack_end(const struct cw_unpack *u)
{
	if (u->nomem)
		return CW_ENOMEM;
	return u->bad || u->at != u->end ? CW_ECORRUPT : CW_OK;
}

static void pack_field(struct cw_buf *out, const struct cw_field *f, const void *at)
{
	uint32_t bits;

	switch (f->kind) {
	case CW_FIELD_STR:
		cw_pack_str(out, *(const char *const *)at);
		break;
	case CW_FIELD_ID:
		cw_pack_bytes(out, at, strnlen(at, (size_t)f->max - 1));
		break;
	case CW_FIELD_U32:
	case CW_FIELD_ENUM:
		cw_pack_uint(out, *(const uint32_t *)at);
		break;
	case CW_FIELD_U64:
		cw_pack_uint(out, *(const uint64_t *)at);
		break;
	case CW_FIELD_I64:
		cw_pack_int(out, *(const int64_t *)at);
		break;
	case CW_FIELD_INT:
		cw_pack_int(out, *(const int *)at);
		break;
	case CW_FIELD_BOOL:
		cw_pack_uint(out, *(const bool *)at);
		break;
	case CW_FIELD_HASH:
		cw_buf_put(out, at, CW_HASH_SIZE);
		break;
	case CW_FIELD_FIXED64:
		cw_pack_u64(out, *(const uint64_t *)at);
		break;
	case CW_FIELD_FLOAT:
		memcpy(&bits, at, sizeof(bits));
		cw_pack_uint(out, bits);
		break;
	}
}

void cw_pack_fields(struct cw_buf *out, const struct cw_field *fields, size_t n, const void *record)
{
	for (size_t i = 0; i < n; i++)
		pack_field(out, &fields[i], (const char *)record + fields[i].offset);
}

static void unpack_id(struct cw_unpack *u, char *out, size_t size)
{
	size_t len = (size_t)cw_unpack_max(u, size - 1);
	const uint8_t *bytes = cw_unpack_raw(u, len);

	if (bytes)
		memcpy(out, bytes, len);
	out[bytes ? len : 0] = '\0';
}

static int unpack_int32(struct cw_unpack *u)
{
	int64_t n = cw_unpack_int(u);

	if (n >= INT32_MIN && n <= INT32_MAX)
		return (int)n;
	u->bad = true;
	return 0;
}

static void unpack_field(struct cw_unpack *u, const struct cw_field *f, void *at)
{
	const uint8_t *bytes;
	uint32_t bits;

	switch (f->kind) {
	case CW_FIELD_STR:
		*(const char **)at = cw_unpack_cstr(u);
		break;
	case CW_FIELD_ID:
		unpack_id(u, at, (size_t)f->max);
		break;
	case CW_FIELD_U32:
		*(uint32_t *)at = cw_unpack_u32(u);
		break;
	case CW_FIELD_ENUM:
		*(uint32_t *)at = (uint32_t)cw_unpack_max(u, f->max);
		break;
	case CW_FIELD_U64:
		*(uint64_t *)at = cw_unpack_uint(u);
		break;
	case CW_FIELD_I64:
		*(int64_t *)at = cw_unpack_int(u);
		break;
	case CW_FIELD_INT:
		*(int *)at = unpack_int32(u);
		break;
	case CW_FIELD_BOOL:
		*(bool *)at = cw_unpack_max(u, 1) != 0;
		break;
	case CW_FIELD_HASH:
		bytes = cw_unpack_raw(u, CW_HASH_SIZE);
		if (bytes)
			memcpy(at, bytes, CW_HASH_SIZE);
		break;
	case CW_FIELD_FIXED64:
		*(uint64_t *)at = cw_unpack_u64(u);
		break;
	case CW_FIELD_FLOAT:
		bits = cw_unpack_u32(u);
		memcpy(at, &bits, sizeof(bits));
		break;
	}
}

void cw_unpack_fields(struct cw_unpack *u, const struct cw_field *fields, size_t n, void *record)
{
	for (size_t i = 0; i < n; i++)
		unpack_field(u, &fields[i], (char *)record + fields[i].offset);
}
