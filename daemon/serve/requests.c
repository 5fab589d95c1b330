#include "serve/requests.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clausewatch/json.h"

#define LIMIT 1000
#define SIMILAR_LIMIT 100
#define COPIES_MAX 10000

const char *cw_request_text(const struct cw_request *r, const char *key)
{
	return json_string_value(json_object_get(r->args, key));
}

int64_t cw_request_number(const struct cw_request *r, const char *key, int64_t otherwise)
{
	json_t *n = json_object_get(r->args, key);

	return json_is_integer(n) ? json_integer_value(n) : otherwise;
}

size_t cw_request_limit(const struct cw_request *r)
{
	int64_t n = cw_request_number(r, "limit", LIMIT);

	return n > 0 && n <= 1000000 ? (size_t)n : LIMIT;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct cw_json cw_request_begin(struct cw_request *r, const char *kind)
{
	struct cw_json json;

	cw_json_init(&json, &r->out);
	cw_json_open(&json, NULL, '{');
	cw_json_str(&json, "kind", kind);
	return json;
}

void cw_request_end(struct cw_json *json)
{
	cw_json_close(json, '}');
	cw_buf_putc(json->out, '\n');
}

/* ---- counts ---- */

static int counts(struct cw_request *r, struct cw_error *err)
{
	struct cw_store_stats s;
	int ret = cw_store_stats(r->store, &s, err);

	if (ret < 0)
		return ret;
	struct cw_json json = cw_request_begin(r, "store");
	cw_json_int(&json, "documents", (int64_t)s.documents);
	cw_json_int(&json, "unchecked", (int64_t)s.unchecked);
	cw_json_int(&json, "clauses", (int64_t)s.clauses);
	cw_json_open(&json, "findings", '{');
	for (int i = CW_STORE_SEVERITIES - 1; i >= 0; i--)
		cw_json_int(&json, cw_severity_name((enum cw_severity)i),
			    (int64_t)s.by_severity[i]);
	cw_json_close(&json, '}');
	cw_json_int(&json, "events", (int64_t)s.events);
	cw_json_open(&json, "deliveries", '{');
	for (int i = 0; i < CW_DELIVERY_STATES; i++)
		cw_json_int(&json, cw_delivery_state_name((enum cw_delivery_state)i),
			    (int64_t)s.outbox[i]);
	cw_json_close(&json, '}');
	cw_json_int(&json, "waivers", (int64_t)s.waivers);
	cw_json_int(&json, "map_used", (int64_t)s.map_used);
	cw_json_int(&json, "map_size", (int64_t)s.map_size);
	cw_request_end(&json);
	return CW_OK;
}

/* ---- events ---- */

void cw_request_event(struct cw_request *r, const struct cw_stored_event *e)
{
	struct cw_json json = cw_request_begin(r, "event");

	cw_json_int(&json, "seq", (int64_t)e->seq);
	cw_json_raw(&json, "event", e->json);
	cw_request_end(&json);
}

/** {"since_ms":N} the newest from then on, or {"after":SEQ} in order. */
static int events(struct cw_request *r, struct cw_error *err)
{
	struct cw_stored_event *at;
	size_t n;
	int64_t after = cw_request_number(r, "after", -1);
	int ret = after >= 0 ? cw_store_events_after(r->store, (uint64_t)after, cw_request_limit(r),
						     &r->arena, &at, &n, err)
			     : cw_store_events_since(r->store, cw_request_number(r, "since_ms", 0),
						     cw_request_limit(r), &r->arena, &at, &n, err);

	for (size_t i = 0; ret == CW_OK && i < n; i++)
		cw_request_event(r, &at[i]);
	return ret;
}

/* ---- deliveries ---- */

static void put_delivery(struct cw_request *r, const struct cw_delivery *d)
{
	struct cw_json json = cw_request_begin(r, "delivery");

	cw_json_str(&json, "id", d->id);
	cw_json_str(&json, "event", d->event);
	cw_json_str(&json, "channel", d->channel);
	cw_json_str(&json, "state", cw_delivery_state_name(d->state));
	cw_json_int(&json, "attempts", d->attempts);
	cw_json_int(&json, "created_ms", d->created_ms);
	cw_json_int(&json, "next_ms", d->next_ms);
	cw_json_int(&json, "last_ms", d->last_ms);
	cw_json_int(&json, "last_status", d->last_status);
	cw_json_str(&json, "last_error", d->last_error);
	cw_request_end(&json);
}

/** {"state":"dead","channel":"legal"}: of one state or all. */
static int deliveries(struct cw_request *r, struct cw_error *err)
{
	const char *word = cw_request_text(r, "state");
	int only = word ? cw_delivery_state_parse(word) : -1;

	if (word && only < 0)
		return cw_fail(err, CW_EINVAL, "no state '%s'", word);
	for (int s = 0; s < CW_DELIVERY_STATES; s++) {
		struct cw_delivery *at;
		size_t n;
		if (only >= 0 && s != only)
			continue;
		int ret = cw_store_deliveries(r->store, (enum cw_delivery_state)s,
					      cw_request_text(r, "channel"), cw_request_limit(r),
					      &r->arena, &at, &n, err);
		if (ret < 0)
			return ret;
		for (size_t i = 0; i < n; i++)
			put_delivery(r, &at[i]);
	}
	return CW_OK;
}

/** {"id":"..."} or {"channel":"legal"} or nothing: all dead and disabled ones. */
static int retry(struct cw_request *r, struct cw_error *err)
{
	size_t n = 0;
	int ret = cw_store_retry(r->store, cw_request_text(r, "id"), cw_request_text(r, "channel"),
				 now_ms(), &n, err);

	if (ret < 0)
		return ret;
	struct cw_json json = cw_request_begin(r, "retried");
	cw_json_int(&json, "deliveries", (int64_t)n);
	cw_request_end(&json);
	return CW_OK;
}

/* ---- documents ---- */

static void put_parties(struct cw_json *json, const struct cw_document *d)
{
	cw_json_open(json, "parties", '[');
	for (size_t i = 0; i < d->nparties; i++)
		cw_json_str(json, NULL, d->parties[i].name);
	cw_json_close(json, ']');
}

static void put_place(struct cw_json *json, const struct cw_docname *name)
{
	cw_json_str(json, "source", name->source);
	if (name->ref[0])
		cw_json_str(json, "ref", name->ref);
	cw_json_str(json, "path", name->path);
}

static int documents(struct cw_request *r, struct cw_error *err)
{
	struct cw_document_query q = { .source = cw_request_text(r, "source"),
				       .limit = cw_request_limit(r) };
	struct cw_document *d;
	size_t n;
	int ret = cw_store_documents(r->store, &q, &r->arena, &d, &n, err);

	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		struct cw_json json = cw_request_begin(r, "document");
		put_place(&json, &d[i].name);
		cw_json_str(&json, "type", d[i].type);
		put_parties(&json, &d[i]);
		cw_json_str(&json, "agreement_date", d[i].agreement_date);
		cw_json_str(&json, "risk",
			    d[i].risk < 0 ? "none" : cw_severity_name((enum cw_severity)d[i].risk));
		cw_json_bool(&json, "legacy", d[i].legacy);
		cw_json_bool(&json, "checked", d[i].checked);
		if (!d[i].checked)
			cw_json_str(&json, "error", d[i].error_message);
		cw_json_int(&json, "clauses", d[i].nclauses);
		cw_json_int(&json, "findings", d[i].nfindings);
		cw_request_end(&json);
	}
	return ret;
}

