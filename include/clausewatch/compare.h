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

enum cw_redline_mark { CW_WORDS_KEPT, CW_WORDS_GONE, CW_WORDS_NEW };

/** Takes the pieces of a redline in reading order; blanks between them are its own business. */
struct cw_redline_sink {
	void (*put)(void *ctx, enum cw_redline_mark mark, const char *text, size_t len);
	void *ctx;
	bool failed; /**< out of memory */
};

/**
 * The words before and after a change, one by one: kept, gone, new.  Plain text, as
 * cw_plain_text() gives it; of long sentences the first 512 words.
 * @return false when one side is missing, and nothing was put, or when out of memory
 */
bool cw_redline_words(const struct cw_comparison *c, const struct cw_change *change,
		      struct cw_redline_sink *sink);
