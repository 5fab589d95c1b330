/* The objects of the JSON lines.  INTERFACES fixes their members; "kind" comes first. */
#include "format.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "clausewatch/utf8.h"

void cw_output_path_json(struct cw_json *json, const char *path)
{
	size_t len = strlen(path);

	cw_json_str(json, "path", path);
	if (cw_utf8_valid(path, len))
		return;
	struct cw_buf text = { 0 };
	char *at = cw_buf_reserve(&text, (len + 2) / 3 * 4);
	if (at) {
		EVP_EncodeBlock((unsigned char *)at, (const unsigned char *)path, (int)len);
		cw_json_str(json, "path_bytes", at);
	}
	cw_buf_release(&text);
}

static void known_str(struct cw_json *json, const char *key, const char *text)
{
	cw_json_str(json, key, text && *text ? text : NULL);
}

static void list_json(struct cw_json *json, const char *key, const char *words)
{
	cw_json_open(json, key, '[');
	for (const char *at = words; *at;) {
		size_t n = strcspn(at, ",");
		cw_json_strn(json, NULL, at, n);
		at += n + (at[n] == ',');
	}
	cw_json_close(json, ']');
}

/* Digits as they stand, so that no precision is lost; anything else is text. */
static void number_json(struct cw_json *json, const char *key, const char *value)
{
	size_t digits = strspn(value, "0123456789");
	size_t n = digits;

	if (digits > 0 && value[n] == '.') {
		size_t decimals = strspn(value + n + 1, "0123456789");
		n = decimals > 0 ? n + 1 + decimals : n;
	}
	if (digits == 0 || value[n] || (digits > 1 && value[0] == '0'))
		cw_json_str(json, key, value);
	else
		cw_json_raw(json, key, value);
}

void cw_output_attrs_json(struct cw_json *json, const char *key, const struct cw_attr *attrs,
			  size_t nattrs)
{
	cw_json_open(json, key, '{');
	for (size_t i = 0; i < nattrs; i++) {
		const struct cw_attr *at = &attrs[i];
		switch (at->kind) {
		case CW_ATTR_BOOL:
			cw_json_bool(json, at->name, strcmp(at->value, "true") == 0);
			break;
		case CW_ATTR_NUMBER:
			number_json(json, at->name, at->value);
			break;
		case CW_ATTR_LIST:
			list_json(json, at->name, at->value);
			break;
		case CW_ATTR_TEXT:
			cw_json_str(json, at->name, at->value);
			break;
		}
	}
	cw_json_close(json, '}');
}

static void waiver_json(struct cw_json *json, const struct cw_output_waiver *waiver)
{
	if (!waiver) {
		cw_json_null(json, "waiver");
		return;
	}
	cw_json_open(json, "waiver", '{');
	cw_json_str(json, "id", waiver->id);
	cw_json_str(json, "reason", waiver->reason);
	cw_json_str(json, "approver", waiver->approver);
	cw_json_str(json, "expires", waiver->expires);
	cw_json_close(json, '}');
}

static void span_json(struct cw_json *json, const struct cw_span *span)
{
	cw_json_int(json, "line_start", span->line_start);
	cw_json_int(json, "line_end", span->line_end);
	cw_json_int(json, "byte_start", span->byte_start);
	cw_json_int(json, "byte_end", span->byte_end);
}

static void codes_json(struct cw_json *json, const struct cw_term *term)
{
	cw_json_open(json, "codes", '[');
	for (const char *const *code = term ? term->codes : NULL; code && *code; code++)
		cw_json_str(json, NULL, *code);
	cw_json_close(json, ']');
}

static void fingerprint_json(struct cw_json *json, uint64_t fingerprint)
{
	char hex[17];

	(void)snprintf(hex, sizeof(hex), "%016" PRIx64, fingerprint);
	cw_json_str(json, "fingerprint", hex);
}

