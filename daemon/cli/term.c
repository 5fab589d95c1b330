/* Terms and rules for people. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clausewatch/nearest.h"

void cli_line(const char *label, const char *text)
{
	struct cw_buf buf = { 0 };

	if (!text || !*text)
		return;
	cw_output_visible(&buf, text, strlen(text));
	(void)printf("%-10s %s\n", label, cw_buf_str(&buf));
	cw_buf_release(&buf);
}

void cli_print_term(const struct cw_ruleset *rules, const struct cw_term *term)
{
	struct cw_buf text = { 0 };

	cli_line("term:", term->id);
	cli_line("title:", term->title);
	for (const char *const *code = term->codes; code && *code; code++)
		cw_buf_printf(&text, "%s%s", text.len > 0 ? ", " : "", *code);
	cli_line("codes:", cw_buf_str(&text));
	cli_line("kind:", cw_polarity_name(term->polarity));
	cli_line("severity:", cw_severity_name(term->severity));
	cli_line("why:", term->why);
	cli_line("advice:", term->advice);
	cli_line("wording:", term->wording);
	cli_line("source:", term->source);
	for (size_t i = 0; i < cw_ruleset_nrules(rules); i++) {
		const struct cw_rule *rule = cw_ruleset_rule_at(rules, i);
		if (rule->term != term)
			continue;
		cw_buf_clear(&text);
		cw_buf_printf(&text, "%s (%s:%u)", rule->id, rule->file, rule->line);
		cli_line("rule:", cw_buf_str(&text));
	}
	cw_buf_release(&text);
}

const struct cw_term *cli_find_term(const struct cw_ruleset *rules, const char *id)
{
	size_t count = cw_ruleset_nterms(rules);
	const struct cw_term *term = cw_ruleset_term(rules, id);
	const char **words = term ? NULL : calloc(count + 1, sizeof(*words));

	if (!words)
		return term;
	for (size_t i = 0; i < count; i++)
		words[i] = cw_ruleset_term_at(rules, i)->id;
	const char *close = cw_nearest(id, words);
	if (close)
		cli_warn("unknown term '%s'; did you mean '%s'?", id, close);
	else
		cli_warn("unknown term '%s'; see clausewatch rules list", id);
	free(words);
	return NULL;
}
