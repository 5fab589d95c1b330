/** @file
 * Words with a meaning for the reader of layout, not of law: abbreviations, openers of sentences,
 * words before a reference, roles.  Internal to the engine.
 */
#pragma once

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

/** What is known of a word, in any case; 0 for most. */
unsigned cw_word_kind(const char *word, size_t len);
