/** @file
 * What changed in the words of a statement.  Internal to the engine.
 */
#pragma once

#include "clausewatch/analysis.h"
#include "engine/effect.h"
#include "engine/token.h"

/** The words of the sentence that carries a finding, the first 512 of them. */
struct cw_words cw_quoted(const struct cw_analysis *a, const struct cw_finding *f);
/** The words of a clause, the first 512 of them. */
struct cw_words cw_clause_words(const struct cw_analysis *a, uint32_t clause);
/** The words of a clause and of the items that it leads into, the first 512 of them. */
struct cw_words cw_list_words(const struct cw_analysis *a, uint32_t clause);
/** The last item that a clause leads into, itself when there is none. */
uint32_t cw_list_end(const struct cw_analysis *a, uint32_t clause);
/** The sentence of a clause that has the most of these words. */
struct cw_words cw_counterpart(const struct cw_analysis *a, uint32_t clause, struct cw_words words);
/** Share of the words that the two have in common, 0 to 1. */
float cw_resemblance(struct cw_words a, struct cw_words b);

/** A statement in two versions. */
struct cw_redline_of {
	const struct cw_analysis *old, *new;
	struct cw_words before, after;
	const char *term_id;
	enum cw_polarity polarity;
};

struct cw_redline {
	bool material; /**< more than style, numbering, names or links */
	bool limits; /**< conditions or prohibitions came or went */
	int wider; /**< above 0: it now says more or limits less; below 0: the reverse */
	int amount; /**< above 0: it now serves the customer more by its number; below 0: less */
};

/**
 * Compare two statements of one term.
 * Words of substance are those that are no function words; a limit ("only", "unless you consent")
 * narrows what it is added to.
 */
void cw_redline(const struct cw_redline_of *of, struct cw_redline *out);

/**
 * One line: the title and what it was → what it is.  before or after may be NULL.
 * @param elsewhere  the other version states the term, too, in other words
 * @return in the arena, or NULL when out of memory
 */
const char *cw_redline_summary(struct cw_arena *arena, const struct cw_analysis *old,
			       const struct cw_finding *before, const struct cw_analysis *new,
			       const struct cw_finding *after, bool elsewhere);
