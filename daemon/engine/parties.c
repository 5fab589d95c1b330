#include "engine/parties.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/dates.h"
#include "engine/defined.h"
#include "engine/flat.h"
#include "engine/party_name.h"
#include "engine/role_words.h"

/** Bytes after which the description of one party is taken to have ended. */
#define TAIL_MAX 900
/** Reach of the description of somebody who is not named. */
#define UNNAMED_MAX 260
/** Words "between" that are tried before giving up. */
#define ANCHORS_MAX 12
/** Bytes from the top in which a letter defines its parties. */
#define DEFINITIONS_MAX 5000

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

/** Words behind which parties are listed. */
static const char *const anchors[] = {
	"between",
	"among",
	"amongst",
	"made by",
	"made with",
	"entered into by",
	"entered into with",
	"entered by",
	"parties:",
	"parties are",
	"parties to this agreement are",
	"party a:",
	"parties (1)",
	"parties\n(1)",
	"parties\n1.",
};

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
		while (*p && strchr(" \n,;:.-=)", *p))
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
	struct cw_name n;
	const char *q = skip_between(p);

	if (blank_len(q))
		return true;
	if (!cw_name_read(q, &n) || !cw_name_good(&n))
		return false;
	if (n.entity || sure)
		return true;
	const char *after = n.end + (*n.end == ',');
	after += *after == ' ';
	if (*after == '(' && cw_bracket_end(after) &&
	    memchr(after, '"', (size_t)(cw_bracket_end(after) - after)))
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

/** Where a reader stands behind a name. */
struct tail {
	struct cw_arena *arena;
	struct cw_named *party;
	const char *start, *p;
	bool first; /**< stop behind the first defined term */
	bool seen; /**< a defined term of this party */
	bool over; /**< no other party follows */
};

/** Does a defined term for somebody stand ahead in this sentence, as in `and you ("Customer")`? */
static bool unnamed_ahead(const char *p)
{
	for (const char *q = p; *q && *q != '\n' && *q != ';' && q - p < UNNAMED_MAX; q++) {
		if (*q == '.' && q[1] == ' ')
			return false;
		const char *close = *q == '(' ? cw_bracket_end(q) : NULL;
		if (close)
			return memchr(q, '"', (size_t)(close - q)) &&
			       !cw_bracket_of_all(q + 1, close);
	}
	return false;
}

/**
 * Somebody described rather than named stands behind this "and": "the organization that signs the
 * order (the "Customer")".
 */
static bool described_ahead(const char *p)
{
	static const char *const skipped[] = { "and", "by", "between", "with" };
	static const char *const articles[] = { "the", "a", "an", "any", "each", "such" };
	static const char *const nouns[] = {
		"organization", "organisation", "entity",  "person",      "individual",
		"customer",     "client",       "company", "business",    "institution",
		"subscriber",   "licensee",     "user",    "undersigned",
	};

	while (CW_ONE_OF(p, skipped)) {
		p += cw_name_word_len(p);
		p += *p == ' ';
	}
	if (cw_starts_word(p, "you"))
		return unnamed_ahead(p);
	if (!CW_ONE_OF(p, articles))
		return false;
	for (int i = 0; i < 4; i++) {
		p += cw_name_word_len(p);
		/* A word with a capital belongs to a name. */
		if (*p++ != ' ' || !islower((unsigned char)*p))
			return false;
		if (CW_ONE_OF(p, nouns))
			return unnamed_ahead(p);
	}
	return false;
}

/** A bracket: terms for this party, or the mark that all have been named.  1: stop here. */
static int tail_bracket(struct tail *t)
{
	const char *close = cw_bracket_end(t->p);
	size_t before = t->party->naliases;

	if (!close) {
		t->p++;
		return 0;
	}
	if (t->seen && close - t->p <= 3 && party_ahead(t->p, true))
		return 1;
	if (cw_bracket_of_all(t->p + 1, close)) {
		t->p = close + 1;
		t->over = !party_ahead(t->p, false);
		return t->over;
	}
	if (cw_defined_read(t->arena, t->party, t->p + 1, close) < 0)
		return CW_ENOMEM;
	t->seen |= t->party->naliases > before;
	t->p = close + 1;
	return 0;
}

