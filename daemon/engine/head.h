/** @file
 * The first words of a block as the eye sees them, and what their look tells: titles, headings.
 * Internal to the engine.
 */
#pragma once

#include "block.h"

#define CW_HEAD_MAX 128

struct cw_head {
	char c[CW_HEAD_MAX]; /**< visible bytes; white space is ' ' or '\t' */
	uint32_t at[CW_HEAD_MAX + 1]; /**< their places in the text */
	bool bold[CW_HEAD_MAX]; /**< emphasised */
	size_t len;
	bool whole; /**< the block has no more */
};

void cw_head_read(struct cw_head *head, const char *text, const struct cw_block *block,
		  enum cw_format format);

/**
 * A run-in title that begins at `from`: "Feedback." in "Feedback. Customer grants ...".
 * @param numbered  an enumerator stands before it: the title may be written like a sentence
 * @return its length without the mark that ends it, or 0
 */
size_t cw_head_title(const struct cw_head *head, size_t from, bool numbered);

/** Does the whole block look like a heading?  `from` is where its enumerator ends. */
bool cw_head_is_heading(const struct cw_head *head, size_t from, bool numbered,
			enum cw_format format);
