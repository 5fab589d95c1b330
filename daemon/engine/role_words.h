/** @file
 * Words that contracts use for a party and what they tell of its role.  Internal to the engine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "clausewatch/analysis.h"

struct cw_role_word {
	const char *word; /**< lower case */
	enum cw_role role;
	bool weak; /**< gives way to evidence and to what the other party is */
	bool plural; /**< also used in the plural for readers of online terms */
};

extern const struct cw_role_word cw_role_words[];
extern const size_t cw_role_word_count;

/** The row of a defined term or of its last word ("Transfer Agent"), NULL when it tells nothing. */
const struct cw_role_word *cw_role_word_find(const char *term);
