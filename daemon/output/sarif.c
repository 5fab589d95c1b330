/* SARIF 2.1.0 (OASIS).  Results are written as they come; the members that need them all, such
 * as the rules that were used, follow them: the order of members means nothing in JSON. */
#include "format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"
#define HOME "https://clausewatch.dev/"

struct used_rule {
	char *id;
	const struct cw_term *term; /* in the rule set, which outlives the output */
	enum cw_severity severity;
};

struct sarif {
	struct used_rule *rules;
	size_t nrules, cap;
	char cwd[4096];
	struct cw_json notes; /* into out->held */
};

static const char *level(enum cw_severity severity)
{
	static const char *const levels[] = { "note", "note", "warning", "error", "error" };

	return levels[severity];
}

/* What code scanning sorts by, on the scale of CVSS. */
static const char *score(enum cw_severity severity)
{
	static const char *const scores[] = { "1.0", "3.0", "5.5", "8.0", "9.5" };

	return scores[severity];
}

static void begin(struct cw_output *out)
{
	struct sarif *s = calloc(1, sizeof(*s));

	if (!s) {
		out->buf.failed = true;
		return;
	}
	out->state = s;
	if (!getcwd(s->cwd, sizeof(s->cwd)))
		s->cwd[0] = '\0';
	cw_json_init(&s->notes, &out->held);
	cw_json_open(&out->json, NULL, '{');
	cw_json_str(&out->json, "$schema", SCHEMA);
	cw_json_str(&out->json, "version", "2.1.0");
	cw_json_open(&out->json, "runs", '[');
	cw_json_open(&out->json, NULL, '{');
	cw_json_str(&out->json, "columnKind", "unicodeCodePoints");
	cw_json_open(&out->json, "results", '[');
}

/* A term is not remembered by its name, which may live and die with one document. */
static size_t rule_index(struct cw_output *out, const struct cw_finding *f)
{
	struct sarif *s = out->state;

	for (size_t i = 0; i < s->nrules; i++)
		if (strcmp(s->rules[i].id, f->term_id) == 0)
			return i;
	if (s->nrules == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 32;
		struct used_rule *rules = realloc(s->rules, cap * sizeof(*rules));
		if (!rules) {
			out->buf.failed = true;
			return 0;
		}
		s->rules = rules;
		s->cap = cap;
	}
	char *id = strdup(f->term_id);
	if (!id) {
		out->buf.failed = true;
		return 0;
	}
	s->rules[s->nrules] = (struct used_rule){
		.id = id,
		.term = f->term,
		.severity = f->term ? f->term->severity : f->severity,
	};
	return s->nrules++;
}

/* Relative to where the program runs if it can be: hosts match it against their tree. */
static void uri(struct cw_output *out, struct cw_json *json, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/";
	const struct sarif *s = out->state;
	size_t cwd = strlen(s->cwd);
	struct cw_buf buf = { 0 };

	if (cwd > 1 && strncmp(path, s->cwd, cwd) == 0 && path[cwd] == '/')
		path += cwd + 1;
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	if (path[0] == '/')
		cw_buf_puts(&buf, "file://");
	for (; *path; path++) {
		if (strchr(plain, *path))
			cw_buf_putc(&buf, *path);
		else
			cw_buf_printf(&buf, "%%%02X", (unsigned char)*path);
	}
	cw_json_open(json, "artifactLocation", '{');
	cw_json_str(json, "uri", cw_buf_str(&buf));
	cw_json_close(json, '}');
	out->buf.failed |= buf.failed;
	cw_buf_release(&buf);
}

static void text_member(struct cw_json *json, const char *key, const char *text)
{
	cw_json_open(json, key, '{');
	cw_json_str(json, "text", text);
	cw_json_close(json, '}');
}

