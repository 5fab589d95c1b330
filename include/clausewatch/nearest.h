/** @file
 * The word that was probably meant, for messages about unknown names.
 */
#pragma once

/**
 * The nearest of words to a mistyped one, by Damerau-Levenshtein distance without regard to case.
 *
 * @param words  NULL-terminated
 * @return one of words, the first of equals; NULL when none is near enough to be worth saying
 */
const char *cw_nearest(const char *word, const char *const *words);
