#include "engine/reading.h"

#include <ctype.h>
#include <string.h>

#include "engine/dates.h"
#include "engine/flat.h"
#include "engine/party_name.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/** A stretch of simple text. */
struct part {
	const char *at, *end;
};

static const char *any_phrase(struct part p, const char *const *words, size_t count)
{
	return cw_find_any(p.at, p.end, words, count, NULL);
}
#define ANY(part, words) any_phrase(part, words, COUNT(words))

static bool date_in(const char *from, const char *end, struct cw_date *out, const char **out_start,
		    const char **out_end)
{
	size_t s, e;

	if (from >= end || !cw_date_find(from, (size_t)(end - from), out, &s, &e))
		return false;
	if (out_start)
		*out_start = from + s;
	if (out_end)
		*out_end = from + e;
	return true;
}

static struct part before(const struct part whole, const char *p, size_t reach)
{
	return (struct part){ (size_t)(p - whole.at) > reach ? p - reach : whole.at, p };
}

static struct part after(const struct part whole, const char *p, size_t reach)
{
	return (struct part){ p, (size_t)(whole.end - p) > reach ? p + reach : whole.end };
}

/** Does the text right before p, spaces aside, end with one of the words? */
static bool ends_with(struct part p, const char *const *words, size_t count)
{
	while (p.end > p.at && strchr(" ,:(\"", p.end[-1]))
		p.end--;
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(words[i]);
		if ((size_t)(p.end - p.at) < n)
			continue;
		const char *q = p.end - n;
		if (cw_find_phrase(q, p.end, words[i]) == q && (q == p.at || !cw_word_byte(q[-1])))
			return true;
	}
	return false;
}
#define ENDS(part, words) ends_with(part, words, COUNT(words))

/* ---- the day of the agreement ---- */

static const char *const made[] = { "dated",
				    "dated as of",
				    "made",
				    "entered into",
				    "entered",
				    "executed",
				    "made effective",
				    "is effective",
				    "effective as of",
				    "as of",
				    "signed",
				    "concluded",
				    "date",
				    "reference",
				    "made on",
				    "between",
				    "on the",
				    "this",
				    "effective",
				    "deemed effective",
				    "on",
				    "the",
				    "is dated",
				    "commencing" };
/** The date is of another agreement, or of something else than its making. */
static const char *const other_day[] = { "amended",
					 "original agreement",
					 "incorporated",
					 "organized",
					 "prior agreement",
					 "previously",
					 "expire",
					 "expires",
					 "until",
					 "through",
					 "filed",
					 "rev",
					 "revised",
					 "source",
					 "10-K",
					 "8-K",
					 "10-Q",
					 "S-1",
					 "meeting",
					 "that certain",
					 "act of",
					 "ending",
					 "ended",
					 "pursuant to the",
					 "prior to",
					 "to the",
					 "by and between the parties dated",
					 "fiscal",
					 "registration",
					 "born",
					 "certificate",
					 "form",
					 "no later than",
					 "of the agreement dated",
					 "certain agreement",
					 "entered into that",
					 "parties entered into",
					 "have entered into",
					 "are parties to",
					 "was entered" };

/** How likely the date at [s, e) of the head is the agreement's day. */
static int day_score(struct part head, const char *s, const char *e)
{
	static const char *const tells[] = { "dated",     "made",  "entered",  "executed",
					     "effective", "as of", "agreement" };
	static const char *const signs[] = { "by:", "signature:" };
	static const char *const behind[] = { "effective date",   "the effective date",
					      "agreement date",   "signing date",
					      "execution date",   "date of this agreement",
					      "commencement date" };
	struct part left = before(head, s, 110), right = after(head, e, 45);
	const char *line = s;
	int score = 0;

	while (line > left.at && line[-1] != '\n')
		line--;
	left.at = line;
	if (ENDS(left, made))
		score += 3;
	if (ANY(left, tells))
		score += 2;
	if (*right.at == ' ' && (right.at[1] == '(' || right.at[1] == '"') && ANY(right, behind))
		score += 1;
	else if (*right.at == ',' && ANY(right, behind))
		score += 1;
	if (ANY(right,
		((const char *const[]){ "by and between", "between", "among", "by and among" })))
		score += 2;
	if (ANY(left, other_day) || ANY(before(head, s, 250), signs))
		score -= 5;
	/* Alone on its line, as on a title page. */
	if (s == line && (*e == '\n' || *e == '\0'))
		score += 2;
	return score;
}

