/*
 * The words of every clause go through the automaton once.  Then each sentence is read along its
 * paths: the sentence itself or, where it is a list, its stem joined to each item; behind the last
 * words of the clauses that lead into it.  A path's hits choose the frames worth trying.
 */
#include "engine/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <xxhash.h>

#define LEAD_INS_MAX 3
#define HEADINGS_MAX 4
#define LED_SENTENCES 2 /* a title and the sentence behind it still continue a lead-in */
#define SEGMENTS_MAX 64
#define EVIDENCE_MAX CW_FRAME_ELEMS_MAX
#define CLAUSE_FIRED_MAX 64
#define OPINION_WORDS_MIN 3
#define OPINION_EVIDENCE 4

struct range {
	uint32_t from, to; /* tokens */
};

struct judge {
	struct cw_analysis *a;
	const struct cw_ruleset *rules;
	const struct cw_roles *roles;
	const struct cw_probe *probe;
	struct cw_error *err;
	struct cw_hits hits; /* of all clauses */
	struct cw_hit *merge;
	size_t merge_cap;
	uint32_t *clause_hits; /* nclauses + 1 offsets into hits */
	uint64_t *clause_seen; /* a bit set a clause */
	uint64_t *path_seen, *context_seen;
	uint32_t *stamps; /* per rule: the path it was last judged on */
	uint32_t stamp;
	struct cw_path_hit path_hits[CW_FRAME_HITS_MAX];
	struct cw_path path;
	/* the clause at hand */
	uint32_t clause;
	size_t first_finding; /* of this clause */
	struct range lead_in[LEAD_INS_MAX];
	uint32_t lead_in_clause[LEAD_INS_MAX];
	size_t nlead_ins;
	struct range sentence;
	size_t findings_cap;
	uint64_t clause_fired[CLAUSE_FIRED_MAX]; /* hashes of rule ids */
	size_t nclause_fired;
	struct cw_feature features[CW_MODEL_FEATURES_MAX];
};

static int no_memory(struct judge *j)
{
	return cw_fail(j->err, CW_ENOMEM, "out of memory");
}

static inline void set_bit(uint64_t *set, uint16_t i)
{
	set[i >> 6] |= 1ull << (i & 63);
}

static uint64_t *seen_of(const struct judge *j, uint32_t clause)
{
	return j->clause_seen + (size_t)clause * j->rules->set_words;
}

/** The lexicons that a mention of a party stands in. */
static unsigned lexicons_of(enum cw_side side, uint16_t out[3])
{
	static const struct {
		unsigned n;
		uint16_t lexicons[3];
	} table[] = {
		[CW_SIDE_NONE] = { 0, { 0 } },
		[CW_SIDE_VENDOR] = { 2, { CW_LEX_VENDOR, CW_LEX_PARTY } },
		[CW_SIDE_CUSTOMER] = { 2, { CW_LEX_CUSTOMER, CW_LEX_PARTY } },
		[CW_SIDE_UNKNOWN] = { 3, { CW_LEX_VENDOR, CW_LEX_CUSTOMER, CW_LEX_PARTY } },
		[CW_SIDE_BOTH] = { 2, { CW_LEX_MUTUAL, CW_LEX_PARTY } },
		[CW_SIDE_OTHER] = { 1, { CW_LEX_PARTY } },
	};

	memcpy(out, table[side].lexicons, sizeof(table[side].lexicons));
	return table[side].n;
}

static int add_hit(struct judge *j, struct cw_hit hit)
{
	struct cw_hit *at =
		cw_arena_grow(&j->a->arena, j->hits.at, j->hits.count, &j->hits.cap, sizeof(*at));
	if (!at)
		return no_memory(j);
	j->hits.at = at;
	at[j->hits.count++] = hit;
	return CW_OK;
}

static int add_roles(struct judge *j, const struct cw_clause *c)
{
	uint32_t end = c->tok_start + c->tok_count;

	for (uint32_t i = c->tok_start; i < end;) {
		unsigned len = 1;
		uint16_t lexicons[3];
		enum cw_side side = cw_roles_at(j->roles, j->a->toks, i, end, &len);
		unsigned n = lexicons_of(side, lexicons);

		for (unsigned k = 0; k < n; k++)
			if (add_hit(j, (struct cw_hit){ i, (uint16_t)len, lexicons[k] }) < 0)
				return CW_ENOMEM;
		i += n > 0 ? len : 1;
	}
	return CW_OK;
}

