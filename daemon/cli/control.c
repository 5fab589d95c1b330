/* clausewatch reload, rescan: words to the daemon that it only answers with done. */
#include "ask.h"

#include <stdio.h>

/* Rules are built and their examples run. */
#define RELOAD_S 180

struct options {
	struct cli_ask ask;
};

static const struct cli_option options[] = {
	CLI_ASK_OPTIONS(options),
	{ 0 },
};

int cw_verb_reload(int argc, char **argv)
{
	static const struct cli_verb verb = {
		.usage = "reload [options]",
		.help = "Let the daemon read its configuration, rules and secrets again. If anything is wrong\n"
			"with them what held before goes on, and the message says what is wrong.\n\n"
			"Exit status: 0 the new settings hold, 2 they are wrong, 4 the daemon cannot be reached.",
		.options = options,
	};
	struct options o = { 0 };
	struct cli_list args = { 0 };
	int status = cli_parse(&verb, argc, argv, &o, &args);

	if (status < 0 && args.count > 0)
		status = cli_usage("reload: unexpected '%s'", args.items[0]);
	if (status < 0) {
		status = cli_ask(&o.ask, cli_question("reload"), RELOAD_S, NULL, NULL);
		if (status == CW_EXIT_CLEAN)
			(void)puts("the new settings are in force");
		else if (status == CW_EXIT_USAGE)
			cli_warn("the settings before it stay in force");
	}
	cli_list_release(&args);
	return status;
}

int cw_verb_rescan(int argc, char **argv)
{
	static const struct cli_verb verb = {
		.usage = "rescan [SOURCE] [options]",
		.help = "Let the daemon look through a source again, or through all of them, for changes that it\n"
			"was not told of. It does so by itself every watch.reconcile.\n\n"
			"Exit status: 0 it begins, 2 no such source, 4 the daemon cannot be reached.",
		.options = options,
	};
	struct options o = { 0 };
	struct cli_list args = { 0 };
	int status = cli_parse(&verb, argc, argv, &o, &args);

	if (status < 0 && args.count > 1)
		status = cli_usage("rescan: unexpected '%s'", args.items[1]);
	if (status < 0) {
		const char *source = args.count > 0 ? args.items[0] : NULL;
		json_t *question = cli_question("rescan");
		cli_question_text(question, "source", source);
		status = cli_ask(&o.ask, question, CLI_SILENCE_S, NULL, NULL);
		if (status == CW_EXIT_CLEAN)
			(void)puts("the scan begins; clausewatch status shows its progress");
	}
	cli_list_release(&args);
	return status;
}
