#include "engine/reading.h"

#include <ctype.h>
#include <string.h>

#include "engine/flat.h"

/** Bytes from the top where the title stands. */
#define TITLE_MAX 2500
/** Second persons in ten thousand words of terms that speak to a reader. */
#define YOU_PER_10000 50

static const struct {
	const char *phrase, *type; /**< NULL: the phrase itself */
	bool published; /**< commonly put online by one side */
} types[] = {
	{ "terms of service", NULL, true },
	{ "terms of use", NULL, true },
	{ "terms and conditions of use", "terms of use", true },
	{ "conditions of use", "terms of use", true },
	{ "user agreement", NULL, true },
	{ "service terms", "terms of service", true },
	{ "services terms", "terms of service", true },
	{ "user terms", "terms of service", true },
	{ "website terms", "terms of use", true },
	{ "usage terms", "terms of use", true },
	{ "customer terms", "terms of service", true },
	{ "commercial terms", "commercial terms", true },
	{ "business terms", "commercial terms", true },
	{ "enterprise terms", "commercial terms", true },
	{ "developer terms", NULL, true },
	{ "developer agreement", NULL, true },
	{ "developer policy", "developer terms", true },
	{ "api terms", "developer terms", true },
	{ "api agreement", "developer terms", true },
	{ "terms & conditions", "terms and conditions", true },
	{ "terms and conditions", NULL, true },
	{ "terms of sale", NULL, true },
	{ "general terms", "terms and conditions", true },
	{ "privacy policy", NULL, true },
	{ "privacy notice", "privacy policy", true },
	{ "privacy statement", "privacy policy", true },
	{ "privacy center", "privacy policy", true },
	{ "cookie policy", NULL, true },
	{ "acceptable use policy", NULL, true },
	{ "community guidelines", NULL, true },
	{ "data processing agreement", NULL, false },
	{ "data processing addendum", "data processing agreement", false },
	{ "data processing terms", "data processing agreement", false },
	{ "data processor agreement", "data processing agreement", false },
	{ "data protection agreement", "data processing agreement", false },
	{ "business associate agreement", NULL, false },
	{ "non-disclosure agreement", NULL, false },
	{ "nondisclosure agreement", "non-disclosure agreement", false },
	{ "confidentiality agreement", "non-disclosure agreement", false },
	{ "end user license agreement", NULL, true },
	{ "end-user license agreement", "end user license agreement", true },
	{ "software license agreement", NULL, false },
	{ "content license agreement", NULL, false },
	{ "license agreement", NULL, false },
	{ "licence agreement", "license agreement", false },
	{ "licensing agreement", "license agreement", false },
	{ "subscription agreement", NULL, false },
	{ "master service agreement", "master services agreement", false },
	{ "master services agreement", NULL, false },
	{ "transition services agreement", NULL, false },
	{ "service agreement", "services agreement", false },
	{ "services agreement", NULL, false },
	{ "servicing agreement", "services agreement", false },
	{ "service level agreement", NULL, false },
	{ "maintenance agreement", NULL, false },
	{ "support agreement", NULL, false },
	{ "hosting agreement", NULL, false },
	{ "outsourcing agreement", NULL, false },
	{ "consulting agreement", NULL, false },
	{ "development agreement", NULL, false },
	{ "research agreement", NULL, false },
	{ "collaboration agreement", NULL, false },
	{ "cooperation agreement", NULL, false },
	{ "co-operation agreement", "cooperation agreement", false },
	{ "strategic alliance agreement", NULL, false },
	{ "alliance agreement", "strategic alliance agreement", false },
	{ "joint venture agreement", NULL, false },
	{ "joint filing agreement", NULL, false },
	{ "co-branding agreement", NULL, false },
	{ "cobranding agreement", "co-branding agreement", false },
	{ "marketing agreement", NULL, false },
	{ "promotion agreement", NULL, false },
	{ "co-promotion agreement", "promotion agreement", false },
	{ "sponsorship agreement", NULL, false },
	{ "endorsement agreement", NULL, false },
	{ "advertising agreement", NULL, false },
	{ "affiliate agreement", NULL, false },
	{ "agency agreement", NULL, false },
	{ "distribution agreement", "distributor agreement", false },
	{ "distributor agreement", NULL, false },
	{ "distributorship agreement", "distributor agreement", false },
	{ "reseller agreement", NULL, false },
	{ "franchise agreement", NULL, false },
	{ "manufacturing agreement", NULL, false },
	{ "supply agreement", NULL, false },
	{ "purchase agreement", NULL, false },
	{ "transportation agreement", NULL, false },
	{ "intellectual property agreement", NULL, false },
	{ "assignment agreement", NULL, false },
	{ "settlement agreement", NULL, false },
	{ "employment agreement", NULL, false },
	{ "lease agreement", NULL, false },
	{ "non-competition agreement", NULL, false },
	{ "management agreement", NULL, false },
	{ "web site agreement", "services agreement", false },
	{ "order form", NULL, false },
	{ "statement of work", NULL, false },
	{ "letter agreement", NULL, false },
	{ "terms", "terms of service", true },
	{ "privacy", "privacy policy", true },
	{ "agreement", NULL, false },
	{ "contract", "agreement", false },
	{ "addendum", "agreement", false },
	{ "policy", NULL, true },
};
#define NTYPES (sizeof(types) / sizeof(*types))
/** The last rows are so common that the others go before, wherever they stand. */
#define NCOMMON 6

/**
 * The row whose phrase comes first among rows [from, to); the longer phrase at the same place.
 */
static int first_type(const char *text, const char *end, size_t from, size_t to)
{
	const char *best_at = end;
	size_t best_len = 0;
	int best = -1;

	for (size_t i = from; i < to; i++) {
		const char *p = cw_find_phrase(text, end, types[i].phrase);
		size_t n = strlen(types[i].phrase);
		/* Both end at the same place in "software license agreement". */
		if (!p || p + n > best_at + best_len ||
		    (p + n == best_at + best_len && n < best_len))
			continue;
		if (best >= 0 && p > best_at && p + n != best_at + best_len)
			continue;
		best = (int)i;
		best_at = p;
		best_len = n;
	}
	return best;
}

static int type_of(const struct cw_reading *r)
{
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

static bool published(const char *type)
{
	for (size_t i = 0; i < NTYPES; i++) {
		if (strcmp(types[i].type ? types[i].type : types[i].phrase, type) == 0)
			return types[i].published;
	}
	return false;
}

/** Blocks to be signed: nobody signs terms that are published. */
static bool is_signed(const struct cw_reading *r)
{
	static const char *const signs[] = {
		"in witness whereof", "by:", "authorized signature", "name:", "signature:", "/s/"
	};
	const char *end = r->tail + strlen(r->tail);

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		if (cw_find_phrase(r->tail, end, signs[i]))
			return true;
	}
	return false;
}

void cw_read_online(struct cw_reading *r)
{
	size_t entities = 0;

	for (size_t i = 0; i < r->parties.count; i++)
		entities += r->parties.at[i].entity;
	bool spoken = (size_t)r->you * 10000 > r->a->ntoks * YOU_PER_10000;
	bool type = published(r->a->profile.type);
	if (is_signed(r))
		r->a->profile.online = spoken && type && entities < 2;
	else
		r->a->profile.online = type || (spoken && entities < 2);
}
