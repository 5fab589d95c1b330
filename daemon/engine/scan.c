#include "scan.h"

#include <stddef.h>
#include <string.h>

#include "clausewatch/utf8.h"

#define TARGET_MAX 4096u /* a link target or tag is never longer */

/* clang-format off */
#define COMMON                                                                                     \
	[0 ... 31] = CW_U_SPACE, [' '] = CW_U_SPACE, ['0' ... '9'] = CW_U_WORD,                    \
	['A' ... 'Z'] = CW_U_WORD, ['a' ... 'z'] = CW_U_WORD, ['.'] = CW_U_DOT,                    \
	['?'] = CW_U_STOP, [','] = CW_U_COMMA, [';'] = CW_U_SOFT, [':'] = CW_U_SOFT,               \
	['('] = CW_U_LPAREN, [')'] = CW_U_RPAREN, ['\''] = CW_U_APOS, ['"'] = CW_U_QUOTE,          \
	['$'] = CW_U_MONEY, [127 ... 255] = CW_U_SPECIAL

const unsigned char cw_units_text[256] = { COMMON, ['!'] = CW_U_STOP };
const unsigned char cw_units_markdown[256] = {
	COMMON, ['!'] = CW_U_SPECIAL, ['*'] = CW_U_NONE, ['`'] = CW_U_NONE, ['~'] = CW_U_NONE,
	['\\'] = CW_U_SPECIAL, ['<'] = CW_U_SPECIAL, ['&'] = CW_U_SPECIAL, [']'] = CW_U_SPECIAL,
	['|'] = CW_U_SOFT,
};
/* clang-format on */

/* Tags that may stand inside a word; any other parts words. */
static const char *const inline_tags[] = { "a",    "abbr",   "b",   "code", "del", "em",
					   "font", "i",      "ins", "mark", "s",   "small",
					   "span", "strong", "sub", "sup",  "u" };

static const struct {
	const char *name;
	uint32_t rune;
} entities[] = {
	{ "amp", '&' },      { "lt", '<' },        { "gt", '>' },        { "quot", '"' },
	{ "apos", '\'' },    { "nbsp", 0xa0 },     { "shy", 0xad },      { "ndash", 0x2013 },
	{ "mdash", 0x2014 }, { "lsquo", 0x2018 },  { "rsquo", 0x2019 },  { "ldquo", 0x201c },
	{ "rdquo", 0x201d }, { "bull", 0x2022 },   { "hellip", 0x2026 }, { "zwj", 0x200d },
	{ "zwnj", 0x200c },  { "copy", 0xa9 },     { "reg", 0xae },      { "trade", 0x2122 },
	{ "sect", 0xa7 },    { "euro", 0x20ac },   { "pound", 0xa3 },    { "laquo", 0xab },
	{ "raquo", 0xbb },   { "eacute", 0xe9 },   { "egrave", 0xe8 },   { "ouml", 0xf6 },
	{ "uuml", 0xfc },    { "auml", 0xe4 },     { "middot", 0xb7 },   { "ensp", 0x2002 },
	{ "emsp", 0x2003 },  { "thinsp", 0x2009 }, { "lbrack", '[' },    { "rbrack", ']' },
};

static enum cw_unit general_punctuation(uint32_t rune)
{
	if (rune <= 0x200a || rune == 0x2028 || rune == 0x2029 || rune == 0x202f || rune == 0x205f)
		return CW_U_SPACE;
	if (rune <= 0x200f || (rune >= 0x202a && rune <= 0x202e) || rune >= 0x2060)
		return CW_U_NONE;
	switch (rune) {
	case 0x2018:
	case 0x2019:
	case 0x201b:
	case 0x2032:
		return CW_U_APOS;
	case 0x201a:
	case 0x201c:
	case 0x201e:
	case 0x201f:
		return CW_U_OPENQ;
	case 0x201d:
	case 0x2033:
		return CW_U_CLOSEQ;
	case 0x2026:
		return CW_U_STOP;
	default:
		return CW_U_SEP;
	}
}

static enum cw_unit latin1(uint32_t rune)
{
	switch (rune) {
	case 0xa0:
		return CW_U_SPACE;
	case 0xad:
		return CW_U_NONE;
	case 0xab:
		return CW_U_OPENQ;
	case 0xbb:
		return CW_U_CLOSEQ;
	case 0xa2:
	case 0xa3:
	case 0xa5:
		return CW_U_MONEY;
	case 0xaa:
	case 0xb5:
	case 0xba:
		return CW_U_WORD;
	default:
		return rune < 0xc0 || rune == 0xd7 || rune == 0xf7 ? CW_U_SEP : CW_U_WORD;
	}
}

