#include "engine/frame.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT16_MAX
#define NAMES_MAX 24
#define FIRST_WORDS 3

struct parser {
	struct cw_arena *arena;
	const char *at;
	cw_lexicon_of_fn *lexicon_of;
	void *ctx;
	struct cw_error *err;
	struct cw_frame_elem elems[CW_FRAME_ELEMS_MAX];
	size_t nelems;
	uint16_t gap;
};

static int parse_gap(struct parser *p)
{
	char *end;
	unsigned long n = strtoul(p->at + 2, &end, 10);

	if (end == p->at + 2)
		n = CW_FRAME_ANY_GAP;
	if (n > CW_FRAME_ANY_GAP || (*end && *end != ' '))
		return cw_fail(p->err, CW_EINVAL, "'%.20s' is not a gap such as ..12", p->at);
	p->gap = (uint16_t)n;
	p->at = end;
	return CW_OK;
}

/** One name or "phrase" at p->at; its length. */
static int parse_name(struct parser *p, uint16_t *out)
{
	bool phrase = *p->at == '"';
	const char *from = p->at + phrase;
	size_t len = phrase ? strcspn(from, "\"") : strcspn(from, " |");

	if (phrase && from[len] != '"')
		return cw_fail(p->err, CW_EINVAL, "closing quote is missing after '%.30s'", from);
	if (len == 0)
		return cw_fail(p->err, CW_EINVAL, "a lexicon's name is missing at '%.20s'", p->at);
	int ret = p->lexicon_of(p->ctx, from, len, phrase, p->err);
	if (ret < 0)
		return ret;
	*out = (uint16_t)ret;
	p->at = from + len + phrase;
	return CW_OK;
}

static int parse_elem(struct parser *p)
{
	struct cw_frame_elem elem = { .gap = p->gap, .scope = CW_SCOPE_SEQUENCE };
	uint16_t names[NAMES_MAX];

	if (p->nelems == CW_FRAME_ELEMS_MAX)
		return cw_fail(p->err, CW_EFULL, "more than %d elements", CW_FRAME_ELEMS_MAX);
	for (;; p->at++) {
		if (*p->at == '!')
			elem.negated = true;
		else if (*p->at == '&')
			elem.scope = CW_SCOPE_SENTENCE;
		else if (*p->at == '~')
			elem.scope = CW_SCOPE_CLAUSE;
		else if (*p->at == '@')
			elem.scope = CW_SCOPE_CONTEXT;
		else if (*p->at == '^')
			elem.first = true;
		else
			break;
	}
	for (;;) {
		if (elem.nlexicons == NAMES_MAX)
			return cw_fail(p->err, CW_EFULL, "more than %d alternatives", NAMES_MAX);
		int ret = parse_name(p, &names[elem.nlexicons]);
		if (ret < 0)
			return ret;
		elem.nlexicons++;
		if (*p->at != '|')
			break;
		p->at++;
	}
	uint16_t *copy = cw_arena_alloc(p->arena, elem.nlexicons * sizeof(*copy));
	if (!copy)
		return cw_fail(p->err, CW_ENOMEM, "out of memory");
	memcpy(copy, names, elem.nlexicons * sizeof(*copy));
	elem.lexicons = copy;
	p->elems[p->nelems++] = elem;
	if (elem.scope == CW_SCOPE_SEQUENCE && !elem.negated)
		p->gap = CW_FRAME_GAP;
	return CW_OK;
}

/** Prefer the element that is seen least often: what and why are rarer than who and may. */
static const struct cw_frame_elem *choose_key(const struct cw_frame *frame)
{
	const struct cw_frame_elem *key = NULL;

	for (size_t i = 0; i < frame->nelems; i++) {
		const struct cw_frame_elem *e = &frame->elems[i];

		if (e->negated || (e->scope != CW_SCOPE_SEQUENCE && e->scope != CW_SCOPE_SENTENCE))
			continue;
		if (!key || e->nlexicons <= key->nlexicons)
			key = e;
	}
	return key;
}

int cw_frame_parse(struct cw_arena *arena, const char *text, bool need_key,
		   cw_lexicon_of_fn *lexicon_of, void *ctx, struct cw_frame *out,
		   struct cw_error *err)
{
	struct parser p = { .arena = arena,
			    .at = text,
			    .lexicon_of = lexicon_of,
			    .ctx = ctx,
			    .err = err,
			    .gap = CW_FRAME_GAP };
	int ret = CW_OK;

	while (ret == CW_OK) {
		p.at += strspn(p.at, " \t\n");
		if (!*p.at)
			break;
		ret = strncmp(p.at, "..", 2) == 0 ? parse_gap(&p) : parse_elem(&p);
	}
	if (ret < 0)
		return ret;

	struct cw_frame_elem *elems = cw_arena_alloc(arena, p.nelems * sizeof(*elems));
	if (!elems)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	memcpy(elems, p.elems, p.nelems * sizeof(*elems));
	struct cw_frame frame = { .elems = elems, .nelems = p.nelems };
	frame.key = choose_key(&frame);
	if (need_key && !frame.key)
		return cw_fail(err, CW_EINVAL,
			       "'%s' has no element that must stand in the sentence", text);
	*out = frame;
	return CW_OK;
}

