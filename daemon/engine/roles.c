#include "engine/reading.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/flat.h"
#include "engine/party_name.h"
#include "engine/role_words.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/** Words of the longest mention. */
#define MENTION_WORDS 6
/** Must be a power of two. */
#define SLOTS 1024
/** Tokens in which evidence for roles is looked for. */
#define EVIDENCE_MAX 15000
/** Difference of evidence from which a role is believed. */
#define EVIDENCE_SURE 3
/** Second persons from which "you" means a party also in a contract between two. */
#define YOU_MIN 12

/** A way to mention a party. */
struct mention {
	uint64_t words[MENTION_WORDS];
	uint32_t next; /**< index + 1 of another with the same first word, longer ones first */
	uint8_t nwords;
	bool capital; /**< only with a capital letter: "Company", not "company" */
	int8_t party; /**< in the list of parties, -1 for none */
	uint8_t side;
};

struct cw_roles {
	uint32_t slots[SLOTS]; /**< index + 1 of the first mention whose first word hashes here */
	struct mention *mentions;
	size_t count, cap;
	uint64_t third; /**< the word that makes "party" nobody's */
};

/** Both sides, and those who are neither though they hold the word "party". */
static const struct {
	const char *phrase;
	enum cw_side side;
} shared[] = {
	{ "party", CW_SIDE_BOTH },
	{ "parties", CW_SIDE_BOTH },
	{ "the party", CW_SIDE_BOTH },
	{ "the parties", CW_SIDE_BOTH },
	{ "each party", CW_SIDE_BOTH },
	{ "either party", CW_SIDE_BOTH },
	{ "both parties", CW_SIDE_BOTH },
	{ "neither party", CW_SIDE_BOTH },
	{ "no party", CW_SIDE_BOTH },
	{ "any party", CW_SIDE_BOTH },
	{ "a party", CW_SIDE_BOTH },
	{ "one party", CW_SIDE_BOTH },
	{ "other party", CW_SIDE_BOTH },
	{ "the other party", CW_SIDE_BOTH },
	{ "such party", CW_SIDE_BOTH },
	{ "all parties", CW_SIDE_BOTH },
	{ "each of the parties", CW_SIDE_BOTH },
	{ "either of the parties", CW_SIDE_BOTH },
	{ "both of the parties", CW_SIDE_BOTH },
	{ "receiving party", CW_SIDE_BOTH },
	{ "disclosing party", CW_SIDE_BOTH },
	{ "the receiving party", CW_SIDE_BOTH },
	{ "the disclosing party", CW_SIDE_BOTH },
	{ "third party", CW_SIDE_OTHER },
	{ "third parties", CW_SIDE_OTHER },
	{ "any third party", CW_SIDE_OTHER },
	{ "any third parties", CW_SIDE_OTHER },
};

static const char *const we_words[] = { "we",    "us",    "our",   "ours", "ourselves",
					"we'll", "we're", "we've", "we'd" };
static const char *const you_words[] = { "you",    "your",   "yours",  "yourself", "yourselves",
					 "you'll", "you're", "you've", "you'd" };

/* ---- the look-up ---- */

/** Hashes of the words of a name, folded as the tokens are; 0 when it is too long. */
static size_t hash_name(const char *name, uint64_t out[MENTION_WORDS])
{
	struct cw_arena arena = { 0 };
	struct cw_toks toks = { 0 };
	uint32_t len = (uint32_t)strlen(name);
	size_t n = 0;

	if (cw_tokenise(&arena, name, 0, len, CW_FORMAT_TEXT, &toks) == CW_OK &&
	    toks.count <= MENTION_WORDS) {
		for (; n < toks.count; n++)
			out[n] = toks.at[n].hash;
	}
	cw_arena_release(&arena);
	return n;
}

/** The same of words that are folded already and parted by single blanks. */
static size_t hash_folded(const char *phrase, uint64_t out[MENTION_WORDS])
{
	size_t n = 0;

	while (*phrase && n < MENTION_WORDS) {
		size_t len = strcspn(phrase, " ");
		out[n++] = cw_word_hash(phrase, len);
		phrase += len + (phrase[len] == ' ');
	}
	return n;
}

