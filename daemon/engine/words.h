/** @file
 * Words with a meaning for the reader of layout, not of law: abbreviations, openers of sentences,
 * words before a reference, roles.  Internal to the engine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CW_W_ABBR = 1 << 0, /**< a full stop after it ends no sentence */
	CW_W_ABBR_NUM = 1 << 1, /**< ... when a number or letter follows: "No. 5" */
	CW_W_FIRM = 1 << 2, /**< ... unless an opener follows: "Acme Inc. The Services" */
	CW_W_OPENER = 1 << 3, /**< often the first word of a sentence */
	CW_W_REF = 1 << 4, /**< "(a)" after it is a reference, no enumerator */
	CW_W_LINK = 1 << 5, /**< "and", "or": joins references or items */
	CW_W_ROLE = 1 << 6, /**< names a party by its role */
	CW_W_SMALL = 1 << 7, /**< written small inside titles */
};

#define CW_ROLE_SLOTS 1024u /* sparse: most look-ups end at the first slot */

/** Role words by hash, for a look-up per token. */
struct cw_roles {
	uint64_t slot[CW_ROLE_SLOTS]; /**< open addressing; 0 is empty */
};

void cw_roles_init(struct cw_roles *roles);

static inline bool cw_roles_has(const struct cw_roles *roles, uint64_t hash)
{
	for (unsigned i = hash & (CW_ROLE_SLOTS - 1); roles->slot[i];
	     i = (i + 1) & (CW_ROLE_SLOTS - 1))
		if (roles->slot[i] == hash)
			return true;
	return false;
}

/** What is known of a word, in any case; 0 for most. */
unsigned cw_word_kind(const char *word, size_t len);
