#include "engine/reading.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/flat.h"
#include "engine/places.h"

/** Bytes between "governed by" and the name of the law. */
#define REACH 320

/** Words that announce the law of an agreement, and how surely. */
static const struct {
	const char *phrase;
	int sure;
	bool before; /**< the place stands before it: "the laws of Ohio govern" */
} triggers[] = {
	{ "governed", 4, false },
	{ "construed", 4, false },
	{ "interpreted", 4, false },
	{ "govern", 3, true },
	{ "governs", 3, true },
	{ "interpretation", 2, false },
	{ "subject to the laws", 2, false },
	{ "governing law", 2, false },
	{ "applicable law", 2, false },
	{ "choice of law", 2, false },
	{ "law governing", 0, false },
	{ "enforced", 0, false },
	{ "determined", 0, false },
	{ "apply to this", 0, true },
};
/** From here on a place that the table lacks is believed. */
#define SURE_OF_UNKNOWN 4

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
		else if (strncmp(q + n, " of ", 4) == 0 && isupper((unsigned char)q[n + 4]))
			n += 4;
	}
	*out = q;
	return n > 3 && n < 40 ? n : 0;
}

/** Title case of a name in capitals. */
static void recase(char *name)
{
	bool inside = false, shouted = true;

	for (const char *p = name; *p; p++)
		shouted &= !islower((unsigned char)*p);
	for (char *p = name; *p && shouted; p++) {
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
		const char *name = cap ? cw_place_at(p, NULL) : NULL;
		if (!name || !law_of(trigger - from > 60 ? trigger - 60 : from, p, end))
			continue;
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

/** Read a place that the table of places lacks; keeps what is known already. */
static int read_unknown(struct cw_reading *r, const char *from, const char *end)
{
	const char *place;
	size_t n = unknown_place(from, limit(from, end, REACH), &place);
	char *name;

	if (!n)
		return CW_OK;
	name = cw_arena_strndup(&r->a->arena, place, n);
	if (!name)
		return CW_ENOMEM;
	recase(name);
	r->a->profile.governing_law = name;
	return CW_OK;
}

/** Look for the law in one passage; *best is how sure the one found so far is. */
static int read_passage(struct cw_reading *r, const struct cw_passage *p, int *best)
{
	const char *end = p->text + p->len, *law;
	int w = weight(p, r->a) * 4;

	for (size_t t = 0; t < sizeof(triggers) / sizeof(*triggers); t++) {
		int sure = w + triggers[t].sure;
		if (sure <= *best)
			continue;
		const char *q = cw_find_phrase(p->text, end, triggers[t].phrase);
		if (!q)
			continue;
		if (law_in(p->text, triggers[t].before ? p->text : q, end, &law)) {
			r->a->profile.governing_law = law;
			*best = sure;
			return CW_OK;
		}
		if (*best < 0 && triggers[t].sure >= SURE_OF_UNKNOWN) {
			if (read_unknown(r, q, end) < 0)
				return CW_ENOMEM;
			if (r->a->profile.governing_law[0])
				*best = 0;
		}
	}
	return CW_OK;
}

int cw_read_law(struct cw_reading *r)
{
	int best = -1;

	for (size_t i = 0; i < r->npassages; i++) {
		if ((r->passages[i].topics & CW_TOPIC_LAW) &&
		    read_passage(r, cw_passage_at(r, i), &best) < 0)
			return CW_ENOMEM;
	}
	return CW_OK;
}
