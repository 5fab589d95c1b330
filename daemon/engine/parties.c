#include "engine/parties.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/dates.h"
#include "engine/flat.h"

/** Bytes after which the description of one party is taken to have ended. */
#define TAIL_MAX 900
/** Words "between" that are tried before giving up. */
#define ANCHORS_MAX 12
#define NAME_MAX_BYTES 120
/** Bytes from the top in which a letter defines its parties. */
#define DEFINITIONS_MAX 5000

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

/** Quoted words in a preamble that are the names of other things. */
static const char *const not_parties[] = {
	"agreement",
	"party",
	"parties",
	"effective date",
	"contract",
	"amendment",
	"lease",
	"services",
	"closing",
	"term",
	"products",
	"product",
	"execution date",
	"a party",
	"commencement date",
	"license",
	"plan",
	"note",
	"addendum",
	"letter agreement",
	"terms",
	"the parties",
	"software",
	"us$",
	"act",
	"territory",
	"program",
	"trust agreement",
	"letter",
	"msa",
	"dpa",
	"service",
	"site",
	"website",
	"original agreement",
	"signing date",
	"shares",
	"sow",
};

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

/** Where the parties have all been named. */
static const char *const zone_ends[] = {
	"whereas",
	"witnesseth",
	"witness",
	"recitals",
	"recital",
	"background",
	"preamble",
	"now, therefore",
	"table of contents",
	"preliminary statement",
	"agree as follows",
	"hereby agree",
	"introduction",
	"the parties agree",
	"it is agreed",
	"in consideration",
	"source:",
	"contents",
	"definitions",
	"r e c i t a l s",
	"w i t n e s s e t h",
	"premises",
	"exhibit",
	"for and in consideration",
};

static const struct {
	const char *text;
	bool whole; /**< tried even far from the top of the document */
} anchors[] = {
	{ "between", true },
	{ "among", true },
	{ "amongst", true },
	{ "made by", true },
	{ "made with", true },
	{ "entered into by", true },
	{ "entered into with", true },
	{ "entered by", true },
	{ "parties:", false },
	{ "parties are", false },
	{ "parties to this agreement are", true },
	{ "party a:", false },
};

static bool one_of(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (cw_starts_word(text, words[i]))
			return true;
	}
	return false;
}
#define ONE_OF(text, words) one_of(text, words, sizeof(words) / sizeof(*(words)))

/** Length of a corporate ending at text with its full stop, 0 when there is none. */
static size_t ending_len(const char *text)
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
	if (best && text[best] == '.')
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
	return ONE_OF(p, strong);
}

/** Any word of a name: it or a letter inside it is a capital, or it begins with a digit. */
static bool name_word(const char *p, size_t len)
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
static size_t word_len(const char *p)
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
	return len == 1 || memchr(word, '.', len) || ending_len(word) >= len ||
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
	if (cw_starts_word(p + 1, "the") || !name_word(p + 1, n - 1))
		return 0;
	const char *next = p + n + 2;
	return ending_len(next) || (name_word(next, word_len(next)) &&
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

struct name {
	const char *start, *end;
	bool entity;
};

/** Is a word that joins parts of a name at p, with a part behind it? */
static size_t joint_len(const char *p, bool entity)
{
	size_t n = word_len(p);

	if (*p == '&' || *p == '/' || (*p == '-' && p[1] == ' '))
		return 1;
	for (size_t i = 0; i < sizeof(joints) / sizeof(*joints); i++) {
		if (strlen(joints[i]) != n || strncmp(p, joints[i], n) != 0)
			continue;
		const char *q = p + n;
		if (*q != ' ')
			return 0;
		q++;
		size_t m = word_len(q);
		if (m && isupper((unsigned char)*q) &&
		    !(entity && n == 2 && strncmp(p, "in", 2) == 0))
			return n;
		return cw_starts_word(q, "the") || cw_starts_word(q, "la") ? n : 0;
	}
	return 0;
}

/**
 * Read a name at p.  It ends before a description, a bracket, a comma that no corporate ending
 * follows, or the end of the line.
 */
static bool read_name(const char *p, struct name *out)
{
	static const char *const breaks[] = { "whereas", "between",  "party",      "with",
					      "address", "recitals", "hereinafter" };
	struct name n = { p, p, false };
	const char *q = p;
	bool closed = false;

	while (q - p < NAME_MAX_BYTES) {
		size_t len = word_len(q), joint;
		if (q > p && (joint = joint_len(q, n.entity))) {
			q += joint;
		} else if (len && name_word(q, len) && !cw_starts_word(q, "AND") &&
			   !(n.entity && (cw_starts_word(q, "A") || cw_starts_word(q, "An")))) {
			size_t ending = q > p ? ending_len(q) : 0;
			if ((closed && !ending && q[-1] != ' ') || (q > p && ONE_OF(q, breaks)))
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
				continue;
			}
			if (!ending_len(after))
				break;
			q = after;
			continue;
		}
		if (*q != ' ')
			break;
		q++;
		q += trade_len(q);
	}
	*out = n;
	return n.end > p;
}

