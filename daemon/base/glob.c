/*
 * Matching without recursion.  Two places to go back to are enough: the last '*', which may
 * swallow one more character, and the last directory wildcard, which may swallow one more
 * directory.  An earlier wildcard never has to move, because the later one can take over
 * whatever it would have swallowed; so no pattern is exponential.
 */
#include "clausewatch/glob.h"

#include <stdint.h>
#include <string.h>

#include "clausewatch/utf8.h"

/** Bytes of the character at text, which is not at its end; a bad byte is a character. */
static size_t char_len(const char *text)
{
	size_t n = cw_utf8_len(text, strnlen(text, 4));

	return n ? n : 1;
}

static size_t take_char(const char *text, uint32_t *out)
{
	size_t n = cw_utf8_decode(text, strnlen(text, 4), out);

	if (n > 0)
		return n;
	*out = (unsigned char)*text;
	return *text ? 1 : 0;
}

/** One character of a set, at p; NULL when the pattern ends. */
static const char *set_member(const char *p, uint32_t *out)
{
	if (*p == '\\')
		p++;
	size_t n = take_char(p, out);
	return n ? p + n : NULL;
}

/**
 * A set at p, which points behind '['.  @return behind its ']', or NULL when there is none.
 */
static const char *match_set(const char *p, uint32_t c, bool *out_found)
{
	bool negated = *p == '!' || *p == '^', found = false;

	if (negated)
		p++;
	/* A ']' in the first place is a member. */
	for (bool first = true; first || *p != ']'; first = false) {
		uint32_t from, to;

		p = set_member(p, &from);
		if (!p)
			return NULL;
		to = from;
		if (*p == '-' && p[1] != ']' && p[1] != '\0') {
			p = set_member(p + 1, &to);
			if (!p)
				return NULL;
		}
		found = found || (c >= from && c <= to);
	}
	*out_found = found != negated;
	return p + 1;
}

/** Match one pattern item that is no wildcard against one character; moves both on. */
static bool match_one(const char **pattern, const char **text, bool path)
{
	const char *p = *pattern, *t = *text;

	if (*t == '\0')
		return false;
	if (*p == '?' || *p == '[') {
		uint32_t c;
		bool found = true;
		size_t n = take_char(t, &c);

		p = *p == '[' ? match_set(p + 1, c, &found) : p + 1;
		if (!p || !found || (path && c == '/'))
			return false;
		*pattern = p;
		*text = t + n;
		return true;
	}
	if (*p == '\\')
		p++;
	if (*p == '\0' || *p != *t)
		return false;
	*pattern = p + 1;
	*text = t + 1;
	return true;
}

/** Is "**" at p a whole component of the pattern? */
static bool is_directories(const char *pattern, const char *p)
{
	return p[0] == '*' && p[1] == '*' && (p == pattern || p[-1] == '/') &&
	       (p[2] == '/' || p[2] == '\0');
}

static bool glob_match(const char *pattern, const char *text, bool path)
{
	const char *p = pattern, *t = text;
	const char *star_p = NULL, *star_t = NULL; /* behind the '*', and what it matched up to */
	const char *dirs_p = NULL, *dirs_t = NULL; /* the same for directories */

	for (;;) {
		if (path && is_directories(pattern, p)) {
			if (p[2] == '\0')
				return *t != '\0';
			p += 3;
			dirs_p = p;
			dirs_t = t;
			star_p = NULL;
			continue;
		}
		if (*p == '*') {
			star_p = ++p;
			star_t = t;
			continue;
		}
		if (*p == '\0' && *t == '\0')
			return true;
		if (*p != '\0' && match_one(&p, &t, path))
			continue;
		if (star_p && *star_t != '\0' && !(path && *star_t == '/')) {
			star_t += char_len(star_t);
			p = star_p;
			t = star_t;
			continue;
		}
		dirs_t = dirs_p ? strchr(dirs_t, '/') : NULL;
		if (!dirs_t)
			return false;
		dirs_t++;
		p = dirs_p;
		t = dirs_t;
		star_p = NULL;
	}
}

bool cw_glob_match(const char *pattern, const char *path)
{
	return glob_match(pattern, path, true);
}

bool cw_glob_match_name(const char *pattern, const char *name)
{
	return glob_match(pattern, name, false);
}

bool cw_glob_is_pattern(const char *text)
{
	return strpbrk(text, "*?[\\") != NULL;
}

int cw_glob_check(const char *pattern, struct cw_error *err)
{
	if (*pattern == '\0')
		return cw_fail(err, CW_EINVAL, "an empty pattern");
	for (const char *p = pattern; *p;) {
		bool found;

		if (*p == '\\' && p[1] == '\0')
			return cw_fail(err, CW_EINVAL, "pattern '%.80s' ends after '\\'", pattern);
		if (*p != '[') {
			p += *p == '\\' ? 2 : 1;
			continue;
		}
		p = match_set(p + 1, 'x', &found);
		if (!p)
			return cw_fail(err, CW_EINVAL, "pattern '%.80s' has no ']'", pattern);
	}
	return CW_OK;
}
