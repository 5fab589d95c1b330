#include <string.h>

#include "engine/matrix_read.h"

/** Words from a subject to its verb. */
#define VERB_REACH 12
/** Words from "retain" to "rights". */
#define RIGHTS_REACH 8
/** Words from "owned" to who owns. */
#define OWNER_REACH 5

/** Words that are verbs elsewhere: "its own", "your use of". */
static bool is_noun(const struct cw_matrix_reading *r, size_t i, size_t from, size_t to)
{
	const struct cw_tok *toks = r->a->toks;

	if (i > from &&
	    ((cw_matrix_class(r, i - 1) & CW_M_POSS) || (toks[i - 1].flags & CW_TOK_POSS)))
		return true;
	return i + 1 < to && cw_matrix_same(r, i + 1, "of");
}

/* ---- who owns ---- */

void cw_matrix_note(struct cw_allotment *cell, uint32_t clause)
{
	for (size_t i = 0; i < cell->nclauses; i++)
		if (cell->clauses[i] == clause)
			return;
	if (cell->nclauses < CW_ALLOTTING_CLAUSES)
		cell->clauses[cell->nclauses++] = clause;
}

static void owns(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s, unsigned bits,
		 enum cw_side side)
{
	for (unsigned i = 0; i < CW_ARTEFACTS; i++) {
		if (!(bits >> i & 1) || (side != CW_SIDE_CUSTOMER && side != CW_SIDE_VENDOR))
			continue;
		if (side == CW_SIDE_CUSTOMER)
			r->cell[i].customer = true;
		else
			r->cell[i].vendor = true;
		cw_matrix_note(&r->cell[i], s->clause);
	}
	/* "You own the Content you create": what is said of content holds for works. */
	if ((bits & CW_A_INPUT) && (bits & CW_A_WORK))
		r->content |= CW_A_WORK;
}

/** The party that stands behind "owned by", "assigns to". */
static enum cw_side side_behind(const struct cw_matrix_reading *r, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < from + VERB_REACH * 2; i++) {
		enum cw_side side = cw_roles_at(r->roles, r->a->toks, i, to, NULL);
		if (side != CW_SIDE_NONE && !(cw_matrix_class(r, i) & CW_M_POSS))
			return side;
	}
	return CW_SIDE_NONE;
}

/** Where the object of a verb ends: at the next verb of owning. */
static size_t object_end(const struct cw_matrix_reading *r, size_t from, size_t to)
{
	static const unsigned verbs = CW_M_OWN | CW_M_KEEP | CW_M_ASSIGN | CW_M_GRANT;

	for (size_t i = from; i < to; i++)
		if (cw_matrix_class(r, i) & verbs)
			return i;
	return to;
}

/** Where what the vendor owns ends: "the Services, excluding Customer Data". */
static size_t before_exception(const struct cw_matrix_reading *r, size_t from, size_t to)
{
	while (from < to && !(cw_matrix_class(r, from) & CW_M_EXCEPT))
		from++;
	return from;
}

void cw_matrix_follow(const struct cw_matrix_reading *r, const struct cw_matrix_sentence *s,
		      size_t i, struct cw_matrix_subject *who)
{
	const struct cw_tok *toks = r->a->toks;
	unsigned n = 1, name = 0, class = cw_matrix_class(r, i);
	enum cw_side side = cw_roles_at(r->roles, toks, i, s->to, &n);
	bool aimed = i > s->from && (cw_matrix_class(r, i - 1) & (CW_M_AIM | CW_M_POSS));
	/* "Acme Services" are things of Acme. */
	bool thing = i + n < s->to &&
		     (toks[i + n].flags & (CW_TOK_CAP | CW_TOK_UPPER)) == CW_TOK_CAP &&
		     !(toks[i + n].flags & (CW_TOK_SENT | CW_TOK_COMMA | CW_TOK_SOFT));

	if (class & CW_M_NOT)
		who->negated = true;
	if (side == CW_SIDE_NONE || (class & CW_M_POSS) || (toks[i + n - 1].flags & CW_TOK_POSS) ||
	    aimed || thing || (cw_matrix_name_at(&r->words, toks, i, s->to, &name) && name > n))
		return;
	*who = (struct cw_matrix_subject){ .side = side };
}

/** "is owned by Acme", "is the property of Acme", "is your property", "is yours". */
static void read_owned(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s,
		       const struct cw_matrix_subject *who, size_t i)
{
	size_t reach = s->to < i + OWNER_REACH ? s->to : i + OWNER_REACH;
	enum cw_side side = cw_roles_at(r->roles, r->a->toks, i, s->to, NULL);

	if ((cw_matrix_class(r, i) & CW_M_KEEP) && !(s->classes & CW_M_RIGHTS))
		return;
	for (size_t back = 1; side == CW_SIDE_NONE && back <= 2 && i >= s->from + back; back++)
		side = cw_roles_at(r->roles, r->a->toks, i - back, s->to, NULL);
	if (side == CW_SIDE_NONE)
		side = side_behind(r, i + 1, reach);
	if (!who->negated)
		owns(r, s, cw_matrix_look(r, s->from, i, NULL), side);
}

