/* clausewatch events: what happened, and what happens. */
#include "ask.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_LIMIT 100
#define LIMIT_MAX 1000000

struct options {
	struct cli_ask ask;
	const char *since, *limit, *format;
	bool follow, no_color;
	/* read */
	int64_t since_ms; /* -1: not said */
	json_int_t most;
};

static const struct cli_option options[] = {
	{ "since", 's', CLI_TEXT, offsetof(struct options, since), "WHEN",
	  "90s, 30m, 4h, 7d ago, 2026-11-21 or 2026-11-21T08:30" },
	{ "follow", 'F', CLI_FLAG, offsetof(struct options, follow), NULL,
	  "go on with each new event until interrupted" },
	{ "limit", 'n', CLI_TEXT, offsetof(struct options, limit), "N",
	  "at most the newest N (100; with --since, 1000)" },
	{ "format", 'f', CLI_TEXT, offsetof(struct options, format), "FORMAT",
	  "human (default) or jsonl" },
	CLI_ASK_OPTIONS(options),
	{ "no-color", 0, CLI_FLAG, offsetof(struct options, no_color), NULL,
	  "no colours, as with NO_COLOR" },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "events [--since WHEN] [--follow] [options]",
	.help = "List what the daemon saw happen, the oldest first: risks that appeared, protections that\n"
		"were lost, documents that could not be read. Times without a zone are of this machine.\n\n"
		"Exit status: 0 listed, 2 wrong use, 4 the daemon cannot be reached.",
	.options = options,
};

/* ---- when ---- */

static bool ago(const char *word, int64_t *out_ms)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	char *end;
	long long n = strtoll(word, &end, 10);

	if (end == word || n < 0 || n > 100000000 || end[0] == '\0' || end[1] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (units[i].letter != *end)
			continue;
		*out_ms = ((int64_t)time(NULL) - n * units[i].seconds) * 1000;
		return *out_ms >= 0;
	}
	return false;
}

static bool at_time(const char *word, int64_t *out_ms)
{
	static const char *const shapes[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
					      "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d" };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(word, shapes[i], &tm);
		if (!end || (*end && strcmp(end, "Z") != 0))
			continue;
		struct tm given = tm;
		time_t at = *end ? timegm(&tm) : mktime(&tm);
		/* 30 February would become a day of March. */
		if (at < 0 || tm.tm_mday != given.tm_mday)
			return false;
		*out_ms = (int64_t)at * 1000;
		return true;
	}
	return false;
}

static int read_options(struct options *o)
{
	static const char *const formats[] = { "human", "jsonl", NULL };
	char *end;

	o->since_ms = -1;
	if (o->since && !ago(o->since, &o->since_ms) && !at_time(o->since, &o->since_ms))
		return cli_usage("--since: '%s' is no time; write 90s, 30m, 4h, 7d, 2026-11-21 or "
				 "2026-11-21T08:30",
				 o->since);
	o->most = o->since ? 1000 : DEFAULT_LIMIT;
	if (o->limit) {
		errno = 0;
		long long n = strtoll(o->limit, &end, 10);
		if (errno || end == o->limit || *end || n < 1 || n > LIMIT_MAX)
			return cli_usage("--limit: '%s' is no number from 1 to %d", o->limit,
					 LIMIT_MAX);
		o->most = n;
	}
	return cli_check_word("format", o->format, formats);
}

/* ---- showing ---- */

static const char *short_type(const char *type)
{
	static const char prefix[] = "dev.clausewatch.";

	return strncmp(type, prefix, strlen(prefix)) == 0 ? type + strlen(prefix) : type;
}

static enum cli_paint paint_of(const char *type, const char *severity)
{
	if (strcmp(type, "protection.added") == 0 || strcmp(type, "risk.removed") == 0)
		return CLI_GOOD;
	return cli_severity_paint(severity);
}

static void put_cause(struct cw_buf *out, const json_t *e)
{
	const char *author = cli_text_of(e, "author"), *commit = cli_text_of(e, "commit");

	cw_buf_puts(out, author);
	if (*commit)
		cw_buf_printf(out, "%scommit %.10s", out->len ? ", " : "", commit);
	if (*cli_text_of(e, "subject"))
		cw_buf_printf(out, " \"%s\"", cli_text_of(e, "subject"));
}

static int print_human(void *ctx, const json_t *answer, const char *line)
{
	const struct options *o = ctx;
	const json_t *e = json_object_get(answer, "event");
	const char *type = short_type(cli_text_of(e, "type"));
	struct cli_page page = { .colour = cli_colour(stdout, o->no_color) };
	struct cw_buf text = { 0 };
	char when[24];

	(void)line;
	cli_when(cli_int_of(e, "time_ms"), when);
	cli_page_paint(&page, CLI_DIM, when);
	cw_buf_puts(&page.buf, "  ");
	cli_page_paint(&page, paint_of(type, cli_text_of(e, "severity")), type);
	cw_buf_puts(&page.buf, "  ");
	cw_buf_printf(&text, "%s", cli_text_of(e, "source"));
	if (*cli_text_of(e, "path"))
		cw_buf_printf(&text, " %s", cli_text_of(e, "path"));
	if (*cli_text_of(e, "ref"))
		cw_buf_printf(&text, " (%s)", cli_text_of(e, "ref"));
	cli_page_wrap(&page, 23 + strlen(type), 4, cw_buf_str(&text));
	cli_page_line(&page, 4, 0, "", cli_text_of(e, "summary"));
	cw_buf_clear(&text);
	put_cause(&text, e);
	cli_page_line(&page, 4, 0, "", cw_buf_str(&text));
	cw_buf_release(&text);
	cli_page_print(&page);
	return ferror(stdout) ? CW_EIO : CW_OK;
}

static int ask(struct options *o)
{
	json_t *question = cli_question(o->follow ? "follow" : "events");
	bool human = !o->format || strcmp(o->format, "human") == 0;

	/* Following without --since begins now. */
	if (o->since_ms >= 0 || (o->follow && o->limit))
		(void)json_object_set_new(question, "since_ms",
					  json_integer(o->since_ms >= 0 ? o->since_ms : 0));
	(void)json_object_set_new(question, "limit", json_integer(o->most));
	return cli_ask(&o->ask, question, o->follow ? 0 : CLI_SILENCE_S,
		       human ? print_human : cli_print_line, o);
}

int cw_verb_events(int argc, char **argv)
{
	struct options o = { 0 };
	struct cli_list args = { 0 };
	int status = cli_parse(&verb, argc, argv, &o, &args);

	if (status < 0 && args.count > 0)
		status = cli_usage("events: unexpected '%s'", args.items[0]);
	if (status < 0)
		status = read_options(&o);
	if (status < 0)
		status = ask(&o);
	cli_list_release(&args);
	return status;
}
