/*
 * States are compared, not lines.  A term is gained by a clause that states it now and whose
 * former self did not, lost by the reverse, kept when both state it.  A gain and a loss of one term
 * that no pair of clauses joins are one rewritten statement.  Whether a kept statement changed is
 * judged by the words of the sentences that carry it.
 */
#include "clausewatch/compare.h"

#include <stdlib.h>
#include <string.h>

#include "clausewatch/ruleset.h"
#include "engine/align.h"
#include "engine/redline.h"

#define COLLAPSE_SHARE 0.3
#define COLLAPSE_WORDS 200
/* A statement whose words stood elsewhere before was moved, split or merged. */
#define NOVELTY_MIN 0.15f
/* An item of a list is new when so many of its words are. */
#define ITEM_NOVELTY 0.5f
/* A statement that came for one that went has so many of its words. */
#define REWRITTEN_MIN 0.35f

struct compare {
	struct cw_comparison *c;
	struct cw_alignment al;
	size_t cap;
	unsigned char *old_done, *new_done; /* findings that a change or a twin accounts for */
	struct cw_error *err;
};

/** "data.training-grant" of "data.training-grant.general-models". */
static size_t base_len(const char *term_id)
{
	const char *dot = strchr(term_id, '.');

	dot = dot ? strchr(dot + 1, '.') : NULL;
	return dot ? (size_t)(dot - term_id) : strlen(term_id);
}

static bool same_base(const struct cw_finding *f, const struct cw_finding *g)
{
	size_t n = base_len(f->term_id);

	return f->polarity == g->polarity && n == base_len(g->term_id) &&
	       memcmp(f->term_id, g->term_id, n) == 0;
}

static bool same_term(const struct cw_finding *f, const struct cw_finding *g)
{
	return f->polarity == g->polarity && strcmp(f->term_id, g->term_id) == 0;
}

static bool stated(const struct cw_analysis *a, const struct cw_finding *f)
{
	for (size_t i = 0; i < a->nfindings; i++)
		if (same_base(&a->findings[i], f))
			return true;
	return false;
}

/** The finding of the same term in a clause of the other version, or NULL. */
static const struct cw_finding *twin(const struct cw_analysis *a, int32_t clause,
				     const struct cw_finding *f)
{
	for (size_t i = 0; clause >= 0 && i < a->nfindings; i++)
		if (a->findings[i].clause == (uint32_t)clause && same_term(&a->findings[i], f))
			return &a->findings[i];
	return NULL;
}

static enum cw_effect effect_of(enum cw_polarity polarity, int wider)
{
	if (wider == 0 || polarity == CW_NEUTRAL)
		return CW_EFFECT_NEUTRAL;
	return (wider > 0) == (polarity == CW_RISK) ? CW_EFFECT_RISKIER : CW_EFFECT_SAFER;
}

static int add_change(struct compare *cmp, enum cw_change_event event, enum cw_effect effect,
		      const struct cw_finding *before, const struct cw_finding *after)
{
	struct cw_comparison *c = cmp->c;
	const struct cw_finding *f = after ? after : before;

	if (f->severity == CW_INFO) /* what only informs is no change of substance */
		return CW_OK;
	struct cw_change *at =
		cw_arena_grow(&c->arena, c->changes, c->nchanges, &cmp->cap, sizeof(*at));
	if (!at)
		return cw_fail(cmp->err, CW_ENOMEM, "out of memory");
	c->changes = at;
	at[c->nchanges] = (struct cw_change){
		.event = event,
		.effect = effect,
		.severity = f->severity,
		.term_id = f->term_id,
		.before = before,
		.after = after,
		.summary = cw_redline_summary(&c->arena, c->old, before, c->new, after,
					      event != CW_APPEARED && event != CW_REMOVED),
	};
	memcpy(at[c->nchanges].id, f->id, CW_ID_SIZE);
	return at[c->nchanges++].summary ? CW_OK : cw_fail(cmp->err, CW_ENOMEM, "out of memory");
}