/** Two runs in order of their tokens, [first, mid) and [mid, end), become one. */
static int merge_hits(struct judge *j, size_t first, size_t mid)
{
	size_t n = mid - first, k = 0, to = first;

	if (n > j->merge_cap) {
		struct cw_hit *more = realloc(j->merge, n * 2 * sizeof(*more));
		if (!more)
			return no_memory(j);
		j->merge = more;
		j->merge_cap = n * 2;
	}
	memcpy(j->merge, j->hits.at + first, n * sizeof(*j->merge));
	while (k < n) {
		if (mid < j->hits.count && j->hits.at[mid].tok < j->merge[k].tok)
			j->hits.at[to++] = j->hits.at[mid++];
		else
			j->hits.at[to++] = j->merge[k++];
	}
	return CW_OK;
}

static int find_hits(struct judge *j)
{
	struct cw_analysis *a = j->a;

	for (size_t i = 0; i < a->nclauses; i++) {
		const struct cw_clause *c = &a->clauses[i];
		size_t first = j->hits.count;

		j->clause_hits[i] = (uint32_t)first;
		if (add_roles(j, c) < 0)
			return CW_ENOMEM;
		size_t mid = j->hits.count;
		if (cw_automaton_match(j->rules->automaton, &a->arena, a->toks, c->tok_start,
				       c->tok_count, &j->hits) < 0)
			return no_memory(j);
		if (mid > first && merge_hits(j, first, mid) < 0)
			return CW_ENOMEM;
		for (size_t h = first; h < j->hits.count; h++)
			set_bit(seen_of(j, (uint32_t)i), j->hits.at[h].lexicon);
	}
	j->clause_hits[a->nclauses] = (uint32_t)j->hits.count;
	return CW_OK;
}