static int by_document(const void *a, const void *b)
{
	const struct cw_clause_ref *x = a, *y = b;

	return (x->doc > y->doc) - (x->doc < y->doc);
}

/** Documents among clauses, but for one document and one fingerprint. */
static size_t count_documents(struct cw_clause_ref *at, size_t n, uint64_t but, uint64_t not )
{
	uint64_t last = 0;
	size_t documents = 0;

	if (n > 0)
		qsort(at, n, sizeof(*at), by_document);
	for (size_t i = 0; i < n; i++) {
		if (at[i].doc == but || at[i].doc == last || at[i].fingerprint == not )
			continue;
		last = at[i].doc;
		documents++;
	}
	return documents;
}

/** How many other documents hold the very words, or nearly, of a finding's clause. */
static int count_copies(struct cw_request *r, const struct cw_stored_finding *f, size_t *out_same,
			size_t *out_near, struct cw_error *err)
{
	struct cw_arena arena = { 0 };
	struct cw_clause_ref *at;
	size_t n = 0;
	int ret = cw_store_clauses_by_fingerprint(r->store, f->fingerprint, COPIES_MAX, &arena, &at,
						  &n, err);

	*out_same = *out_near = 0;
	if (ret == CW_OK && n > 0) {
		uint64_t skeleton = at[0].skeleton;
		*out_same = count_documents(at, n, f->doc, 0);
		ret = cw_store_clauses_by_skeleton(r->store, skeleton, COPIES_MAX, &arena, &at, &n,
						   err);
		if (ret == CW_OK)
			*out_near = count_documents(at, n, f->doc, f->fingerprint);
	}
	cw_arena_release(&arena);
	return ret;
}

