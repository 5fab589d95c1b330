/** @file
 * What words do to a statement: widen it, narrow it, or nothing.  Internal to the engine.
 */
#pragma once

#include "clausewatch/analysis.h"
#include "engine/token.h"

struct cw_words {
	const struct cw_tok *at;
	uint32_t n;
};

/** What the words of one side, that the other side lacks, amount to. */
struct cw_weight {
	unsigned words; /**< of substance, without limits */
	unsigned names;
	unsigned negations, hedges;
	unsigned limits; /**< "only", "unless", "without consent" */
	int wide; /**< words that give it more reach */
	int net; /**< limits, reach and quantity as one sum; above 0 the statement says more */
	int plain; /**< words of substance, those behind an exception below 0 */
	double amount; /**< first sum, share or time, in days; 0 when there is none */
	bool age; /**< it is the age of a person */
};

/**
 * Weigh words.
 *
 * @param words   of a sentence
 * @param common  those that count for nothing, because the other version has them
 * @param term_id what the sentence states
 */
struct cw_weight cw_weigh(const struct cw_analysis *a, struct cw_words words,
			  const unsigned char *common, const char *term_id,
			  enum cw_polarity polarity);

/**
 * Does a larger number in a statement of this term serve the customer (1), harm it (-1), or
 * neither (0)?
 */
int cw_amount_sense(const char *term_id);
