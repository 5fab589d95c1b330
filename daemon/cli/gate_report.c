/* What judging two states found, put into words that outlive the documents. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"

#define HALF 0.5

static void require(const void *memory)
{
	if (memory)
		return;
	(void)fputs("error: clausewatch is out of memory: refused without being checked\n", stderr);
	exit(CW_EXIT_UNCHECKED);
}

void *gate_grow(struct gate_report *r, void *items, size_t count, size_t *cap, size_t size)
{
	void *grown = cw_arena_grow(&r->arena, items, count, cap, size);

	require(grown);
	return grown;
}

const char *gate_keep(struct gate_report *r, const char *text)
{
	const char *copy = text && *text ? cw_arena_strdup(&r->arena, text) : "";

	require(copy);
	return copy;
}

void gate_report_release(struct gate_report *r)
{
	cw_arena_release(&r->arena);
	*r = (struct gate_report){ 0 };
}

static void count_code(struct gate_report *r, const char *code)
{
	for (size_t i = 0; i < r->ncounts; i++)
		if (strcmp(r->counts[i].code, code) == 0) {
			r->counts[i].count++;
			return;
		}
	r->counts = gate_grow(r, r->counts, r->ncounts, &r->counts_cap, sizeof(*r->counts));
	r->counts[r->ncounts++] = (struct gate_count){ code, 1 };
}

void gate_add_unchecked(struct gate_report *r, const char *path, const char *code,
			const char *message)
{
	for (size_t i = 0; path && i < r->unchecked_before; i++)
		if (r->unchecked[i].path && strcmp(r->unchecked[i].path, path) == 0 &&
		    strcmp(r->unchecked[i].code, code) == 0)
			return;
	r->unchecked =
		gate_grow(r, r->unchecked, r->nunchecked, &r->unchecked_cap, sizeof(*r->unchecked));
	struct gate_unchecked *at = &r->unchecked[r->nunchecked++];
	*at = (struct gate_unchecked){
		.path = path ? gate_keep(r, path) : NULL,
		.code = gate_keep(r, code),
		.message = gate_keep(r, message),
	};
	count_code(r, at->code);
}

void gate_add_note(struct gate_report *r, const char *fmt, ...)
{
	struct cw_buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	cw_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	r->notes = gate_grow(r, r->notes, r->nnotes, &r->notes_cap, sizeof(*r->notes));
	r->notes[r->nnotes++] = gate_keep(r, cw_buf_str(&text));
	cw_buf_release(&text);
}

static const char *either(const char *first, const char *second)
{
	return first && *first ? first : second;
}

static void quote(const struct cw_analysis *a, const struct cw_finding *f, struct cw_buf *out)
{
	if (f)
		cw_plain_text(a->text, f->quote_start, f->quote_end, a->format, out);
}

static void set_quotes(struct gate_report *r, const struct cw_comparison *c,
		       const struct cw_change *change, struct gate_change *out)
{
	const struct cw_finding *f = change->after ? change->after : change->before;
	const struct cw_analysis *a = change->after ? c->new : c->old;
	struct cw_buf before = { 0 }, after = { 0 }, focus = { 0 };

	quote(c->old, change->before, &before);
	quote(c->new, change->after, &after);
	if (f->nevidence > 0)
		cw_plain_text(a->text, f->evidence[0].byte_start, f->evidence[0].byte_end,
			      a->format, &focus);
	gate_excerpt(change->before ? &before : NULL, change->after ? &after : NULL,
		     focus.len > 0 ? focus.data : NULL);
	out->before = change->before ? gate_keep(r, cw_buf_str(&before)) : NULL;
	out->after = change->after ? gate_keep(r, cw_buf_str(&after)) : NULL;
	cw_buf_release(&before);
	cw_buf_release(&after);
	cw_buf_release(&focus);
}

static void set_place(struct gate_report *r, const struct cw_comparison *c,
		      const struct cw_change *change, struct gate_change *out)
{
	const struct cw_finding *f = change->after ? change->after : change->before;
	const struct cw_analysis *a = change->after ? c->new : c->old;

	out->section = out->heading = "";
	if (f->clause < a->nclauses) {
		out->section = gate_keep(r, a->clauses[f->clause].section);
		out->heading = gate_keep(r, a->clauses[f->clause].heading);
	}
	out->line = f->span.line_start;
}

/* The same documents may be compared for several references. */
static bool is_known(const struct gate_report *r, const char *path, const struct cw_change *change)
{
	for (size_t i = 0; i < r->changes_before; i++) {
		const struct gate_change *at = &r->changes[i];
		if (at->event == change->event && strcmp(at->id, change->id) == 0 &&
		    strcmp(at->path, path) == 0 && strcmp(at->term_id, change->term_id) == 0)
			return true;
	}
	return false;
}

