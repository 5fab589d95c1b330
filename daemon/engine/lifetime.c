#include "engine/reading.h"

#include <ctype.h>
#include <string.h>

#include "engine/dates.h"
#include "engine/flat.h"
#include "engine/party_name.h"
#include "engine/stretch.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/** `May 1, 2001 (the "Effective Date")` or `"Effective Date" means May 1, 2001` */
static bool effective_in(struct cw_stretch text, struct cw_date *out)
{
	static const char *const defined[] = { "effective date", "commencement date",
					       "start date" };
	static const char *const leads[] = { "means", "shall mean", "is", "shall be",
					     "of",    "as of",      ":" };
	const char *p, *s;
	size_t which;

	while ((p = cw_find_any(text.at, text.end, defined, COUNT(defined), &which))) {
		size_t n = strlen(defined[which]);
		struct cw_stretch left = cw_stretch_before(text, p, 30),
				  right = cw_stretch_after(text, p + n, 60);
		const char *e;
		if (cw_stretch_date(left.at > text.at + 30 ? left.at - 30 : left.at, left.end, out,
				    NULL, &e) &&
		    p - e < 22 && !memchr(e, '.', (size_t)(p - e)))
			return true;
		if (right.at < text.end && *right.at == '"')
			right.at++;
		if (cw_stretch_date(right.at, right.end, out, &s, NULL) &&
		    (CW_ANY(((struct cw_stretch){ right.at, s }), leads) || s - right.at < 4 ||
		     memchr(right.at, ':', (size_t)(s - right.at))) &&
		    !memchr(right.at, '.', (size_t)(s - right.at)))
			return true;
		text.at = p + n;
	}
	return false;
}

/** "shall be effective as of May 1, 2001", "shall commence on May 1, 2001" */
static bool commences_in(struct cw_stretch text, struct cw_date *out)
{
	static const char *const verbs[] = {
		"effective as of",  "effective on",      "is effective",   "be effective",
		"become effective", "becomes effective", "made effective", "commence on",
		"commences on",     "commencing on",     "commencing",     "begin on",
		"beginning on",     "beginning",         "commence",       "begins on",
		"begin on",         "will begin on",     "force on",       "into effect on",
		"start on",         "commenced on",      "effect on",      "effect as of",
		"force on",         "effective from",    "effective this", "effective the",
		"effective"
	};
	const char *p, *s;

	while ((p = CW_ANY(text, verbs))) {
		struct cw_stretch near = cw_stretch_after(text, p, 60);
		if (cw_stretch_date(near.at, near.end, out, &s, NULL) && s - p < 42)
			return true;
		text.at = p + 1;
	}
	return false;
}

static bool speaks_of_agreement(struct cw_stretch s)
{
	static const char *const words[] = { "agreement",    "contract",    "initial term",
					     "term of this", "term hereof", "the term",
					     "term shall",   "term will",   "addendum",
					     "amendment",    "term:",       "\"term\"",
					     "license" };

	return CW_ANY(s, words) != NULL;
}

static bool find_effective(struct cw_reading *r, struct cw_date *out)
{
	size_t len = strlen(r->head);
	struct cw_stretch head = { r->head, r->head + (len < 14000 ? len : 14000) };

	if (effective_in(head, out))
		return true;
	for (size_t i = 0; i < r->npassages; i++) {
		if (!(r->passages[i].topics & CW_TOPIC_EFFECT))
			continue;
		const struct cw_passage *p = cw_passage_at(r, i);
		struct cw_stretch s = { p->text, p->text + p->len };
		if (effective_in(s, out))
			return true;
		if (speaks_of_agreement(s) && commences_in(s, out))
			return true;
	}
	return false;
}

static const char *const not_the_term[] = {
	"confidential", "confidentiality", "warranty", "surviv", "survive",     "survival",
	"audit",        "insurance",       "invoice",  "cure",   "non-compete", "restricted period",
	"records",      "lease",           "payment",  "option", "compete",     "solicit"
};