static enum cw_unit of_rune(uint32_t rune)
{
	if (rune < 0x80)
		return rune == 0x7f ? CW_U_NONE : (enum cw_unit)cw_units_text[rune];
	if (rune < 0x100)
		return latin1(rune);
	if (rune == 0x2bc)
		return CW_U_APOS;
	if (rune < 0x2000)
		return CW_U_WORD;
	if (rune < 0x2070)
		return general_punctuation(rune);
	if (rune >= 0x20a0 && rune <= 0x20cf)
		return CW_U_MONEY;
	if (rune == 0x3000)
		return CW_U_SPACE;
	if ((rune >= 0x2100 && rune <= 0x2bff) || (rune >= 0x3001 && rune <= 0x303f) ||
	    (rune >= 0xe000 && rune <= 0xf8ff) || rune >= 0x1f000 || rune == 0xfffd)
		return CW_U_SEP;
	if (rune == 0xfeff || (rune >= 0xfe00 && rune <= 0xfe0f))
		return CW_U_NONE;
	return CW_U_WORD;
}

unsigned cw_scan_encode(uint32_t rune, char out[4])
{
	if (rune < 0x80) {
		out[0] = (char)rune;
		return 1;
	}
	if (rune < 0x800) {
		out[0] = (char)(0xc0 | rune >> 6);
		out[1] = (char)(0x80 | (rune & 0x3f));
		return 2;
	}
	if (rune < 0x10000) {
		out[0] = (char)(0xe0 | rune >> 12);
		out[1] = (char)(0x80 | (rune >> 6 & 0x3f));
		out[2] = (char)(0x80 | (rune & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | rune >> 18);
	out[1] = (char)(0x80 | (rune >> 12 & 0x3f));
	out[2] = (char)(0x80 | (rune >> 6 & 0x3f));
	out[3] = (char)(0x80 | (rune & 0x3f));
	return 4;
}

static uint32_t numeric_entity(const char *body, size_t len)
{
	bool hex = len > 1 && (body[1] == 'x' || body[1] == 'X');
	uint32_t rune = 0;

	for (size_t i = hex ? 2 : 1; i < len; i++) {
		int c = body[i] | 0x20;
		int digit = c >= '0' && c <= '9'          ? c - '0'
			    : hex && c >= 'a' && c <= 'f' ? c - 'a' + 10
							  : -1;

		if (digit < 0 || rune > 0x10ffff)
			return 0;
		rune = rune * (hex ? 16u : 10u) + (uint32_t)digit;
	}
	return rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff) ? 0 : rune;
}

static enum cw_unit entity(const struct cw_scan *sc, uint32_t at, uint32_t *out_len,
			   uint32_t *out_rune)
{
	const char *body = (const char *)sc->s + at + 1;
	size_t room = sc->to - at - 1, len = 0;

	while (len < room && len < 10 && body[len] != ';' && (unsigned char)body[len] > ' ')
		len++;
	if (len < 2 || len >= room || body[len] != ';')
		return CW_U_SEP;
	if (body[0] == '#') {
		*out_rune = numeric_entity(body, len);
	} else {
		for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
			if (strlen(entities[i].name) == len &&
			    memcmp(entities[i].name, body, len) == 0)
				*out_rune = entities[i].rune;
	}
	if (*out_rune == 0)
		return CW_U_SEP;
	*out_len = (uint32_t)len + 2;
	return of_rune(*out_rune);
}

static bool inline_tag(const unsigned char *name, uint32_t room)
{
	size_t len = 0;
	char low[8] = { 0 };

	if (room > 0 && name[0] == '/')
		name++, room--;
	while (len < room && len < sizeof(low) && (name[len] | 0x20) >= 'a' &&
	       (name[len] | 0x20) <= 'z') {
		low[len] = (char)(name[len] | 0x20);
		len++;
	}
	for (size_t i = 0; i < sizeof(inline_tags) / sizeof(inline_tags[0]); i++)
		if (strlen(inline_tags[i]) == len && memcmp(inline_tags[i], low, len) == 0)
			return true;
	return false;
}

static enum cw_unit tag(struct cw_scan *sc, uint32_t at, uint32_t *out_len)
{
	const unsigned char *s = sc->s;
	uint32_t left = sc->to - at;

	if (left >= 4 && memcmp(s + at, "<!--", 4) == 0) {
		if (sc->comment <= at) {
			const unsigned char *end = memmem(s + at + 4, left - 4, "-->", 3);

			sc->comment = end ? (uint32_t)(end - s) + 3 : UINT32_MAX;
		}
		if (sc->comment != UINT32_MAX)
			*out_len = sc->comment - at;
		return sc->comment != UINT32_MAX ? CW_U_NONE : CW_U_SEP;
	}
	if (left < 3 || (!((s[at + 1] | 0x20) >= 'a' && (s[at + 1] | 0x20) <= 'z') &&
			 !strchr("/!?", s[at + 1])))
		return CW_U_SEP;
	if (sc->gt <= at) {
		const unsigned char *end = memchr(s + at, '>', left);

		sc->gt = end ? (uint32_t)(end - s) : UINT32_MAX;
	}
	if (sc->gt == UINT32_MAX || sc->gt - at > TARGET_MAX)
		return CW_U_SEP;
	*out_len = sc->gt + 1 - at;
	if (inline_tag(s + at + 1, *out_len - 2))
		return CW_U_NONE;
	return (s[at + 1] | 0x20) == 'b' || (s[at + 1] | 0x20) == 't' ? CW_U_SOFT : CW_U_SPACE;
}

/* The byte after the ')' that closes the target opened at `at`, or 0. */
static uint32_t target_end(struct cw_scan *sc, uint32_t at)
{
	uint32_t depth = 0, end = sc->to - at > TARGET_MAX ? at + TARGET_MAX : sc->to;
	uint32_t i = at;
	bool title = false;

	if (at < sc->link)
		return 0;
	for (; i < end; i++) {
		unsigned char c = sc->s[i];

		if (c == '\\' && i + 1 < end)
			i++;
		else if (c == '"')
			title = !title;
		else if (title)
			continue;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return i + 1;
		else if (c <= ' ' && i + 1 < end && sc->s[i + 1] > ' ' &&
			 !strchr("\"<)", sc->s[i + 1]))
			break;
	}
	sc->link = i;
	return 0;
}

static uint32_t image_end(struct cw_scan *sc, uint32_t at)
{
	uint32_t depth = 0, end = sc->to - at > TARGET_MAX ? at + TARGET_MAX : sc->to;
	uint32_t i = at + 1;

	if (at < sc->link)
		return 0;
	for (; i < end; i++) {
		unsigned char c = sc->s[i];

		if (c == '\\' && i + 1 < end)
			i++;
		else if (c == '[')
			depth++;
		else if (c == ']' && --depth == 0) {
			if (i + 1 < end && sc->s[i + 1] == '(')
				return target_end(sc, i + 1);
			break;
		}
	}
	sc->link = i;
	return 0;
}

enum cw_unit cw_scan_special(struct cw_scan *sc, uint32_t at, uint32_t *out_len, uint32_t *out_rune)
{
	const unsigned char *s = sc->s;
	unsigned char next = at + 1 < sc->to ? s[at + 1] : 0;
	uint32_t end, rune;

	*out_len = 1;
	*out_rune = 0;
	switch (s[at]) {
	case '\\':
		if (next < '!' || next > '~' || cw_units_text[next] == CW_U_WORD)
			return CW_U_SEP;
		*out_len = 2;
		*out_rune = next;
		return (enum cw_unit)cw_units_text[next];
	case '<':
		return tag(sc, at, out_len);
	case '&':
		return entity(sc, at, out_len, out_rune);
	case '!':
		end = next == '[' ? image_end(sc, at) : 0;
		if (end)
			*out_len = end - at;
		return end ? CW_U_NONE : CW_U_STOP;
	case ']':
		end = next == '(' ? target_end(sc, at + 1) : 0;
		if (end)
			*out_len = end - at;
		return end ? CW_U_NONE : CW_U_SEP;
	case 0x7f:
		return CW_U_NONE;
	default:
		*out_len = (uint32_t)cw_utf8_decode((const char *)s + at, sc->to - at, &rune);
		if (*out_len == 0) {
			*out_len = 1;
			return CW_U_SEP;
		}
		return of_rune(rune);
	}
}
