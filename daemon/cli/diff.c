/* clausewatch diff: what changed in the law of a document? */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clausewatch/compare.h"
#include "clausewatch/git.h"
#include "sinks.h"

struct options {
	struct cli_output_options out;
	const char *fail_on, *config;
	struct cli_list rules;
};

static const struct cli_option options[] = {
	CLI_OUTPUT_OPTIONS(options),
	{ "fail-on", 0, CLI_TEXT, offsetof(struct options, fail_on), "SEVERITY",
	  "exit 1 for riskier changes from here on (medium)" },
	{ "rules", 0, CLI_LIST, offsetof(struct options, rules), "DIR",
	  "rule packs over the shipped ones; repeatable" },
	{ "config", 0, CLI_TEXT, offsetof(struct options, config), "FILE",
	  "instead of " CW_CONFIG_PATH },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "diff OLD NEW [options]",
	.help = "Compare two versions of a document in terms, not in lines. OLD and NEW are files, '-', or\n"
		"REV:PATH in the repository of the working directory (:PATH is what is staged).\n\n"
		"Exit status: 0 nothing riskier from --fail-on up, 1 riskier, 2 wrong use or rules, 3 a\n"
		"version could not be checked.",
	.options = options,
};

/* One of the two versions. */
struct version {
	const char *spec;
	struct cw_buf blob; /* bytes out of git; text may point into it */
	struct cw_text text;
	struct cw_analysis *analysis;
};

static int read_blob(struct version *v, struct cw_error *err)
{
	const struct cw_git_opts git_opts = { .user_config = true };
	struct cw_git_repo *repo = NULL;
	struct cw_git_object object;
	int ret = cw_git_init(&git_opts, err);

	if (ret < 0)
		return ret;
	ret = cw_git_open(".", CW_GIT_SEARCH, &repo, err);
	if (ret == CW_OK)
		ret = cw_git_resolve(repo, v->spec, &object, err);
	if (ret == CW_OK && (!object.path || object.type != CW_GIT_BLOB))
		ret = cw_fail(err, CW_EINVAL, "'%s' is no file of a revision", v->spec);
	if (ret == CW_OK)
		ret = cw_git_read_blob(repo, &object.oid, CW_EXTRACT_MAX, &v->blob, err);
	if (ret == CW_OK)
		ret = cw_extract(cw_buf_str(&v->blob), v->blob.len, object.path, &v->text, err);
	cw_git_close(repo);
	cw_git_shutdown();
	return ret;
}

static int read_version(struct version *v, const struct cli_reader *reader, struct cw_error *err)
{
	bool in_git = strcmp(v->spec, "-") != 0 && access(v->spec, F_OK) != 0 &&
		      strchr(v->spec, ':') != NULL;
	int ret = in_git ? read_blob(v, err) : cw_extract_file(v->spec, NULL, &v->text, err);

	if (ret == CW_OK)
		ret = cw_analyse(reader->rules, v->text.bytes, v->text.len, v->text.format,
				 &reader->options, &v->analysis, err);
	if (ret == CW_OK)
		cli_override(reader->config, v->analysis);
	return ret;
}

static void release_version(struct version *v)
{
	cw_analysis_free(v->analysis);
	cw_text_release(&v->text);
	cw_buf_release(&v->blob);
}

static bool is_riskier(const struct cw_comparison *c, enum cw_severity fail_on)
{
	for (size_t i = 0; i < c->nchanges; i++)
		if (cw_change_alerts(&c->changes[i]) && c->changes[i].effect == CW_EFFECT_RISKIER &&
		    c->changes[i].severity >= fail_on)
			return true;
	return false;
}

static void count(const struct cw_comparison *c, struct cw_output_summary *summary)
{
	for (size_t i = 0; i < c->nchanges; i++)
		if (cw_change_alerts(&c->changes[i]) && c->changes[i].effect == CW_EFFECT_RISKIER)
			summary->findings[c->changes[i].severity]++;
}

static int print(const struct options *o, enum cw_severity fail_on, const struct cw_ruleset *rules,
		 const char *path, const struct cw_comparison *c, double begun,
		 struct cw_error *err)
{
	struct cli_sinks sinks = { 0 };
	struct cw_output_summary summary = { .documents = 1, .ruleset = cw_ruleset_digest(rules) };
	int ret = cli_sinks_open(&o->out, fail_on, rules, &sinks, err);

	count(c, &summary);
	if (ret == CW_OK)
		ret = cli_sinks_comparison(&sinks, path, c, err);
	summary.seconds = cli_now() - begun;
	if (ret == CW_OK)
		ret = cli_sinks_summary(&sinks, &summary, err);
	int closed = cli_sinks_close(&sinks, ret == CW_OK ? err : NULL);
	return ret == CW_OK ? closed : ret;
}

static int compare(const struct options *o, enum cw_severity fail_on, const struct cli_list *args)
{
	struct version old = { .spec = args->items[0] }, new = { .spec = args->items[1] };
	struct cw_config *config = NULL;
	struct cw_ruleset *rules = NULL;
	struct cw_comparison *c = NULL;
	struct cw_error err = { 0 };
	double begun = cli_now();
	int status, ret = cli_load(o->config, &o->rules, &config, &rules, &err);

	if (ret < 0) {
		status = cli_usage("%s", err.msg);
		goto out;
	}
	struct cli_reader reader = { .rules = rules, .config = config };
	ret = read_version(&old, &reader, &err);
	if (ret == CW_OK)
		ret = read_version(&new, &reader, &err);
	if (ret == CW_OK)
		ret = cw_compare(old.analysis, new.analysis, &c, &err);
	if (ret < 0) {
		cli_warn("%s", err.msg);
		status = CW_EXIT_UNCHECKED;
		goto out;
	}
	status = is_riskier(c, fail_on) ? CW_EXIT_FINDINGS : CW_EXIT_CLEAN;
	if (print(o, fail_on, rules, new.spec, c, begun, &err) < 0)
		status = cli_usage("%s", err.msg);
out:
	cw_comparison_free(c);
	release_version(&old);
	release_version(&new);
	cw_ruleset_free(rules);
	cw_config_free(config);
	return status;
}

int cw_verb_diff(int argc, char **argv)
{
	enum cw_severity fail_on = CW_MEDIUM;
	struct options opts = { 0 };
	struct cli_list args = { 0 };
	int status = cli_parse(&verb, argc, argv, &opts, &args);

	if (status < 0 && args.count != 2)
		status = cli_usage("diff: which OLD and NEW? See clausewatch diff --help");
	if (status < 0)
		status = cli_sinks_check(&opts.out);
	if (status < 0)
		status = cli_severity("--fail-on", opts.fail_on, &fail_on);
	if (status < 0)
		status = compare(&opts, fail_on, &args);
	cli_list_release(&args);
	cli_list_release(&opts.rules);
	cli_list_release(&opts.out.files);
	return status;
}
