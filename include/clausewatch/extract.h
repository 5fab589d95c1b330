/** @file
 * Bytes of any format in, UTF-8 text the engine can read out.
 *
 * One table says which formats exist, how they are recognised and who reads them; a format that
 * this build cannot read is still recognised, so that the message can name it.  Everything here
 * may run on any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clausewatch/analysis.h"
#include "clausewatch/error.h"

/** More bytes than this are CW_EFULL without being read. */
#define CW_EXTRACT_MAX CW_TEXT_MAX

/** The text of a document.  All zero is valid and empty. */
struct cw_text {
	const char *bytes; /**< the input itself when nothing had to change, else owned */
	size_t len;
	enum cw_format format; /**< how the engine shall read it */
	const char *name; /**< what the file is: "markdown", "text", "pdf"; static */
	const char *encoding; /**< of the input: "utf-8", "utf-16le", "windows-1252"; static */
	bool converted; /**< positions refer to this text and not to the file */
	uint32_t *pages; /**< where each page starts, for formats that have pages; owned */
	size_t npages;
	char *owned;
};

/**
 * Read a document.
 *
 * @param bytes  kept by reference when text->bytes points into it: must then outlive text
 * @param name   file name or path, for its extension; may be NULL
 * @param text   set only on success; release with cw_text_release()
 * @return CW_OK; CW_EUNSUPPORTED (message names the format), CW_EFULL, CW_EENCRYPTED,
 *         CW_ECORRUPT, CW_ETIMEOUT, CW_ENOMEM
 */
int cw_extract(const char *bytes, size_t len, const char *name, struct cw_text *text,
	       struct cw_error *err);

/**
 * Read a file, or standard input when path is "-", and extract it; text owns all it holds.
 *
 * @param name  what to recognise the format by; NULL means path
 * @return as cw_extract(), and CW_EDENIED, CW_ENOTFOUND, CW_EIO for a file that cannot be read
 */
int cw_extract_file(const char *path, const char *name, struct cw_text *text, struct cw_error *err);

/** As cw_extract_file() for a descriptor, which stays open; what is for messages. */
int cw_extract_fd(int fd, const char *what, const char *name, struct cw_text *text,
		  struct cw_error *err);

/** Accepts NULL; text is then empty. */
void cw_text_release(struct cw_text *text);

/** 1-based page of a byte of the text, or 0 when the format has no pages. */
unsigned cw_text_page(const struct cw_text *text, uint32_t byte);

/**
 * Is a file of this name a document, going by its extension alone?  Names without an extension
 * are; so are formats that are documents though this build cannot read them.
 */
bool cw_extract_is_document(const char *name);

/** Why a document was not checked, as INTERFACES names it: "unsupported", "too-large", ... */
const char *cw_unchecked_name(int code);
