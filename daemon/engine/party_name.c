#include "engine/party_name.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/dates.h"
#include "engine/flat.h"
#include "engine/places.h"

#define NAME_MAX_BYTES 120

/** What follows the name of a company; a comma may stand before. */
static const char *const endings[] = {
	"inc",
	"incorporated",
	"llc",
	"l.l.c",
	"l.l.c.",
	"ltd",
	"limited",
	"l.p",
	"lp",
	"llp",
	"l.l.p",
	"n.a",
	"corp",
	"corporation",
	"co",
	"company",
	"s.a",
	"sa",
	"s.a.s",
	"sas",
	"s.p.a",
	"spa",
	"s.r.l",
	"srl",
	"gmbh",
	"ag",
	"kg",
	"b.v",
	"bv",
	"n.v",
	"nv",
	"plc",
	"p.l.c",
	"pte",
	"pty",
	"p.c",
	"pc",
	"fsb",
	"f.s.b",
	"g.i.e",
	"s.a.r.l",
	"sarl",
	"s.a r.l",
	"a/s",
	"a.s",
	"s.r.o",
	"d.o.o",
	"aps",
	"ab",
	"oy",
	"asa",
	"as",
	"s.a.b",
	"s.a.b. de c.v",
	"s.a. de c.v",
	"s. de r.l. de c.v",
	"k.k",
	"kk",
	"aktiengesellschaft",
	"ulc",
	"lllp",
	"pllc",
	"p.l.l.c",
	"pbc",
	"bhd",
	"sdn",
	"pvt",
	"s/a",
	"s.e",
	"se",
	"l.c",
	"n.v.s.a",
};

/** Lower-case words that may stand inside a name. */
static const char *const joints[] = { "of",  "the", "de",  "du",  "la", "van", "von",
				      "der", "den", "del", "for", "et", "y",   "e",
				      "in",  "on",  "da",  "dos", "di" };

/** Words that cannot be a name or its beginning. */
static const char *const not_names[] = {
	"agreement",    "this",      "exhibit",     "section",    "article",  "whereas",
	"witnesseth",   "recitals",  "background",  "schedule",   "source",   "page",
	"table",        "effective", "dated",       "party",      "parties",  "now",
	"confidential", "copyright", "date",        "each",       "either",   "all",
	"any",          "such",      "pursuant",    "in",         "if",       "for",
	"that",         "as",        "preamble",    "recital",    "contents", "appendix",
	"annex",        "subject",   "upon",        "when",       "these",    "those",
	"it",           "its",       "their",       "there",      "both",     "i",
	"ii",           "iii",       "terms",       "conditions", "entered",  "made",
	"execution",    "w",         "r",           "b",          "state",    "effective date",
	"premises",     "therefore", "hereinafter", "hereafter",  "from",     "to",
	"with",         "not",       "no",          "private",
};

bool cw_one_of(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (cw_starts_word(text, words[i]))
			return true;
	}
	return false;
}

/** Length of a corporate ending at text with its full stop, 0 when there is none. */
size_t cw_name_ending(const char *text)
{
	size_t best = 0;

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		size_t n = strlen(endings[i]);
		if (n > best && cw_starts_word(text, endings[i]))
			best = n;
	}
	/* The short ones are words of their own unless they are written as names. */
	if (best && islower((unsigned char)text[0]) && best <= 2)
		return 0;
	/* "Reno, NV 89501" */
	if (best == 2 && text[2] == ' ' && isdigit((unsigned char)text[3]))
		return 0;
	if (best && best <= 4 && text[best] == '.' && !cw_starts_word(text, "llc"))
		best++;
	return best;
}

/**
 * Endings that close a name for good: behind them only another ending or "of" goes on.  The others
 * ("Company", "Limited", "AG") are also plain words of names.
 */
static bool strong_ending(const char *p, size_t len)
{
	static const char *const strong[] = { "inc",  "incorporated", "llc",  "ltd",
					      "corp", "corporation",  "gmbh", "plc",
					      "lp",   "llp",          "pllc" };

	if (p[len - 1] == '.')
		return !cw_starts_word(p, "co");
	return CW_ONE_OF(p, strong);
}

/** Any word of a name: it or a letter inside it is a capital, or it begins with a digit. */
bool cw_name_word(const char *p, size_t len)
{
	if (isdigit((unsigned char)*p) || (unsigned char)*p >= 0x80)
		return true;
	for (size_t i = 0; i < len && i < 4; i++) {
		if (isupper((unsigned char)p[i]) || isdigit((unsigned char)p[i]))
			return true;
	}
	return false;
}

