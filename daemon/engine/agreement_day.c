#include "engine/reading.h"

#include <ctype.h>
#include <string.h>

#include "engine/dates.h"
#include "engine/flat.h"
#include "engine/stretch.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

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
static int day_score(struct cw_stretch head, const char *s, const char *e)
{
	static const char *const tells[] = { "dated",     "made",  "entered",  "executed",
					     "effective", "as of", "agreement" };
	static const char *const signs[] = { "by:", "signature:" };
	static const char *const behind[] = { "effective date",   "the effective date",
					      "agreement date",   "signing date",
					      "execution date",   "date of this agreement",
					      "commencement date" };
	struct cw_stretch left = cw_stretch_before(head, s, 110),
			  right = cw_stretch_after(head, e, 45);
	const char *line = s;
	int score = 0;

	while (line > left.at && line[-1] != '\n')
		line--;
	left.at = line;
	if (CW_ENDS(left, made))
		score += 3;
	if (CW_ANY(left, tells))
		score += 2;
	if (*right.at == ' ' && (right.at[1] == '(' || right.at[1] == '"') && CW_ANY(right, behind))
		score += 1;
	else if (*right.at == ',' && CW_ANY(right, behind))
		score += 1;
	if (CW_ANY(right,
		   ((const char *const[]){ "by and between", "between", "among", "by and among" })))
		score += 2;
	if (CW_ANY(left, other_day) || CW_ANY(cw_stretch_before(head, s, 250), signs))
		score -= 5;
	/* Alone on its line, as on a title page. */
	if (s == line && (*e == '\n' || *e == '\0'))
		score += 2;
	return score;
}

static bool day_from_head(const struct cw_reading *r, size_t reach, int least, struct cw_date *out)
{
	size_t len = strlen(r->head);
	struct cw_stretch head = { r->head, r->head + (len < reach ? len : reach) };
	const char *p = head.at, *s, *e, *last = NULL;
	struct cw_date d;
	int best = least;

	while (cw_stretch_date(p, head.end, &d, &s, &e)) {
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
	struct cw_stretch tail = { r->tail, r->tail + strlen(r->tail) };
	const char *p = tail.at, *s, *e;
	struct cw_date d;
	bool found = false;

	while (cw_stretch_date(p, tail.end, &d, &s, &e)) {
		struct cw_stretch left = cw_stretch_before(tail, s, 25);
		bool source = CW_ANY(cw_stretch_before(tail, s, 70),
				     ((const char *const[]){ "source:" })) != NULL;
		if (CW_ANY(left, signs) && !source && (!found || compare_dates(d, *out) > 0)) {
			*out = d;
			found = true;
		}
		p = e;
	}
	return found;
}

/** "Last updated: May 1, 2020", "Effective May 1, 2020" of published terms. */
static bool published_day(struct cw_stretch text, const char *const *leads, size_t count,
			  struct cw_date *out)
{
	const char *p;

	while ((p = cw_stretch_find(text, leads, count))) {
		struct cw_stretch near = cw_stretch_after(text, p, 70);
		if (cw_stretch_date(near.at, near.end, out, NULL, NULL))
			return true;
		text.at = p + 1;
	}
	return false;
}

void cw_read_published_days(const struct cw_reading *r)
{
	static const char *const updated[] = { "updated",  "revised",     "modified",
					       "revision", "last update", "date of last",
					       "version",  "published",   "changed",
					       "posted",   "amended",     "last edited" };
	static const char *const effective[] = { "effective", "in effect", "effect", "in force",
						 "with effect" };
	struct cw_profile *p = &r->a->profile;
	size_t len = strlen(r->head);
	struct cw_stretch ends[] = { { r->head, r->head + (len < 3000 ? len : 3000) },
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

bool cw_find_day(const struct cw_reading *r, struct cw_date *out)
{
	return day_from_head(r, 14000, 1, out) || day_from_signatures(r, out) ||
	       day_from_head(r, 1500, -1, out);
}