static bool is_grant(const struct cw_stored_finding *f)
{
	return f->polarity == CW_RISK && cw_is_legacy_grant(f->term_id);
}

static int put_legacy_clause(struct cw_request *r, struct cw_json *json,
			     const struct cw_document *d, const struct cw_stored_finding *f,
			     struct cw_error *err)
{
	size_t same, near;
	struct cw_buf quote = { 0 };
	int ret = count_copies(r, f, &same, &near, err);

	cw_plain_text(f->quote, 0, (uint32_t)f->quote_len, d->format, &quote);
	cw_json_open(json, NULL, '{');
	cw_json_str(json, "id", f->id);
	cw_json_str(json, "term", f->term_id);
	cw_json_str(json, "title", f->title);
	cw_json_str(json, "severity", cw_severity_name(f->severity));
	cw_json_str(json, "section", f->section);
	cw_json_str(json, "heading", f->heading);
	cw_json_int(json, "line_start", f->span.line_start);
	cw_json_int(json, "line_end", f->span.line_end);
	cw_json_str(json, "quote", cw_buf_str(&quote));
	cw_json_int(json, "same_elsewhere", (int64_t)same);
	cw_json_int(json, "near_elsewhere", (int64_t)near);
	cw_json_close(json, '}');
	cw_buf_release(&quote);
	return ret;
}

static int put_legacy(struct cw_request *r, const struct cw_document *d,
		      const struct cw_stored_finding *f, size_t n, struct cw_error *err)
{
	int ret = CW_OK;
	struct cw_json json = cw_request_begin(r, "legacy");

	put_place(&json, &d->name);
	cw_json_str(&json, "agreement_date",
		    d->agreement_date[0] ? d->agreement_date : d->effective_date);
	cw_json_str(&json, "type", d->type);
	put_parties(&json, d);
	cw_json_str(&json, "vendor", d->vendor);
	cw_json_str(&json, "in_force", d->in_force);
	cw_json_open(&json, "clauses", '[');
	for (size_t i = 0; ret == CW_OK && i < n; i++)
		if (is_grant(&f[i]))
			ret = put_legacy_clause(r, &json, d, &f[i], err);
	cw_json_close(&json, ']');
	cw_request_end(&json);
	return ret;
}

/** What the engine calls legacy, but with a day of the asker's. */
static bool grants_freely(const struct cw_stored_finding *f, size_t n)
{
	bool grants = false;

	for (size_t i = 0; i < n; i++) {
		if (f[i].polarity == CW_PROTECTION && strcmp(f[i].term_id, "data.no-training") == 0)
			return false;
		grants |= is_grant(&f[i]);
	}
	return grants;
}

