/* clausewatch legacy: old agreements that let the vendor use data, from before anyone asked. */
#include "ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct options {
	struct cli_ask ask;
	const char *before, *source, *format;
	bool no_color;
};

static const struct cli_option options[] = {
	{ "before", 0, CLI_TEXT, offsetof(struct options, before), "DATE",
	  "agreements dated before this day (legacy_before of the configuration)" },
	{ "source", 0, CLI_TEXT, offsetof(struct options, source), "NAME", "only of that source" },
	{ "format", 'f', CLI_TEXT, offsetof(struct options, format), "FORMAT",
	  "human (default), jsonl or csv" },
	CLI_ASK_OPTIONS(options),
	{ "no-color", 0, CLI_FLAG, offsetof(struct options, no_color), NULL,
	  "no colours, as with NO_COLOR" },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "legacy [--before DATE] [--source NAME] [options]",
	.help = "List agreements signed before anyone thought of training models that grant rights over\n"
		"data and do not forbid training: date, parties, whether in force, each clause with its\n"
		"words, and how many other documents hold the same words.\n\n"
		"Exit status: 0 listed, 2 wrong use, 4 the daemon cannot be reached.",
	.options = options,
};

struct listing {
	struct cli_page page;
	size_t documents, clauses;
};

static void join(struct cw_buf *out, const json_t *words, const char *between)
{
	const json_t *word;
	size_t i;

	json_array_foreach(words, i, word)
	{
		cw_buf_printf(out, "%s%s", i > 0 ? between : "", json_string_value(word));
	}
}

static void put_path(struct cw_buf *out, const json_t *d)
{
	cw_buf_printf(out, "%s: %s", cli_text_of(d, "source"), cli_text_of(d, "path"));
	if (*cli_text_of(d, "ref"))
		cw_buf_printf(out, " (%s)", cli_text_of(d, "ref"));
}

static void put_copies(struct cw_buf *out, const json_t *c)
{
	int64_t same = cli_int_of(c, "same_elsewhere"), near = cli_int_of(c, "near_elsewhere");

	cw_buf_clear(out);
	if (same > 0)
		cw_buf_printf(out, "the same words in %" PRId64 " other document%s", same,
			      cli_plural(same));
	if (near > 0)
		cw_buf_printf(out, "%snearly the same in %" PRId64 " other%s", same > 0 ? "; " : "",
			      near, cli_plural(near));
}

static void put_clause(struct cli_page *page, const json_t *c)
{
	const char *severity = cli_text_of(c, "severity"), *section = cli_text_of(c, "section");
	const char *heading = cli_text_of(c, "heading");
	struct cw_buf text = { 0 };

	cw_buf_puts(&page->buf, "  ");
	cli_page_paint(page, cli_severity_paint(severity), severity);
	cw_buf_printf(&text, "%s", cli_text_of(c, "title"));
	if (*section || *heading)
		cw_buf_printf(&text, ", section %s%s%s", section, *section && *heading ? " " : "",
			      heading);
	cw_buf_printf(&text, ", line %" PRId64 " [%s]", cli_int_of(c, "line_start"),
		      cli_text_of(c, "id"));
	cw_buf_puts(&page->buf, "  ");
	cli_page_wrap(page, strlen(severity) + 4, 6, cw_buf_str(&text));
	cw_buf_clear(&text);
	cw_buf_printf(&text, "\xe2\x80\x9c%s\xe2\x80\x9d", cli_text_of(c, "quote"));
	cli_page_line(page, 6, 0, "", cw_buf_str(&text));
	put_copies(&text, c);
	cli_page_line(page, 6, 0, "", cw_buf_str(&text));
	cw_buf_release(&text);
}

static int print_human(void *ctx, const json_t *d, const char *line)
{
	struct listing *l = ctx;
	struct cli_page *page = &l->page;
	struct cw_buf text = { 0 };
	const char *date = cli_text_of(d, "agreement_date");
	const json_t *c;
	size_t i;

	(void)line;
	if (l->documents++ > 0)
		cw_buf_putc(&page->buf, '\n');
	put_path(&text, d);
	cli_page_paint(page, CLI_BOLD, cw_buf_str(&text));
	cw_buf_putc(&page->buf, '\n');
	cw_buf_clear(&text);
	cw_buf_printf(&text, "%s, %s, in force: %s", *date ? date : "no date",
		      *cli_text_of(d, "type") ? cli_text_of(d, "type") : "unknown type",
		      *cli_text_of(d, "in_force") ? cli_text_of(d, "in_force") : "unknown");
	cli_page_line(page, 2, 0, "", cw_buf_str(&text));
	cw_buf_clear(&text);
	join(&text, json_object_get(d, "parties"), "; ");
	cli_page_line(page, 2, 9, "between:", cw_buf_str(&text));
	json_array_foreach(json_object_get(d, "clauses"), i, c)
	{
		put_clause(page, c);
		l->clauses++;
	}
	cw_buf_release(&text);
	cli_page_print(page);
	return ferror(stdout) ? CW_EIO : CW_OK;
}

