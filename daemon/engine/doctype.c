#include "engine/reading.h"

#include <ctype.h>
#include <string.h>

#include "engine/flat.h"

/** Bytes from the top where the title stands. */
#define TITLE_MAX 2500
/** A text shorter than this is a clause, not a document. */
#define FRAGMENT_WORDS 150
/** Second persons in ten thousand words of terms that speak to a reader. */
#define YOU_PER_10000 50

static const struct {
	const char *phrase, *type; /**< NULL: the phrase itself */
	enum { EITHER, PUBLISHED, NEGOTIATED } way;
} types[] = {
	{ "terms of service", NULL, PUBLISHED },
	{ "terms of use", NULL, PUBLISHED },
	{ "terms and conditions of use", "terms of use", PUBLISHED },
	{ "conditions of use", "terms of use", PUBLISHED },
	{ "user agreement", NULL, PUBLISHED },
	{ "service terms", "terms of service", PUBLISHED },
	{ "services terms", "terms of service", PUBLISHED },
	{ "user terms", "terms of service", PUBLISHED },
	{ "website terms", "terms of use", PUBLISHED },
	{ "usage terms", "terms of use", PUBLISHED },
	{ "customer terms", "terms of service", PUBLISHED },
	{ "commercial terms", "commercial terms", PUBLISHED },
	{ "business terms", "commercial terms", PUBLISHED },
	{ "enterprise terms", "commercial terms", PUBLISHED },
	{ "developer terms", NULL, PUBLISHED },
	{ "developer agreement", NULL, PUBLISHED },
	{ "developer policy", "developer terms", PUBLISHED },
	{ "api terms", "developer terms", PUBLISHED },
	{ "api agreement", "developer terms", PUBLISHED },
	{ "terms & conditions", "terms and conditions", PUBLISHED },
	{ "terms and conditions", NULL, PUBLISHED },
	{ "terms of sale", NULL, PUBLISHED },
	{ "general terms", "terms and conditions", PUBLISHED },
	{ "privacy policy", NULL, PUBLISHED },
	{ "privacy notice", "privacy policy", PUBLISHED },
	{ "privacy statement", "privacy policy", PUBLISHED },
	{ "privacy center", "privacy policy", PUBLISHED },
	{ "cookie policy", NULL, PUBLISHED },
	{ "acceptable use policy", NULL, PUBLISHED },
	{ "community guidelines", NULL, PUBLISHED },
	{ "data processing agreement", NULL, EITHER },
	{ "data processing addendum", "data processing agreement", EITHER },
	{ "data processing terms", "data processing agreement", EITHER },
	{ "data processor agreement", "data processing agreement", EITHER },
	{ "data protection agreement", "data processing agreement", EITHER },
	{ "business associate agreement", NULL, EITHER },
	{ "non-disclosure agreement", NULL, EITHER },
	{ "nondisclosure agreement", "non-disclosure agreement", EITHER },
	{ "confidentiality agreement", "non-disclosure agreement", EITHER },
	{ "end user license agreement", NULL, PUBLISHED },
	{ "end-user license agreement", "end user license agreement", PUBLISHED },
	{ "software license agreement", NULL, EITHER },
	{ "content license agreement", NULL, EITHER },
	{ "license agreement", NULL, EITHER },
	{ "licence agreement", "license agreement", EITHER },
	{ "licensing agreement", "license agreement", EITHER },
	{ "franchise", "franchise agreement", NEGOTIATED },
	{ "customer agreement", NULL, EITHER },
	{ "customer business agreement", "customer agreement", EITHER },
	{ "user data policy", "developer terms", PUBLISHED },
	{ "subscription agreement", NULL, EITHER },
	{ "master service agreement", "master services agreement", EITHER },
	{ "master services agreement", NULL, EITHER },
	{ "transition services agreement", NULL, EITHER },
	{ "service agreement", "services agreement", EITHER },
	{ "services agreement", NULL, EITHER },
	{ "servicing agreement", "services agreement", EITHER },
	{ "service level agreement", NULL, EITHER },
	{ "maintenance agreement", NULL, EITHER },
	{ "support agreement", NULL, EITHER },
	{ "hosting agreement", NULL, EITHER },
	{ "outsourcing agreement", NULL, NEGOTIATED },
	{ "consulting agreement", NULL, NEGOTIATED },
	{ "development agreement", NULL, EITHER },
	{ "research agreement", NULL, NEGOTIATED },
	{ "collaboration agreement", NULL, NEGOTIATED },
	{ "cooperation agreement", NULL, NEGOTIATED },
	{ "co-operation agreement", "cooperation agreement", NEGOTIATED },
	{ "strategic alliance agreement", NULL, NEGOTIATED },
	{ "alliance agreement", "strategic alliance agreement", NEGOTIATED },
	{ "joint venture agreement", NULL, NEGOTIATED },
	{ "joint filing agreement", NULL, NEGOTIATED },
	{ "co-branding agreement", NULL, NEGOTIATED },
	{ "cobranding agreement", "co-branding agreement", NEGOTIATED },
	{ "marketing agreement", NULL, EITHER },
	{ "promotion agreement", NULL, NEGOTIATED },
	{ "co-promotion agreement", "promotion agreement", NEGOTIATED },
	{ "sponsorship agreement", NULL, NEGOTIATED },
	{ "endorsement agreement", NULL, NEGOTIATED },
	{ "advertising agreement", NULL, EITHER },
	{ "affiliate agreement", NULL, EITHER },
	{ "agency agreement", NULL, NEGOTIATED },
	{ "distribution agreement", "distributor agreement", NEGOTIATED },
	{ "distributor agreement", NULL, NEGOTIATED },
	{ "distributorship agreement", "distributor agreement", NEGOTIATED },
	{ "reseller agreement", NULL, EITHER },
	{ "franchise agreement", NULL, NEGOTIATED },
	{ "manufacturing agreement", NULL, NEGOTIATED },
	{ "supply agreement", NULL, NEGOTIATED },
	{ "purchase agreement", NULL, EITHER },
	{ "transportation agreement", NULL, NEGOTIATED },
	{ "intellectual property agreement", NULL, NEGOTIATED },
	{ "assignment agreement", NULL, EITHER },
	{ "settlement agreement", NULL, NEGOTIATED },
	{ "employment agreement", NULL, NEGOTIATED },
	{ "lease agreement", NULL, NEGOTIATED },
	{ "non-competition agreement", NULL, EITHER },
	{ "management agreement", NULL, NEGOTIATED },
	{ "web site agreement", "services agreement", EITHER },
	{ "order form", NULL, EITHER },
	{ "statement of work", NULL, EITHER },
	{ "letter agreement", NULL, NEGOTIATED },
	{ "terms", "terms of service", PUBLISHED },
	{ "privacy", "privacy policy", PUBLISHED },
	{ "agreement", NULL, EITHER },
	{ "contract", "agreement", EITHER },
	{ "addendum", "agreement", EITHER },
	{ "policy", NULL, PUBLISHED },
};
#define NTYPES (sizeof(types) / sizeof(*types))
/** The last rows are so common that the others go before, wherever they stand. */
#define NCOMMON 6

