#include "fingerprint.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* What stands for a number and for a name in the masked words. */
#define MASK_NUMBER UINT64_C(0x23)
#define MASK_NAME UINT64_C(0x40)
#define CHUNK 256

/* Hash of a row of values of any length: each full chunk seeds the next. */
struct row {
	uint64_t values[CHUNK];
	size_t count;
	uint64_t seed;
};

static uint64_t row_end(const struct row *row)
{
	return XXH3_64bits_withSeed(row->values, row->count * sizeof(row->values[0]), row->seed);
}

static void row_add(struct row *row, uint64_t value)
{
	if (row->count == CHUNK) {
		row->seed = row_end(row);
		row->count = 0;
	}
	row->values[row->count++] = value;
}

/* Capitals inside sentences are names, unless the whole clause is written that way. */
static bool names_show(const struct cw_tok *toks, size_t count)
{
	size_t caps = 0;

	for (size_t i = 0; i < count; i++)
		caps += (toks[i].flags & CW_TOK_CAP) != 0;
	return caps * 2 <= count;
}

static inline uint64_t masked(const struct cw_tok *tok, bool names)
{
	if (tok->flags & CW_TOK_NUM)
		return MASK_NUMBER;
	if (tok->flags & CW_TOK_ROLE)
		return MASK_NAME;
	if (names && (tok->flags & (CW_TOK_CAP | CW_TOK_SENT)) == CW_TOK_CAP)
		return MASK_NAME;
	return tok->hash;
}

void cw_fingerprint(const struct cw_roles *roles, struct cw_tok *toks, struct cw_clause *clause)
{
	struct row row;
	bool names = names_show(toks, clause->tok_count);
	uint64_t last = 0;

	row.count = 0, row.seed = 0;
	for (uint32_t i = 0; i < clause->tok_count; i++)
		row_add(&row, toks[i].hash);
	clause->fingerprint = row_end(&row);

	row.count = 0, row.seed = 0;
	for (uint32_t i = 0; i < clause->tok_count; i++) {
		struct cw_tok *tok = &toks[i];

		if (cw_roles_has(roles, tok->hash))
			tok->flags |= CW_TOK_ROLE;
		uint64_t value = masked(tok, names);
		if (value != last || (value != MASK_NAME && value != MASK_NUMBER))
			row_add(&row, value);
		last = value;
	}
	clause->skeleton = row_end(&row);
}

/* Splitmix64, the constants of the hash functions: the same on every machine. */
static inline uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Lower the minima by the values of some grams; eight functions stay in registers. */
static void lower(uint32_t *out, const uint64_t *grams, size_t count)
{
	for (unsigned base = 0; base < CW_SKETCH_LEN; base += 8) {
		uint64_t factor[8];
		uint32_t least[8];

		for (unsigned k = 0; k < 8; k++) {
			factor[k] = mix(base + k) | 1;
			least[k] = out[base + k];
		}
		for (size_t i = 0; i < count; i++)
			for (unsigned k = 0; k < 8; k++) {
				uint32_t value = (uint32_t)(grams[i] * factor[k] >> 32);

				least[k] = value < least[k] ? value : least[k];
			}
		memcpy(out + base, least, sizeof(least));
	}
}

void cw_sketch(const struct cw_analysis *a, const struct cw_clause *clause, uint32_t *out)
{
	const struct cw_tok *toks = a->toks + clause->tok_start;
	bool names = names_show(toks, clause->tok_count);
	uint64_t grams[CHUNK], one = 0, two = 0;
	size_t count = 0, words = 0;

	memset(out, 0xff, CW_SKETCH_LEN * sizeof(*out));
	for (uint32_t i = 0; i < clause->tok_count; i++) {
		uint64_t three = masked(&toks[i], names);

		if (three == two && (three == MASK_NAME || three == MASK_NUMBER))
			continue;
		if (++words >= 3)
			grams[count++] = mix(mix(mix(one) ^ two) ^ three);
		one = two;
		two = three;
		if (count == CHUNK) {
			lower(out, grams, count);
			count = 0;
		}
	}
	if (words > 0 && words < 3)
		grams[count++] = mix(mix(mix(one) ^ two));
	lower(out, grams, count);
}

double cw_sketch_similarity(const uint32_t *a, const uint32_t *b)
{
	unsigned same = 0;

	for (unsigned i = 0; i < CW_SKETCH_LEN; i++)
		same += a[i] == b[i];
	return (double)same / CW_SKETCH_LEN;
}
