/* Many documents in one event: the first look at a source, and what new rules changed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pipeline.h"

#define WORST_LISTED 10
#define PAGE 500

struct summary {
	struct cw_batch batch; /* for its arena and settings */
	uint64_t documents, unchecked, legacy;
	uint64_t findings[CW_STORE_SEVERITIES];
	struct cw_event_change worst[WORST_LISTED];
	size_t nworst;
	struct cw_buf legacies;
};

static int no_memory(struct cw_error *err)
{
	return cw_fail(err, CW_ENOMEM, "out of memory");
}

static uint32_t findings_of(const struct cw_document *doc)
{
	uint32_t n = 0;

	for (int i = 0; i < CW_STORE_SEVERITIES; i++)
		n += doc->counts[i];
	return n;
}

/* Keeps the list sorted, the worst first; a later equal one stays behind. */
static int add_worst(struct summary *s, const struct cw_document *doc, struct cw_error *err)
{
	size_t at = s->nworst;
	struct cw_arena *arena = &s->batch.arena;

	if (doc->risk < 0)
		return CW_OK;
	while (at > 0 && (int)s->worst[at - 1].severity < doc->risk)
		at--;
	if (at == WORST_LISTED)
		return CW_OK;
	struct cw_event_change row = {
		.event = "appeared",
		.polarity = "risk",
		.direction = "riskier",
		.severity = (enum cw_severity)doc->risk,
		.title = cw_arena_strdup(arena, doc->name.path),
		.summary = cw_arena_printf(arena, "%u risks%s", findings_of(doc),
					   doc->legacy ? ", legacy" : ""),
	};
	if (!row.title || !row.summary)
		return no_memory(err);
	if (s->nworst < WORST_LISTED)
		s->nworst++;
	memmove(&s->worst[at + 1], &s->worst[at], (s->nworst - at - 1) * sizeof(row));
	s->worst[at] = row;
	return CW_OK;
}

static int add_document(struct summary *s, const struct cw_document *doc, struct cw_error *err)
{
	s->documents++;
	s->unchecked += !doc->checked;
	for (int i = 0; i < CW_STORE_SEVERITIES; i++)
		s->findings[i] += doc->counts[i];
	if (doc->legacy && s->legacy++ < WORST_LISTED)
		cw_buf_printf(&s->legacies, "%s%s", s->legacies.len > 0 ? "\n" : "",
			      doc->name.path);
	return add_worst(s, doc, err);
}

static int add_documents(struct summary *s, const char *ref, struct cw_error *err)
{
	struct cw_document_query q = { .limit = PAGE,
				       .source = s->batch.source->name,
				       .ref = *ref ? ref : NULL };
	size_t n = 0;
	int ret;

	do {
		struct cw_arena page = { 0 };
		struct cw_document *docs = NULL;

		ret = cw_store_documents(s->batch.store, &q, &page, &docs, &n, err);
		for (size_t i = 0; ret == CW_OK && i < n; i++) {
			q.after = docs[i].id;
			ret = add_document(s, &docs[i], err);
		}
		cw_arena_release(&page);
	} while (ret == CW_OK && n == PAGE);
	return ret;
}

static enum cw_severity worst_of(const struct summary *s)
{
	int severity = CW_STORE_SEVERITIES - 1;

	while (severity > 0 && s->findings[severity] == 0)
		severity--;
	return (enum cw_severity)severity;
}

static int fill_attrs(struct summary *s, struct cw_event *e, struct cw_error *err)
{
	struct cw_batch *b = &s->batch;
	int ret = cw_event_attr(b, e, CW_ATTR_NUMBER, "documents", "%" PRIu64, s->documents);

	if (ret == CW_OK)
		ret = cw_event_attr(b, e, CW_ATTR_NUMBER, "not_checked", "%" PRIu64, s->unchecked);
	for (int i = CW_STORE_SEVERITIES - 1; ret == CW_OK && i >= 0; i--)
		ret = cw_event_attr(b, e, CW_ATTR_NUMBER, cw_severity_name((enum cw_severity)i),
				    "%" PRIu64, s->findings[i]);
	if (ret == CW_OK)
		ret = cw_event_attr(b, e, CW_ATTR_NUMBER, "legacy", "%" PRIu64, s->legacy);
	if (ret == CW_OK && s->legacy > 0)
		ret = cw_event_attr(b, e, CW_ATTR_TEXT, "legacy_documents", "%s",
				    cw_buf_str(&s->legacies));
	return ret < 0 ? no_memory(err) : CW_OK;
}

