/* clausewatch rules: what is looked for, and whether the rules keep their word. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *config;
	struct cli_list rules, on;
};

static const struct cli_option options[] = {
	{ "rules", 0, CLI_LIST, offsetof(struct options, rules), "DIR",
	  "rule packs over the shipped ones; repeatable" },
	{ "on", 0, CLI_LIST, offsetof(struct options, on), "PATH",
	  "try: the documents to try the pack on; repeatable" },
	{ "config", 0, CLI_TEXT, offsetof(struct options, config), "FILE",
	  "instead of " CW_CONFIG_PATH },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "rules list|show TERM|test [DIR...]|try FILE [--on PATH]...|compile FILE",
	.help = "list   every term: id, severity, kind, title\n"
		"show   all that is known of a term\n"
		"test   run the examples that every rule brings along, also those of the DIRs\n"
		"try    the same with one more pack, then show what its rules find in documents\n"
		"compile FILE   write the compiled lexicons, which programs then start with",
	.options = options,
};

struct context {
	struct options opts;
	struct cli_list args; /* without the word after "rules" */
	struct cw_config *config;
	struct cw_ruleset *rules;
};

static int list(struct context *c)
{
	for (size_t i = 0; i < cw_ruleset_nterms(c->rules); i++) {
		const struct cw_term *t = cw_ruleset_term_at(c->rules, i);
		(void)printf("%-44s %-9s %-11s %s\n", t->id, cw_severity_name(t->severity),
			     cw_polarity_name(t->polarity), t->title ? t->title : "");
	}
	(void)printf("%zu terms, %zu rules, %s\n", cw_ruleset_nterms(c->rules),
		     cw_ruleset_nrules(c->rules), cw_ruleset_digest(c->rules));
	return CW_EXIT_CLEAN;
}

static int show(struct context *c)
{
	if (c->args.count == 0)
		return cli_usage("rules show: which term?");
	for (size_t i = 0; i < c->args.count; i++) {
		const struct cw_term *term = cli_find_term(c->rules, c->args.items[i]);
		if (!term)
			return CW_EXIT_USAGE;
		if (i > 0)
			(void)putchar('\n');
		cli_print_term(c->rules, term);
	}
	return CW_EXIT_CLEAN;
}

static void broken(void *ctx, const struct cw_rule *rule, const char *example, bool should_match)
{
	struct cw_buf text = { 0 };

	(void)ctx;
	cw_output_visible(&text, example, strlen(example));
	(void)printf("%s:%u: rule '%s' %s: %s\n", rule->file, rule->line, rule->id,
		     should_match ? "does not match" : "must not match", cw_buf_str(&text));
	cw_buf_release(&text);
}

static int test(struct context *c)
{
	struct cw_error err = { 0 };
	size_t count = 0;
	int bad = cw_ruleset_test(c->rules, broken, NULL, &count, &err);

	if (bad < 0)
		return cli_usage("%s", err.msg);
	(void)printf("%zu examples of %zu rules, %d failed\n", count, cw_ruleset_nrules(c->rules),
		     bad);
	return bad == 0 ? CW_EXIT_CLEAN : CW_EXIT_USAGE;
}

struct trial {
	const char *file;
	size_t findings, documents;
};

static int take(void *ctx, struct cli_result *result, struct cw_error *err)
{
	struct trial *t = ctx;
	const struct cw_analysis *a = result->analysis;

	(void)err;
	if (!a) {
		cli_warn("not checked: %s", result->err.msg);
		return CW_OK;
	}
	t->documents++;
	for (size_t i = 0; i < a->nfindings; i++) {
		const struct cw_finding *f = &a->findings[i];
		struct cw_buf text = { 0 };
		if (!f->rule || strcmp(f->rule->file, t->file) != 0)
			continue;
		t->findings++;
		cw_output_visible(&text, result->item->path, strlen(result->item->path));
		cw_buf_printf(&text, ":%u: %s %s: ", f->span.line_start, f->rule->id, f->id);
		cw_plain_text(a->text, f->quote_start, f->quote_end, a->format, &text);
		(void)puts(cw_buf_str(&text));
		cw_buf_release(&text);
	}
	return CW_OK;
}

