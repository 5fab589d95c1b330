#include "alert/format.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "clausewatch/json.h"

/* What every CloudEvents intermediary must forward. */
#define BODY_MAX ((size_t)64 * 1024)
/* For what is written behind the changes. */
#define TAIL_MAX 64

/** Percent-encode what does not belong into a segment of a URI. */
static void put_segment(struct cw_buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < 0x80 && (isalnum(c) || strchr("-._~", c)))
			cw_buf_putc(out, (char)c);
		else
			cw_buf_printf(out, "%%%02X", c);
	}
}

static void write_source(struct cw_json *json, const struct cw_event *event)
{
	struct cw_buf uri = { 0 };

	cw_buf_puts(&uri, "//");
	put_segment(&uri, event->host ? event->host : "localhost");
	if (event->source) {
		cw_buf_putc(&uri, '/');
		put_segment(&uri, event->source);
	}
	cw_json_str(json, "source", cw_buf_str(&uri));
	json->out->failed |= uri.failed;
	cw_buf_release(&uri);
}

static void write_time(struct cw_json *json, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[64];

	if (!gmtime_r(&seconds, &tm))
		return;
	size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + n, sizeof(text) - n, ".%03dZ", (int)(ms % 1000));
	cw_json_str(json, "time", text);
}

/** Fields that do not apply are left out. */
static void write_some(struct cw_json *json, const char *key, const char *text)
{
	if (text)
		cw_json_str(json, key, text);
}

/** digits, maybe with a sign and a fraction, as JSON allows it */
static bool is_number(const char *text)
{
	size_t n;

	text += *text == '-';
	n = strspn(text, "0123456789");
	if (n == 0 || (n > 1 && *text == '0'))
		return false;
	text += n;
	if (*text == '.') {
		n = strspn(text + 1, "0123456789");
		if (n == 0)
			return false;
		text += n + 1;
	}
	return *text == '\0';
}

static void write_list(struct cw_json *json, const char *key, const char *words)
{
	cw_json_open(json, key, '[');
	while (*words) {
		size_t len = strcspn(words, ",");
		cw_json_strn(json, NULL, words, len);
		words += len;
		words += *words == ',';
	}
	cw_json_close(json, ']');
}

static void write_attr(struct cw_json *json, const struct cw_attr *attr)
{
	bool yes = strcmp(attr->value, "true") == 0;

	if (attr->kind == CW_ATTR_LIST)
		write_list(json, attr->name, attr->value);
	else if (attr->kind == CW_ATTR_NUMBER && is_number(attr->value))
		cw_json_raw(json, attr->name, attr->value);
	else if (attr->kind == CW_ATTR_BOOL && (yes || strcmp(attr->value, "false") == 0))
		cw_json_bool(json, attr->name, yes);
	else
		cw_json_str(json, attr->name, attr->value);
}

static void write_summary(struct cw_json *json, const struct cw_channel *channel,
			  const char *summary, const struct cw_event_change *changes, size_t n,
			  const char *instead)
{
	struct cw_buf text = { 0 };

	if (!summary)
		return;
	cw_format_summary(channel, summary, changes, n, instead, &text);
	cw_json_strn(json, "summary", cw_buf_str(&text), text.len);
	json->out->failed |= text.failed;
	cw_buf_release(&text);
}

static void write_change(struct cw_json *json, const struct cw_channel *channel,
			 const struct cw_event_change *c)
{
	struct cw_buf instead = { 0 };

	cw_format_plain_words(c, &instead);
	cw_json_open(json, NULL, '{');
	write_some(json, "event", c->event);
	write_some(json, "term", c->term);
	write_some(json, "id", c->id);
	write_some(json, "title", c->title);
	write_some(json, "polarity", c->polarity);
	write_some(json, "direction", c->direction);
	cw_json_str(json, "severity", cw_severity_name(c->severity));
	write_summary(json, channel, c->summary, c, 1, cw_buf_str(&instead));
	write_some(json, "section", c->section);
	if (c->line_start > 0) {
		cw_json_int(json, "line_start", c->line_start);
		cw_json_int(json, "line_end", c->line_end);
	}
	if (channel->include_text) {
		write_some(json, "heading", c->heading);
		write_some(json, "quote_before", c->quote_before);
		write_some(json, "quote_after", c->quote_after);
	}
	write_some(json, "why", c->why);
	write_some(json, "advice", c->advice);
	write_some(json, "fingerprint", c->fingerprint);
	cw_json_close(json, '}');
	json->out->failed |= instead.failed;
	cw_buf_release(&instead);
}

/** Whole changes, the worst first, as long as there is room; then how many there are. */
static void write_changes(struct cw_json *json, const struct cw_event *event,
			  const struct cw_channel *channel)
{
	struct cw_buf *out = json->out;
	size_t shown = 0;

	cw_json_open(json, "changes", '[');
	while (shown < event->nchanges && !out->failed) {
		size_t before = out->len;
		write_change(json, channel, &event->changes[shown]);
		if (out->len + TAIL_MAX > BODY_MAX) {
			out->len = before;
			break;
		}
		shown++;
	}
	cw_json_close(json, ']');
	cw_json_int(json, "changes_total", (int64_t)event->nchanges);
	cw_json_int(json, "changes_omitted", (int64_t)(event->nchanges - shown));
}

static void write_data(struct cw_json *json, const struct cw_event *event,
		       const struct cw_channel *channel)
{
	cw_json_open(json, "data", '{');
	write_summary(json, channel, event->summary, event->changes, event->nchanges, event->type);
	cw_json_str(json, "severity", cw_severity_name(event->severity));
	write_some(json, "source", event->source);
	write_some(json, "path", event->path);
	write_some(json, "ref", event->ref);
	write_some(json, "cause", event->cause);
	write_some(json, "commit", event->commit);
	write_some(json, "author", event->author);
	write_some(json, "subject", event->subject);
	write_some(json, "commit_date", event->commit_date);
	write_some(json, "host", event->host);
	cw_json_bool(json, "text_included", channel->include_text);
	cw_json_open(json, "attributes", '{');
	for (size_t i = 0; i < event->ndata; i++)
		write_attr(json, &event->data[i]);
	cw_json_close(json, '}');
	write_changes(json, event, channel);
	cw_json_close(json, '}');
}

/** A structured CloudEvents 1.0 event. */
int cw_format_generic(const struct cw_event *event, const struct cw_channel *channel,
		      struct cw_buf *out, struct cw_error *err)
{
	struct cw_buf body = { 0 };
	struct cw_json json;

	cw_json_init(&json, &body);
	cw_json_open(&json, NULL, '{');
	cw_json_str(&json, "specversion", "1.0");
	cw_json_str(&json, "id", event->id);
	write_source(&json, event);
	cw_json_str(&json, "type", event->type);
	write_some(&json, "subject", event->path);
	write_time(&json, event->time_ms);
	cw_json_str(&json, "datacontenttype", "application/json");
	cw_json_str(&json, "dataclassification",
		    channel->include_text ? "confidential" : "internal");
	write_data(&json, event, channel);
	cw_json_close(&json, '}');
	int ret = cw_buf_ok(&body, err);
	if (ret == CW_OK) {
		cw_buf_put(out, body.data, body.len);
		ret = cw_buf_ok(out, err);
	}
	cw_buf_release(&body);
	return ret;
}