/** First hit of the clause at or behind a token. */
static uint32_t hit_from(const struct judge *j, uint32_t clause, uint32_t tok)
{
	uint32_t lo = j->clause_hits[clause], hi = j->clause_hits[clause + 1];

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (j->hits.at[mid].tok < tok)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/** Put the hits of a range behind what the path holds; returns the words that it adds. */
static uint32_t path_add(struct judge *j, uint32_t clause, struct range r, uint32_t base, bool own)
{
	for (uint32_t h = hit_from(j, clause, r.from);
	     h < j->clause_hits[clause + 1] && j->hits.at[h].tok < r.to; h++) {
		const struct cw_hit *hit = &j->hits.at[h];

		if (hit->tok + hit->len > r.to)
			continue;
		if (j->path.nhits == CW_FRAME_HITS_MAX)
			break;
		j->path_hits[j->path.nhits++] = (struct cw_path_hit){
			.pos = base + (hit->tok - r.from),
			.end = base + (hit->tok - r.from) + hit->len,
			.lexicon = hit->lexicon,
			.own = own,
			.tok = hit->tok,
			.len = hit->len,
		};
		set_bit(j->path_seen, hit->lexicon);
	}
	return base + (r.to - r.from);
}

/** The last sentence of a clause that leads into another. */
static struct range last_sentence(const struct cw_analysis *a, const struct cw_clause *c)
{
	struct range r = { c->tok_start, c->tok_start + c->tok_count };

	for (uint32_t i = r.to; i > r.from; i--) {
		if (a->toks[i - 1].flags & CW_TOK_SENT) {
			r.from = i - 1;
			break;
		}
	}
	return r;
}

/** Who leads into the clause, outermost first; what stands above it, for the context. */
static void enter_clause(struct judge *j, uint32_t clause)
{
	const struct cw_analysis *a = j->a;
	const struct cw_clause *c = &a->clauses[clause];
	size_t words = j->rules->set_words;
	uint32_t chain[LEAD_INS_MAX];
	size_t n = 0;

	j->clause = clause;
	j->first_finding = a->nfindings;
	j->nclause_fired = 0;
	memcpy(j->context_seen, seen_of(j, clause), words * sizeof(uint64_t));
	for (int32_t at = c->lead_in; at >= 0 && n < LEAD_INS_MAX; at = a->clauses[at].lead_in)
		chain[n++] = (uint32_t)at;
	j->nlead_ins = n;
	for (size_t i = 0; i < n; i++) {
		j->lead_in_clause[i] = chain[n - 1 - i];
		j->lead_in[i] = last_sentence(a, &a->clauses[chain[n - 1 - i]]);
		for (size_t w = 0; w < words; w++)
			j->context_seen[w] |= seen_of(j, chain[i])[w];
	}
	int32_t at = c->heading_at;
	for (unsigned i = 0; at >= 0 && i < HEADINGS_MAX; i++, at = a->clauses[at].heading_at)
		for (size_t w = 0; w < words; w++)
			j->context_seen[w] |= seen_of(j, (uint32_t)at)[w];
}

static uint32_t end_of_quote(const struct judge *j, uint32_t tok_end)
{
	const struct cw_analysis *a = j->a;
	const struct cw_clause *c = &a->clauses[j->clause];
	uint32_t last = tok_end - 1;
	uint32_t at = a->toks[last].start + a->toks[last].len;
	uint32_t stop = c->span.byte_end;

	if (tok_end < c->tok_start + c->tok_count)
		stop = a->toks[tok_end].start;
	while (at < stop && strchr(".;:!?,)\"'s", a->text[at]) && a->text[at] != '\0')
		at++;
	return at;
}

/** The sentence to quote; behind one that is only a run-in title, "Feedback.", the next as well. */
static struct range to_quote(const struct judge *j)
{
	const struct cw_analysis *a = j->a;
	const struct cw_clause *c = &a->clauses[j->clause];
	uint32_t end = c->tok_start + c->tok_count;
	struct range s = j->sentence;
	size_t len = strlen(c->heading);
	uint32_t start = a->toks[s.from].start, last = s.to - 1;

	if (s.from != c->tok_start || s.to >= end || len == 0 || a->len - start < len ||
	    strncasecmp(a->text + start, c->heading, len) != 0 ||
	    a->toks[last].start + a->toks[last].len > start + len)
		return s;
	while (++s.to < end && !(a->toks[s.to].flags & CW_TOK_SENT))
		continue;
	return s;
}

static int copy_evidence(struct judge *j, const struct cw_frame_match *m, struct cw_finding *f)
{
	struct cw_evidence *ev = cw_arena_alloc(&j->a->arena, EVIDENCE_MAX * sizeof(*ev));
	size_t n = 0;

	if (!ev)
		return no_memory(j);
	for (size_t i = 0; i < m->nhits; i++) {
		const struct cw_path_hit *hit = &j->path_hits[m->hits[i]];
		const struct cw_tok *last = &j->a->toks[hit->tok + hit->len - 1];

		ev[n++] = (struct cw_evidence){
			.part = j->rules->lexicons[hit->lexicon].part,
			.byte_start = j->a->toks[hit->tok].start,
			.byte_end = last->start + last->len,
		};
	}
	f->evidence = ev;
	f->nevidence = n;
	return CW_OK;
}

static int copy_attrs(struct judge *j, const struct cw_rule_body *rule, struct cw_finding *f)
{
	struct cw_attr *attrs = cw_arena_alloc(&j->a->arena, (rule->nattrs + 1) * sizeof(*attrs));

	if (!attrs)
		return no_memory(j);
	for (size_t i = 0; i < rule->nattrs; i++)
		if (rule->attrs[i].lexicon < 0 ||
		    cw_bit(seen_of(j, j->clause), (uint16_t)rule->attrs[i].lexicon))
			attrs[f->nattrs++] = rule->attrs[i].attr;
	f->attrs = attrs;
	return CW_OK;
}

/** The finding of this term and polarity in this clause, if there is one already. */
static struct cw_finding *same_finding(const struct judge *j, const char *term_id,
				       enum cw_polarity polarity)
{
	for (size_t i = j->first_finding; i < j->a->nfindings; i++)
		if (j->a->findings[i].polarity == polarity &&
		    strcmp(j->a->findings[i].term_id, term_id) == 0)
			return &j->a->findings[i];
	return NULL;
}

/** The side that a mention is of; none when it may be either. */
static enum cw_direction side_of_hit(const struct judge *j, size_t i)
{
	const struct cw_path_hit *h = &j->path_hits[i];
	bool vendor = false, customer = false;

	while (i > 0 && j->path_hits[i - 1].pos == h->pos)
		i--;
	for (; i < j->path.nhits && j->path_hits[i].pos == h->pos; i++) {
		vendor |= j->path_hits[i].lexicon == CW_LEX_VENDOR;
		customer |= j->path_hits[i].lexicon == CW_LEX_CUSTOMER;
	}
	return vendor == customer ? CW_UNKNOWN : vendor ? CW_VENDOR : CW_CUSTOMER;
}

/** The side that the sentence names last before the frame, or else the only one behind it. */
static enum cw_direction direction_nearby(const struct judge *j, const struct cw_frame_match *m)
{
	enum cw_direction before = CW_UNKNOWN, behind = CW_UNKNOWN;

	for (size_t i = 0; m->nhits && i < j->path.nhits; i++) {
		enum cw_direction side = side_of_hit(j, i);
		if (side == CW_UNKNOWN)
			continue;
		if (j->path_hits[i].pos < j->path_hits[m->hits[0]].pos)
			before = side;
		else
			behind = behind == CW_UNKNOWN || behind == side ? side : CW_BOTH;
	}
	return before != CW_UNKNOWN ? before : behind == CW_BOTH ? CW_UNKNOWN : behind;
}

/** Who holds the right: what the rule says, else the sides that the frame names or stand near. */
static enum cw_direction direction_of(const struct judge *j, const struct cw_rule *rule,
				      const struct cw_frame_match *m)
{
	bool vendor = false, customer = false;

	if (rule->direction != CW_UNKNOWN)
		return rule->direction;
	for (size_t i = 0; i < m->nhits; i++) {
		uint16_t lexicon = j->path_hits[m->hits[i]].lexicon;
		vendor |= lexicon == CW_LEX_VENDOR || lexicon == CW_LEX_MUTUAL;
		customer |= lexicon == CW_LEX_CUSTOMER || lexicon == CW_LEX_MUTUAL;
	}
	return vendor && customer ? CW_BOTH
	       : vendor           ? CW_VENDOR
	       : customer         ? CW_CUSTOMER
				  : direction_nearby(j, m);
}

static struct cw_finding *new_finding(struct judge *j)
{
	struct cw_analysis *a = j->a;
	struct cw_finding *at =
		cw_arena_grow(&a->arena, a->findings, a->nfindings, &j->findings_cap, sizeof(*at));
	if (!at)
		return NULL;
	a->findings = at;
	return &at[a->nfindings++];
}

static int add_finding(struct judge *j, const struct cw_rule_body *rule, const struct cw_term *term,
		       const char *term_id, const struct cw_frame_match *m)
{
	struct cw_analysis *a = j->a;
	const struct cw_clause *c = &a->clauses[j->clause];
	const struct cw_rule *pub = &rule->pub;
	struct cw_finding *f = same_finding(j, term_id, pub->polarity);

	if (f && f->severity >= pub->severity)
		return CW_OK;
	if (!f)
		f = new_finding(j);
	if (!f)
		return no_memory(j);
	*f = (struct cw_finding){
		.term = term,
		.rule = pub,
		.term_id = term_id,
		.evidence_kind = "frame",
		.confidence = 1.0f,
		.polarity = pub->polarity,
		.direction = direction_of(j, pub, m),
		.severity = pub->severity,
		.clause = j->clause,
		.span = c->span,
		.quote_start = a->toks[j->sentence.from].start,
		.quote_end = end_of_quote(j, to_quote(j).to),
		.why = term == pub->term ? pub->why : term->why,
		.advice = term == pub->term ? pub->advice : term->advice,
	};
	cw_finding_id(term_id, c->fingerprint, f->id);
	int ret = copy_evidence(j, m, f);
	return ret < 0 ? ret : copy_attrs(j, rule, f);
}

static bool vetoed(const struct judge *j, const struct cw_rule_body *rule)
{
	for (size_t i = 0; i < rule->nunless; i++)
		if (cw_frame_match(&rule->unless[i], &j->path, NULL))
			return true;
	return false;
}

static bool applies(const struct judge *j, const struct cw_rule_body *rule, bool whole)
{
	bool heading = j->a->clauses[j->clause].kind == CW_HEADING;

	return rule->whole == whole && !rule->broken && (!heading || rule->headings) &&
	       (rule->online < 0 || rule->online == j->a->profile.online);
}

static void note_fired(struct judge *j, const struct cw_rule_body *rule)
{
	uint64_t hash = cw_word_hash(rule->pub.id, strlen(rule->pub.id));

	if (j->probe && j->probe->fired)
		j->probe->fired[rule->pub.index] = 1;
	for (size_t i = 0; i < j->nclause_fired; i++)
		if (j->clause_fired[i] == hash)
			return;
	if (j->nclause_fired < CLAUSE_FIRED_MAX)
		j->clause_fired[j->nclause_fired++] = hash;
}

static int try_frame(struct judge *j, struct cw_entry entry, bool whole)
{
	const struct cw_rule_body *rule = &j->rules->rules[entry.rule];
	struct cw_frame_match m;

	if (j->stamps[entry.rule] == j->stamp || !applies(j, rule, whole) ||
	    !cw_frame_match(&rule->frames[entry.frame], &j->path, &m))
		return CW_OK;
	j->stamps[entry.rule] = j->stamp;
	if (vetoed(j, rule))
		return CW_OK;
	note_fired(j, rule);
	int ret = add_finding(j, rule, rule->pub.term, rule->pub.term_id, &m);
	if (ret == CW_OK && rule->implied)
		ret = add_finding(j, rule, rule->implied, rule->implied->id, &m);
	return ret;
}

/** Try the frames whose key was seen on the path. */
static int judge_path(struct judge *j, bool whole)
{
	int ret = CW_OK;

	j->path.hits = j->path_hits;
	j->path.seen[CW_SCOPE_SEQUENCE] = j->path_seen;
	j->path.seen[CW_SCOPE_SENTENCE] = j->path_seen;
	j->path.seen[CW_SCOPE_CLAUSE] = seen_of(j, j->clause);
	j->path.seen[CW_SCOPE_CONTEXT] = j->context_seen;
	j->stamp++;
	for (size_t w = 0; ret == CW_OK && w < j->rules->set_words; w++) {
		for (uint64_t bits = j->path_seen[w]; ret == CW_OK && bits; bits &= bits - 1) {
			size_t lex = w * 64 + (size_t)__builtin_ctzll(bits);
			const uint32_t *start = &j->rules->entry_start[lex];

			for (uint32_t e = start[0]; ret == CW_OK && e < start[1]; e++)
				ret = try_frame(j, j->rules->entries[e], whole);
		}
	}
	return ret;
}

/** One path: lead-ins, the stem of the sentence, one of its items (or an empty range). */
static int read_path(struct judge *j, struct range stem, struct range item, bool led, bool whole)
{
	uint32_t base = 0;

	j->path.nhits = 0;
	memset(j->path_seen, 0, j->rules->set_words * sizeof(uint64_t));
	for (size_t i = 0; led && i < j->nlead_ins; i++)
		base = path_add(j, j->lead_in_clause[i], j->lead_in[i], base, false);
	j->path.own_start = base;
	base = path_add(j, j->clause, stem, base, true);
	(void)path_add(j, j->clause, item, base, true);
	return judge_path(j, whole);
}

/** Where the items of a sentence begin; the first entry is its own begin. */
static size_t cut_items(const struct cw_analysis *a, struct range s, uint32_t cuts[SEGMENTS_MAX])
{
	size_t n = 0;

	cuts[n++] = s.from;
	for (uint32_t i = s.from + 1; i < s.to && n < SEGMENTS_MAX; i++)
		if (a->toks[i].flags & CW_TOK_SOFT)
			cuts[n++] = i;
	return n;
}

static int read_sentence(struct judge *j, struct range s, bool led)
{
	uint32_t cuts[SEGMENTS_MAX];
	size_t n = cut_items(j->a, s, cuts);
	int ret = CW_OK;

	j->sentence = s;
	if (n == 1)
		return read_path(j, s, (struct range){ s.to, s.to }, led, false);
	struct range stem = { s.from, cuts[1] };
	for (size_t i = 1; ret == CW_OK && i < n; i++) {
		struct range item = { cuts[i], i + 1 < n ? cuts[i + 1] : s.to };
		ret = read_path(j, stem, item, led, false);
	}
	return ret;
}

/** The sentence of the clause that speaks most for a label. */
static struct range best_sentence(const struct judge *j, size_t label, size_t nfeatures)
{
	const struct cw_analysis *a = j->a;
	const struct cw_clause *c = &a->clauses[j->clause];
	uint32_t end = c->tok_start + c->tok_count;
	struct range best = { c->tok_start, end };
	float best_sum = -INFINITY;

	for (uint32_t from = c->tok_start; from < end;) {
		uint32_t to = from + 1;
		float sum = 0;
		while (to < end && !(a->toks[to].flags & CW_TOK_SENT))
			to++;
		for (size_t i = 0; i < nfeatures; i++)
			if (j->features[i].tok >= from && j->features[i].tok < to)
				sum += cw_model_weight(j->rules->model, &j->features[i], label);
		if (sum > best_sum) {
			best_sum = sum;
			best = (struct range){ from, to };
		}
		from = to;
	}
	return best;
}

/** The words of the quoted sentence that weigh most, in order. */
static int model_evidence(struct judge *j, size_t label, size_t nfeatures, struct cw_finding *f)
{
	struct cw_evidence *ev = cw_arena_alloc(&j->a->arena, OPINION_EVIDENCE * sizeof(*ev));
	float weights[OPINION_EVIDENCE] = { 0 };

	if (!ev)
		return no_memory(j);
	for (size_t i = 0; i < nfeatures; i++) {
		const struct cw_feature *x = &j->features[i];
		if (x->tok < j->sentence.from || x->tok >= j->sentence.to)
			continue;
		float w = cw_model_weight(j->rules->model, x, label);
		size_t at = f->nevidence < OPINION_EVIDENCE ? f->nevidence : OPINION_EVIDENCE;
		while (at > 0 && weights[at - 1] < w)
			at--;
		if (w <= 0 || at == OPINION_EVIDENCE)
			continue;
		if (f->nevidence < OPINION_EVIDENCE)
			f->nevidence++;
		for (size_t k = f->nevidence - 1; k > at; k--) {
			ev[k] = ev[k - 1];
			weights[k] = weights[k - 1];
		}
		const struct cw_tok *t = &j->a->toks[x->tok];
		ev[at] = (struct cw_evidence){ CW_PART_NONE, t->start, t->start + t->len };
		weights[at] = w;
	}
	f->evidence = ev;
	return CW_OK;
}

static int add_opinion(struct judge *j, size_t label, size_t nfeatures, float confidence)
{
	const struct cw_term *term = j->rules->model_terms[label];
	const struct cw_clause *c = &j->a->clauses[j->clause];
	struct cw_finding *f = new_finding(j);

	if (!f)
		return no_memory(j);
	j->sentence = best_sentence(j, label, nfeatures);
	*f = (struct cw_finding){
		.term = term,
		.term_id = term->id,
		.evidence_kind = "model",
		.confidence = confidence,
		.polarity = term->polarity,
		.severity = term->severity,
		.clause = j->clause,
		.span = c->span,
		.quote_start = j->a->toks[j->sentence.from].start,
		.quote_end = end_of_quote(j, to_quote(j).to),
		.why = term->why,
		.advice = term->advice,
	};
	cw_finding_id(term->id, c->fingerprint, f->id);
	return model_evidence(j, label, nfeatures, f);
}

static void drop_finding(struct judge *j, const struct cw_finding *f)
{
	struct cw_analysis *a = j->a;
	size_t i = (size_t)(f - a->findings);

	memmove(&a->findings[i], &a->findings[i + 1],
		(a->nfindings - i - 1) * sizeof(*a->findings));
	a->nfindings--;
}

/** A term that the model knows is found when the model says so; frames are among its reasons. */
static int ask_model(struct judge *j)
{
	const struct cw_model *m = j->rules->model;
	float scores[CW_MODEL_LABELS_MAX];
	int ret = CW_OK;

	if (!m && !(j->probe && j->probe->features))
		return CW_OK;
	size_t n =
		cw_model_features(j->a, j->clause, j->clause_fired, j->nclause_fired, j->features);
	if (j->probe && j->probe->features)
		j->probe->features(j->probe->ctx, j->a, j->clause, j->features, n);
	if (!m)
		return CW_OK;
	cw_model_score(m, j->features, n, scores);
	for (size_t i = 0; ret == CW_OK && i < cw_model_nlabels(m); i++) {
		const struct cw_term *term = j->rules->model_terms[i];
		if (!term)
			continue;
		struct cw_finding *f = same_finding(j, term->id, term->polarity);
		float confidence = 1.0f / (1.0f + expf(-scores[i]));
		bool yes = scores[i] >= cw_model_label(m, i)->threshold;
		if (f && yes)
			f->confidence = confidence;
		else if (f)
			drop_finding(j, f);
		else if (yes)
			ret = add_opinion(j, i, n, confidence);
	}
	return ret;
}

static int read_clause(struct judge *j, uint32_t clause)
{
	const struct cw_analysis *a = j->a;
	const struct cw_clause *c = &a->clauses[clause];
	uint32_t end = c->tok_start + c->tok_count;
	unsigned nsentences = 0;
	int ret = CW_OK;

	if (c->tok_count == 0)
		return CW_OK;
	enter_clause(j, clause);
	for (uint32_t from = c->tok_start; ret == CW_OK && from < end;) {
		uint32_t to = from + 1;
		while (to < end && !(a->toks[to].flags & CW_TOK_SENT))
			to++;
		ret = read_sentence(j, (struct range){ from, to }, nsentences++ < LED_SENTENCES);
		from = to;
	}
	if (ret == CW_OK) {
		j->sentence = (struct range){ c->tok_start, end };
		ret = read_path(j, j->sentence, (struct range){ end, end }, true, true);
	}
	if (ret == CW_OK && c->kind != CW_HEADING && c->tok_count >= OPINION_WORDS_MIN)
		ret = ask_model(j);
	return ret;
}

static int finding_order(const void *va, const void *vb)
{
	const struct cw_finding *a = va, *b = vb;

	if (a->clause != b->clause)
		return a->clause < b->clause ? -1 : 1;
	int cmp = strcmp(a->term_id, b->term_id);
	return cmp ? cmp : (int)a->polarity - (int)b->polarity;
}

int cw_judge(struct cw_analysis *a, const struct cw_ruleset *rules, const struct cw_roles *roles,
	     const struct cw_probe *probe, struct cw_error *err)
{
	size_t words = rules->set_words;
	struct judge *j = calloc(1, sizeof(*j));
	int ret = CW_OK;

	if (!j)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	*j = (struct judge){ .a = a, .rules = rules, .roles = roles, .probe = probe, .err = err };
	j->clause_hits = calloc(a->nclauses + 1, sizeof(*j->clause_hits));
	j->clause_seen = calloc(a->nclauses * words + 1, sizeof(*j->clause_seen));
	j->path_seen = calloc(2 * words + 1, sizeof(*j->path_seen));
	j->stamps = calloc(rules->nrules + 1, sizeof(*j->stamps));
	if (!j->clause_hits || !j->clause_seen || !j->path_seen || !j->stamps) {
		ret = no_memory(j);
		goto out;
	}
	j->context_seen = j->path_seen + words;
	ret = find_hits(j);
	for (uint32_t i = 0; ret == CW_OK && i < a->nclauses; i++)
		ret = read_clause(j, i);
	if (ret == CW_OK && a->nfindings > 1)
		qsort(a->findings, a->nfindings, sizeof(*a->findings), finding_order);
out:
	free(j->clause_hits);
	free(j->clause_seen);
	free(j->path_seen);
	free(j->stamps);
	free(j->merge);
	free(j);
	return ret;
}

void cw_finding_id(const char *term_id, uint64_t fingerprint, char out[CW_ID_SIZE])
{
	static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t h = XXH3_64bits_withSeed(term_id, strlen(term_id), fingerprint);

	memcpy(out, "CW-", 3);
	for (int i = 0; i < 6; i++, h >>= 5)
		out[3 + i] = letters[h & 31];
	out[9] = '\0';
}