/** {"before":"2022-11-30","source":"..."}: documents marked legacy, or of before that day. */
static int legacy(struct cw_request *r, struct cw_error *err)
{
	const char *before = cw_request_text(r, "before");
	struct cw_document_query q = { .source = cw_request_text(r, "source") };
	struct cw_document *d;
	size_t n;
	int ret = cw_store_documents(r->store, &q, &r->arena, &d, &n, err);

	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		struct cw_arena arena = { 0 };
		struct cw_stored_finding *f;
		size_t nf;
		const char *date =
			d[i].agreement_date[0] ? d[i].agreement_date : d[i].effective_date;
		if (before ? !date[0] || strcmp(date, before) >= 0 : !d[i].legacy)
			continue;
		ret = cw_store_findings(r->store, d[i].id, &arena, &f, &nf, err);
		if (ret == CW_OK && (d[i].legacy || grants_freely(f, nf)))
			ret = put_legacy(r, &d[i], f, nf, err);
		cw_arena_release(&arena);
	}
	return ret;
}

/* ---- similar clauses ---- */

static int put_clause(struct cw_request *r, const struct cw_clause_ref *c, struct cw_error *err)
{
	struct cw_document *d;
	const char *text;
	size_t len;
	int ret = cw_store_document_by_id(r->store, c->doc, &r->arena, &d, err);

	if (ret < 0)
		return ret;
	struct cw_buf words = { 0 };
	struct cw_error ignored;
	if (cw_store_text(r->store, d->text, &r->arena, &text, &len, &ignored) == CW_OK &&
	    c->span.byte_end <= len)
		cw_plain_text(text, c->span.byte_start, c->span.byte_end, d->format, &words);
	struct cw_json json = cw_request_begin(r, "clause");
	put_place(&json, &d->name);
	cw_json_str(&json, "section", c->section);
	cw_json_int(&json, "line_start", c->span.line_start);
	cw_json_int(&json, "line_end", c->span.line_end);
	cw_json_real(&json, "similarity", c->similarity);
	cw_json_str(&json, "text", cw_buf_str(&words));
	cw_request_end(&json);
	cw_buf_release(&words);
	return CW_OK;
}

/** The longest clause of a text stands for it. */
static int similar_to_text(struct cw_request *r, const char *text, enum cw_format format,
			   double min, struct cw_error *err)
{
	struct cw_analysis *a;
	uint32_t sketch[CW_SKETCH_LEN];
	struct cw_clause_ref *at;
	size_t n, best = 0;
	int ret = cw_analyse(r->settings->rules, text, strlen(text), format, NULL, &a, err);

	if (ret < 0)
		return ret;
	for (size_t i = 1; i < a->nclauses; i++)
		if (a->clauses[i].tok_count > a->clauses[best].tok_count)
			best = i;
	if (a->nclauses == 0 || a->clauses[best].tok_count == 0)
		ret = cw_fail(err, CW_EINVAL, "the text has no words");
	if (ret == CW_OK) {
		cw_sketch(a, &a->clauses[best], sketch);
		ret = cw_store_clauses_similar(r->store, sketch, min, SIMILAR_LIMIT, &r->arena, &at,
					       &n, err);
	}
	cw_analysis_free(a);
	for (size_t i = 0; ret == CW_OK && i < n; i++)
		ret = put_clause(r, &at[i], err);
	return ret;
}

