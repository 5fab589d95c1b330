#include "engine/reading.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/flat.h"

/** Bytes between "governed by" and the name of the law. */
#define REACH 320

/** Names as the text has them, longer before the shorter they contain; NULL: shown as written. */
static const struct {
	const char *name, *shown;
} jurisdictions[] = {
	{ "Alabama", NULL },
	{ "Alaska", NULL },
	{ "Arizona", NULL },
	{ "Arkansas", NULL },
	{ "California", NULL },
	{ "Colorado", NULL },
	{ "Connecticut", NULL },
	{ "Delaware", NULL },
	{ "District of Columbia", NULL },
	{ "Washington, D.C.", "District of Columbia" },
	{ "Florida", NULL },
	{ "Georgia", NULL },
	{ "Hawaii", NULL },
	{ "Idaho", NULL },
	{ "Illinois", NULL },
	{ "Indiana", NULL },
	{ "Iowa", NULL },
	{ "Kansas", NULL },
	{ "Kentucky", NULL },
	{ "Louisiana", NULL },
	{ "Maine", NULL },
	{ "Maryland", NULL },
	{ "Massachusetts", NULL },
	{ "Michigan", NULL },
	{ "Minnesota", NULL },
	{ "Mississippi", NULL },
	{ "Missouri", NULL },
	{ "Montana", NULL },
	{ "Nebraska", NULL },
	{ "Nevada", NULL },
	{ "New Hampshire", NULL },
	{ "New Jersey", NULL },
	{ "New Mexico", NULL },
	{ "New York", NULL },
	{ "North Carolina", NULL },
	{ "North Dakota", NULL },
	{ "Ohio", NULL },
	{ "Oklahoma", NULL },
	{ "Oregon", NULL },
	{ "Pennsylvania", NULL },
	{ "Rhode Island", NULL },
	{ "South Carolina", NULL },
	{ "South Dakota", NULL },
	{ "Tennessee", NULL },
	{ "Texas", NULL },
	{ "Utah", NULL },
	{ "Vermont", NULL },
	{ "Virginia", NULL },
	{ "Washington", NULL },
	{ "West Virginia", NULL },
	{ "Wisconsin", NULL },
	{ "Wyoming", NULL },
	{ "Puerto Rico", NULL },
	{ "England and Wales", NULL },
	{ "England & Wales", "England and Wales" },
	{ "England", NULL },
	{ "English", "England" },
	{ "Scotland", NULL },
	{ "Northern Ireland", NULL },
	{ "United Kingdom", NULL },
	{ "Ireland", NULL },
	{ "Irish", "Ireland" },
	{ "Wales", NULL },
	{ "Jersey", NULL },
	{ "Guernsey", NULL },
	{ "Isle of Man", NULL },
	{ "Bermuda", NULL },
	{ "Cayman Islands", NULL },
	{ "British Virgin Islands", NULL },
	{ "Bahamas", NULL },
	{ "Alberta", NULL },
	{ "British Columbia", NULL },
	{ "Manitoba", NULL },
	{ "New Brunswick", NULL },
	{ "Newfoundland", NULL },
	{ "Nova Scotia", NULL },
	{ "Ontario", NULL },
	{ "Prince Edward Island", NULL },
	{ "Quebec", NULL },
	{ "Qu\xc3\xa9"
	  "bec",
	  "Quebec" },
	{ "Saskatchewan", NULL },
	{ "Canada", NULL },
	{ "New South Wales", NULL },
	{ "Queensland", NULL },
	{ "Victoria", NULL },
	{ "Western Australia", NULL },
	{ "South Australia", NULL },
	{ "Tasmania", NULL },
	{ "Australia", NULL },
	{ "New Zealand", NULL },
	{ "Papua New Guinea", NULL },
	{ "Hong Kong", NULL },
	{ "Macau", NULL },
	{ "Republic of China", "Taiwan" },
	{ "Taiwan", NULL },
	{ "People's Republic of China", NULL },
	{ "PRC", "People's Republic of China" },
	{ "P.R.C.", "People's Republic of China" },
	{ "P.R. China", "People's Republic of China" },
	{ "China", NULL },
	{ "Chinese", "China" },
	{ "Japan", NULL },
	{ "Japanese", "Japan" },
	{ "Republic of Korea", "South Korea" },
	{ "Korea", "South Korea" },
	{ "Singapore", NULL },
	{ "Malaysia", NULL },
	{ "Thailand", NULL },
	{ "Vietnam", NULL },
	{ "Philippines", NULL },
	{ "Indonesia", NULL },
	{ "India", NULL },
	{ "Pakistan", NULL },
	{ "Bangladesh", NULL },
	{ "Sri Lanka", NULL },
	{ "Kazakhstan", NULL },
	{ "Russian Federation", "Russia" },
	{ "Russia", NULL },
	{ "Ukraine", NULL },
	{ "Israel", NULL },
	{ "Turkey", NULL },
	{ "Egypt", NULL },
	{ "United Arab Emirates", NULL },
	{ "Dubai", NULL },
	{ "Saudi Arabia", NULL },
	{ "Qatar", NULL },
	{ "Germany", NULL },
	{ "German", "Germany" },
	{ "Austria", NULL },
	{ "Switzerland", NULL },
	{ "Swiss", "Switzerland" },
	{ "Liechtenstein", NULL },
	{ "Luxembourg", NULL },
	{ "Netherlands", NULL },
	{ "Dutch", "Netherlands" },
	{ "Belgium", NULL },
	{ "Belgian", "Belgium" },
	{ "France", NULL },
	{ "French", "France" },
	{ "Spain", NULL },
	{ "Spanish", "Spain" },
	{ "Portugal", NULL },
	{ "Italy", NULL },
	{ "Italian", "Italy" },
	{ "Malta", NULL },
	{ "Cyprus", NULL },
	{ "Greece", NULL },
	{ "Denmark", NULL },
	{ "Danish", "Denmark" },
	{ "Sweden", NULL },
	{ "Swedish", "Sweden" },
	{ "Norway", NULL },
	{ "Norwegian", "Norway" },
	{ "Finland", NULL },
	{ "Finnish", "Finland" },
	{ "Iceland", NULL },
	{ "Estonia", NULL },
	{ "Latvia", NULL },
	{ "Lithuania", NULL },
	{ "Poland", NULL },
	{ "Polish", "Poland" },
	{ "Czech Republic", NULL },
	{ "Slovakia", NULL },
	{ "Hungary", NULL },
	{ "Romania", NULL },
	{ "Bulgaria", NULL },
	{ "Croatia", NULL },
	{ "Slovenia", NULL },
	{ "Serbia", NULL },
	{ "Mexico", NULL },
	{ "Brazil", NULL },
	{ "Argentina", NULL },
	{ "Chile", NULL },
	{ "Colombia", NULL },
	{ "Peru", NULL },
	{ "Panama", NULL },
	{ "Costa Rica", NULL },
	{ "Uruguay", NULL },
	{ "South Africa", NULL },
	{ "Nigeria", NULL },
	{ "Kenya", NULL },
	{ "Ghana", NULL },
	{ "Mauritius", NULL },
	{ "Marshall Islands", NULL },
	{ "Liberia", NULL },
	{ "United States", NULL },
	{ "U.S.", "United States" },
	{ "R.O.C.", "Taiwan" },
	{ "European Union", NULL },
};