void cw_output_finding_json(struct cw_json *json, const struct cw_output_document *doc,
			    const struct cw_output_finding *finding)
{
	const struct cw_finding *f = finding->finding;
	const struct cw_clause *clause = cw_finding_clause(doc, f);

	cw_json_open(json, NULL, '{');
	cw_json_str(json, "kind", "finding");
	cw_json_str(json, "id", f->id);
	cw_output_path_json(json, doc->path);
	cw_json_str(json, "term", f->term_id);
	cw_json_str(json, "title", cw_finding_title(f));
	codes_json(json, f->term);
	cw_json_str(json, "rule", f->rule ? f->rule->id : NULL);
	cw_json_str(json, "polarity", cw_polarity_name(f->polarity));
	cw_json_str(json, "direction", cw_direction_name(f->direction));
	cw_json_str(json, "severity", cw_severity_name(f->severity));
	cw_json_str(json, "section", clause->section);
	cw_json_str(json, "heading", clause->heading);
	span_json(json, &f->span);
	if (doc->text && doc->text->npages > 0)
		cw_json_int(json, "page", cw_text_page(doc->text, f->span.byte_start));
	cw_json_strn(json, "quote", doc->analysis->text + f->quote_start,
		     f->quote_end - f->quote_start);
	cw_output_attrs_json(json, "attributes", f->attrs, f->nattrs);
	fingerprint_json(json, clause->fingerprint);
	cw_json_str(json, "evidence", f->evidence_kind);
	cw_json_real(json, "confidence", (double)f->confidence);
	cw_json_str(json, "why", cw_finding_why(f));
	cw_json_str(json, "advice", cw_finding_advice(f));
	waiver_json(json, finding->waiver);
	cw_json_close(json, '}');
}

static const char *role_word(enum cw_role role)
{
	static const char *const words[] = { "unknown", "vendor", "customer", "other" };

	return words[role];
}

static void profile_json(struct cw_json *json, const struct cw_profile *p)
{
	known_str(json, "type", p->type);
	cw_json_bool(json, "online", p->online);
	cw_json_open(json, "parties", '[');
	for (size_t i = 0; i < p->nparties; i++)
		cw_json_str(json, NULL, p->parties[i].name);
	cw_json_close(json, ']');
	cw_json_open(json, "roles", '[');
	for (size_t i = 0; i < p->nparties; i++) {
		cw_json_open(json, NULL, '{');
		cw_json_str(json, "name", p->parties[i].name);
		known_str(json, "alias", p->parties[i].alias);
		cw_json_str(json, "role", role_word(p->parties[i].role));
		cw_json_close(json, '}');
	}
	cw_json_close(json, ']');
	known_str(json, "vendor", p->vendor);
	known_str(json, "customer", p->customer);
	known_str(json, "agreement_date", p->agreement_date);
	known_str(json, "effective_date", p->effective_date);
	known_str(json, "expiration_date", p->expiration_date);
	if (p->auto_renews < 0)
		cw_json_null(json, "auto_renews");
	else
		cw_json_bool(json, "auto_renews", p->auto_renews != 0);
	if (p->notice_period_days < 0)
		cw_json_null(json, "notice_period_days");
	else
		cw_json_int(json, "notice_period_days", p->notice_period_days);
	known_str(json, "governing_law", p->governing_law);
	cw_json_bool(json, "legacy", p->legacy);
	cw_json_str(json, "in_force", p->in_force && *p->in_force ? p->in_force : "unknown");
}

static void matrix_json(struct cw_json *json, const struct cw_analysis *a)
{
	cw_json_open(json, "matrix", '{');
	for (size_t i = 0; i < CW_ARTEFACTS; i++) {
		const struct cw_cell *cell = &a->matrix[i];
		cw_json_open(json, cw_artefact_names[i], '{');
		cw_json_str(json, "owner", cell->owner ? cell->owner : "silent");
		cw_json_str(json, "use", cell->use ? cell->use : "silent");
		cw_json_str(json, "level", cell->level ? cell->level : "silent");
		cw_json_open(json, "findings", '[');
		for (size_t k = 0; k < cell->nfindings; k++)
			cw_json_str(json, NULL, a->findings[cell->findings[k]].id);
		cw_json_close(json, ']');
		cw_json_close(json, '}');
	}
	cw_json_close(json, '}');
}

