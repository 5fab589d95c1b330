/** @file
 * What the engine says of one document: clauses, findings, profile, matrix.
 *
 * cw_analyse() is pure: same bytes and same rule set, same result, on any thread.  The result
 * holds no pointer into anything but the text and the rule set it was made from, so both must
 * outlive it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clausewatch/arena.h"
#include "clausewatch/buf.h"
#include "clausewatch/error.h"

/** Larger text is CW_EFULL: positions are 32 bit and a contract is never near it. */
#define CW_TEXT_MAX ((size_t)64 << 20)

enum cw_format {
	CW_FORMAT_TEXT,
	CW_FORMAT_MARKDOWN,
};

enum cw_polarity { CW_NEUTRAL, CW_RISK, CW_PROTECTION };
enum cw_direction { CW_UNKNOWN, CW_VENDOR, CW_CUSTOMER, CW_BOTH };
enum cw_severity { CW_INFO, CW_LOW, CW_MEDIUM, CW_HIGH, CW_CRITICAL };
enum cw_mode { CW_MODE_OFF, CW_MODE_SHADOW, CW_MODE_WARN, CW_MODE_BLOCK };

/* Names as INTERFACES fixes them; *_parse return -1 for an unknown word. */
const char *cw_polarity_name(enum cw_polarity polarity);
const char *cw_direction_name(enum cw_direction direction);
const char *cw_severity_name(enum cw_severity severity);
const char *cw_format_name(enum cw_format format);
int cw_polarity_parse(const char *name);
int cw_direction_parse(const char *name);
int cw_severity_parse(const char *name);

/** A stretch of the text: bytes half open, lines 1-based and inclusive. */
struct cw_span {
	uint32_t byte_start, byte_end;
	uint32_t line_start, line_end;
};

enum cw_clause_kind { CW_PARAGRAPH, CW_HEADING, CW_ITEM, CW_ROW };

/** Number of values in a near-duplicate sketch; see cw_sketch(). */
#define CW_SKETCH_LEN 64

/** A paragraph, bullet, heading or table row: what a lawyer would cite. */
struct cw_clause {
	struct cw_span span;
	enum cw_clause_kind kind;
	unsigned level; /**< nesting of an item, depth of a heading; 0 for a plain paragraph */
	int32_t lead_in; /**< index of the clause that introduces this item, or -1 */
	int32_t heading_at; /**< index of the nearest heading above, or -1 */
	const char *section; /**< "10.4", "IV", "3(b)(ii)"; "" when the text gives none */
	const char *heading; /**< words of the nearest heading or run-in title, "" when none */
	uint32_t tok_start, tok_count; /**< into the token list of the document */
	uint64_t fingerprint; /**< exact words: XXH3 of the folded words without enumerator */
	uint64_t skeleton; /**< the same with numbers and names masked */
};

/** The part a phrase plays in a finding, for explanations. */
enum cw_part {
	CW_PART_NONE,
	CW_PART_WHO,
	CW_PART_MAY,
	CW_PART_DOES,
	CW_PART_WHAT,
	CW_PART_PURPOSE,
	CW_PART_UNLESS,
};
const char *cw_part_name(enum cw_part part); /**< "who", "may", "does", "what", "for", "unless" */
int cw_part_parse(const char *name);

struct cw_evidence {
	enum cw_part part;
	uint32_t byte_start, byte_end;
};

/** How an attribute's value is written to JSON. */
enum cw_attr_kind { CW_ATTR_BOOL, CW_ATTR_NUMBER, CW_ATTR_TEXT, CW_ATTR_LIST };

struct cw_attr {
	const char *name;
	enum cw_attr_kind kind;
	const char *value; /**< "true"/"false", digits, text, or words separated by commas */
};

#define CW_ID_SIZE 12 /**< "CW-" and six letters of Crockford's base 32, with NUL */

struct cw_term;
struct cw_rule;

/** A term seen in a clause. */
struct cw_finding {
	char id[CW_ID_SIZE];
	const struct cw_term *term; /**< in the rule set */
	const struct cw_rule *rule; /**< NULL when another opinion than a frame carried it */
	const char *term_id; /**< term or its detail: "data.training-grant.general-models" */
	const char *evidence_kind; /**< "frame", "model" or "document" */
	float confidence; /**< 0..1 */
	enum cw_polarity polarity;
	enum cw_direction direction;
	enum cw_severity severity;
	uint32_t clause; /**< index */
	struct cw_span span; /**< of the clause or bullet that says it */
	uint32_t quote_start, quote_end; /**< bytes of the sentence that carries it */
	const struct cw_evidence *evidence;
	size_t nevidence;
	const struct cw_attr *attrs;
	size_t nattrs;
	const char *why; /**< one sentence */
	const char *advice; /**< one sentence */
};

