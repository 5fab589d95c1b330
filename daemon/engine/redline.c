#include "engine/redline.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clausewatch/ruleset.h"
#include "engine/token.h"

/* Longer sentences are compared by their first words only. */
#define WORDS_MAX 512
#define SHOW_WORDS 14
#define MATERIAL_WORDS 2

/* Words that carry grammar, not terms. */
static const char *const function_words[] = {
	"a",       "an",        "the",     "of",       "to",    "in",   "on",    "at",      "by",
	"for",     "with",      "from",    "as",       "and",   "or",   "but",   "is",      "are",
	"be",      "been",      "was",     "were",     "it",    "its",  "this",  "that",    "these",
	"those",   "such",      "which",   "who",      "we",    "us",   "our",   "you",     "your",
	"they",    "their",     "them",    "will",     "shall", "may",  "can",   "also",    "any",
	"all",     "if",        "when",    "where",    "how",   "have", "has",   "had",     "do",
	"does",    "other",     "so",      "than",     "then",  "here", "about", "into",    "under",
	"upon",    "including", "include", "includes", "e",     "g",    "etc",   "example", "see",
	"section", "please",    "our",     "s",        "www",   "com",  "http",  "https",   NULL,
};

/* Words that narrow what they are added to. */
static const char *const limits[] = {
	"not",        "no",         "never",       "only",         "solely",     "except",
	"unless",     "limited",    "exclusively", "consent",      "permission", "approval",
	"opt",        "without",    "strictly",    "necessary",    "reasonable", "aggregated",
	"anonymized", "anonymised", "anonymous",   "deidentified", "identified", "request",
	"however",    "until",      "delete",      "deleted",      "cannot",     NULL,
};

static bool listed(const char *const *list, const struct cw_analysis *a, const struct cw_tok *t)
{
	for (; *list; list++)
		if (strlen(*list) == t->len && strncasecmp(*list, a->text + t->start, t->len) == 0)
			return true;
	return false;
}

struct cw_words cw_quoted(const struct cw_analysis *a, const struct cw_finding *f)
{
	const struct cw_clause *c = &a->clauses[f->clause];
	struct cw_words w = { a->toks + c->tok_start, c->tok_count };

	while (w.n > 0 && w.at[0].start < f->quote_start)
		w.at++, w.n--;
	while (w.n > 0 && w.at[w.n - 1].start >= f->quote_end)
		w.n--;
	if (w.n > WORDS_MAX)
		w.n = WORDS_MAX;
	return w;
}

static int hash_order(const void *va, const void *vb)
{
	uint64_t a = *(const uint64_t *)va, b = *(const uint64_t *)vb;

	return a < b ? -1 : a > b;
}

static size_t sort_hashes(struct cw_words w, uint64_t *out)
{
	for (uint32_t i = 0; i < w.n; i++)
		out[i] = w.at[i].hash;
	if (w.n > 1)
		qsort(out, w.n, sizeof(*out), hash_order);
	return w.n;
}

/** Mark the words of a that b has as well, as often as b has them; their order is style. */
static void mark_common(struct cw_words a, struct cw_words b, unsigned char *in_a)
{
	uint64_t in_b[WORDS_MAX];
	unsigned char used[WORDS_MAX] = { 0 };
	size_t n = sort_hashes(b, in_b);

	for (uint32_t i = 0; i < a.n; i++) {
		const uint64_t *hit = bsearch(&a.at[i].hash, in_b, n, sizeof(*in_b), hash_order);
		if (!hit)
			continue;
		size_t k = (size_t)(hit - in_b);
		while (k > 0 && in_b[k - 1] == *hit)
			k--;
		while (k < n && in_b[k] == *hit && used[k])
			k++;
		if (k < n && in_b[k] == *hit)
			in_a[i] = used[k] = 1;
	}
}

/* What a number counts, where that is of substance. */
static const char *const units[] = {
	"day",      "days",        "month",   "months",  "year",    "years",   "hour",
	"hours",    "week",        "weeks",   "minutes", "times",   "percent", "business",
	"calendar", "consecutive", "dollars", "euros",   "million", NULL,
};

