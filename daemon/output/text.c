/* Words for people, and escaping them for where they go. */
#include "format.h"

#include <string.h>

#include "clausewatch/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

static const char *either(const char *first, const char *second)
{
	return first && *first ? first : second && *second ? second : "";
}

const char *cw_finding_title(const struct cw_finding *f)
{
	return either(f->term ? f->term->title : NULL, f->term_id);
}

const char *cw_finding_why(const struct cw_finding *f)
{
	return either(f->why, f->term ? f->term->why : NULL);
}

const char *cw_finding_advice(const struct cw_finding *f)
{
	return either(f->advice, f->term ? f->term->advice : NULL);
}

const struct cw_clause *cw_finding_clause(const struct cw_output_document *doc,
					  const struct cw_finding *f)
{
	static const struct cw_clause none = { .section = "", .heading = "" };

	return f->clause < doc->analysis->nclauses ? &doc->analysis->clauses[f->clause] : &none;
}

void cw_finding_quote(const struct cw_output_document *doc, const struct cw_finding *f,
		      struct cw_buf *out)
{
	const struct cw_analysis *a = doc->analysis;

	cw_plain_text(a->text, f->quote_start, f->quote_end, a->format, out);
}

void cw_finding_place(const struct cw_output_document *doc, const struct cw_finding *f,
		      struct cw_buf *out)
{
	const struct cw_clause *clause = cw_finding_clause(doc, f);
	const char *section = either(clause->section, NULL);
	const char *heading = either(clause->heading, NULL);

	cw_output_visible(out, section, strlen(section));
	if (*section && *heading)
		cw_buf_putc(out, ' ');
	cw_output_visible(out, heading, strlen(heading));
	if (*section || *heading)
		cw_buf_puts(out, ", ");
	if (doc->text && doc->text->npages > 0)
		cw_buf_printf(out, "page %u, ", cw_text_page(doc->text, f->span.byte_start));
	if (f->span.line_start == f->span.line_end)
		cw_buf_printf(out, "line %u", f->span.line_start);
	else
		cw_buf_printf(out, "lines %u-%u", f->span.line_start, f->span.line_end);
}

int cw_document_risk(const struct cw_output_document *doc)
{
	int worst = -1;

	for (size_t i = 0; i < doc->nfindings; i++) {
		const struct cw_finding *f = doc->findings[i].finding;
		if (f->polarity == CW_RISK && !doc->findings[i].waiver && (int)f->severity > worst)
			worst = (int)f->severity;
	}
	return worst;
}

const char *cw_document_format(const struct cw_output_document *doc)
{
	return doc->text && doc->text->name ? doc->text->name
					    : cw_format_name(doc->analysis->format);
}

static const char *role_name(enum cw_role role)
{
	return role == CW_ROLE_VENDOR ? "vendor" : role == CW_ROLE_CUSTOMER ? "customer" : NULL;
}

/* One more fact of the line: a separator when it is not the first, then what, then the value. */
static void fact(struct cw_buf *out, const char *what, const char *value)
{
	if (!value || !*value)
		return;
	if (out->len > 0)
		cw_buf_puts(out, " \xc2\xb7 ");
	cw_buf_puts(out, what);
	cw_output_visible(out, value, strlen(value));
}

void cw_document_facts(const struct cw_output_document *doc, struct cw_buf *out)
{
	const struct cw_profile *p = &doc->analysis->profile;

	fact(out, "", p->type);
	for (size_t i = 0; i < p->nparties; i++) {
		const char *role = role_name(p->parties[i].role);
		fact(out, "", p->parties[i].name);
		if (role)
			cw_buf_printf(out, " (%s)", role);
	}
	fact(out, "", either(p->effective_date, p->agreement_date));
	fact(out, "until ", p->expiration_date);
	fact(out, "law: ", p->governing_law);
	if (p->auto_renews == 1)
		fact(out, "", "renews by itself");
	if (p->legacy)
		fact(out, "", "legacy agreement");
	if (doc->text && doc->text->converted)
		fact(out, "positions are those of the text converted from ", doc->text->encoding);
}

void cw_summary_words(const struct cw_output_summary *summary, struct cw_buf *out)
{
	size_t total = 0;
	const char *sep = " (";

	for (int s = CW_INFO; s <= CW_CRITICAL; s++)
		total += summary->findings[s];
	cw_buf_printf(out, "%zu risk%s", total, total == 1 ? "" : "s");
	for (int s = CW_CRITICAL; s >= CW_INFO; s--) {
		if (summary->findings[s] == 0)
			continue;
		cw_buf_printf(out, "%s%zu %s", sep, summary->findings[s],
			      cw_severity_name((enum cw_severity)s));
		sep = ", ";
	}
	cw_buf_puts(out, total > 0 ? ")" : "");
	cw_buf_printf(out, ", %zu protection%s", summary->protections,
		      summary->protections == 1 ? "" : "s");
	if (summary->waived > 0)
		cw_buf_printf(out, ", %zu waived", summary->waived);
}

static bool is_hidden(uint32_t rune)
{
	return rune < 0x20 || (rune >= 0x7f && rune < 0xa0) || (rune >= 0x200e && rune <= 0x200f) ||
	       (rune >= 0x202a && rune <= 0x202e) || (rune >= 0x2066 && rune <= 0x2069);
}

void cw_output_visible(struct cw_buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t rune;
		size_t n = cw_utf8_decode(text + i, len - i, &rune);
		if (n == 0)
			cw_buf_printf(out, "\\x%02x", (unsigned char)text[i]);
		else if (rune == '\n')
			cw_buf_puts(out, "\\n");
		else if (is_hidden(rune))
			cw_buf_printf(out, rune < 0x100 ? "\\x%02x" : "\\u%04x", rune);
		else
			cw_buf_put(out, text + i, n);
		i += n > 0 ? n : 1;
	}
}

static const char *xml_entity(uint32_t rune)
{
	switch (rune) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	default:
		return rune < 0x20 || (rune >= 0x7f && rune < 0xa0) || rune == 0xfffe ||
				       rune == 0xffff
			       ? REPLACEMENT
			       : NULL;
	}
}

void cw_put_xml(struct cw_buf *out, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		uint32_t rune;
		size_t n = cw_utf8_decode(text + i, len - i, &rune);
		const char *entity = n > 0 ? xml_entity(rune) : REPLACEMENT;
		if (entity)
			cw_buf_puts(out, entity);
		else
			cw_buf_put(out, text + i, n);
		i += n > 0 ? n : 1;
	}
}
