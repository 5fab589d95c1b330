/** @file
 * Text made easy to read by character: one space between words, straight quotes, a line a clause.
 * Internal to the engine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "clausewatch/analysis.h"

/**
 * Append text[from..to) in simple form: markup removed, quotes and dashes ASCII, any white space
 * one space, rows of dashes and underscores one character.
 */
void cw_flatten(const char *text, uint32_t from, uint32_t to, enum cw_format format,
		struct cw_buf *out);

/** The same done in place to text that holds no markup; returns the new length. */
size_t cw_flatten_chars(char *text, size_t len);

/** Does `text` begin with `word`, in any case, and end it there?  A NUL ends the text. */
bool cw_starts_word(const char *text, const char *word);
/** Where `phrase` occurs as whole words, in any case, in [from, end); NULL when nowhere. */
const char *cw_find_phrase(const char *from, const char *end, const char *phrase);
/**
 * The first place where any of the phrases occurs as in cw_find_phrase(); NULL when nowhere.  At
 * one place the longest phrase counts.
 * @param out_which  index of the phrase; may be NULL
 */
const char *cw_find_any(const char *from, const char *end, const char *const *phrases, size_t count,
			size_t *out_which);
/** A byte of a word: letter, digit or beyond ASCII. */
bool cw_word_byte(char c);