/** A company that writes itself small: "acme.com, inc.". */
static bool read_small_name(const char *p, struct name *out)
{
	static const char *const no[] = { "a",   "an", "the",  "of",  "and",
					  "any", "by", "each", "its", "this" };
	const char *q = p;

	for (int i = 0; i < 5; i++) {
		size_t len = word_len(q);
		if (!len || ONE_OF(q, no))
			return false;
		q += len;
		q += *q == '.' && i == 0;
		const char *next = q + (*q == ',');
		next += *next == ' ';
		size_t ending = isupper((unsigned char)*next) || *q == ',' ? ending_len(next) : 0;
		if (ending) {
			*out = (struct name){ p, next + ending, true };
			return true;
		}
		if (*q != ' ')
			return false;
		q++;
	}
	return false;
}

static bool good_name(const struct name *n)
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
					      "agreement" };

	if (len < 2 || ONE_OF(n->start, not_names) || (len == 3 && cw_starts_word(n->start, "the")))
		return false;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (cw_find_phrase(n->start, n->end, others[i]))
			return false;
	}
	if (cw_date_find(n->start, len + (size_t)strnlen(n->end, 12), &date, NULL, NULL) &&
	    !n->entity)
		return false;
	if (ending_len(n->start) >= len)
		return false;
	/* "CA 94025": the end of an address. */
	if (len == 8 && n->start[2] == ' ' && isdigit((unsigned char)n->start[3]) &&
	    isupper((unsigned char)n->start[1]))
		return false;
	for (const char *p = n->start; p < n->end; p++)
		letters += isalpha((unsigned char)*p) || (unsigned char)*p >= 0x80;
	return letters >= 2 && (isalpha((unsigned char)*n->start) || letters >= 4);
}

/** A blank to be filled in: "____", "[ ]", "[*]", "[NAME]". */
static size_t blank_len(const char *p)
{
	if (*p == '_')
		return 1;
	if (*p == '[') {
		const char *close = memchr(p, ']', strnlen(p, 40));
		return close ? (size_t)(close - p) + 1 : 0;
	}
	return 0;
}

static bool alias_word_ok(const char *p, size_t len)
{
	if (len < 2 || len > 50)
		return false;
	for (size_t i = 0; i < sizeof(not_parties) / sizeof(*not_parties); i++) {
		if (strlen(not_parties[i]) == len && strncasecmp(p, not_parties[i], len) == 0)
			return false;
	}
	return true;
}

static int add_alias(struct cw_arena *arena, struct cw_named *party, const char *p, size_t len)
{
	while (len && strchr(" ,.'", *p)) {
		p++;
		len--;
	}
	while (len && strchr(" ,.'", p[len - 1]))
		len--;
	if (len > 4 && cw_starts_word(p, "the")) {
		p += 4;
		len -= 4;
	}
	if (!alias_word_ok(p, len) || party->naliases == CW_ALIASES)
		return CW_OK;
	for (size_t i = 0; i < party->naliases; i++) {
		if (strlen(party->alias[i]) == len && strncmp(party->alias[i], p, len) == 0)
			return CW_OK;
	}
	char *copy = cw_arena_strndup(arena, p, len);
	if (!copy)
		return CW_ENOMEM;
	party->alias[party->naliases++] = copy;
	return CW_OK;
}

