/* clausewatch waiver: decisions to live with a finding. */
#include "ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct options {
	struct cli_ask ask;
	const char *reason, *approver, *expires, *ticket, *format;
	bool no_color;
};

static const struct cli_option options[] = {
	{ "reason", 0, CLI_TEXT, offsetof(struct options, reason), "TEXT",
	  "add: why the finding is accepted" },
	{ "approver", 0, CLI_TEXT, offsetof(struct options, approver), "NAME", "add: who decided" },
	{ "expires", 0, CLI_TEXT, offsetof(struct options, expires), "DATE",
	  "add: the last day it holds, YYYY-MM-DD" },
	{ "ticket", 0, CLI_TEXT, offsetof(struct options, ticket), "TEXT",
	  "add: where the decision is filed" },
	{ "format", 'f', CLI_TEXT, offsetof(struct options, format), "FORMAT",
	  "list: human (default) or jsonl" },
	CLI_ASK_OPTIONS(options),
	{ "no-color", 0, CLI_FLAG, offsetof(struct options, no_color), NULL,
	  "no colours, as with NO_COLOR" },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "waiver add|list|expire [CW-XXXXXX] [options]",
	.help = "add     accept a finding: no alert for it until the day it expires, or until the words of\n"
		"        its clause change; one that is there is replaced\n"
		"list    all of them, those that expired too\n"
		"expire  end one now\n\n"
		"Exit status: 0 done, 2 wrong use or no such finding, 4 the daemon cannot be reached.",
	.options = options,
};

static int add_row(void *ctx, const json_t *w, const char *line)
{
	struct cw_buf text = { 0 };
	const char *state = cli_text_of(w, "state");

	(void)line;
	cw_buf_printf(&text, "%s%s%s (%s%s%s)", cli_text_of(w, "title"),
		      *cli_text_of(w, "title") ? ": " : "", cli_text_of(w, "reason"),
		      cli_text_of(w, "approver"), *cli_text_of(w, "ticket") ? ", " : "",
		      cli_text_of(w, "ticket"));
	if (cli_int_of(w, "places") == 0)
		cw_buf_puts(&text, "; stands in no document now");
	cli_table_row(ctx, strcmp(state, "expired") == 0 ? CLI_WARN : CLI_PLAIN,
		      (const char *const[]){ cli_text_of(w, "id"), state, cli_text_of(w, "expires"),
					     cw_buf_str(&text) });
	cw_buf_release(&text);
	return CW_OK;
}

static int list(const struct options *o)
{
	static const char *const formats[] = { "human", "jsonl", NULL };
	struct cli_table table = { .columns = 4 };
	struct cli_page page = { .colour = cli_colour(stdout, o->no_color) };
	int status = cli_check_word("format", o->format, formats);

	if (status >= 0)
		return status;
	if (o->format && strcmp(o->format, "jsonl") == 0)
		return cli_ask(&o->ask, cli_question("waivers"), CLI_SILENCE_S, cli_print_line,
			       NULL);
	status = cli_ask(&o->ask, cli_question("waivers"), CLI_SILENCE_S, add_row, &table);
	if (status == CW_EXIT_CLEAN && table.rows == 0)
		(void)puts("no waivers");
	cli_table_end(&table, &page, 0);
	if (status == CW_EXIT_CLEAN)
		cli_page_print(&page);
	cw_buf_release(&page.buf);
	return status;
}

static int blank(const char *text)
{
	return !text || text[strspn(text, " \t\r\n")] == '\0';
}

static int add(const struct options *o, const char *id)
{
	char today[11];

	cw_today(today);
	if (!id)
		return cli_usage("waiver add: which finding? CW-XXXXXX");
	if (blank(o->reason) || blank(o->approver))
		return cli_usage("waiver add: %s is needed: whoever reads it later must know",
				 blank(o->reason) ? "--reason" : "--approver");
	if (!o->expires || !cw_is_day(o->expires))
		return cli_usage("waiver add: --expires %s%s%s; write YYYY-MM-DD",
				 o->expires ? "'" : "", o->expires ? o->expires : "is needed",
				 o->expires ? "' is no day" : "");
	if (strcmp(o->expires, today) <= 0)
		return cli_usage("waiver add: --expires %s is not after today, %s", o->expires,
				 today);
	json_t *question = cli_question("waive");
	cli_question_text(question, "id", id);
	cli_question_text(question, "reason", o->reason);
	cli_question_text(question, "approver", o->approver);
	cli_question_text(question, "expires", o->expires);
	cli_question_text(question, "ticket", o->ticket);
	int status = cli_ask(&o->ask, question, CLI_SILENCE_S, NULL, NULL);
	if (status == CW_EXIT_CLEAN)
		(void)printf("waived until %s\n", o->expires);
	return status;
}

static int expire(const struct options *o, const char *id)
{
	if (!id)
		return cli_usage("waiver expire: which finding? CW-XXXXXX");
	json_t *question = cli_question("unwaive");
	cli_question_text(question, "id", id);
	int status = cli_ask(&o->ask, question, CLI_SILENCE_S, NULL, NULL);
	if (status == CW_EXIT_CLEAN)
		(void)puts("the waiver is ended; the finding counts again");
	return status;
}

int cw_verb_waiver(int argc, char **argv)
{
	static const char *const words[] = { "add", "list", "expire", NULL };
	struct options o = { 0 };
	struct cli_list args = { 0 };
	int status = cli_parse(&verb, argc, argv, &o, &args);

	if (status < 0) {
		int which = cli_subverb("waiver", &args, words);
		const char *id = args.count > 1 ? args.items[1] : NULL;
		if (which < 0)
			status = CW_EXIT_USAGE;
		else if (args.count > (which == 1 ? 1 : 2))
			status = cli_usage("waiver %s: unexpected '%s'", words[which],
					   args.items[args.count - 1]);
		else
			status = which == 0 ? add(&o, id) : which == 1 ? list(&o) : expire(&o, id);
	}
	cli_list_release(&args);
	return status;
}