static void message(struct cw_output *out, const struct cw_output_document *doc,
		    const struct cw_finding *f)
{
	struct cw_buf text = { 0 };

	cw_buf_printf(&text, "%s (", cw_finding_title(f));
	cw_finding_place(doc, f, &text);
	cw_buf_puts(&text, "): \xe2\x80\x9c");
	cw_finding_quote(doc, f, &text);
	cw_buf_printf(&text, "\xe2\x80\x9d %s %s", cw_finding_why(f), cw_finding_advice(f));
	text_member(&out->json, "message", cw_buf_str(&text));
	out->buf.failed |= text.failed;
	cw_buf_release(&text);
}

static void location(struct cw_output *out, const struct cw_output_document *doc,
		     const struct cw_finding *f)
{
	struct cw_json *json = &out->json;
	const struct cw_span *span = &f->span;

	cw_json_open(json, "locations", '[');
	cw_json_open(json, NULL, '{');
	cw_json_open(json, "physicalLocation", '{');
	uri(out, json, doc->path);
	cw_json_open(json, "region", '{');
	cw_json_int(json, "startLine", span->line_start);
	cw_json_int(json, "endLine", span->line_end);
	if (!doc->text || !doc->text->converted) {
		cw_json_int(json, "byteOffset", span->byte_start);
		cw_json_int(json, "byteLength", span->byte_end - span->byte_start);
	}
	cw_json_open(json, "snippet", '{');
	cw_json_strn(json, "text", doc->analysis->text + span->byte_start,
		     span->byte_end - span->byte_start);
	cw_json_close(json, '}');
	cw_json_close(json, '}');
	cw_json_close(json, '}');
	cw_json_close(json, '}');
	cw_json_close(json, ']');
}

static void suppression(struct cw_json *json, const struct cw_output_waiver *waiver)
{
	if (!waiver)
		return;
	cw_json_open(json, "suppressions", '[');
	cw_json_open(json, NULL, '{');
	cw_json_str(json, "kind", "external");
	cw_json_str(json, "status", "accepted");
	cw_json_str(json, "justification", waiver->reason ? waiver->reason : "");
	cw_json_close(json, '}');
	cw_json_close(json, ']');
}

static void result(struct cw_output *out, const struct cw_output_document *doc,
		   const struct cw_output_finding *shown)
{
	const struct cw_finding *f = shown->finding;
	const struct cw_clause *clause = cw_finding_clause(doc, f);
	struct cw_json *json = &out->json;
	char hex[17];

	(void)snprintf(hex, sizeof(hex), "%016" PRIx64, clause->fingerprint);
	cw_json_open(json, NULL, '{');
	cw_json_str(json, "ruleId", f->term_id);
	cw_json_int(json, "ruleIndex", (int64_t)rule_index(out, f));
	/* The standard: what is no failure has the level "none". */
	cw_json_str(json, "kind", f->polarity == CW_RISK ? "fail" : "informational");
	cw_json_str(json, "level", f->polarity == CW_RISK ? level(f->severity) : "none");
	message(out, doc, f);
	location(out, doc, f);
	cw_json_open(json, "partialFingerprints", '{');
	cw_json_str(json, "clausewatchClause/v1", hex);
	cw_json_str(json, "clausewatchFinding/v1", f->id);
	cw_json_close(json, '}');
	suppression(json, shown->waiver);
	cw_json_open(json, "properties", '{');
	cw_json_str(json, "id", f->id);
	cw_json_str(json, "polarity", cw_polarity_name(f->polarity));
	cw_json_str(json, "direction", cw_direction_name(f->direction));
	cw_json_str(json, "severity", cw_severity_name(f->severity));
	cw_json_str(json, "section", clause->section);
	cw_json_str(json, "heading", clause->heading);
	cw_json_close(json, '}');
	cw_json_close(json, '}');
}

static void document(struct cw_output *out, const struct cw_output_document *doc)
{
	for (size_t i = 0; i < doc->nfindings; i++)
		result(out, doc, &doc->findings[i]);
}