/** `hereinafter referred to as "Provider" or "Acme"` outside brackets. */
static int tail_named(struct tail *t)
{
	const char *p = t->p, *stop = p + strcspn(p, ";\n(");
	size_t before = t->party->naliases;

	if (stop - p > 120)
		stop = p + 120;
	const char *open = memchr(p, '"', (size_t)(stop - p));
	const char *close = open ? memchr(open + 1, '"', strnlen(open + 1, 60)) : NULL;
	if (close) {
		if (strncmp(close + 1, " or \"", 5) == 0 && strchr(close + 6, '"'))
			close = strchr(close + 6, '"');
		stop = close + 1;
	}
	if (cw_defined_read(t->arena, t->party, p, stop) < 0)
		return CW_ENOMEM;
	if (t->party->naliases > before) {
		t->seen = true;
		t->p = stop;
	} else {
		t->p++;
	}
	return 0;
}

/** The end of a line: 1 when the next party or something else altogether begins behind it. */
static int tail_line(struct tail *t)
{
	const char *next = t->p + 1;
	struct cw_date date;

	if (party_ahead(next, false)) {
		bool numbered = *next == '(' || isdigit((unsigned char)*next);
		return t->seen || numbered || *next == '&' || cw_starts_word(next, "and") ||
		       cw_starts_word(next, "party b");
	}
	t->over = t->party->entity && !t->seen && isupper((unsigned char)*next) &&
		  cw_date_find(next, strcspn(next, "\n"), &date, NULL, NULL);
	return t->over;
}

/** One step on; 1 when the description of this party has ended, negative out of memory. */
static int tail_step(struct tail *t)
{
	static const char *const named[] = { "hereinafter", "hereafter", "herein", "referred to",
					     "known as" };
	const char *p = t->p;
	bool starts = p > t->start && !cw_word_byte(p[-1]) && cw_word_byte(*p);

	if (t->first && t->seen && *p != ' ' && *p != '(')
		return 1;

	if (*p == '(')
		return tail_bracket(t);
	if (starts && CW_ONE_OF(p, zone_ends) && strncmp(p, "background", 10) != 0) {
		t->over = true;
		return 1;
	}
	if (starts && CW_ONE_OF(p, named))
		return tail_named(t);
	if (starts && cw_starts_word(p, "and") &&
	    (party_ahead(p, t->seen) || (t->seen && unnamed_ahead(p)) || described_ahead(p)))
		return 1;
	/* "Party A: Acme Party B: Bolt" on one line. */
	if (starts && cw_starts_word(p, "party b:") && party_ahead(p, false))
		return 1;
	bool apart = *p == ';' || (*p == ',' && (t->seen || p == t->start));
	if (apart && party_ahead(p + 1, false))
		return 1;
	if (*p == '\n' && tail_line(t))
		return 1;
	if (sentence_end(t->start, p) && !cw_starts_word(p + 2, "hereinafter") &&
	    !cw_starts_word(p + 2, "hereafter")) {
		t->over = p[1] != '\n' || !party_ahead(p + 1, false);
		return 1;
	}
	t->p++;
	return 0;
}

/**
 * Read on behind a name, collecting defined terms, to where the next party or the end of the list
 * begins.  Sets *out there; *over tells that no party follows.
 * @param first  stop behind the first defined term
 */
static int read_tail(struct cw_arena *arena, struct cw_named *party, const char *start, bool first,
		     const char **out, bool *over)
{
	struct tail t = {
		.arena = arena, .party = party, .start = start, .p = start, .first = first
	};
	int ret = 0;

	while (ret == 0 && *t.p && t.p - start < TAIL_MAX)
		ret = tail_step(&t);
	*out = t.p;
	*over = t.over || ret == 0;
	return ret < 0 ? ret : CW_OK;
}

static int fill(struct cw_arena *arena, struct cw_named *party, const struct cw_name *n)
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
			if (cw_defined_add(arena, &list->at[i], party->alias[k],
					   strlen(party->alias[k])) < 0)
				return CW_ENOMEM;
		}
		return CW_OK;
	}
	if (list->count < CW_NAMED_MAX)
		list->at[list->count++] = *party;
	return CW_OK;
}