/** Clauses were split, merged or moved: either statement stands in the other version, too. */
static bool stood_before(const struct compare *cmp, const struct cw_finding *before,
			 const struct cw_finding *after)
{
	struct cw_words old = cw_quoted(cmp->c->old, before), new = cw_quoted(cmp->c->new, after);

	return cw_novelty(&cmp->al.new_grams, old.at, old.n) <= 0.0f &&
	       cw_novelty(&cmp->al.old_grams, new.at, new.n) <= 0.0f;
}

static void redline(const struct compare *cmp, const struct cw_finding *f, struct cw_words before,
		    struct cw_words after, struct cw_redline *out)
{
	struct cw_redline_of of = {
		cmp->c->old, cmp->c->new, before, after, f->term_id, f->polarity
	};

	cw_redline(&of, out);
}

/** What introduces a clause says the same in both versions, or does so for want of any. */
static bool same_lead(const struct compare *cmp, const struct cw_finding *f, uint32_t was,
		      uint32_t is, struct cw_redline *line)
{
	int32_t a = cmp->c->old->clauses[was].lead_in, b = cmp->c->new->clauses[is].lead_in;

	*line = (struct cw_redline){ 0 };
	if (a < 0 || b < 0)
		return true;
	redline(cmp, f, cw_clause_words(cmp->c->old, (uint32_t)a),
		cw_clause_words(cmp->c->new, (uint32_t)b), line);
	return !line->limits;
}

static enum cw_effect judge(const struct cw_finding *f, const struct cw_redline *line)
{
	if (line->amount && f->polarity != CW_NEUTRAL)
		return line->amount > 0 ? CW_EFFECT_SAFER : CW_EFFECT_RISKIER;
	return effect_of(f->polarity, line->wider);
}

/** An item that the other version has in no form. */
static bool new_item(const struct cw_analysis *a, const struct cw_pair_of *pairs, uint32_t clause)
{
	uint32_t end = cw_list_end(a, clause);

	for (uint32_t i = clause + 1; i <= end; i++)
		if (pairs[i].how == CW_PAIR_NONE && pairs[i].novelty >= ITEM_NOVELTY)
			return true;
	return false;
}

/** The statement leads into a list that has got, or has lost, an item of substance. */
static bool list_differs(const struct compare *cmp, const struct cw_finding *before,
			 const struct cw_finding *after, struct cw_redline *line)
{
	if (!new_item(cmp->c->old, cmp->al.old, before->clause) &&
	    !new_item(cmp->c->new, cmp->al.new, after->clause))
		return false;
	redline(cmp, after, cw_list_words(cmp->c->old, before->clause),
		cw_list_words(cmp->c->new, after->clause), line);
	return line->material;
}

/** Both versions state the term in what is the same clause. */
static int keep(struct compare *cmp, const struct cw_finding *before,
		const struct cw_finding *after)
{
	struct cw_redline line;
	enum cw_pairing how = cmp->al.new[after->clause].how;

	cmp->old_done[before - cmp->c->old->findings] = 1;
	cmp->new_done[after - cmp->c->new->findings] = 1;
	if (!same_lead(cmp, after, before->clause, after->clause, &line) ||
	    list_differs(cmp, before, after, &line))
		return add_change(cmp, CW_CHANGED, judge(after, &line), before, after);
	if (how == CW_PAIR_SAME)
		return CW_OK;
	if (how == CW_PAIR_MOVED)
		return add_change(cmp, CW_MOVED, CW_EFFECT_NEUTRAL, before, after);
	redline(cmp, after, cw_quoted(cmp->c->old, before), cw_quoted(cmp->c->new, after), &line);
	bool nothing_new = how == CW_PAIR_NONE &&
			   cmp->al.old[before->clause].novelty < NOVELTY_MIN &&
			   cmp->al.new[after->clause].novelty < NOVELTY_MIN;
	if (!line.material || nothing_new || stood_before(cmp, before, after))
		return add_change(cmp, CW_REWORDED, CW_EFFECT_NEUTRAL, before, after);
	return add_change(cmp, CW_CHANGED, judge(after, &line), before, after);
}

