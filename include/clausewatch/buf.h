/** @file
 * A growing byte buffer with a sticky out-of-memory state.
 *
 * Append without checking, then look at `failed` once (or use cw_buf_ok()); after a
 * failure every append does nothing.  Not for sharing between threads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdarg.h>

#include "clausewatch/error.h"

struct cw_buf {
	char *data; /**< NUL-terminated whenever non-NULL; the NUL is not counted in len */
	size_t len;
	size_t cap;
	bool failed;
};

/** Frees the memory; buf is then empty and may be used again.  Accepts NULL. */
void cw_buf_release(struct cw_buf *buf);
/** Keeps the memory, drops the content. */
void cw_buf_clear(struct cw_buf *buf);
void cw_buf_put(struct cw_buf *buf, const void *bytes, size_t len);
void cw_buf_puts(struct cw_buf *buf, const char *text);
void cw_buf_putc(struct cw_buf *buf, char c);
void cw_buf_printf(struct cw_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cw_buf_vprintf(struct cw_buf *buf, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/** Make room for `more` bytes; returns where to write them or NULL.  Then add to len yourself. */
char *cw_buf_reserve(struct cw_buf *buf, size_t more);
/** CW_OK, or CW_ENOMEM with a message when any append failed. */
int cw_buf_ok(const struct cw_buf *buf, struct cw_error *err);
/** The content as a malloc'ed NUL-terminated string, the caller's to free(); buf becomes empty. */
char *cw_buf_take(struct cw_buf *buf);
/** The content, "" when nothing was ever appended. */
const char *cw_buf_str(const struct cw_buf *buf);
