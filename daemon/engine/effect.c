#include "engine/effect.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Words that carry grammar or courtesy, not terms. */
static const char *const style[] = {
	"a",       "an",       "the",     "of",     "to",      "in",     "on",    "at",
	"by",      "for",      "with",    "from",   "as",      "and",    "or",    "but",
	"is",      "are",      "be",      "been",   "was",     "were",   "it",    "its",
	"this",    "that",     "these",   "those",  "such",    "which",  "who",   "we",
	"us",      "our",      "you",     "your",   "they",    "their",  "them",  "will",
	"shall",   "can",      "also",    "if",     "when",    "where",  "how",   "have",
	"has",     "had",      "do",      "does",   "so",      "than",   "then",  "here",
	"about",   "into",     "under",   "upon",   "include", "e",      "g",     "etc",
	"example", "see",      "section", "please", "s",       "www",    "com",   "http",
	"https",   "includes", "make",    "sure",   "order",   "ensure", "while", "help",
	"certain", "further",  "both",    "like",   "well",    "more",   "below", "above",
	"noted",   "there",    NULL,
};

/* Counted for the direction of a change, never a change by themselves. */
static const char *const quantities[] = {
	"any", "all", "every", "other", "including", "each", NULL
};

static const char *const negations[] = { "not", "no", "never", "cannot", "neither", "nor", NULL };

static const char *const restrictions[] = { "only",      "solely",     "exclusively",  "strictly",
					    "necessary", "aggregated", "anonymized",   "anonymised",
					    "anonymous", "identified", "deidentified", "delete",
					    "deleted",   "limited",    "limits",       NULL };

static const char *const exceptions[] = { "except",     "unless",   "consent",   "permission",
					  "approval",   "opt",      "opts",      "opted",
					  "opting",     "consents", "without",   "request",
					  "however",    "until",    "excluding", "exception",
					  "exceptions", NULL };

/* A promise that holds now and then.  In a grant they are courtesy. */
static const char *const hedges[] = {
	"may",        "might",     "could",    "intend",     "intends",  "generally",  "currently",
	"typically",  "usually",   "normally", "efforts",    "endeavor", "endeavour",  "aim",
	"strive",     "try",       "attempt",  "reasonable", "possible", "reasonably", "endeavors",
	"endeavours", "presently", "seek",     NULL
};

/* Beginnings of words that give a statement more reach: more purposes, more people, more time. */
static const char *const reach[] = {
	"perpetual",  "irrevocab", "sublicen",  "transferab", "unrestrict", "unlimit",
	"indefinite", "improv",    "enhanc",    "develop",    "promot",     "market",
	"advertis",   "train",     "sell",      "sale",       "moneti",     "commercial",
	"affiliat",   "subsidiar", "partner",   "successor",  "derivativ",  "disclos",
	"surviv",     "biometric", "sensitive", "worldwide",  "royalty",    "forever",
	"benchmark",  "distribut", NULL,
};

/* What a number counts: days of each, 1 for what is no time. */
static const struct {
	const char *word;
	double days;
} units[] = {
	{ "hour", 1.0 / 24 },
	{ "hours", 1.0 / 24 },
	{ "day", 1 },
	{ "days", 1 },
	{ "week", 7 },
	{ "weeks", 7 },
	{ "month", 30 },
	{ "months", 30 },
	{ "year", 365 },
	{ "years", 365 },
	{ "minutes", 1.0 / 1440 },
	{ "times", 1 },
	{ "percent", 1 },
	{ "dollars", 1 },
	{ "euros", 1 },
	{ "million", 1000000 },
	{ "business", 1 },
	{ "calendar", 1 },
	{ "consecutive", 1 },
};

static const char *const numerals[] = {
	"zero",    "one",       "two",      "three",    "four",   "five",     "six",      "seven",
	"eight",   "nine",      "ten",      "eleven",   "twelve", "thirteen", "fourteen", "fifteen",
	"sixteen", "seventeen", "eighteen", "nineteen", "twenty", NULL,
};

