#include "format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct cw_output_format *const formats[] = {
	&cw_output_human, &cw_output_jsonl, &cw_output_json, &cw_output_sarif,
	&cw_output_junit, &cw_output_csv,   &cw_output_html,
};
#define COUNT (sizeof(formats) / sizeof(formats[0]))

const char *cw_output_formats(void)
{
	return "human, jsonl, json, sarif, junit, csv, html";
}

const char *cw_output_format_at(size_t n)
{
	return n < COUNT ? formats[n]->name : NULL;
}

static const struct cw_output_format *find(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}

static int write_out(struct cw_output *out, struct cw_error *err)
{
	int ret = cw_buf_ok(&out->buf, err);

	if (ret == CW_OK)
		ret = cw_buf_ok(&out->held, err);
	if (ret < 0)
		return ret;
	if (out->buf.len > 0 && fwrite(out->buf.data, 1, out->buf.len, out->file) != out->buf.len)
		return cw_fail(err, CW_EIO, "cannot write '%s': %s", out->name, strerror(errno));
	cw_buf_clear(&out->buf);
	return CW_OK;
}

int cw_output_open(const char *format, FILE *file, const char *name,
		   const struct cw_output_options *opts, struct cw_output **out,
		   struct cw_error *err)
{
	const struct cw_output_format *found = find(format);
	if (!found)
		return cw_fail(err, CW_EINVAL, "unknown format '%s'; there are %s", format,
			       cw_output_formats());

	struct cw_output *o = calloc(1, sizeof(*o));
	char *copy = strdup(name);
	if (!o || !copy) {
		free(o);
		free(copy);
		return cw_fail(err, CW_ENOMEM, "out of memory");
	}
	o->format = found;
	o->file = file;
	o->name = copy;
	o->opts = *opts;
	if (o->opts.width == 0)
		o->opts.width = 100;
	cw_json_init(&o->json, &o->buf);
	if (found->begin)
		found->begin(o);
	int ret = write_out(o, err);
	if (ret < 0) {
		cw_output_close(o);
		return ret;
	}
	*out = o;
	return CW_OK;
}

int cw_output_document(struct cw_output *out, const struct cw_output_document *doc,
		       struct cw_error *err)
{
	out->format->document(out, doc);
	return write_out(out, err);
}

int cw_output_error(struct cw_output *out, const struct cw_output_error *error,
		    struct cw_error *err)
{
	out->format->error(out, error);
	return write_out(out, err);
}

int cw_output_comparison(struct cw_output *out, const char *path,
			 const struct cw_comparison *comparison, struct cw_error *err)
{
	if (!out->format->comparison)
		return cw_fail(err, CW_EUNSUPPORTED, "the format %s cannot show changes",
			       out->format->name);
	out->format->comparison(out, path, comparison);
	return write_out(out, err);
}

int cw_output_summary(struct cw_output *out, const struct cw_output_summary *summary,
		      struct cw_error *err)
{
	out->format->summary(out, summary);
	int ret = write_out(out, err);
	if (ret == CW_OK && fflush(out->file) != 0)
		ret = cw_fail(err, CW_EIO, "cannot write '%s': %s", out->name, strerror(errno));
	return ret;
}

void cw_output_close(struct cw_output *out)
{
	if (!out)
		return;
	if (out->format->release)
		out->format->release(out);
	cw_buf_release(&out->buf);
	cw_buf_release(&out->held);
	free(out->name);
	free(out);
}
