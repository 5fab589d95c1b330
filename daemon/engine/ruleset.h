/** @file
 * The inside of a rule set.  Internal to the engine.
 */
#pragma once

#include "clausewatch/ruleset.h"
#include "engine/automaton.h"
#include "engine/frame.h"
#include "engine/model.h"

/* Lexicons that are there without being written: what the roles of the document say. */
enum { CW_LEX_VENDOR, CW_LEX_CUSTOMER, CW_LEX_PARTY, CW_LEX_MUTUAL, CW_LEX_BUILTIN };

#define CW_LEXICONS_MAX 4096

struct cw_lexicon {
	const char *name;
	enum cw_part part;
};

/** An attribute that a rule gives: fixed, or true when a lexicon is in the clause. */
struct cw_rule_attr {
	struct cw_attr attr;
	int lexicon; /**< -1 when fixed */
};

/** A rule with what the judge needs; the public part comes first. */
struct cw_rule_body {
	struct cw_rule pub;
	const struct cw_term *implied; /**< the base term, found along with a detail; may be NULL */
	const struct cw_frame *frames;
	size_t nframes;
	const struct cw_frame *unless;
	size_t nunless;
	const struct cw_rule_attr *attrs;
	size_t nattrs;
	const char *const *match, *const *no_match; /**< NULL-terminated examples */
	signed char online; /**< 1 or 0: only in such documents; -1: in all */
	bool headings; /**< looks at headings, too */
	bool whole; /**< reads the clause as one sentence */
	bool broken; /**< failed its own examples and is not applied */
};

/** A frame of a rule, listed under each lexicon of its key element. */
struct cw_entry {
	uint32_t rule;
	uint32_t frame;
};

/** Bytes that the automaton may lie in. */
struct cw_compiled {
	const void *bytes;
	size_t len;
	void (*done)(const void *bytes, size_t len);
};

struct cw_ruleset {
	struct cw_arena arena;
	struct cw_compiled compiled;
	unsigned char lexicons_key[16];
	struct cw_automaton *automaton;
	struct cw_lexicon *lexicons;
	size_t nlexicons;
	size_t set_words; /**< 64-bit words of a bit set of lexicons */
	struct cw_term *terms; /**< by id */
	size_t nterms;
	struct cw_rule_body *rules;
	size_t nrules;
	uint32_t *entry_start; /**< nlexicons + 1 offsets into entries */
	struct cw_entry *entries;
	struct cw_model *model; /**< second opinion, or NULL */
	const struct cw_term *model_terms[CW_MODEL_LABELS_MAX]; /**< NULL: term not described */
	char digest[7 + 64 + 1];
};