/** Defined terms inside a bracket: quoted, or after "the", "hereinafter", "called". */
static int read_aliases(struct cw_arena *arena, struct cw_named *party, const char *p,
			const char *end)
{
	static const char *const leads[] = { "the",      "hereinafter",  "hereafter",    "herein",
					     "referred", "called",       "known",        "to",
					     "as",       "sometimes",    "also",         "is",
					     "it",       "be",           "or",           "shall",
					     "will",     "individually", "collectively", "together",
					     "," };
	const char *quote = memchr(p, '"', (size_t)(end - p));

	if (!quote) {
		const char *q = p;
		bool led = false;
		while (q < end && ONE_OF(q, leads)) {
			led = true;
			q += word_len(q) ? word_len(q) : 1;
			q += *q == ' ';
		}
		while (q < end && *q == '\'')
			q++, led = true;
		struct name n;
		if (!led || q >= end || !read_name(q, &n) || n.end > end ||
		    !isupper((unsigned char)*q))
			return CW_OK;
		return add_alias(arena, party, n.start, (size_t)(n.end - n.start));
	}
	while (quote) {
		const char *close = memchr(quote + 1, '"', (size_t)(end - quote - 1));
		if (!close)
			return CW_OK;
		if (add_alias(arena, party, quote + 1, (size_t)(close - quote - 1)) < 0)
			return CW_ENOMEM;
		quote = memchr(close + 1, '"', (size_t)(end - close - 1));
	}
	return CW_OK;
}

static const char *closing(const char *p)
{
	int depth = 0;

	for (const char *q = p; *q && q - p < 500; q++) {
		depth += *q == '(';
		depth -= *q == ')';
		if (depth == 0)
			return q;
	}
	return NULL;
}

/** "(each a "Party")", "(collectively, the "Parties")", "(as defined below)": of nobody alone. */
static bool bracket_of_all(const char *p, const char *end)
{
	const char *quote = memchr(p, '"', (size_t)(end - p));

	if (!quote)
		return cw_find_phrase(p, end, "parties") || cw_find_phrase(p, end, "party");
	if (cw_starts_word(quote + 1, "a") || cw_starts_word(quote + 1, "the"))
		quote += 1 + word_len(quote + 1);
	bool party = cw_starts_word(quote + 1, "party") && quote[6] != ' ';
	return party || cw_starts_word(quote + 1, "parties");
}

/** Pass what stands between two parties: "and", numbers, labels. */
static const char *skip_between(const char *p)
{
	static const char *const words[] = { "and",
					     "by",
					     "between",
					     "among",
					     "amongst",
					     "the",
					     "(the",
					     "each of",
					     "both",
					     "the parties",
					     "the following parties",
					     "together with",
					     "its",
					     "with",
					     "on the one hand",
					     "on the other hand",
					     "on the one part",
					     "on the other part",
					     "of the one part",
					     "of the other part",
					     "of the first part",
					     "of the second part",
					     "party a",
					     "party b",
					     "party c",
					     "party of the first part",
					     "party of the second part",
					     "the undersigned",
					     "the company",
					     "parties",
					     "namely",
					     "as follows",
					     "hereto",
					     "first party",
					     "second party",
					     "mr",
					     "ms",
					     "mrs",
					     "dr" };
	for (;;) {
		while (*p && strchr(" \n,;:.-*_=)", *p))
			p++;
		if (*p == '(' && (isalnum((unsigned char)p[1])) &&
		    (p[2] == ')' || (p[2] && p[3] == ')'))) {
			p = strchr(p, ')') + 1;
			continue;
		}
		if (isalnum((unsigned char)p[0]) && (p[1] == '.' || p[1] == ')') && p[2] == ' ' &&
		    !isalpha((unsigned char)p[0])) {
			p += 2;
			continue;
		}
		size_t best = 0;
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
			size_t n = strlen(words[i]);
			/* "The" with a capital begins a name. */
			if (n > best && cw_starts_word(p, words[i]) &&
			    !(n == 3 && strncmp(p, "The", 3) == 0))
				best = n;
		}
		if (!best)
			return p;
		p += best;
	}
}