static int compare_kept(struct compare *cmp)
{
	const struct cw_analysis *new = cmp->c->new;
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < new->nfindings; i++) {
		const struct cw_finding *f = &new->findings[i];
		const struct cw_finding *g =
			cmp->c->old ? twin(cmp->c->old, cmp->al.new[f->clause].other, f) : NULL;
		if (g)
			ret = keep(cmp, g, f);
	}
	return ret;
}

/** The loss of the same term that a gain resembles most, or NULL. */
static const struct cw_finding *former(const struct compare *cmp, const struct cw_finding *f)
{
	const struct cw_analysis *old = cmp->c->old, *new = cmp->c->new;
	const struct cw_finding *best = NULL;
	float most = REWRITTEN_MIN;

	for (size_t k = 0; k < old->nfindings; k++) {
		if (cmp->old_done[k] || !same_term(&old->findings[k], f))
			continue;
		float r = cw_resemblance(cw_quoted(old, &old->findings[k]), cw_quoted(new, f));
		if (r > most) {
			most = r;
			best = &old->findings[k];
		}
	}
	return best;
}

/** A gain and a loss of one term whose clauses nothing joined: a statement written anew. */
static int compare_rewritten(struct compare *cmp)
{
	const struct cw_analysis *new = cmp->c->new;
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < new->nfindings; i++) {
		const struct cw_finding *f = &new->findings[i];
		const struct cw_finding *g = cmp->new_done[i] ? NULL : former(cmp, f);
		if (g)
			ret = keep(cmp, g, f);
	}
	return ret;
}

/**
 * The sentence stands in the same clause of the other version as well, with nothing of substance
 * added or missing, so that only its reading differs: nothing came or went.
 */
static bool stood_there(const struct compare *cmp, const struct cw_finding *f, bool is_new)
{
	const struct cw_analysis *other = is_new ? cmp->c->old : cmp->c->new;
	struct cw_pair_of pair = (is_new ? cmp->al.new : cmp->al.old)[f->clause];
	struct cw_words here = cw_quoted(is_new ? cmp->c->new : cmp->c->old, f);
	struct cw_redline line;

	if (pair.other < 0)
		return false;
	uint32_t there = (uint32_t)pair.other;
	if (!same_lead(cmp, f, is_new ? there : f->clause, is_new ? f->clause : there, &line))
		return false;
	if (pair.how == CW_PAIR_SAME || pair.how == CW_PAIR_MOVED)
		return true;
	struct cw_words twin_words = cw_counterpart(other, there, here);
	redline(cmp, f, is_new ? twin_words : here, is_new ? here : twin_words, &line);
	return !line.material;
}

static float novelty(const struct compare *cmp, const struct cw_finding *f, bool is_new)
{
	return (is_new ? cmp->al.new : cmp->al.old)[f->clause].novelty;
}

static int compare_gained(struct compare *cmp)
{
	const struct cw_analysis *old = cmp->c->old, *new = cmp->c->new;
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < new->nfindings; i++) {
		const struct cw_finding *f = &new->findings[i];
		enum cw_effect effect = effect_of(f->polarity, 1);

		if (cmp->new_done[i])
			continue;
		if (old && stood_there(cmp, f, true))
			ret = add_change(cmp, CW_REWORDED, CW_EFFECT_NEUTRAL, NULL, f);
		else if (!old || !stated(old, f))
			ret = add_change(cmp, CW_APPEARED, effect, NULL, f);
		else if (novelty(cmp, f, true) >= NOVELTY_MIN)
			ret = add_change(cmp, CW_CHANGED, effect, NULL, f);
		else
			ret = add_change(cmp, CW_REWORDED, CW_EFFECT_NEUTRAL, NULL, f);
	}
	return ret;
}