/** {"text":"..."} or {"clause":"CW-7F3KQ2"}, {"min":0.5}. */
static int similar(struct cw_request *r, struct cw_error *err)
{
	const char *text = cw_request_text(r, "text"), *id = cw_request_text(r, "clause");
	json_t *min = json_object_get(r->args, "min");
	struct cw_stored_finding *f;
	struct cw_document *d;
	const char *bytes = NULL;
	size_t n = 0, len = 0;

	if (text)
		return similar_to_text(r, text, CW_FORMAT_MARKDOWN, json_number_value(min), err);
	if (!id)
		return cw_fail(err, CW_EINVAL, "'text' or 'clause' is missing");
	int ret = cw_store_findings_by_id(r->store, id, &r->arena, &f, &n, err);
	if (ret == CW_OK && n == 0)
		ret = cw_fail(err, CW_ENOTFOUND, "no finding %s", id);
	if (ret == CW_OK)
		ret = cw_store_document_by_id(r->store, f[0].doc, &r->arena, &d, err);
	if (ret == CW_OK)
		ret = cw_store_text(r->store, d->text, &r->arena, &bytes, &len, err);
	if (ret == CW_OK && f[0].span.byte_end > len)
		ret = cw_fail(err, CW_ECORRUPT, "%s lies outside its document", id);
	if (ret < 0)
		return ret;
	text = cw_arena_strndup(&r->arena, bytes + f[0].span.byte_start,
				f[0].span.byte_end - f[0].span.byte_start);
	return text ? similar_to_text(r, text, d->format, json_number_value(min), err)
		    : cw_fail(err, CW_ENOMEM, "out of memory");
}

/* ---- findings ---- */

/** {"id":"CW-7F3KQ2"}: every place of it. */
static int finding(struct cw_request *r, struct cw_error *err)
{
	const char *id = cw_request_text(r, "id");
	struct cw_stored_finding *f;
	size_t n = 0;

	if (!id)
		return cw_fail(err, CW_EINVAL, "'id' is missing");
	int ret = cw_store_findings_by_id(r->store, id, &r->arena, &f, &n, err);
	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		struct cw_document *d;
		ret = cw_store_document_by_id(r->store, f[i].doc, &r->arena, &d, err);
		if (ret < 0)
			break;
		struct cw_json json = cw_request_begin(r, "finding");
		cw_json_str(&json, "id", f[i].id);
		put_place(&json, &d->name);
		cw_json_str(&json, "term", f[i].term_id);
		cw_json_str(&json, "title", f[i].title);
		cw_json_str(&json, "severity", cw_severity_name(f[i].severity));
		cw_json_str(&json, "polarity", cw_polarity_name(f[i].polarity));
		cw_json_str(&json, "section", f[i].section);
		cw_json_int(&json, "line_start", f[i].span.line_start);
		cw_json_strn(&json, "quote", f[i].quote, f[i].quote_len);
		cw_json_str(&json, "why", f[i].why);
		cw_json_str(&json, "advice", f[i].advice);
		cw_json_int(&json, "first_seen_ms", f[i].first_seen_ms);
		cw_request_end(&json);
	}
	return ret;
}

/* ---- the table ---- */

static const struct cw_operation operations[] = {
	{ "backup", cw_request_backup, false },
	{ "counts", counts, false },
	{ "deliveries", deliveries, false },
	{ "documents", documents, false },
	{ "events", events, false },
	{ "export", cw_request_export, false },
	{ "finding", finding, false },
	{ "legacy", legacy, false },
	{ "retry", retry, true },
	{ "similar", similar, false },
	{ "unwaive", cw_request_unwaive, false },
	{ "waive", cw_request_waive, false },
	{ "waivers", cw_request_waivers, false },
	/* the server's own */
	{ "status", NULL, false },
	{ "reload", NULL, false },
	{ "rescan", NULL, false },
	{ "nudge", NULL, false },
	{ "follow", NULL, false },
};

#define COUNT (sizeof(operations) / sizeof(operations[0]))

const struct cw_operation *cw_operation_find(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(operations[i].name, name) == 0)
			return &operations[i];
	return NULL;
}

void cw_operation_names(const char *names[static 32])
{
	for (size_t i = 0; i < COUNT; i++)
		names[i] = operations[i].name;
	names[COUNT] = NULL;
}
