#include "engine/stretch.h"

#include <string.h>

#include "engine/flat.h"

const char *cw_stretch_find(struct cw_stretch p, const char *const *words, size_t count)
{
	return cw_find_any(p.at, p.end, words, count, NULL);
}

bool cw_stretch_date(const char *from, const char *end, struct cw_date *out, const char **out_start,
		     const char **out_end)
{
	size_t s, e;

	if (from >= end || !cw_date_find(from, (size_t)(end - from), out, &s, &e))
		return false;
	if (out_start)
		*out_start = from + s;
	if (out_end)
		*out_end = from + e;
	return true;
}

struct cw_stretch cw_stretch_before(struct cw_stretch whole, const char *p, size_t reach)
{
	return (struct cw_stretch){ (size_t)(p - whole.at) > reach ? p - reach : whole.at, p };
}

struct cw_stretch cw_stretch_after(struct cw_stretch whole, const char *p, size_t reach)
{
	return (struct cw_stretch){ p, (size_t)(whole.end - p) > reach ? p + reach : whole.end };
}

bool cw_stretch_ends(struct cw_stretch p, const char *const *words, size_t count)
{
	while (p.end > p.at && strchr(" ,:(\"", p.end[-1]))
		p.end--;
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(words[i]);
		if ((size_t)(p.end - p.at) < n)
			continue;
		const char *q = p.end - n;
		if (cw_find_phrase(q, p.end, words[i]) == q && (q == p.at || !cw_word_byte(q[-1])))
			return true;
	}
	return false;
}
