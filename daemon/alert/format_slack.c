#include "alert/format.h"

#include <string.h>

#include "clausewatch/json.h"
#include "clausewatch/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define DOT " \xc2\xb7 "

/* Documented limits, in UTF-16 units, and one that is not: the whole message, near 13,200. */
#define HEADER_MAX 150
#define SECTION_MAX 3000
#define BLOCKS_MAX 50
#define MESSAGE_MAX 12999
/* Left free for "and 12 more" and the footer, which have two blocks. */
#define TAIL_MAX 1800
#define TAIL_BLOCKS 2
/* A clause of the first change when its whole text would fill the message alone. */
#define QUOTE_SHORT 1200
#define ATTRS_MAX 12

static const char *escape(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	default:
		return NULL;
	}
}

/** What stands for the character of n bytes at text; a quotation marks each of its lines. */
static size_t put_char(struct cw_buf *out, const char *text, size_t n, bool quotation)
{
	size_t from = out->len;
	unsigned char c = (unsigned char)*text;

	if (n == 1 && escape(*text))
		cw_buf_puts(out, escape(*text));
	else if (c == '\n' && quotation)
		cw_buf_puts(out, "\n>");
	else if (c < 0x20 || c == 0x7f)
		cw_buf_putc(out, ' ');
	else
		cw_buf_put(out, text, n);
	if (out->failed)
		return 0;
	/* JSON doubles these, which counts in the message; a clause must not be cut for it. */
	bool twice = !quotation && (c == '"' || c == '\\');
	return cw_format_units(out->data + from, out->len - from) + twice;
}

/**
 * Append text, escaped, in at most `limit` units.  What is longer ends at a word with "…".
 */
static void put_text(struct cw_buf *out, const char *text, size_t limit, bool quotation)
{
	size_t len = strlen(text), units = 0;
	size_t cut = out->len; /* behind the last word that leaves room for the ellipsis */
	size_t hard = out->len; /* the same for the last character */
	size_t start = out->len;

	for (size_t i = 0; i < len && !out->failed;) {
		size_t n = cw_utf8_len(text + i, len - i);
		if (n == 0)
			n = 1;
		if (units + 1 <= limit) {
			hard = out->len;
			if (text[i] == ' ' || text[i] == '\n')
				cut = out->len;
		}
		units += put_char(out, text + i, n, quotation);
		if (units > limit) {
			/* One endless word is cut anywhere. */
			out->len = cut > start ? cut : hard;
			cw_buf_puts(out, ELLIPSIS);
			return;
		}
		i += n;
	}
}

static void write_block(struct cw_json *json, const char *type, const char *text_type,
			const struct cw_buf *text)
{
	cw_json_open(json, NULL, '{');
	cw_json_str(json, "type", type);
	bool list = strcmp(type, "context") == 0;
	if (list)
		cw_json_open(json, "elements", '[');
	cw_json_open(json, list ? NULL : "text", '{');
	cw_json_str(json, "type", text_type);
	cw_json_strn(json, "text", cw_buf_str(text), text->len);
	cw_json_close(json, '}');
	if (list)
		cw_json_close(json, ']');
	cw_json_close(json, '}');
	json->out->failed |= text->failed;
}

static void put_labelled(struct cw_buf *out, const char *label, const char *text, size_t limit)
{
	if (!text || !*text)
		return;
	cw_buf_printf(out, "%s%s", out->len ? DOT : "", label);
	put_text(out, text, limit, false);
}

static void put_lines(struct cw_buf *out, const struct cw_event_change *c)
{
	if (c->line_start == 0)
		return;
	cw_buf_printf(out, "%sline", out->len ? DOT : "");
	if (c->line_end > c->line_start)
		cw_buf_printf(out, "s %u\xe2\x80\x93%u", c->line_start, c->line_end);
	else
		cw_buf_printf(out, " %u", c->line_start);
}

/** The change in words: what, where, why it matters, what to do. */
static void write_words(struct cw_json *json, const struct cw_event_change *c,
			const struct cw_channel *channel)
{
	struct cw_buf text = { 0 }, words = { 0 }, summary = { 0 }, place = { 0 };

	cw_format_plain_words(c, &words);
	cw_buf_printf(&text, "*%s*" DOT "*", cw_severity_name(c->severity));
	put_text(&text, cw_buf_str(&words), 250, false);
	cw_buf_putc(&text, '*');
	if (c->summary) {
		cw_format_summary(channel, c->summary, c, 1, cw_buf_str(&words), &summary);
		cw_buf_putc(&text, '\n');
		put_text(&text, cw_buf_str(&summary), 600, false);
	}
	put_labelled(&place, "section ", c->section, 60);
	put_labelled(&place, "", channel->include_text ? c->heading : NULL, 150);
	put_lines(&place, c);
	put_labelled(&place, "", c->id, 20);
	if (place.len > 0)
		cw_buf_printf(&text, "\n%s", place.data);
	if (c->why) {
		cw_buf_putc(&text, '\n');
		put_text(&text, c->why, 500, false);
	}
	if (c->advice) {
		cw_buf_puts(&text, "\n*Advice:* ");
		put_text(&text, c->advice, 500, false);
	}
	text.failed |= words.failed || summary.failed || place.failed;
	write_block(json, "section", "mrkdwn", &text);
	cw_buf_release(&text);
	cw_buf_release(&words);
	cw_buf_release(&summary);
	cw_buf_release(&place);
}

