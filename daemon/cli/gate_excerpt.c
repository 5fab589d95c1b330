/* Long sentences cut down to what a reader must see. */
#include <string.h>

#include "gate.h"

#define SHOWN 170 /* bytes of a quote */
#define LEAD 40 /* bytes shown in front of what matters */
#define ELLIPSIS "\xe2\x80\xa6"

static bool is_middle(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The start of the word that at lies in. */
static size_t word_start(const char *text, size_t at)
{
	while (at > 0 && text[at - 1] != ' ')
		at--;
	return at;
}

/* Where to start so that at is seen with a few words in front of it, and the end if it is near. */
static size_t lead_start(const char *text, size_t len, size_t at)
{
	size_t start = at > LEAD ? at - LEAD : 0;

	if (len <= SHOWN || at + LEAD <= SHOWN)
		return 0;
	if (len - start < SHOWN)
		start = len - SHOWN;
	const char *blank = memchr(text + start, ' ', LEAD);
	if (blank && (size_t)(blank + 1 - text) <= at)
		return (size_t)(blank + 1 - text);
	while (start < len && is_middle(text[start]))
		start++;
	return start;
}

static void cut(struct cw_buf *text, size_t at)
{
	struct cw_buf out = { 0 };
	size_t start = lead_start(cw_buf_str(text), text->len, at);
	size_t end = text->len;

	if (end - start > SHOWN) {
		end = start + SHOWN;
		while (is_middle(text->data[end]))
			end--;
		size_t word = text->data[end] == ' ' ? end : word_start(text->data, end);
		if (word > start + SHOWN / 2)
			end = word;
	}
	while (end > start && end < text->len && text->data[end - 1] == ' ')
		end--;
	if (start > 0)
		cw_buf_puts(&out, ELLIPSIS " ");
	if (text->len > 0)
		cw_buf_put(&out, text->data + start, end - start);
	if (end < text->len)
		cw_buf_puts(&out, " " ELLIPSIS);
	cw_buf_release(text);
	*text = out;
}

/* The start of the first word that differs. */
static size_t difference(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && a[i] == b[i])
		i++;
	return word_start(a, i);
}

void gate_excerpt(struct cw_buf *before, struct cw_buf *after, const char *focus)
{
	size_t at = 0;

	if (before && after) {
		at = difference(cw_buf_str(before), cw_buf_str(after));
		cut(before, at < before->len ? at : 0);
		cut(after, at < after->len ? at : 0);
		return;
	}
	struct cw_buf *only = after ? after : before;
	if (!only)
		return;
	const char *hit = focus ? strstr(cw_buf_str(only), focus) : NULL;
	cut(only, hit ? (size_t)(hit - only->data) : 0);
}
