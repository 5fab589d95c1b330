/** @file
 * What changed in the words of a statement.  Internal to the engine.
 */
#pragma once

#include "clausewatch/analysis.h"
#include "engine/token.h"

struct cw_words {
	const struct cw_tok *at;
	uint32_t n;
};

/** The words of the sentence that carries a finding, the first 512 of them. */
struct cw_words cw_quoted(const struct cw_analysis *a, const struct cw_finding *f);

struct cw_redline {
	bool material; /**< more than style, numbering, names or links */
	int wider; /**< above 0: it now says more or limits less; below 0: the reverse */
	unsigned added, removed; /**< words of substance */
};

/**
 * Compare the sentences that carry two findings of one term.
 * Words of substance are those that are no function words; a limit ("only", "unless you consent")
 * narrows what it is added to.
 */
void cw_redline(const struct cw_analysis *old, const struct cw_finding *before,
		const struct cw_analysis *new, const struct cw_finding *after,
		struct cw_redline *out);

/**
 * One line: the title and what it was → what it is.  before or after may be NULL.
 * @return in the arena, or NULL when out of memory
 */
const char *cw_redline_summary(struct cw_arena *arena, const struct cw_analysis *old,
			       const struct cw_finding *before, const struct cw_analysis *new,
			       const struct cw_finding *after);
