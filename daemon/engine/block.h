/** @file
 * Layout to blocks: the two readers of layout, Markdown and plain text, hand every paragraph,
 * item, heading and table row to the segmenter in order.  Internal to the engine.
 */
#pragma once

#include "clausewatch/analysis.h"

struct cw_block {
	uint32_t start, end; /**< bytes, white space at both ends excluded */
	uint32_t body, body_end; /**< what is left without marks of layout: "#", "*", "1." */
	uint32_t line_start, line_end;
	unsigned lines;
	enum cw_clause_kind kind;
	unsigned level; /**< of a heading */
	unsigned list; /**< depth of the Markdown list it stands in, 0 for none */
	int ordinal; /**< of an item of an ordered list, -1 for a bullet */
	bool join; /**< the sentence of the block before goes on here, after a page break */
};

struct cw_segmenter;

/** Called by the readers for every block.  CW_OK or CW_ENOMEM. */
int cw_segmenter_block(struct cw_segmenter *sg, const struct cw_block *block);

int cw_read_markdown(struct cw_segmenter *sg, const char *text, uint32_t len);
int cw_read_plain(struct cw_segmenter *sg, struct cw_arena *scratch, const char *text,
		  uint32_t len);

/** A line of the text without its end and without blanks at both ends. */
struct cw_line {
	uint32_t from; /**< of the whole line */
	uint32_t start, end; /**< of its text; equal when blank */
	uint32_t number; /**< 1-based */
	unsigned indent; /**< columns before start; a tab stops every 4 */
};

struct cw_lines {
	const char *text;
	uint32_t at, len, number;
};

/** The next line; false at the end of the text. */
bool cw_lines_next(struct cw_lines *lines, struct cw_line *out);