/** "until May 1, 2006", "shall expire on May 1, 2006" */
static bool ends_on(struct cw_stretch s, struct cw_date *out)
{
	static const char *const verbs[] = { "until",
					     "expire",
					     "expires",
					     "expiring",
					     "expiration date",
					     "terminate on",
					     "terminates on",
					     "terminate automatically",
					     "terminate",
					     "ending",
					     "end on",
					     "ends on",
					     "end",
					     "through",
					     "concluding",
					     "terminating",
					     "termination date",
					     "to and including",
					     "up to",
					     "ends" };
	const char *p, *q;
	bool ok = false;

	while (!ok && (p = CW_ANY(s, verbs))) {
		struct cw_stretch near = cw_stretch_after(s, p, 75);
		ok = cw_stretch_date(near.at, near.end, out, &q, NULL) &&
		     !memchr(p, ';', (size_t)(q - p));
		if (ok && CW_ANY(((struct cw_stretch){ p, q }),
				 ((const char *const[]){ "from", "commencing", "beginning", "dated",
							 "after" })))
			ok = false;
		s.at = p + 1;
	}
	return ok;
}

/**
 * "for a period of five (5) years from the Effective Date", "shall continue for three years",
 * "until the fifth anniversary of the Effective Date"
 * @param out_rest  what stands behind the duration
 */
static bool lasts(struct cw_stretch s, struct cw_duration *out, struct cw_stretch *out_rest)
{
	static const char *const verbs[] = {
		"continue",       "continues",
		"remain",         "remains",
		"period of",      "term of",
		"be for",         "is for",
		"initial term",   "until",
		"expire",         "expires",
		"terminate on",   "end on",
		"duration",       "in effect for",
		"in force for",   "valid for",
		"effective for",  "for an initial",
		"term shall be",  "term is",
		"be in effect",   "ends on",
		"conclude",       "term:",
		"anniversary",    "effective term",
		"term will be",   "for a term",
		"last for",       "terminates",
		"expiring",       "term from",
		"term",           "agreement shall be",
		"agreement is",   "agreement will be",
		"through",        "extend for",
		"concluding",     "end",
		"initial period", "extends for",
	};
	static const char *const others[] = { "notice",     "each",       "renew",     "renewal",
					      "additional", "renewed",    "extension", "successive",
					      "default",    "breach",     "within",    "at least",
					      "receipt",    "days after", "every",     "last",
					      "first year", "extended" };
	static const char *const behind[] = { "notice",
					      "prior written",
					      "prior notice",
					      "advance",
					      "written",
					      "following termination",
					      "after termination",
					      "after the termination",
					      "after expiration",
					      "before",
					      "prior to the" };
	const char *p;
	size_t which;

	while ((p = cw_find_any(s.at, s.end, verbs, COUNT(verbs), &which))) {
		struct cw_stretch near = cw_stretch_after(s, p, 130);
		size_t from, to;
		near.at += strlen(verbs[which]);
		if (near.at < near.end &&
		    cw_duration_find(near.at, (size_t)(near.end - near.at), out, &from, &to)) {
			struct cw_stretch gap = { near.at, near.at + from };
			*out_rest = cw_stretch_after(s, near.at + to, 90);
			bool long_enough = out->months >= 1 || out->days >= 28;
			if (long_enough && !CW_ANY(gap, others) &&
			    !CW_ANY(cw_stretch_after(s, near.at + to, 32), behind))
				return true;
		}
		s.at = p + 1;
	}
	return false;
}

static bool iso_date(const char *iso, struct cw_date *out)
{
	return iso[0] && cw_date_parse_iso(iso, out);
}

/** The day from which the duration that stands before `rest` is counted. */
static bool start_of_term(const struct cw_reading *r, struct cw_stretch s, struct cw_stretch rest,
			  struct cw_date *out)
{
	/* From a day that the text does not fix: a launch, a first sale, a delivery. */
	static const char *const unfixed[] = {
		"launch",      "first commercial",  "commercial operation",
		"acceptance",  "delivery",          "opening",
		"closing",     "completion",        "regulatory approval",
		"first sale",  "installation",      "go-live",
		"go live",     "distribution date", "service commencement",
		"termination", "expiration"
	};
	static const char *const today[] = { "date hereof",
					     "date of this agreement",
					     "date first",
					     "execution date",
					     "date of the agreement",
					     "execution of this",
					     "date of execution",
					     "signing" };
	static const char *const fixed[] = { "effective date", "commencement date", "date hereof",
					     "start date",     "first written",     "first above",
					     "first set" };
	static const char *const counted[] = { "from",       "after",     "following",
					       "commencing", "beginning", "starting" };
	const struct cw_profile *p = &r->a->profile;