static int compare_lost(struct compare *cmp)
{
	const struct cw_analysis *old = cmp->c->old, *new = cmp->c->new;
	int ret = CW_OK;

	for (size_t i = 0; old && ret == CW_OK && i < old->nfindings; i++) {
		const struct cw_finding *f = &old->findings[i];
		enum cw_effect effect = effect_of(f->polarity, -1);

		if (cmp->old_done[i])
			continue;
		if (stood_there(cmp, f, false))
			ret = add_change(cmp, CW_REWORDED, CW_EFFECT_NEUTRAL, f, NULL);
		else if (!stated(new, f))
			ret = add_change(cmp, CW_REMOVED, effect, f, NULL);
		else if (novelty(cmp, f, false) >= NOVELTY_MIN)
			ret = add_change(cmp, CW_CHANGED, effect, f, NULL);
		else
			ret = add_change(cmp, CW_REWORDED, CW_EFFECT_NEUTRAL, f, NULL);
	}
	return ret;
}

/** Of a term and its details, which one speaks for the others: the most severe, then the base. */
static bool speaks_for(const struct cw_change *a, const struct cw_change *b)
{
	size_t n = strlen(a->term_id), m = strlen(b->term_id);

	if (a->severity != b->severity)
		return a->severity > b->severity;
	return n != m ? n < m : strcmp(a->term_id, b->term_id) < 0;
}

/** A term and its details that change alike in one clause are one thing to tell. */
static bool told_by_other(const struct cw_comparison *c, const struct cw_change *change)
{
	const struct cw_finding *f = change->after ? change->after : change->before;

	for (size_t i = 0; i < c->nchanges; i++) {
		const struct cw_change *other = &c->changes[i];
		const struct cw_finding *g = other->after ? other->after : other->before;

		if (other != change && other->event == change->event &&
		    other->effect == change->effect && !other->after == !change->after &&
		    g->clause == f->clause && same_base(f, g) && speaks_for(other, change))
			return true;
	}
	return false;
}

/**
 * Of a risk that is stated again and again, a statement that goes while the others get worse makes
 * nothing safer.
 */
static void quieten_losses(struct cw_comparison *c)
{
	for (size_t i = 0; i < c->nchanges; i++) {
		struct cw_change *lost = &c->changes[i];
		if (lost->event != CW_CHANGED || lost->after || lost->effect != CW_EFFECT_SAFER)
			continue;
		for (size_t k = 0; k < c->nchanges; k++) {
			const struct cw_change *other = &c->changes[k];
			if (other->effect != CW_EFFECT_RISKIER ||
			    !same_base(other->after ? other->after : other->before, lost->before))
				continue;
			lost->event = CW_REWORDED;
			lost->effect = CW_EFFECT_NEUTRAL;
			break;
		}
	}
}

static int drop_told(struct cw_comparison *c)
{
	unsigned char *told = cw_arena_alloc(&c->arena, c->nchanges + 1);
	size_t n = 0;

	if (!told)
		return CW_ENOMEM;
	for (size_t i = 0; i < c->nchanges; i++)
		told[i] = told_by_other(c, &c->changes[i]);
	for (size_t i = 0; i < c->nchanges; i++)
		if (!told[i])
			c->changes[n++] = c->changes[i];
	c->nchanges = n;
	return CW_OK;
}

static int change_order(const void *va, const void *vb)
{
	const struct cw_change *a = va, *b = vb;
	bool loud_a = cw_change_alerts(a), loud_b = cw_change_alerts(b);
	static const int rank[] = {
		[CW_EFFECT_RISKIER] = 0, [CW_EFFECT_SAFER] = 1, [CW_EFFECT_NEUTRAL] = 2
	};

	if (loud_a != loud_b)
		return loud_a ? -1 : 1;
	if (rank[a->effect] != rank[b->effect])
		return rank[a->effect] - rank[b->effect];
	if (a->severity != b->severity)
		return (int)b->severity - (int)a->severity;
	const struct cw_finding *f = a->after ? a->after : a->before;
	const struct cw_finding *g = b->after ? b->after : b->before;
	if (f->clause != g->clause)
		return f->clause < g->clause ? -1 : 1;
	int cmp = strcmp(a->term_id, b->term_id);
	return cmp ? cmp : (int)a->event - (int)b->event;
}

