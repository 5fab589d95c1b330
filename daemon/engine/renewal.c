#include "engine/reading.h"

#include <ctype.h>
#include <string.h>

#include "engine/dates.h"
#include "engine/flat.h"
#include "engine/stretch.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/** 1 renews by itself, 0 only when somebody acts, -1 says nothing. */
static int renewal_in(struct cw_stretch s)
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

	if (!CW_ANY(s, words) || !CW_ANY(s, agreement))
		return -1;
	if (CW_ANY(s, no))
		return 0;
	const char *itself = CW_ANY(s, by_itself), *act = CW_ANY(s, by_act);
	if (itself && (!act || itself < act))
		return 1;
	if (itself &&
	    CW_ANY(s, ((const char *const[]){ "automatically renew", "automatically renewed",
					      "renew automatically", "automatically be renewed",
					      "automatically extended", "automatically be extended",
					      "automatic renewal", "renewed automatically",
					      "automatically extend" })))
		return 1;
	return act ? 0 : -1;
}

/** "at least ninety (90) days prior written notice": in days. */
static int notice_in(struct cw_stretch s)
{
	static const char *const words[] = { "notice",    "notify",   "notifies",
					     "notifying", "prior to", "before" };
	struct cw_duration d;
	size_t from, to;

	for (struct cw_stretch rest = s;
	     cw_duration_find(rest.at, (size_t)(rest.end - rest.at), &d, &from, &to);
	     rest.at += to) {
		int days = d.days + d.months * 30;
		struct cw_stretch near = { rest.at + from > s.at + 60 ? rest.at + from - 60 : s.at,
					   rest.end };
		if (rest.at + to + 60 < near.end)
			near.end = rest.at + to + 60;
		if (days >= 1 && days <= 400 && d.months < 12 && CW_ANY(near, words))
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
		struct cw_stretch s = { p->text, p->text + p->len };
		struct cw_stretch next = { s.end, p->text + p->total };
		int renews = renewal_in(s);
		if (renews < 0 || renews <= profile->auto_renews)
			continue;
		profile->auto_renews = renews;
		int notice = notice_in(s);
		/* The notice may stand in the next sentence. */
		if (notice < 0 && renews == 1 && CW_ANY(next, words))
			notice = notice_in(next);
		if (notice > 0)
			profile->notice_period_days = notice;
	}
}
