/* The command line: a table of verbs. */
#include <stdio.h>
#include <string.h>

#include "clausewatch/cli.h"
#include "clausewatch/nearest.h"

static const struct {
	const char *name;
	cw_verb_fn *run;
	const char *summary;
} verbs[] = {
	{ "scan", cw_verb_scan, "find risky terms and protections in documents" },
	{ "diff", cw_verb_diff, "compare two versions of a document in terms" },
	{ "rules", cw_verb_rules, "list, show, test and try the rules" },
	{ "explain", cw_verb_explain, "why a finding is one, and what to do about it" },
	{ "hook", cw_verb_hook, "refuse pushes and commits that make agreements riskier" },
	{ "config", cw_verb_config, "check or show the configuration" },
	{ "status", cw_verb_status, "what the daemon watches, and what is degraded" },
	{ "events", cw_verb_events, "what happened, and with --follow what happens" },
	{ "deliveries", cw_verb_deliveries, "what was sent where; try again what was not" },
	{ "legacy", cw_verb_legacy, "old agreements that grant rights over data" },
	{ "similar", cw_verb_similar, "clauses that say nearly the same" },
	{ "waiver", cw_verb_waiver, "accept findings, with a reason and until a day" },
	{ "notify", cw_verb_notify, "send a test event to a channel" },
	{ "reload", cw_verb_reload, "let the daemon read its settings again" },
	{ "rescan", cw_verb_rescan, "let the daemon look through its sources again" },
	{ "doctor", cw_verb_doctor, "what would keep the daemon from its work, and the cure" },
	{ "backup", cw_verb_backup, "copy the store while the daemon runs" },
	{ "export", cw_verb_export, "write all that the store holds as JSON lines" },
	{ "import", cw_verb_import, "read what export wrote into an empty store" },
};

#define COUNT (sizeof(verbs) / sizeof(verbs[0]))

static int help(FILE *to)
{
	(void)fprintf(to, "usage: clausewatch VERB ...\n\n");
	for (size_t i = 0; i < COUNT; i++)
		(void)fprintf(to, "  %-12s %s\n", verbs[i].name, verbs[i].summary);
	(void)fprintf(to, "\n  --version    print the version\n"
			  "  VERB --help  how to use a verb\n");
	return to == stdout ? CW_EXIT_CLEAN : CW_EXIT_USAGE;
}

static int unknown(const char *word)
{
	const char *words[COUNT + 1];

	for (size_t i = 0; i < COUNT; i++)
		words[i] = verbs[i].name;
	words[COUNT] = NULL;
	const char *close = cw_nearest(word, words);
	if (close)
		(void)fprintf(stderr, "clausewatch: unknown verb '%s'; did you mean '%s'?\n", word,
			      close);
	else
		(void)fprintf(stderr, "clausewatch: unknown verb '%s'; see clausewatch --help\n",
			      word);
	return CW_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return help(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return help(stdout);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
		(void)puts("clausewatch " CW_VERSION);
		return CW_EXIT_CLEAN;
	}
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	return unknown(argv[1]);
}
