#include "engine/flat.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "clausewatch/utf8.h"

bool cw_word_byte(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

bool cw_starts_word(const char *text, const char *word)
{
	if ((*text | 0x20) != (*word | 0x20))
		return false;

	size_t n = strlen(word);
	return strncasecmp(text, word, n) == 0 && !cw_word_byte(text[n]);
}

const char *cw_find_phrase(const char *from, const char *end, const char *phrase)
{
	size_t n = strlen(phrase);
	char low = (char)tolower((unsigned char)*phrase),
	     up = (char)toupper((unsigned char)*phrase);

	for (const char *p = from; p + n <= end; p++) {
		if ((*p != low && *p != up) || strncasecmp(p, phrase, n) != 0)
			continue;
		if ((p == from || !cw_word_byte(p[-1])) && (p + n == end || !cw_word_byte(p[n])))
			return p;
	}
	return NULL;
}

const char *cw_find_any(const char *from, const char *end, const char *const *phrases, size_t count,
			size_t *out_which)
{
	bool inside = false;

	for (const char *p = from; p < end; p++) {
		bool starts = !inside;
		inside = cw_word_byte(*p);
		if (!inside || !starts)
			continue;
		char low = (char)(*p | 0x20);
		size_t best = 0;
		for (size_t i = 0; i < count; i++) {
			if (*phrases[i] != low || (p + 1 < end && phrases[i][1] != (p[1] | 0x20)))
				continue;
			size_t n = strlen(phrases[i]);
			if (n <= best || n > (size_t)(end - p) ||
			    strncasecmp(p, phrases[i], n) != 0 ||
			    (p + n < end && cw_word_byte(p[n]) && cw_word_byte(p[n - 1])))
				continue;
			best = n;
			if (out_which)
				*out_which = i;
		}
		if (best)
			return p;
	}
	return NULL;
}

/** The ASCII character that stands for a rune of punctuation, 0 to keep it, -1 to drop it. */
static int plain_rune(uint32_t rune)
{
	switch (rune) {
	case 0x201c:
	case 0x201d:
	case 0x201e:
	case 0x201f:
	case 0x2033:
	case 0xab:
	case 0xbb:
		return '"';
	case 0x2018:
	case 0x2019:
	case 0x201a:
	case 0x201b:
	case 0x2032:
	case 0xb4:
		return '\'';
	case 0xa0:
	case 0x2002 ... 0x200a:
	case 0x202f:
	case 0x3000:
		return ' ';
	case 0x2010 ... 0x2015:
	case 0x2212:
		return '-';
	case 0x25cf:
	case 0x2022:
		return '_';
	case 0xad:
	case 0x200b ... 0x200f:
	case 0xfeff:
		return -1;
	default:
		return 0;
	}
}

size_t cw_flatten_chars(char *text, size_t len)
{
	size_t to = 0;

	for (size_t i = 0, n; i < len; i += n) {
		uint32_t rune;
		unsigned char c = (unsigned char)text[i];
		if (isalnum(c)) {
			n = 1;
			text[to++] = (char)c;
			continue;
		}
		n = cw_utf8_decode(text + i, len - i, &rune);
		int plain = n == 0 ? ' ' : plain_rune(rune);
		if (n == 0)
			n = 1;
		if (plain < 0)
			continue;
		if (n == 1 && !plain)
			plain = (unsigned char)text[i] <= ' ' ? ' ' : text[i];
		if (!plain) {
			memmove(text + to, text + i, n);
			to += n;
			continue;
		}
		char last = to ? text[to - 1] : ' ';
		if (plain == last && strchr(" _-*=", plain))
			continue;
		/* Two single quotes are how typewriters and LaTeX write a double one. */
		if (plain == '`')
			plain = '\'';
		if (plain == '\'' && last == '\'') {
			text[to - 1] = '"';
			continue;
		}
		text[to++] = (char)plain;
	}
	return to;
}

void cw_flatten(const char *text, uint32_t from, uint32_t to, enum cw_format format,
		struct cw_buf *out)
{
	size_t start = out->len;

	cw_plain_text(text, from, to, format, out);
	if (out->failed || out->len == start)
		return;
	out->len = start + cw_flatten_chars(out->data + start, out->len - start);
	out->data[out->len] = '\0';
}
