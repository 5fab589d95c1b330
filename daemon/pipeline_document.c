/*
 * One document, from its bytes to what is stored:
 *
 *   bytes ─ same hash as stored? stop ─ extract ─ analyse ─ analyse the stored text with the
 *   same rules ─ compare ─ events ─ commit with version, clauses, findings and deliveries
 *
 * The old text is read again, and not its stored findings, so that a new rule never looks like a
 * change of the contract.  It costs about a millisecond.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "pipeline.h"

static const uint8_t no_hash[CW_HASH_SIZE];

static int no_memory(struct cw_error *err)
{
	return cw_fail(err, CW_ENOMEM, "out of memory");
}

int64_t cw_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void free_held(struct cw_held *h)
{
	cw_analysis_free(h->analysis);
	cw_text_release(&h->text);
	cw_buf_release(&h->bytes);
	free(h->sketches);
	*h = (struct cw_held){ 0 };
}

bool cw_batch_room(const struct cw_batch *b)
{
	return b->n < CW_BATCH_MAX && b->bytes < CW_BATCH_BYTES;
}

/* ---- analysing ---- */

static void own_severities(const struct cw_config *cfg, struct cw_analysis *a)
{
	for (size_t i = 0; i < a->nfindings; i++) {
		int severity = (int)a->findings[i].severity, mode = -1;

		cw_config_term(cfg, a->findings[i].term_id, &severity, &mode);
		a->findings[i].severity = (enum cw_severity)severity;
	}
}

static int analyse(const struct cw_batch *b, const char *text, size_t len, enum cw_format format,
		   struct cw_analysis **out, struct cw_error *err)
{
	const struct cw_config *cfg = b->settings->config;
	char today[11] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		(void)strftime(today, sizeof(today), "%Y-%m-%d", &tm);
	const struct cw_analysis_options opts = { .legacy_before = cfg->legacy_before,
						  .today = today[0] ? today : NULL };
	int ret = cw_analyse(b->settings->rules, text, len, format, &opts, out, err);
	if (ret == CW_OK)
		own_severities(cfg, *out);
	return ret;
}

static int make_sketches(struct cw_held *h, struct cw_error *err)
{
	const struct cw_analysis *a = h->analysis;

	h->sketches = malloc((a->nclauses + 1) * CW_SKETCH_LEN * sizeof(*h->sketches));
	if (!h->sketches)
		return no_memory(err);
	for (size_t i = 0; i < a->nclauses; i++)
		cw_sketch(a, &a->clauses[i], h->sketches + i * CW_SKETCH_LEN);
	return CW_OK;
}

/* A stored text with what the present rules say of it; none when it is not kept. */
static int read_stored(struct cw_batch *b, const uint8_t hash[CW_HASH_SIZE], enum cw_format format,
		       struct cw_analysis **out, struct cw_error *err)
{
	const char *text;
	size_t len;

	*out = NULL;
	if (memcmp(hash, no_hash, CW_HASH_SIZE) == 0)
		return CW_OK;
	int ret = cw_store_text(b->store, hash, &b->arena, &text, &len, err);
	if (ret == CW_ENOTFOUND)
		return CW_OK;
	return ret < 0 ? ret : analyse(b, text, len, format, out, err);
}

/* ---- what is stored of a document ---- */

static void fill_commit(struct cw_batch *b, const struct cw_reading *r, struct cw_commit *c)
{
	*c = (struct cw_commit){
		.name = r->name,
		.time_ms = cw_now_ms(),
		.blob = r->blob,
		.size = r->size,
		.inode = r->inode,
		.mtime_ns = r->mtime_ns,
		.rules_digest = b->settings->digest,
		.cause = r->cause,
		.commit = r->commit,
		.author = r->author,
		.subject = r->subject,
		.commit_date = r->commit_date,
	};
}

static void keep(struct cw_batch *b, struct cw_commit *c, struct cw_held *h)
{
	c->analysis = h->analysis;
	c->sketches = h->sketches;
	c->kind = c->kind ? c->kind : h->text.name;
	b->bytes += h->text.len + h->bytes.len;
	b->events += h->nevents;
	b->commits[b->n] = *c;
	b->held[b->n++] = *h;
	*h = (struct cw_held){ 0 };
}

