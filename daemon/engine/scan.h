/** @file
 * Bytes to units: what a byte, a UTF-8 sequence, an entity or a piece of Markdown means to the
 * reader.  Shared by the tokeniser, the segmenter and cw_plain_text().  Internal to the engine.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum cw_unit {
	CW_U_SEP, /**< parts words and says no more */
	CW_U_NONE, /**< is not there: emphasis, soft hyphens, link targets */
	CW_U_WORD, /**< letter or digit */
	CW_U_SPACE,
	CW_U_DOT,
	CW_U_STOP, /**< '!' or '?' */
	CW_U_COMMA,
	CW_U_SOFT, /**< ';', ':', the border of a table cell, a line break */
	CW_U_LPAREN,
	CW_U_RPAREN,
	CW_U_APOS, /**< straight or curly; also used as a single quote */
	CW_U_QUOTE, /**< straight double quote: opening or closing */
	CW_U_OPENQ,
	CW_U_CLOSEQ,
	CW_U_MONEY,
	CW_U_SPECIAL, /**< ask cw_scan_special() */
};

/** A position-independent view of a stretch of text.  Searches that fail are remembered. */
struct cw_scan {
	const unsigned char *s;
	uint32_t to;
	bool markdown;
	uint32_t gt, comment; /**< next '>' and "-->" found, or the end when there is none */
	uint32_t link; /**< no link target or image starts before this byte */
};

extern const unsigned char cw_units_text[256];
extern const unsigned char cw_units_markdown[256];

static inline const unsigned char *cw_scan_init(struct cw_scan *sc, const char *text, uint32_t to,
						bool markdown)
{
	*sc = (struct cw_scan){ .s = (const unsigned char *)text, .to = to, .markdown = markdown };
	return markdown ? cw_units_markdown : cw_units_text;
}

/**
 * The unit at a byte whose class is CW_U_SPECIAL.
 *
 * Linear over a whole document when called with rising positions.
 * @param out_len   bytes it takes, at least 1
 * @param out_rune  the character an entity or escape stands for, 0 when the bytes stand for
 *                  themselves
 */
enum cw_unit cw_scan_special(struct cw_scan *sc, uint32_t at, uint32_t *out_len,
			     uint32_t *out_rune);
/** Write rune as UTF-8; returns its length. */
unsigned cw_scan_encode(uint32_t rune, char out[4]);