enum cw_role { CW_ROLE_UNKNOWN, CW_ROLE_VENDOR, CW_ROLE_CUSTOMER, CW_ROLE_OTHER };

struct cw_party {
	const char *name; /**< "Acme Cloud, Inc." */
	const char *alias; /**< how the document calls it: "Provider", "Acme", "we"; may be "" */
	enum cw_role role;
};

/** What is known of the document; "" , -1 or unknown where the text does not say. */
struct cw_profile {
	const char *type; /**< "terms of service", "privacy policy", "license agreement", ... */
	bool online; /**< we/you terms published by one side, not negotiated between two */
	const struct cw_party *parties;
	size_t nparties;
	const char *vendor, *customer;
	char agreement_date[11], effective_date[11], expiration_date[11]; /**< YYYY-MM-DD or "" */
	int auto_renews; /**< 1, 0, -1 unknown */
	int notice_period_days;
	const char *governing_law;
	const char *in_force; /**< "yes", "no", "unknown" */
	bool legacy; /**< dated before the legacy day, grants data rights, none against training */
};

#define CW_ARTEFACTS 6
extern const char *const cw_artefact_names[CW_ARTEFACTS]; /**< "inputs", "prompts", ... */

struct cw_cell {
	const char *owner, *use, *level; /**< words of GUIDE_MATRIX; "silent" when not allocated */
	const uint32_t *findings; /**< indexes */
	size_t nfindings;
};

struct cw_tok;

struct cw_analysis {
	struct cw_arena arena; /**< owns everything below */
	const char *text; /**< the caller's */
	size_t len;
	enum cw_format format;
	struct cw_tok *toks;
	size_t ntoks;
	struct cw_clause *clauses;
	size_t nclauses;
	struct cw_finding *findings; /**< by position, then term id */
	size_t nfindings;
	struct cw_profile profile;
	struct cw_cell matrix[CW_ARTEFACTS];
	const struct cw_attr *answers; /**< "no_training": "opt-out", ... */
	size_t nanswers;
	const char *const *silent; /**< ids of expected terms that the document lacks */
	size_t nsilent;
};

struct cw_ruleset;

struct cw_analysis_options {
	const char *legacy_before; /**< YYYY-MM-DD; NULL means 2022-11-30 */
	const char *today; /**< YYYY-MM-DD for in_force; NULL leaves it unknown */
};

/**
 * Read one document.
 *
 * @param text  UTF-8, or bytes of which most are: an invalid byte separates words.  Kept by
 *              reference; must outlive the result
 * @param opts  may be NULL
 * @param out   set only on success; free with cw_analysis_free()
 * @return CW_OK, CW_EFULL (over CW_TEXT_MAX), CW_ENOMEM
 */
int cw_analyse(const struct cw_ruleset *rules, const char *text, size_t len, enum cw_format format,
	       const struct cw_analysis_options *opts, struct cw_analysis **out,
	       struct cw_error *err);
/** Accepts NULL. */
void cw_analysis_free(struct cw_analysis *a);

/**
 * The near-duplicate sketch of a clause: MinHash over masked word 3-grams.
 *
 * Broder, "On the resemblance and containment of documents" (1997).  The share of equal values
 * of two sketches estimates the Jaccard similarity of their 3-gram sets.  Each value is the
 * minimum of one multiply-shift function over the grams (Dietzfelbinger et al., "A reliable
 * randomized algorithm for the closest-pair problem", 1997), with constants that never change.
 * @param out  CW_SKETCH_LEN values
 */
void cw_sketch(const struct cw_analysis *a, const struct cw_clause *clause, uint32_t *out);
/** 0..1 */
double cw_sketch_similarity(const uint32_t *a, const uint32_t *b);

/**
 * The words of a stretch of the document as a person would read them: markup and line breaks
 * removed, control characters dropped.  Appends to out.
 */
void cw_plain_text(const char *text, uint32_t from, uint32_t to, enum cw_format format,
		   struct cw_buf *out);
/** Terms that, as risks, make an old agreement legacy: rights over data. */
bool cw_is_legacy_grant(const char *term_id);
