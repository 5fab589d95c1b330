/** @file
 * Transactions and tables, for the files of this room only.
 *
 * Lock order: `write` (one writer), then `resize`: read-held by every transaction, write-held to
 * change the size of the map, which LMDB allows only while this process has no transaction open.
 */
#pragma once

#include <lmdb.h>
#include <pthread.h>
#include <string.h>

#include "clausewatch/store.h"
#include "store/pack.h"

enum cw_db {
	CW_DB_META,
	CW_DB_DOC,
	CW_DB_DOCNAME,
	CW_DB_CONTENT,
	CW_DB_VERSION,
	CW_DB_SEEN,
	CW_DB_TEXT,
	CW_DB_TEXTREF,
	CW_DB_OUTLINE,
	CW_DB_CLAUSE,
	CW_DB_EXACT,
	CW_DB_SKEL,
	CW_DB_FRESH,
	CW_DB_BAND,
	CW_DB_FINDING,
	CW_DB_FINDID,
	CW_DB_EVENT,
	CW_DB_EVENTID,
	CW_DB_EVENTTIME,
	CW_DB_OUTBOX,
	CW_DB_QUEUE,
	CW_DB_WAIVER,
	CW_DB_REF,
	CW_DB_BLOB,
	CW_DB_COUNT,
};

/** Numbers that change with nearly every write; one record in meta. */
enum cw_counter {
	CW_N_NEXT_DOC,
	CW_N_NEXT_CLAUSE,
	CW_N_NEXT_EVENT,
	CW_N_PRESENT,
	CW_N_REMOVED,
	CW_N_UNCHECKED,
	CW_N_SEVERITY,
	CW_N_OUTBOX = CW_N_SEVERITY + CW_STORE_SEVERITIES,
	CW_N_COUNT = CW_N_OUTBOX + CW_DELIVERY_STATES,
};

struct cw_store {
	MDB_env *env;
	MDB_dbi db[CW_DB_COUNT];
	char *dir;
	int lock_fd;
	size_t map_size, map_max;
	pthread_mutex_t write;
	pthread_rwlock_t resize;
};

/** A change of `exact` or `band`, kept until the end: sorted, they touch each page once. */
struct cw_index_op {
	uint8_t db, del, key_len, val_len;
	uint8_t key[8], val[8];
	uint32_t order;
};

struct cw_tx {
	struct cw_store *s;
	MDB_txn *txn;
	struct cw_arena scratch; /**< lives as long as the transaction */
	struct cw_buf buf; /**< for packing one record */
	struct cw_error *err;
	bool map_full;
	uint64_t n[CW_N_COUNT], n_before[CW_N_COUNT];
	struct cw_index_op *ops;
	size_t nops, cap_ops;
};

/** Run inside a transaction; run again from the start when the map had to grow. */
typedef int cw_tx_fn(struct cw_tx *tx, void *ctx);

int cw_store__read(struct cw_store *s, cw_tx_fn *fn, void *ctx, struct cw_error *err);
/** Commits when fn returns CW_OK or more; otherwise nothing changes. */
int cw_store__write(struct cw_store *s, cw_tx_fn *fn, void *ctx, struct cw_error *err);

const char *cw_store__db_name(enum cw_db db);
unsigned cw_store__db_flags(enum cw_db db);

/** Turn an LMDB or errno code into ours, with the remedy.  what: the record or act. */
int cw_store__fail(struct cw_tx *tx, int rc, const char *what);
int cw_store__nomem(struct cw_tx *tx);
/** The end of unpacking: CW_OK, or CW_ECORRUPT naming table and key. */
int cw_store__unpacked(struct cw_tx *tx, const struct cw_unpack *u, enum cw_db db, MDB_val key);
int cw_store__corrupt(struct cw_tx *tx, enum cw_db db, MDB_val key, const char *why);

static inline MDB_val cw_val(const void *bytes, size_t len)
{
	MDB_val val = { .mv_size = len };

	memcpy(&val.mv_data, &bytes, sizeof(bytes)); /* LMDB's field is not const */
	return val;
}

