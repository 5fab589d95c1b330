/*
 * What a change of a document means to people: one event for each version, of the type of its
 * worst change, with all changes in it.  Quiet is a feature: moved and reworded clauses, waived
 * findings and terms that are switched off say nothing; terms on trial (shadow) are recorded and
 * sent to nobody.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clausewatch/ruleset.h"
#include "pipeline.h"

#define LISTED_MAX 10

static int no_memory(struct cw_error *err)
{
	return cw_fail(err, CW_ENOMEM, "out of memory");
}

static const char *host_name(void)
{
	static char name[65];

	/* Every thread would write the same. */
	if (!name[0] && gethostname(name, sizeof(name) - 1) < 0)
		return NULL;
	return name;
}

static void date_of(int64_t ms, char out[11])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(out, 11, "%Y-%m-%d", &tm) == 0)
		out[0] = '\0';
}

/* ---- making an event ---- */

static const char *some(const char *text)
{
	return text && *text ? text : NULL;
}

void cw_event_begin(struct cw_batch *b, const struct cw_reading *r, const char *type,
		    struct cw_event *out)
{
	*out = (struct cw_event){
		.type = type,
		.source = b->source->name,
		.path = some(r->name.path),
		.ref = some(r->name.ref),
		.cause = r->cause,
		.commit = some(r->commit),
		.author = some(r->author),
		.subject = some(r->subject),
		.commit_date = some(r->commit_date),
		.host = host_name(),
	};
}

int cw_event_attr(struct cw_batch *b, struct cw_event *e, enum cw_attr_kind kind, const char *name,
		  const char *fmt, ...)
{
	struct cw_attr *attrs = cw_arena_alloc(&b->arena, (e->ndata + 1) * sizeof(*attrs));
	struct cw_buf value = { 0 };
	va_list ap;

	va_start(ap, fmt);
	cw_buf_vprintf(&value, fmt, ap);
	va_end(ap);
	const char *copy = cw_arena_strdup(&b->arena, cw_buf_str(&value));
	bool failed = value.failed || !copy || !attrs;
	cw_buf_release(&value);
	if (failed)
		return CW_ENOMEM;
	if (e->ndata > 0)
		memcpy(attrs, e->data, e->ndata * sizeof(*attrs));
	attrs[e->ndata++] = (struct cw_attr){ .name = name, .kind = kind, .value = copy };
	e->data = attrs;
	return CW_OK;
}

int cw_event_route(const struct cw_settings *settings, const struct cw_event *e,
		   struct cw_arena *arena, struct cw_commit_event *out, struct cw_error *err)
{
	const char **names = cw_arena_alloc(arena, (settings->nchannels + 1) * sizeof(*names));
	size_t n = 0;

	if (!names)
		return no_memory(err);
	for (size_t i = 0; i < settings->nchannels; i++) {
		if (cw_channel_wants(&settings->channels[i], e))
			names[n++] = settings->channels[i].name;
	}
	*out = (struct cw_commit_event){ .event = e, .channels = names, .nchannels = n };
	return CW_OK;
}

int cw_event_add(struct cw_batch *b, struct cw_held *held, struct cw_event *e, bool deliver,
		 struct cw_error *err)
{
	struct cw_commit_event *at = cw_arena_grow(&b->arena, held->events, held->nevents,
						   &held->cap_events, sizeof(*at));
	if (!at)
		return no_memory(err);
	held->events = at;
	int ret = e->id[0] ? CW_OK : cw_event_stamp(e, err);
	struct cw_event *copy = ret == CW_OK ? cw_event_copy(&b->arena, e) : NULL;
	if (ret == CW_OK && !copy)
		ret = no_memory(err);
	if (ret == CW_OK)
		ret = cw_event_route(b->settings, copy, &b->arena, &at[held->nevents], err);
	if (ret < 0)
		return ret;
	if (!deliver)
		at[held->nevents].nchannels = 0;
	held->nevents++;
	return CW_OK;
}

/* ---- changes ---- */

static const struct cw_finding *finding_of(const struct cw_change *c)
{
	return c->after ? c->after : c->before;
}

static enum cw_mode mode_of(const struct cw_batch *b, const struct cw_finding *f)
{
	int severity = -1, mode = f->term ? (int)f->term->mode : CW_MODE_BLOCK;

	cw_config_term(b->settings->config, f->term_id, &severity, &mode);
	return (enum cw_mode)mode;
}

static bool waived(struct cw_batch *b, const struct cw_finding *f)
{
	struct cw_waiver *w = NULL;
	char today[11];

	if (!f || cw_store_waiver(b->store, f->id, &b->arena, &w, NULL) < 0)
		return false;
	date_of(cw_now_ms(), today);
	return !w->expires[0] || strcmp(w->expires, today) >= 0;
}