/* The same for the same source and store: telling it again would be refused by the store. */
static int make_id(struct summary *s, const char *ref, struct cw_event *e, struct cw_error *err)
{
	struct cw_store_meta meta;
	struct cw_buf name = { 0 };
	uint8_t hash[CW_HASH_SIZE];
	int ret = cw_store_meta(s->batch.store, &meta, err);

	if (ret < 0)
		return ret;
	cw_buf_printf(&name, "%s\n%s\n%s\n%s", meta.install_id, s->batch.source->name,
		      s->batch.source->folder ? s->batch.source->folder
					      : s->batch.source->repository,
		      ref);
	cw_store_hash(cw_buf_str(&name), name.len, hash);
	cw_buf_release(&name);
	(void)snprintf(e->id, sizeof(e->id), "first-");
	for (size_t i = 0; i < CW_HASH_SIZE; i++)
		(void)snprintf(e->id + 6 + 2 * i, 3, "%02x", hash[i]);
	e->time_ms = cw_now_ms();
	return CW_OK;
}

static int add_summary(struct summary *s, const char *ref, struct cw_error *err)
{
	const struct cw_reading r = { .name = { .ref = ref }, .cause = "first-scan" };
	struct cw_batch *b = &s->batch;
	struct cw_stored_event *told = NULL;
	struct cw_event e;

	cw_event_begin(b, &r, CW_TYPE("document.added"), &e);
	e.severity = worst_of(s);
	e.changes = s->worst;
	e.nchanges = s->nworst;
	e.summary = cw_arena_printf(
		&b->arena,
		"first scan of %s%s%s: %" PRIu64 " documents, %" PRIu64 " critical and %" PRIu64
		" high risks, %" PRIu64 " legacy, %" PRIu64 " not checked",
		b->source->name, *ref ? " " : "", ref, s->documents, s->findings[CW_CRITICAL],
		s->findings[CW_HIGH], s->legacy, s->unchecked);
	int ret = make_id(s, ref, &e, err);
	if (ret == CW_OK && !e.summary)
		ret = no_memory(err);
	if (ret == CW_OK)
		ret = fill_attrs(s, &e, err);
	if (ret < 0 || cw_store_event(b->store, e.id, &b->arena, &told, NULL) == CW_OK)
		return ret;
	return cw_event_add(b, &b->loose, &e, true, err);
}

int cw_first_scan_end(struct cw_store *store, const struct cw_settings *settings,
		      const struct cw_config_source *source, const char *ref, const char *oid,
		      struct cw_error *err)
{
	struct summary s = { .batch = { .store = store, .settings = settings, .source = source } };
	const struct cw_ref mark = {
		.source = source->name, .ref = ref, .oid = oid, .time_ms = cw_now_ms()
	};
	int ret = CW_OK;

	if (settings->config->alerts.first_scan == CW_FIRST_SUMMARY) {
		ret = add_documents(&s, ref, err);
		if (ret == CW_OK)
			ret = add_summary(&s, ref, err);
		if (ret == CW_OK)
			ret = cw_batch_commit(&s.batch, err);
	}
	if (ret == CW_OK)
		ret = cw_store_put_ref(store, &mark, err);
	cw_buf_release(&s.legacies);
	cw_batch_release(&s.batch);
	return ret;
}

int cw_rules_summary(struct cw_store *store, const struct cw_settings *settings,
		     const struct cw_reread_total *total, struct cw_error *err)
{
	static const struct cw_config_source nothing;
	static const struct cw_reading r = { .cause = "rules" };
	struct cw_batch b = { .store = store, .settings = settings, .source = &nothing };
	struct cw_event e;
	int ret = CW_OK;

	if (total->appeared + total->vanished > 0) {
		cw_event_begin(&b, &r,
			       total->appeared > 0 ? CW_TYPE("risk.appeared")
						   : CW_TYPE("risk.removed"),
			       &e);
		e.severity = CW_MEDIUM;
		e.summary =
			cw_arena_printf(&b.arena,
					"rules changed: %" PRIu64 " findings appeared and %" PRIu64
					" vanished in %" PRIu64 " documents that did not change",
					total->appeared, total->vanished, total->documents);
		if (!e.summary ||
		    cw_event_attr(&b, &e, CW_ATTR_NUMBER, "appeared", "%" PRIu64, total->appeared) <
			    0 ||
		    cw_event_attr(&b, &e, CW_ATTR_NUMBER, "vanished", "%" PRIu64, total->vanished) <
			    0 ||
		    cw_event_attr(&b, &e, CW_ATTR_NUMBER, "documents", "%" PRIu64,
				  total->documents) < 0)
			ret = no_memory(err);
		if (ret == CW_OK)
			ret = cw_event_add(&b, &b.loose, &e, true, err);
		if (ret == CW_OK)
			ret = cw_batch_commit(&b, err);
	}
	if (ret == CW_OK)
		ret = cw_store_set_rules_digest(store, settings->digest, err);
	cw_batch_release(&b);
	return ret;
}
