/** @file
 * Judging: frames tried on the sentences of a segmented document.  Internal to the engine.
 */
#pragma once

#include "engine/profile.h"
#include "engine/ruleset.h"

/**
 * Fill a->findings from frames.
 * @param fired  may be NULL; else one byte a rule, set to 1 when one of its frames held, even if
 *               a better finding took its place
 */
int cw_judge(struct cw_analysis *a, const struct cw_ruleset *rules, const struct cw_roles *roles,
	     unsigned char *fired, struct cw_error *err);

/** cw_analyse() that also tells which rules fired, for rules' own examples. */
int cw_analyse_fired(const struct cw_ruleset *rules, const char *text, size_t len,
		     enum cw_format format, const struct cw_analysis_options *opts,
		     unsigned char *fired, struct cw_analysis **out, struct cw_error *err);

/** The short id: the same for the same term in the same words, wherever they stand. */
void cw_finding_id(const char *term_id, uint64_t fingerprint, char out[CW_ID_SIZE]);