static const char *title_of(const struct cw_finding *f)
{
	return f->term && f->term->title ? f->term->title : f->term_id;
}

static const char *quote(struct cw_batch *b, const struct cw_analysis *a,
			 const struct cw_finding *f)
{
	struct cw_buf buf = { 0 };

	if (!f)
		return NULL;
	cw_plain_text(a->text, f->quote_start, f->quote_end, a->format, &buf);
	const char *copy = cw_arena_strndup(&b->arena, cw_buf_str(&buf), buf.len);
	cw_buf_release(&buf);
	return copy;
}

static const char *direction_of(enum cw_effect effect)
{
	return cw_effect_name(effect);
}

static struct cw_event_change tell(struct cw_batch *b, const struct cw_comparison *cmp,
				   const struct cw_change *c)
{
	const struct cw_finding *f = finding_of(c);
	const struct cw_analysis *a = c->after ? cmp->new : cmp->old;
	const struct cw_clause *clause = &a->clauses[f->clause];

	return (struct cw_event_change){
		.event = cw_change_event_name(c->event),
		.term = c->term_id,
		.id = c->id,
		.title = title_of(f),
		.polarity = cw_polarity_name(f->polarity),
		.direction = direction_of(c->effect),
		.severity = c->severity,
		.summary = c->summary,
		.section = clause->section,
		.heading = clause->heading,
		.quote_before = quote(b, cmp->old, c->before),
		.quote_after = quote(b, cmp->new, c->after),
		.line_start = f->span.line_start,
		.line_end = f->span.line_end,
		.why = f->why,
		.advice = f->advice,
		.fingerprint = cw_arena_printf(&b->arena, "%016" PRIx64, clause->fingerprint),
	};
}

static const struct {
	enum cw_polarity polarity;
	enum cw_change_event event;
	int effect; /* enum cw_effect, -1: any */
	const char *type, *words;
} kinds[] = {
	{ CW_PROTECTION, CW_REMOVED, -1, CW_TYPE("protection.lost"), "protection lost" },
	{ CW_PROTECTION, CW_CHANGED, CW_EFFECT_RISKIER, CW_TYPE("protection.weakened"),
	  "protection weakened" },
	{ CW_PROTECTION, CW_CHANGED, CW_EFFECT_SAFER, CW_TYPE("protection.added"),
	  "protection strengthened" },
	{ CW_PROTECTION, CW_APPEARED, -1, CW_TYPE("protection.added"), "protection added" },
	{ CW_RISK, CW_APPEARED, -1, CW_TYPE("risk.appeared"), "new risk" },
	{ CW_RISK, CW_REMOVED, -1, CW_TYPE("risk.removed"), "risk removed" },
	{ CW_RISK, CW_CHANGED, CW_EFFECT_RISKIER, CW_TYPE("risk.changed"), "risk grew" },
	{ CW_RISK, CW_CHANGED, CW_EFFECT_SAFER, CW_TYPE("risk.changed"), "risk shrank" },
	{ CW_NEUTRAL, CW_APPEARED, -1, CW_TYPE("risk.appeared"), "new term" },
	{ CW_NEUTRAL, CW_REMOVED, -1, CW_TYPE("risk.removed"), "term removed" },
};

static void kind_of(const struct cw_change *c, const char **type, const char **words)
{
	*type = CW_TYPE("risk.changed");
	*words = "term changed";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (kinds[i].polarity == finding_of(c)->polarity && kinds[i].event == c->event &&
		    (kinds[i].effect < 0 || kinds[i].effect == (int)c->effect)) {
			*type = kinds[i].type;
			*words = kinds[i].words;
			return;
		}
	}
}

/** Changes that one event tells. */
struct telling {
	struct cw_event_change *changes;
	size_t n;
	enum cw_severity severity;
	const char *type, *words, *title; /* of the worst */
	size_t risks;
};

static void take(struct cw_batch *b, struct telling *t, const struct cw_comparison *cmp,
		 const struct cw_change *c)
{
	if (t->n == 0) {
		kind_of(c, &t->type, &t->words);
		t->title = title_of(finding_of(c));
	}
	if (t->n == 0 || c->severity > t->severity)
		t->severity = c->severity;
	t->risks += finding_of(c)->polarity == CW_RISK && c->after;
	t->changes[t->n++] = tell(b, cmp, c);
}