/** Later mentions of the same words are ignored: the surer come first. */
static int add_mention(struct cw_arena *arena, struct cw_roles *r, const char *phrase,
		       const struct mention *like)
{
	struct mention m = *like;
	size_t n = m.party >= 0 ? hash_name(phrase, m.words) : hash_folded(phrase, m.words);

	if (n == 0)
		return CW_OK;
	m.nwords = (uint8_t)n;

	uint32_t *link = &r->slots[m.words[0] % SLOTS];
	for (; *link; link = &r->mentions[*link - 1].next) {
		struct mention *at = &r->mentions[*link - 1];
		if (at->nwords < m.nwords)
			break;
		if (at->nwords == m.nwords && memcmp(at->words, m.words, n * sizeof(*m.words)) == 0)
			return CW_OK;
	}
	ptrdiff_t in_list = r->mentions && (char *)link >= (char *)r->mentions &&
					    (char *)link < (char *)(r->mentions + r->count)
				    ? (char *)link - (char *)r->mentions
				    : -1;
	r->mentions = cw_arena_grow(arena, r->mentions, r->count, &r->cap, sizeof(*r->mentions));
	if (!r->mentions)
		return CW_ENOMEM;
	if (in_list >= 0)
		link = (uint32_t *)(void *)((char *)r->mentions + in_list);
	m.next = *link;
	r->mentions[r->count++] = m;
	*link = (uint32_t)r->count;
	return CW_OK;
}

static const struct mention *mention_at(const struct cw_roles *r, const struct cw_tok *toks,
					size_t i, size_t end)
{
	uint32_t next = r->slots[toks[i].hash % SLOTS];

	while (next) {
		const struct mention *m = &r->mentions[next - 1];
		bool same = m->words[0] == toks[i].hash && m->nwords <= end - i &&
			    (!m->capital || (toks[i].flags & (CW_TOK_CAP | CW_TOK_NUM)));
		for (size_t k = 1; same && k < m->nwords; k++)
			same = m->words[k] == toks[i + k].hash;
		if (same)
			return m;
		next = m->next;
	}
	return NULL;
}

enum cw_side cw_roles_at(const struct cw_roles *roles, const struct cw_tok *toks, size_t i,
			 size_t end, unsigned *out_ntoks)
{
	const struct mention *m = roles && i < end ? mention_at(roles, toks, i, end) : NULL;

	if (!m)
		return CW_SIDE_NONE;
	/* "party" of "third party", when asked for the second word. */
	if (m->side == CW_SIDE_BOTH && i > 0 && toks[i - 1].hash == roles->third)
		return CW_SIDE_NONE;
	if (out_ntoks)
		*out_ntoks = m->nwords;
	return (enum cw_side)m->side;
}

/* ---- evidence ---- */

enum { GIVES = 1, TAKES, LINK_TO, LINK_BY, LINK_FROM, NEGATION, GIVEN, TAKEN };

static const struct {
	const char *word;
	int class, weight;
} verbs[] = {
	{ "grants", GIVES, 3 },       { "grant", GIVES, 2 },     { "provide", GIVES, 1 },
	{ "provides", GIVES, 1 },     { "providing", GIVES, 2 }, { "supply", GIVES, 2 },
	{ "supplies", GIVES, 1 },     { "supplying", GIVES, 2 }, { "sell", GIVES, 2 },
	{ "sells", GIVES, 2 },        { "selling", GIVES, 1 },   { "render", GIVES, 2 },
	{ "furnish", GIVES, 1 },      { "perform", GIVES, 1 },   { "performs", GIVES, 1 },
	{ "host", GIVES, 2 },         { "maintain", GIVES, 1 },  { "manufacture", GIVES, 2 },
	{ "manufactures", GIVES, 2 }, { "develop", GIVES, 1 },   { "develops", GIVES, 1 },
	{ "invoice", GIVES, 3 },      { "invoices", GIVES, 3 },  { "lease", GIVES, 1 },
	{ "licenses", GIVES, 2 },     { "ship", GIVES, 1 },      { "install", GIVES, 1 },
	{ "design", GIVES, 1 },       { "operates", GIVES, 1 },  { "offers", GIVES, 1 },
	{ "deliver", GIVES, 1 },      { "bill", GIVES, 2 },      { "pay", TAKES, 3 },
	{ "pays", TAKES, 3 },         { "purchase", TAKES, 2 },  { "purchases", TAKES, 2 },
	{ "buy", TAKES, 2 },          { "order", TAKES, 1 },     { "reimburse", TAKES, 2 },
	{ "engage", TAKES, 2 },       { "engages", TAKES, 2 },   { "retain", TAKES, 1 },
	{ "retains", TAKES, 1 },      { "hire", TAKES, 2 },      { "obtain", TAKES, 1 },
	{ "compensate", TAKES, 2 },   { "appoints", TAKES, 2 },  { "employ", TAKES, 2 },
	{ "employs", TAKES, 2 },      { "receive", TAKES, 1 },   { "to", LINK_TO, 0 },
	{ "for", LINK_TO, 0 },        { "by", LINK_BY, 0 },      { "from", LINK_FROM, 0 },
	{ "not", NEGATION, 0 },       { "provided", GIVEN, 1 },  { "supplied", GIVEN, 2 },
	{ "performed", GIVEN, 1 },    { "delivered", GIVEN, 1 }, { "licensed", GIVEN, 2 },
	{ "sold", GIVEN, 2 },         { "rendered", GIVEN, 2 },  { "manufactured", GIVEN, 2 },
	{ "developed", GIVEN, 1 },    { "invoiced", GIVEN, 3 },  { "paid", TAKEN, 3 },
	{ "payable", TAKEN, 3 },      { "purchased", TAKEN, 2 }, { "ordered", TAKEN, 2 },
	{ "owed", TAKEN, 2 },         { "payment", TAKEN, 1 },
};