/** Section numbers, years and counters of a list are none of substance. */
static bool is_amount(const struct cw_analysis *a, struct cw_words w, uint32_t i)
{
	if (w.at[i].flags & CW_TOK_MONEY || memchr(a->text + w.at[i].start, ',', w.at[i].len))
		return true;
	for (uint32_t k = i + 1; k < w.n && k <= i + 2; k++)
		if (listed(units, a, &w.at[k]))
			return true;
	return false;
}

struct tally {
	unsigned words, limits, names;
};

static struct tally count(const struct cw_analysis *a, struct cw_words w,
			  const unsigned char *common)
{
	struct tally t = { 0 };

	for (uint32_t i = 0; i < w.n; i++) {
		if (common[i] || listed(function_words, a, &w.at[i]))
			continue;
		if ((w.at[i].flags & CW_TOK_NUM) && !is_amount(a, w, i))
			continue;
		if (listed(limits, a, &w.at[i]))
			t.limits++;
		else if ((w.at[i].flags & CW_TOK_CAP) && (w.at[i].flags & CW_TOK_PAREN))
			continue; /* an example */
		else if ((w.at[i].flags & CW_TOK_CAP) && !(w.at[i].flags & CW_TOK_SENT))
			t.names++;
		else
			t.words++;
	}
	return t;
}

void cw_redline(const struct cw_analysis *old, const struct cw_finding *before,
		const struct cw_analysis *new, const struct cw_finding *after,
		struct cw_redline *out)
{
	unsigned char in_old[WORDS_MAX] = { 0 }, in_new[WORDS_MAX] = { 0 };
	struct cw_words a = cw_quoted(old, before), b = cw_quoted(new, after);

	mark_common(a, b, in_old);
	mark_common(b, a, in_new);
	struct tally gone = count(old, a, in_old), come = count(new, b, in_new);
	/* One name in the place of another changes nothing. */
	unsigned renamed = gone.names < come.names ? gone.names : come.names;

	gone.words += gone.names - renamed;
	come.words += come.names - renamed;
	out->added = come.words + come.limits;
	out->removed = gone.words + gone.limits;
	out->material = out->added + out->removed >= MATERIAL_WORDS || come.limits != gone.limits;
	int limits_net = (int)come.limits - (int)gone.limits;
	int words_net = (int)come.words - (int)gone.words;
	out->wider = limits_net ? -limits_net : words_net;
}

static void put_words(struct cw_buf *out, const struct cw_analysis *a, struct cw_words w)
{
	if (w.n == 0) {
		cw_buf_puts(out, "(nothing)");
		return;
	}
	uint32_t n = w.n > SHOW_WORDS ? SHOW_WORDS : w.n;
	cw_buf_puts(out, "“");
	cw_plain_text(a->text, w.at[0].start, w.at[n - 1].start + w.at[n - 1].len, a->format, out);
	cw_buf_puts(out, w.n > n ? " …”" : "”");
}

/** Cut what both begin and end with. */
static void cut_common(struct cw_words *a, struct cw_words *b)
{
	while (a->n > 0 && b->n > 0 && a->at[0].hash == b->at[0].hash) {
		a->at++, a->n--;
		b->at++, b->n--;
	}
	while (a->n > 0 && b->n > 0 && a->at[a->n - 1].hash == b->at[b->n - 1].hash)
		a->n--, b->n--;
}

const char *cw_redline_summary(struct cw_arena *arena, const struct cw_analysis *old,
			       const struct cw_finding *before, const struct cw_analysis *new,
			       const struct cw_finding *after)
{
	/* cppcheck-suppress nullPointerRedundantCheck ; the caller gives one of them at least */
	const struct cw_term *term = (after ? after : before)->term;
	struct cw_buf out = { 0 };
	struct cw_words a = { 0 }, b = { 0 };

	cw_buf_puts(&out, term->title[0] ? term->title : term->id);
	if (before)
		a = cw_quoted(old, before);
	if (after)
		b = cw_quoted(new, after);
	if (before && after) {
		cut_common(&a, &b);
		cw_buf_puts(&out, ": ");
		put_words(&out, old, a);
		cw_buf_puts(&out, " → ");
		put_words(&out, new, b);
	} else {
		cw_buf_puts(&out, after ? " added: " : " removed: ");
		put_words(&out, after ? new : old, after ? b : a);
	}
	const char *text = out.failed ? NULL : cw_arena_strndup(arena, cw_buf_str(&out), out.len);
	cw_buf_release(&out);
	return text;
}
