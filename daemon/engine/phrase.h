/** @file
 * Phrases of a lexicon, written short.  Internal to the engine.
 *
 *   (improve|enhance) our products     alternatives
 *   [the] service                      optional
 *   use~                               use, uses, used, using
 *   submit~~                           submit, submits, submitted, submitting
 *   model+                             model, models; policy+ policy, policies
 */
#pragma once

#include <stddef.h>

#include "clausewatch/arena.h"
#include "clausewatch/error.h"

/** One entry of a lexicon may not mean more phrases than this. */
#define CW_PHRASE_EXPAND_MAX 4096

struct cw_phrases {
	const char **at;
	size_t count, cap;
};

/** Append every phrase that pattern means to out; memory is the arena's. */
int cw_phrase_expand(struct cw_arena *arena, const char *pattern, struct cw_phrases *out,
		     struct cw_error *err);