#define VERB_SLOTS 256

struct verb_table {
	uint64_t hash[VERB_SLOTS];
	uint8_t row[VERB_SLOTS]; /**< + 1 */
};

static void verb_fill(struct verb_table *t)
{
	for (size_t i = 0; i < COUNT(verbs); i++) {
		uint64_t hash = cw_word_hash(verbs[i].word, strlen(verbs[i].word));
		size_t at = hash % VERB_SLOTS;
		while (t->row[at])
			at = (at + 1) % VERB_SLOTS;
		t->hash[at] = hash;
		t->row[at] = (uint8_t)(i + 1);
	}
}

static int verb_at(const struct verb_table *t, uint64_t hash)
{
	for (size_t i = hash % VERB_SLOTS; t->row[i]; i = (i + 1) % VERB_SLOTS) {
		if (t->hash[i] == hash)
			return t->row[i] - 1;
	}
	return -1;
}

/** A sentence in the middle of which the reader stands. */
struct telling {
	int actor; /**< party who acts, -1 for none */
	int verb; /**< row, -1 before it */
	int link, before; /**< class of the last words, the verb of a passive */
	unsigned since; /**< tokens since actor or verb */
};

/** A party is mentioned where a verb leads to it. */
static void tell_object(const struct telling *t, int party, int *scores)
{
	int row = t->verb;

	if (t->link == LINK_BY && t->before >= 0)
		scores[party] += verbs[t->before].class == GIVEN ? verbs[t->before].weight
								 : -verbs[t->before].weight;
	else if (row < 0 || t->since > 9 || party == t->actor)
		return;
	else if (verbs[row].class == GIVES && t->link != LINK_FROM)
		scores[party] -= verbs[row].weight;
	else if (verbs[row].class == TAKES && t->link != LINK_TO)
		scores[party] += verbs[row].weight;
	else if (verbs[row].class == TAKES && verbs[row].weight >= 3)
		scores[party] += verbs[row].weight;
}

/** Positive: gives goods, services or rights and is paid.  Negative: takes and pays. */
static void weigh_parties(const struct cw_roles *r, const struct cw_analysis *a, int *scores)
{
	struct verb_table table = { 0 };
	struct telling t = { .actor = -1, .verb = -1, .before = -1 };
	size_t end = a->ntoks < EVIDENCE_MAX ? a->ntoks : EVIDENCE_MAX;

	verb_fill(&table);
	for (size_t i = 0; i < end; i++) {
		const struct cw_tok *tok = &a->toks[i];
		if (tok->flags & (CW_TOK_SENT | CW_TOK_SOFT))
			t = (struct telling){ .actor = -1, .verb = -1, .before = -1 };
		const struct mention *m = mention_at(r, a->toks, i, end);
		if (m && m->party >= 0) {
			size_t last = i + m->nwords - 1;
			tell_object(&t, m->party, scores);
			if (!(a->toks[last].flags & CW_TOK_POSS))
				t = (struct telling){ .actor = m->party, .verb = -1, .before = -1 };
			i = last;
			continue;
		}
		t.since++;
		int row = verb_at(&table, tok->hash);
		if (row < 0) {
			t.link = 0;
			continue;
		}
		int class = verbs[row].class;
		if (class == NEGATION) {
			t.actor = -1;
		} else if (class == GIVEN || class == TAKEN) {
			t.before = row;
		} else if (class >= LINK_TO) {
			t.link = class;
		} else if (t.verb < 0 && t.actor >= 0 && t.since <= 7) {
			t.verb = row;
			t.since = 0;
			scores[t.actor] += class == GIVES ? verbs[row].weight : -verbs[row].weight;
		}
	}
}