/** Bytes of the word at p: letters, digits and what stands inside names. */
size_t cw_name_word_len(const char *p)
{
	size_t n = 0;

	while (cw_word_byte(p[n]) ||
	       (n > 0 && p[n] == '\'' && tolower((unsigned char)p[n - 1]) == 's' &&
		p[n + 1] == ' ') ||
	       (n > 0 && strchr("'-/.!@+", p[n]) && p[n] && cw_word_byte(p[n + 1])) ||
	       (n > 0 && p[n] == '&' && cw_word_byte(p[n + 1])))
		n++;
	return n;
}

/** A full stop that belongs to the word before it: "J.", "Inc.", "Co.", "St.", "N.A.". */
static bool short_form(const char *word, size_t len)
{
	return len == 1 || memchr(word, '.', len) || (len <= 4 && cw_name_ending(word) > len) ||
	       (len <= 4 && isupper((unsigned char)*word) &&
		(len < 4 || cw_starts_word(word, "Bros") || cw_starts_word(word, "Univ") ||
		 cw_starts_word(word, "Intl")));
}

/** "(Beijing)" inside a name: one or two words, and the name goes on behind. */
static size_t inner_paren(const char *p)
{
	size_t n = 1;

	while (n < 30 && p[n] && p[n] != ')' && p[n] != '"' && p[n] != '\n')
		n++;
	if (p[n] != ')' || p[n + 1] != ' ' || !isalpha((unsigned char)p[1]) || n < 4)
		return 0;
	if (cw_starts_word(p + 1, "the") || !cw_name_word(p + 1, n - 1))
		return 0;
	const char *next = p + n + 2;
	return cw_name_ending(next) ||
			       (cw_name_word(next, cw_name_word_len(next)) &&
				!cw_starts_word(next, "and") && !cw_starts_word(next, "AND"))
		       ? n + 1
		       : 0;
}

/** "d/b/a " and the like, behind which the name goes on. */
static size_t trade_len(const char *p)
{
	static const char *const words[] = {
		"d/b/a/",     "d/b/a", "dba",         "d.b.a.", "doing business as",
		"trading as", "t/a",   "operating as"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i]);
		if (strncasecmp(p, words[i], n) == 0 && p[n] == ' ')
			return n + 1;
	}
	return 0;
}

/** "U.S.A., " of "Acme Sales, U.S.A., Inc." */
static size_t country_len(const char *p)
{
	size_t n = cw_name_word_len(p);

	if (!cw_starts_word(p, "USA") && !cw_starts_word(p, "U.S") && !cw_starts_word(p, "U.S.A"))
		return 0;
	n += p[n] == '.';
	if (strncmp(p + n, ", ", 2) == 0)
		n++;
	return p[n] == ' ' && cw_name_ending(p + n + 1) ? n + 1 : 0;
}

/** Is a word that joins parts of a name at p, with a part behind it? */
static size_t joint_len(const char *p, bool entity)
{
	size_t n = cw_name_word_len(p);

	if (*p == '&' || *p == '/' || (*p == '-' && p[1] == ' '))
		return 1;
	for (size_t i = 0; i < sizeof(joints) / sizeof(*joints); i++) {
		if (strlen(joints[i]) != n || strncmp(p, joints[i], n) != 0)
			continue;
		const char *q = p + n;
		if (*q != ' ')
			return 0;
		q++;
		size_t m = cw_name_word_len(q);
		if (m && isupper((unsigned char)*q) &&
		    !(entity && n == 2 && strncmp(p, "in", 2) == 0))
			return n;
		return cw_starts_word(q, "the") || cw_starts_word(q, "la") ? n : 0;
	}
	return 0;
}

/** An ending that is no other word though it is written small: "plc", "a.s.". */
static bool small_ending(const char *p, size_t len)
{
	static const char *const small[] = { "plc", "inc", "llc", "ltd", "gmbh", "corp" };

	return CW_ONE_OF(p, small) || (memchr(p, '.', len) && cw_name_ending(p) >= len);
}

/**
 * Read a name at p.  It ends before a description, a bracket, a comma that no corporate ending
 * follows, or the end of the line.
 */
bool cw_name_read(const char *p, struct cw_name *out)
{
	static const char *const breaks[] = { "whereas",  "between",  "party",       "with",
					      "address",  "recitals", "hereinafter", "by",
					      "provided", "at" };
	struct cw_name n = { p, p, false };
	const char *q = p;
	bool closed = false;

	while (q - p < NAME_MAX_BYTES) {
		size_t len = cw_name_word_len(q), joint;
		if (q > p && (joint = joint_len(q, n.entity))) {
			q += joint;
		} else if (len && (cw_name_word(q, len) || (q > p && small_ending(q, len))) &&
			   !cw_starts_word(q, "AND") &&
			   !(n.entity && (cw_starts_word(q, "A") || cw_starts_word(q, "An")))) {
			size_t ending = q > p ? cw_name_ending(q) : 0;
			if ((closed && !ending && q[-1] != ' ') || (q > p && CW_ONE_OF(q, breaks)))
				break;
			if (closed && !ending && n.end + 1 == q)
				break;
			closed |= ending && strong_ending(q, ending);
			bool stop = q[len] == '.' && short_form(q, len);
			n.entity |= ending > 0;
			q += ending > len ? ending : len + stop;
			n.end = q;
		} else if (*q == '(' && inner_paren(q)) {
			q += inner_paren(q);
			n.end = q;
		} else {
			break;
		}
		if (*q == ',') {
			const char *after = q + 1 + (q[1] == ' ');
			if (trade_len(after)) {
				q = after + trade_len(after);
				closed = false;
				continue;
			}
			if (!cw_name_ending(after) && !country_len(after))
				break;
			q = after + country_len(after);
			continue;
		}
		if (*q != ' ')
			break;
		q++;
		if (trade_len(q)) {
			q += trade_len(q);
			closed = false;
		}
	}
	*out = n;
	return n.end > p;
}