static bool day_from_head(const struct cw_reading *r, size_t reach, int least, struct cw_date *out)
{
	size_t len = strlen(r->head);
	struct part head = { r->head, r->head + (len < reach ? len : reach) };
	const char *p = head.at, *s, *e, *last = NULL;
	struct cw_date d;
	int best = least;

	while (date_in(p, head.end, &d, &s, &e)) {
		int score = day_score(head, s, e) - (int)((s - head.at) / 3000);
		/* "entered into on the 5th and effective as of the 1st": made on the first named.
		 */
		bool near = last && s - last < 220 && best >= 4;
		if (score > best + (near ? 4 : 0)) {
			best = score;
			last = s;
			*out = d;
		}
		p = e;
	}
	return best > least;
}

static int compare_dates(struct cw_date a, struct cw_date b)
{
	if (a.year != b.year)
		return a.year - b.year;
	return a.month != b.month ? a.month - b.month : a.day - b.day;
}

/** The last date beside a signature: by then all had signed. */
static bool day_from_signatures(const struct cw_reading *r, struct cw_date *out)
{
	static const char *const signs[] = {
		"date:", "date", "dated:", "dated", "signed", "on this"
	};
	struct part tail = { r->tail, r->tail + strlen(r->tail) };
	const char *p = tail.at, *s, *e;
	struct cw_date d;
	bool found = false;

	while (date_in(p, tail.end, &d, &s, &e)) {
		struct part left = before(tail, s, 25);
		bool source =
			ANY(before(tail, s, 70), ((const char *const[]){ "source:" })) != NULL;
		if (ANY(left, signs) && !source && (!found || compare_dates(d, *out) > 0)) {
			*out = d;
			found = true;
		}
		p = e;
	}
	return found;
}

/** "Last updated: May 1, 2020", "Effective May 1, 2020" of published terms. */
static bool published_day(struct part text, const char *const *leads, size_t count,
			  struct cw_date *out)
{
	const char *p;

	while ((p = any_phrase(text, leads, count))) {
		struct part near = after(text, p, 70);
		if (date_in(near.at, near.end, out, NULL, NULL))
			return true;
		text.at = p + 1;
	}
	return false;
}

static void read_published_days(const struct cw_reading *r)
{
	static const char *const updated[] = { "updated",  "revised",     "modified",
					       "revision", "last update", "date of last",
					       "version",  "published",   "changed",
					       "posted",   "amended",     "last edited" };
	static const char *const effective[] = { "effective", "in effect", "effect", "in force",
						 "with effect" };
	struct cw_profile *p = &r->a->profile;
	size_t len = strlen(r->head);
	struct part ends[] = { { r->head, r->head + (len < 3000 ? len : 3000) },
			       { r->tail, r->tail + strlen(r->tail) } };
	struct cw_date d;

	for (size_t i = 0; i < 2; i++) {
		if (!p->agreement_date[0] && published_day(ends[i], updated, COUNT(updated), &d))
			cw_date_format(d, p->agreement_date);
		if (!p->effective_date[0] &&
		    published_day(ends[i], effective, COUNT(effective), &d))
			cw_date_format(d, p->effective_date);
	}
	if (!p->agreement_date[0])
		memcpy(p->agreement_date, p->effective_date, sizeof(p->agreement_date));
}

/* ---- when it takes effect ---- */

/** `May 1, 2001 (the "Effective Date")` or `"Effective Date" means May 1, 2001` */
static bool effective_in(struct part text, struct cw_date *out)
{
	static const char *const defined[] = { "effective date", "commencement date",
					       "start date" };
	static const char *const leads[] = { "means", "shall mean", "is", "shall be",
					     "of",    "as of",      ":" };
	const char *p, *s;
	size_t which;

	while ((p = cw_find_any(text.at, text.end, defined, COUNT(defined), &which))) {
		size_t n = strlen(defined[which]);
		struct part left = before(text, p, 30), right = after(text, p + n, 60);
		const char *e;
		if (date_in(left.at > text.at + 30 ? left.at - 30 : left.at, left.end, out, NULL,
			    &e) &&
		    p - e < 22 && !memchr(e, '.', (size_t)(p - e)))
			return true;
		if (right.at < text.end && *right.at == '"')
			right.at++;
		if (date_in(right.at, right.end, out, &s, NULL) &&
		    (ANY(((struct part){ right.at, s }), leads) || s - right.at < 4 ||
		     memchr(right.at, ':', (size_t)(s - right.at))) &&
		    !memchr(right.at, '.', (size_t)(s - right.at)))
			return true;
		text.at = p + n;
	}
	return false;
}

