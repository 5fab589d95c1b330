/** @file
 * Logging for the two programs.  Library code never logs: it returns errors.
 *
 * One event is one line and one write(), so lines of several threads do not mix.  Values are
 * quoted and control characters escaped.  Clause text is never logged: ids and places are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "clausewatch/buf.h"

/** The numbers are syslog's. */
enum cw_log_level {
	CW_LOG_ERR = 3, /**< something failed and a person should look */
	CW_LOG_WARNING = 4, /**< works, but less or worse than asked for */
	CW_LOG_NOTICE = 5, /**< started, stopped, reloaded */
	CW_LOG_INFO = 6, /**< what it does, an event at a time */
	CW_LOG_DEBUG = 7,
};

enum cw_log_format {
	CW_LOG_AUTO, /**< journal when standard error is the journal's, else text */
	CW_LOG_JOURNAL, /**< "<6>message key=value" */
	CW_LOG_TEXT, /**< logfmt: time=... level=info msg="..." key=value */
	CW_LOG_JSON, /**< {"time":"...","level":"info","message":"...","key":"value"} */
};

/** A value by its name; made by CW_LOG_STR() and CW_LOG_NUM(). */
struct cw_log_field {
	const char *key; /**< a plain word: lower case, '_' */
	const char *text; /**< or NULL for a number */
	int64_t number;
	bool is_text; /**< a field whose text is NULL is left out */
};

#define CW_LOG_STR(k, v) ((struct cw_log_field){ .key = (k), .text = (v), .is_text = true })
#define CW_LOG_NUM(k, v) ((struct cw_log_field){ .key = (k), .number = (int64_t)(v) })

/** Any thread, at any time.  Before the first call: info, CW_LOG_AUTO. */
void cw_log_setup(enum cw_log_level level, enum cw_log_format format);
/** Would a line of that level be written? */
bool cw_log_enabled(enum cw_log_level level);

/**
 * Write a line to standard error:
 * cw_log(CW_LOG_INFO, "folder watched", CW_LOG_STR("source", name), CW_LOG_NUM("files", n));
 * The message is a constant, what varies goes into fields.  errno is kept.
 */
#define cw_log(level, message, ...)                                                                \
	cw_log_write(                                                                              \
		level, message,                                                                    \
		&(const struct cw_log_field[]){ { .key = 0 }, ##__VA_ARGS__, { .key = 0 } }[1])

/** @param fields  ended by one whose key is NULL */
void cw_log_write(enum cw_log_level level, const char *message, const struct cw_log_field *fields);

/** The line with its newline as cw_log_write() writes it; for tests and other outputs. */
void cw_log_line(struct cw_buf *out, enum cw_log_format format, enum cw_log_level level,
		 int64_t time_ms, const char *message, const struct cw_log_field *fields);
