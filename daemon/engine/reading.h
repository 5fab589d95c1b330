/** @file
 * A document being read as a whole: what the readers of the profile share.  Internal to the engine.
 */
#pragma once

#include "clausewatch/analysis.h"
#include "engine/dates.h"
#include "engine/parties.h"
#include "engine/profile.h"

/** What a sentence speaks of, by the words in it. */
enum {
	CW_TOPIC_LAW = 1 << 0,
	CW_TOPIC_TERM = 1 << 1,
	CW_TOPIC_RENEWAL = 1 << 2,
	CW_TOPIC_EFFECT = 1 << 3,
};

/** A sentence that may say something of the profile. */
struct cw_passage {
	uint32_t start, mid, end; /**< bytes: the sentence, and the one behind it */
	uint32_t clause;
	unsigned topics;
	const char *text; /**< flattened, NUL-terminated; NULL until cw_passage_at() */
	size_t len; /**< of the sentence */
	size_t total; /**< with the sentence behind it, which is read for renewals only */
};

struct cw_reading {
	struct cw_analysis *a;
	const char *head, *tail; /**< flattened first and last clauses, a line each */
	struct cw_passage *passages; /**< in the order of the document; see cw_passage_at() */
	size_t npassages;
	struct cw_named_list parties;
	unsigned you, we; /**< tokens of the second and first person */
	struct cw_buf buf; /**< for flattening */
	bool failed; /**< out of memory in a reader that returns nothing */
};

/** The passage with its text; an empty one, and r->failed, when out of memory. */
const struct cw_passage *cw_passage_at(struct cw_reading *r, size_t i);

/** Type and dates, renewal and law: each fills its fields of a->profile. */
void cw_read_type(struct cw_reading *r);
/** After the type and the parties. */
void cw_read_online(struct cw_reading *r);
void cw_read_dates(struct cw_reading *r);
/** The day an agreement between parties was made: from its opening or its signatures. */
bool cw_find_day(const struct cw_reading *r, struct cw_date *out);
/** Days of online terms: "Last updated", "Effective". */
void cw_read_published_days(const struct cw_reading *r);
void cw_read_renewal(struct cw_reading *r);
int cw_read_law(struct cw_reading *r);

/**
 * Who publishes these online terms, when no party's definition says it: adds the name to
 * r->parties.
 */
int cw_publisher_find(struct cw_reading *r);

/**
 * Decide the roles of r->parties, of pronouns and of generic words, and build the look-up.
 * @param out  in the arena
 */
int cw_roles_build(struct cw_reading *r, const struct cw_roles **out);