static int unchecked(struct cw_batch *b, const struct cw_reading *r, const struct cw_document *old,
		     const uint8_t *content, int code, const struct cw_error *why,
		     struct cw_error *err)
{
	const char *name = cw_unchecked_name(code);
	struct cw_held held = { 0 };
	struct cw_commit c;
	bool known = old && old->present && !old->checked && strcmp(old->error_code, name) == 0;
	int ret = CW_OK;

	fill_commit(b, r, &c);
	/* Bytes that could not be had are not other bytes. */
	if (content)
		memcpy(c.content, content, CW_HASH_SIZE);
	else if (old)
		memcpy(c.content, old->content, CW_HASH_SIZE);
	c.error_code = name;
	c.error_message = cw_arena_strdup(&b->arena, why->msg);
	if (!c.error_message)
		return no_memory(err);
	if (!known && !r->quiet)
		ret = cw_event_unchecked(b, &held, r, name, c.error_message, err);
	if (ret < 0)
		return ret;
	c.events = held.events;
	c.nevents = held.nevents;
	b->unchecked++;
	keep(b, &c, &held);
	return CW_OK;
}

/* ---- moved documents ---- */

static bool file_is_there(const struct cw_batch *b, const char *path)
{
	struct cw_buf full = { 0 };
	struct stat st;

	cw_buf_printf(&full, "%s/%s", b->source->folder, path);
	bool there = !full.failed && lstat(full.data, &st) == 0 && S_ISREG(st.st_mode);
	cw_buf_release(&full);
	return there;
}

/* Where a file with these bytes lay until now: known, and not there any more. */
static int find_former(struct cw_batch *b, const struct cw_reading *r,
		       const uint8_t content[CW_HASH_SIZE], const char **out, struct cw_error *err)
{
	struct cw_document *docs = NULL;
	size_t n = 0;

	*out = r->moved_from;
	if (r->moved_from || !r->full_path)
		return CW_OK;
	int ret = cw_store_documents_by_content(b->store, content, &b->arena, &docs, &n, err);
	for (size_t i = 0; ret == CW_OK && i < n && !*out; i++) {
		if (strcmp(docs[i].name.source, r->name.source) == 0 &&
		    strcmp(docs[i].name.path, r->name.path) != 0 &&
		    !file_is_there(b, docs[i].name.path))
			*out = docs[i].name.path;
	}
	return ret;
}

/* ---- comparing ---- */

/* After a collapse, what counts is the difference to the text before it. */
static int compare_recovered(struct cw_batch *b, const struct cw_document *old,
			     struct cw_analysis *new, struct cw_analysis **before,
			     struct cw_comparison **cmp, struct cw_error *err)
{
	struct cw_analysis *whole = NULL;
	struct cw_comparison *other = NULL;
	int ret = read_stored(b, old->prev_text, old->format, &whole, err);

	if (ret < 0 || !whole)
		return ret;
	ret = cw_compare(whole, new, &other, err);
	if (ret == CW_OK && other->collapse == CW_COLLAPSE_NO) {
		cw_comparison_free(*cmp);
		cw_analysis_free(*before);
		*cmp = other;
		*before = whole;
		return CW_OK;
	}
	cw_comparison_free(other);
	cw_analysis_free(whole);
	return ret;
}

static int seen_before(struct cw_batch *b, const struct cw_document *old,
		       const uint8_t content[CW_HASH_SIZE], struct cw_version **out,
		       struct cw_error *err)
{
	struct cw_error missing = { 0 };

	*out = NULL;
	if (!old)
		return CW_OK;
	int ret = cw_store_version_seen(b->store, old->id, content, &b->arena, out, &missing);
	if (ret < 0 && ret != CW_ENOTFOUND)
		return cw_fail(err, (enum cw_code)ret, "%s", missing.msg);
	/* The current version again is no return. */
	if (*out && (*out)->number == old->version && old->present)
		*out = NULL;
	return CW_OK;
}

/* What another branch says; a text that cannot be read there is no text. */
static int read_base(struct cw_batch *b, const struct cw_reading *r, struct cw_text *text,
		     struct cw_analysis **out, struct cw_error *err)
{
	if (!r->base || cw_extract(r->base, r->base_len, r->name.path, text, NULL) < 0)
		return CW_OK;
	return analyse(b, text->bytes, text->len, text->format, out, err);
}

