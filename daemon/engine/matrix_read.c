#include "engine/matrix_read.h"

#include <string.h>

/** Words from "content" to "submit". */
#define SUBMIT_REACH 6
/** Words of a sentence that are read at once: longer ones are lists of something else. */
#define SENTENCE_MAX 600

static bool names_customer(const struct cw_matrix_reading *r, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (cw_roles_at(r->roles, r->a->toks, i, to, NULL) == CW_SIDE_CUSTOMER)
			return true;
	return false;
}

static size_t sentence_end(const struct cw_matrix_reading *r, size_t from, size_t limit)
{
	size_t to = from + 1;

	while (to < limit && to - from < SENTENCE_MAX && !(r->a->toks[to].flags & CW_TOK_SENT))
		to++;
	return to;
}

/* ---- definitions ---- */

/** Tokens of the quoted term that begins at i, 0 when it is too long. */
static size_t quoted_len(const struct cw_matrix_reading *r, size_t i, size_t limit)
{
	const struct cw_analysis *a = r->a;

	for (size_t n = 1; n <= CW_MATRIX_NAME_WORDS && i + n <= limit; n++) {
		uint32_t at = a->toks[i + n - 1].start + a->toks[i + n - 1].len;
		while (at < a->len && (a->text[at] == '*' || a->text[at] == '_' ||
				       a->text[at] == ',' || a->text[at] == '.'))
			at++;
		if (at < a->len &&
		    (a->text[at] == '"' ||
		     (a->len - at >= 3 && memcmp(a->text + at, "\xe2\x80\x9d", 3) == 0)))
			return n;
	}
	return 0;
}

/** Can the term name the customer's data, or what becomes of them? */
static bool names_content(const struct cw_matrix_reading *r, size_t i, size_t n)
{
	if (!(cw_matrix_class(r, i + n - 1) & CW_M_THING) ||
	    cw_roles_at(r->roles, r->a->toks, i, i + n, NULL) == CW_SIDE_VENDOR)
		return false;
	for (size_t k = i; k < i + n; k++)
		if (cw_matrix_class(r, k) & CW_M_OTHER)
			return false;
	return true;
}

/** Artefacts that the words of a definition include. */
static unsigned defined_bits(const struct cw_matrix_reading *r, size_t from, size_t to)
{
	unsigned classes = 0, bits = cw_matrix_look(r, from, to, &classes);

	if (!names_customer(r, from, to) && !(bits & CW_A_INPUT))
		return bits;
	if (classes & CW_M_SUBMIT)
		bits |= CW_A_INPUT | CW_A_PROMPT;
	if (classes & CW_M_CREATE)
		bits |= CW_A_OUTPUT | CW_A_WORK;
	return bits;
}

static int define(struct cw_matrix_reading *r, size_t i, size_t n, size_t from, size_t to)
{
	unsigned own, known = cw_matrix_name_at(&r->words, r->a->toks, i, i + n, &own);
	unsigned bits = defined_bits(r, from, to);

	/* "Output" stays output though what is provided makes it. */
	if ((known & (CW_A_OUTPUT | CW_A_WORK)) && !(known & CW_A_INPUT))
		bits = known;
	else if (bits & CW_A_INPUT)
		bits |= known;
	if (bits == 0)
		return CW_OK;
	for (unsigned k = 0; k < CW_ARTEFACTS; k++)
		r->cell[k].defined |= bits >> k & 1;
	r->content |= bits;
	return cw_matrix_define(&r->words, &r->scratch, r->a->toks + i, n, bits);
}

static int read_definitions(struct cw_matrix_reading *r, size_t from, size_t to)
{
	const struct cw_tok *toks = r->a->toks;
	size_t body = from;
	int ret = CW_OK;

	for (size_t i = from; ret == CW_OK && i < to; i++) {
		size_t n = toks[i].flags & CW_TOK_QUOTE ? quoted_len(r, i, to) : 0;
		if (n == 0 || !names_content(r, i, n))
			continue;
		bool ahead = i + n < to && (cw_matrix_class(r, i + n) & CW_M_DEFINE) &&
			     !(toks[i].flags & CW_TOK_PAREN);
		if (ahead)
			ret = define(r, i, n, i + n, to);
		else if (i > from && (cw_matrix_same(r, i - 1, "collectively") ||
				      cw_matrix_same(r, i - 1, "together")))
			ret = define(r, i, n, from, i);
		else if (i > body)
			ret = define(r, i, n, body, i);
		body = i + n;
	}
	return ret;
}

/* ---- the rest ---- */

static void read_keeping(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s)
{
	unsigned c = s->classes, content = CW_A_INPUT | CW_A_PROMPT;

	if ((s->bits & content) && (c & CW_M_DELETE) && (c & CW_M_DAYS) && !(c & CW_M_END))
		r->short_retention = true;
	if ((s->bits & content) && (c & CW_M_STORE) && (c & CW_M_NOT) && !(c & CW_M_EXCEPT))
		r->no_retention = true;
	if ((s->bits & CW_A_TUNED) && (c & CW_M_DELETE))
		r->cell[3].destroyed = true;
	r->survival |= (c & CW_M_SURVIVE) != 0;
	/* "Embeddings are treated as Customer Content." */
	if ((s->bits & CW_A_INPUT) && (c & CW_M_DEFINE))
		r->content |= s->bits & (CW_A_EMBEDDING | CW_A_TUNED | CW_A_WORK);
}

