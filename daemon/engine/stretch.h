/** @file
 * Stretches of flattened text, for readers of sentences.  Internal to the engine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/dates.h"

/** Bytes [at, end). */
struct cw_stretch {
	const char *at, *end;
};

/** Where the first of the words or phrases stands, NULL when none does. */
const char *cw_stretch_find(struct cw_stretch p, const char *const *words, size_t count);
#define CW_ANY(s, words) cw_stretch_find(s, words, sizeof(words) / sizeof(*(words)))

/** Does it end with one of the words, spaces and punctuation aside? */
bool cw_stretch_ends(struct cw_stretch s, const char *const *words, size_t count);
#define CW_ENDS(s, words) cw_stretch_ends(s, words, sizeof(words) / sizeof(*(words)))

/** At most `reach` bytes on either side of p, inside the whole. */
struct cw_stretch cw_stretch_before(struct cw_stretch whole, const char *p, size_t reach);
struct cw_stretch cw_stretch_after(struct cw_stretch whole, const char *p, size_t reach);

/** The first date of [from, end) and where it stands; the last two may be NULL. */
bool cw_stretch_date(const char *from, const char *end, struct cw_date *out, const char **out_start,
		     const char **out_end);
