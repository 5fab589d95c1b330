/** @file
 * Dates and durations as contracts write them.  Internal to the engine.
 *
 * All functions take a stretch of text that need not end with NUL, and are tolerant of the spaces
 * that text recognition and typesetting leave inside a date ("17t h day of October , 2007").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct cw_date {
	int year, month, day;
};

#define CW_DATE_SIZE 11 /**< "YYYY-MM-DD" and NUL */

/**
 * The first complete date of a text.  A numeric date is month first unless that is impossible;
 * with dots it is day first.
 * @param out_start,out_end  bytes half open; may be NULL
 */
bool cw_date_find(const char *text, size_t len, struct cw_date *out, size_t *out_start,
		  size_t *out_end);
/** Exactly YYYY-MM-DD. */
bool cw_date_parse_iso(const char *text, struct cw_date *out);
void cw_date_format(struct cw_date date, char out[CW_DATE_SIZE]);
/** The same day of a later month, or the last day of that month when it is shorter. */
struct cw_date cw_date_add_months(struct cw_date date, int count);
struct cw_date cw_date_add_days(struct cw_date date, int days);

struct cw_duration {
	int months; /**< of years and months */
	int days; /**< of weeks and days */
};

/**
 * The first duration of a text: "five (5) years", "36 months", "a one-year", "third anniversary".
 * @param out_start,out_end  bytes half open; may be NULL
 */
bool cw_duration_find(const char *text, size_t len, struct cw_duration *out, size_t *out_start,
		      size_t *out_end);