/** A verb of owning at token i. */
static void read_owning(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s,
			const struct cw_matrix_subject *who, size_t i, unsigned class)
{
	size_t end = object_end(r, i + 1, s->to);
	unsigned bits = cw_matrix_look(r, i + 1, end, NULL);

	if (class & CW_M_OWNED) {
		read_owned(r, s, who, i);
		return;
	}
	if (class & CW_M_ASSIGN) {
		enum cw_side to = side_behind(r, i + 1, s->to);
		if (!who->negated && to != who->side)
			owns(r, s, bits ? bits : cw_matrix_look(r, s->from, s->to, NULL), to);
		return;
	}
	unsigned near = 0;
	(void)cw_matrix_look(r, i + 1, s->to < i + RIGHTS_REACH ? s->to : i + RIGHTS_REACH, &near);
	if ((class & (CW_M_KEEP | CW_M_CLAIM)) && !(near & CW_M_RIGHTS))
		return;
	if (bits == 0 && end == s->to && !(class & CW_M_CLAIM))
		bits = s->bits ? s->bits : s->above;
	if (class & CW_M_CLAIM)
		owns(r, s,
		     (who->negated || (near & CW_M_NOT)) && who->side != CW_SIDE_CUSTOMER ? bits
											  : 0,
		     CW_SIDE_CUSTOMER);
	else if (!who->negated && who->side == CW_SIDE_VENDOR)
		owns(r, s, cw_matrix_look(r, i + 1, before_exception(r, i + 1, end), NULL),
		     who->side);
	else if (!who->negated)
		owns(r, s, bits, who->side);
}

void cw_matrix_read_owning(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s)
{
	static const unsigned owning = CW_M_OWN | CW_M_KEEP | CW_M_OWNED | CW_M_ASSIGN | CW_M_CLAIM;
	struct cw_matrix_subject who = { .side = s->led };

	for (size_t i = s->from; (s->classes & owning) && i < s->to; i++) {
		unsigned class = cw_matrix_class(r, i);
		cw_matrix_follow(r, s, i, &who);
		if ((class & CW_M_OWNED) || ((class & owning) && !is_noun(r, i, s->from, s->to)))
			read_owning(r, s, &who, i, class);
	}
}

/* ---- who may use ---- */

static enum cw_use use_of(unsigned c)
{
	if (c & CW_M_ANY)
		return CW_USE_ANY;
	if (c & CW_M_TRAIN)
		return CW_USE_TRAIN;
	if (c & CW_M_IMPROVE)
		return c & CW_M_MODEL ? CW_USE_TRAIN : CW_USE_IMPROVE;
	if (c & CW_M_LIMITED)
		return CW_USE_LIMITED;
	return c & CW_M_SERVICE ? CW_USE_SERVICE : CW_USE_SILENT;
}

static const unsigned purposes = CW_M_TRAIN | CW_M_IMPROVE | CW_M_LIMITED | CW_M_SERVICE;

/** A right of the vendor to use, or a ban. */
struct grant {
	bool found, negated;
	size_t at; /**< the verb */
};

/**
 * Is an artefact what the verb at i uses?  "uses measures to protect Customer Data" uses none. What
 * is named before, as in "Content that we use", counts too.
 */
static bool has_object(const struct cw_matrix_reading *r, size_t i, size_t to)
{
	size_t end = i + 1;
	unsigned class = cw_matrix_class(r, i);

	unsigned stop = CW_M_NOT | CW_M_EXCEPT | (class & CW_M_TRAIN ? 0 : purposes);
	while (end < to && !(cw_matrix_class(r, end) & stop))
		end++;
	return cw_matrix_look(r, i + 1, end, NULL) != 0;
}

/** To whom "grant" grants: the party that stands close behind it. */
static enum cw_side grantee(const struct cw_matrix_reading *r, size_t from, size_t to)
{
	return side_behind(r, from, to < from + 4 ? to : from + 4);
}

/** The first right or ban of a sentence. */
static struct grant find_grant(const struct cw_matrix_reading *r,
			       const struct cw_matrix_sentence *s)
{
	struct cw_matrix_subject who = { .side = s->led };
	unsigned named = 0, n;

	for (size_t i = s->from; i < s->to; i++) {
		unsigned class = cw_matrix_class(r, i);
		cw_matrix_follow(r, s, i, &who);
		named |= cw_matrix_name_at(&r->words, r->a->toks, i, s->to, &n);
		bool vendor = who.side == CW_SIDE_VENDOR;
		bool given = (class & CW_M_GRANT) && who.side == CW_SIDE_CUSTOMER &&
			     grantee(r, i + 1, s->to) != CW_SIDE_CUSTOMER;
		bool taken = (class & CW_M_USE) && vendor && has_object(r, i, s->to);
		bool passive = (class & CW_M_USED) && named && who.side == CW_SIDE_NONE &&
			       side_behind(r, i + 1, s->to) != CW_SIDE_CUSTOMER;
		if ((given || taken || passive) && !is_noun(r, i, s->from, s->to))
			return (struct grant){ true, who.negated, i };
	}
	return (struct grant){ 0 };
}

