/* One page that needs nothing else: no script, no image, no link to anywhere. */
#include "format.h"

static const char head[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>clausewatch report</title>\n<style>\n"
	":root{color-scheme:light dark}\n"
	"body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
	"h2{margin:2.5rem 0 0;overflow-wrap:anywhere}\n"
	".facts,.place,footer{color:#666}\n"
	"article{border-left:.3rem solid #999;margin:1rem 0;padding:.1rem 1rem}\n"
	"article.critical,article.high{border-color:#c0262d}\n"
	"article.medium{border-color:#c77700}\narticle.low{border-color:#2b6cb0}\n"
	"article.protection{border-color:#2f855a}\n"
	"h3{margin:.3rem 0;font-size:1.05rem}\n"
	"blockquote{margin:.5rem 0;font-family:serif;overflow-wrap:anywhere}\n"
	"code{font-size:.85em}\n.error{color:#c0262d}\n"
	"</style>\n</head>\n<body>\n<h1>Contract risks</h1>\n";

static void element(struct cw_buf *buf, const char *open, const char *text, const char *close)
{
	cw_buf_puts(buf, open);
	cw_put_xml(buf, text);
	cw_buf_puts(buf, close);
}

static void labelled(struct cw_buf *buf, const char *label, const char *text)
{
	if (!*text)
		return;
	cw_buf_printf(buf, "<p><b>%s:</b> ", label);
	cw_put_xml(buf, text);
	cw_buf_puts(buf, "</p>\n");
}

static void finding(struct cw_buf *buf, const struct cw_output_document *doc,
		    const struct cw_output_finding *shown)
{
	const struct cw_finding *f = shown->finding;
	bool is_risk = f->polarity == CW_RISK;
	const char *word = is_risk ? cw_severity_name(f->severity) : cw_polarity_name(f->polarity);
	struct cw_buf place = { 0 }, quote = { 0 };

	cw_finding_place(doc, f, &place);
	cw_finding_quote(doc, f, &quote);
	cw_buf_printf(buf, "<article class=\"%s\">\n<h3>%s: ", word, word);
	cw_put_xml(buf, cw_finding_title(f));
	element(buf, " <code>", f->id, "</code></h3>\n");
	element(buf, "<p class=\"place\">", cw_buf_str(&place), "</p>\n");
	element(buf, "<blockquote>", cw_buf_str(&quote), "</blockquote>\n");
	if (is_risk) {
		labelled(buf, "Why", cw_finding_why(f));
		labelled(buf, "Advice", cw_finding_advice(f));
	}
	if (shown->waiver)
		labelled(buf, "Waived", shown->waiver->reason ? shown->waiver->reason : "yes");
	element(buf, "<p><code>", f->term_id, "</code></p>\n</article>\n");
	buf->failed |= place.failed || quote.failed;
	cw_buf_release(&place);
	cw_buf_release(&quote);
}

static void document(struct cw_output *out, const struct cw_output_document *doc)
{
	struct cw_buf *buf = &out->held, facts = { 0 };

	cw_document_facts(doc, &facts);
	element(buf, "<section>\n<h2>", doc->path, "</h2>\n");
	element(buf, "<p class=\"facts\">", cw_buf_str(&facts), "</p>\n");
	for (int s = CW_CRITICAL; s >= CW_INFO; s--)
		for (size_t i = 0; i < doc->nfindings; i++) {
			const struct cw_finding *f = doc->findings[i].finding;
			if (f->polarity == CW_RISK && f->severity == (enum cw_severity)s)
				finding(buf, doc, &doc->findings[i]);
		}
	if (cw_document_risk(doc) < 0)
		cw_buf_puts(buf, "<p>No risk found.</p>\n");
	for (size_t i = 0; i < doc->nfindings; i++)
		if (doc->findings[i].finding->polarity != CW_RISK)
			finding(buf, doc, &doc->findings[i]);
	cw_buf_puts(buf, "</section>\n");
	buf->failed |= facts.failed;
	cw_buf_release(&facts);
}

static void error(struct cw_output *out, const struct cw_output_error *what)
{
	element(&out->held, "<section>\n<h2>", what->path, "</h2>\n");
	element(&out->held, "<p class=\"error\">Not checked: ", what->message,
		"</p>\n</section>\n");
}

/* The summary is what a reader wants first, so the documents wait for it. */
static void summary(struct cw_output *out, const struct cw_output_summary *s)
{
	struct cw_buf *buf = &out->buf;

	cw_buf_puts(buf, head);
	cw_buf_printf(buf, "<p>%zu document%s checked: ", s->documents,
		      s->documents == 1 ? "" : "s");
	cw_summary_words(s, buf);
	cw_buf_printf(buf, "; %zu not checked, %zu other files not read.</p>\n", s->unchecked,
		      s->others);
	cw_buf_put(buf, cw_buf_str(&out->held), out->held.len);
	cw_buf_printf(buf, "<footer><p>clausewatch %s, rules %s</p></footer>\n</body>\n</html>\n",
		      CW_VERSION, s->ruleset ? s->ruleset : "");
}

const struct cw_output_format cw_output_html = {
	.name = "html",
	.document = document,
	.error = error,
	.summary = summary,
};