/** "shall be effective as of May 1, 2001", "shall commence on May 1, 2001" */
static bool commences_in(struct part text, struct cw_date *out)
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

	while ((p = ANY(text, verbs))) {
		struct part near = after(text, p, 60);
		if (date_in(near.at, near.end, out, &s, NULL) && s - p < 42)
			return true;
		text.at = p + 1;
	}
	return false;
}

static bool speaks_of_agreement(struct part s)
{
	static const char *const words[] = { "agreement",    "contract",    "initial term",
					     "term of this", "term hereof", "the term",
					     "term shall",   "term will",   "addendum",
					     "amendment",    "term:",       "\"term\"",
					     "license" };

	return ANY(s, words) != NULL;
}

static bool find_effective(struct cw_reading *r, struct cw_date *out)
{
	size_t len = strlen(r->head);
	struct part head = { r->head, r->head + (len < 14000 ? len : 14000) };

	if (effective_in(head, out))
		return true;
	for (size_t i = 0; i < r->npassages; i++) {
		if (!(r->passages[i].topics & CW_TOPIC_EFFECT))
			continue;
		const struct cw_passage *p = cw_passage_at(r, i);
		struct part s = { p->text, p->text + p->len };
		if (effective_in(s, out))
			return true;
		if (speaks_of_agreement(s) && commences_in(s, out))
			return true;
	}
	return false;
}

/* ---- when it ends ---- */

static const char *const not_the_term[] = {
	"confidential", "confidentiality", "warranty", "surviv", "survive",     "survival",
	"audit",        "insurance",       "invoice",  "cure",   "non-compete", "restricted period",
	"records",      "lease",           "payment",  "option", "compete",     "solicit"
};