void cw_output_document_json(struct cw_json *json, const struct cw_output_document *doc)
{
	const struct cw_analysis *a = doc->analysis;
	int risk = cw_document_risk(doc);

	cw_json_open(json, NULL, '{');
	cw_json_str(json, "kind", "document");
	cw_output_path_json(json, doc->path);
	cw_json_str(json, "format", cw_document_format(doc));
	if (doc->text && doc->text->encoding)
		cw_json_str(json, "encoding", doc->text->encoding);
	if (doc->text && doc->text->converted)
		cw_json_bool(json, "converted", true);
	profile_json(json, &a->profile);
	cw_json_int(json, "clauses", (int64_t)a->nclauses);
	matrix_json(json, a);
	cw_output_attrs_json(json, "answers", a->answers, a->nanswers);
	cw_json_open(json, "silent", '[');
	for (size_t i = 0; i < a->nsilent; i++)
		cw_json_str(json, NULL, a->silent[i]);
	cw_json_close(json, ']');
	cw_json_str(json, "risk", risk < 0 ? "none" : cw_severity_name((enum cw_severity)risk));
	cw_json_bool(json, "checked", true);
	cw_json_close(json, '}');
}

static void side_json(struct cw_json *json, const char *key, const struct cw_analysis *a,
		      const struct cw_finding *f)
{
	if (!f) {
		cw_json_null(json, key);
		return;
	}
	cw_json_open(json, key, '{');
	cw_json_strn(json, "quote", a->text + f->quote_start, f->quote_end - f->quote_start);
	if (f->clause < a->nclauses) {
		cw_json_str(json, "section", a->clauses[f->clause].section);
		cw_json_str(json, "heading", a->clauses[f->clause].heading);
	}
	span_json(json, &f->span);
	cw_output_attrs_json(json, "attributes", f->attrs, f->nattrs);
	cw_json_close(json, '}');
}

void cw_output_change_json(struct cw_json *json, const char *path,
			   const struct cw_comparison *comparison, const struct cw_change *change)
{
	const struct cw_finding *f = change->after ? change->after : change->before;

	cw_json_open(json, NULL, '{');
	cw_json_str(json, "kind", "change");
	cw_json_str(json, "event", cw_change_event_name(change->event));
	cw_output_path_json(json, path);
	cw_json_str(json, "term", change->term_id);
	cw_json_str(json, "title", f ? cw_finding_title(f) : change->term_id);
	if (f)
		cw_json_str(json, "polarity", cw_polarity_name(f->polarity));
	cw_json_str(json, "direction", cw_effect_name(change->effect));
	cw_json_str(json, "severity", cw_severity_name(change->severity));
	cw_json_str(json, "id", change->id);
	side_json(json, "before", comparison->old, change->before);
	side_json(json, "after", comparison->new, change->after);
	cw_json_str(json, "summary", change->summary);
	cw_json_close(json, '}');
}

void cw_output_error_json(struct cw_json *json, const struct cw_output_error *error)
{
	cw_json_open(json, NULL, '{');
	cw_json_str(json, "kind", "error");
	cw_output_path_json(json, error->path);
	cw_json_str(json, "code", error->code);
	cw_json_str(json, "message", error->message);
	cw_json_close(json, '}');
}

void cw_output_summary_json(struct cw_json *json, const struct cw_output_summary *summary)
{
	cw_json_open(json, NULL, '{');
	cw_json_str(json, "kind", "summary");
	cw_json_int(json, "documents", (int64_t)summary->documents);
	cw_json_int(json, "not_checked", (int64_t)(summary->unchecked + summary->others));
	cw_json_int(json, "errors", (int64_t)summary->unchecked);
	cw_json_int(json, "other_files", (int64_t)summary->others);
	cw_json_open(json, "findings", '{');
	for (int s = CW_CRITICAL; s >= CW_INFO; s--)
		cw_json_int(json, cw_severity_name((enum cw_severity)s),
			    (int64_t)summary->findings[s]);
	cw_json_close(json, '}');
	cw_json_int(json, "protections", (int64_t)summary->protections);
	cw_json_int(json, "waived", (int64_t)summary->waived);
	cw_json_str(json, "ruleset", summary->ruleset);
	cw_json_str(json, "version", CW_VERSION);
	cw_json_real(json, "seconds", summary->seconds);
	cw_json_close(json, '}');
}