static inline MDB_val cw_str_val(const char *text)
{
	return cw_val(text, strlen(text));
}

static inline void cw_be64(uint8_t *out, uint64_t n)
{
	for (int i = 7; i >= 0; i--, n >>= 8)
		out[i] = (uint8_t)n;
}

static inline uint64_t cw_get_be64(const void *bytes)
{
	const uint8_t *at = bytes;
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | at[i];
	return n;
}

static inline void cw_be32(uint8_t *out, uint32_t n)
{
	for (int i = 3; i >= 0; i--, n >>= 8)
		out[i] = (uint8_t)n;
}

static inline uint32_t cw_get_be32(const void *bytes)
{
	const uint8_t *at = bytes;

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/** Signed times in an order that memcmp sees. */
static inline uint64_t cw_time_key(int64_t ms)
{
	return (uint64_t)ms ^ (uint64_t)1 << 63;
}

static inline int64_t cw_key_time(uint64_t key)
{
	return (int64_t)(key ^ (uint64_t)1 << 63);
}

/* CW_ENOTFOUND comes without a message.  Values point into the map: copy before writing. */
int cw_store__get(struct cw_tx *tx, enum cw_db db, MDB_val key, MDB_val *out);
/** A value of that many bytes, or CW_ECORRUPT. */
int cw_store__get_sized(struct cw_tx *tx, enum cw_db db, MDB_val key, size_t size, MDB_val *out);
int cw_store__put(struct cw_tx *tx, enum cw_db db, MDB_val key, MDB_val val);
/** What tx->buf holds. */
int cw_store__put_buf(struct cw_tx *tx, enum cw_db db, MDB_val key);
/** The same for keys that only ever grow: fills pages to the end. */
int cw_store__append_buf(struct cw_tx *tx, enum cw_db db, MDB_val key);
int cw_store__del(struct cw_tx *tx, enum cw_db db, MDB_val key);
int cw_store__del_dup(struct cw_tx *tx, enum cw_db db, MDB_val key, MDB_val val);
uint64_t cw_store__entries(struct cw_tx *tx, enum cw_db db);

/** Return CW_OK for the next, CW_STOP for no more, or a failure.  Must not write. */
typedef int cw_scan_fn(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx);
#define CW_STOP 1

/** Records from key `from` upwards while the first `prefix` bytes of from match. */
int cw_store__scan(struct cw_tx *tx, enum cw_db db, MDB_val from, size_t prefix, cw_scan_fn *fn,
		   void *ctx);
/** Records below key `before` downwards while its first `prefix` bytes match. */
int cw_store__scan_back(struct cw_tx *tx, enum cw_db db, MDB_val before, size_t prefix,
			cw_scan_fn *fn, void *ctx);
/** The values of one key of a dup table, from `from` upwards (NULL: all). */
int cw_store__dups(struct cw_tx *tx, enum cw_db db, MDB_val key, const MDB_val *from,
		   cw_scan_fn *fn, void *ctx);
/** Collect the keys with a prefix and delete them; never deletes under a cursor. */
int cw_store__del_prefix(struct cw_tx *tx, enum cw_db db, MDB_val prefix);

/** Add or delete a pair of a dup table at the end of the transaction. */
int cw_store__later(struct cw_tx *tx, enum cw_db db, bool del, MDB_val key, MDB_val val);
int cw_store__flush_ops(struct cw_tx *tx);

/** A growing list in an arena. */
struct cw_list {
	struct cw_arena *arena;
	void *items;
	size_t n, cap, size, limit; /**< limit 0: none */
};
/** Room for one more, zeroed; NULL when out of memory. */
void *cw_list_add(struct cw_list *list);
static inline bool cw_list_full(const struct cw_list *list)
{
	return list->limit > 0 && list->n >= list->limit;
}
static inline void *cw_list_at(const struct cw_list *list, size_t i)
{
	return (char *)list->items + i * list->size;
}
void cw_list_reverse(struct cw_list *list);
/** A scan that copies every key (as MDB_val) to the list in ctx; stops when it is full. */
cw_scan_fn cw_store__collect_key;
/** The same for values. */
cw_scan_fn cw_store__collect_val;