	if (CW_ANY(rest, today) && iso_date(p->agreement_date, out))
		return true;
	if (!CW_ANY(rest, fixed)) {
		if (commences_in(s, out))
			return true;
		struct cw_stretch from = cw_stretch_after(
			rest, rest.at + (rest.at < rest.end && *rest.at == ' '), 60);
		if (CW_ONE_OF(from.at, counted) && CW_ANY(from, unfixed))
			return false;
	}
	return iso_date(p->effective_date, out) || iso_date(p->agreement_date, out);
}

/** Periods inside the term, of which agreements define many. */
static const char *const periods[] = { "calendar quarter", "calendar year",     "contract year",
				       "fiscal year",      "fiscal quarter",    "first year",
				       "quarter",          "change of control", "whereas",
				       "schedule" };

static const char *heading_of(const struct cw_reading *r, const struct cw_passage *p)
{
	const char *heading = r->a->clauses[p->clause].heading;

	return heading ? heading : "";
}

/** How sure a sentence is about the end of this agreement; sets *out when it names one. */
static int end_in(const struct cw_reading *r, const struct cw_passage *p, struct cw_stretch s,
		  struct cw_date *out)
{
	static const char *const strong[] = { "this agreement shall",   "this agreement will",
					      "term of this agreement", "term of the agreement",
					      "initial term",           "term of this contract",
					      "this agreement is",      "this agreement commences",
					      "this contract",          "the term shall",
					      "the term will",          "term of agreement",
					      "this agreement may",     "effective term",
					      "the term of this",       "the term hereof",
					      "agreement is for" };
	static const char *const titles[] = { "term", "duration", "term and termination", "terms" };
	const char *heading = heading_of(r, p);
	struct cw_stretch title = { heading, heading + strlen(heading) };
	static const char *const defines[] = { "initial term\"", "the \"term\"", "\"term\"",
					       "initial term)", "initial period\"" };
	struct cw_duration last;
	struct cw_stretch rest;
	int sure = 0;

	if (!speaks_of_agreement(s) && !CW_ANY(title, titles))
		return 0;
	sure += CW_ANY(s, strong) ? 3 : 0;
	sure += CW_ANY(title, titles) ? 2 : 0;
	sure -= CW_ANY(s, not_the_term) ? 3 : 0;
	sure -= CW_ANY(s, periods) ? 4 : 0;
	sure += CW_ANY(s, ((const char *const[]){ "unless", "earlier", "subject to", "commence",
						  "effective date" }))
			? 1
			: 0;
	sure += CW_ANY(s, defines) ? 1 : 0;
	if (sure < 1)
		return 0;
	if (ends_on(s, out))
		return sure + 2;
	if (!lasts(s, &last, &rest) || !start_of_term(r, s, rest, out))
		return 0;
	*out = cw_date_add_days(cw_date_add_months(*out, last.months), last.days);
	return sure + 1;
}

static void find_expiration(struct cw_reading *r, char out[CW_DATE_SIZE])
{
	int best = 2;

	for (size_t i = 0; i < r->npassages; i++) {
		if (!(r->passages[i].topics & CW_TOPIC_TERM))
			continue;
		const struct cw_passage *p = cw_passage_at(r, i);
		struct cw_stretch s = { p->text, p->text + p->len };
		struct cw_date d;
		int sure = end_in(r, p, s, &d);
		if (sure <= best)
			continue;
		best = sure;
		cw_date_format(d, out);
	}
}

void cw_read_dates(struct cw_reading *r)
{
	struct cw_profile *p = &r->a->profile;
	struct cw_date d;

	if (p->online) {
		cw_read_published_days(r);
		return;
	}
	if (cw_find_day(r, &d))
		cw_date_format(d, p->agreement_date);
	if (find_effective(r, &d))
		cw_date_format(d, p->effective_date);
	else
		memcpy(p->effective_date, p->agreement_date, sizeof(p->effective_date));
	if (!p->agreement_date[0])
		memcpy(p->agreement_date, p->effective_date, sizeof(p->agreement_date));
	find_expiration(r, p->expiration_date);
}
