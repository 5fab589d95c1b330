/* clausewatch status: what the daemon watches, and what is wrong with it. */
#include "ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct options {
	struct cli_ask ask;
	const char *format;
	bool no_color;
};

static const struct cli_option options[] = {
	{ "format", 'f', CLI_TEXT, offsetof(struct options, format), "FORMAT",
	  "human (default) or json" },
	CLI_ASK_OPTIONS(options),
	{ "no-color", 0, CLI_FLAG, offsetof(struct options, no_color), NULL,
	  "no colours, as with NO_COLOR" },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "status [options]",
	.help = "Show what the daemon watches, what it found, what it sends, and what is degraded.\n\n"
		"Exit status: 0 answered, 2 wrong use, 4 the daemon cannot be reached.",
	.options = options,
};

struct state {
	json_t *status, *store;
};

static int keep(void *ctx, const json_t *answer, const char *line)
{
	struct state *s = ctx;
	const char *kind = cli_text_of(answer, "kind");

	(void)line;
	if (strcmp(kind, "status") == 0)
		s->status = json_deep_copy(answer);
	else if (strcmp(kind, "store") == 0)
		s->store = json_deep_copy(answer);
	return CW_OK;
}

static void put_sources(struct cli_page *page, const json_t *sources)
{
	struct cli_table table = { .columns = 5 };
	const json_t *s;
	size_t i;

	cli_page_paint(page, CLI_BOLD, "sources");
	cw_buf_puts(&page->buf, json_array_size(sources) > 0 ? "\n" : "   none\n");
	json_array_foreach(sources, i, s)
	{
		struct cw_buf state = { 0 };
		bool degraded = cli_is(s, "degraded");
		cw_buf_puts(&state, degraded ? "DEGRADED" : "ok");
		if (cli_is(s, "scanning"))
			cw_buf_puts(&state,
				    cli_is(s, "first_scan") ? ", first scan" : ", scanning");
		if (cli_int_of(s, "pending") > 0)
			cw_buf_printf(&state, ", %" PRId64 " to read", cli_int_of(s, "pending"));
		if (cli_int_of(s, "unchecked") > 0)
			cw_buf_printf(&state, ", %" PRId64 " not understood since the start",
				      cli_int_of(s, "unchecked"));
		if (degraded)
			cw_buf_printf(&state, ": %s", cli_text_of(s, "message"));
		cli_table_row(&table, degraded ? CLI_WARN : CLI_PLAIN,
			      (const char *const[]){ cli_text_of(s, "name"), cli_text_of(s, "type"),
						     cli_text_of(s, "backend"),
						     cli_text_of(s, "path"), cw_buf_str(&state) });
		cw_buf_release(&state);
	}
	cli_table_end(&table, page, 2);
}

static void put_channels(struct cli_page *page, const json_t *channels)
{
	struct cli_table table = { .columns = 4 };
	const json_t *c;
	size_t i;

	cli_page_paint(page, CLI_BOLD, "channels");
	cw_buf_puts(&page->buf, json_array_size(channels) > 0 ? "\n" : "   none\n");
	json_array_foreach(channels, i, c)
	{
		char ok[24], failed[24], sent[64];
		struct cw_buf last = { 0 };
		bool enabled = cli_is(c, "enabled");
		int64_t ok_ms = cli_int_of(c, "last_ok_ms"),
			failed_ms = cli_int_of(c, "last_failure_ms");
		cli_when(ok_ms, ok);
		cli_when(failed_ms, failed);
		(void)snprintf(sent, sizeof(sent), "%" PRId64 " delivered",
			       cli_int_of(c, "delivered"));
		if (ok_ms > 0)
			cw_buf_printf(&last, "last %s", ok);
		if (failed_ms > ok_ms)
			cw_buf_printf(&last, "%sFAILING: %s, last try %s", ok_ms ? "; " : "",
				      cli_text_of(c, "last_error"), failed);
		cli_table_row(&table, failed_ms > ok_ms || !enabled ? CLI_WARN : CLI_PLAIN,
			      (const char *const[]){ cli_text_of(c, "name"), enabled ? "on" : "off",
						     sent, cw_buf_str(&last) });
		cw_buf_release(&last);
	}
	cli_table_end(&table, page, 2);
}

static const char *counts(struct cw_buf *out, const json_t *by, const char *const *words,
			  const char *none)
{
	cw_buf_clear(out);
	for (size_t i = 0; words[i]; i++)
		if (cli_int_of(by, words[i]) > 0)
			cw_buf_printf(out, "%s%" PRId64 " %s", out->len ? ", " : "",
				      cli_int_of(by, words[i]), words[i]);
	return out->len > 0 ? cw_buf_str(out) : none;
}

