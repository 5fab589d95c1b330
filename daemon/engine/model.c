#include "engine/model.h"

#include <math.h>
#include <string.h>

#include "engine/token.h"

#define MAGIC "CWMODEL1"
#define HEADING_WORDS 30
#define LEAD_IN_WORDS 25
#define FIRED_MAX 64
/* How much the words around a clause count beside its own. */
#define CONTEXT_SHARE 0.6f
#define NO_TOK UINT32_MAX

/* The kinds of features; their hashes must not meet. */
enum kind { WORD = 1, PAIR, SKIP, HEADING, LEAD_IN, LEAD_IN_PAIR, ITEM, FIRED };

struct slot {
	uint32_t hash; /* 0 is free */
	uint32_t at; /* of its count in weights */
};

struct cw_model {
	struct cw_model_label labels[CW_MODEL_LABELS_MAX];
	size_t nlabels;
	struct slot *slots;
	size_t cap; /* power of two */
	const unsigned char *weights; /* as in the file: n, then label and weight n times */
};

struct reader {
	const unsigned char *at;
	size_t left;
	struct cw_error *err;
};

static int short_file(struct reader *r)
{
	return cw_fail(r->err, CW_ECORRUPT, "weights end too early");
}

static int read_u32(struct reader *r, uint32_t *out)
{
	if (r->left < 4)
		return short_file(r);
	*out = (uint32_t)r->at[0] | (uint32_t)r->at[1] << 8 | (uint32_t)r->at[2] << 16 |
	       (uint32_t)r->at[3] << 24;
	r->at += 4;
	r->left -= 4;
	return CW_OK;
}

static int read_f32(struct reader *r, float *out)
{
	uint32_t bits = 0;
	int ret = read_u32(r, &bits);

	if (ret == CW_OK)
		memcpy(out, &bits, 4);
	if (ret == CW_OK && !isfinite(*out))
		return cw_fail(r->err, CW_ECORRUPT, "a weight is not a number");
	return ret;
}

static int read_label(struct reader *r, struct cw_arena *arena, struct cw_model_label *out)
{
	const unsigned char *end = memchr(r->at, '\0', r->left);

	if (!end)
		return short_file(r);
	out->term_id = cw_arena_strdup(arena, (const char *)r->at);
	if (!out->term_id)
		return cw_fail(r->err, CW_ENOMEM, "out of memory");
	r->left -= (size_t)(end + 1 - r->at);
	r->at = end + 1;
	int ret = read_f32(r, &out->bias);
	if (ret == CW_OK)
		ret = read_f32(r, &out->scale);
	return ret == CW_OK ? read_f32(r, &out->threshold) : ret;
}

static inline struct slot *slot_of(const struct cw_model *m, uint32_t hash)
{
	size_t i = hash & (m->cap - 1);

	while (m->slots[i].hash && m->slots[i].hash != hash)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static int read_features(struct reader *r, struct cw_arena *arena, struct cw_model *m)
{
	uint32_t n;
	int ret = read_u32(r, &n);

	if (ret == CW_OK && n > r->left / 5)
		ret = short_file(r);
	if (ret < 0)
		return ret;
	for (m->cap = 64; m->cap < (size_t)n * 2; m->cap *= 2)
		;
	m->slots = cw_arena_alloc(arena, m->cap * sizeof(*m->slots));
	unsigned char *weights = cw_arena_alloc(arena, r->left + 1);
	if (!m->slots || !weights)
		return cw_fail(r->err, CW_ENOMEM, "out of memory");
	memcpy(weights, r->at, r->left);
	m->weights = weights;
	const unsigned char *base = r->at;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t hash;
		ret = read_u32(r, &hash);
		if (ret == CW_OK && (r->left < 1 || r->left - 1 < (size_t)r->at[0] * 2))
			ret = short_file(r);
		if (ret < 0)
			return ret;
		for (unsigned k = 0; k < r->at[0]; k++)
			if (r->at[1 + 2 * k] >= m->nlabels)
				return cw_fail(r->err, CW_ECORRUPT, "weight of an unknown label");
		if (hash != 0)
			*slot_of(m, hash) = (struct slot){ hash, (uint32_t)(r->at - base) };
		size_t len = 1 + (size_t)r->at[0] * 2;
		r->at += len;
		r->left -= len;
	}
	return CW_OK;
}

int cw_model_read(struct cw_arena *arena, const char *bytes, size_t len, struct cw_model **out,
		  struct cw_error *err)
{
	struct reader r = { (const unsigned char *)bytes, len, err };
	struct cw_model *m = cw_arena_alloc(arena, sizeof(*m));
	uint32_t n = 0;

	if (!m)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	if (len < strlen(MAGIC) || memcmp(bytes, MAGIC, strlen(MAGIC)) != 0)
		return cw_fail(err, CW_ECORRUPT, "not a file of weights");
	r.at += strlen(MAGIC);
	r.left -= strlen(MAGIC);
	int ret = read_u32(&r, &n);
	if (ret == CW_OK && n > CW_MODEL_LABELS_MAX)
		ret = cw_fail(err, CW_ECORRUPT, "%u labels, limit is %d", n, CW_MODEL_LABELS_MAX);
	for (; ret == CW_OK && m->nlabels < n; m->nlabels++)
		ret = read_label(&r, arena, &m->labels[m->nlabels]);
	if (ret == CW_OK)
		ret = read_features(&r, arena, m);
	if (ret == CW_OK && r.left > 0)
		ret = cw_fail(err, CW_ECORRUPT, "%zu bytes behind the weights", r.left);
	if (ret == CW_OK)
		*out = m;
	return ret;
}

