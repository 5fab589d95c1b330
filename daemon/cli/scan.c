/* clausewatch scan: what is in these documents? */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clausewatch/glob.h"
#include "sinks.h"

#define JOBS_MAX 256

struct options {
	struct cli_output_options out;
	const char *fail_on, *min_severity, *config, *jobs, *stdin_name, *progress, *legacy_before;
	struct cli_list rules, terms;
	bool list_files;
};

#define OPTION(name, kind, member, arg, help)                                                      \
	{                                                                                          \
		name, 0, kind, offsetof(struct options, member), arg, help                         \
	}

static const struct cli_option options[] = {
	CLI_OUTPUT_OPTIONS(options),
	OPTION("fail-on", CLI_TEXT, fail_on, "SEVERITY", "exit 1 for risks from here on (medium)"),
	OPTION("min-severity", CLI_TEXT, min_severity, "SEVERITY", "leave out what is below"),
	OPTION("term", CLI_LIST, terms, "GLOB", "these terms only, such as 'data.*'; repeatable"),
	OPTION("rules", CLI_LIST, rules, "DIR", "rule packs over the shipped ones; repeatable"),
	OPTION("config", CLI_TEXT, config, "FILE", "instead of " CW_CONFIG_PATH),
	OPTION("legacy-before", CLI_TEXT, legacy_before, "DATE", "day of legacy (2022-11-30)"),
	OPTION("stdin-name", CLI_TEXT, stdin_name, "NAME", "what '-' is called in the results"),
	OPTION("jobs", CLI_TEXT, jobs, "N", "documents at a time (number of processors)"),
	OPTION("progress", CLI_TEXT, progress, "auto|never", "a bar on a terminal, or none"),
	OPTION("list-files", CLI_FLAG, list_files, NULL, "only say which files would be read"),
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "scan PATH... [options]",
	.help = "Find risky terms and protections in documents. A PATH is a file, a directory or '-' for\n"
		"standard input. In directories hidden files are left out, and what .gitignore and\n"
		".clausewatchignore exclude.\n\n"
		"Exit status: 0 nothing from --fail-on up, 1 risks, 2 wrong use or rules, 3 something could\n"
		"not be checked and nothing was found.",
	.options = options,
};

struct scan {
	struct options opts;
	enum cw_severity fail_on, min_severity;
	unsigned jobs;
	struct cli_list paths;
	struct cli_items items;
	struct cw_config *config;
	struct cw_ruleset *rules;
	struct cli_reader reader;
	char today[11];
	struct cli_sinks sinks;
	struct cli_progress progress;
	struct cw_output_summary summary;
	struct cw_error first; /* reason why a document was not checked */
	size_t done;
	bool failed; /* a risk from fail_on up was seen */
};

static int read_jobs(const char *word, unsigned *out)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	char *end;

	*out = cores > 0 ? (unsigned)cores : 1;
	if (!word)
		return -1;
	long n = strtol(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || n < 1 || n > JOBS_MAX)
		return cli_usage("option '--jobs' wants a number from 1 to %d, not '%s'", JOBS_MAX,
				 word);
	*out = (unsigned)n;
	return -1;
}

static int check_options(struct scan *s)
{
	static const char *const when[] = { "auto", "never", NULL };
	const struct options *o = &s->opts;

	if (s->paths.count == 0)
		return cli_usage("scan: which PATH? See clausewatch scan --help");
	int ret = cli_sinks_check(&o->out);
	if (ret < 0)
		ret = cli_severity("--fail-on", o->fail_on, &s->fail_on);
	if (ret < 0)
		ret = cli_severity("--min-severity", o->min_severity, &s->min_severity);
	if (ret < 0)
		ret = read_jobs(o->jobs, &s->jobs);
	if (ret < 0 && o->legacy_before && !cw_is_day(o->legacy_before))
		ret = cli_usage("option '--legacy-before' wants YYYY-MM-DD, not '%s'",
				o->legacy_before);
	if (ret < 0 && o->progress && strcmp(o->progress, "auto") != 0 &&
	    strcmp(o->progress, "never") != 0)
		ret = cli_unknown("word for --progress:", o->progress, when);
	return ret;
}

/* A pattern that fits no term at all is a mistake, not a clean result. */
static int check_terms(const struct scan *s)
{
	for (size_t i = 0; i < s->opts.terms.count; i++) {
		const char *pattern = s->opts.terms.items[i];
		bool any = false;
		for (size_t k = 0; k < cw_ruleset_nterms(s->rules) && !any; k++)
			any = cw_glob_match_name(pattern, cw_ruleset_term_at(s->rules, k)->id);
		for (size_t k = 0; k < cw_ruleset_nrules(s->rules) && !any; k++)
			any = cw_glob_match_name(pattern, cw_ruleset_rule_at(s->rules, k)->term_id);
		if (!any)
			return cli_usage("option '--term': no term is called '%s'; see "
					 "clausewatch rules list",
					 pattern);
	}
	return -1;
}

static bool is_wanted(const struct scan *s, const struct cw_finding *f)
{
	int severity = -1, mode = f->term ? (int)f->term->mode : CW_MODE_BLOCK;

	cw_config_term(s->config, f->term_id, &severity, &mode);
	if (f->severity < s->min_severity || mode == CW_MODE_OFF || mode == CW_MODE_SHADOW)
		return false;
	for (size_t i = 0; i < s->opts.terms.count; i++) {
		const char *pattern = s->opts.terms.items[i];
		if (cw_glob_match_name(pattern, f->term_id) ||
		    (f->term && cw_glob_match_name(pattern, f->term->id)))
			return true;
	}
	return s->opts.terms.count == 0;
}

