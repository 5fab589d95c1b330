#include "clausewatch/utf8.h"

size_t cw_utf8_decode(const char *text, size_t len, uint32_t *out_rune)
{
	const unsigned char *s = (const unsigned char *)text;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n;
	uint32_t rune;

	*out_rune = 0xfffd;
	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		*out_rune = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2, rune = s[0] & 0x1fu;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3, rune = s[0] & 0x0fu;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4, rune = s[0] & 0x07u;
	else
		return 0;
	if (len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		rune = rune << 6 | (s[i] & 0x3fu);
	}
	if (rune < least[n] || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
		return 0;
	*out_rune = rune;
	return n;
}

size_t cw_utf8_len(const char *text, size_t len)
{
	uint32_t rune;

	if (len > 0 && (unsigned char)text[0] < 0x80)
		return 1;
	return cw_utf8_decode(text, len, &rune);
}

bool cw_utf8_valid(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = cw_utf8_len(text + i, len - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}