static bool at_line_end(const char *p)
{
	while (*p == ' ' || *p == ',' || *p == ';')
		p++;
	return *p == '\n' || *p == '\0';
}

/**
 * Does the text at p look like the next party rather than more about this one?
 * @param sure  this one's defined term has been seen, so any name will do
 */
static bool party_ahead(const char *p, bool sure)
{
	struct name n;
	const char *q = skip_between(p);

	if (blank_len(q))
		return true;
	if (!read_name(q, &n) || !good_name(&n))
		return false;
	if (n.entity || sure)
		return true;
	const char *after = n.end + (*n.end == ',');
	after += *after == ' ';
	if (*after == '(' && closing(after) && memchr(after, '"', (size_t)(closing(after) - after)))
		return true;
	return at_line_end(n.end) || cw_starts_word(after, "a") || cw_starts_word(after, "an") ||
	       cw_starts_word(after, "hereinafter") || cw_starts_word(after, "located") ||
	       cw_starts_word(after, "having") || cw_starts_word(after, "whose") ||
	       cw_starts_word(after, "residing") || cw_starts_word(after, "individually");
}

/** A full stop that ends the sentence, not one of an abbreviation or a number. */
static bool sentence_end(const char *start, const char *p)
{
	if (*p != '.' || (p[1] != ' ' && p[1] != '\n' && p[1] != '\0'))
		return false;
	if (p == start || p[-1] == ')' || p[-1] == '"' || p[-1] == '\'')
		return true;
	const char *w = p;
	while (w > start && cw_word_byte(w[-1]))
		w--;
	if (p[1] == '\n' || p[1] == '\0')
		return true;
	return p - w > 4 || (p - w == 4 && islower((unsigned char)*w));
}

/**
 * Read on behind a name, collecting defined terms, to where the next party or the end of the zone
 * begins.  Returns there; *over tells that no party follows.
 */
static const char *read_tail(struct cw_arena *arena, struct cw_named *party, const char *start,
			     bool *over, int *ret)
{
	static const char *const named[] = { "hereinafter", "hereafter", "herein", "referred to",
					     "known as" };
	bool seen = false;
	const char *p = start;

	*over = false;
	while (*p && p - start < TAIL_MAX) {
		if (*p == '(') {
			const char *close = closing(p);
			if (seen && close && close - p <= 3 && party_ahead(p, true))
				return p;
			if (!close) {
				p++;
				continue;
			}
			if (bracket_of_all(p + 1, close)) {
				*over = party_ahead(close + 1, false) ? false : true;
				if (*over)
					return close;
			} else {
				size_t before = party->naliases;
				*ret = read_aliases(arena, party, p + 1, close);
				if (*ret < 0)
					return p;
				seen |= party->naliases > before;
			}
			p = close + 1;
			continue;
		}
		bool word_start = p > start && !cw_word_byte(p[-1]) && cw_word_byte(*p);
		if (word_start && ONE_OF(p, zone_ends) &&
		    !(islower((unsigned char)*p) && cw_starts_word(p, "background")))
			break;
		if (word_start && ONE_OF(p, named)) {
			const char *stop = p + strcspn(p, ";\n(");
			if (stop - p > 120)
				stop = p + 120;
			const char *q = memchr(p, '"', (size_t)(stop - p));
			const char *e = q ? memchr(q + 1, '"', (size_t)(strnlen(q, 60) - 1)) : NULL;
			size_t before = party->naliases;
			if (e && e < stop + 60) {
				const char *f = e + 1;
				if (strncmp(f, " or \"", 5) == 0 && strchr(f + 5, '"'))
					e = strchr(f + 5, '"');
				*ret = read_aliases(arena, party, p, e + 1);
				stop = e + 1;
			} else {
				*ret = read_aliases(arena, party, p, stop);
			}
			if (*ret < 0)
				return p;
			if (party->naliases > before) {
				seen = true;
				p = stop;
				continue;
			}
		}
		if (word_start && (cw_starts_word(p, "and") || cw_starts_word(p, "by and")) &&
		    party_ahead(p, seen))
			return p;
		if ((*p == ';' || (*p == ',' && (seen || p == start))) && party_ahead(p + 1, false))
			return p;
		if (*p == '\n') {
			if (party_ahead(p + 1, false) &&
			    (seen || cw_starts_word(p + 1, "and") || p[1] == '&' || p[1] == '(' ||
			     isdigit((unsigned char)p[1]) || cw_starts_word(p + 1, "party b")))
				return p;
			if (party->entity && isupper((unsigned char)p[1]) &&
			    !party_ahead(p + 1, false) &&
			    cw_date_find(p + 1, strcspn(p + 1, "\n"), &(struct cw_date){ 0 }, NULL,
					 NULL) &&
			    !seen)
				break;
		}
		if (sentence_end(start, p)) {
			if (!party_ahead(p + 1, false) || !(p[1] == '\n'))
				break;
			return p;
		}
		p++;
	}
	*over = true;
	return p;
}