static int tell_changes(struct cw_batch *b, const struct cw_reading *r,
			const struct cw_document *old, const struct cw_commit *c,
			struct cw_held *held, struct cw_error *err)
{
	struct cw_analysis *before = NULL;
	struct cw_comparison *cmp = NULL;
	struct cw_version *seen = NULL;
	struct cw_text base = { 0 };
	int ret = old ? read_stored(b, old->text, old->format, &before, err)
		      : read_base(b, r, &base, &before, err);

	if (ret == CW_OK && before == NULL && r->quiet)
		return CW_OK;
	if (ret == CW_OK)
		ret = cw_compare(before, held->analysis, &cmp, err);
	if (ret == CW_OK && old && before && cmp->collapse == CW_RECOVERED)
		ret = compare_recovered(b, old, held->analysis, &before, &cmp, err);
	if (ret == CW_OK)
		ret = seen_before(b, old, c->content, &seen, err);
	if (ret == CW_OK)
		ret = cw_event_version(b, held, r, cmp, seen, !before, err);
	if (ret == CW_OK && before && old && !old->present && held->nevents == 0 && !r->quiet)
		ret = cw_event_back(b, held, r, err);
	if (ret == CW_OK && held->analysis->profile.legacy && !r->quiet &&
	    !(before && before->profile.legacy))
		ret = cw_event_legacy(b, held, r, held->analysis, err);
	cw_comparison_free(cmp);
	cw_analysis_free(before);
	cw_text_release(&base);
	return ret;
}

/* ---- the way ---- */

static int touch(struct cw_batch *b, const struct cw_reading *r, const struct cw_document *old,
		 struct cw_error *err)
{
	if (!r->full_path || (old->mtime_ns == r->mtime_ns && old->inode == r->inode))
		return CW_OK;
	return cw_store_touch_document(b->store, old->id, r->mtime_ns, r->inode, err);
}

static int checked(struct cw_batch *b, const struct cw_reading *r, const struct cw_document *old,
		   struct cw_commit *c, struct cw_held *held, struct cw_error *err)
{
	bool known = old && old->present;
	int ret = make_sketches(held, err);

	if (ret == CW_OK && !known)
		ret = find_former(b, r, c->content, &held->moved_from, err);
	if (ret == CW_OK && held->moved_from) {
		c->cause = "move";
		ret = cw_event_moved(b, held, r, held->moved_from, err);
	} else if (ret == CW_OK) {
		ret = tell_changes(b, r, old, c, held, err);
	}
	if (ret < 0)
		return ret;
	c->events = held->events;
	c->nevents = held->nevents;
	keep(b, c, held);
	return CW_OK;
}

/* Failures of the machine are tried again; those of the document are stored with it. */
static bool of_the_machine(int code)
{
	return code == CW_ENOMEM || code == CW_ECANCELED;
}

int cw_batch_document(struct cw_batch *b, const struct cw_reading *r, struct cw_buf *bytes,
		      int code, const struct cw_error *why, struct cw_error *err)
{
	struct cw_document *old = NULL;
	struct cw_held held = { .bytes = *bytes };
	struct cw_error reason = { 0 };
	struct cw_commit c;
	int ret = cw_store_document(b->store, &r->name, &b->arena, &old, &reason);

	*bytes = (struct cw_buf){ 0 };
	b->read++;
	if (b->alive)
		__atomic_add_fetch(b->alive, 1, __ATOMIC_RELAXED);
	if (ret < 0 && ret != CW_ENOTFOUND) {
		ret = cw_fail(err, (enum cw_code)ret, "%s", reason.msg);
		goto out;
	}
	if (code < 0) {
		ret = unchecked(b, r, old, NULL, code, why, err);
		goto out;
	}
	fill_commit(b, r, &c);
	cw_store_hash(cw_buf_str(&held.bytes), held.bytes.len, c.content);
	if (old && old->present && old->checked &&
	    memcmp(old->content, c.content, CW_HASH_SIZE) == 0) {
		ret = touch(b, r, old, err);
		goto out;
	}
	ret = cw_extract(cw_buf_str(&held.bytes), held.bytes.len, r->name.path, &held.text,
			 &reason);
	if (ret == CW_OK)
		ret = analyse(b, held.text.bytes, held.text.len, held.text.format, &held.analysis,
			      &reason);
	if (ret == CW_OK)
		ret = checked(b, r, old, &c, &held, err);
	else if (of_the_machine(ret))
		ret = cw_fail(err, (enum cw_code)ret, "%s", reason.msg);
	else
		ret = unchecked(b, r, old, c.content, ret, &reason, err);
out:
	free_held(&held);
	return ret < 0 ? ret : CW_OK;
}

