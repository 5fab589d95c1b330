/* clausewatch explain: a finding taken apart, or a term. */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct options {
	const char *config;
	struct cli_list rules;
};

static const struct cli_option options[] = {
	{ "rules", 0, CLI_LIST, offsetof(struct options, rules), "DIR",
	  "rule packs over the shipped ones; repeatable" },
	{ "config", 0, CLI_TEXT, offsetof(struct options, config), "FILE",
	  "instead of " CW_CONFIG_PATH },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "explain CW-XXXXXX|TERM [PATH...] [options]",
	.help = "Say why a finding is one: the sentence, the part that each of its words played, the rule,\n"
		"and what to do about it. The finding is looked for in the PATHs, or else in the current\n"
		"directory. A TERM is explained from the rules alone.\n\n"
		"Exit status: 0 explained, 1 no such finding, 2 wrong use or rules.",
	.options = options,
};

struct search {
	const char *id;
	size_t found, documents;
};

static bool is_finding_id(const char *word)
{
	static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz";

	return strncasecmp(word, "CW-", 3) == 0 && strlen(word) == CW_ID_SIZE - 3 &&
	       strspn(word + 3, letters) == CW_ID_SIZE - 6;
}

static void print_evidence(const struct cw_analysis *a, const struct cw_finding *f)
{
	for (size_t i = 0; i < f->nevidence; i++) {
		const struct cw_evidence *e = &f->evidence[i];
		struct cw_buf text = { 0 }, label = { 0 };
		cw_plain_text(a->text, e->byte_start, e->byte_end, a->format, &text);
		cw_buf_printf(&label, "  %s:", cw_part_name(e->part));
		cli_line(cw_buf_str(&label), cw_buf_str(&text));
		cw_buf_release(&text);
		cw_buf_release(&label);
	}
}

static void print_place(const char *path, const struct cw_analysis *a, const struct cw_finding *f)
{
	struct cw_buf text = { 0 };
	const struct cw_clause *clause = f->clause < a->nclauses ? &a->clauses[f->clause] : NULL;

	cw_buf_printf(&text, "%s:%u", path, f->span.line_start);
	if (clause && (*clause->section || *clause->heading))
		cw_buf_printf(&text, " (%s%s%s)", clause->section,
			      *clause->section && *clause->heading ? " " : "", clause->heading);
	cli_line("where:", cw_buf_str(&text));
	cw_buf_clear(&text);
	cw_plain_text(a->text, f->quote_start, f->quote_end, a->format, &text);
	cli_line("sentence:", cw_buf_str(&text));
	cw_buf_release(&text);
}

static void print_finding(const struct search *s, const char *path, const struct cw_analysis *a,
			  const struct cw_finding *f)
{
	struct cw_buf text = { 0 };

	if (s->found > 0)
		(void)putchar('\n');
	cli_line("finding:", f->id);
	cli_line("term:", f->term_id);
	cli_line("title:", f->term ? f->term->title : NULL);
	cw_buf_printf(&text, "%s, %s, for: %s", cw_polarity_name(f->polarity),
		      cw_severity_name(f->severity), cw_direction_name(f->direction));
	cli_line("kind:", cw_buf_str(&text));
	print_place(path, a, f);
	print_evidence(a, f);
	for (size_t i = 0; i < f->nattrs; i++) {
		cw_buf_clear(&text);
		cw_buf_printf(&text, "%s = %s", f->attrs[i].name, f->attrs[i].value);
		cli_line("attribute:", cw_buf_str(&text));
	}
	cw_buf_clear(&text);
	if (f->rule)
		cw_buf_printf(&text, "%s (%s:%u)", f->rule->id, f->rule->file, f->rule->line);
	cli_line("rule:", cw_buf_str(&text));
	cli_line("why:", f->why && *f->why ? f->why : f->term ? f->term->why : NULL);
	cli_line("advice:", f->advice && *f->advice ? f->advice : f->term ? f->term->advice : NULL);
	cli_line("wording:", f->term ? f->term->wording : NULL);
	cli_line("source:", f->term ? f->term->source : NULL);
	cw_buf_release(&text);
}

static int take(void *ctx, struct cli_result *result, struct cw_error *err)
{
	struct search *s = ctx;
	const struct cw_analysis *a = result->analysis;

	(void)err;
	if (!a)
		return CW_OK;
	s->documents++;
	for (size_t i = 0; i < a->nfindings; i++) {
		if (strcasecmp(a->findings[i].id, s->id) != 0)
			continue;
		print_finding(s, result->item->path, a, &a->findings[i]);
		s->found++;
	}
	return CW_OK;
}

static int explain_finding(const struct cw_ruleset *rules, const struct cw_config *config,
			   const struct cli_list *args)
{
	struct search s = { .id = args->items[0] };
	struct cli_reader reader = { .rules = rules, .config = config };
	struct cli_items items = { 0 };
	struct cw_error err = { 0 };
	char today[11];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int ret = args->count == 1 ? cli_walk(".", &items, &err) : CW_OK;

	cw_today(today);
	reader.options.today = today;
	for (size_t i = 1; i < args->count && ret == CW_OK; i++)
		ret = cli_walk(args->items[i], &items, &err);
	if (ret == CW_OK)
		ret = cli_pool_run(&items, cores > 0 ? (unsigned)cores : 1, cli_check, &reader,
				   take, &s, &err);
	cli_items_release(&items);
	if (ret < 0)
		return cli_usage("%s", err.msg);
	if (s.found > 0)
		return CW_EXIT_CLEAN;
	cli_warn("no finding %s in %zu document%s; name the PATHs to look in", s.id, s.documents,
		 s.documents == 1 ? "" : "s");
	return CW_EXIT_FINDINGS;
}

static int explain_term(const struct cw_ruleset *rules, const char *id)
{
	const struct cw_term *term = cli_find_term(rules, id);

	if (!term)
		return CW_EXIT_USAGE;
	cli_print_term(rules, term);
	return CW_EXIT_CLEAN;
}

int cw_verb_explain(int argc, char **argv)
{
	struct options opts = { 0 };
	struct cli_list args = { 0 };
	struct cw_ruleset *rules = NULL;
	struct cw_config *config = NULL;
	struct cw_error err = { 0 };
	int status = cli_parse(&verb, argc, argv, &opts, &args);

	if (status < 0 && args.count == 0)
		status =
			cli_usage("explain: which finding or term? See clausewatch explain --help");
	if (status < 0 && cli_load(opts.config, &opts.rules, &config, &rules, &err) < 0)
		status = cli_usage("%s", err.msg);
	if (status < 0)
		status = is_finding_id(args.items[0]) ? explain_finding(rules, config, &args)
						      : explain_term(rules, args.items[0]);
	cw_ruleset_free(rules);
	cw_config_free(config);
	cli_list_release(&opts.rules);
	cli_list_release(&args);
	return status;
}