static void put_store(struct cli_page *page, const json_t *store, const json_t *status)
{
	static const char *const severities[] = {
		"critical", "high", "medium", "low", "info", NULL
	};
	static const char *const states[] = { "pending", "dead", "disabled", "delivered", NULL };
	struct cw_buf text = { 0 };

	cw_buf_printf(&text, "%" PRId64 ", %" PRId64 " clauses", cli_int_of(store, "documents"),
		      cli_int_of(store, "clauses"));
	if (cli_int_of(store, "unchecked") > 0)
		cw_buf_printf(&text, "; %" PRId64 " could not be checked",
			      cli_int_of(store, "unchecked"));
	cli_page_line(page, 0, 12, "documents", cw_buf_str(&text));
	cli_page_line(page, 0, 12, "risks",
		      counts(&text, json_object_get(store, "findings"), severities, "none"));
	cw_buf_clear(&text);
	if (cli_int_of(status, "queued") + cli_int_of(status, "running") > 0)
		cw_buf_printf(&text, "%" PRId64 " waiting, %" PRId64 " being read",
			      cli_int_of(status, "queued"), cli_int_of(status, "running"));
	if (cli_int_of(status, "reanalysing") > 0)
		cw_buf_printf(&text, "%s%" PRId64 " to be read again with new rules",
			      text.len ? ", " : "", cli_int_of(status, "reanalysing"));
	cli_page_line(page, 0, 12, "queue", text.len > 0 ? cw_buf_str(&text) : "empty");
	const json_t *deliveries = json_object_get(store, "deliveries");
	(void)counts(&text, deliveries, states, "");
	if (cli_int_of(deliveries, "dead") > 0)
		cw_buf_puts(&text, "; try the dead ones again: clausewatch deliveries retry --all");
	cli_page_line(page, 0, 12, "deliveries", text.len > 0 ? cw_buf_str(&text) : "none");
	cw_buf_clear(&text);
	cw_buf_printf(&text, "%" PRId64 " kept; %" PRId64 " waivers; store of %.1f MiB",
		      cli_int_of(store, "events"), cli_int_of(store, "waivers"),
		      (double)cli_int_of(store, "map_used") / 1048576);
	cli_page_line(page, 0, 12, "events", cw_buf_str(&text));
	if (cli_int_of(status, "store_failures") > 0) {
		cw_buf_clear(&text);
		cw_buf_printf(&text,
			      "%" PRId64 " commits failed and are tried again; is the disk full?",
			      cli_int_of(status, "store_failures"));
		cli_page_line(page, 0, 12, "STORE", cw_buf_str(&text));
	}
	cw_buf_release(&text);
}

static void put_rules(struct cli_page *page, const json_t *status)
{
	struct cw_buf text = { 0 };
	char when[24];

	cw_buf_printf(&text, "%" PRId64 " rules for %" PRId64 " terms, %.19s",
		      cli_int_of(status, "rules"), cli_int_of(status, "terms"),
		      cli_text_of(status, "rules_digest"));
	cli_page_line(page, 0, 12, "rules", cw_buf_str(&text));
	cw_buf_clear(&text);
	cli_when(cli_int_of(status, "reload_ms"), when);
	if (cli_int_of(status, "reload_ms") == 0)
		cw_buf_puts(&text, "none since the start");
	else if (cli_is(status, "reload_ok"))
		cw_buf_printf(&text, "%s, in force", when);
	else
		cw_buf_printf(&text, "%s FAILED, the settings before it are in force: %s", when,
			      cli_text_of(status, "reload_message"));
	cli_page_line(page, 0, 12, "last reload", cw_buf_str(&text));
	cw_buf_release(&text);
}

static void put_head(struct cli_page *page, const json_t *status)
{
	const json_t *s;
	size_t i, degraded = 0;
	char when[24];

	json_array_foreach(json_object_get(status, "sources"), i, s)
	{
		degraded += cli_is(s, "degraded");
	}
	cli_when(cli_int_of(status, "started_ms"), when);
	cw_buf_puts(&page->buf, "clausewatchd ");
	cli_page_paint(page, CLI_PLAIN, cli_text_of(status, "version"));
	cw_buf_printf(&page->buf, ", pid %" PRId64 ", since %s: ", cli_int_of(status, "pid"), when);
	cli_page_paint(page, degraded > 0 ? CLI_WARN : CLI_GOOD,
		       degraded > 0 ? "DEGRADED" : "running");
	cw_buf_puts(&page->buf, "\n");
}

static void print_human(const struct options *o, const struct state *s)
{
	struct cli_page page = { .colour = cli_colour(stdout, o->no_color) };

	put_head(&page, s->status);
	put_sources(&page, json_object_get(s->status, "sources"));
	put_channels(&page, json_object_get(s->status, "channels"));
	put_store(&page, s->store, s->status);
	put_rules(&page, s->status);
	cli_page_print(&page);
}

/* One object: what the loop knows, and "store" in it. */
static void print_json(const struct state *s)
{
	(void)json_object_del(s->store, "kind");
	(void)json_object_set(s->status, "store", s->store);
	(void)json_dumpf(s->status, stdout, JSON_COMPACT);
	(void)putchar('\n');
}

int cw_verb_status(int argc, char **argv)
{
	static const char *const formats[] = { "human", "json", "jsonl", NULL };
	struct options o = { 0 };
	struct cli_list args = { 0 };
	struct state s = { 0 };
	int status = cli_parse(&verb, argc, argv, &o, &args);

	if (status < 0 && args.count > 0)
		status = cli_usage("status: unexpected '%s'", args.items[0]);
	if (status < 0)
		status = cli_check_word("format", o.format, formats);
	if (status < 0) {
		status = cli_ask(&o.ask, cli_question("status"), CLI_SILENCE_S, keep, &s);
		if (status == CW_EXIT_CLEAN)
			status = cli_ask(&o.ask, cli_question("counts"), CLI_SILENCE_S, keep, &s);
		if (status == CW_EXIT_CLEAN && o.format && strcmp(o.format, "human") != 0)
			print_json(&s);
		else if (status == CW_EXIT_CLEAN)
			print_human(&o, &s);
	}
	json_decref(s.status);
	json_decref(s.store);
	cli_list_release(&args);
	return status;
}