static int fill(struct cw_arena *arena, struct cw_named *party, const struct name *n)
{
	const char *start = n->start, *end = n->end;

	while (end > start && strchr(" ,", end[-1]))
		end--;
	party->name = cw_arena_strndup(arena, start, (size_t)(end - start));
	party->entity = n->entity;
	return party->name ? CW_OK : CW_ENOMEM;
}

static bool same_name(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

/** Add a party, or its defined terms to the same one that is there already. */
static int add_party(struct cw_arena *arena, struct cw_named_list *list,
		     const struct cw_named *party)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!same_name(list->at[i].name, party->name))
			continue;
		for (size_t k = 0; k < party->naliases; k++) {
			if (add_alias(arena, &list->at[i], party->alias[k],
				      strlen(party->alias[k])) < 0)
				return CW_ENOMEM;
		}
		return CW_OK;
	}
	if (list->count < CW_NAMED_MAX)
		list->at[list->count++] = *party;
	return CW_OK;
}

/** Read the list of parties that begins at p. */
static int read_zone(struct cw_arena *arena, const char *p, struct cw_named_list *out)
{
	struct name bare = { 0 };

	out->count = 0;
	for (int i = 0; i < CW_NAMED_MAX; i++) {
		struct cw_named party = { 0 };
		struct name n = { 0 };
		bool over;
		int ret = CW_OK;

		p = skip_between(p);
		if (ONE_OF(p, zone_ends))
			return CW_OK;
		size_t blank = blank_len(p);
		if (blank) {
			p += blank;
		} else if ((read_name(p, &n) && good_name(&n)) || read_small_name(p, &n)) {
			p = n.end;
		} else {
			return CW_OK;
		}
		const char *end = n.end;
		p = read_tail(arena, &party, p, &over, &ret);
		if (ret < 0)
			return ret;
		/* "Research and Development Ltd": what seemed two parties is one name. */
		bool joined = bare.start && n.start && (party.naliases || n.entity) &&
			      (out->count >= 2 || !over);
		if (joined) {
			n.start = bare.start;
			out->count--;
		}
		if (n.start && fill(arena, &party, &n) < 0)
			return CW_ENOMEM;
		if (!party.name && party.naliases)
			party.name = party.alias[0];
		bare = (struct name){ 0 };
		if (party.name) {
			if (end && p == end + (*end == ' ') && cw_starts_word(p, "and") &&
			    !n.entity && !party.naliases)
				bare = n;
			size_t before = out->count;
			if (add_party(arena, out, &party) < 0)
				return CW_ENOMEM;
			if (out->count == before)
				bare.start = NULL;
		}
		if (over)
			return CW_OK;
	}
	return CW_OK;
}

static int score(const struct cw_named_list *list)
{
	int sum = 0;

	for (size_t i = 0; i < list->count && i < 6; i++)
		sum += 1 + 2 * list->at[i].entity + 3 * (list->at[i].naliases > 0);
	return list->count >= 2 ? sum + 4 : sum;
}