static void allow(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s, unsigned bits,
		  enum cw_use use)
{
	for (unsigned i = 0; use != CW_USE_SILENT && i < CW_ARTEFACTS; i++) {
		if (!(bits >> i & 1))
			continue;
		if (use > r->cell[i].use)
			r->cell[i].use = use;
		cw_matrix_note(&r->cell[i], s->clause);
	}
}

/** Does a finding of the term stand in the clause?  Findings are sorted by clause. */
static bool found_in(const struct cw_matrix_reading *r, uint32_t clause, const char *term_id)
{
	const struct cw_finding *f = r->a->findings;
	size_t from = 0, to = r->a->nfindings;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (f[mid].clause < clause)
			from = mid + 1;
		else
			to = mid;
	}
	for (; from < r->a->nfindings && f[from].clause == clause; from++)
		if (strcmp(f[from].term_id, term_id) == 0)
			return true;
	return false;
}

/** "for any purpose", "any lawful purpose". */
static bool any_purpose(const struct cw_matrix_reading *r, size_t from, size_t to)
{
	const struct cw_tok *toks = r->a->toks;

	for (size_t i = from + 1; i < to; i++) {
		size_t any = i >= from + 2 && !cw_matrix_same(r, i - 1, "any") ? i - 2 : i - 1;
		if ((cw_matrix_same(r, i, "purpose") || cw_matrix_same(r, i, "purposes")) &&
		    cw_matrix_same(r, any, "any") && !(toks[i].flags & CW_TOK_SENT))
			return true;
	}
	return false;
}

/** "and as otherwise permitted by our policies": what the vendor may widen by itself. */
static bool open_purpose(const struct cw_matrix_reading *r, size_t from, size_t to)
{
	for (size_t i = from + 1; i < to; i++)
		if (cw_matrix_same(r, i - 1, "as") && cw_matrix_same(r, i, "otherwise") &&
		    i + 1 < to && cw_matrix_same(r, i + 1, "permitted"))
			return true;
	return false;
}

/** "to provide, support and improve the Services" behind a grant; from is where they begin. */
static void read_purposes(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s,
			  struct grant g, size_t from, unsigned bits)
{
	unsigned classes = 0;
	size_t except = from;

	(void)cw_matrix_look(r, from, s->to, &classes);
	if (any_purpose(r, from, s->to))
		classes |= CW_M_ANY;
	if (open_purpose(r, from, s->to))
		classes |= CW_M_IMPROVE;
	if (g.negated) {
		bool asks = (classes & CW_M_CONSENT) && (classes & CW_M_EXCEPT);
		bool trains = classes & (CW_M_TRAIN | CW_M_IMPROVE);
		r->no_training |= trains;
		r->opt_in |= asks && trains;
		except = before_exception(r, from, s->to);
		if (except == s->to || asks)
			return;
		classes = 0;
		(void)cw_matrix_look(r, except, s->to, &classes);
	}
	enum cw_use use = use_of(classes);
	bool choice = found_in(r, s->clause, "data.training-choice");
	if (use == CW_USE_IMPROVE && choice)
		use = CW_USE_TRAIN;
	if (use == CW_USE_TRAIN && (classes & CW_M_CONSENT) && !choice)
		use = CW_USE_LIMITED;
	if (use == CW_USE_TRAIN)
		r->training = true;
	/* A licence that never ends outlives the agreement. */
	if (use == CW_USE_ANY && (bits & CW_A_INPUT) &&
	    found_in(r, s->clause, "data.perpetual-license"))
		r->survival = true;
	allow(r, s, bits, use);
}

/** Does the sentence name the customer's works by a name of their own? */
static bool names_works(const struct cw_matrix_reading *r, const struct cw_matrix_sentence *s)
{
	unsigned n;

	for (size_t i = s->from; i < s->to; i++)
		if (cw_matrix_name_at(&r->words, r->a->toks, i, s->to, &n) == CW_A_WORK)
			return true;
	return false;
}

void cw_matrix_read_use(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s)
{
	struct grant g = find_grant(r, s);
	unsigned bits = s->bits;

	if (!g.found)
		return;
	if (bits == 0 && (cw_matrix_class(r, g.at) & CW_M_GRANT))
		bits = s->above;
	if (names_works(r, s))
		bits = CW_A_WORK;
	if (bits)
		read_purposes(r, s, g, g.at, bits);
}

void cw_matrix_read_item(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s,
			 const struct cw_matrix_sentence *lead)
{
	struct grant g = find_grant(r, lead);
	unsigned bits = s->bits | lead->bits;
	bool aims = (cw_matrix_class(r, s->from) & purposes) || cw_matrix_same(r, s->from, "to");

	if (g.found && bits && aims)
		read_purposes(r, s, g, s->from, bits);
}
