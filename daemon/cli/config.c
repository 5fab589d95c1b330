/* clausewatch config: does the file hold, and what is in force? */
#include "cli.h"

#include <stdio.h>
#include <string.h>

struct options {
	const char *config;
	struct cli_list rules;
};

static const struct cli_option options[] = {
	{ "config", 0, CLI_TEXT, offsetof(struct options, config), "FILE",
	  "instead of " CW_CONFIG_PATH },
	{ "rules", 0, CLI_LIST, offsetof(struct options, rules), "DIR",
	  "check: rule packs over the others; repeatable" },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "config check|show [options]",
	.help = "check  read the configuration and the rules as the daemon would\n"
		"show   every option with its value and where it was set",
	.options = options,
};

static int check(const struct options *opts)
{
	struct cw_config *config = NULL;
	struct cw_ruleset *rules = NULL;
	struct cw_error err = { 0 };

	if (cli_load(opts->config, &opts->rules, &config, &rules, &err) < 0)
		return cli_usage("%s", err.msg);
	(void)printf("%s: in order; %zu sources, %zu channels, %zu terms, %zu rules\n",
		     config->path, config->nsources, config->nchannels, cw_ruleset_nterms(rules),
		     cw_ruleset_nrules(rules));
	cw_ruleset_free(rules);
	cw_config_free(config);
	return CW_EXIT_CLEAN;
}

static int show(const struct options *opts)
{
	struct cw_config *config = NULL;
	struct cw_buf text = { 0 };
	struct cw_error err = { 0 };
	int ret = cw_config_load(opts->config, &config, &err);

	if (ret == CW_OK) {
		cw_config_show(config, &text);
		ret = cw_buf_ok(&text, &err);
	}
	if (ret == CW_OK)
		(void)fputs(cw_buf_str(&text), stdout);
	cw_buf_release(&text);
	cw_config_free(config);
	return ret < 0 ? cli_usage("%s", err.msg) : CW_EXIT_CLEAN;
}

int cw_verb_config(int argc, char **argv)
{
	static const char *const words[] = { "check", "show", NULL };
	struct options opts = { 0 };
	struct cli_list args = { 0 };
	int status = cli_parse(&verb, argc, argv, &opts, &args);

	if (status < 0 && args.count != 1)
		status = cli_usage("config: check or show? See clausewatch config --help");
	if (status < 0 && strcmp(args.items[0], "check") == 0)
		status = check(&opts);
	if (status < 0 && strcmp(args.items[0], "show") == 0)
		status = show(&opts);
	if (status < 0)
		status = cli_unknown("word after config:", args.items[0], words);
	cli_list_release(&args);
	cli_list_release(&opts.rules);
	return status;
}