static void count(struct scan *s, const struct cw_finding *f)
{
	if (f->polarity == CW_PROTECTION)
		s->summary.protections++;
	if (f->polarity != CW_RISK)
		return;
	s->summary.findings[f->severity]++;
	s->failed |= f->severity >= s->fail_on;
}

static int take_document(struct scan *s, const char *path, const struct cli_result *result,
			 struct cw_error *err)
{
	const struct cw_analysis *a = result->analysis;
	struct cw_output_finding *shown = calloc(a->nfindings + 1, sizeof(*shown));
	struct cw_output_document doc = {
		.path = path,
		.text = &result->text,
		.analysis = a,
		.findings = shown,
	};

	if (!shown)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	for (size_t i = 0; i < a->nfindings; i++) {
		if (!is_wanted(s, &a->findings[i]))
			continue;
		shown[doc.nfindings++].finding = &a->findings[i];
		count(s, &a->findings[i]);
	}
	s->summary.documents++;
	int ret = cli_sinks_document(&s->sinks, &doc, err);
	free(shown);
	return ret;
}

static int take(void *ctx, struct cli_result *result, struct cw_error *err)
{
	struct scan *s = ctx;
	const char *path = result->item->path;

	if (strcmp(path, "-") == 0 && s->opts.stdin_name)
		path = s->opts.stdin_name;
	cli_progress_clear(&s->progress);
	int ret;
	if (result->code == CW_OK) {
		ret = take_document(s, path, result, err);
	} else {
		struct cw_output_error error = {
			.path = path,
			.code = cw_unchecked_name(result->code),
			.message = result->err.msg,
		};
		if (s->summary.unchecked++ == 0)
			s->first = result->err;
		ret = cli_sinks_error(&s->sinks, &error, err);
	}
	cli_progress_step(&s->progress, ++s->done);
	return ret;
}

static int list_files(const struct scan *s)
{
	for (size_t i = 0; i < s->items.count; i++)
		(void)puts(s->items.at[i].path);
	return CW_EXIT_CLEAN;
}

static int exit_status(const struct scan *s)
{
	size_t n = s->summary.unchecked;

	if (n > 0)
		cli_warn("%zu document%s could not be checked: %s%s", n, n == 1 ? "" : "s",
			 s->first.msg, n == 1 ? "" : ", ...");
	if (s->failed)
		return CW_EXIT_FINDINGS;
	return n > 0 ? CW_EXIT_UNCHECKED : CW_EXIT_CLEAN;
}

static int run(struct scan *s, struct cw_error *err)
{
	double begun = cli_now();

	s->reader = (struct cli_reader){
		.rules = s->rules,
		.config = s->config,
		.options = {
			.legacy_before = s->opts.legacy_before ? s->opts.legacy_before :
								 s->config->legacy_before,
			.today = s->today,
		},
	};
	cw_today(s->today);
	int ret = cli_sinks_open(&s->opts.out, s->fail_on, s->rules, &s->sinks, err);
	if (ret == CW_OK) {
		cli_progress_begin(&s->progress,
				   !s->opts.progress || strcmp(s->opts.progress, "never") != 0,
				   s->items.count);
		ret = cli_pool_run(&s->items, s->jobs, cli_check, &s->reader, take, s, err);
		cli_progress_clear(&s->progress);
	}
	s->summary.others = s->items.others;
	s->summary.ruleset = cw_ruleset_digest(s->rules);
	s->summary.seconds = cli_now() - begun;
	if (ret == CW_OK)
		ret = cli_sinks_summary(&s->sinks, &s->summary, err);
	int closed = cli_sinks_close(&s->sinks, ret == CW_OK ? err : NULL);
	return ret == CW_OK ? closed : ret;
}

static int prepare(struct scan *s, struct cw_error *err)
{
	for (size_t i = 0; i < s->paths.count; i++) {
		int ret = cli_walk(s->paths.items[i], &s->items, err);
		if (ret < 0)
			return ret;
	}
	for (size_t i = 0; i < s->items.count; i++)
		if (strcmp(s->items.at[i].path, "-") == 0)
			s->items.at[i].name = s->opts.stdin_name ? s->opts.stdin_name : "";
	if (s->opts.list_files)
		return CW_OK;
	return cli_load(s->opts.config, &s->opts.rules, &s->config, &s->rules, err);
}

int cw_verb_scan(int argc, char **argv)
{
	struct scan s = { .fail_on = CW_MEDIUM, .min_severity = CW_INFO };
	struct cw_error err = { 0 };
	int status = cli_parse(&verb, argc, argv, &s.opts, &s.paths);
	int ret = CW_OK;

	if (status < 0)
		status = check_options(&s);
	if (status >= 0)
		goto out;
	ret = prepare(&s, &err);
	if (ret == CW_OK && s.opts.list_files) {
		status = list_files(&s);
		goto out;
	}
	if (ret == CW_OK)
		status = check_terms(&s);
	if (ret == CW_OK && status < 0) {
		ret = run(&s, &err);
		status = exit_status(&s);
	}
	if (ret < 0)
		status = cli_usage("%s", err.msg);
out:
	cw_ruleset_free(s.rules);
	cw_config_free(s.config);
	cli_items_release(&s.items);
	cli_list_release(&s.paths);
	cli_list_release(&s.opts.rules);
	cli_list_release(&s.opts.terms);
	cli_list_release(&s.opts.out.files);
	return status;
}
