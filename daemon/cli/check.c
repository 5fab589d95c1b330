#include "cli.h"

#include "clausewatch/rules_load.h"

void cli_override(const struct cw_config *config, struct cw_analysis *a)
{
	for (size_t i = 0; i < a->nfindings; i++) {
		int severity = (int)a->findings[i].severity, mode = -1;
		cw_config_term(config, a->findings[i].term_id, &severity, &mode);
		a->findings[i].severity = (enum cw_severity)severity;
	}
}

void cli_check(void *reader, const struct cli_item *item, struct cli_result *result)
{
	const struct cli_reader *r = reader;

	if (item->code != CW_OK) {
		result->code = cw_fail(&result->err, (enum cw_code)item->code, "%s", item->message);
		return;
	}
	result->code = cw_extract_file(item->path, item->name, &result->text, &result->err);
	if (result->code < 0)
		return;
	result->code =
		cw_analyse(r->rules, result->text.bytes, result->text.len, result->text.format,
			   &r->options, &result->analysis, &result->err);
	if (result->code < 0)
		result->code = cw_wrap(&result->err, result->code, "'%s'", item->path);
	else if (r->config)
		cli_override(r->config, result->analysis);
}

int cli_load_rules(const struct cw_config *config, const struct cli_list *packs,
		   struct cw_ruleset **out_rules, struct cw_error *err)
{
	struct cli_list dirs = { 0 };

	for (size_t i = 0; i < config->rules.count; i++)
		cli_list_add(&dirs, config->rules.items[i]);
	for (size_t i = 0; i < packs->count; i++)
		cli_list_add(&dirs, packs->items[i]);
	int ret = cw_rules_load_default(dirs.items, dirs.count, out_rules, err);
	cli_list_release(&dirs);
	return ret;
}

int cli_load(const char *path, const struct cli_list *packs, struct cw_config **out_config,
	     struct cw_ruleset **out_rules, struct cw_error *err)
{
	struct cw_config *config = NULL;
	int ret = cw_config_load(path, &config, err);

	if (ret < 0)
		return ret;
	ret = cli_load_rules(config, packs, out_rules, err);
	if (ret < 0) {
		cw_config_free(config);
		return ret;
	}
	*out_config = config;
	return CW_OK;
}

void cli_result_release(struct cli_result *result)
{
	cw_analysis_free(result->analysis);
	result->analysis = NULL;
	cw_text_release(&result->text);
}
