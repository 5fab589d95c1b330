/* What a lawyer reads: a document, its risks worst first, what protects, what is missing. */
#include "format.h"

#include <string.h>

#include "clausewatch/utf8.h"

#define MARKS_MAX 32

enum colour { PLAIN, BOLD, DIM, RED, YELLOW, GREEN, CYAN };
static const char *const codes[] = { "0", "1", "2", "1;31", "33", "32", "36" };
static const enum colour severity_colour[] = { DIM, CYAN, YELLOW, RED, RED };
static const char *const severity_word[] = { "INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL" };

/* Bytes of a quote that carried the finding, or that a change took or brought. */
struct marks {
	struct {
		size_t from, to;
		enum colour colour;
	} at[MARKS_MAX];
	size_t count;
};

static void paint(struct cw_output *out, enum colour colour)
{
	if (out->opts.colour)
		cw_buf_printf(&out->buf, "\033[%sm", codes[colour]);
}

static void painted(struct cw_output *out, enum colour colour, const char *text)
{
	if (!*text)
		return;
	paint(out, colour);
	cw_output_visible(&out->buf, text, strlen(text));
	paint(out, PLAIN);
}

static size_t columns(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static enum colour colour_at(const struct marks *marks, size_t at)
{
	for (size_t i = 0; marks && i < marks->count; i++)
		if (at >= marks->at[i].from && at < marks->at[i].to)
			return marks->at[i].colour;
	return PLAIN;
}

/* One word; the colour changes inside it where a mark begins or ends. */
static void put_word(struct cw_output *out, const char *text, size_t from, size_t to,
		     const struct marks *marks)
{
	for (size_t i = from; i < to;) {
		enum colour colour = colour_at(marks, i);
		size_t end = i + 1;
		while (end < to && colour_at(marks, end) == colour)
			end++;
		if (colour != PLAIN)
			paint(out, colour);
		cw_output_visible(&out->buf, text + i, end - i);
		if (colour != PLAIN)
			paint(out, PLAIN);
		i = end;
	}
}

/* A label, then text in lines of opts.width, each begun with indent blanks. */
static void paragraph(struct cw_output *out, unsigned indent, const char *label, const char *text,
		      const struct marks *marks)
{
	size_t len = strlen(text), column = indent + columns(label, strlen(label));

	if (len == 0)
		return;
	cw_buf_printf(&out->buf, "%*s", (int)indent, "");
	painted(out, DIM, label);
	bool first = true;
	for (size_t i = 0; i < len;) {
		size_t end = i + strcspn(text + i, " ");
		size_t width = columns(text + i, end - i);
		if (!first && column + 1 + width > out->opts.width) {
			size_t hang = indent + columns(label, strlen(label));
			cw_buf_printf(&out->buf, "\n%*s", (int)hang, "");
			column = hang;
		} else if (!first) {
			cw_buf_putc(&out->buf, ' ');
			column++;
		}
		put_word(out, text, i, end, marks);
		column += width;
		first = false;
		i = end + strspn(text + end, " ");
	}
	cw_buf_putc(&out->buf, '\n');
}

/* Where the carrying words stand in the plain quote: markup between them is gone, so they are
 * looked for, each after the one before. */
static void find_marks(const struct cw_output_document *doc, const struct cw_finding *f,
		       const char *quote, struct marks *marks)
{
	const struct cw_analysis *a = doc->analysis;
	size_t from = 0;

	marks->count = 0;
	for (size_t i = 0; i < f->nevidence && marks->count < MARKS_MAX; i++) {
		const struct cw_evidence *e = &f->evidence[i];
		struct cw_buf word = { 0 };
		cw_plain_text(a->text, e->byte_start, e->byte_end, a->format, &word);
		const char *at = word.len > 0 ? strstr(quote + from, word.data) : NULL;
		if (!at && word.len > 0)
			at = strstr(quote, word.data);
		if (at) {
			from = (size_t)(at - quote) + word.len;
			marks->at[marks->count].from = (size_t)(at - quote);
			marks->at[marks->count].colour = BOLD;
			marks->at[marks->count++].to = from;
		}
		cw_buf_release(&word);
	}
}

static void put_quote(struct cw_output *out, const struct cw_output_document *doc,
		      const struct cw_finding *f)
{
	struct cw_buf text = { 0 };
	struct marks marks = { .count = 0 };

	cw_buf_puts(&text, "\xe2\x80\x9c");
	cw_finding_quote(doc, f, &text);
	cw_buf_puts(&text, "\xe2\x80\x9d");
	if (out->opts.colour && text.data)
		find_marks(doc, f, text.data, &marks);
	paragraph(out, 4, "", cw_buf_str(&text), &marks);
	out->buf.failed |= text.failed;
	cw_buf_release(&text);
}

static void risk(struct cw_output *out, const struct cw_output_document *doc,
		 const struct cw_output_finding *shown)
{
	const struct cw_finding *f = shown->finding;
	struct cw_buf place = { 0 };

	cw_finding_place(doc, f, &place);
	cw_buf_puts(&out->buf, "\n  ");
	painted(out, severity_colour[f->severity], severity_word[f->severity]);
	cw_buf_puts(&out->buf, "  ");
	painted(out, BOLD, cw_finding_title(f));
	cw_buf_puts(&out->buf, "  ");
	painted(out, DIM, f->id);
	cw_buf_putc(&out->buf, '\n');
	paragraph(out, 4, "", cw_buf_str(&place), NULL);
	put_quote(out, doc, f);
	paragraph(out, 4, "why:    ", cw_finding_why(f), NULL);
	paragraph(out, 4, "advice: ", cw_finding_advice(f), NULL);
	paragraph(out, 4, "term:   ", f->term_id, NULL);
	if (shown->waiver)
		paragraph(out, 4, "waived: ", shown->waiver->reason ? shown->waiver->reason : "",
			  NULL);
	cw_buf_release(&place);
}

static void risks(struct cw_output *out, const struct cw_output_document *doc)
{
	for (int s = CW_CRITICAL; s >= CW_INFO; s--)
		for (size_t i = 0; i < doc->nfindings; i++) {
			const struct cw_finding *f = doc->findings[i].finding;
			if (f->polarity == CW_RISK && f->severity == (enum cw_severity)s)
				risk(out, doc, &doc->findings[i]);
		}
}

/* One line each: they are good to know, not to act on. */
static void others(struct cw_output *out, const struct cw_output_document *doc,
		   enum cw_polarity polarity, const char *title)
{
	bool any = false;

	for (size_t i = 0; i < doc->nfindings; i++) {
		const struct cw_finding *f = doc->findings[i].finding;
		struct cw_buf line = { 0 };
		if (f->polarity != polarity)
			continue;
		if (!any) {
			cw_buf_puts(&out->buf, "\n  ");
			painted(out, polarity == CW_PROTECTION ? GREEN : BOLD, title);
			cw_buf_putc(&out->buf, '\n');
		}
		any = true;
		cw_buf_printf(&line, "%s \xe2\x80\x94 ", cw_finding_title(f));
		cw_finding_place(doc, f, &line);
		cw_buf_printf(&line, "  %s", f->id);
		paragraph(out, 4, "", cw_buf_str(&line), NULL);
		out->buf.failed |= line.failed;
		cw_buf_release(&line);
	}
}

static void silent(struct cw_output *out, const struct cw_analysis *a)
{
	struct cw_buf list = { 0 };

	for (size_t i = 0; i < a->nsilent; i++) {
		const struct cw_term *term =
			out->opts.rules ? cw_ruleset_term(out->opts.rules, a->silent[i]) : NULL;
		cw_buf_printf(&list, "%s%s", i > 0 ? "; " : "",
			      term && term->title ? term->title : a->silent[i]);
	}
	if (list.len > 0)
		cw_buf_putc(&out->buf, '\n');
	paragraph(out, 2, "The document is silent on: ", cw_buf_str(&list), NULL);
	out->buf.failed |= list.failed;
	cw_buf_release(&list);
}

static bool is_allotted(const struct cw_cell *cell)
{
	return cell->level && strcmp(cell->level, "silent") != 0;
}

/* Who owns and may use what; a single allotment is among the findings already. */
static void matrix(struct cw_output *out, const struct cw_analysis *a)
{
	static const char *const labels[CW_ARTEFACTS] = { "inputs",     "prompts",
							  "outputs",    "fine-tuned models",
							  "embeddings", "derivative works" };
	size_t allotted = 0;

	for (size_t i = 0; i < CW_ARTEFACTS; i++)
		allotted += is_allotted(&a->matrix[i]);
	if (allotted < 2)
		return;
	cw_buf_puts(&out->buf, "\n  ");
	painted(out, BOLD, "Who owns and who may use");
	cw_buf_printf(&out->buf, "\n    %-18s %-9s %-13s %s\n", "", "owner", "vendor's use",
		      "level");
	for (size_t i = 0; i < CW_ARTEFACTS; i++) {
		const struct cw_cell *cell = &a->matrix[i];
		if (is_allotted(cell))
			cw_buf_printf(&out->buf, "    %-18s %-9s %-13s %s\n", labels[i],
				      cell->owner, cell->use, cell->level);
		else
			cw_buf_printf(&out->buf, "    %-18s silent\n", labels[i]);
	}
}

static void document(struct cw_output *out, const struct cw_output_document *doc)
{
	struct cw_buf facts = { 0 };

	if (out->count++ > 0)
		cw_buf_putc(&out->buf, '\n');
	painted(out, BOLD, doc->path);
	cw_buf_putc(&out->buf, '\n');
	cw_document_facts(doc, &facts);
	paragraph(out, 2, "", cw_buf_str(&facts), NULL);
	risks(out, doc);
	if (cw_document_risk(doc) < 0)
		cw_buf_puts(&out->buf, "  no risk found\n");
	others(out, doc, CW_PROTECTION, "Protections");
	others(out, doc, CW_NEUTRAL, "Also noted");
	matrix(out, doc->analysis);
	silent(out, doc->analysis);
	out->buf.failed |= facts.failed;
	cw_buf_release(&facts);
}

static void error(struct cw_output *out, const struct cw_output_error *what)
{
	if (out->count++ > 0)
		cw_buf_putc(&out->buf, '\n');
	painted(out, YELLOW, "NOT CHECKED");
	cw_buf_puts(&out->buf, "  ");
	cw_output_visible(&out->buf, what->message, strlen(what->message));
	cw_buf_putc(&out->buf, '\n');
}

static void side(struct cw_output *out, const char *label, const struct cw_analysis *a,
		 const struct cw_finding *f)
{
	struct cw_buf text = { 0 };

	if (!f)
		return;
	cw_plain_text(a->text, f->quote_start, f->quote_end, a->format, &text);
	paragraph(out, 4, label, cw_buf_str(&text), NULL);
	out->buf.failed |= text.failed;
	cw_buf_release(&text);
}

struct redline {
	struct cw_buf text;
	struct marks marks;
	bool colour;
};

/* What went and what came stands in brackets where there are no colours. */
static void put_piece(void *ctx, enum cw_redline_mark mark, const char *text, size_t len)
{
	static const char *const open[] = { "", "[-", "{+" }, *const close[] = { "", "-]", "+}" };
	static const enum colour colours[] = { PLAIN, RED, GREEN };
	struct redline *r = ctx;
	struct marks *m = &r->marks;
	bool painted_piece = r->colour && m->count < MARKS_MAX;

	if (r->text.len > 0)
		cw_buf_putc(&r->text, ' ');
	if (painted_piece && mark != CW_WORDS_KEPT) {
		m->at[m->count].from = r->text.len;
		m->at[m->count].to = r->text.len + len;
		m->at[m->count++].colour = colours[mark];
	}
	cw_buf_puts(&r->text, painted_piece ? "" : open[mark]);
	cw_buf_put(&r->text, text, len);
	cw_buf_puts(&r->text, painted_piece ? "" : close[mark]);
}

/* The words of a change, one after the other; both sides whole where there is only one. */
static void sides(struct cw_output *out, const struct cw_comparison *c,
		  const struct cw_change *change)
{
	struct redline line = { .colour = out->opts.colour };
	struct cw_redline_sink sink = { .put = put_piece, .ctx = &line };

	if (cw_redline_words(c, change, &sink)) {
		paragraph(out, 4, "words:  ", cw_buf_str(&line.text), &line.marks);
	} else {
		side(out, "before: ", c->old, change->before);
		side(out, "after:  ", c->new, change->after);
	}
	out->buf.failed |= line.text.failed;
	cw_buf_release(&line.text);
}

static void comparison(struct cw_output *out, const char *path, const struct cw_comparison *c)
{
	if (out->count++ > 0)
		cw_buf_putc(&out->buf, '\n');
	painted(out, BOLD, path);
	cw_buf_putc(&out->buf, '\n');
	size_t quiet = 0;
	for (size_t i = 0; i < c->nchanges; i++)
		quiet += !cw_change_alerts(&c->changes[i]);
	if (c->nchanges == quiet)
		cw_buf_puts(&out->buf, "  no change of substance\n");
	if (quiet > 0)
		cw_buf_printf(&out->buf, "  %zu term%s moved or reworded only\n", quiet,
			      quiet == 1 ? "" : "s");
	for (size_t i = 0; i < c->nchanges; i++) {
		const struct cw_change *change = &c->changes[i];
		if (!cw_change_alerts(change))
			continue;
		const struct cw_finding *f = change->after ? change->after : change->before;
		cw_buf_puts(&out->buf, "\n  ");
		painted(out, severity_colour[change->severity], severity_word[change->severity]);
		cw_buf_printf(&out->buf, "  %s, %s  ", cw_change_event_name(change->event),
			      cw_effect_name(change->effect));
		painted(out, BOLD, change->summary ? change->summary : change->term_id);
		cw_buf_puts(&out->buf, "  ");
		painted(out, DIM, change->id);
		cw_buf_putc(&out->buf, '\n');
		sides(out, c, change);
		paragraph(out, 4, "why:    ", f ? cw_finding_why(f) : "", NULL);
		paragraph(out, 4, "advice: ", f ? cw_finding_advice(f) : "", NULL);
	}
}

static void summary(struct cw_output *out, const struct cw_output_summary *s)
{
	struct cw_buf *buf = &out->buf;

	if (out->count > 0)
		cw_buf_putc(buf, '\n');
	cw_buf_printf(buf, "%zu document%s checked: ", s->documents, s->documents == 1 ? "" : "s");
	cw_summary_words(s, buf);
	cw_buf_puts(buf, ".");
	if (s->unchecked > 0)
		cw_buf_printf(buf, " %zu not checked.", s->unchecked);
	if (s->others > 0)
		cw_buf_printf(buf, " %zu other file%s not read.", s->others,
			      s->others == 1 ? "" : "s");
	cw_buf_printf(buf, " %.2f s\n", s->seconds);
}

const struct cw_output_format cw_output_human = {
	.name = "human",
	.document = document,
	.error = error,
	.comparison = comparison,
	.summary = summary,
};
