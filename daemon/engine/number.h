/** @file
 * Enumerators at the head of a clause ("10.4", "(a)", "ARTICLE IV") and the section they make.
 * Internal to the engine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clausewatch/arena.h"

enum cw_number_kind {
	CW_N_NONE,
	CW_N_BULLET,
	CW_N_LABEL, /**< ARTICLE IV, Exhibit A: begins a part of the document */
	CW_N_DOTTED, /**< 10.4: says its whole path */
	CW_N_DIGITS,
	CW_N_LOWER,
	CW_N_UPPER,
	CW_N_LOWER_ROMAN,
	CW_N_UPPER_ROMAN,
};

enum cw_number_form { CW_F_DOT, CW_F_CLOSE, CW_F_PARENS }; /**< "a."  "a)"  "(a)" */

struct cw_number {
	enum cw_number_kind kind;
	enum cw_number_form form;
	unsigned value; /**< as the kind reads it */
	unsigned letter; /**< value when a roman numeral is read as a letter, else 0 */
	size_t len; /**< bytes of the head it takes, blanks after it included */
	size_t text, text_len; /**< the part that names it: "10.4", "IV", "Exhibit A" */
	size_t also; /**< start of a "(a)" that follows a dotted number at once, else 0 */
};

/** Read the enumerator that head starts with; kind is CW_N_NONE when there is none. */
struct cw_number cw_number_read(const char *head, size_t len);
/** May b be the next after a, by kind, form and value? */
bool cw_number_follows(const struct cw_number *a, const struct cw_number *b);

#define CW_NUMBER_DEPTH 12
#define CW_NUMBER_TEXT 24

/** A list or section that is open at this point of the document. */
struct cw_level {
	struct cw_number number;
	char text[CW_NUMBER_TEXT];
	unsigned list; /**< depth of a Markdown list, 0 for an enumerator in the text */
	unsigned heading; /**< level of the heading that carried it, 0 when none did */
	int32_t clause; /**< that opened the latest entry of this level */
	int32_t lead_in; /**< shared by its entries, or -1 */
	const char *title; /**< run-in title or NULL */
	bool lasting; /**< plain paragraphs after it still belong to it */
};

struct cw_sections {
	struct cw_level level[CW_NUMBER_DEPTH];
	unsigned depth;
};

/**
 * Enter the entry `number`, whose words are in head: the levels below its place are closed.
 *
 * @param list  depth of the Markdown list it is an item of, or 0
 * @return the level, whose lead_in is kept when an entry of the same list stood before it;
 *         *out_new tells when it begins a list of its own.  Never NULL
 */
struct cw_level *cw_sections_enter(struct cw_sections *st, struct cw_number number,
				   const char *head, unsigned list, bool *out_new);
/** Close everything that a heading without number ends. */
void cw_sections_heading(struct cw_sections *st, unsigned level, bool keep_labels);
/** Close Markdown lists deeper than `list`. */
void cw_sections_close_lists(struct cw_sections *st, unsigned list);
/** "10.4(a)"; of lasting levels only when asked.  "" when there is none, NULL out of memory. */
const char *cw_sections_path(const struct cw_sections *st, bool lasting, struct cw_arena *arena);