/* ---- who is who ---- */

static bool is_pronoun(const char *alias, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(alias, words[i]) == 0)
			return true;
	}
	return false;
}

/** Roles that the defined terms tell; *weak tells which may be overruled. */
static void roles_of_terms(struct cw_named_list *list, bool *weak)
{
	for (size_t i = 0; i < list->count; i++) {
		struct cw_named *p = &list->at[i];
		const struct cw_role_word *named = cw_role_word_find(p->name);

		weak[i] = true;
		if (named && !p->entity && strcasecmp(named->word, p->name) == 0) {
			p->role = named->role;
			weak[i] = named->weak;
		}
		for (size_t k = 0; k < p->naliases && weak[i]; k++) {
			const struct cw_role_word *word = cw_role_word_find(p->alias[k]);
			if (is_pronoun(p->alias[k], we_words, COUNT(we_words)) &&
			    p->role == CW_ROLE_UNKNOWN)
				p->role = CW_ROLE_VENDOR;
			else if (is_pronoun(p->alias[k], you_words, COUNT(you_words)) &&
				 p->role == CW_ROLE_UNKNOWN)
				p->role = CW_ROLE_CUSTOMER;
			else if (word) {
				p->role = word->role;
				weak[i] = word->weak;
			}
		}
	}
}

static enum cw_role opposite(enum cw_role role)
{
	return role == CW_ROLE_VENDOR ? CW_ROLE_CUSTOMER : CW_ROLE_VENDOR;
}

static bool decided(enum cw_role role)
{
	return role == CW_ROLE_VENDOR || role == CW_ROLE_CUSTOMER;
}

/** Two parties: the role of one tells that of the other, evidence settles the rest. */
static void settle_two(struct cw_named *a, struct cw_named *b, bool weak_a, bool weak_b, int diff)
{
	if (decided(a->role) && a->role == b->role) {
		if (weak_a != weak_b)
			(weak_a ? a : b)->role = CW_ROLE_UNKNOWN;
		else
			a->role = b->role = CW_ROLE_UNKNOWN;
	}
	if (decided(a->role) && b->role == CW_ROLE_UNKNOWN)
		b->role = opposite(a->role);
	else if (decided(b->role) && a->role == CW_ROLE_UNKNOWN)
		a->role = opposite(b->role);
	else if (a->role == CW_ROLE_UNKNOWN && b->role == CW_ROLE_UNKNOWN &&
		 (diff >= EVIDENCE_SURE || diff <= -EVIDENCE_SURE)) {
		a->role = diff > 0 ? CW_ROLE_VENDOR : CW_ROLE_CUSTOMER;
		b->role = opposite(a->role);
	}
}

static bool needs_evidence(const struct cw_named_list *list, const bool *weak)
{
	size_t known = 0;

	for (size_t i = 0; i < list->count; i++)
		known += list->at[i].role != CW_ROLE_UNKNOWN && !weak[i];
	return known < list->count && !(list->count == 2 && known == 1);
}

/**
 * Several parties of whom one is told to be the customer, or the vendor, and a single one of the
 * others has a company's name: that is the other side.
 */
static void settle_rest(struct cw_named_list *list, const bool *weak)
{
	struct cw_named *other = NULL;
	enum cw_role known = CW_ROLE_UNKNOWN;
	size_t companies = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct cw_named *p = &list->at[i];
		if (decided(p->role) && !weak[i]) {
			if (known != CW_ROLE_UNKNOWN && known != p->role)
				return;
			known = p->role;
		} else if (p->entity && p->role == CW_ROLE_UNKNOWN) {
			other = p;
			companies++;
		}
	}
	if (known != CW_ROLE_UNKNOWN && companies == 1)
		other->role = opposite(known);
}