/** "Customer", "Company", "you": words that cannot name anything but a party. */
static bool is_party_word(const char *alias)
{
	const struct cw_role_word *word = cw_role_word_find(alias);

	return (word && strcasecmp(word->word, alias) == 0) || strcasecmp(alias, "you") == 0 ||
	       strcasecmp(alias, "company") == 0;
}

/** Who stands at the head of an entry of the list. */
struct entry {
	struct cw_name name; /**< no start when it is a blank or a description */
	const char *end;
	bool known; /**< something that can be a party stands here */
	bool described; /**< "the organisation that accepts these terms" */
};

static struct entry read_entry(const char *p)
{
	struct entry e = { .end = p };
	size_t blank = blank_len(p);

	if (blank) {
		e.end = p + blank;
		e.known = true;
	} else if (cw_starts_word(p, "you") &&
		   (strchr(",;(.\n", p[3]) || cw_starts_word(p + 4, "and") || p[4] == '(')) {
		e.name = (struct cw_name){ p, p + 3, false };
		e.end = p + 3;
		e.known = true;
	} else if ((cw_name_read(p, &e.name) && cw_name_good(&e.name)) ||
		   cw_name_read_small(p, &e.name)) {
		e.end = e.name.end;
		e.known = true;
	} else {
		e.name = (struct cw_name){ 0 };
		e.known = e.described = unnamed_ahead(p);
	}
	return e;
}

/** Name the party by its name or, where that is a blank, by its defined term. */
static int name_entry(struct cw_arena *arena, struct cw_named *party, const struct cw_name *name)
{
	if (name->start && fill(arena, party, name) < 0)
		return CW_ENOMEM;
	if (party->name && strcasecmp(party->name, "you") == 0) {
		party->name = "you";
		return cw_defined_add(arena, party, "you", 3);
	}
	if (!party->name && party->naliases)
		party->name = party->alias[0];
	return CW_OK;
}

