/** @file
 * Shared by the formats: one file each, one row in the table of format.c.
 */
#pragma once

#include "clausewatch/alert.h"

int cw_format_generic(const struct cw_event *event, const struct cw_channel *channel,
		      struct cw_buf *out, struct cw_error *err);
int cw_format_slack(const struct cw_event *event, const struct cw_channel *channel,
		    struct cw_buf *out, struct cw_error *err);

/**
 * A summary that may be sent: as it is when the channel includes text.  Otherwise what stands in
 * quotation marks becomes "…", and one that still repeats a clause's words is replaced.
 * @param changes  whose quotes it must not repeat
 * @param instead  what to say then
 */
void cw_format_summary(const struct cw_channel *channel, const char *summary,
		       const struct cw_event_change *changes, size_t nchanges, const char *instead,
		       struct cw_buf *out);
/** "Liability cap: changed, riskier": a change in words that no document wrote. */
void cw_format_plain_words(const struct cw_event_change *change, struct cw_buf *out);
/** Length as chat services count: in UTF-16 units. */
size_t cw_format_units(const char *text, size_t len);
