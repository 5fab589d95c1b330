#include "clausewatch/nearest.h"

#include <stddef.h>
#include <string.h>

#define WORD_MAX 64

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static int fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/** Optimal string alignment: insert, delete, replace, swap neighbours; each costs 1. */
static unsigned distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= blen; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= alen; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			unsigned same = fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1;

			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + same);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
		unsigned *free_row = before;
		before = last;
		last = now;
		now = free_row;
	}
	return last[blen];
}

const char *cw_nearest(const char *word, const char *const *words)
{
	const char *best = NULL;
	size_t len = strlen(word);
	/* A third of the letters may be wrong; more would be a guess, not a correction. */
	unsigned limit = len < 3 ? 1 : (unsigned)(len + 2) / 3;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (; *words; words++) {
		size_t other = strlen(*words);

		if (other == 0 || other > WORD_MAX)
			continue;
		unsigned d = distance(word, len, *words, other);
		/* Nothing of the word is left when every letter had to change. */
		if (d > limit || d >= len || d >= other)
			continue;
		best = *words;
		limit = d;
		if (d == 0)
			break;
		limit--;
	}
	return best;
}