static const char *const triggers[] = {
	"governed",      "construed",      "interpreted",   "interpretation", "subject to the laws",
	"governing law", "applicable law", "choice of law", "law governing",  "enforced",
	"determined",    "subject to and", "apply to this", "laws of"
};

/** The jurisdiction that begins at p; returns its index or -1. */
static int jurisdiction_at(const char *p)
{
	int best = -1;
	size_t longest = 0;

	for (size_t i = 0; i < sizeof(jurisdictions) / sizeof(*jurisdictions); i++) {
		size_t n = strlen(jurisdictions[i].name);
		if (*jurisdictions[i].name != *p || n <= longest ||
		    !cw_starts_word(p, jurisdictions[i].name))
			continue;
		best = (int)i;
		longest = n;
	}
	return best;
}

static const char *limit(const char *p, const char *end, size_t reach)
{
	return (size_t)(end - p) > reach ? p + reach : end;
}

/**
 * Is the place at p the one whose law is meant?  "laws of the State of X" stands before it, or
 * "law" right behind it ("X law").
 */
static bool law_of(const char *from, const char *p, const char *end)
{
	static const char *const words[] = { "laws", "law", "statutes", "legislation" };
	const char *back = p - from > 110 ? p - 110 : from;
	const char *ahead = limit(p, end, 60);

	for (size_t i = 0; i < 4; i++) {
		if (cw_find_phrase(back, p, words[i]) || cw_find_phrase(p, ahead, words[i]))
			return true;
	}
	return false;
}