static void take_change(struct gate *g, const char *path, const char *old_path,
			const struct cw_comparison *c, const struct cw_change *change)
{
	struct gate_report *r = g->report;
	const struct cw_finding *f = change->after ? change->after : change->before;
	const struct cw_term *term = f->term;
	int severity = (int)change->severity, mode = term ? (int)term->mode : CW_MODE_BLOCK;

	cw_config_term(g->config, change->term_id, &severity, &mode);
	bool blocks = mode == CW_MODE_BLOCK && severity >= g->config->hook.fail_on;
	if (mode <= CW_MODE_SHADOW || (!blocks && severity < CW_MEDIUM) ||
	    is_known(r, path, change))
		return;
	r->changes = gate_grow(r, r->changes, r->nchanges, &r->changes_cap, sizeof(*r->changes));
	struct gate_change *at = &r->changes[r->nchanges++];
	*at = (struct gate_change){
		.path = path,
		.old_path = old_path,
		.event = change->event,
		.severity = (enum cw_severity)severity,
		.blocks = blocks,
		.term_id = gate_keep(r, change->term_id),
		.title = gate_keep(r, either(term ? term->title : NULL, change->term_id)),
		.why = gate_keep(r, either(f->why, term ? term->why : NULL)),
		.advice = gate_keep(r, either(f->advice, term ? term->advice : NULL)),
	};
	memcpy(at->id, change->id, CW_ID_SIZE);
	set_place(r, c, change, at);
	set_quotes(r, c, change, at);
}

void gate_take_changes(struct gate *g, const char *path, const char *old_path,
		       const struct cw_comparison *c)
{
	struct gate_report *r = g->report;
	size_t first = r->nchanges;
	bool refused = false;

	for (size_t i = 0; i < c->nchanges; i++)
		if (cw_change_alerts(&c->changes[i]) && c->changes[i].effect == CW_EFFECT_RISKIER)
			take_change(g, path, old_path, c, &c->changes[i]);
	for (size_t i = first; i < r->nchanges && !refused; i++)
		refused = r->changes[i].blocks;
	r->refused += refused;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The fingerprints of clauses with words, sorted, each once; malloc'ed. */
static uint64_t *prints_of(const struct cw_analysis *a, size_t *out_count)
{
	uint64_t *prints = malloc((a->nclauses + 1) * sizeof(*prints));
	size_t n = 0, unique = 0;

	require(prints);
	for (size_t i = 0; i < a->nclauses; i++)
		if (a->clauses[i].tok_count > 0)
			prints[n++] = a->clauses[i].fingerprint;
	qsort(prints, n, sizeof(*prints), by_value);
	for (size_t i = 0; i < n; i++)
		if (unique == 0 || prints[unique - 1] != prints[i])
			prints[unique++] = prints[i];
	*out_count = unique;
	return prints;
}

static bool has_title(const struct gate_deleted *record, const char *title)
{
	for (size_t i = 0; i < record->ntitles; i++)
		if (strcmp(record->titles[i], title) == 0)
			return true;
	return false;
}

void gate_gone_fill(struct gate_report *r, struct gate_gone *gone, const struct cw_analysis *a)
{
	const char **titles = NULL;
	size_t cap = 0;
	uint64_t *prints = prints_of(a, &gone->nprints);

	gone->prints = cw_arena_alloc(&r->arena, (gone->nprints + 1) * sizeof(*prints));
	require(gone->prints);
	memcpy(gone->prints, prints, gone->nprints * sizeof(*prints));
	free(prints);
	gone->record = (struct gate_deleted){ .path = gone->path };
	for (size_t i = 0; i < a->nfindings; i++) {
		const struct cw_finding *f = &a->findings[i];
		const char *title = either(f->term ? f->term->title : NULL, f->term_id);
		if (f->polarity != CW_PROTECTION || has_title(&gone->record, title))
			continue;
		titles = gate_grow(r, titles, gone->record.ntitles, &cap, sizeof(*titles));
		titles[gone->record.ntitles++] = gate_keep(r, title);
		gone->record.titles = titles;
	}
}

static size_t common(const uint64_t *a, size_t na, const uint64_t *b, size_t nb)
{
	size_t n = 0;

	for (size_t i = 0, k = 0; i < na && k < nb;) {
		n += a[i] == b[k];
		uint64_t x = a[i], y = b[k];
		i += x <= y;
		k += y <= x;
	}
	return n;
}

struct gate_gone *gate_gone_match(struct gate_gone *gone, size_t n, const struct cw_analysis *a)
{
	struct gate_gone *best = NULL;
	double best_share = HALF;
	uint64_t *prints;
	size_t nprints;

	if (n == 0)
		return NULL;
	prints = prints_of(a, &nprints);
	for (size_t i = 0; i < n; i++) {
		if (gone[i].claimed || gone[i].nprints == 0)
			continue;
		double share = 2.0 *
			       (double)common(prints, nprints, gone[i].prints, gone[i].nprints) /
			       (double)(nprints + gone[i].nprints);
		if (share > best_share || (!best && share >= HALF)) {
			best = &gone[i];
			best_share = share;
		}
	}
	free(prints);
	return best;
}