static void settle(struct cw_named_list *list, const bool *weak, const int *scores)
{
	if (list->count == 2) {
		settle_two(&list->at[0], &list->at[1], weak[0], weak[1], scores[0] - scores[1]);
		return;
	}
	settle_rest(list, weak);
	for (size_t i = 0; i < list->count; i++) {
		if (list->at[i].role != CW_ROLE_UNKNOWN)
			continue;
		if (scores[i] >= EVIDENCE_SURE)
			list->at[i].role = CW_ROLE_VENDOR;
		else if (scores[i] <= -EVIDENCE_SURE)
			list->at[i].role = CW_ROLE_CUSTOMER;
	}
}

static enum cw_side side_of(enum cw_role role)
{
	static const enum cw_side sides[] = { CW_SIDE_UNKNOWN, CW_SIDE_VENDOR, CW_SIDE_CUSTOMER,
					      CW_SIDE_OTHER };

	return sides[role];
}

/** Leading word of a name that tells it from others; 0 when it is too common. */
static size_t distinctive(const char *name)
{
	static const char *const common[] = { "the",     "american", "first",         "national",
					      "united",  "global",   "international", "general",
					      "new",     "bank",     "north",         "south",
					      "east",    "west",     "university",    "state",
					      "data",    "public",   "service",       "software",
					      "digital", "network",  "company",       "people",
					      "one",     "big",      "open" };
	size_t n = strcspn(name, " ,.");

	for (size_t i = 0; i < COUNT(common); i++) {
		if (cw_starts_word(name, common[i]))
			return 0;
	}
	return n >= 4 && isupper((unsigned char)*name) ? n : 0;
}

static int add_party_mentions(struct cw_arena *arena, struct cw_roles *r,
			      const struct cw_named_list *list)
{
	char word[128];

	for (size_t i = 0; i < list->count; i++) {
		const struct cw_named *p = &list->at[i];
		struct mention m = { .party = (int8_t)i, .side = (uint8_t)side_of(p->role) };
		size_t stem = cw_name_stem(p->name);

		for (size_t k = 0; k < p->naliases; k++) {
			m.capital = isupper((unsigned char)p->alias[k][0]);
			if (add_mention(arena, r, p->alias[k], &m) < 0)
				return CW_ENOMEM;
		}
		m.capital = true;
		if (add_mention(arena, r, p->name, &m) < 0)
			return CW_ENOMEM;
		size_t lens[2] = { stem, p->naliases ? 0 : distinctive(p->name) };
		for (size_t k = 0; k < 2; k++) {
			if (lens[k] < 2 || lens[k] >= sizeof(word))
				continue;
			memcpy(word, p->name, lens[k]);
			word[lens[k]] = '\0';
			if (add_mention(arena, r, word, &m) < 0)
				return CW_ENOMEM;
		}
	}
	return CW_OK;
}

/** Pronouns, when they speak of the parties. */
static int add_pronouns(struct cw_arena *arena, struct cw_roles *r,
			const struct cw_reading *reading)
{
	const struct cw_named_list *list = &reading->parties;
	enum cw_side you = CW_SIDE_CUSTOMER;

	for (size_t i = 0; i < list->count; i++) {
		for (size_t k = 0; k < list->at[i].naliases; k++) {
			if (is_pronoun(list->at[i].alias[k], you_words, COUNT(you_words)) &&
			    decided(list->at[i].role))
				you = side_of(list->at[i].role);
		}
	}
	enum cw_side we = you == CW_SIDE_CUSTOMER ? CW_SIDE_VENDOR : CW_SIDE_CUSTOMER;
	/* A text that names nobody can only speak of its publisher. */
	if (!reading->a->profile.online && reading->you < YOU_MIN && list->count > 0)
		return CW_OK;
	for (size_t i = 0; i < COUNT(we_words); i++) {
		if (add_mention(arena, r, we_words[i],
				&(struct mention){ .party = -1, .side = (uint8_t)we }) < 0)
			return CW_ENOMEM;
	}
	for (size_t i = 0; i < COUNT(you_words); i++) {
		if (add_mention(arena, r, you_words[i],
				&(struct mention){ .party = -1, .side = (uint8_t)you }) < 0)
			return CW_ENOMEM;
	}
	return CW_OK;
}

/**
 * Words such as "Customer" that no preamble defines.  Where both sides have been found they are
 * left out: a reseller's customers are no party.
 */