size_t cw_model_nlabels(const struct cw_model *m)
{
	return m->nlabels;
}

const struct cw_model_label *cw_model_label(const struct cw_model *m, size_t i)
{
	return &m->labels[i];
}

static inline uint32_t feature_hash(enum kind kind, uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ (uint64_t)kind << 56) * 0x9e3779b97f4a7c15ull;

	h = (h ^ h >> 32 ^ b) * 0xd6e8feb86659fd93ull;
	h ^= h >> 32;
	return (uint32_t)h ? (uint32_t)h : 1;
}

struct list {
	struct cw_feature *at;
	size_t n;
};

static inline void put(struct list *l, enum kind kind, uint64_t a, uint64_t b, uint32_t tok)
{
	l->at[l->n++] = (struct cw_feature){ .hash = feature_hash(kind, a, b), .tok = tok };
}

/** Give the features from `first` on the same value, so that their squares add up to share². */
static void weigh(struct list *l, size_t first, float share)
{
	float value = share / sqrtf((float)(l->n > first ? l->n - first : 1));

	for (size_t i = first; i < l->n; i++)
		l->at[i].value = value;
}

static void put_body(struct list *l, const struct cw_tok *t, uint32_t n, uint32_t base)
{
	size_t first = l->n;

	if (n > CW_MODEL_WORDS)
		n = CW_MODEL_WORDS;
	for (uint32_t i = 0; i < n; i++) {
		put(l, WORD, t[i].hash, 0, base + i);
		if (i + 1 < n)
			put(l, PAIR, t[i].hash, t[i + 1].hash, base + i);
		if (i + 2 < n)
			put(l, SKIP, t[i].hash, t[i + 2].hash, base + i);
	}
	weigh(l, first, 1.0f);
}

static void put_context(struct list *l, const struct cw_analysis *a, const struct cw_clause *c)
{
	size_t first = l->n;

	if (c->heading_at >= 0) {
		const struct cw_clause *h = &a->clauses[c->heading_at];
		for (uint32_t i = 0; i < h->tok_count && i < HEADING_WORDS; i++)
			put(l, HEADING, a->toks[h->tok_start + i].hash, 0, NO_TOK);
	}
	if (c->lead_in >= 0) {
		const struct cw_clause *h = &a->clauses[c->lead_in];
		uint32_t n = h->tok_count < LEAD_IN_WORDS ? h->tok_count : LEAD_IN_WORDS;
		const struct cw_tok *t = a->toks + h->tok_start + (h->tok_count - n);
		for (uint32_t i = 0; i < n; i++) {
			put(l, LEAD_IN, t[i].hash, 0, NO_TOK);
			if (i + 1 < n)
				put(l, LEAD_IN_PAIR, t[i].hash, t[i + 1].hash, NO_TOK);
		}
	}
	if (c->kind == CW_ITEM)
		put(l, ITEM, 0, 0, NO_TOK);
	weigh(l, first, CONTEXT_SHARE);
}

size_t cw_model_features(const struct cw_analysis *a, uint32_t clause, const uint64_t *fired,
			 size_t nfired, struct cw_feature *out)
{
	const struct cw_clause *c = &a->clauses[clause];
	struct list l = { out, 0 };

	put_body(&l, a->toks + c->tok_start, c->tok_count, c->tok_start);
	put_context(&l, a, c);
	for (size_t i = 0; i < nfired && i < FIRED_MAX; i++) {
		put(&l, FIRED, fired[i], 0, NO_TOK);
		l.at[l.n - 1].value = 1.0f;
	}
	return l.n;
}

void cw_model_score(const struct cw_model *m, const struct cw_feature *f, size_t n, float *scores)
{
	float sums[CW_MODEL_LABELS_MAX] = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct slot *s = slot_of(m, f[i].hash);
		if (!s->hash)
			continue;
		const unsigned char *w = m->weights + s->at;
		for (unsigned k = 0; k < w[0]; k++)
			sums[w[1 + 2 * k]] += (float)(signed char)w[2 + 2 * k] * f[i].value;
	}
	for (size_t i = 0; i < m->nlabels; i++)
		scores[i] = m->labels[i].bias + m->labels[i].scale * sums[i];
}

float cw_model_weight(const struct cw_model *m, const struct cw_feature *f, size_t label)
{
	const struct slot *s = slot_of(m, f->hash);

	if (!s->hash)
		return 0;
	const unsigned char *w = m->weights + s->at;
	for (unsigned k = 0; k < w[0]; k++)
		if (w[1 + 2 * k] == label)
			return (float)(signed char)w[2 + 2 * k] * f->value * m->labels[label].scale;
	return 0;
}
