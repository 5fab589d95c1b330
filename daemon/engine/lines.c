#include "block.h"

#include <string.h>

static bool is_white(unsigned char c)
{
	return c <= ' ';
}

bool cw_lines_next(struct cw_lines *lines, struct cw_line *out)
{
	const char *s = lines->text;

	if (lines->at >= lines->len)
		return false;
	const char *nl = memchr(s + lines->at, '\n', lines->len - lines->at);
	uint32_t end = nl ? (uint32_t)(nl - s) : lines->len;
	uint32_t start = lines->at;
	unsigned indent = 0;

	while (start < end && is_white((unsigned char)s[start])) {
		indent = s[start] == '\t' ? (indent / 4 + 1) * 4 : indent + 1;
		start++;
	}
	while (end > start && is_white((unsigned char)s[end - 1]))
		end--;
	*out = (struct cw_line){ lines->at, start, end, ++lines->number, indent };
	lines->at = nl ? (uint32_t)(nl - s) + 1 : lines->len;
	return true;
}
