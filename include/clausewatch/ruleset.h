/** @file
 * Rule sets: terms, lexicons and rules, compiled once into one automaton.
 *
 * A rule set never changes after it was built, so any number of threads may read it at the
 * same time.  Reload by building a second one and swapping the pointer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "clausewatch/analysis.h"
#include "clausewatch/error.h"

struct cw_term {
	const char *id; /**< "data.training-grant" */
	const char *const *codes; /**< catalogue codes, NULL-terminated */
	const char *title; /**< a few words for people */
	const char *family; /**< "data" */
	enum cw_polarity polarity;
	enum cw_severity severity;
	enum cw_mode mode;
	bool expected; /**< a protection whose absence is worth saying ("silent") */
	const char *why, *advice, *wording, *source;
};

struct cw_rule {
	const char *id; /**< "data.training-grant/use-to-train" */
	const struct cw_term *term;
	const char *term_id; /**< the term, or a detail below it */
	const char *file;
	unsigned line;
	enum cw_polarity polarity;
	enum cw_direction direction;
	enum cw_severity severity;
	const char *why, *advice;
	size_t index;
};

struct cw_ruleset_builder;

/**
 * Build a rule set from YAML packs, in order; a later pack may replace a term or rule by id and
 * add phrases to a lexicon.  Reads no file: hand the bytes in.  doc: config/rules/README.md
 *
 * @return NULL when out of memory
 */
struct cw_ruleset_builder *cw_ruleset_builder_new(void);
/** name is for messages; text is not kept.  CW_EINVAL's message begins "name:line:column: ". */
int cw_ruleset_builder_add(struct cw_ruleset_builder *b, const char *name, const char *text,
			   size_t len, struct cw_error *err);
/**
 * The weights of a second opinion, as tests/train writes them; a later call replaces them.
 * @return CW_OK; CW_ECORRUPT with name in the message, CW_ENOMEM
 */
int cw_ruleset_builder_weights(struct cw_ruleset_builder *b, const char *name, const char *bytes,
			       size_t len, struct cw_error *err);
/**
 * Offer what cw_ruleset_compiled() wrote for these lexicons: building then takes milliseconds.
 * Bytes of other lexicons, or damaged ones, are passed over.
 *
 * @param bytes  8-byte aligned; used until the rule set is freed
 * @param done   called when they are no longer needed; may be NULL
 */
void cw_ruleset_builder_compiled(struct cw_ruleset_builder *b, const void *bytes, size_t len,
				 void (*done)(const void *bytes, size_t len));
/** Append the compiled lexicons. */
void cw_ruleset_compiled(const struct cw_ruleset *rules, struct cw_buf *out);
/**
 * Compile.  A set without packs is valid and finds nothing.
 * @param out  set only on success; free with cw_ruleset_free().  The builder is left empty.
 */
int cw_ruleset_builder_finish(struct cw_ruleset_builder *b, struct cw_ruleset **out,
			      struct cw_error *err);
void cw_ruleset_builder_free(struct cw_ruleset_builder *b);
void cw_ruleset_free(struct cw_ruleset *rules);

/** "sha256:..." of everything that can change a finding. */
const char *cw_ruleset_digest(const struct cw_ruleset *rules);
size_t cw_ruleset_nterms(const struct cw_ruleset *rules);
const struct cw_term *cw_ruleset_term_at(const struct cw_ruleset *rules, size_t i);
size_t cw_ruleset_nrules(const struct cw_ruleset *rules);
const struct cw_rule *cw_ruleset_rule_at(const struct cw_ruleset *rules, size_t i);
/** The term with that id, or the one it is a detail of ("data.training-grant.x"), or NULL. */
const struct cw_term *cw_ruleset_term(const struct cw_ruleset *rules, const char *id);

/** One example of a rule that the rule set does not honour. */
typedef void cw_ruleset_test_cb(void *ctx, const struct cw_rule *rule, const char *example,
				bool should_match);
/**
 * Run every rule's own must-match and must-not-match examples.
 * @param out_run  number of examples run; may be NULL
 * @return the number that failed, or a negative code
 */
int cw_ruleset_test(const struct cw_ruleset *rules, cw_ruleset_test_cb *cb, void *ctx,
		    size_t *out_run, struct cw_error *err);
/**
 * The same, and every rule that fails one of its examples finds nothing from now on.  Before the
 * set is shared with other threads.
 */
int cw_ruleset_enforce(struct cw_ruleset *rules, cw_ruleset_test_cb *cb, void *ctx, size_t *out_run,
		       struct cw_error *err);