static void write_quote(struct cw_json *json, const char *label, const char *quote, size_t limit)
{
	struct cw_buf text = { 0 };

	cw_buf_printf(&text, "*%s*\n>", label);
	put_text(&text, quote, limit - cw_format_units(text.data, text.len), true);
	write_block(json, "section", "mrkdwn", &text);
	cw_buf_release(&text);
}

/** Blocks of one change; returns how many. */
static size_t write_change(struct cw_json *json, const struct cw_event_change *c,
			   const struct cw_channel *channel, size_t quote_max)
{
	size_t blocks = 1;

	write_words(json, c, channel);
	if (!channel->include_text)
		return blocks;
	if (c->quote_before && *c->quote_before) {
		write_quote(json, "Before", c->quote_before, quote_max);
		blocks++;
	}
	if (c->quote_after && *c->quote_after) {
		write_quote(json, "After", c->quote_after, quote_max);
		blocks++;
	}
	return blocks;
}

/** Whole changes while they fit; returns how many were left out. */
static size_t write_changes(struct cw_json *json, const struct cw_event *event,
			    const struct cw_channel *channel, size_t blocks)
{
	struct cw_buf *out = json->out;

	for (size_t i = 0; i < event->nchanges && !out->failed; i++) {
		size_t before = out->len;
		bool comma = json->comma;
		size_t more = write_change(json, &event->changes[i], channel, SECTION_MAX);
		bool big = cw_format_units(out->data, out->len) + TAIL_MAX > MESSAGE_MAX;
		if (big && i == 0) {
			out->len = before;
			json->comma = comma;
			more = write_change(json, &event->changes[i], channel, QUOTE_SHORT);
			big = false;
		}
		if (big || blocks + more + TAIL_BLOCKS > BLOCKS_MAX) {
			out->len = before;
			json->comma = comma;
			return event->nchanges - i;
		}
		blocks += more;
	}
	return 0;
}

static void write_attrs(struct cw_json *json, const struct cw_event *event)
{
	struct cw_buf text = { 0 };

	for (size_t i = 0; i < event->ndata && i < ATTRS_MAX; i++) {
		cw_buf_printf(&text, "%s*", i ? "\n" : "");
		put_text(&text, event->data[i].name, 30, false);
		cw_buf_puts(&text, ":* ");
		put_text(&text, event->data[i].value, 80, false);
	}
	write_block(json, "section", "mrkdwn", &text);
	cw_buf_release(&text);
}

static void write_more(struct cw_json *json, size_t left_out)
{
	struct cw_buf text = { 0 };

	cw_buf_printf(&text, "_and %zu more_", left_out);
	write_block(json, "context", "mrkdwn", &text);
	cw_buf_release(&text);
}

static void write_footer(struct cw_json *json, const struct cw_event *event)
{
	struct cw_buf text = { 0 };

	put_labelled(&text, "", event->source, 100);
	put_labelled(&text, "", event->path, 400);
	put_labelled(&text, "", event->ref, 150);
	put_labelled(&text, "", event->cause, 40);
	put_labelled(&text, "", event->commit, 12);
	put_labelled(&text, "", event->author, 100);
	put_labelled(&text, "", event->subject, 150);
	put_labelled(&text, "", event->host, 80);
	put_labelled(&text, "", event->id, 40);
	write_block(json, "context", "mrkdwn", &text);
	cw_buf_release(&text);
}

/** The last part of the path: what fits in a heading. */
static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void write_head(struct cw_json *json, const struct cw_event *event,
		       const struct cw_buf *summary)
{
	struct cw_buf text = { 0 };

	put_text(&text, cw_buf_str(summary), 300, false);
	cw_json_strn(json, "text", cw_buf_str(&text), text.len);
	cw_json_open(json, "blocks", '[');
	cw_buf_clear(&text);
	/* The severity in letters: a colour alone says nothing to many. */
	cw_buf_printf(&text, "[%s] ", cw_severity_name(event->severity));
	put_text(&text, event->path ? file_name(event->path) : event->type, HEADER_MAX - text.len,
		 false);
	write_block(json, "header", "plain_text", &text);
	cw_buf_clear(&text);
	put_text(&text, cw_buf_str(summary), 600, false);
	write_block(json, "section", "mrkdwn", &text);
	cw_buf_release(&text);
}

/** A message of Slack's Block Kit for an incoming webhook. */
int cw_format_slack(const struct cw_event *event, const struct cw_channel *channel,
		    struct cw_buf *out, struct cw_error *err)
{
	struct cw_buf body = { 0 }, summary = { 0 };
	struct cw_json json;
	size_t blocks = 2;

	cw_format_summary(channel, event->summary, event->changes, event->nchanges, event->type,
			  &summary);
	cw_json_init(&json, &body);
	cw_json_open(&json, NULL, '{');
	write_head(&json, event, &summary);
	if (event->ndata > 0) {
		write_attrs(&json, event);
		blocks++;
	}
	size_t left_out = write_changes(&json, event, channel, blocks);
	if (left_out > 0)
		write_more(&json, left_out);
	write_footer(&json, event);
	cw_json_close(&json, ']');
	cw_json_close(&json, '}');

	body.failed |= summary.failed;
	int ret = cw_buf_ok(&body, err);
	if (ret == CW_OK) {
		cw_buf_put(out, body.data, body.len);
		ret = cw_buf_ok(out, err);
	}
	cw_buf_release(&body);
	cw_buf_release(&summary);
	return ret;
}