/** The best list of parties that stands behind a word such as "between". */
static int from_preamble(struct cw_arena *arena, const char *head, struct cw_named_list *out)
{
	const char *end = head + strlen(head);
	int best = 0, tried = 0;

	for (const char *p = head; p < end && tried < ANCHORS_MAX; p++) {
		if (!isalpha((unsigned char)*p) || (p > head && cw_word_byte(p[-1])) ||
		    !strchr("bBaAmMeEpP", *p))
			continue;
		for (size_t i = 0; i < sizeof(anchors) / sizeof(*anchors); i++) {
			if (!cw_starts_word(p, anchors[i].text))
				continue;
			struct cw_named_list list;
			if (read_zone(arena, p + strlen(anchors[i].text), &list) < 0)
				return CW_ENOMEM;
			tried++;
			/* What stands further down must be clearly better. */
			int s = score(&list) - (int)((p - head) / 4000);
			if (s > best) {
				best = s;
				*out = list;
			}
			break;
		}
	}
	return CW_OK;
}

/**
 * Parties of letters and deeds, which no "between" introduces: names of companies that the first
 * lines define a term for.
 */
static int from_definitions(struct cw_arena *arena, const char *head, struct cw_named_list *out)
{
	out->count = 0;
	for (const char *p = head; *p && p - head < DEFINITIONS_MAX && out->count < CW_NAMED_MAX;) {
		struct cw_named party = { 0 };
		struct name n;
		bool over;
		int ret = CW_OK;

		if (!cw_word_byte(*p) || (p > head && cw_word_byte(p[-1])) ||
		    !name_word(p, word_len(p)) || cw_starts_word(p, "The") || !read_name(p, &n)) {
			p++;
			continue;
		}
		const char *next = n.end;
		if (n.entity && good_name(&n)) {
			next = read_tail(arena, &party, n.end, &over, &ret);
			if (ret < 0 || fill(arena, &party, &n) < 0 ||
			    (party.naliases && add_party(arena, out, &party) < 0))
				return CW_ENOMEM;
			if (!party.naliases)
				next = n.end;
		}
		p = next;
	}
	return CW_OK;
}

/** Companies that stand before "By:" at the end. */
static int from_signatures(struct cw_arena *arena, const char *tail, struct cw_named_list *out)
{
	const char *end = tail + strlen(tail), *from = tail;

	out->count = 0;
	for (const char *by; (by = cw_find_phrase(from, end, "by:")); from = by + 3) {
		struct name last = { 0 };
		const char *p = by - from > 300 ? by - 300 : from;
		for (; p < by; p++) {
			struct name n;
			if (!cw_word_byte(*p) || (p > tail && cw_word_byte(p[-1])) ||
			    !name_word(p, word_len(p)))
				continue;
			if (!read_name(p, &n) || n.end > by)
				continue;
			if (n.entity && good_name(&n))
				last = n;
			p = n.end - 1;
		}
		struct cw_named party = { 0 };
		if (last.start &&
		    (fill(arena, &party, &last) < 0 || add_party(arena, out, &party) < 0))
			return CW_ENOMEM;
	}
	return CW_OK;
}

int cw_parties_find(struct cw_arena *arena, const char *head, const char *tail,
		    struct cw_named_list *out)
{
	struct cw_named_list defined;

	out->count = 0;
	if (from_preamble(arena, head, out) < 0)
		return CW_ENOMEM;
	if (score(out) >= 10)
		return CW_OK;
	if (from_definitions(arena, head, &defined) < 0)
		return CW_ENOMEM;
	if (score(&defined) > score(out))
		*out = defined;
	if (out->count)
		return CW_OK;
	return from_signatures(arena, tail, out);
}

size_t cw_name_stem(const char *name)
{
	size_t best = strlen(name);

	for (size_t i = 0; name[i]; i++) {
		if (i == 0 || cw_word_byte(name[i - 1]) || !ending_len(name + i))
			continue;
		while (i > 0 && strchr(" ,", name[i - 1]))
			i--;
		return i;
	}
	return best;
}
