/** @file
 * What is known of a document as a whole: its parties and their roles, type, dates, governing law.
 * Internal to the engine.
 */
#pragma once

#include "clausewatch/analysis.h"
#include "engine/token.h"

/** Whom a mention of a party means in this document. */
enum cw_side {
	CW_SIDE_NONE, /**< no party is mentioned here */
	CW_SIDE_VENDOR,
	CW_SIDE_CUSTOMER,
	CW_SIDE_UNKNOWN, /**< a party of whom the text does not tell the role: may be either */
	CW_SIDE_BOTH, /**< "each party", "either party", "the parties" */
	CW_SIDE_OTHER, /**< a party who neither provides nor receives: guarantor, escrow agent */
};

/** How the document names its parties; lives in the arena of the analysis. */
struct cw_roles;

/**
 * Is a party mentioned at token i?  Cheap enough to ask of every token.
 *
 * The longest mention that begins at i counts.  An article or a quantifier belongs to the mention
 * only in words for both sides ("each party"); before a name it is not part of it.
 *
 * @param roles  NULL knows no party
 * @param end  tokens from here on are not looked at: the end of the sentence or clause
 * @param out_ntoks  length of the mention in tokens, set only when the result is not
 *                   CW_SIDE_NONE; may be NULL
 */
enum cw_side cw_roles_at(const struct cw_roles *roles, const struct cw_tok *toks, size_t i,
			 size_t end, unsigned *out_ntoks);

/**
 * Read the profile of a segmented document: fills a->profile except `legacy`, which depends on
 * findings.
 *
 * @param a  after cw_segment()
 * @param opts  may be NULL
 * @param out_roles  the roles for the judge, in a->arena; set only on success; may be NULL
 * @return CW_OK or CW_ENOMEM
 */
int cw_profile_read(struct cw_analysis *a, const struct cw_analysis_options *opts,
		    const struct cw_roles **out_roles, struct cw_error *err);
