/** @file
 * What the output formats share.  Internal to output/.
 *
 * A format only appends to out->buf, whose failures are sticky and looked at by the caller; the
 * buffer is written and emptied after every call.
 */
#pragma once

#include "clausewatch/output.h"

struct cw_output_format;

struct cw_output {
	const struct cw_output_format *format;
	FILE *file;
	char *name;
	struct cw_output_options opts;
	struct cw_buf buf; /**< to be written now */
	struct cw_buf held; /**< what a format keeps for the end */
	struct cw_json json; /**< of the formats that are JSON; writes to buf */
	size_t count; /**< of whatever the format counts */
	void *state; /**< of the format, see its release() */
};

struct cw_output_format {
	const char *name;
	void (*begin)(struct cw_output *out); /**< may be NULL */
	void (*document)(struct cw_output *out, const struct cw_output_document *doc);
	void (*error)(struct cw_output *out, const struct cw_output_error *error);
	void (*comparison)(struct cw_output *out, const char *path,
			   const struct cw_comparison *comparison); /**< may be NULL */
	void (*summary)(struct cw_output *out, const struct cw_output_summary *summary);
	void (*release)(struct cw_output *out); /**< may be NULL */
};

extern const struct cw_output_format cw_output_human, cw_output_jsonl, cw_output_json,
	cw_output_sarif, cw_output_junit, cw_output_csv, cw_output_html;

/* Of a finding, with the words of its term where it has none of its own; never NULL. */
const char *cw_finding_title(const struct cw_finding *f);
const char *cw_finding_why(const struct cw_finding *f);
const char *cw_finding_advice(const struct cw_finding *f);
const struct cw_clause *cw_finding_clause(const struct cw_output_document *doc,
					  const struct cw_finding *f);
/** The quote as a person would read it.  Appends. */
void cw_finding_quote(const struct cw_output_document *doc, const struct cw_finding *f,
		      struct cw_buf *out);
/** "10.4 Customer Content, lines 120-124", page where there are pages.  Appends, for people. */
void cw_finding_place(const struct cw_output_document *doc, const struct cw_finding *f,
		      struct cw_buf *out);
/** The worst risk that is shown and not waived, or -1. */
int cw_document_risk(const struct cw_output_document *doc);
/** "markdown", "pdf". */
const char *cw_document_format(const struct cw_output_document *doc);
/** "terms of service · Acme (vendor) · 2014-05-08 · law: New York".  Appends, for people. */
void cw_document_facts(const struct cw_output_document *doc, struct cw_buf *out);
/** "7 risks (1 critical, 6 low), 9 protections".  Appends. */
void cw_summary_words(const struct cw_output_summary *summary, struct cw_buf *out);

/** For XML and HTML, in text and in quoted attributes. */
void cw_put_xml(struct cw_buf *out, const char *text);