static void count_clauses(struct compare *cmp)
{
	struct cw_comparison *c = cmp->c;

	for (size_t i = 0; i < c->new->nclauses; i++) {
		switch (cmp->al.new[i].how) {
		case CW_PAIR_SAME:
			c->clauses_same++;
			break;
		case CW_PAIR_MOVED:
			c->clauses_moved++;
			break;
		case CW_PAIR_MASKED:
		case CW_PAIR_SIMILAR:
			c->clauses_reworded++;
			break;
		case CW_PAIR_NONE:
			c->clauses_added += c->new->clauses[i].tok_count > 0;
			break;
		}
	}
	for (size_t i = 0; c->old && i < c->old->nclauses; i++)
		c->clauses_removed +=
			cmp->al.old[i].how == CW_PAIR_NONE && c->old->clauses[i].tok_count > 0;
	c->same_words = c->old && c->clauses_reworded + c->clauses_added + c->clauses_removed == 0;
	size_t was = c->old ? c->old->ntoks : 0, is = c->new->ntoks;
	if (was >= COLLAPSE_WORDS && (double)is < COLLAPSE_SHARE * (double)was)
		c->collapse = CW_COLLAPSED;
	else if (c->old && is >= COLLAPSE_WORDS && (double)was < COLLAPSE_SHARE * (double)is)
		c->collapse = CW_RECOVERED;
}

static int no_alignment(struct compare *cmp)
{
	size_t n = cmp->c->new->nclauses;

	cmp->al.new = cw_arena_alloc(&cmp->c->arena, (n + 1) * sizeof(*cmp->al.new));
	if (!cmp->al.new)
		return CW_ENOMEM;
	for (size_t i = 0; i < n; i++)
		cmp->al.new[i] = (struct cw_pair_of){ .other = -1, .novelty = 1.0f };
	return CW_OK;
}

static int compare(struct compare *cmp)
{
	struct cw_comparison *c = cmp->c;
	int ret;

	cmp->new_done = cw_arena_alloc(&c->arena, c->new->nfindings + 1);
	cmp->old_done = cw_arena_alloc(&c->arena, (c->old ? c->old->nfindings : 0) + 1);
	if (!cmp->new_done || !cmp->old_done)
		return cw_fail(cmp->err, CW_ENOMEM, "out of memory");
	ret = c->old ? cw_align(&c->arena, c->old, c->new, &cmp->al) : no_alignment(cmp);
	if (ret < 0)
		return cw_fail(cmp->err, ret, "out of memory");
	count_clauses(cmp);
	ret = compare_kept(cmp);
	if (ret == CW_OK && c->old)
		ret = compare_rewritten(cmp);
	if (ret == CW_OK)
		ret = compare_gained(cmp);
	if (ret == CW_OK)
		ret = compare_lost(cmp);
	if (ret < 0)
		return ret;
	quieten_losses(c);
	if (drop_told(c) < 0)
		return cw_fail(cmp->err, CW_ENOMEM, "out of memory");
	if (c->nchanges > 1)
		qsort(c->changes, c->nchanges, sizeof(*c->changes), change_order);
	return CW_OK;
}

int cw_compare(const struct cw_analysis *old, const struct cw_analysis *new,
	       struct cw_comparison **out, struct cw_error *err)
{
	struct cw_comparison *c = calloc(1, sizeof(*c));
	struct compare cmp = { .c = c, .err = err };

	if (!c)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	c->old = old;
	c->new = new;
	int ret = compare(&cmp);
	if (ret < 0) {
		cw_comparison_free(c);
		return ret;
	}
	*out = c;
	return CW_OK;
}

bool cw_change_alerts(const struct cw_change *change)
{
	return change->event == CW_APPEARED || change->event == CW_REMOVED ||
	       change->event == CW_CHANGED;
}

void cw_comparison_free(struct cw_comparison *c)
{
	if (!c)
		return;
	cw_arena_release(&c->arena);
	free(c);
}
