/*
 * Near duplicates: which leaders may be similar to a sketch.
 *
 * The 16 entries of a leader lie far apart in `band`, so that writing them one clause at a time
 * costs a page each.  New leaders wait in `fresh`, where a look-up compares them one by one, until
 * enough are there to write each page for many of them.
 */
#include "store/records.h"

/* With this many waiting, a look-up takes some milliseconds and a commit merges them itself. */
#define FRESH_MAX 16384
/* From this many on merging is worth its while when there is nothing else to do. */
#define FRESH_WORTH 1024

/*
 * Four rows of a sketch, cut to a byte each, are hashed together; two sketches of similarity s
 * share one of 16 such bands with probability 1 - (1 - s^4)^16.
 */
void cw_store__band(const uint8_t *sketch, unsigned band, uint8_t key[4], uint8_t tag[4])
{
	const uint8_t *rows = sketch + (size_t)band * CW_BAND_ROWS;
	uint64_t h = cw_get_be32(rows) | (uint64_t)band << 32;

	_Static_assert(CW_BAND_ROWS == 4, "a band is 32 bits of sketch");
	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u; /* the finalizer of splitmix64 */
	h = (h ^ h >> 27) * 0x94d049bb133111ebu;
	h ^= h >> 31;
	cw_be32(key, band << 8 | (uint32_t)(h >> 56));
	cw_be32(tag, (uint32_t)h);
}

static int index_bands(struct cw_tx *tx, uint32_t id, const uint8_t *sketch, bool is_del)
{
	int ret = CW_OK;

	for (unsigned band = 0; ret == CW_OK && band < CW_BANDS; band++) {
		uint8_t key[4], val[8];

		cw_store__band(sketch, band, key, val);
		cw_be32(val + 4, id);
		ret = cw_store__later(tx, CW_DB_BAND, is_del, cw_val(key, sizeof(key)),
				      cw_val(val, sizeof(val)));
	}
	return ret;
}

int cw_store__lead(struct cw_tx *tx, uint32_t id)
{
	uint8_t key[4];

	cw_be32(key, id);
	return cw_store__put(tx, CW_DB_FRESH, cw_val(key, sizeof(key)), cw_val("", 0));
}

int cw_store__unlead(struct cw_tx *tx, uint32_t id, const uint8_t *sketch)
{
	uint8_t key[4];

	cw_be32(key, id);
	int ret = cw_store__del(tx, CW_DB_FRESH, cw_val(key, sizeof(key)));
	return ret == CW_ENOTFOUND ? index_bands(tx, id, sketch, true) : ret;
}

static int merge(struct cw_tx *tx, uint64_t at_least)
{
	struct cw_list fresh = { .arena = &tx->scratch, .size = sizeof(MDB_val) };
	int ret = CW_OK;

	if (cw_store__entries(tx, CW_DB_FRESH) < at_least)
		return CW_OK;
	ret = cw_store__scan(tx, CW_DB_FRESH, cw_val("", 0), 0, cw_store__collect_key, &fresh);
	for (size_t i = 0; ret == CW_OK && i < fresh.n; i++) {
		MDB_val key = *(MDB_val *)cw_list_at(&fresh, i);
		struct cw_clause_record rec;

		if (key.mv_size != 4)
			return cw_store__corrupt(tx, CW_DB_FRESH, key, "its size is wrong");
		ret = cw_store__load_clause(tx, cw_get_be32(key.mv_data), &rec);
		if (ret == CW_OK)
			ret = index_bands(tx, cw_get_be32(key.mv_data), rec.sketch, false);
		if (ret == CW_OK)
			ret = cw_store__del(tx, CW_DB_FRESH, key);
	}
	return ret;
}

int cw_store__merge_many(struct cw_tx *tx)
{
	return merge(tx, FRESH_MAX);
}

static int write_tidy(struct cw_tx *tx, void *ctx)
{
	(void)ctx;
	return merge(tx, FRESH_WORTH);
}

int cw_store_tidy(struct cw_store *s, struct cw_error *err)
{
	int ret = cw_store_check_readers(s, err);

	return ret < 0 ? ret : cw_store__write(s, write_tidy, NULL, err);
}
