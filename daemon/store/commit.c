#include "store/records.h"

#include <stdlib.h>

/** What can be made before the writer's turn. */
struct prepared {
	struct cw_packed_text text;
	struct cw_buf *json;
};

struct commit {
	const struct cw_commit *commits;
	struct prepared *prepared;
	size_t n;
	struct cw_committed *out; /**< n of them, or NULL */
};

static void fill_profile(struct cw_document *doc, const struct cw_profile *p)
{
	doc->type = p->type;
	doc->online = p->online;
	doc->parties = p->parties;
	doc->nparties = p->nparties;
	doc->vendor = p->vendor;
	doc->customer = p->customer;
	doc->agreement_date = p->agreement_date;
	doc->effective_date = p->effective_date;
	doc->expiration_date = p->expiration_date;
	doc->auto_renews = p->auto_renews;
	doc->notice_period_days = p->notice_period_days;
	doc->governing_law = p->governing_law;
	doc->in_force = p->in_force;
	doc->legacy = p->legacy;
}

static int worst(const uint32_t counts[CW_STORE_SEVERITIES])
{
	int severity = CW_STORE_SEVERITIES - 1;

	while (severity >= 0 && counts[severity] == 0)
		severity--;
	return severity;
}

/* Current and previous text are kept; what was the previous one goes. */
static int shift_text(struct cw_tx *tx, struct cw_document *doc, const struct cw_packed_text *text)
{
	if (memcmp(doc->text, text->hash, CW_HASH_SIZE) == 0)
		return CW_OK;
	int ret = cw_store__keep_text(tx, text);
	if (ret == CW_OK)
		ret = cw_store__drop_text(tx, doc->prev_text);
	memcpy(doc->prev_text, doc->text, CW_HASH_SIZE);
	memcpy(doc->text, text->hash, CW_HASH_SIZE);
	return ret;
}

static int put_analysis(struct cw_tx *tx, const struct cw_commit *c, const struct prepared *p,
			struct cw_document *doc)
{
	int ret = shift_text(tx, doc, &p->text);

	if (ret == CW_OK)
		ret = cw_store__put_clauses(tx, doc->id, c->analysis, c->sketches);
	if (ret == CW_OK)
		ret = cw_store__put_findings(tx, doc->id, c->analysis, c->time_ms, doc->counts);
	fill_profile(doc, &c->analysis->profile);
	doc->format = c->analysis->format;
	doc->checked = true;
	doc->checked_version = doc->version;
	doc->error_code = doc->error_message = "";
	doc->nclauses = (uint32_t)c->analysis->nclauses;
	doc->nfindings = (uint32_t)c->analysis->nfindings;
	doc->risk = worst(doc->counts);
	return ret;
}

static int put_version(struct cw_tx *tx, const struct cw_commit *c, const struct cw_document *doc)
{
	struct cw_version v = { .doc = doc->id,
				.number = doc->version,
				.time_ms = c->time_ms,
				.cause = c->cause,
				.commit = c->commit,
				.author = c->author,
				.subject = c->subject,
				.commit_date = c->commit_date,
				.blob = c->blob };

	memcpy(v.content, doc->content, CW_HASH_SIZE);
	if (c->analysis)
		memcpy(v.text, doc->text, CW_HASH_SIZE);
	return cw_store__put_version(tx, &v);
}

/* The same bytes gave another text than before: a format that can be read now. */
static int put_version_text(struct cw_tx *tx, const struct cw_document *doc)
{
	struct cw_list list = { .arena = &tx->scratch,
				.size = sizeof(struct cw_version),
				.limit = 1 };
	int ret = cw_store__list_versions(tx, doc->id, doc->version + 1, &list);

	if (ret < 0 || list.n == 0)
		return ret;
	struct cw_version *v = cw_list_at(&list, 0);
	if (v->number != doc->version || memcmp(v->text, doc->text, CW_HASH_SIZE) == 0)
		return CW_OK;
	memcpy(v->text, doc->text, CW_HASH_SIZE);
	return cw_store__put_version(tx, v);
}

