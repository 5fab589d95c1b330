/** @file
 * Judging: frames tried on the sentences of a segmented document.  Internal to the engine.
 */
#pragma once

#include "engine/model.h"
#include "engine/profile.h"
#include "engine/ruleset.h"

/** What a caller wants to see of the judging: rules' own examples, training. */
struct cw_probe {
	unsigned char *fired; /**< NULL, or one byte a rule, set to 1 when one of its frames held,
			       *   even if a better finding took its place */
	/** NULL, or called for each clause that the second opinion would be asked of. */
	void (*features)(void *ctx, const struct cw_analysis *a, uint32_t clause,
			 const struct cw_feature *f, size_t n);
	void *ctx;
};

/** Fill a->findings: from frames, then by the second opinion.  probe may be NULL. */
int cw_judge(struct cw_analysis *a, const struct cw_ruleset *rules, const struct cw_roles *roles,
	     const struct cw_probe *probe, struct cw_error *err);

/** cw_analyse() with a probe. */
int cw_analyse_probed(const struct cw_ruleset *rules, const char *text, size_t len,
		      enum cw_format format, const struct cw_analysis_options *opts,
		      const struct cw_probe *probe, struct cw_analysis **out, struct cw_error *err);

/** The short id: the same for the same term in the same words, wherever they stand. */
void cw_finding_id(const char *term_id, uint64_t fingerprint, char out[CW_ID_SIZE]);
