/** @file
 * The table of document formats.  Internal to extract/.
 */
#pragma once

#include "clausewatch/extract.h"

/** Fills text->bytes, len, owned and whatever else it knows; the caller has set the names. */
typedef int cw_reader_fn(const char *bytes, size_t len, struct cw_text *text, struct cw_error *err);

struct cw_doc_format {
	const char *name; /**< short, as in the JSON lines: "markdown" */
	const char *title; /**< for messages: "Word document (docx)" */
	const char *extensions; /**< separated by blanks, lower case */
	bool (*is)(const char *bytes, size_t len); /**< by content; NULL: by name only */
	cw_reader_fn *read; /**< NULL: recognised, but this build cannot read it */
	enum cw_format format;
};

/** By content, then by name; never NULL: the last resort is plain text or unknown bytes. */
const struct cw_doc_format *cw_format_detect(const char *bytes, size_t len, const char *name);

cw_reader_fn cw_read_text; /**< any encoding into UTF-8 */

/** The encoding that a byte order mark or the pattern of NUL bytes tells, or NULL. */
const char *cw_text_wide_encoding(const char *bytes, size_t len);