/* Sorts what shall be told from what is on trial. */
static int collect(struct cw_batch *b, const struct cw_comparison *cmp, struct telling *loud,
		   struct telling *trial, struct cw_error *err)
{
	size_t size = (cmp->nchanges + 1) * sizeof(*loud->changes);

	loud->changes = cw_arena_alloc(&b->arena, size);
	trial->changes = cw_arena_alloc(&b->arena, size);
	if (!loud->changes || !trial->changes)
		return no_memory(err);
	for (size_t i = 0; i < cmp->nchanges; i++) {
		const struct cw_change *c = &cmp->changes[i];
		enum cw_mode mode = mode_of(b, finding_of(c));

		if (!cw_change_alerts(c) || mode == CW_MODE_OFF || waived(b, c->after))
			continue;
		take(b, mode == CW_MODE_SHADOW ? trial : loud, cmp, c);
	}
	return CW_OK;
}

/* ---- one version ---- */

static int add_origin(struct cw_batch *b, struct cw_event *e, const struct cw_reading *r,
		      const struct cw_version *seen)
{
	int ret = CW_OK;
	char date[11];

	if (seen) {
		date_of(seen->time_ms, date);
		ret = cw_event_attr(b, e, CW_ATTR_TEXT, "returned_to", "%s", date);
		e->summary = cw_arena_printf(&b->arena, "%s (returned to the version of %s)",
					     e->summary, date);
	}
	if (ret == CW_OK && r->forced)
		ret = cw_event_attr(b, e, CW_ATTR_BOOL, "forced", "true");
	return ret;
}

static int add_telling(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		       const struct telling *t, const struct cw_version *seen, bool fresh,
		       bool deliver, struct cw_error *err)
{
	struct cw_event e;

	if (t->n == 0)
		return CW_OK;
	cw_event_begin(b, r, t->type, &e);
	if (fresh && t->risks == 0)
		e.type = CW_TYPE("document.added");
	e.changes = t->changes;
	e.nchanges = t->n;
	e.severity = t->severity;
	if (t->n == 1)
		e.summary = cw_arena_printf(&b->arena, "%s%s: %s: %s", fresh ? "new document " : "",
					    r->name.path, t->words, t->title);
	else
		e.summary = cw_arena_printf(&b->arena, "%s%s: %s: %s, and %zu more",
					    fresh ? "new document " : "", r->name.path, t->words,
					    t->title, t->n - 1);
	int ret = add_origin(b, &e, r, seen);
	if (ret == CW_OK && fresh)
		ret = cw_event_attr(b, &e, CW_ATTR_BOOL, "new_document", "true");
	if (ret < 0 || !e.summary)
		return no_memory(err);
	return cw_event_add(b, held, &e, deliver, err);
}

static size_t count_protections(const struct cw_analysis *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->nfindings; i++)
		n += a->findings[i].polarity == CW_PROTECTION;
	return n;
}

/* A text that mostly vanished is one fact, not forty lost protections. */
static int add_collapse(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
			const struct cw_comparison *cmp, struct cw_error *err)
{
	struct cw_event e;

	cw_event_begin(b, r, CW_TYPE("document.collapsed"), &e);
	e.severity = CW_HIGH;
	e.summary = cw_arena_printf(&b->arena, "%s: most of the text vanished (%zu words, now %zu)",
				    r->name.path, cmp->old->ntoks, cmp->new->ntoks);
	int ret = cw_event_attr(b, &e, CW_ATTR_NUMBER, "words_before", "%zu", cmp->old->ntoks);
	if (ret == CW_OK)
		ret = cw_event_attr(b, &e, CW_ATTR_NUMBER, "words_after", "%zu", cmp->new->ntoks);
	if (ret == CW_OK)
		ret = cw_event_attr(b, &e, CW_ATTR_NUMBER, "protections_before", "%zu",
				    count_protections(cmp->old));
	if (ret == CW_OK)
		ret = cw_event_attr(b, &e, CW_ATTR_NUMBER, "protections_after", "%zu",
				    count_protections(cmp->new));
	if (ret < 0 || !e.summary)
		return no_memory(err);
	return cw_event_add(b, held, &e, true, err);
}

static int add_plain_document(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
			      const struct cw_version *seen, struct cw_error *err)
{
	struct cw_event e;

	cw_event_begin(b, r, CW_TYPE("document.added"), &e);
	e.severity = CW_INFO;
	e.summary = cw_arena_printf(&b->arena, "new document %s: nothing found", r->name.path);
	if (!e.summary || add_origin(b, &e, r, seen) < 0)
		return no_memory(err);
	return cw_event_add(b, held, &e, true, err);
}

int cw_event_version(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		     const struct cw_comparison *cmp, const struct cw_version *seen, bool fresh,
		     struct cw_error *err)
{
	struct telling loud = { 0 }, trial = { 0 };