static const struct {
	const char *word;
	double value;
} tens[] = {
	{ "thirty", 30 },  { "forty", 40 },  { "fifty", 50 },  { "sixty", 60 },
	{ "seventy", 70 }, { "eighty", 80 }, { "ninety", 90 }, { "hundred", 100 },
};

static const struct {
	const char *term;
	int sense;
} senses[] = {
	{ "liab.cap", 1 },       { "liab.insurance", 1 }, { "gov.unilateral-change", 1 },
	{ "gov.suspension", 1 }, { "data.", -1 },
};

/* Statements that forbid or confine, where "only" and "not" add strength; the other protections
 * promise something, which they take from. */
static const char *const bans[] = { "data.no-training", "data.service-only" };

enum word { STYLE, PLAIN, QUANTITY, NEGATION, RESTRICTION, EXCEPTION, HEDGE, REACH };

static bool is_word(const struct cw_analysis *a, const struct cw_tok *t, const char *word)
{
	return strlen(word) == t->len && strncasecmp(word, a->text + t->start, t->len) == 0;
}

static bool listed(const char *const *list, const struct cw_analysis *a, const struct cw_tok *t)
{
	for (; *list; list++)
		if (is_word(a, t, *list))
			return true;
	return false;
}

static bool begins(const char *const *list, const struct cw_analysis *a, const struct cw_tok *t)
{
	for (; *list; list++)
		if (strlen(*list) <= t->len &&
		    strncasecmp(*list, a->text + t->start, strlen(*list)) == 0)
			return true;
	return false;
}

/** "not limited to" and "without limitation" limit nothing; "may only" is no hedge. */
static enum word idiom(const struct cw_analysis *a, struct cw_words w, uint32_t i, enum word kind)
{
	const struct cw_tok *next = i + 1 < w.n ? &w.at[i + 1] : NULL;

	if (kind == NEGATION && next && (is_word(a, next, "limited") || is_word(a, next, "only")))
		return QUANTITY;
	if (kind == RESTRICTION && i > 0 && is_word(a, &w.at[i - 1], "not"))
		return QUANTITY;
	if (kind == EXCEPTION && next && is_word(a, next, "limitation"))
		return QUANTITY;
	if (kind == HEDGE && next && is_word(a, &w.at[i], "may") &&
	    (listed(negations, a, next) || listed(restrictions, a, next)))
		return STYLE;
	return kind;
}

static enum word kind_of(const struct cw_analysis *a, struct cw_words w, uint32_t i)
{
	static const struct {
		const char *const *list;
		enum word kind;
	} lists[] = {
		{ style, STYLE },          { quantities, QUANTITY },
		{ negations, NEGATION },   { restrictions, RESTRICTION },
		{ exceptions, EXCEPTION }, { hedges, HEDGE },
	};

	for (size_t k = 0; k < sizeof(lists) / sizeof(*lists); k++)
		if (listed(lists[k].list, a, &w.at[i]))
			return idiom(a, w, i, lists[k].kind);
	return begins(reach, a, &w.at[i]) ? REACH : PLAIN;
}

/** Days of the unit that is counted, 0 for none. */
static double unit_after(const struct cw_analysis *a, struct cw_words w, uint32_t i, bool *age)
{
	double days = 0;

	for (uint32_t k = i + 1; k < w.n && k <= i + 3; k++) {
		for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++)
			if (is_word(a, &w.at[k], units[u].word))
				days = units[u].days > days ? units[u].days : days;
		*age |= days > 0 && (is_word(a, &w.at[k], "old") || is_word(a, &w.at[k], "age"));
	}
	return days;
}

static double digits(const char *p, uint32_t len)
{
	char copy[32];
	size_t n = 0;

	for (uint32_t i = 0; i < len && n + 1 < sizeof(copy); i++)
		if (p[i] != ',')
			copy[n++] = p[i];
	copy[n] = '\0';
	return strtod(copy, NULL);
}