static void error(struct cw_output *out, const struct cw_output_error *what)
{
	struct sarif *s = out->state;
	struct cw_json *json = &s->notes;

	cw_json_open(json, NULL, '{');
	cw_json_str(json, "level", "error");
	text_member(json, "message", what->message);
	cw_json_open(json, "descriptor", '{');
	cw_json_str(json, "id", what->code);
	cw_json_close(json, '}');
	cw_json_open(json, "locations", '[');
	cw_json_open(json, NULL, '{');
	cw_json_open(json, "physicalLocation", '{');
	uri(out, json, what->path);
	cw_json_close(json, '}');
	cw_json_close(json, '}');
	cw_json_close(json, ']');
	cw_json_close(json, '}');
}

static void rule(struct cw_json *json, const struct used_rule *used)
{
	const struct cw_term *t = used->term;
	const char *title = t && t->title ? t->title : used->id;

	cw_json_open(json, NULL, '{');
	cw_json_str(json, "id", used->id);
	cw_json_str(json, "name", title);
	text_member(json, "shortDescription", title);
	text_member(json, "fullDescription", t && t->why ? t->why : title);
	text_member(json, "help", t && t->advice ? t->advice : title);
	cw_json_open(json, "defaultConfiguration", '{');
	cw_json_str(json, "level", level(used->severity));
	cw_json_close(json, '}');
	cw_json_open(json, "properties", '{');
	cw_json_open(json, "tags", '[');
	cw_json_str(json, NULL, "security"); /* without it the score below is not looked at */
	cw_json_str(json, NULL, "legal");
	if (t && t->family)
		cw_json_str(json, NULL, t->family);
	for (const char *const *code = t ? t->codes : NULL; code && *code; code++)
		cw_json_str(json, NULL, *code);
	cw_json_close(json, ']');
	cw_json_str(json, "security-severity", score(used->severity));
	cw_json_close(json, '}');
	cw_json_close(json, '}');
}

static void summary(struct cw_output *out, const struct cw_output_summary *sum)
{
	struct sarif *s = out->state;
	struct cw_json *json = &out->json;

	cw_json_close(json, ']');
	cw_json_open(json, "tool", '{');
	cw_json_open(json, "driver", '{');
	cw_json_str(json, "name", "clausewatch");
	cw_json_str(json, "version", CW_VERSION);
	cw_json_str(json, "semanticVersion", CW_VERSION);
	cw_json_str(json, "informationUri", HOME);
	cw_json_open(json, "rules", '[');
	for (size_t i = 0; i < s->nrules; i++)
		rule(json, &s->rules[i]);
	cw_json_close(json, ']');
	cw_json_close(json, '}');
	cw_json_close(json, '}');
	cw_json_open(json, "invocations", '[');
	cw_json_open(json, NULL, '{');
	cw_json_bool(json, "executionSuccessful", sum->unchecked == 0);
	cw_json_open(json, "toolExecutionNotifications", '[');
	if (out->held.len > 0)
		cw_json_raw(json, NULL, out->held.data);
	cw_json_close(json, ']');
	cw_json_close(json, '}');
	cw_json_close(json, ']');
	cw_json_open(json, "properties", '{');
	cw_json_int(json, "documents", (int64_t)sum->documents);
	cw_json_int(json, "not_checked", (int64_t)(sum->unchecked + sum->others));
	cw_json_str(json, "ruleset", sum->ruleset);
	cw_json_close(json, '}');
	cw_json_close(json, '}');
	cw_json_close(json, ']');
	cw_json_close(json, '}');
	cw_buf_putc(&out->buf, '\n');
}

static void release(struct cw_output *out)
{
	struct sarif *s = out->state;

	if (!s)
		return;
	for (size_t i = 0; i < s->nrules; i++)
		free(s->rules[i].id);
	free(s->rules);
	free(s);
}

const struct cw_output_format cw_output_sarif = {
	.name = "sarif",
	.begin = begin,
	.document = document,
	.error = error,
	.summary = summary,
	.release = release,
};
