/* JUnit XML: a document is a suite, a finding a case, a risk from --fail-on up a failure. */
#include "format.h"

static void attr(struct cw_buf *buf, const char *name, const char *value)
{
	cw_buf_printf(buf, " %s=\"", name);
	cw_put_xml(buf, value);
	cw_buf_putc(buf, '"');
}

static bool fails(const struct cw_output *out, const struct cw_output_finding *shown)
{
	const struct cw_finding *f = shown->finding;

	return f->polarity == CW_RISK && f->severity >= out->opts.fail_on && !shown->waiver;
}

static void begin(struct cw_output *out)
{
	cw_buf_puts(&out->buf, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			       "<testsuites name=\"clausewatch\">\n");
}

/* The words inside the element: where, what it says, why it matters, what to do. */
static void details(struct cw_output *out, const struct cw_output_document *doc,
		    const struct cw_finding *f)
{
	struct cw_buf text = { 0 };

	cw_finding_place(doc, f, &text);
	cw_buf_puts(&text, "\n");
	cw_finding_quote(doc, f, &text);
	cw_buf_printf(&text, "\nwhy: %s\nadvice: %s\nterm: %s\n", cw_finding_why(f),
		      cw_finding_advice(f), f->term_id);
	cw_put_xml(&out->buf, cw_buf_str(&text));
	out->buf.failed |= text.failed;
	cw_buf_release(&text);
}

static void testcase(struct cw_output *out, const struct cw_output_document *doc,
		     const struct cw_output_finding *shown)
{
	const struct cw_finding *f = shown->finding;
	struct cw_buf *buf = &out->buf, name = { 0 };

	cw_buf_printf(&name, "%s %s: %s", f->id, cw_severity_name(f->severity),
		      cw_finding_title(f));
	cw_buf_puts(buf, "    <testcase");
	attr(buf, "classname", doc->path);
	attr(buf, "name", cw_buf_str(&name));
	attr(buf, "file", doc->path);
	cw_buf_printf(buf, " line=\"%u\">", f->span.line_start);
	if (shown->waiver) {
		cw_buf_puts(buf, "<skipped");
		attr(buf, "message", shown->waiver->reason);
		cw_buf_puts(buf, "/>");
	} else if (fails(out, shown)) {
		cw_buf_puts(buf, "<failure");
		attr(buf, "type", f->term_id);
		attr(buf, "message", cw_finding_title(f));
		cw_buf_putc(buf, '>');
		details(out, doc, f);
		cw_buf_puts(buf, "</failure>");
	} else {
		cw_buf_puts(buf, "<system-out>");
		details(out, doc, f);
		cw_buf_puts(buf, "</system-out>");
	}
	cw_buf_puts(buf, "</testcase>\n");
	buf->failed |= name.failed;
	cw_buf_release(&name);
}

static void document(struct cw_output *out, const struct cw_output_document *doc)
{
	struct cw_buf *buf = &out->buf;
	size_t failures = 0, skipped = 0;

	for (size_t i = 0; i < doc->nfindings; i++) {
		failures += fails(out, &doc->findings[i]);
		skipped += doc->findings[i].waiver != NULL;
	}
	cw_buf_puts(buf, "  <testsuite");
	attr(buf, "name", doc->path);
	cw_buf_printf(buf, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n",
		      doc->nfindings > 0 ? doc->nfindings : 1, failures, skipped);
	for (size_t i = 0; i < doc->nfindings; i++)
		testcase(out, doc, &doc->findings[i]);
	if (doc->nfindings == 0) {
		cw_buf_puts(buf, "    <testcase");
		attr(buf, "classname", doc->path);
		cw_buf_puts(buf, " name=\"nothing found\"/>\n");
	}
	cw_buf_puts(buf, "  </testsuite>\n");
}

static void error(struct cw_output *out, const struct cw_output_error *what)
{
	struct cw_buf *buf = &out->buf;

	cw_buf_puts(buf, "  <testsuite");
	attr(buf, "name", what->path);
	cw_buf_puts(buf, " tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">\n    <testcase");
	attr(buf, "classname", what->path);
	cw_buf_puts(buf, " name=\"not checked\"><error");
	attr(buf, "type", what->code);
	attr(buf, "message", what->message);
	cw_buf_puts(buf, "/></testcase>\n  </testsuite>\n");
}

static void summary(struct cw_output *out, const struct cw_output_summary *s)
{
	(void)s;
	cw_buf_puts(&out->buf, "</testsuites>\n");
}

const struct cw_output_format cw_output_junit = {
	.name = "junit",
	.begin = begin,
	.document = document,
	.error = error,
	.summary = summary,
};
