/*
 * Exact fingerprints first, in order, so that a clause that stands twice is paired with its
 * neighbour's neighbour; then skeletons; then the most similar of what is left.  Splits and merges
 * need no pairs of their own: `novelty` tells that their words stood elsewhere before.
 */
#include "engine/align.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "engine/token.h"

#define GRAM 4
#define SIMILAR_MIN 0.35
#define SIMILAR_WORDS_MIN 4
/* Pairs tried at most: beyond, only clauses near each other are compared. */
#define TRIES_MAX ((size_t)4 << 20)
#define WINDOW 64

struct keyed {
	uint64_t key;
	uint32_t index;
};

struct side {
	const struct cw_analysis *a;
	struct cw_pair_of *pairs;
	uint32_t *sketches;
	uint32_t *rest; /* clauses without a pair yet */
	size_t nrest;
	uint64_t *grams; /* sorted */
	size_t ngrams;
};

static int keyed_order(const void *va, const void *vb)
{
	const struct keyed *a = va, *b = vb;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int u64_order(const void *va, const void *vb)
{
	uint64_t a = *(const uint64_t *)va, b = *(const uint64_t *)vb;

	return a < b ? -1 : a > b;
}

static uint64_t key_of(const struct cw_clause *c, bool masked)
{
	return masked ? c->skeleton : c->fingerprint;
}

static struct keyed *sort_unpaired(struct cw_arena *arena, const struct side *s, bool masked,
				   size_t *out_n)
{
	struct keyed *keys = cw_arena_alloc(arena, (s->a->nclauses + 1) * sizeof(*keys));
	size_t n = 0;

	for (uint32_t i = 0; keys && i < s->a->nclauses; i++)
		if (s->pairs[i].other < 0 && s->a->clauses[i].tok_count > 0)
			keys[n++] = (struct keyed){ key_of(&s->a->clauses[i], masked), i };
	if (keys && n > 0)
		qsort(keys, n, sizeof(*keys), keyed_order);
	*out_n = n;
	return keys;
}

static void join(struct side *old, struct side *new, uint32_t i, uint32_t k, enum cw_pairing how)
{
	old->pairs[i].how = new->pairs[k].how = how;
	old->pairs[i].other = (int32_t)k;
	new->pairs[k].other = (int32_t)i;
}

static int pair_by_key(struct cw_arena *arena, struct side *old, struct side *new, bool masked)
{
	size_t n, m, i = 0, k = 0;
	struct keyed *a = sort_unpaired(arena, old, masked, &n);
	struct keyed *b = sort_unpaired(arena, new, masked, &m);

	if (!a || !b)
		return CW_ENOMEM;
	while (i < n && k < m) {
		if (a[i].key == b[k].key) {
			join(old, new, a[i].index, b[k].index,
			     masked ? CW_PAIR_MASKED : CW_PAIR_SAME);
			i++;
			k++;
		} else if (a[i].key < b[k].key) {
			i++;
		} else {
			k++;
		}
	}
	return CW_OK;
}

/** A same clause that overtakes another one has moved. */
static void mark_moved(struct side *old, struct side *new)
{
	int32_t last = -1;

	for (uint32_t k = 0; k < new->a->nclauses; k++) {
		struct cw_pair_of *p = &new->pairs[k];

		if (p->how != CW_PAIR_SAME)
			continue;
		if (p->other < last)
			p->how = old->pairs[p->other].how = CW_PAIR_MOVED;
		else
			last = p->other;
	}
}

static int sketch_rest(struct cw_arena *arena, struct side *s)
{
	size_t n = s->a->nclauses;

	s->rest = cw_arena_alloc(arena, (n + 1) * sizeof(*s->rest));
	if (!s->rest)
		return CW_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		if (s->pairs[i].other < 0 && s->a->clauses[i].tok_count >= SIMILAR_WORDS_MIN)
			s->rest[s->nrest++] = i;
	s->sketches = cw_arena_alloc(arena, (s->nrest + 1) * CW_SKETCH_LEN * sizeof(*s->sketches));
	if (!s->sketches)
		return CW_ENOMEM;
	for (size_t i = 0; i < s->nrest; i++)
		cw_sketch(s->a, &s->a->clauses[s->rest[i]], s->sketches + i * CW_SKETCH_LEN);
	return CW_OK;
}

struct candidate {
	float similarity;
	uint32_t old, new; /* indexes into rest */
};

static int candidate_order(const void *va, const void *vb)
{
	const struct candidate *a = va, *b = vb;

	if (a->similarity != b->similarity)
		return a->similarity > b->similarity ? -1 : 1;
	if (a->old != b->old)
		return a->old < b->old ? -1 : 1;
	return a->new < b->new ? -1 : a->new > b->new;
}

static int pair_similar(struct cw_arena *arena, struct side *old, struct side *new)
{
	struct candidate *found = NULL;
	size_t n = 0, cap = 0;

	if (sketch_rest(arena, old) < 0 || sketch_rest(arena, new) < 0)
		return CW_ENOMEM;
	bool near_only = old->nrest * new->nrest > TRIES_MAX;
	for (uint32_t i = 0; i < old->nrest; i++) {
		for (uint32_t k = 0; k < new->nrest; k++) {
			if (near_only && (k + WINDOW < i || i + WINDOW < k))
				continue;
			double s = cw_sketch_similarity(old->sketches + (size_t)i * CW_SKETCH_LEN,
							new->sketches + (size_t)k *CW_SKETCH_LEN);
			if (s < SIMILAR_MIN)
				continue;
			struct candidate *at = cw_arena_grow(arena, found, n, &cap, sizeof(*at));
			if (!at)
				return CW_ENOMEM;
			found = at;
			found[n++] = (struct candidate){ (float)s, i, k };
		}
	}
	if (n > 1)
		qsort(found, n, sizeof(*found), candidate_order);
	for (size_t c = 0; c < n; c++) {
		uint32_t i = old->rest[found[c].old], k = new->rest[found[c].new];
		if (old->pairs[i].other < 0 && new->pairs[k].other < 0)
			join(old, new, i, k, CW_PAIR_SIMILAR);
	}
	return CW_OK;
}

static uint64_t gram_at(const struct cw_tok *toks, uint32_t at, uint32_t n)
{
	uint64_t words[GRAM] = { 0 };

	for (uint32_t i = 0; i < n; i++)
		words[i] = toks[at + i].hash;
	return XXH3_64bits(words, sizeof(words));
}

/** Grams do not run across clauses; a short clause is one gram. */
static uint32_t grams_in(const struct cw_clause *c)
{
	return c->tok_count >= GRAM ? c->tok_count - GRAM + 1 : c->tok_count > 0;
}

static uint64_t gram_of(const struct cw_analysis *a, const struct cw_clause *c, uint32_t i)
{
	return gram_at(a->toks, c->tok_start + i, c->tok_count < GRAM ? c->tok_count : GRAM);
}

static int list_grams(struct cw_arena *arena, struct side *s)
{
	s->grams = cw_arena_alloc(arena, (s->a->ntoks + s->a->nclauses + 1) * sizeof(*s->grams));
	if (!s->grams)
		return CW_ENOMEM;
	for (size_t i = 0; i < s->a->nclauses; i++)
		for (uint32_t g = 0; g < grams_in(&s->a->clauses[i]); g++)
			s->grams[s->ngrams++] = gram_of(s->a, &s->a->clauses[i], g);
	if (s->ngrams > 1)
		qsort(s->grams, s->ngrams, sizeof(*s->grams), u64_order);
	return CW_OK;
}

float cw_novelty(const struct cw_grams *grams, const struct cw_tok *toks, uint32_t n)
{
	uint32_t width = n < GRAM ? n : GRAM, fresh = 0;

	if (n == 0)
		return 0.0f;
	for (uint32_t i = 0; i + width <= n; i++) {
		uint64_t gram = gram_at(toks, i, width);
		fresh += !bsearch(&gram, grams->at, grams->n, sizeof(gram), u64_order);
	}
	return (float)fresh / (float)(n - width + 1);
}

static void tell_novelty(struct side *s, const struct cw_grams *other)
{
	for (size_t i = 0; i < s->a->nclauses; i++) {
		const struct cw_clause *c = &s->a->clauses[i];

		if (s->pairs[i].how != CW_PAIR_SAME && s->pairs[i].how != CW_PAIR_MOVED)
			s->pairs[i].novelty =
				cw_novelty(other, s->a->toks + c->tok_start, c->tok_count);
	}
}

static int open_side(struct cw_arena *arena, struct side *s, const struct cw_analysis *a)
{
	*s = (struct side){ .a = a };
	s->pairs = cw_arena_alloc(arena, (a->nclauses + 1) * sizeof(*s->pairs));
	for (size_t i = 0; s->pairs && i < a->nclauses; i++)
		s->pairs[i].other = -1;
	return s->pairs ? list_grams(arena, s) : CW_ENOMEM;
}

int cw_align(struct cw_arena *arena, const struct cw_analysis *old, const struct cw_analysis *new,
	     struct cw_alignment *out)
{
	struct side a = { 0 }, b = { 0 };
	int ret = open_side(arena, &a, old);

	if (ret == CW_OK)
		ret = open_side(arena, &b, new);
	if (ret == CW_OK)
		ret = pair_by_key(arena, &a, &b, false);
	if (ret == CW_OK)
		mark_moved(&a, &b);
	if (ret == CW_OK)
		ret = pair_by_key(arena, &a, &b, true);
	if (ret == CW_OK)
		ret = pair_similar(arena, &a, &b);
	if (ret < 0)
		return ret;
	out->old = a.pairs;
	out->new = b.pairs;
	out->old_grams = (struct cw_grams){ a.grams, a.ngrams };
	out->new_grams = (struct cw_grams){ b.grams, b.ngrams };
	tell_novelty(&a, &out->new_grams);
	tell_novelty(&b, &out->old_grams);
	return CW_OK;
}