static double numeral(const struct cw_analysis *a, const struct cw_tok *t)
{
	for (size_t i = 0; numerals[i]; i++)
		if (is_word(a, t, numerals[i]))
			return (double)i;
	for (size_t i = 0; i < sizeof(tens) / sizeof(*tens); i++)
		if (is_word(a, t, tens[i].word))
			return tens[i].value;
	return -1;
}

/** A sum, a share or a time; section numbers, years and counters of a list are -1. */
static double amount_at(const struct cw_analysis *a, struct cw_words w, uint32_t i, bool *age)
{
	const struct cw_tok *t = &w.at[i];
	const char *p = a->text + t->start;
	double unit = unit_after(a, w, i, age);

	if (!(t->flags & CW_TOK_NUM)) {
		double n = unit > 0 ? numeral(a, t) : -1;
		return n < 0 ? -1 : n * unit;
	}
	bool percent = t->start + t->len < a->len && p[t->len] == '%';
	if (unit == 0 && (t->flags & CW_TOK_MONEY || percent || memchr(p, ',', t->len)))
		unit = 1;
	return unit > 0 ? digits(p, t->len) * unit : -1;
}

static bool is_ban(const char *term_id)
{
	for (size_t i = 0; i < sizeof(bans) / sizeof(*bans); i++)
		if (strncmp(term_id, bans[i], strlen(bans[i])) == 0)
			return true;
	return false;
}

/** Where in the sentence a word stands: behind "except" or "only", words mean the contrary. */
struct place {
	bool risk, ban;
	bool excepted, confined;
};

static int sign_of(const struct place *at)
{
	return at->excepted || (!at->risk && at->confined) ? -1 : 1;
}

static void weigh_word(struct cw_weight *out, const struct place *at, enum word kind)
{
	int sign = sign_of(at);

	switch (kind) {
	case STYLE:
		return;
	case QUANTITY:
		out->net += sign;
		return;
	case HEDGE:
		if (at->risk)
			return;
		out->hedges++;
		out->net--;
		return;
	case NEGATION:
		out->negations++;
		out->net += at->ban ? 1 : -1;
		return;
	case RESTRICTION:
		out->limits++;
		out->net += at->ban ? 1 : -1;
		return;
	case EXCEPTION:
		out->limits++;
		out->net--;
		return;
	case REACH:
		out->wide += sign;
		out->net += sign;
		break;
	case PLAIN:
		break;
	}
	out->words++;
	out->plain += sign;
}

struct cw_weight cw_weigh(const struct cw_analysis *a, struct cw_words w,
			  const unsigned char *common, const char *term_id,
			  enum cw_polarity polarity)
{
	struct cw_weight out = { 0 };
	struct place at = { .risk = polarity != CW_PROTECTION,
			    .ban = polarity == CW_PROTECTION && is_ban(term_id) };

	for (uint32_t i = 0; i < w.n; i++) {
		const struct cw_tok *t = &w.at[i];
		enum word kind = kind_of(a, w, i);

		if (!common[i]) {
			double amount = amount_at(a, w, i, &out.age);
			if (amount >= 0 && out.amount == 0)
				out.amount = amount;
			if (amount >= 0)
				out.words++;
			else if (t->flags & CW_TOK_NUM)
				kind = STYLE;
			else if (kind == PLAIN && t->flags & CW_TOK_CAP && t->flags & CW_TOK_PAREN)
				kind = STYLE; /* an example */
			else if (kind == PLAIN && t->flags & CW_TOK_CAP &&
				 !(t->flags & CW_TOK_SENT))
				out.names++;
			else
				weigh_word(&out, &at, kind);
		}
		at.excepted |= kind == EXCEPTION;
		at.confined |= kind == RESTRICTION;
	}
	return out;
}

int cw_amount_sense(const char *term_id)
{
	for (size_t i = 0; i < sizeof(senses) / sizeof(*senses); i++)
		if (strncmp(term_id, senses[i].term, strlen(senses[i].term)) == 0)
			return senses[i].sense;
	return 0;
}
