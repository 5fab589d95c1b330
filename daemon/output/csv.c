/* RFC 4180, with one row a finding or a document that was not checked. */
#include "format.h"

#include <string.h>

/* A spreadsheet runs a cell that begins with one of these as a formula. */
static bool is_formula(const char *text)
{
	return *text && strchr("=+-@\t\r\n|%", *text) != NULL;
}

void cw_output_csv_cell(struct cw_buf *out, const char *text)
{
	bool quoted = is_formula(text) || strpbrk(text, ",\"\r\n") || text[0] == ' ';

	if (quoted)
		cw_buf_putc(out, '"');
	if (is_formula(text))
		cw_buf_putc(out, '\'');
	for (; *text; text++) {
		if (*text == '"')
			cw_buf_putc(out, '"');
		cw_buf_putc(out, *text);
	}
	if (quoted)
		cw_buf_putc(out, '"');
}

static void cell(struct cw_output *out, const char *text)
{
	if (out->count++ > 0)
		cw_buf_putc(&out->buf, ',');
	cw_output_csv_cell(&out->buf, text);
}

static void number(struct cw_output *out, unsigned long n)
{
	if (out->count++ > 0)
		cw_buf_putc(&out->buf, ',');
	cw_buf_printf(&out->buf, "%lu", n);
}

static void end_row(struct cw_output *out)
{
	cw_buf_puts(&out->buf, "\r\n");
	out->count = 0;
}

static void begin(struct cw_output *out)
{
	static const char *const columns[] = {
		"kind",     "path",     "line_start", "line_end", "section", "heading",
		"severity", "polarity", "direction",  "term",     "title",   "codes",
		"id",       "quote",    "why",        "advice",   "waiver",
	};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		cell(out, columns[i]);
	end_row(out);
}

static void finding(struct cw_output *out, const struct cw_output_document *doc,
		    const struct cw_output_finding *shown)
{
	const struct cw_finding *f = shown->finding;
	const struct cw_clause *clause = cw_finding_clause(doc, f);
	struct cw_buf quote = { 0 }, codes = { 0 };

	cw_finding_quote(doc, f, &quote);
	for (const char *const *c = f->term ? f->term->codes : NULL; c && *c; c++)
		cw_buf_printf(&codes, "%s%s", codes.len > 0 ? " " : "", *c);
	cell(out, "finding");
	cell(out, doc->path);
	number(out, f->span.line_start);
	number(out, f->span.line_end);
	cell(out, clause->section);
	cell(out, clause->heading);
	cell(out, cw_severity_name(f->severity));
	cell(out, cw_polarity_name(f->polarity));
	cell(out, cw_direction_name(f->direction));
	cell(out, f->term_id);
	cell(out, cw_finding_title(f));
	cell(out, cw_buf_str(&codes));
	cell(out, f->id);
	cell(out, cw_buf_str(&quote));
	cell(out, cw_finding_why(f));
	cell(out, cw_finding_advice(f));
	cell(out, shown->waiver ? shown->waiver->reason : "");
	end_row(out);
	out->buf.failed |= quote.failed || codes.failed;
	cw_buf_release(&quote);
	cw_buf_release(&codes);
}

static void document(struct cw_output *out, const struct cw_output_document *doc)
{
	for (size_t i = 0; i < doc->nfindings; i++)
		finding(out, doc, &doc->findings[i]);
}

static void error(struct cw_output *out, const struct cw_output_error *what)
{
	cell(out, "error");
	cell(out, what->path);
	for (int i = 0; i < 7; i++)
		cell(out, "");
	cell(out, what->code);
	for (int i = 0; i < 4; i++)
		cell(out, "");
	cell(out, what->message);
	cell(out, "");
	cell(out, "");
	end_row(out);
}

static void summary(struct cw_output *out, const struct cw_output_summary *s)
{
	(void)out;
	(void)s;
}

const struct cw_output_format cw_output_csv = {
	.name = "csv",
	.begin = begin,
	.document = document,
	.error = error,
	.summary = summary,
};
