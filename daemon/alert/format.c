#include "alert/format.h"

#include <string.h>

#include "clausewatch/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define ELLIPSIS "\xe2\x80\xa6"
/* As many bytes in common with a clause are its words and no coincidence. */
#define REPEAT_MIN 40

static const struct cw_alert_format formats[] = {
	{ "generic", "application/cloudevents+json; charset=utf-8", cw_format_generic },
	{ "slack", "application/json; charset=utf-8", cw_format_slack },
};

const struct cw_alert_format *cw_alert_format(const char *name)
{
	for (size_t i = 0; i < COUNT(formats); i++) {
		if (!name || strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	return NULL;
}

const char *cw_alert_format_name(size_t i)
{
	return i < COUNT(formats) ? formats[i].name : NULL;
}

static const struct {
	const char *open, *close;
} marks[] = {
	{ "\"", "\"" },
	{ "\xe2\x80\x9c", "\xe2\x80\x9d" },
	{ "\xc2\xab", "\xc2\xbb" },
};

/** If a quotation begins at text: where it ends (the end of the text when it is not closed). */
static const char *skip_quotation(const char *text)
{
	for (size_t i = 0; i < COUNT(marks); i++) {
		size_t len = strlen(marks[i].open);
		if (strncmp(text, marks[i].open, len) != 0)
			continue;
		const char *close = strstr(text + len, marks[i].close);
		return close ? close + strlen(marks[i].close) : text + strlen(text);
	}
	return NULL;
}

static void put_unquoted(const char *text, struct cw_buf *out)
{
	while (*text) {
		const char *behind = skip_quotation(text);
		if (behind) {
			cw_buf_puts(out, ELLIPSIS);
			text = behind;
		} else {
			cw_buf_putc(out, *text++);
		}
	}
}

/** Whether text holds a stretch of REPEAT_MIN bytes of quote, or all of a shorter quote. */
static bool repeats(const char *text, size_t len, const char *quote)
{
	size_t n = quote ? strlen(quote) : 0;
	size_t window = n < REPEAT_MIN ? n : REPEAT_MIN;

	if (window < REPEAT_MIN / 2)
		return false;
	for (size_t i = 0; i + window <= len; i++) {
		if (memmem(quote, n, text + i, window))
			return true;
	}
	return false;
}

void cw_format_summary(const struct cw_channel *channel, const char *summary,
		       const struct cw_event_change *changes, size_t nchanges, const char *instead,
		       struct cw_buf *out)
{
	size_t from = out->len;

	if (!summary)
		summary = instead;
	if (channel->include_text) {
		cw_buf_puts(out, summary);
		return;
	}
	put_unquoted(summary, out);
	for (size_t i = 0; i < nchanges && !out->failed && out->len > from; i++) {
		const char *text = out->data + from;
		if (!repeats(text, out->len - from, changes[i].quote_before) &&
		    !repeats(text, out->len - from, changes[i].quote_after))
			continue;
		out->len = from;
		cw_buf_puts(out, instead);
		return;
	}
}

void cw_format_plain_words(const struct cw_event_change *change, struct cw_buf *out)
{
	const char *name = change->title ? change->title : change->term;

	cw_buf_printf(out, "%s: %s", name ? name : "clause",
		      change->event ? change->event : "changed");
	if (change->direction && strcmp(change->direction, "neutral") != 0)
		cw_buf_printf(out, ", %s", change->direction);
}

size_t cw_format_units(const char *text, size_t len)
{
	size_t units = 0;

	for (size_t i = 0; i < len;) {
		size_t n = cw_utf8_len(text + i, len - i);
		units += n == 4 ? 2 : 1;
		i += n ? n : 1;
	}
	return units;
}
