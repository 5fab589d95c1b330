/** @file
 * Reading the sentences that allot artefacts to a party.  Internal to the engine.
 */
#pragma once

#include "clausewatch/analysis.h"
#include "engine/matrix_words.h"
#include "engine/profile.h"

/** The widest use that the vendor is allowed, in that order. */
enum cw_use {
	CW_USE_SILENT,
	CW_USE_NONE,
	CW_USE_SERVICE,
	CW_USE_LIMITED,
	CW_USE_IMPROVE,
	CW_USE_TRAIN,
	CW_USE_ANY,
};

#define CW_ALLOTTING_CLAUSES 8

/** What the sentences say of one artefact. */
struct cw_allotment {
	bool customer, vendor; /**< who owns it */
	bool defined; /**< a definition covers it */
	bool destroyed; /**< at the end */
	enum cw_use use;
	uint32_t clauses[CW_ALLOTTING_CLAUSES]; /**< that decided */
	size_t nclauses;
};

struct cw_matrix_reading {
	const struct cw_analysis *a;
	const struct cw_roles *roles;
	struct cw_arena scratch;
	struct cw_matrix_words words;
	struct cw_allotment cell[CW_ARTEFACTS];
	unsigned content; /**< artefacts that the customer's content includes by definition */
	bool training, no_training, opt_in;
	bool no_retention, short_retention;
	bool survival; /**< of rights over data, or of sections in general */
	bool outputs_indemnified, outputs_excluded; /**< by the vendor */
	bool outputs_on_customer; /**< the customer indemnifies */
};

/** @param r  a and roles are set, the rest is zero.  CW_OK or CW_ENOMEM. */
int cw_matrix_read(struct cw_matrix_reading *r);

/** A sentence being read. */
struct cw_matrix_sentence {
	uint32_t clause;
	size_t from, to;
	unsigned classes; /**< of all its words */
	unsigned bits; /**< artefacts that it names */
	unsigned above; /**< artefacts that the sentence before names, or the lead-in */
	enum cw_side led; /**< the subject that the lead-in leaves */
};

/** The subject of the words that follow: the last party that was mentioned by name. */
struct cw_matrix_subject {
	enum cw_side side;
	bool negated;
};

/** Is token i this word, in any case? */
bool cw_matrix_same(const struct cw_matrix_reading *r, size_t i, const char *word);
/** Classes of the word at token i where it stands. */
unsigned cw_matrix_class(const struct cw_matrix_reading *r, size_t i);
/** Artefacts that a stretch of words names; adds their classes to *classes, which may be NULL. */
unsigned cw_matrix_look(const struct cw_matrix_reading *r, size_t from, size_t to,
			unsigned *classes);

/** The clause decided the cell. */
void cw_matrix_note(struct cw_allotment *cell, uint32_t clause);
/** Go on to token i: a party that is mentioned there may be the subject of what follows. */
void cw_matrix_follow(const struct cw_matrix_reading *r, const struct cw_matrix_sentence *s,
		      size_t i, struct cw_matrix_subject *who);
/** Verbs of owning and assigning. */
void cw_matrix_read_owning(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s);
/** A right of the vendor to use, or a ban. */
void cw_matrix_read_use(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s);
/** An item of a list: what its lead-in grants, for the purpose that the item names. */
void cw_matrix_read_item(struct cw_matrix_reading *r, const struct cw_matrix_sentence *s,
			 const struct cw_matrix_sentence *lead);