/** A company that writes itself small: "acme.com, inc.". */
bool cw_name_read_small(const char *p, struct cw_name *out)
{
	static const char *const no[] = { "a",   "an", "the",  "of",  "and",
					  "any", "by", "each", "its", "this" };
	const char *q = p;

	for (int i = 0; i < 5; i++) {
		size_t len = cw_name_word_len(q);
		if (!len || CW_ONE_OF(q, no))
			return false;
		q += len;
		q += *q == '.' && i == 0;
		const char *next = q + (*q == ',');
		next += *next == ' ';
		size_t ending =
			isupper((unsigned char)*next) || *q == ',' ? cw_name_ending(next) : 0;
		if (ending) {
			*out = (struct cw_name){ p, next + ending, true };
			return true;
		}
		if (*q != ' ')
			return false;
		q++;
	}
	return false;
}

/** "L8P 0A6", "SW1A 1AA": every word has a digit and nothing of a name is left. */
static bool is_postcode(const struct cw_name *n)
{
	size_t words = 0;

	if (n->entity || n->end - n->start > 8)
		return false;
	for (const char *p = n->start; p < n->end; words++) {
		bool digit = false, letter = false;
		for (; p < n->end && *p != ' '; p++) {
			digit |= isdigit((unsigned char)*p) != 0;
			letter |= isupper((unsigned char)*p) != 0;
		}
		if (!digit || !letter)
			return false;
		p += p < n->end;
	}
	return words == 2;
}

bool cw_name_good(const struct cw_name *n)
{
	size_t len = (size_t)(n->end - n->start);
	struct cw_date date;
	size_t letters = 0;

	static const char *const others[] = { "limited liability company",
					      "exchange commission",
					      "deposit insurance",
					      "act",
					      "board of directors",
					      "page",
					      "addendum",
					      "addenda",
					      "order form",
					      "order forms",
					      "insertion orders",
					      "agreement" };

	static const char *const rarely[] = {
		"you",     "your",  "use",  "please",   "privacy", "gdpr",   "websites",
		"welcome", "thank", "key",  "personal", "age",     "notice", "important",
		"our",     "how",   "what", "address",  "name",    "title",  "attention",
		"tel",     "email", "by",   "services", "scope",   "offer",  "data"
	};

	size_t place;
	if (!n->entity &&
	    (CW_ONE_OF(n->start, rarely) || (cw_place_at(n->start, &place) && place == len)))
		return false;
	/* "1.2 The Company", "000 Shares" */
	if (isdigit((unsigned char)*n->start) &&
	    (n->start[1] == '.' || strncmp(n->start, "00", 2) == 0))
		return false;
	if (len < 2 || CW_ONE_OF(n->start, not_names) ||
	    (len == 3 && cw_starts_word(n->start, "the")))
		return false;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (cw_find_phrase(n->start, n->end, others[i]))
			return false;
	}
	if (cw_date_find(n->start, len + (size_t)strnlen(n->end, 12), &date, NULL, NULL) &&
	    !n->entity)
		return false;
	if (cw_name_ending(n->start) >= len)
		return false;
	if (is_postcode(n))
		return false;
	/* "CA 94025": the end of an address. */
	if (len == 8 && n->start[2] == ' ' && isdigit((unsigned char)n->start[3]) &&
	    isupper((unsigned char)n->start[1]))
		return false;
	for (const char *p = n->start; p < n->end; p++)
		letters += isalpha((unsigned char)*p) || (unsigned char)*p >= 0x80;
	return letters >= 2 && (isalpha((unsigned char)*n->start) || letters >= 4);
}

size_t cw_name_stem(const char *name)
{
	size_t best = strlen(name);

	for (size_t i = 0; name[i]; i++) {
		if (i == 0 || cw_word_byte(name[i - 1]) || !cw_name_ending(name + i))
			continue;
		while (i > 0 && strchr(" ,", name[i - 1]))
			i--;
		return i;
	}
	return best;
}