static int add_generic(struct cw_arena *arena, struct cw_roles *r, const struct cw_reading *reading)
{
	bool vendor = false, customer = false, online = reading->a->profile.online;
	char plural[40];

	for (size_t i = 0; i < reading->parties.count; i++) {
		vendor |= reading->parties.at[i].role == CW_ROLE_VENDOR;
		customer |= reading->parties.at[i].role == CW_ROLE_CUSTOMER;
	}
	if (vendor && customer && !online)
		return CW_OK;
	for (size_t i = 0; i < cw_role_word_count; i++) {
		/* Published terms speak of other vendors and licensors as of strangers. */
		if (online && cw_role_words[i].role != CW_ROLE_CUSTOMER && vendor)
			continue;
		if (online && !cw_role_words[i].plural)
			continue;
		if (cw_role_words[i].weak && !cw_role_words[i].plural && (vendor || customer))
			continue;
		struct mention m = { .party = -1,
				     .side = (uint8_t)side_of(cw_role_words[i].role),
				     .capital = !online };
		if (add_mention(arena, r, cw_role_words[i].word, &m) < 0)
			return CW_ENOMEM;
		if (!online || !cw_role_words[i].plural)
			continue;
		size_t n = strlen(cw_role_words[i].word);
		memcpy(plural, cw_role_words[i].word, n);
		memcpy(plural + n, "s", 2);
		if (add_mention(arena, r, plural, &m) < 0)
			return CW_ENOMEM;
	}
	return CW_OK;
}

/** Is the party called by a word of its own name, as publishers call themselves? */
static bool calls_itself(const struct cw_named *p)
{
	for (size_t k = 0; k < p->naliases; k++) {
		if (is_pronoun(p->alias[k], we_words, COUNT(we_words)) ||
		    cw_find_phrase(p->name, p->name + strlen(p->name), p->alias[k]))
			return true;
	}
	return false;
}

/** Online terms have one publisher, who is the vendor whatever else is defined. */
static void settle_online(struct cw_named_list *list)
{
	struct cw_named *vendor = NULL, *entity = NULL, *first = NULL;

	for (size_t i = 0; i < list->count; i++) {
		struct cw_named *p = &list->at[i];
		if (p->entity && p->role == CW_ROLE_CUSTOMER && calls_itself(p))
			p->role = CW_ROLE_VENDOR;
		if (p->role == CW_ROLE_VENDOR && !vendor)
			vendor = p;
		if (p->role != CW_ROLE_UNKNOWN)
			continue;
		if (p->entity && !entity)
			entity = p;
		if (!first)
			first = p;
	}
	for (size_t i = 0; vendor && i < list->count; i++) {
		struct cw_named *p = &list->at[i];
		for (size_t k = 0; k < p->naliases && p->role == CW_ROLE_UNKNOWN; k++)
			if (strcasecmp(p->alias[k], vendor->name) == 0)
				p->role = CW_ROLE_VENDOR;
	}
	if (vendor)
		return;
	if (entity || first)
		(entity ? entity : first)->role = CW_ROLE_VENDOR;
}

static int build(struct cw_arena *arena, struct cw_reading *reading, struct cw_roles *r)
{
	struct cw_named_list *list = &reading->parties;
	int scores[CW_NAMED_MAX] = { 0 };
	bool weak[CW_NAMED_MAX] = { false };

	if (add_party_mentions(arena, r, list) < 0)
		return CW_ENOMEM;
	roles_of_terms(list, weak);
	if (reading->a->profile.online)
		settle_online(list);
	else {
		if (needs_evidence(list, weak))
			weigh_parties(r, reading->a, scores);
		settle(list, weak, scores);
	}
	for (size_t i = 0; i < r->count; i++) {
		if (r->mentions[i].party >= 0)
			r->mentions[i].side = (uint8_t)side_of(list->at[r->mentions[i].party].role);
	}
	if (add_pronouns(arena, r, reading) < 0 || add_generic(arena, r, reading) < 0)
		return CW_ENOMEM;
	for (size_t i = 0; i < COUNT(shared); i++) {
		struct mention m = { .party = -1, .side = (uint8_t)shared[i].side };
		if (add_mention(arena, r, shared[i].phrase, &m) < 0)
			return CW_ENOMEM;
	}
	return CW_OK;
}

int cw_roles_build(struct cw_reading *reading, const struct cw_roles **out)
{
	struct cw_arena *arena = &reading->a->arena;
	struct cw_roles *r = cw_arena_alloc(arena, sizeof(*r));

	if (!r || build(arena, reading, r) < 0)
		return CW_ENOMEM;
	r->third = cw_word_hash("third", 5);
	*out = r;
	return CW_OK;
}
