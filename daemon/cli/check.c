#include "cli.h"

#include <time.h>

void cli_today(char out[11])
{
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm) || strftime(out, 11, "%Y-%m-%d", &tm) == 0)
		out[0] = '\0';
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
}

void cli_result_release(struct cli_result *result)
{
	cw_analysis_free(result->analysis);
	result->analysis = NULL;
	cw_text_release(&result->text);
}