static int try(struct context *c)
{
	struct trial trial = { .file = c->args.items[0] };
	struct cli_reader reader = { .rules = c->rules, .config = c->config };
	struct cli_items items = { 0 };
	struct cw_error err = { 0 };
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int status = test(c), ret = CW_OK;

	for (size_t i = 0; i < c->opts.on.count && ret == CW_OK; i++)
		ret = cli_walk(c->opts.on.items[i], &items, &err);
	if (ret == CW_OK && items.count > 0) {
		ret = cli_pool_run(&items, cores > 0 ? (unsigned)cores : 1, cli_check, &reader,
				   take, &trial, &err);
		(void)printf("%zu findings of %s in %zu documents\n", trial.findings, trial.file,
			     trial.documents);
	}
	cli_items_release(&items);
	return ret < 0 ? cli_usage("%s", err.msg) : status;
}

/* For packagers: what a cold start can map instead of building it. */
static int compile(struct context *c)
{
	const char *path = c->args.count == 1 ? c->args.items[0] : NULL;
	struct cw_buf bytes = { 0 };
	char temp[4096];
	FILE *file = NULL;

	if (!path || snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return cli_usage("rules compile: into which FILE?");
	cw_ruleset_compiled(c->rules, &bytes);
	/* A program may have the old file mapped: replace it, never write into it. */
	file = bytes.failed ? NULL : fopen(temp, "wb");
	bool ok = file && fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
	ok = (!file || fclose(file) == 0) && ok && rename(temp, path) == 0;
	int status = ok ? CW_EXIT_CLEAN : cli_usage("'%s': %s", path, strerror(errno));
	cw_buf_release(&bytes);
	return status;
}

static const struct {
	const char *name;
	int (*run)(struct context *c);
	bool packs; /* its words are packs to load */
} verbs[] = {
	{ "list", list, false }, { "show", show, false },       { "test", test, true },
	{ "try", try, true },    { "compile", compile, false },
};

#define COUNT (sizeof(verbs) / sizeof(verbs[0]))

static int run(struct context *c, const char *word)
{
	const char *words[COUNT + 1] = { NULL };
	struct cw_error err = { 0 };

	for (size_t i = 0; i < COUNT; i++) {
		words[i] = verbs[i].name;
		if (strcmp(verbs[i].name, word) != 0)
			continue;
		if (verbs[i].run == try && c->args.count != 1)
			return cli_usage("rules try: which FILE?");
		for (size_t k = 0; verbs[i].packs && k < c->args.count; k++)
			cli_list_add(&c->opts.rules, c->args.items[k]);
		if (cli_load(c->opts.config, &c->opts.rules, &c->config, &c->rules, &err) < 0)
			return cli_usage("%s", err.msg);
		return verbs[i].run(c);
	}
	return cli_unknown("word after rules:", word, words);
}

int cw_verb_rules(int argc, char **argv)
{
	struct context c = { 0 };
	struct cli_list words = { 0 };
	int status = cli_parse(&verb, argc, argv, &c.opts, &words);

	if (status < 0 && words.count == 0)
		status = cli_usage("rules: list, show, test or try? See clausewatch rules --help");
	for (size_t i = 1; i < words.count; i++)
		cli_list_add(&c.args, words.items[i]);
	if (status < 0)
		status = run(&c, words.items[0]);
	cw_ruleset_free(c.rules);
	cw_config_free(c.config);
	cli_list_release(&words);
	cli_list_release(&c.args);
	cli_list_release(&c.opts.rules);
	cli_list_release(&c.opts.on);
	return status;
}