static bool elem_seen(const struct cw_frame_elem *e, const uint64_t *seen)
{
	for (size_t i = 0; i < e->nlexicons; i++)
		if (cw_bit(seen, e->lexicons[i]))
			return true;
	return false;
}

static bool elem_is(const struct cw_frame_elem *e, uint16_t lexicon)
{
	for (size_t i = 0; i < e->nlexicons; i++)
		if (e->lexicons[i] == lexicon)
			return true;
	return false;
}

/** Everything that can be told from what was seen, before any order is looked at. */
static bool possible(const struct cw_frame *frame, const struct cw_path *path)
{
	for (size_t i = 0; i < frame->nelems; i++) {
		const struct cw_frame_elem *e = &frame->elems[i];

		if (e->negated && e->scope == CW_SCOPE_SEQUENCE)
			continue;
		if (elem_seen(e, path->seen[e->scope]) == e->negated)
			return false;
	}
	return true;
}

/** Does a negated sequence element stand between two hits of the path? */
static bool barred(const struct cw_frame_elem *bar, const struct cw_path *path, size_t from,
		   size_t to)
{
	for (size_t i = from; i < to; i++)
		if (path->hits[i].pos >= path->hits[from].end &&
		    elem_is(bar, path->hits[i].lexicon))
			return true;
	return false;
}

/** For each hit, the hit that the element before it matched, or NONE; one row an element. */
struct table {
	uint16_t prev[CW_FRAME_ELEMS_MAX][CW_FRAME_HITS_MAX];
	const struct cw_frame_elem *elems[CW_FRAME_ELEMS_MAX];
	size_t rows;
};

static bool fill_first(const struct cw_frame_elem *e, const struct cw_path *path, uint16_t *row)
{
	bool any = false;

	for (size_t h = 0; h < path->nhits; h++) {
		bool ok = elem_is(e, path->hits[h].lexicon);
		if (ok && e->first) {
			uint32_t start = path->hits[h].own ? path->own_start : 0;
			ok = path->hits[h].pos - start <= FIRST_WORDS;
		}
		row[h] = ok ? (uint16_t)h : NONE;
		any |= ok;
	}
	return any;
}

/** The nearest match of the element before that ends where this hit begins, or earlier. */
static uint16_t nearest(const struct cw_path *path, const uint16_t *before, size_t h, uint16_t gap)
{
	uint32_t pos = path->hits[h].pos;
	uint32_t reach = gap == CW_FRAME_ANY_GAP ? pos : (uint32_t)gap + CW_PHRASE_WORDS_MAX;
	uint16_t best = NONE;

	for (size_t b = h; b-- > 0;) {
		const struct cw_path_hit *hit = &path->hits[b];

		if (hit->pos + reach < pos ||
		    (best != NONE && hit->pos + CW_PHRASE_WORDS_MAX < path->hits[best].end))
			break;
		if (before[b] != NONE && hit->end <= pos &&
		    (best == NONE || hit->end > path->hits[best].end))
			best = (uint16_t)b;
	}
	if (best != NONE && gap != CW_FRAME_ANY_GAP && pos - path->hits[best].end > gap)
		return NONE;
	return best;
}

static bool fill_next(const struct cw_frame_elem *e, const struct cw_frame_elem *const *bars,
		      size_t nbars, const struct cw_path *path, const uint16_t *before,
		      uint16_t *row)
{
	bool any = false;

	for (size_t h = 0; h < path->nhits; h++) {
		row[h] = NONE;
		if (!elem_is(e, path->hits[h].lexicon))
			continue;
		uint16_t best = nearest(path, before, h, e->gap);
		bool ok = best != NONE;
		for (size_t i = 0; ok && i < nbars; i++)
			ok = !barred(bars[i], path, best, h);
		if (ok) {
			row[h] = best;
			any = true;
		}
	}
	return any;
}

static void trace_back(const struct table *t, size_t h, struct cw_frame_match *out)
{
	out->nhits = t->rows;
	for (size_t r = t->rows; r > 0; r--) {
		out->hits[r - 1] = (uint16_t)h;
		h = t->prev[r - 1][h];
	}
}

bool cw_frame_match(const struct cw_frame *frame, const struct cw_path *path,
		    struct cw_frame_match *out)
{
	struct table t;
	const struct cw_frame_elem *bars[CW_FRAME_ELEMS_MAX];
	size_t nbars = 0;

	if (!possible(frame, path))
		return false;
	t.rows = 0;
	for (size_t i = 0; i < frame->nelems; i++) {
		const struct cw_frame_elem *e = &frame->elems[i];
		bool any;

		if (e->scope != CW_SCOPE_SEQUENCE)
			continue;
		if (e->negated) {
			bars[nbars++] = e;
			continue;
		}
		if (t.rows == 0)
			any = fill_first(e, path, t.prev[0]);
		else
			any = fill_next(e, bars, nbars, path, t.prev[t.rows - 1], t.prev[t.rows]);
		if (!any)
			return false;
		t.rows++;
		nbars = 0;
	}
	if (t.rows == 0) {
		if (out)
			out->nhits = 0;
		return true;
	}
	for (size_t h = 0; h < path->nhits; h++) {
		if (t.prev[t.rows - 1][h] != NONE && path->hits[h].own) {
			if (out)
				trace_back(&t, h, out);
			return true;
		}
	}
	return false;
}