/** The row whose phrase comes first among rows [from, to), the longest one at that place; or -1. */
static int first_type(const char *text, const char *end, size_t from, size_t to)
{
	const char *phrases[NTYPES];
	size_t which;

	for (size_t i = from; i < to; i++)
		phrases[i - from] = types[i].phrase;
	return cw_find_any(text, end, phrases, to - from, &which) ? (int)(from + which) : -1;
}

/** The type that one of the first headings names. */
static int type_of_headings(const struct cw_analysis *a)
{
	for (size_t i = 0, seen = 0; i < a->nclauses && i < 60 && seen < 6; i++) {
		const struct cw_clause *c = &a->clauses[i];
		if (c->kind != CW_HEADING)
			continue;
		seen++;
		int found = first_type(a->text + c->span.byte_start, a->text + c->span.byte_end, 0,
				       NTYPES - NCOMMON);
		if (found >= 0)
			return found;
	}
	return -1;
}

static int type_of(const struct cw_reading *r)
{
	int heading = type_of_headings(r->a);

	if (heading >= 0)
		return heading;
	/* A short top first: the body below may name other documents. */
	static const size_t reaches[] = { 160, 700, TITLE_MAX };
	size_t len = strlen(r->head);

	for (size_t i = 0; i < sizeof(reaches) / sizeof(*reaches); i++) {
		size_t n = len < reaches[i] ? len : reaches[i];
		int found = first_type(r->head, r->head + n, 0, NTYPES - NCOMMON);
		if (found >= 0)
			return found;
		if (i == 0)
			found = first_type(r->head, r->head + n, NTYPES - NCOMMON,
					   NTYPES - NCOMMON + 2);
		if (found >= 0)
			return found;
	}
	size_t n = len < TITLE_MAX ? len : TITLE_MAX;
	return first_type(r->head, r->head + n, NTYPES - NCOMMON, NTYPES);
}

