/** @file
 * Writing JSON, one object a line, without building a tree.
 *
 * Text that is not valid UTF-8 is repaired: each bad byte becomes U+FFFD.  Control
 * characters are escaped.  Commas are placed by the writer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clausewatch/buf.h"

/** Nothing but what the writer needs to place commas; out must outlive it. */
struct cw_json {
	struct cw_buf *out;
	bool comma;
};

void cw_json_init(struct cw_json *json, struct cw_buf *out);
/* In every function key is NULL inside an array and at the top. */
void cw_json_open(struct cw_json *json, const char *key, char bracket); /**< '{' or '[' */
void cw_json_close(struct cw_json *json, char bracket); /**< '}' or ']' */
void cw_json_str(struct cw_json *json, const char *key, const char *text); /**< NULL gives null */
void cw_json_strn(struct cw_json *json, const char *key, const char *text, size_t len);
void cw_json_int(struct cw_json *json, const char *key, int64_t n);
void cw_json_real(struct cw_json *json, const char *key, double n);
void cw_json_bool(struct cw_json *json, const char *key, bool yes);
void cw_json_null(struct cw_json *json, const char *key);
/** Text that is JSON already. */
void cw_json_raw(struct cw_json *json, const char *key, const char *value);
