#include "engine/redline.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Longer sentences are compared by their first words only. */
#define WORDS_MAX 512
/* So many words of substance are a change, however long the sentence... */
#define MATERIAL_NET 2
#define MATERIAL_WORDS 4
/* ... and so many in a sentence of less than five times as many. */
#define MATERIAL_SHORT 2

static struct cw_words first_words(struct cw_words w)
{
	if (w.n > WORDS_MAX)
		w.n = WORDS_MAX;
	return w;
}

struct cw_words cw_clause_words(const struct cw_analysis *a, uint32_t clause)
{
	const struct cw_clause *c = &a->clauses[clause];

	return first_words((struct cw_words){ a->toks + c->tok_start, c->tok_count });
}

uint32_t cw_list_end(const struct cw_analysis *a, uint32_t clause)
{
	uint32_t i = clause;

	while (i + 1 < a->nclauses && a->clauses[i + 1].lead_in >= (int32_t)clause)
		i++;
	return i;
}

struct cw_words cw_list_words(const struct cw_analysis *a, uint32_t clause)
{
	const struct cw_clause *first = &a->clauses[clause];
	const struct cw_clause *last = &a->clauses[cw_list_end(a, clause)];

	return first_words((struct cw_words){
		a->toks + first->tok_start, last->tok_start + last->tok_count - first->tok_start });
}

struct cw_words cw_quoted(const struct cw_analysis *a, const struct cw_finding *f)
{
	const struct cw_clause *c = &a->clauses[f->clause];
	struct cw_words w = { a->toks + c->tok_start, c->tok_count };

	while (w.n > 0 && w.at[0].start < f->quote_start)
		w.at++, w.n--;
	while (w.n > 0 && w.at[w.n - 1].start >= f->quote_end)
		w.n--;
	return first_words(w);
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
static uint32_t mark_common(struct cw_words a, struct cw_words b, unsigned char *in_a)
{
	uint64_t in_b[WORDS_MAX];
	unsigned char used[WORDS_MAX] = { 0 };
	size_t n = sort_hashes(b, in_b);
	uint32_t count = 0;

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
			in_a[i] = used[k] = 1, count++;
	}
	return count;
}

float cw_resemblance(struct cw_words a, struct cw_words b)
{
	unsigned char in_a[WORDS_MAX] = { 0 };
	uint32_t most = a.n > b.n ? a.n : b.n;

	return most ? (float)mark_common(a, b, in_a) / (float)most : 0.0f;
}

struct cw_words cw_counterpart(const struct cw_analysis *a, uint32_t clause, struct cw_words words)
{
	struct cw_words all = cw_clause_words(a, clause), best = { 0 };
	uint32_t most = 0;

	for (uint32_t from = 0, to; from < all.n; from = to) {
		unsigned char in[WORDS_MAX] = { 0 };
		for (to = from + 1; to < all.n && !(all.at[to].flags & CW_TOK_SENT);)
			to++;
		struct cw_words sentence = { all.at + from, to - from };
		uint32_t n = mark_common(sentence, words, in);
		if (n > most) {
			most = n;
			best = sentence;
		}
	}
	return best;
}

static bool is_ending(const char *tail, uint32_t len)
{
	static const char *const endings[] = { "",    "s", "es", "d",   "ed",
					       "ing", "e", "y",  "ies", "ied" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		if (strlen(endings[i]) == len && strncasecmp(endings[i], tail, len) == 0)
			return true;
	return false;
}

/** Letters that spellings of one word differ in: "licence", "anonymized". */
static bool is_spelling(char a, char b)
{
	return strchr("csz", a | 0x20) && strchr("csz", b | 0x20);
}

/** Two forms of one word: "process" and "processes", "licence" and "license". */
static bool same_stem(const struct cw_analysis *old, const struct cw_tok *o,
		      const struct cw_analysis *new, const struct cw_tok *n)
{
	const char *a = old->text + o->start, *b = new->text + n->start;
	uint32_t shorter = o->len < n->len ? o->len : n->len, same = 0;

	if ((o->flags | n->flags) & (CW_TOK_NUM | CW_TOK_ROLE))
		return false;
	for (uint32_t i = 0; i < shorter; i++) {
		bool equal = strncasecmp(a + i, b + i, 1) == 0;
		if (!equal && !(i > 2 && is_spelling(a[i], b[i])))
			break;
		same++;
	}
	return same >= 4 && is_ending(a + same, o->len - same) &&
	       is_ending(b + same, n->len - same);
}

static void mark_stems(const struct cw_redline_of *of, unsigned char *in_old, unsigned char *in_new)
{
	for (uint32_t i = 0; i < of->before.n; i++)
		for (uint32_t k = 0; !in_old[i] && k < of->after.n; k++)
			if (!in_new[k] &&
			    same_stem(of->old, &of->before.at[i], of->new, &of->after.at[k]))
				in_old[i] = in_new[k] = 1;
}

static bool conditions_differ(const struct cw_weight *gone, const struct cw_weight *come)
{
	return gone->negations != come->negations || gone->limits != come->limits ||
	       gone->hedges != come->hedges;
}

static bool is_material(const struct cw_weight *gone, const struct cw_weight *come, uint32_t words)
{
	unsigned differ = gone->words + come->words;

	if (conditions_differ(gone, come) || gone->wide != come->wide)
		return true;
	if (gone->amount != come->amount)
		return true;
	if ((unsigned)abs((int)gone->words - (int)come->words) >= MATERIAL_NET)
		return true;
	return differ >= MATERIAL_WORDS || (differ >= MATERIAL_SHORT && differ * 5 > words);
}

void cw_redline(const struct cw_redline_of *of, struct cw_redline *out)
{
	unsigned char in_old[WORDS_MAX] = { 0 }, in_new[WORDS_MAX] = { 0 };
	struct cw_words a = of->before, b = of->after;

	mark_common(a, b, in_old);
	mark_common(b, a, in_new);
	mark_stems(of, in_old, in_new);
	struct cw_weight gone = cw_weigh(of->old, a, in_old, of->term_id, of->polarity);
	struct cw_weight come = cw_weigh(of->new, b, in_new, of->term_id, of->polarity);
	/* One name in the place of another changes nothing. */
	unsigned renamed = gone.names < come.names ? gone.names : come.names;

	gone.words += gone.names - renamed;
	come.words += come.names - renamed;
	gone.plain += (int)(gone.names - renamed);
	come.plain += (int)(come.names - renamed);
	out->material = is_material(&gone, &come, a.n > b.n ? a.n : b.n);
	out->limits = conditions_differ(&gone, &come);
	int plain = come.plain - gone.plain, net = come.net - gone.net;
	out->wider = net ? net : plain;
	out->amount = 0;
	if (!come.age && gone.amount > 0 && come.amount > 0 && gone.amount != come.amount)
		out->amount = (come.amount > gone.amount ? 1 : -1) * cw_amount_sense(of->term_id);
}