void cw_read_type(struct cw_reading *r)
{
	int found = type_of(r);

	r->a->profile.type = found < 0           ? ""
			     : types[found].type ? types[found].type
						 : types[found].phrase;
}

static int way_of(const char *type)
{
	for (size_t i = 0; i < NTYPES; i++) {
		if (strcmp(types[i].type ? types[i].type : types[i].phrase, type) == 0)
			return types[i].way;
	}
	return EITHER;
}

/** Blocks to be signed: nobody signs terms that are published. */
static bool is_signed(const struct cw_reading *r)
{
	static const char *const marks[] = { "in witness whereof",
					     "authorized signature",
					     "signature:",
					     "duly authorized",
					     "by:",
					     "name:" };
	const char *end = r->tail + strlen(r->tail), *p = r->tail;
	size_t which;

	while ((p = cw_find_any(p, end, marks, sizeof(marks) / sizeof(*marks), &which))) {
		/* "By:" also introduces lists; a signature is a line, a blank or a name. */
		if (which < 4 || p == r->tail || p[-1] == '\n' ||
		    strchr("_/-[", p[3 + (p[3] == ' ')]))
			return true;
		p++;
	}
	return false;
}

/** Agreed by clicking, or changed by the publisher alone. */
static bool is_accepted_by_use(const struct cw_reading *r)
{
	static const char *const marks[] = {
		"by clicking",      "by accessing",     "by using",
		"last updated",     "last modified",    "agreeing to these terms",
		"clicking",         "updated:",         "online ordering",
		"previous version", "previous versions"
	};
	size_t len = strlen(r->head);

	return cw_find_any(r->head, r->head + (len < 6000 ? len : 6000), marks,
			   sizeof(marks) / sizeof(*marks), NULL) != NULL;
}

void cw_read_online(struct cw_reading *r)
{
	int way = way_of(r->a->profile.type);
	size_t entities = 0;

	for (size_t i = 0; i < r->parties.count; i++)
		entities += r->parties.at[i].entity;
	/* A clause on its own may name terms that it is no part of: those would say "we" or "you".
	 */
	if (r->a->ntoks < FRAGMENT_WORDS && r->you == 0 && r->we == 0) {
		r->a->profile.online = false;
		return;
	}
	bool spoken = (size_t)r->you * 10000 > r->a->ntoks * YOU_PER_10000;
	/* The publisher may be several companies, but they share one "we". */
	bool between = entities >= 2 && !(spoken && way == PUBLISHED);
	if (way == NEGOTIATED || between)
		r->a->profile.online = false;
	else if (is_signed(r))
		r->a->profile.online = way == PUBLISHED && is_accepted_by_use(r);
	else
		r->a->profile.online = spoken || way == PUBLISHED || is_accepted_by_use(r);
}
