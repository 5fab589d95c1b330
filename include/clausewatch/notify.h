/** @file
 * Telling the service manager how things stand: the protocol of sd_notify(3), by hand.
 *
 * Without NOTIFY_SOCKET in the environment everything succeeds and does nothing.
 */
#pragma once

#include <stdint.h>

#include "clausewatch/error.h"

/** Send lines "NAME=value"; @return CW_OK, CW_EINVAL (no such address), CW_EIO */
int cw_notify(const char *lines, struct cw_error *err);
/** Start-up or a reload is done. */
int cw_notify_ready(struct cw_error *err);
/** A reload begins; cw_notify_ready() ends it, also when it failed. */
int cw_notify_reloading(struct cw_error *err);
int cw_notify_stopping(struct cw_error *err);
/** One line for people; newlines become spaces. */
int cw_notify_status(struct cw_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int cw_notify_watchdog(struct cw_error *err);
/** Milliseconds between two cw_notify_watchdog() that are safe: half the limit; 0 for none. */
int64_t cw_notify_watchdog_ms(void);
