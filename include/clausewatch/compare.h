/** @file
 * Two versions of a document compared in terms, not in lines.
 */
#pragma once

#include "clausewatch/analysis.h"

enum cw_change_event { CW_APPEARED, CW_REMOVED, CW_CHANGED, CW_MOVED, CW_REWORDED };
const char *cw_change_event_name(enum cw_change_event event);

enum cw_effect { CW_EFFECT_NEUTRAL, CW_EFFECT_RISKIER, CW_EFFECT_SAFER };
const char *cw_effect_name(enum cw_effect effect);

/** One change.  before and after are findings of the two analyses; one may be NULL. */
struct cw_change {
	enum cw_change_event event;
	enum cw_effect effect; /**< for the customer */
	enum cw_severity severity;
	const char *term_id;
	char id[CW_ID_SIZE]; /**< of after, or of before when after is NULL */
	const struct cw_finding *before, *after;
	const char *summary; /**< "liability cap: 12 months' fees → unlimited" */
};

enum cw_collapse { CW_COLLAPSE_NO, CW_COLLAPSED, CW_RECOVERED };

struct cw_comparison {
	struct cw_arena arena;
	const struct cw_analysis *old, *new; /**< the caller's; must outlive the comparison */
	struct cw_change *changes; /**< worst first, then by position */
	size_t nchanges;
	size_t clauses_same, clauses_moved, clauses_reworded, clauses_added, clauses_removed;
	enum cw_collapse collapse; /**< the text mostly vanished, or came back */
	bool same_words; /**< no word changed: layout, links, numbering, order at most */
};

/** moved and reworded never alert. */
bool cw_change_alerts(const struct cw_change *change);

/** old may be NULL: everything has then appeared. */
int cw_compare(const struct cw_analysis *old, const struct cw_analysis *new,
	       struct cw_comparison **out, struct cw_error *err);
void cw_comparison_free(struct cw_comparison *c);