static void fill_file(struct cw_document *doc, const struct cw_commit *c)
{
	memcpy(doc->content, c->content, CW_HASH_SIZE);
	doc->blob = c->blob;
	doc->size = c->size;
	doc->inode = c->inode;
	doc->mtime_ns = c->mtime_ns;
	doc->kind = c->kind       ? c->kind
		    : c->analysis ? cw_format_name(c->analysis->format)
				  : doc->kind;
	doc->present = true;
	doc->rules_digest = c->rules_digest;
	doc->analysed_ms = c->time_ms;
}

static int commit_one(struct cw_tx *tx, const struct cw_commit *c, const struct prepared *p,
		      struct cw_committed *out)
{
	struct cw_document *old = NULL, *fresh = NULL, doc;
	int ret = cw_store__find_document(tx, &c->name, &tx->scratch, &old);

	if (ret == CW_ENOTFOUND)
		ret = cw_store__new_document(tx, &c->name, &fresh);
	if (ret < 0)
		return ret;
	doc = old ? *old : *fresh;
	bool new_version =
		!old || !old->present || memcmp(old->content, c->content, CW_HASH_SIZE) != 0;
	if (!old)
		doc.first_seen_ms = c->time_ms;
	if (new_version) {
		doc.version++;
		doc.changed_ms = c->time_ms;
	}
	fill_file(&doc, c);
	if (c->analysis) {
		ret = put_analysis(tx, c, p, &doc);
	} else {
		doc.checked = false;
		doc.error_code = c->error_code;
		doc.error_message = c->error_message;
	}
	if (ret == CW_OK && new_version)
		ret = put_version(tx, c, &doc);
	else if (ret == CW_OK && c->analysis)
		ret = put_version_text(tx, &doc);
	if (ret == CW_OK)
		ret = cw_store__save_document(tx, old, &doc);
	if (ret == CW_OK)
		ret = cw_store__put_events(tx, c->events, c->nevents, p->json, c->time_ms);
	if (ret == CW_OK && out)
		*out = (struct cw_committed){ doc.id, doc.version, !old, new_version };
	return ret;
}

static int write_commits(struct cw_tx *tx, void *ctx)
{
	struct commit *job = ctx;

	for (size_t i = 0; i < job->n; i++) {
		int ret = commit_one(tx, &job->commits[i], &job->prepared[i],
				     job->out ? &job->out[i] : NULL);

		if (ret < 0)
			return cw_wrap(tx->err, ret, "'%.200s'", job->commits[i].name.path);
	}
	return cw_store__merge_many(tx);
}

static int prepare(const struct cw_commit *c, struct prepared *p, struct cw_error *err)
{
	int ret = CW_OK;

	if (!c->analysis && (!c->error_code || !c->error_code[0]))
		ret = cw_fail(err, CW_EINVAL, "commit without analysis says no reason");
	if (ret == CW_OK && c->analysis)
		ret = cw_store__pack_text(c->analysis->text, c->analysis->len, &p->text, err);
	if (ret == CW_OK)
		ret = cw_store__events_json(c->events, c->nevents, &p->json, err);
	return ret < 0 ? cw_wrap(err, ret, "'%.200s'", c->name.path) : CW_OK;
}

int cw_store_commit_versions(struct cw_store *s, const struct cw_commit *c, size_t n,
			     struct cw_committed *out, struct cw_error *err)
{
	if (n == 0)
		return CW_OK;
	struct commit job = { .commits = c, .n = n };
	int ret = CW_OK;

	job.prepared = calloc(n, sizeof(*job.prepared));
	job.out = out ? calloc(n, sizeof(*out)) : NULL;
	if (!job.prepared || (out && !job.out))
		ret = cw_fail(err, CW_ENOMEM, "out of memory for %zu versions", n);
	for (size_t i = 0; ret == CW_OK && i < n; i++)
		ret = prepare(&c[i], &job.prepared[i], err);
	if (ret == CW_OK)
		ret = cw_store__write(s, write_commits, &job, err);
	if (ret == CW_OK && out)
		memcpy(out, job.out, n * sizeof(*out));
	for (size_t i = 0; job.prepared && i < n; i++) {
		cw_buf_release(&job.prepared[i].text.record);
		cw_store__free_json(job.prepared[i].json, c[i].nevents);
	}
	free(job.prepared);
	free(job.out);
	return ret;
}

