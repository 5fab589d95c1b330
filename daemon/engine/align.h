/** @file
 * Which clause of the new version is which clause of the old one.  Internal to the engine.
 */
#pragma once

#include "clausewatch/analysis.h"
#include "clausewatch/arena.h"
#include "engine/token.h"

enum cw_pairing {
	CW_PAIR_NONE, /**< no clause of the other version is like it */
	CW_PAIR_SAME, /**< the same words, in the same order of clauses */
	CW_PAIR_MOVED, /**< the same words elsewhere */
	CW_PAIR_MASKED, /**< the same words but for numbers and names */
	CW_PAIR_SIMILAR,
};

struct cw_pair_of {
	enum cw_pairing how;
	int32_t other; /**< clause of the other version, -1 for none */
	float novelty; /**< share of its word 4-grams that the other version has nowhere */
};

/** The word 4-grams of a version, sorted. */
struct cw_grams {
	const uint64_t *at;
	size_t n;
};

struct cw_alignment {
	struct cw_pair_of *old, *new; /**< one a clause */
	struct cw_grams old_grams, new_grams;
};

/** Align two versions; memory is the arena's.  CW_OK or CW_ENOMEM. */
int cw_align(struct cw_arena *arena, const struct cw_analysis *old, const struct cw_analysis *new,
	     struct cw_alignment *out);
/** Share of the 4-grams of these words that a version has nowhere. */
float cw_novelty(const struct cw_grams *grams, const struct cw_tok *toks, uint32_t n);
