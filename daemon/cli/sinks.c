#include "sinks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int check_format(const char *format)
{
	const char *words[16] = { NULL };

	for (size_t i = 0; i + 1 < sizeof(words) / sizeof(words[0]); i++) {
		words[i] = cw_output_format_at(i);
		if (!words[i])
			break;
		if (strcmp(words[i], format) == 0)
			return -1;
	}
	return cli_unknown("format", format, words);
}

/* "sarif=x.sarif" into its two halves; the file name may hold '='. */
static const char *split(const char *word, char *format, size_t size)
{
	const char *eq = strchr(word, '=');
	size_t n = eq ? (size_t)(eq - word) : 0;

	if (n == 0 || n >= size || eq[1] == '\0')
		return NULL;
	memcpy(format, word, n);
	format[n] = '\0';
	return eq + 1;
}

int cli_sinks_check(const struct cli_output_options *opts)
{
	int ret = opts->format ? check_format(opts->format) : -1;

	for (size_t i = 0; i < opts->files.count && ret < 0; i++) {
		char format[32];
		const char *file = split(opts->files.items[i], format, sizeof(format));
		if (!file)
			return cli_usage("option '--output' wants FORMAT=FILE, not '%s'",
					 opts->files.items[i]);
		if (strcmp(file, "-") == 0)
			return cli_usage("option '--output': standard output is --format's");
		ret = check_format(format);
	}
	return ret;
}

static int open_one(struct cli_sinks *sinks, const char *format, const char *path,
		    const struct cw_output_options *opts, struct cw_error *err)
{
	struct cli_sink *sink = &sinks->at[sinks->count];

	if (path) {
		sink->file = fopen(path, "we");
		if (!sink->file)
			return cw_fail(err, CW_EIO, "cannot write '%s': %s", path, strerror(errno));
	}
	sinks->count++;
	return cw_output_open(format, path ? sink->file : stdout, path ? path : "standard output",
			      opts, &sink->out, err);
}

int cli_sinks_open(const struct cli_output_options *opts, enum cw_severity fail_on,
		   const struct cw_ruleset *rules, struct cli_sinks *sinks, struct cw_error *err)
{
	struct cw_output_options o = { .fail_on = fail_on, .rules = rules };

	*sinks = (struct cli_sinks){ .at = calloc(opts->files.count + 1, sizeof(*sinks->at)) };
	if (!sinks->at)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	o.colour = cli_colour(stdout, opts->no_color);
	int ret = open_one(sinks, opts->format ? opts->format : "human", NULL, &o, err);
	o.colour = false;
	for (size_t i = 0; i < opts->files.count && ret == CW_OK; i++) {
		char format[32];
		const char *file = split(opts->files.items[i], format, sizeof(format));
		ret = file ? open_one(sinks, format, file, &o, err)
			   : cw_fail(err, CW_EINVAL, "'%s' is not FORMAT=FILE",
				     opts->files.items[i]);
	}
	return ret;
}

int cli_sinks_document(struct cli_sinks *sinks, const struct cw_output_document *doc,
		       struct cw_error *err)
{
	int ret = CW_OK;

	for (size_t i = 0; i < sinks->count && ret == CW_OK; i++)
		ret = cw_output_document(sinks->at[i].out, doc, err);
	return ret;
}

int cli_sinks_error(struct cli_sinks *sinks, const struct cw_output_error *error,
		    struct cw_error *err)
{
	int ret = CW_OK;

	for (size_t i = 0; i < sinks->count && ret == CW_OK; i++)
		ret = cw_output_error(sinks->at[i].out, error, err);
	return ret;
}

int cli_sinks_comparison(struct cli_sinks *sinks, const char *path,
			 const struct cw_comparison *comparison, struct cw_error *err)
{
	int ret = CW_OK;

	for (size_t i = 0; i < sinks->count && ret == CW_OK; i++)
		ret = cw_output_comparison(sinks->at[i].out, path, comparison, err);
	return ret;
}

int cli_sinks_summary(struct cli_sinks *sinks, const struct cw_output_summary *summary,
		      struct cw_error *err)
{
	int ret = CW_OK;

	for (size_t i = 0; i < sinks->count && ret == CW_OK; i++)
		ret = cw_output_summary(sinks->at[i].out, summary, err);
	return ret;
}

int cli_sinks_close(struct cli_sinks *sinks, struct cw_error *err)
{
	int ret = CW_OK;

	for (size_t i = 0; i < sinks->count; i++) {
		cw_output_close(sinks->at[i].out);
		if (sinks->at[i].file && fclose(sinks->at[i].file) != 0)
			ret = cw_fail(err, CW_EIO, "cannot write a report: %s", strerror(errno));
	}
	free(sinks->at);
	*sinks = (struct cli_sinks){ 0 };
	return ret;
}