static bool name_letters(char c)
{
	return isalpha((unsigned char)c) || (unsigned char)c >= 0x80;
}

/** "laws of the Republic of Utopia": a place the table does not know. */
static size_t unknown_place(const char *p, const char *end, const char **out)
{
	const char *q = cw_find_phrase(p, end, "laws of");

	if (q)
		q += strlen("laws of");
	else if ((q = cw_find_phrase(p, end, "law of")))
		q += strlen("law of");
	else
		return 0;
	for (;;) {
		q += *q == ' ';
		if (cw_starts_word(q, "the"))
			q += 3;
		else if (cw_starts_word(q, "state of") || cw_starts_word(q, "province of"))
			q += strcspn(q, " ");
		else if (cw_starts_word(q, "of"))
			q += 2;
		else
			break;
	}
	size_t n = 0;
	while (q + n < end && isupper((unsigned char)q[n])) {
		while (name_letters(q[n]))
			n++;
		if (q[n] == ' ' && isupper((unsigned char)q[n + 1]))
			n++;
	}
	*out = q;
	return n > 3 && n < 40 ? n : 0;
}

/** Title case of a name in capitals. */
static void recase(char *name)
{
	bool inside = false;

	for (char *p = name; *p; p++) {
		if (inside)
			*p = (char)tolower((unsigned char)*p);
		inside = name_letters(*p);
	}
}

/**
 * Read the law behind a trigger; false when the passage names none.  A state goes before the
 * federation named with it.
 */
static bool law_in(const char *from, const char *trigger, const char *end, const char **out)
{
	static const char federal[] = "United States";
	const char *stop = limit(trigger, end, REACH);
	bool found = false;

	for (const char *p = trigger; p < stop; p++) {
		bool cap = isupper((unsigned char)*p) && (p == from || !cw_word_byte(p[-1]));
		int i = cap ? jurisdiction_at(p) : -1;
		if (i < 0 || !law_of(trigger - from > 60 ? trigger - 60 : from, p, end))
			continue;
		const char *name =
			jurisdictions[i].shown ? jurisdictions[i].shown : jurisdictions[i].name;
		if (found && strcmp(name, federal) == 0)
			continue;
		*out = name;
		found = true;
		if (strcmp(name, federal) != 0)
			return true;
		stop = limit(p, stop, 90);
	}
	return found;
}

/** How surely a passage speaks of the law of this agreement. */
static int weight(const struct cw_passage *p, const struct cw_analysis *a)
{
	static const char *const strong[] = { "agreement", "contract", "terms", "amendment",
					      "addendum",  "license",  "policy" };
	static const char *const titles[] = { "governing law", "applicable law", "choice of law",
					      "law",           "jurisdiction",   "governing",
					      "laws" };
	const char *end = p->text + p->len, *heading = a->clauses[p->clause].heading;
	int w = 0;

	for (size_t i = 0; i < sizeof(strong) / sizeof(*strong) && !w; i++)
		w += cw_find_phrase(p->text, end, strong[i]) != NULL;
	for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++) {
		if (cw_find_phrase(heading, heading + strlen(heading), titles[i]))
			return w + 2;
	}
	return w;
}

int cw_read_law(struct cw_reading *r)
{
	struct cw_profile *profile = &r->a->profile;
	int best = -1;

	profile->governing_law = "";
	for (size_t i = 0; i < r->npassages; i++) {
		const struct cw_passage *p = &r->passages[i];
		const char *end = p->text + p->len, *law, *place;
		bool found = false;

		if (!(p->topics & CW_TOPIC_LAW))
			continue;
		int w = weight(p, r->a) * 4;
		for (size_t t = 0; t < sizeof(triggers) / sizeof(*triggers) && !found; t++) {
			const char *q = cw_find_phrase(p->text, end, triggers[t]);
			int bonus = t < 3 ? 4 : t < 8 ? 2 : 0;
			if (!q || w + bonus <= best)
				continue;
			if (law_in(p->text, q, end, &law)) {
				profile->governing_law = law;
				best = w + bonus;
				found = true;
			} else if (t < 3 && best < 0) {
				size_t n = unknown_place(q, limit(q, end, REACH), &place);
				if (!n)
					continue;
				char *name = cw_arena_strndup(&r->a->arena, place, n);
				if (!name)
					return CW_ENOMEM;
				recase(name);
				profile->governing_law = name;
				best = 0;
			}
		}
	}
	return CW_OK;
}
