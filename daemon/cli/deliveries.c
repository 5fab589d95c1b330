/* clausewatch deliveries: what was sent where, and what could not be. */
#include "ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clausewatch/store.h"

struct options {
	struct cli_ask ask;
	const char *state, *channel, *format;
	bool all, no_color;
};

static const struct cli_option options[] = {
	{ "state", 's', CLI_TEXT, offsetof(struct options, state), "STATE",
	  "list: only pending, delivered, dead or disabled ones" },
	{ "channel", 'c', CLI_TEXT, offsetof(struct options, channel), "NAME",
	  "only those of that channel" },
	{ "all", 0, CLI_FLAG, offsetof(struct options, all), NULL,
	  "retry: all dead and disabled ones of every channel" },
	{ "format", 'f', CLI_TEXT, offsetof(struct options, format), "FORMAT",
	  "list: human (default) or jsonl" },
	CLI_ASK_OPTIONS(options),
	{ "no-color", 0, CLI_FLAG, offsetof(struct options, no_color), NULL,
	  "no colours, as with NO_COLOR" },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "deliveries list|retry [ID] [options]",
	.help = "list   events on their way to channels, those that arrived, and those that were given up\n"
		"retry  send one again by its id, or all dead and disabled\n"
		"       ones of a --channel, or of every channel with --all\n\n"
		"Exit status: 0 done, 2 wrong use or no such delivery, 4 the daemon cannot be reached.",
	.options = options,
};

static int add_row(void *ctx, const json_t *d, const char *line)
{
	char tries[32], when[24];
	const char *state = cli_text_of(d, "state");
	bool pending = strcmp(state, "pending") == 0, dead = strcmp(state, "dead") == 0;
	struct cw_buf text = { 0 };

	(void)line;
	(void)snprintf(tries, sizeof(tries), "%" PRId64, cli_int_of(d, "attempts"));
	cli_when(cli_int_of(d, pending ? "next_ms" : "last_ms"), when);
	cw_buf_printf(&text, "%s %s", pending ? "next" : "last", when);
	if (cli_int_of(d, "last_status") > 0)
		cw_buf_printf(&text, ", status %" PRId64, cli_int_of(d, "last_status"));
	if (*cli_text_of(d, "last_error"))
		cw_buf_printf(&text, ", %s", cli_text_of(d, "last_error"));
	cli_table_row(
		ctx, dead ? CLI_BAD : CLI_PLAIN,
		(const char *const[]){ state, cli_text_of(d, "id"), tries, cw_buf_str(&text) });
	cw_buf_release(&text);
	return CW_OK;
}

static int list(const struct options *o)
{
	static const char *const formats[] = { "human", "jsonl", NULL };
	const char *states[CW_DELIVERY_STATES + 1] = { 0 };
	struct cli_table table = { .columns = 4 };
	struct cli_page page = { .colour = cli_colour(stdout, o->no_color) };
	bool human = !o->format || strcmp(o->format, "human") == 0;

	for (int i = 0; i < CW_DELIVERY_STATES; i++)
		states[i] = cw_delivery_state_name((enum cw_delivery_state)i);
	int status = cli_check_word("state", o->state, states);
	if (status < 0)
		status = cli_check_word("format", o->format, formats);
	if (status >= 0)
		return status;
	json_t *question = cli_question("deliveries");
	cli_question_text(question, "state", o->state);
	cli_question_text(question, "channel", o->channel);
	if (!human)
		return cli_ask(&o->ask, question, CLI_SILENCE_S, cli_print_line, NULL);
	cli_table_row(&table, CLI_DIM,
		      (const char *const[]){ "STATE", "DELIVERY", "TRIES", "WHEN AND HOW" });
	status = cli_ask(&o->ask, question, CLI_SILENCE_S, add_row, &table);
	size_t rows = table.rows - 1;
	cli_table_end(&table, &page, 0);
	if (status == CW_EXIT_CLEAN && rows == 0)
		(void)puts("no deliveries");
	else if (status == CW_EXIT_CLEAN)
		cli_page_print(&page);
	cw_buf_release(&page.buf);
	return status;
}

static int count(void *ctx, const json_t *answer, const char *line)
{
	(void)line;
	*(int64_t *)ctx += cli_int_of(answer, "deliveries");
	return CW_OK;
}

static int retry(const struct options *o, const char *id)
{
	int64_t n = 0;

	if ((id != NULL) + (o->channel != NULL) + o->all != 1)
		return cli_usage("deliveries retry: which? An ID, --channel NAME or --all");
	json_t *question = cli_question("retry");
	cli_question_text(question, "id", id);
	cli_question_text(question, "channel", o->channel);
	int status = cli_ask(&o->ask, question, CLI_SILENCE_S, count, &n);
	if (status == CW_EXIT_CLEAN)
		(void)printf("%" PRId64 " deliver%s sent again now\n", n,
			     n == 1 ? "y is" : "ies are");
	return status;
}

int cw_verb_deliveries(int argc, char **argv)
{
	static const char *const words[] = { "list", "retry", NULL };
	struct options o = { 0 };
	struct cli_list args = { 0 };
	int status = cli_parse(&verb, argc, argv, &o, &args);

	if (status < 0) {
		int which = cli_subverb("deliveries", &args, words);
		if (which < 0)
			status = CW_EXIT_USAGE;
		else if (args.count > (which == 0 ? 1 : 2))
			status = cli_usage("deliveries %s: unexpected '%s'", words[which],
					   args.items[args.count - 1]);
		else
			status = which == 0 ? list(&o)
					    : retry(&o, args.count > 1 ? args.items[1] : NULL);
	}
	cli_list_release(&args);
	return status;
}