/** "until May 1, 2006", "shall expire on May 1, 2006" */
static bool ends_on(struct part s, struct cw_date *out)
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

	while (!ok && (p = ANY(s, verbs))) {
		struct part near = after(s, p, 75);
		ok = date_in(near.at, near.end, out, &q, NULL) && !memchr(p, ';', (size_t)(q - p));
		if (ok && ANY(((struct part){ p, q }),
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
static bool lasts(struct part s, struct cw_duration *out, struct part *out_rest)
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
		struct part near = after(s, p, 130);
		size_t from, to;
		near.at += strlen(verbs[which]);
		if (near.at < near.end &&
		    cw_duration_find(near.at, (size_t)(near.end - near.at), out, &from, &to)) {
			struct part gap = { near.at, near.at + from };
			*out_rest = after(s, near.at + to, 90);
			bool long_enough = out->months >= 1 || out->days >= 28;
			if (long_enough && !ANY(gap, others) &&
			    !ANY(after(s, near.at + to, 32), behind))
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
static bool start_of_term(const struct cw_reading *r, struct part s, struct part rest,
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

	if (ANY(rest, today) && iso_date(p->agreement_date, out))
		return true;
	if (!ANY(rest, fixed)) {
		if (commences_in(s, out))
			return true;
		struct part from =
			after(rest, rest.at + (rest.at < rest.end && *rest.at == ' '), 60);
		if (CW_ONE_OF(from.at, counted) && ANY(from, unfixed))
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
static int end_in(const struct cw_reading *r, const struct cw_passage *p, struct part s,
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
	struct part title = { heading, heading + strlen(heading) };
	static const char *const defines[] = { "initial term\"", "the \"term\"", "\"term\"",
					       "initial term)", "initial period\"" };
	struct cw_duration last;
	struct part rest;
	int sure = 0;

	if (!speaks_of_agreement(s) && !ANY(title, titles))
		return 0;
	sure += ANY(s, strong) ? 3 : 0;
	sure += ANY(title, titles) ? 2 : 0;
	sure -= ANY(s, not_the_term) ? 3 : 0;
	sure -= ANY(s, periods) ? 4 : 0;
	sure += ANY(s, ((const char *const[]){ "unless", "earlier", "subject to", "commence",
					       "effective date" }))
			? 1
			: 0;
	sure += ANY(s, defines) ? 1 : 0;
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
		struct part s = { p->text, p->text + p->len };
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
		read_published_days(r);
		return;
	}
	if (day_from_head(r, 14000, 1, &d) || day_from_signatures(r, &d) ||
	    day_from_head(r, 1500, -1, &d))
		cw_date_format(d, p->agreement_date);
	if (find_effective(r, &d))
		cw_date_format(d, p->effective_date);
	else
		memcpy(p->effective_date, p->agreement_date, sizeof(p->effective_date));
	if (!p->agreement_date[0])
		memcpy(p->agreement_date, p->effective_date, sizeof(p->agreement_date));
	find_expiration(r, p->expiration_date);
}

/* ---- renewal ---- */

/** 1 renews by itself, 0 only when somebody acts, -1 says nothing. */
static int renewal_in(struct part s)
{
	static const char *const words[] = {
		"renew",        "renews",         "renewed",
		"renewal",      "renewals",       "extend",
		"extended",     "extends",        "renewing",
		"renewable",    "month to month", "month-to-month",
		"year to year", "year-to-year",   "successive",
		"evergreen",    "from year",      "continue thereafter",
		"extension",    "rolled over"
	};
	static const char *const no[] = { "not automatically renew",
					  "not renew automatically",
					  "not be automatically",
					  "no automatic renewal",
					  "not be renewed automatically",
					  "not be automatically renewed",
					  "shall not be renewed",
					  "not automatically be renewed",
					  "shall not renew",
					  "not automatically extend" };
	static const char *const by_itself[] = { "automatic",
						 "automatically",
						 "month to month",
						 "month-to-month",
						 "year to year",
						 "year-to-year",
						 "shall renew",
						 "will renew",
						 "shall be renewed",
						 "will be renewed",
						 "renews",
						 "is renewed",
						 "evergreen",
						 "shall continue thereafter",
						 "from year",
						 "be deemed renewed",
						 "be deemed to be renewed",
						 "shall be extended for successive",
						 "shall be extended for additional",
						 "shall continue for successive",
						 "continue for additional",
						 "shall be extended for",
						 "shall thereafter",
						 "will thereafter continue",
						 "shall be deemed extended",
						 "shall extend for" };
	static const char *const by_act[] = {
		"may renew",        "may be renewed",  "option to renew",      "options to renew",
		"right to renew",   "renewable",       "may be extended",      "may extend",
		"option to extend", "elect to renew",  "mutual agreement",     "mutual written",
		"mutually agree",   "right to extend", "by written agreement", "may elect",
		"request",          "can be extended", "by agreement",         "consent",
		"entitled to renew"
	};
	static const char *const agreement[] = { "agreement",    "term",        "contract",
						 "subscription", "license",     "plan",
						 "terms",        "appointment", "memberships",
						 "membership" };

	if (!ANY(s, words) || !ANY(s, agreement))
		return -1;
	if (ANY(s, no))
		return 0;
	const char *itself = ANY(s, by_itself), *act = ANY(s, by_act);
	if (itself && (!act || itself < act))
		return 1;
	if (itself &&
	    ANY(s, ((const char *const[]){ "automatically renew", "automatically renewed",
					   "renew automatically", "automatically be renewed",
					   "automatically extended", "automatically be extended",
					   "automatic renewal", "renewed automatically",
					   "automatically extend" })))
		return 1;
	return act ? 0 : -1;
}

/** "at least ninety (90) days prior written notice": in days. */
static int notice_in(struct part s)
{
	static const char *const words[] = { "notice",    "notify",   "notifies",
					     "notifying", "prior to", "before" };
	struct cw_duration d;
	size_t from, to;

	for (struct part rest = s;
	     cw_duration_find(rest.at, (size_t)(rest.end - rest.at), &d, &from, &to);
	     rest.at += to) {
		int days = d.days + d.months * 30;
		struct part near = { rest.at + from > s.at + 60 ? rest.at + from - 60 : s.at,
				     rest.end };
		if (rest.at + to + 60 < near.end)
			near.end = rest.at + to + 60;
		if (days >= 1 && days <= 400 && d.months < 12 && ANY(near, words))
			return days;
	}
	return -1;
}

void cw_read_renewal(struct cw_reading *r)
{
	static const char *const words[] = { "notice", "notify", "notifies" };
	struct cw_profile *profile = &r->a->profile;

	for (size_t i = 0; i < r->npassages && profile->auto_renews < 1; i++) {
		if (!(r->passages[i].topics & CW_TOPIC_RENEWAL))
			continue;
		const struct cw_passage *p = cw_passage_at(r, i);
		struct part s = { p->text, p->text + p->len };
		struct part next = { s.end, p->text + p->total };
		int renews = renewal_in(s);
		if (renews < 0 || renews <= profile->auto_renews)
			continue;
		profile->auto_renews = renews;
		int notice = notice_in(s);
		/* The notice may stand in the next sentence. */
		if (notice < 0 && renews == 1 && ANY(next, words))
			notice = notice_in(next);
		if (notice > 0)
			profile->notice_period_days = notice;
	}
}