/** Read the list of parties that begins at p. */
static int read_zone(struct cw_arena *arena, const char *p, struct cw_named_list *out)
{
	struct cw_name bare = { 0 };
	bool over = false;

	out->count = 0;
	for (int i = 0; i < CW_NAMED_MAX && !over; i++) {
		struct cw_named party = { 0 };

		p = skip_between(p);
		if (CW_ONE_OF(p, zone_ends))
			return CW_OK;
		struct entry e = read_entry(p);
		if (!e.known)
			return CW_OK;
		if (read_tail(arena, &party, e.end, false, &p, &over) < 0)
			return CW_ENOMEM;
		struct cw_name n = e.name;
		/* "Research and Development Ltd": what seemed two parties is one name. */
		if (bare.start && n.start && (party.naliases || n.entity) &&
		    (out->count >= 2 || !over)) {
			n.start = bare.start;
			out->count--;
		}
		if (e.described && !(party.naliases && is_party_word(party.alias[0])))
			continue;
		if (name_entry(arena, &party, &n) < 0)
			return CW_ENOMEM;
		bare = (struct cw_name){ 0 };
		if (!party.name)
			continue;
		size_t before = out->count;
		if (add_party(arena, out, &party) < 0)
			return CW_ENOMEM;
		bool at_once = p == e.end + (*e.end == ' ') && cw_starts_word(p, "and");
		if (at_once && e.name.start && !n.entity && !party.naliases && out->count > before)
			bare = n;
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
	const char *end = head + strlen(head), *p = head;
	size_t which;
	int best = 0;

	for (int tried = 0; tried < ANCHORS_MAX; tried++) {
		struct cw_named_list list;

		p = cw_find_any(p, end, anchors, sizeof(anchors) / sizeof(*anchors), &which);
		if (!p)
			break;
		/* What stands further down must be clearly better. */
		int depth = (int)((p - head) / 4000);
		p += strlen(anchors[which]);
		if (read_zone(arena, p, &list) < 0)
			return CW_ENOMEM;
		if (score(&list) - depth > best) {
			best = score(&list) - depth;
			*out = list;
		}
	}
	return CW_OK;
}

/** A name without corporate ending must be called by a party's word or by a word of its own. */
static bool defines_party(const struct cw_named *party)
{
	if (party->entity || !party->naliases)
		return party->naliases > 0;
	const char *name = party->name;

	return is_party_word(party->alias[0]) ||
	       cw_find_phrase(name, name + strlen(name), party->alias[0]);
}

/** Words with a capital that stand before a name and are no part of it: "At", "Policy of". */
static size_t before_name(const char *p)
{
	static const char *const words[] = { "the", "at", "by", "of", "with", "and", "between" };

	return CW_ONE_OF(p, words) ? cw_name_word_len(p) : 0;
}

/** "Privacy Policy of Acme Inc.": the name begins behind the title. */
static void drop_title(struct cw_name *n)
{
	static const char *const titles[] = { "policy of ", "notice of ", "terms of ",
					      "statement of ", "agreement of " };
	size_t which;
	const char *at = n->entity ? cw_find_any(n->start, n->end, titles,
						 sizeof(titles) / sizeof(*titles), &which)
				   : NULL;

	if (at && at + strlen(titles[which]) < n->end)
		n->start = at + strlen(titles[which]);
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
		struct cw_name n;
		bool over;

		if (!cw_word_byte(*p) || (p > head && cw_word_byte(p[-1])) ||
		    !cw_name_word(p, cw_name_word_len(p)) || before_name(p) ||
		    !cw_name_read(p, &n)) {
			p++;
			continue;
		}
		drop_title(&n);
		const char *next = n.end;
		bool defined = *n.end == ',' || (*n.end == ' ' && n.end[1] == '(');
		bool words = memchr(n.start, ' ', (size_t)(n.end - n.start)) != NULL;
		if ((n.entity || (defined && words)) && cw_name_good(&n)) {
			if (read_tail(arena, &party, n.end, true, &next, &over) < 0 ||
			    fill(arena, &party, &n) < 0 ||
			    (defines_party(&party) && add_party(arena, out, &party) < 0))
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
	static const char *const marks[] = { "by:", "signed:", "signature:" };
	const char *end = tail + strlen(tail), *from = tail;

	out->count = 0;
	for (const char *by; (by = cw_find_any(from, end, marks, 3, NULL)); from = by + 3) {
		struct cw_name last = { 0 };
		const char *p = by - from > 300 ? by - 300 : from;
		for (; p < by; p++) {
			struct cw_name n;
			if (!cw_word_byte(*p) || (p > tail && cw_word_byte(p[-1])) ||
			    !cw_name_word(p, cw_name_word_len(p)))
				continue;
			if (!cw_name_read(p, &n) || n.end > by)
				continue;
			if (n.entity && cw_name_good(&n))
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

/** Do two names mean the same party: equal up to the corporate ending, or one has the other? */
static bool same_party(const char *a, const char *b)
{
	size_t n = cw_name_stem(a), m = cw_name_stem(b);

	return strncasecmp(a, b, n < m ? n : m) == 0;
}

static int unite(struct cw_arena *arena, struct cw_named_list *list,
		 const struct cw_named_list *more)
{
	for (size_t i = 0; i < more->count; i++) {
		bool known = false;
		for (size_t k = 0; k < list->count && !known; k++)
			known = same_party(list->at[k].name, more->at[i].name);
		if (!known && add_party(arena, list, &more->at[i]) < 0)
			return CW_ENOMEM;
	}
	return CW_OK;
}

/** Parties of whom more is known than a word with a capital. */
static size_t sure_parties(const struct cw_named_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++)
		n += list->at[i].entity || list->at[i].naliases > 0;
	return n;
}

int cw_parties_find(struct cw_arena *arena, const char *head, const char *tail,
		    struct cw_named_list *out)
{
	struct cw_named_list more;

	out->count = 0;
	if (from_preamble(arena, head, out) < 0)
		return CW_ENOMEM;
	if (sure_parties(out) >= 2 && score(out) >= 9)
		return CW_OK;
	if (from_definitions(arena, head, &more) < 0)
		return CW_ENOMEM;
	if (score(&more) > score(out)) {
		struct cw_named_list weaker = *out;
		*out = more;
		more = weaker;
	}
	if (sure_parties(out) >= 2)
		return CW_OK;
	if (from_signatures(arena, tail, &more) < 0)
		return CW_ENOMEM;
	return unite(arena, out, &more);
}
