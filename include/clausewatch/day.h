/** @file
 * Days as they are written: YYYY-MM-DD, which sort as text.
 */
#pragma once

#include <stdbool.h>

/** YYYY-MM-DD, a day that exists. */
bool cw_is_day(const char *word);
/** Today in UTC. */
void cw_today(char out[11]);
