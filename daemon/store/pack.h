/** @file
 * Records as bytes: what the store keeps, written and read in one place.
 *
 * Numbers are LEB128, signed ones zigzag; strings carry their length.  A record begins with the
 * version of its encoding.  The reader checks every bound: bytes that make no sense set `bad`
 * and give zeros and "" from there on, so look once at the end with cw_unpack_end().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clausewatch/arena.h"
#include "clausewatch/buf.h"

#define CW_PACK_VERSION 1

void cw_pack_begin(struct cw_buf *out); /**< drops what out held; writes the version */
void cw_pack_uint(struct cw_buf *out, uint64_t n);
void cw_pack_int(struct cw_buf *out, int64_t n);
void cw_pack_u64(struct cw_buf *out, uint64_t n); /**< always 8 bytes: for hashes */
void cw_pack_bytes(struct cw_buf *out, const void *bytes, size_t len);
void cw_pack_str(struct cw_buf *out, const char *text); /**< NULL is "" */

/** Over bytes that must stay; strings are copied to the arena. */
struct cw_unpack {
	const uint8_t *at, *end;
	struct cw_arena *arena;
	bool bad;
	bool nomem;
};

void cw_unpack_begin(struct cw_unpack *u, const void *bytes, size_t len, struct cw_arena *arena);
uint64_t cw_unpack_uint(struct cw_unpack *u);
/** At most max, or bad. */
uint64_t cw_unpack_max(struct cw_unpack *u, uint64_t max);
uint32_t cw_unpack_u32(struct cw_unpack *u);
int64_t cw_unpack_int(struct cw_unpack *u);
uint64_t cw_unpack_u64(struct cw_unpack *u);
/** n bytes in place, or NULL. */
const uint8_t *cw_unpack_raw(struct cw_unpack *u, size_t n);
/** A copy, NUL-terminated; out_len may be NULL.  Never NULL. */
const char *cw_unpack_str(struct cw_unpack *u, size_t *out_len);
/** The same, bad when there is a NUL inside. */
const char *cw_unpack_cstr(struct cw_unpack *u);
/** A zeroed array for a count that was read; bad when the rest could not hold that many. */
void *cw_unpack_array(struct cw_unpack *u, size_t *out_n, size_t size, size_t least_bytes);
/** CW_OK when all was read and made sense; CW_ECORRUPT, CW_ENOMEM.  No message. */
int cw_unpack_end(const struct cw_unpack *u);

enum cw_field_kind {
	CW_FIELD_STR, /**< const char * */
	CW_FIELD_ID, /**< char[]; max is its size */
	CW_FIELD_U32,
	CW_FIELD_U64,
	CW_FIELD_I64,
	CW_FIELD_INT,
	CW_FIELD_BOOL,
	CW_FIELD_ENUM, /**< max is the greatest value */
	CW_FIELD_HASH, /**< uint8_t[CW_HASH_SIZE] */
	CW_FIELD_FIXED64, /**< uint64_t that is a hash */
	CW_FIELD_FLOAT,
};

/** One row a field: how a record is stored and, by name, how it is exported. */
struct cw_field {
	const char *name;
	enum cw_field_kind kind;
	size_t offset;
	uint64_t max;
};

/* clang-format off */
#define CW_FIELD(type, member, field_kind) CW_FIELD_UPTO(type, member, field_kind, 0)
#define CW_FIELD_UPTO(type, member, field_kind, most) \
	{ #member, CW_FIELD_##field_kind, offsetof(struct type, member), (most) }
/* clang-format on */

void cw_pack_fields(struct cw_buf *out, const struct cw_field *fields, size_t n,
		    const void *record);
void cw_unpack_fields(struct cw_unpack *u, const struct cw_field *fields, size_t n, void *record);