/* ---- new rules ---- */

static bool has_id(const struct cw_stored_finding *list, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].id, id) == 0)
			return true;
	return false;
}

static bool found_id(const struct cw_analysis *a, const char *id)
{
	for (size_t i = 0; i < a->nfindings; i++)
		if (strcmp(a->findings[i].id, id) == 0)
			return true;
	return false;
}

int cw_batch_reread(struct cw_batch *b, const struct cw_document *doc, struct cw_error *err)
{
	struct cw_stored_finding *before = NULL;
	struct cw_held held = { 0 };
	struct cw_commit c;
	size_t n = 0;
	const struct cw_reading r = { .name = doc->name,
				      .size = doc->size,
				      .inode = doc->inode,
				      .mtime_ns = doc->mtime_ns,
				      .cause = "rules",
				      .blob = doc->blob[0] ? doc->blob : NULL };
	int ret = read_stored(b, doc->text, doc->format, &held.analysis, err);

	fill_commit(b, &r, &c);
	memcpy(c.content, doc->content, CW_HASH_SIZE);
	c.kind = doc->kind;
	b->read++;
	if (ret == CW_OK && (!held.analysis || !doc->checked)) {
		/* Nothing to read again: only the rules are noted. */
		cw_analysis_free(held.analysis);
		held.analysis = NULL;
		c.error_code = doc->error_code[0] ? doc->error_code : "unreadable";
		c.error_message = doc->error_message[0] ? doc->error_message
							: "its text is not kept any more";
		keep(b, &c, &held);
		return CW_OK;
	}
	if (ret == CW_OK)
		ret = cw_store_findings(b->store, doc->id, &b->arena, &before, &n, err);
	if (ret == CW_OK)
		ret = make_sketches(&held, err);
	if (ret < 0) {
		free_held(&held);
		return ret;
	}
	for (size_t i = 0; i < held.analysis->nfindings; i++)
		b->appeared += !has_id(before, n, held.analysis->findings[i].id);
	for (size_t i = 0; i < n; i++)
		b->vanished += !found_id(held.analysis, before[i].id);
	keep(b, &c, &held);
	return CW_OK;
}

/* ---- committing ---- */

/* The former places of moved documents, after the new ones are safe. */
static int drop_former(struct cw_batch *b, struct cw_error *err)
{
	for (size_t i = 0; i < b->n; i++) {
		struct cw_docname name = b->commits[i].name;

		if (!b->held[i].moved_from)
			continue;
		name.path = b->held[i].moved_from;
		int ret = cw_store_remove_document(b->store, &name, cw_now_ms(), NULL, 0, err);
		if (ret < 0 && ret != CW_ENOTFOUND)
			return ret;
	}
	return CW_OK;
}

int cw_batch_remove(struct cw_batch *b, const struct cw_reading *r, struct cw_document **docs,
		    size_t n, const char *why, struct cw_error *err)
{
	struct cw_held held = { 0 };
	int ret =
		cw_event_removed(b, &held, r, (const struct cw_document *const *)docs, n, why, err);

	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		size_t events = i == 0 ? held.nevents : 0;

		ret = cw_store_remove_document(b->store, &docs[i]->name, cw_now_ms(), held.events,
					       events, err);
		if (ret == CW_OK)
			b->events += events;
		if (ret == CW_ENOTFOUND)
			ret = CW_OK;
	}
	return ret;
}

static void clear(struct cw_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		free_held(&b->held[i]);
	b->n = 0;
	b->bytes = 0;
	b->loose = (struct cw_held){ 0 };
	cw_arena_release(&b->arena);
}

int cw_batch_commit(struct cw_batch *b, struct cw_error *err)
{
	int ret = CW_OK;

	if (b->n > 0)
		ret = cw_store_commit_versions(b->store, b->commits, b->n, NULL, err);
	if (ret == CW_OK && b->loose.nevents > 0)
		ret = cw_store_add_events(b->store, b->loose.events, b->loose.nevents, err);
	if (ret == CW_OK)
		ret = drop_former(b, err);
	if (ret == CW_OK) {
		b->committed += b->n;
		b->events += b->loose.nevents;
	}
	clear(b);
	return ret;
}

void cw_batch_release(struct cw_batch *b)
{
	clear(b);
}
