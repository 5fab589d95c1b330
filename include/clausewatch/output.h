/** @file
 * What was found, written down: one file a format in daemon/output/.
 *
 * An output is fed in order: begin, then documents and errors as they come, then the summary.
 * Several may be fed side by side.  Not for sharing between threads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "clausewatch/analysis.h"
#include "clausewatch/buf.h"
#include "clausewatch/compare.h"
#include "clausewatch/extract.h"
#include "clausewatch/json.h"
#include "clausewatch/ruleset.h"

/** A decision to live with a finding. */
struct cw_output_waiver {
	const char *id, *reason, *approver, *expires;
};

struct cw_output_finding {
	const struct cw_finding *finding;
	const struct cw_output_waiver *waiver; /**< NULL when there is none */
};

/** A document that was checked. */
struct cw_output_document {
	const char *path; /**< bytes of a file name, perhaps no UTF-8 */
	const struct cw_text *text; /**< may be NULL: plain UTF-8 text then */
	const struct cw_analysis *analysis;
	const struct cw_output_finding *findings; /**< those to be shown, by position */
	size_t nfindings;
};

/** A document that could not be checked. */
struct cw_output_error {
	const char *path;
	const char *code; /**< cw_unchecked_name() */
	const char *message;
};

struct cw_output_summary {
	size_t documents; /**< checked */
	size_t unchecked; /**< documents that could not be checked; each was an error */
	size_t others; /**< files in directories that are no documents */
	size_t findings[CW_CRITICAL + 1]; /**< risks that are not waived, by severity */
	size_t protections, waived;
	const char *ruleset; /**< digest */
	double seconds;
};

struct cw_output_options {
	bool colour;
	unsigned width; /**< columns of the human format; 0 means 100 */
	enum cw_severity fail_on; /**< risks from here on are failures */
	const struct cw_ruleset *rules; /**< for titles of terms; may be NULL */
};

struct cw_output;

/** Names of the formats for messages: "human, jsonl, ...". */
const char *cw_output_formats(void);
/** The nth format's name, NULL after the last. */
const char *cw_output_format_at(size_t n);

/**
 * Start an output.
 * @param file  stays the caller's, open until cw_output_close(); name is for messages
 * @return CW_OK, CW_EINVAL for an unknown format, CW_EIO, CW_ENOMEM
 */
int cw_output_open(const char *format, FILE *file, const char *name,
		   const struct cw_output_options *opts, struct cw_output **out,
		   struct cw_error *err);
int cw_output_document(struct cw_output *out, const struct cw_output_document *doc,
		       struct cw_error *err);
int cw_output_error(struct cw_output *out, const struct cw_output_error *error,
		    struct cw_error *err);
/**
 * A comparison of two versions of path.  A format that has no place for it answers
 * CW_EUNSUPPORTED.
 */
int cw_output_comparison(struct cw_output *out, const char *path,
			 const struct cw_comparison *comparison, struct cw_error *err);
/** The last call; writes all that is still held. */
int cw_output_summary(struct cw_output *out, const struct cw_output_summary *summary,
		      struct cw_error *err);
/** Accepts NULL.  Writes nothing. */
void cw_output_close(struct cw_output *out);

/* The objects of the JSON lines (INTERFACES), as an element of an array or at the top. */
void cw_output_finding_json(struct cw_json *json, const struct cw_output_document *doc,
			    const struct cw_output_finding *finding);
void cw_output_document_json(struct cw_json *json, const struct cw_output_document *doc);
void cw_output_change_json(struct cw_json *json, const char *path,
			   const struct cw_comparison *comparison, const struct cw_change *change);
void cw_output_error_json(struct cw_json *json, const struct cw_output_error *error);
void cw_output_summary_json(struct cw_json *json, const struct cw_output_summary *summary);
/** "path", and "path_bytes" in base 64 when the path is no UTF-8. */
void cw_output_path_json(struct cw_json *json, const char *path);
/** "attributes" or "answers". */
void cw_output_attrs_json(struct cw_json *json, const char *key, const struct cw_attr *attrs,
			  size_t nattrs);

/**
 * Text from outside for a terminal: control characters, and those that turn the direction of
 * text, are written out as \x1b or \u202e.  Appends.
 */
void cw_output_visible(struct cw_buf *out, const char *text, size_t len);
/** A cell of RFC 4180, quoted where needed and never a formula.  Appends. */
void cw_output_csv_cell(struct cw_buf *out, const char *text);
