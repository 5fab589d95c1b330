/** @file
 * Words of a document.  Internal to the engine.
 *
 * A token is a word or a number.  Folding: ASCII lower case; curly apostrophes become straight
 * ones; a possessive 's, or the apostrophe of s', is dropped (CW_TOK_POSS); inline enumerators
 * such as "(a)" and the "(s)" of "right(s)" give no token; hyphens, slashes and dashes part words,
 * so that "de-identified" is "de" + "identified" here and in every lexicon.  Markup (emphasis, link
 * targets, HTML tags and comments, entities that are no letters) gives no tokens in Markdown.
 * Bytes above 0x7f are letters, except quotes, dashes, bullets, no-break and other spaces; soft
 * hyphens and zero-width characters are skipped inside words.
 */
#pragma once

#include "clausewatch/analysis.h"

enum {
	CW_TOK_CAP = 1 << 0, /**< begins with a capital letter */
	CW_TOK_UPPER = 1 << 1, /**< all capitals, two letters or more */
	CW_TOK_NUM = 1 << 2, /**< begins with a digit; "12,500.00" is one token */
	CW_TOK_POSS = 1 << 3, /**< had a possessive ending, which the hash does not contain */
	CW_TOK_SENT = 1 << 4, /**< first word of a sentence */
	CW_TOK_SOFT = 1 << 5, /**< follows ';' or ':' or an inline enumerator such as "(a)" */
	CW_TOK_COMMA = 1 << 6, /**< follows a comma */
	CW_TOK_QUOTE = 1 << 7, /**< follows an opening quotation mark */
	CW_TOK_PAREN = 1 << 8, /**< inside parentheses */
	CW_TOK_MONEY = 1 << 9, /**< follows a currency sign */
	CW_TOK_ROLE = 1 << 10, /**< names a party by its role; set by cw_segment() */
};

struct cw_tok {
	uint64_t hash; /**< cw_word_hash() of the folded word */
	uint32_t start; /**< byte in the document */
	uint16_t len; /**< bytes in the document, without a possessive ending */
	uint16_t flags;
};

/** A growing list; the memory is the arena's. */
struct cw_toks {
	struct cw_tok *at;
	size_t count, cap;
};

/** Hash of an already folded word. */
uint64_t cw_word_hash(const char *folded, size_t len);

/** Append the tokens of text[from..to) to toks.  CW_OK or CW_ENOMEM. */
int cw_tokenise(struct cw_arena *arena, const char *text, uint32_t from, uint32_t to,
		enum cw_format format, struct cw_toks *toks);

/**
 * Cut the text into clauses and their words: fills toks, clauses and, in each clause, everything
 * the header promises.  The enumerator at the head of a clause ("10.4", "(a)", a bullet) is in
 * clause->section or nowhere, never among the tokens.  CW_OK or CW_ENOMEM.
 */
int cw_segment(struct cw_analysis *a, struct cw_error *err);