	if (cmp->old && cmp->collapse == CW_COLLAPSED)
		return add_collapse(b, held, r, cmp, err);
	int ret = collect(b, cmp, &loud, &trial, err);
	if (ret == CW_OK && fresh && loud.n == 0)
		ret = add_plain_document(b, held, r, seen, err);
	if (ret == CW_OK)
		ret = add_telling(b, held, r, &loud, seen, fresh, true, err);
	if (ret == CW_OK)
		ret = add_telling(b, held, r, &trial, seen, fresh, false, err);
	return ret;
}

/* ---- other things that happen to a document ---- */

int cw_event_unchecked(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		       const char *code, const char *message, struct cw_error *err)
{
	struct cw_event e;

	cw_event_begin(b, r, CW_TYPE("document.unchecked"), &e);
	e.severity = CW_MEDIUM;
	e.summary =
		cw_arena_printf(&b->arena, "%s could not be checked: %s", r->name.path, message);
	if (!e.summary || cw_event_attr(b, &e, CW_ATTR_TEXT, "code", "%s", code) < 0)
		return no_memory(err);
	return cw_event_add(b, held, &e, true, err);
}

int cw_event_back(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		  struct cw_error *err)
{
	struct cw_event e;

	cw_event_begin(b, r, CW_TYPE("document.added"), &e);
	e.severity = CW_MEDIUM; /* as its removal was */
	e.summary = cw_arena_printf(&b->arena, "%s is back, unchanged", r->name.path);
	if (!e.summary || cw_event_attr(b, &e, CW_ATTR_BOOL, "back", "true") < 0)
		return no_memory(err);
	return cw_event_add(b, held, &e, true, err);
}

int cw_event_legacy(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		    const struct cw_analysis *a, struct cw_error *err)
{
	const struct cw_profile *p = &a->profile;
	const char *date = p->agreement_date[0] ? p->agreement_date : p->effective_date;
	struct cw_event e;

	cw_event_begin(b, r, CW_TYPE("legacy.detected"), &e);
	e.severity = CW_HIGH;
	e.summary = cw_arena_printf(&b->arena,
				    "%s: agreement of %s that grants rights over data and does "
				    "not forbid training",
				    r->name.path, date[0] ? date : "unknown date");
	if (!e.summary || cw_event_attr(b, &e, CW_ATTR_TEXT, "agreement_date", "%s", date) < 0 ||
	    cw_event_attr(b, &e, CW_ATTR_TEXT, "vendor", "%s", p->vendor ? p->vendor : "") < 0)
		return no_memory(err);
	return cw_event_add(b, held, &e, true, err);
}

int cw_event_moved(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		   const char *from, struct cw_error *err)
{
	struct cw_event e;

	cw_event_begin(b, r, CW_TYPE("document.moved"), &e);
	e.severity = CW_INFO;
	e.summary = cw_arena_printf(&b->arena, "%s was %s", r->name.path, from);
	if (!e.summary || cw_event_attr(b, &e, CW_ATTR_TEXT, "from", "%s", from) < 0)
		return no_memory(err);
	return cw_event_add(b, held, &e, false, err);
}

static const char *list_paths(struct cw_batch *b, const struct cw_document *const *docs, size_t n)
{
	struct cw_buf list = { 0 };

	for (size_t i = 0; i < n && i < LISTED_MAX; i++)
		cw_buf_printf(&list, "%s%s", i > 0 ? "\n" : "", docs[i]->name.path);
	const char *copy = cw_arena_strdup(&b->arena, cw_buf_str(&list));
	cw_buf_release(&list);
	return copy;
}

int cw_event_removed(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		     const struct cw_document *const *docs, size_t n, const char *why,
		     struct cw_error *err)
{
	const char *paths = list_paths(b, docs, n);
	struct cw_event e;

	cw_event_begin(b, r, CW_TYPE("document.removed"), &e);
	e.severity = CW_MEDIUM;
	if (n == 1)
		e.path = docs[0]->name.path;
	e.summary = n == 1 ? cw_arena_printf(&b->arena, "%s: %s", docs[0]->name.path, why)
			   : cw_arena_printf(&b->arena, "%zu documents: %s", n, why);
	if (!paths || !e.summary ||
	    cw_event_attr(b, &e, CW_ATTR_NUMBER, "documents", "%zu", n) < 0 ||
	    cw_event_attr(b, &e, CW_ATTR_TEXT, "paths", "%s", paths) < 0)
		return no_memory(err);
	return cw_event_add(b, held, &e, true, err);
}