int cw_store_commit_version(struct cw_store *s, const struct cw_commit *c, struct cw_committed *out,
			    struct cw_error *err)
{
	return cw_store_commit_versions(s, c, 1, out, err);
}

/* ---- the end of a document ---- */

struct removal {
	const struct cw_docname *name;
	int64_t time_ms;
	const struct cw_commit_event *events;
	size_t nevents;
	struct cw_buf *json;
};

/* Clauses and findings go; the record says so. */
static int empty(struct cw_tx *tx, struct cw_document *doc)
{
	int ret = cw_store__put_clauses(tx, doc->id, NULL, NULL);

	if (ret == CW_OK)
		ret = cw_store__put_findings(tx, doc->id, NULL, 0, doc->counts);
	if (ret == CW_OK)
		ret = cw_store__drop_text(tx, doc->prev_text);
	memset(doc->prev_text, 0, CW_HASH_SIZE);
	doc->nclauses = doc->nfindings = 0;
	doc->risk = -1;
	return ret;
}

static int write_removal(struct cw_tx *tx, void *ctx)
{
	const struct removal *r = ctx;
	struct cw_document *old = NULL;
	int ret = cw_store__find_document(tx, r->name, &tx->scratch, &old);

	if (ret == CW_ENOTFOUND || (ret == CW_OK && !old->present))
		return cw_fail(tx->err, CW_ENOTFOUND,
			       "store: there is no document '%.200s' in '%s'", r->name->path,
			       r->name->source);
	if (ret < 0)
		return ret;
	struct cw_document doc = *old;
	ret = empty(tx, &doc);
	doc.present = false;
	doc.changed_ms = r->time_ms;
	if (ret == CW_OK)
		ret = cw_store__save_document(tx, old, &doc);
	if (ret == CW_OK)
		ret = cw_store__put_events(tx, r->events, r->nevents, r->json, r->time_ms);
	return ret;
}

int cw_store_remove_document(struct cw_store *s, const struct cw_docname *name, int64_t time_ms,
			     const struct cw_commit_event *events, size_t nevents,
			     struct cw_error *err)
{
	struct removal r = { name, time_ms, events, nevents, NULL };
	int ret = cw_store__events_json(events, nevents, &r.json, err);

	if (ret == CW_OK)
		ret = cw_store__write(s, write_removal, &r, err);
	cw_store__free_json(r.json, nevents);
	return ret;
}

static int write_forget(struct cw_tx *tx, void *ctx)
{
	struct cw_document *old = NULL;
	int ret = cw_store__need_document(tx, *(uint64_t *)ctx, &old);

	if (ret < 0)
		return ret;
	struct cw_document doc = *old;
	ret = empty(tx, &doc);
	if (ret == CW_OK)
		ret = cw_store__drop_text(tx, doc.text);
	if (ret == CW_OK)
		ret = cw_store__delete_versions(tx, doc.id);
	return ret < 0 ? ret : cw_store__delete_document(tx, old);
}

int cw_store_forget_document(struct cw_store *s, uint64_t doc, struct cw_error *err)
{
	return cw_store__write(s, write_forget, &doc, err);
}

struct touch {
	uint64_t doc, inode;
	int64_t mtime_ns;
};

static int write_touch(struct cw_tx *tx, void *ctx)
{
	const struct touch *t = ctx;
	struct cw_document *old = NULL;
	int ret = cw_store__need_document(tx, t->doc, &old);

	if (ret < 0)
		return ret;
	struct cw_document doc = *old;
	doc.mtime_ns = t->mtime_ns;
	doc.inode = t->inode;
	return cw_store__save_document(tx, old, &doc);
}

int cw_store_touch_document(struct cw_store *s, uint64_t doc, int64_t mtime_ns, uint64_t inode,
			    struct cw_error *err)
{
	struct touch t = { doc, inode, mtime_ns };

	return cw_store__write(s, write_touch, &t, err);
}
