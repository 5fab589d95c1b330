/* The same objects one a line (jsonl), or as one array (json). */
#include "format.h"

/* Every object starts afresh: what stands between two of them is for the format to say. */
static struct cw_json *line_begin(struct cw_output *out)
{
	if (out->format == &cw_output_json)
		cw_buf_puts(&out->buf, out->count++ > 0 ? ",\n" : "[\n");
	cw_json_init(&out->json, &out->buf);
	return &out->json;
}

static void line_end(struct cw_output *out)
{
	if (out->format == &cw_output_jsonl)
		cw_buf_putc(&out->buf, '\n');
}

static void document(struct cw_output *out, const struct cw_output_document *doc)
{
	cw_output_document_json(line_begin(out), doc);
	line_end(out);
	for (size_t i = 0; i < doc->nfindings; i++) {
		cw_output_finding_json(line_begin(out), doc, &doc->findings[i]);
		line_end(out);
	}
}

static void error(struct cw_output *out, const struct cw_output_error *what)
{
	cw_output_error_json(line_begin(out), what);
	line_end(out);
}

static void comparison(struct cw_output *out, const char *path, const struct cw_comparison *c)
{
	for (size_t i = 0; i < c->nchanges; i++) {
		cw_output_change_json(line_begin(out), path, c, &c->changes[i]);
		line_end(out);
	}
}

static void summary(struct cw_output *out, const struct cw_output_summary *s)
{
	cw_output_summary_json(line_begin(out), s);
	line_end(out);
	if (out->format == &cw_output_json)
		cw_buf_puts(&out->buf, "\n]\n");
}

const struct cw_output_format cw_output_jsonl = {
	.name = "jsonl",
	.document = document,
	.error = error,
	.comparison = comparison,
	.summary = summary,
};

const struct cw_output_format cw_output_json = {
	.name = "json",
	.document = document,
	.error = error,
	.comparison = comparison,
	.summary = summary,
};