/** Indemnities that speak of outputs. */
static void read_indemnities(struct cw_matrix_reading *r)
{
	for (size_t i = 0; i < r->a->nfindings; i++) {
		const struct cw_finding *f = &r->a->findings[i];
		const struct cw_clause *c = &r->a->clauses[f->clause];
		bool given = strncmp(f->term_id, "liab.vendor-indemnity", 21) == 0 &&
			     f->polarity == CW_PROTECTION;
		bool excluded = strncmp(f->term_id, "liab.indemnity-exclusion", 24) == 0;
		bool taken = strncmp(f->term_id, "liab.customer-indemnity", 23) == 0;
		if (!(given || excluded || taken) ||
		    !(cw_matrix_look(r, c->tok_start, c->tok_start + (size_t)c->tok_count, NULL) &
		      CW_A_OUTPUT))
			continue;
		r->outputs_indemnified |= given;
		r->outputs_excluded |= excluded;
		r->outputs_on_customer |= taken;
	}
}

static void read_sentence(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s)
{
	read_keeping(r, s);
	if ((s->classes & CW_M_ASIDE) || !(s->bits | s->above))
		return;
	cw_matrix_read_owning(r, s);
	cw_matrix_read_use(r, s);
}

/** The last sentence of the clause that introduces this one. */
static struct cw_matrix_sentence lead_of(const struct cw_matrix_reading *r, int32_t at)
{
	const struct cw_clause *c = &r->a->clauses[at];
	size_t limit = c->tok_start + (size_t)c->tok_count;
	struct cw_matrix_sentence s = { .clause = (uint32_t)at, .from = c->tok_start, .to = limit };
	struct cw_matrix_subject who = { .side = CW_SIDE_NONE };

	size_t first = s.from;
	for (s.from = limit; s.from > first && limit - s.from < SENTENCE_MAX;)
		if (r->a->toks[--s.from].flags & CW_TOK_SENT)
			break;
	s.bits = cw_matrix_look(r, s.from, s.to, &s.classes);
	for (size_t i = s.from; i < s.to; i++)
		cw_matrix_follow(r, &s, i, &who);
	s.led = who.side;
	return s;
}

/** "content you submit": are inputs what is submitted? */
static bool submits(const struct cw_matrix_reading *r, size_t from, size_t to)
{
	unsigned n;

	for (size_t i = from; i < to; i++) {
		size_t end = i + SUBMIT_REACH < to ? i + SUBMIT_REACH : to;
		bool customer = false;
		if (!(cw_matrix_name_at(&r->words, r->a->toks, i, to, &n) & CW_A_INPUT))
			continue;
		for (size_t k = i; k < end; k++) {
			unsigned class = cw_matrix_class(r, k);
			if (!(class & CW_M_POSS) && names_customer(r, k, k + 1))
				customer = true;
			else if (customer && k >= i + n && (class & CW_M_SUBMIT))
				return true;
		}
	}
	return false;
}

static void read_clause(struct cw_matrix_reading *r, uint32_t clause)
{
	const struct cw_clause *c = &r->a->clauses[clause];
	size_t limit = c->tok_start + (size_t)c->tok_count;
	struct cw_matrix_sentence lead = { 0 };
	unsigned above = 0;

	if (c->kind == CW_HEADING)
		return;
	if (c->lead_in >= 0)
		lead = lead_of(r, c->lead_in);
	above = lead.bits;
	for (size_t from = c->tok_start, to; from < limit; from = to) {
		to = sentence_end(r, from, limit);
		struct cw_matrix_sentence s = {
			.clause = clause, .from = from, .to = to, .above = above
		};
		if (from == c->tok_start && c->lead_in >= 0)
			s.led = lead.led;
		s.bits = cw_matrix_look(r, from, to, &s.classes);
		if ((s.bits & CW_A_INPUT) && submits(r, from, to))
			r->content |= CW_A_INPUT | CW_A_PROMPT;
		read_sentence(r, &s);
		if (from == c->tok_start && c->lead_in >= 0)
			cw_matrix_read_item(r, &s, &lead);
		if (s.bits)
			above = s.bits;
	}
}

/**
 * What the document says of inputs holds for prompts, and for what the customer makes, where the
 * inputs are what is typed or submitted, or made.
 */
static void spread(struct cw_matrix_reading *r, unsigned i)
{
	const struct cw_allotment *input = &r->cell[0];
	struct cw_allotment *cell = &r->cell[i];

	if (!(r->content >> i & 1))
		return;
	cell->customer |= input->customer;
	cell->vendor |= input->vendor;
	if (input->use > cell->use)
		cell->use = input->use;
	for (size_t k = 0; k < input->nclauses; k++)
		cw_matrix_note(cell, input->clauses[k]);
}

int cw_matrix_read(struct cw_matrix_reading *r)
{
	const struct cw_analysis *a = r->a;
	int ret = cw_matrix_words_init(&r->words, &r->scratch);

	if (ret == CW_OK && strstr(a->profile.type, "data processing"))
		ret = cw_matrix_words_personal(&r->words, &r->scratch);
	/* Twice: "Content" may be defined by what is defined below it. */
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; ret == CW_OK && i < a->nclauses; i++) {
			const struct cw_clause *c = &a->clauses[i];
			size_t limit = c->tok_start + (size_t)c->tok_count;
			for (size_t from = c->tok_start, to; ret == CW_OK && from < limit;
			     from = to) {
				to = sentence_end(r, from, limit);
				ret = read_definitions(r, from, to);
			}
		}
	for (uint32_t i = 0; ret == CW_OK && i < a->nclauses; i++)
		read_clause(r, i);
	if (ret == CW_OK) {
		for (unsigned i = 1; i < CW_ARTEFACTS; i++)
			if (i != 2)
				spread(r, i);
		read_indemnities(r);
	}
	cw_arena_release(&r->scratch);
	return ret;
}