static void put_row(const char *const *cells, size_t n)
{
	struct cw_buf row = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			cw_buf_putc(&row, ',');
		cw_output_csv_cell(&row, cells[i]);
	}
	(void)printf("%s\r\n", cw_buf_str(&row));
	cw_buf_release(&row);
}

#define CSV_CELLS 17

static int print_csv(void *ctx, const json_t *d, const char *line)
{
	struct cw_buf parties = { 0 };
	const json_t *c;
	size_t i;

	(void)ctx;
	(void)line;
	join(&parties, json_object_get(d, "parties"), "; ");
	json_array_foreach(json_object_get(d, "clauses"), i, c)
	{
		char at[24], same[24], near[24];
		(void)snprintf(at, sizeof(at), "%" PRId64, cli_int_of(c, "line_start"));
		(void)snprintf(same, sizeof(same), "%" PRId64, cli_int_of(c, "same_elsewhere"));
		(void)snprintf(near, sizeof(near), "%" PRId64, cli_int_of(c, "near_elsewhere"));
		put_row(
			(const char *const[CSV_CELLS]){
				cli_text_of(d, "source"), cli_text_of(d, "ref"),
				cli_text_of(d, "path"), cli_text_of(d, "agreement_date"),
				cli_text_of(d, "type"), cw_buf_str(&parties),
				cli_text_of(d, "vendor"), cli_text_of(d, "in_force"),
				cli_text_of(c, "id"), cli_text_of(c, "term"),
				cli_text_of(c, "title"), cli_text_of(c, "severity"),
				cli_text_of(c, "section"), at, cli_text_of(c, "quote"), same,
				near },
			CSV_CELLS);
	}
	cw_buf_release(&parties);
	return ferror(stdout) ? CW_EIO : CW_OK;
}

static int ask(const struct options *o)
{
	static const char *const heads[CSV_CELLS] = {
		"source",  "ref",        "path",  "date",           "type",           "parties",
		"vendor",  "in_force",   "id",    "term",           "title",          "severity",
		"section", "line_start", "quote", "same_elsewhere", "near_elsewhere",
	};
	struct listing l = { .page.colour = cli_colour(stdout, o->no_color) };
	cli_answer_fn *take = print_human;
	json_t *question = cli_question("legacy");

	if (o->format && strcmp(o->format, "jsonl") == 0)
		take = cli_print_line;
	else if (o->format && strcmp(o->format, "csv") == 0)
		take = print_csv;
	cli_question_text(question, "before", o->before);
	cli_question_text(question, "source", o->source);
	if (take == print_csv)
		put_row(heads, CSV_CELLS);
	int status = cli_ask(&o->ask, question, CLI_SILENCE_S, take, &l);
	if (status == CW_EXIT_CLEAN && take == print_human)
		(void)printf("%s%zu legacy agreement%s, %zu clause%s\n", l.documents ? "\n" : "",
			     l.documents, cli_plural((int64_t)l.documents), l.clauses,
			     cli_plural((int64_t)l.clauses));
	return status;
}

int cw_verb_legacy(int argc, char **argv)
{
	static const char *const formats[] = { "human", "jsonl", "csv", NULL };
	struct options o = { 0 };
	struct cli_list args = { 0 };
	int status = cli_parse(&verb, argc, argv, &o, &args);

	if (status < 0 && args.count > 0)
		status = cli_usage("legacy: unexpected '%s'", args.items[0]);
	if (status < 0)
		status = cli_check_word("format", o.format, formats);
	if (status < 0 && o.before && !cw_is_day(o.before))
		status = cli_usage("--before: '%s' is no day; write YYYY-MM-DD", o.before);
	if (status < 0)
		status = ask(&o);
	cli_list_release(&args);
	return status;
}
