#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clausewatch/ruleset.h"
#include "clausewatch/store.h"
#include "store/records.h"

#define MAX_CLAUSES 64
#define NOW 1700000000000

static char dir[64], other_dir[64];
static struct cw_store *store;
static struct cw_arena arena;
static struct cw_error err;

#define ok(call)                                                                                   \
	do {                                                                                       \
		err.msg[0] = '\0';                                                                 \
		int ok_ret = (call);                                                               \
		if (ok_ret < 0)                                                                    \
			fail_msg("%s: %d: %s", #call, ok_ret, err.msg);                            \
	} while (0)

static void assert_said(int ret, int code, const char *words)
{
	assert_int_equal(ret, code);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, words))
		fail_msg("'%s' is not in '%s'", words, err.msg);
}

static void empty_dir(const char *path)
{
	DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

static void reopen(const struct cw_store_options *opts)
{
	cw_store_close(store);
	store = NULL;
	ok(cw_store_open(dir, opts, &store, &err));
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/cw-store-XXXXXX");
	snprintf(other_dir, sizeof(other_dir), "/tmp/cw-store-XXXXXX");
	if (!mkdtemp(dir) || !mkdtemp(other_dir))
		return -1;
	return cw_store_open(dir, NULL, &store, &err);
}

static int teardown(void **state)
{
	(void)state;
	cw_store_close(store);
	store = NULL;
	cw_arena_release(&arena);
	empty_dir(dir);
	empty_dir(other_dir);
	return rmdir(dir) | rmdir(other_dir);
}

/* ---- documents made up: one word a clause ---- */

struct made {
	struct cw_analysis a;
	struct cw_clause clauses[MAX_CLAUSES];
	struct cw_finding findings[MAX_CLAUSES];
	uint32_t sketches[MAX_CLAUSES * CW_SKETCH_LEN];
	char text[MAX_CLAUSES * 16];
	struct cw_commit commit;
};

static const char *const codes[] = { "USE-04", "USE-05", NULL };
static const struct cw_term term = { .id = "data.training-grant",
				     .title = "training grant",
				     .codes = codes };
static const struct cw_rule rule = { .id = "data.training-grant/x", .term = &term };
static const struct cw_evidence evidence[] = { { CW_PART_WHO, 0, 2 }, { CW_PART_DOES, 3, 4 } };
static const struct cw_attr attrs[] = { { "perpetual", CW_ATTR_BOOL, "true" },
					{ "artefacts", CW_ATTR_LIST, "inputs,outputs" } };
static const struct cw_party parties[] = { { "Acme, Inc.", "Provider", CW_ROLE_VENDOR },
					   { "Bolt Ltd", "", CW_ROLE_CUSTOMER } };

static uint64_t hash_of(const char *word, size_t len, uint64_t seed)
{
	uint64_t h = seed;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)word[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

/* Digits are masked, as names and numbers are in a real skeleton. */
static uint64_t skeleton_of(const char *word, size_t len)
{
	while (len > 0 && word[len - 1] >= '0' && word[len - 1] <= '9')
		len--;
	return hash_of(word, len, 77);
}

static void sketch_of(uint64_t skeleton, uint32_t *out)
{
	for (size_t i = 0; i < CW_SKETCH_LEN; i++) {
		skeleton = skeleton * 6364136223846793005u + 1442695040888963407u;
		out[i] = (uint32_t)(skeleton >> 32);
	}
}

static void add_finding(struct made *m, const struct cw_clause *c)
{
	struct cw_finding *f = &m->findings[m->a.nfindings++];

	*f = (struct cw_finding){ .term = &term,
				  .rule = &rule,
				  .term_id = "data.training-grant.general",
				  .evidence_kind = "frame",
				  .confidence = 0.75f,
				  .polarity = CW_RISK,
				  .direction = CW_VENDOR,
				  .severity = CW_HIGH,
				  .clause = (uint32_t)(c - m->clauses),
				  .span = c->span,
				  .quote_start = c->span.byte_start,
				  .quote_end = c->span.byte_end,
				  .evidence = evidence,
				  .nevidence = 2,
				  .attrs = attrs,
				  .nattrs = 2,
				  .why = "why",
				  .advice = "advice" };
	snprintf(f->id, sizeof(f->id), "CW-%06X", (unsigned)(c->fingerprint & 0xffffff));
}

/* Words apart by spaces; a word that begins with '!' is a risk, with '#' a heading. */
static struct made *make(const char *path, const char *words)
{
	struct made *m = cw_arena_alloc(&arena, sizeof(*m));
	size_t len = strlen(words);

	memcpy(m->text, words, len + 1);
	m->a.text = m->text;
	m->a.len = len;
	m->a.clauses = m->clauses;
	m->a.findings = m->findings;
	m->a.format = CW_FORMAT_MARKDOWN;
	for (size_t at = 0; at < len;) {
		size_t end = at + strcspn(words + at, " ");
		size_t i = m->a.nclauses++;
		struct cw_clause *c = &m->clauses[i];

		c->span = (struct cw_span){ (uint32_t)at, (uint32_t)end, (uint32_t)i + 1,
					    (uint32_t)i + 1 };
		c->kind = words[at] == '#' ? CW_HEADING : CW_PARAGRAPH;
		c->section = "10.4";
		c->heading = "Content";
		c->fingerprint = hash_of(words + at, end - at, 1);
		c->skeleton = skeleton_of(words + at, end - at);
		sketch_of(c->skeleton, m->sketches + i * CW_SKETCH_LEN);
		if (words[at] == '!')
			add_finding(m, c);
		at = end + (words[end] == ' ');
	}
	m->a.profile = (struct cw_profile){ .type = "terms of service",
					    .parties = parties,
					    .nparties = 2,
					    .vendor = "Acme, Inc.",
					    .customer = "Bolt Ltd",
					    .agreement_date = "2014-05-08",
					    .auto_renews = 1,
					    .notice_period_days = 60,
					    .governing_law = "New York",
					    .in_force = "yes",
					    .legacy = true };
	m->commit = (struct cw_commit){ .name = { "contracts", "", path },
					.time_ms = NOW,
					.size = len,
					.mtime_ns = 5,
					.inode = 6,
					.analysis = &m->a,
					.sketches = m->sketches,
					.rules_digest = "sha256:1",
					.cause = "save" };
	cw_store_hash(words, len, m->commit.content);
	return m;
}

static struct cw_committed put(const char *path, const char *words)
{
	struct cw_committed done;

	ok(cw_store_commit_version(store, &make(path, words)->commit, &done, &err));
	return done;
}

static struct cw_document *document(const char *path)
{
	struct cw_document *doc = NULL;
	struct cw_docname name = { "contracts", "", path };

	ok(cw_store_document(store, &name, &arena, &doc, &err));
	return doc;
}

/* How many clauses hold exactly this word. */
static size_t holders(const char *word)
{
	struct cw_clause_ref *refs;
	size_t n = 0;

	ok(cw_store_clauses_by_fingerprint(store, hash_of(word, strlen(word), 1), 0, &arena, &refs,
					   &n, &err));
	return n;
}

static struct cw_commit_event *event(const char *id, int64_t time_ms)
{
	static const char *const channels[] = { "legal", "ops" };
	struct cw_event *e = cw_arena_alloc(&arena, sizeof(*e));
	struct cw_commit_event *ce = cw_arena_alloc(&arena, sizeof(*ce));

	snprintf(e->id, sizeof(e->id), "%s", id);
	e->type = "dev.clausewatch.risk.appeared";
	e->time_ms = time_ms;
	e->source = "contracts";
	e->summary = "a \"risk\" appeared";
	*ce = (struct cw_commit_event){ .event = e, .channels = channels, .nchannels = 2 };
	return ce;
}

/* ---- tests ---- */

static void test_document(void **state)
{
	(void)state;
	struct cw_committed done = put("a.md", "#one two !three");
	assert_true(done.new_document && done.new_version);
	assert_int_equal(done.version, 1);
	reopen(NULL);

	struct cw_document *d = document("a.md");
	assert_int_equal(d->id, done.doc);
	assert_true(d->present && d->checked && d->legacy);
	assert_string_equal(d->name.source, "contracts");
	assert_string_equal(d->kind, "markdown");
	assert_string_equal(d->rules_digest, "sha256:1");
	assert_int_equal(d->size, 15);
	assert_int_equal(d->mtime_ns, 5);
	assert_int_equal(d->inode, 6);
	assert_int_equal(d->first_seen_ms, NOW);
	assert_string_equal(d->agreement_date, "2014-05-08");
	assert_string_equal(d->expiration_date, "");
	assert_int_equal(d->notice_period_days, 60);
	assert_int_equal(d->auto_renews, 1);
	assert_int_equal(d->nparties, 2);
	assert_string_equal(d->parties[0].alias, "Provider");
	assert_int_equal(d->parties[1].role, CW_ROLE_CUSTOMER);
	assert_int_equal(d->counts[CW_HIGH], 1);
	assert_int_equal(d->risk, CW_HIGH);
	assert_int_equal(d->nclauses, 3);
	assert_int_equal(d->nfindings, 1);

	ok(cw_store_touch_document(store, d->id, 50, 60, &err));
	assert_int_equal(document("a.md")->mtime_ns, 50);
	struct cw_docname none = { "contracts", "refs/heads/main", "a.md" };
	assert_said(cw_store_document(store, &none, &arena, &d, &err), CW_ENOTFOUND, "a.md");
	assert_said(cw_store_document_by_id(store, 99, &arena, &d, &err), CW_ENOTFOUND, "99");
	ok(cw_store_verify(store, &err));
}

static void test_names(void **state)
{
	(void)state;
	static char paths[4][CW_STORE_PATH_MAX + 2];
	memset(paths[0], 'x', 600);
	memset(paths[1], 'x', 600);
	paths[1][599] = 'y';
	memset(paths[2], 'z', CW_STORE_PATH_MAX + 1);
	memcpy(paths[3], "dir/\xff\xfe.md", 9);

	for (int i = 0; i < 4; i++) {
		struct made *m = make(paths[i], "same words");
		int ret = cw_store_commit_version(store, &m->commit, NULL, &err);

		if (i == 2)
			assert_said(ret, CW_EINVAL, "path is empty or too long");
		else
			assert_int_equal(ret, CW_OK);
	}
	assert_int_not_equal(document(paths[0])->id, document(paths[1])->id);
	assert_string_equal(document(paths[3])->name.path, paths[3]);

	struct cw_document *docs;
	size_t n;
	struct made *m = make("a.md", "git");
	m->commit.name = (struct cw_docname){ "repo", "refs/heads/main", "dir/a.md" };
	ok(cw_store_commit_version(store, &m->commit, NULL, &err));
	static const struct {
		struct cw_document_query q;
		size_t n;
	} cases[] = {
		{ { 0 }, 4 },
		{ { .limit = 2 }, 2 },
		{ { .after = 2 }, 2 },
		{ { .after = 3 }, 1 },
		{ { .source = "repo" }, 1 },
		{ { .source = "rep" }, 0 },
		{ { .source = "contracts" }, 3 },
		{ { .source = "contracts", .limit = 2 }, 2 },
		{ { .source = "contracts", .after = 1 }, 2 },
		{ { .source = "contracts", .path_prefix = "dir/" }, 1 },
		{ { .source = "contracts", .ref = "", .path_prefix = "dir/" }, 1 },
		{ { .source = "contracts", .ref = "", .path_prefix = "" }, 3 },
		{ { .source = "contracts", .ref = "", .path_prefix = "x" }, 2 },
		{ { .source = "repo", .ref = "refs/heads/main" }, 1 },
		{ { .source = "repo", .ref = "refs/heads/mai" }, 0 },
		{ { .path_prefix = "dir/" }, 2 },
		{ { .other_rules = "sha256:1" }, 0 },
		{ { .other_rules = "sha256:2" }, 4 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ok(cw_store_documents(store, &cases[i].q, &arena, &docs, &n, &err));
		if (n != cases[i].n)
			fail_msg("case %zu: %zu documents", i, n);
	}
	ok(cw_store_documents_by_content(store, make("", "same words")->commit.content, &arena,
					 &docs, &n, &err));
	assert_int_equal(n, 3);
	ok(cw_store_verify(store, &err));
}

static void test_replace(void **state)
{
	(void)state;
	struct cw_document *d;
	struct cw_clause_ref *refs;
	const char *text;
	size_t n, len;
	uint64_t doc = put("a.md", "one two !three two").doc;
	put("b.md", "two !three");
	uint8_t first[CW_HASH_SIZE];
	memcpy(first, document("a.md")->text, CW_HASH_SIZE);
	assert_int_equal(holders("two"), 3);

	struct made *m = make("a.md", "zero two !three");
	m->commit.time_ms = NOW + 1;
	ok(cw_store_commit_version(store, &m->commit, NULL, &err));
	d = document("a.md");
	assert_int_equal(d->version, 2);
	assert_int_equal(d->changed_ms, NOW + 1);
	assert_int_equal(d->first_seen_ms, NOW);
	assert_int_equal(holders("one"), 0);
	assert_int_equal(holders("zero"), 1);
	assert_int_equal(holders("two"), 2);
	ok(cw_store_clauses(store, doc, &arena, &refs, &n, &err));
	assert_int_equal(n, 3);
	assert_int_equal(refs[1].ordinal, 1);
	assert_int_equal(refs[1].span.byte_start, 5);
	assert_int_equal(refs[1].span.byte_end, 8);
	assert_int_equal(refs[1].span.line_start, 2);
	assert_string_equal(refs[1].section, "10.4");

	/* What was found there before is as old as it was. */
	struct cw_stored_finding *f;
	ok(cw_store_findings(store, doc, &arena, &f, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(f[0].first_seen_ms, NOW);

	/* The text before is kept for comparing, the one before that is not. */
	ok(cw_store_text(store, first, &arena, &text, &len, &err));
	assert_string_equal(text, "one two !three two");
	put("a.md", "third");
	assert_said(cw_store_text(store, first, &arena, &text, &len, &err), CW_ENOTFOUND, "text");
	ok(cw_store_text(store, document("a.md")->prev_text, &arena, &text, &len, &err));
	assert_string_equal(text, "zero two !three");

	/* The same bytes with other rules are no version. */
	m = make("a.md", "third");
	m->commit.rules_digest = "sha256:2";
	struct cw_committed done;
	ok(cw_store_commit_version(store, &m->commit, &done, &err));
	assert_false(done.new_version || done.new_document);
	assert_int_equal(done.version, 3);
	assert_string_equal(document("a.md")->rules_digest, "sha256:2");
	ok(cw_store_verify(store, &err));
}

static void test_clause_ids_stay(void **state)
{
	(void)state;
	struct cw_store_stats before, after;
	put("a.md", "one two three four five");
	ok(cw_store_stats(store, &before, &err));
	put("a.md", "five zero one two three");
	ok(cw_store_stats(store, &after, &err));
	assert_int_equal(before.clauses, 5);
	assert_int_equal(after.clauses, 5);
	assert_int_equal(holders("four"), 0);
	struct cw_clause_ref *refs;
	size_t n;
	ok(cw_store_clauses_by_fingerprint(store, hash_of("five", 4, 1), 0, &arena, &refs, &n,
					   &err));
	assert_int_equal(n, 1);
	assert_int_equal(refs[0].ordinal, 0);
	ok(cw_store_verify(store, &err));
}

static void test_versions(void **state)
{
	(void)state;
	struct cw_version *v;
	size_t n;
	struct made *m = make("a.md", "one");
	m->commit.cause = "commit";
	m->commit.commit = "c0ffee";
	m->commit.author = "A <a@example.com>";
	m->commit.subject = "first";
	m->commit.commit_date = "2020-01-01";
	m->commit.blob = "b10b";
	struct cw_committed done;
	ok(cw_store_commit_version(store, &m->commit, &done, &err));
	put("a.md", "two");
	put("a.md", "one");
	ok(cw_store_versions(store, done.doc, 0, 0, &arena, &v, &n, &err));
	assert_int_equal(n, 3);
	assert_int_equal(v[0].number, 3);
	assert_int_equal(v[2].number, 1);
	assert_string_equal(v[2].author, "A <a@example.com>");
	assert_string_equal(v[2].subject, "first");
	assert_string_equal(v[2].commit, "c0ffee");
	assert_string_equal(v[2].commit_date, "2020-01-01");
	assert_string_equal(v[2].blob, "b10b");
	assert_string_equal(v[0].cause, "save");
	ok(cw_store_versions(store, done.doc, 3, 1, &arena, &v, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(v[0].number, 2);
	ok(cw_store_version_seen(store, done.doc, make("", "two")->commit.content, &arena, &v,
				 &err));
	assert_int_equal(v->number, 2);
	ok(cw_store_version_seen(store, done.doc, make("", "one")->commit.content, &arena, &v,
				 &err));
	assert_int_equal(v->number, 3);
	assert_said(cw_store_version_seen(store, done.doc, make("", "new")->commit.content, &arena,
					  &v, &err),
		    CW_ENOTFOUND, "never");
}

static void test_unchecked(void **state)
{
	(void)state;
	struct made *m = make("a.pdf", "!one");
	const struct cw_analysis *a = m->commit.analysis;
	put("a.pdf", "!zero");
	m->commit.analysis = NULL;
	assert_said(cw_store_commit_version(store, &m->commit, NULL, &err), CW_EINVAL, "a.pdf");
	m->commit.error_code = "encrypted";
	m->commit.error_message = "needs a password";
	ok(cw_store_commit_version(store, &m->commit, NULL, &err));
	struct cw_document *d = document("a.pdf");
	assert_false(d->checked);
	assert_string_equal(d->error_code, "encrypted");
	assert_string_equal(d->error_message, "needs a password");
	assert_int_equal(d->version, 2);
	assert_int_equal(d->checked_version, 1);
	assert_int_equal(d->nfindings, 1);
	assert_int_equal(holders("!zero"), 1);
	struct cw_store_stats st;
	ok(cw_store_stats(store, &st, &err));
	assert_int_equal(st.unchecked, 1);
	assert_int_equal(st.by_severity[CW_HIGH], 1);

	/* The same bytes become readable: no new version, but it has a text now. */
	m->commit.analysis = a;
	struct cw_committed done;
	ok(cw_store_commit_version(store, &m->commit, &done, &err));
	assert_false(done.new_version);
	d = document("a.pdf");
	assert_true(d->checked);
	assert_string_equal(d->error_code, "");
	assert_int_equal(d->checked_version, 2);
	struct cw_version *v;
	size_t n;
	ok(cw_store_versions(store, d->id, 0, 1, &arena, &v, &n, &err));
	assert_memory_equal(v->text, d->text, CW_HASH_SIZE);
	ok(cw_store_verify(store, &err));
}

static void test_remove(void **state)
{
	(void)state;
	struct cw_docname name = { "contracts", "", "a.md" };
	const char *text;
	size_t len, n;
	struct cw_stored_finding *f;
	uint64_t doc = put("a.md", "one !two").doc;
	put("a.md", "one !two three");
	put("b.md", "one");
	ok(cw_store_remove_document(store, &name, NOW + 9, event("E1", NOW + 9), 1, &err));
	struct cw_document *d = document("a.md");
	assert_false(d->present);
	assert_int_equal(d->nclauses, 0);
	assert_int_equal(d->risk, -1);
	assert_int_equal(holders("one"), 1);
	assert_int_equal(holders("!two"), 0);
	ok(cw_store_findings(store, doc, &arena, &f, &n, &err));
	assert_int_equal(n, 0);
	ok(cw_store_text(store, d->text, &arena, &text, &len, &err));
	assert_string_equal(text, "one !two three");
	assert_said(cw_store_remove_document(store, &name, NOW, NULL, 0, &err), CW_ENOTFOUND,
		    "a.md");
	struct cw_store_stats st;
	ok(cw_store_stats(store, &st, &err));
	assert_int_equal(st.documents, 1);
	assert_int_equal(st.removed, 1);
	assert_int_equal(st.events, 1);
	assert_int_equal(st.texts, 2);
	ok(cw_store_verify(store, &err));

	struct cw_committed done = put("a.md", "one !two three");
	assert_int_equal(done.doc, doc);
	assert_true(done.new_version);
	assert_int_equal(done.version, 3);
	ok(cw_store_verify(store, &err));
	ok(cw_store_forget_document(store, doc, &err));
	assert_said(cw_store_document(store, &name, &arena, &d, &err), CW_ENOTFOUND, "a.md");
	assert_said(cw_store_forget_document(store, doc, &err), CW_ENOTFOUND, "no document");
	ok(cw_store_stats(store, &st, &err));
	assert_int_equal(st.texts, 1);
	ok(cw_store_verify(store, &err));
}

static void test_finding(void **state)
{
	(void)state;
	struct cw_stored_finding *f;
	size_t n;
	uint64_t a = put("a.md", "one !two !three").doc, b = put("b.md", "!two").doc;
	ok(cw_store_findings(store, a, &arena, &f, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(f[1].ordinal, 1);
	assert_string_equal(f[0].term_id, "data.training-grant.general");
	assert_string_equal(f[0].rule_id, rule.id);
	assert_string_equal(f[0].title, "training grant");
	assert_string_equal(f[0].codes, "USE-04,USE-05");
	assert_string_equal(f[0].evidence_kind, "frame");
	assert_true(f[0].confidence == 0.75f);
	assert_int_equal(f[0].polarity, CW_RISK);
	assert_int_equal(f[0].direction, CW_VENDOR);
	assert_int_equal(f[0].severity, CW_HIGH);
	assert_int_equal(f[0].clause, 1);
	assert_int_equal(f[0].span.line_end, 2);
	assert_string_equal(f[0].section, "10.4");
	assert_string_equal(f[0].heading, "Content");
	assert_int_equal(f[0].fingerprint, hash_of("!two", 4, 1));
	assert_int_equal(f[0].quote_len, 4);
	assert_string_equal(f[0].quote, "!two");
	assert_int_equal(f[0].nevidence, 2);
	assert_int_equal(f[0].evidence[1].part, CW_PART_DOES);
	assert_int_equal(f[0].nattrs, 2);
	assert_string_equal(f[0].attrs[1].value, "inputs,outputs");
	assert_string_equal(f[0].why, "why");
	assert_string_equal(f[0].advice, "advice");

	char id[CW_ID_SIZE];
	memcpy(id, f[0].id, sizeof(id));
	ok(cw_store_findings_by_id(store, id, &arena, &f, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(f[0].doc, a);
	assert_int_equal(f[1].doc, b);
	ok(cw_store_findings_all(store, 0, 0, 2, &arena, &f, &n, &err));
	assert_int_equal(n, 2);
	ok(cw_store_findings_all(store, f[1].doc, f[1].ordinal, 0, &arena, &f, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(f[0].doc, b);
	ok(cw_store_findings_by_id(store, "CW-000000", &arena, &f, &n, &err));
	assert_int_equal(n, 0);
	assert_said(cw_store_findings_by_id(store, "far too long an id", &arena, &f, &n, &err),
		    CW_EINVAL, "no id");
}

static void test_similar(void **state)
{
	(void)state;
	static const size_t changed[] = { 0, 8, 16, 48 };
	struct cw_clause_ref *refs;
	uint32_t sketch[CW_SKETCH_LEN];
	size_t n;
	put("a.md", "pay10 other #pay10 thing");
	put("b.md", "pay20 more");
	put("c.md", "pay30");

	for (size_t i = 0; i < sizeof(changed) / sizeof(*changed); i++) {
		sketch_of(skeleton_of("pay", 3), sketch);
		for (size_t j = 0; j < changed[i]; j++)
			sketch[j] += 1;
		ok(cw_store_clauses_similar(store, sketch, 0, 0, &arena, &refs, &n, &err));
		assert_int_equal(n, changed[i] <= 16 ? 3 : 0);
		if (n > 0)
			assert_true(refs[0].similarity > 0.7 && refs[0].similarity <= 1.0);
	}
	sketch_of(skeleton_of("pay", 3), sketch);
	ok(cw_store_clauses_similar(store, sketch, 0.4, 2, &arena, &refs, &n, &err));
	assert_int_equal(n, 2);
	ok(cw_store_clauses_by_skeleton(store, skeleton_of("pay", 3), 0, &arena, &refs, &n, &err));
	assert_int_equal(n, 3);

	/* The leader goes: another clause of its skeleton must be found in its place. */
	struct cw_docname name = { "contracts", "", "a.md" };
	ok(cw_store_remove_document(store, &name, NOW, NULL, 0, &err));
	ok(cw_store_verify(store, &err));
	ok(cw_store_clauses_similar(store, sketch, 0.4, 0, &arena, &refs, &n, &err));
	assert_int_equal(n, 2);
	put("b.md", "more");
	put("c.md", "less");
	ok(cw_store_clauses_similar(store, sketch, 0.4, 0, &arena, &refs, &n, &err));
	assert_int_equal(n, 0);
	ok(cw_store_verify(store, &err));
}

/* Too few words for a sketch, or none handed in: not found as similar, and nothing breaks. */
static void test_no_sketch(void **state)
{
	(void)state;
	struct made *m = make("a.md", "pay10 two");
	struct cw_clause_ref *refs;
	uint32_t sketch[CW_SKETCH_LEN];
	size_t n;
	m->commit.sketches = NULL;
	ok(cw_store_commit_version(store, &m->commit, NULL, &err));
	m = make("b.md", "pay10 two");
	memset(m->sketches, 0xff, sizeof(m->sketches));
	ok(cw_store_commit_version(store, &m->commit, NULL, &err));
	memset(sketch, 0xff, sizeof(sketch));
	ok(cw_store_clauses_similar(store, sketch, 0, 0, &arena, &refs, &n, &err));
	assert_int_equal(n, 0);
	ok(cw_store_verify(store, &err));
	put("a.md", "pay10 two");
	put("c.md", "pay10");
	ok(cw_store_verify(store, &err));
}

static void test_batch(void **state)
{
	(void)state;
	struct cw_commit batch[3];
	struct cw_committed done[3];
	batch[0] = make("a.md", "one two")->commit;
	batch[1] = make("a.md", "two three")->commit;
	batch[2] = make("b.md", "one three3 three4")->commit;
	ok(cw_store_commit_versions(store, batch, 3, done, &err));
	assert_int_equal(done[1].doc, done[0].doc);
	assert_int_equal(done[1].version, 2);
	assert_true(done[2].new_document);
	assert_int_equal(holders("one"), 1);
	ok(cw_store_verify(store, &err));

	/* One that is wrong: none is stored. */
	batch[0] = make("c.md", "one")->commit;
	batch[1].name.path = "";
	assert_said(cw_store_commit_versions(store, batch, 2, done, &err), CW_EINVAL, "path");
	struct cw_document *d;
	assert_said(cw_store_document(store, &batch[0].name, &arena, &d, &err), CW_ENOTFOUND,
		    "c.md");
	assert_int_equal(holders("one"), 1);
}

static void test_events(void **state)
{
	(void)state;
	struct cw_stored_event *e;
	struct cw_event back;
	size_t n;
	struct made *m = make("a.md", "one");
	m->commit.events = event("E1", NOW);
	m->commit.nevents = 1;
	ok(cw_store_commit_version(store, &m->commit, NULL, &err));
	ok(cw_store_add_events(store, event("E2", NOW + 20), 1, &err));
	ok(cw_store_add_events(store, event("E3", NOW + 10), 1, &err));
	ok(cw_store_event(store, "E1", &arena, &e, &err));
	assert_int_equal(e->seq, 1);
	ok(cw_event_from_json(&arena, e->json, e->len, &back, &err));
	assert_string_equal(back.summary, "a \"risk\" appeared");
	assert_int_equal(back.time_ms, NOW);

	ok(cw_store_events_after(store, 1, 0, &arena, &e, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(e[0].id, "E2");
	ok(cw_store_events_after(store, 0, 1, &arena, &e, &n, &err));
	assert_int_equal(n, 1);
	ok(cw_store_events_since(store, NOW + 10, 0, &arena, &e, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(e[0].id, "E3");
	assert_string_equal(e[1].id, "E2");
	ok(cw_store_events_since(store, 0, 1, &arena, &e, &n, &err));
	assert_string_equal(e[0].id, "E2");
	assert_said(cw_store_add_events(store, event("E1", NOW), 1, &err), CW_EINVAL, "already");
	assert_said(cw_store_add_events(store, event("a:b", NOW), 1, &err), CW_EINVAL, "a:b");
	assert_said(cw_store_event(store, "E9", &arena, &e, &err), CW_ENOTFOUND, "E9");
	ok(cw_store_verify(store, &err));
}

static void settle_deliveries(enum cw_delivery_state state)
{
	struct cw_delivery *d;
	size_t n;

	ok(cw_store_deliveries_due(store, INT64_MAX, 0, &arena, &d, &n, &err));
	for (size_t i = 0; i < n; i++)
		d[i].state = state;
	ok(cw_store_update_deliveries(store, d, n, &err));
}

static void test_prune(void **state)
{
	(void)state;
	struct cw_stored_event *e;
	uint64_t pruned;
	size_t n;
	char id[8];
	for (int i = 0; i < 10; i++) {
		snprintf(id, sizeof(id), "E%d", i);
		ok(cw_store_add_events(store, event(id, NOW + i), 1, &err));
		if (i == 3)
			settle_deliveries(CW_DELIVERY_DELIVERED);
	}
	ok(cw_store_prune_events(store, NOW + 6, 0, &pruned, &err));
	assert_int_equal(pruned, 4); /* E4 and E5 are still to be delivered */
	ok(cw_store_events_after(store, 0, 0, &arena, &e, &n, &err));
	assert_int_equal(n, 6);
	assert_string_equal(e[0].id, "E4");
	settle_deliveries(CW_DELIVERY_DEAD);
	ok(cw_store_prune_events(store, 0, 2, &pruned, &err));
	assert_int_equal(pruned, 4);
	ok(cw_store_events_after(store, 0, 0, &arena, &e, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(e[0].id, "E8");
	struct cw_store_stats st;
	ok(cw_store_stats(store, &st, &err));
	assert_int_equal(st.outbox[CW_DELIVERY_DELIVERED], 0);
	assert_int_equal(st.outbox[CW_DELIVERY_DEAD], 4);
	ok(cw_store_verify(store, &err));
}

static void test_outbox(void **state)
{
	(void)state;
	struct cw_delivery *d;
	int64_t due;
	size_t n;
	struct cw_commit_event *e = event("E2", NOW + 5);
	assert_said(cw_store_next_due(store, &due, &err), CW_ENOTFOUND, "pending");
	e->due_ms = NOW + 100;
	ok(cw_store_add_events(store, event("E1", NOW), 1, &err));
	ok(cw_store_add_events(store, e, 1, &err));
	ok(cw_store_deliveries_due(store, NOW + 99, 0, &arena, &d, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(d[0].id, "E1:legal");
	assert_string_equal(d[1].channel, "ops");
	ok(cw_store_deliveries_due(store, NOW + 100, 3, &arena, &d, &n, &err));
	assert_int_equal(n, 3);

	d[0].attempts = 1;
	d[0].next_ms = NOW + 500;
	d[0].last_ms = NOW + 1;
	d[0].last_status = 503;
	d[0].last_error = "busy";
	ok(cw_store_update_delivery(store, &d[0], &err));
	ok(cw_store_delivery(store, "E1:legal", &arena, &d, &err));
	assert_int_equal(d->last_status, 503);
	assert_string_equal(d->last_error, "busy");
	assert_string_equal(d->event, "E1");
	assert_int_equal(d->created_ms, NOW);
	ok(cw_store_next_due(store, &due, &err));
	assert_int_equal(due, NOW);

	d->state = CW_DELIVERY_DEAD;
	ok(cw_store_update_delivery(store, d, &err));
	ok(cw_store_deliveries(store, CW_DELIVERY_DEAD, "legal", 0, &arena, &d, &n, &err));
	assert_int_equal(n, 1);
	ok(cw_store_deliveries(store, CW_DELIVERY_DEAD, "ops", 0, &arena, &d, &n, &err));
	assert_int_equal(n, 0);
	ok(cw_store_disable_channel(store, "ops", NOW + 2, &n, &err));
	assert_int_equal(n, 2);
	ok(cw_store_deliveries(store, CW_DELIVERY_PENDING, NULL, 0, &arena, &d, &n, &err));
	assert_int_equal(n, 1);
	ok(cw_store_verify(store, &err));

	ok(cw_store_retry(store, NULL, NULL, NOW + 7, &n, &err));
	assert_int_equal(n, 3);
	ok(cw_store_delivery(store, "E1:legal", &arena, &d, &err));
	assert_int_equal(d->state, CW_DELIVERY_PENDING);
	assert_int_equal(d->attempts, 0);
	assert_int_equal(d->next_ms, NOW + 7);
	assert_said(cw_store_retry(store, "E7:ops", NULL, NOW, &n, &err), CW_ENOTFOUND, "E7:ops");
	d->id = "E7:ops";
	assert_said(cw_store_update_delivery(store, d, &err), CW_ENOTFOUND, "E7:ops");
	assert_int_equal(cw_delivery_state_parse("dead"), CW_DELIVERY_DEAD);
	assert_int_equal(cw_delivery_state_parse("x"), -1);
	ok(cw_store_verify(store, &err));
}

static void test_waivers_and_refs(void **state)
{
	(void)state;
	struct cw_waiver w = { "CW-7F3KQ2", 42, "agreed", "GC", "LEG-1", "2030-01-01", NOW }, *got;
	struct cw_ref ref = { "repo", "refs/heads/main", "c0ffee", NOW }, *back;
	size_t n;
	ok(cw_store_put_waiver(store, &w, &err));
	ok(cw_store_waiver(store, "CW-7F3KQ2", &arena, &got, &err));
	assert_string_equal(got->approver, "GC");
	assert_int_equal(got->fingerprint, 42);
	assert_string_equal(got->expires, "2030-01-01");
	ok(cw_store_waivers(store, &arena, &got, &n, &err));
	assert_int_equal(n, 1);
	ok(cw_store_delete_waiver(store, "CW-7F3KQ2", &err));
	assert_said(cw_store_delete_waiver(store, "CW-7F3KQ2", &err), CW_ENOTFOUND, "CW-7F3KQ2");
	assert_said(cw_store_waiver(store, "", &arena, &got, &err), CW_EINVAL, "id");

	ok(cw_store_put_ref(store, &ref, &err));
	ref.oid = "beef";
	ok(cw_store_put_ref(store, &ref, &err));
	ok(cw_store_ref(store, "repo", "refs/heads/main", &arena, &back, &err));
	assert_string_equal(back->oid, "beef");
	ok(cw_store_refs(store, "rep", &arena, &back, &n, &err));
	assert_int_equal(n, 0);
	ok(cw_store_refs(store, NULL, &arena, &back, &n, &err));
	assert_int_equal(n, 1);
	ok(cw_store_delete_ref(store, "repo", "refs/heads/main", &err));
	assert_said(cw_store_ref(store, "repo", "refs/heads/main", &arena, &back, &err),
		    CW_ENOTFOUND, "main");

	const char *const blobs[] = { "aa11", "bb22" };
	bool seen;
	ok(cw_store_mark_blobs(store, "r1", blobs, 2, NOW, &err));
	ok(cw_store_blob_seen(store, "r1", "bb22", &seen, &err));
	assert_true(seen);
	ok(cw_store_blob_seen(store, "r2", "bb22", &seen, &err));
	assert_false(seen);
	ok(cw_store_prune_blobs(store, "r2", &err));
	ok(cw_store_blob_seen(store, "r1", "bb22", &seen, &err));
	assert_false(seen);
}

static void test_meta(void **state)
{
	(void)state;
	struct cw_store_meta a, b;
	uint64_t n;
	ok(cw_store_meta(store, &a, &err));
	assert_int_equal(strlen(a.install_id), 32);
	assert_string_equal(a.rules_digest, "");
	ok(cw_store_set_rules_digest(store, "sha256:abc", &err));
	ok(cw_store_next(store, "x", &n, &err));
	assert_int_equal(n, 1);
	reopen(NULL);
	ok(cw_store_next(store, "x", &n, &err));
	assert_int_equal(n, 2);
	ok(cw_store_next(store, "y", &n, &err));
	assert_int_equal(n, 1);
	ok(cw_store_meta(store, &b, &err));
	assert_string_equal(a.install_id, b.install_id);
	assert_int_equal(a.created_ms, b.created_ms);
	assert_string_equal(b.rules_digest, "sha256:abc");
}

static void test_growth(void **state)
{
	(void)state;
	struct cw_store_options opts = { .map_start = 256 << 10, .map_max = 2 << 20 };
	struct cw_store_stats st;
	char path[32], words[256];
	int ret = CW_OK, i;
	reopen(&opts);
	for (i = 0; ret == CW_OK && i < 5000; i++) {
		snprintf(path, sizeof(path), "%d.md", i);
		snprintf(words, sizeof(words), "a%db c%dd e%df !g%dh", i, i, i, i);
		ret = cw_store_commit_version(store, &make(path, words)->commit, NULL, &err);
	}
	assert_said(ret, CW_EFULL, "size limit");
	ok(cw_store_stats(store, &st, &err));
	assert_int_equal(st.map_size, 2 << 20);
	assert_int_equal(st.documents, i - 1);
	assert_true(st.map_used > 1 << 20 && st.map_used <= 2 << 20);
	ok(cw_store_verify(store, &err));
	opts.map_max = 16 << 20;
	reopen(&opts);
	ok(cw_store_commit_version(store, &make(path, words)->commit, NULL, &err));
	ok(cw_store_verify(store, &err));
}

/* Writes versions until it is killed; a byte to the pipe after each. */
static void write_for_ever(int pipe_fd)
{
	static char words[128], id[32];

	cw_store_close(store); /* the parent's was closed before */
	store = NULL;
	if (cw_store_open(dir, NULL, &store, &err) < 0)
		_exit(1);
	for (unsigned i = 0;; i++) {
		char path[16];

		snprintf(path, sizeof(path), "%u.md", i % 7);
		snprintf(words, sizeof(words), "a%ux b%uy !c%uz same", i, i / 2, i);
		snprintf(id, sizeof(id), "E%u-%d", i, (int)getpid());
		struct made *m = make(path, words);
		m->commit.events = event(id, NOW + i);
		m->commit.nevents = 1;
		if (cw_store_commit_version(store, &m->commit, NULL, &err) < 0 ||
		    write(pipe_fd, "x", 1) != 1)
			_exit(1);
		cw_arena_release(&arena);
	}
}

static void test_kill(void **state)
{
	(void)state;
	uint64_t told = 0;
	for (int round = 0; round < 4; round++) {
		int fds[2], status;
		char bytes[64];
		ssize_t n;

		cw_store_close(store);
		store = NULL;
		assert_int_equal(pipe(fds), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			close(fds[0]);
			write_for_ever(fds[1]);
		}
		close(fds[1]);
		for (size_t got = 0; got < 40 + (size_t)round * 13; got += (size_t)n) {
			n = read(fds[0], bytes, sizeof(bytes));
			if (n <= 0)
				fail_msg("the writer ended by itself");
			told += (uint64_t)n;
		}
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		while ((n = read(fds[0], bytes, sizeof(bytes))) > 0)
			told += (uint64_t)n;
		close(fds[0]);

		reopen(NULL);
		ok(cw_store_verify(store, &err));
		struct cw_store_stats st;
		ok(cw_store_stats(store, &st, &err));
		/* Every version that was reported is there with its event; at most one more a
		 * round. */
		assert_true(st.events >= told && st.events <= told + (uint64_t)round + 1);
		assert_int_equal(st.outbox[CW_DELIVERY_PENDING], st.events * 2);
		uint64_t versions = 0;
		for (uint64_t doc = 1; doc <= st.documents; doc++) {
			struct cw_document *d;

			ok(cw_store_document_by_id(store, doc, &arena, &d, &err));
			versions += d->version;
		}
		assert_int_equal(versions, st.events);
	}
}

static void test_second_opener(void **state)
{
	(void)state;
	struct cw_store *second = NULL;
	char pid[16];
	snprintf(pid, sizeof(pid), "process %d", (int)getpid());
	assert_said(cw_store_open(dir, NULL, &second, &err), CW_EDENIED, pid);
	assert_null(second);
	put("a.md", "still works");
	assert_said(cw_store_open("/nonexistent/x", NULL, &second, &err), CW_ENOTFOUND,
		    "/nonexistent/x");
}

/* Straight into the file, behind the store's back; val NULL deletes. */
static void scribble(const char *db, MDB_val key, MDB_val *val)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	cw_store_close(store);
	store = NULL;
	assert_int_equal(mdb_env_create(&env), 0);
	mdb_env_set_maxdbs(env, 4);
	assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, db, db ? MDB_CREATE : 0, &dbi), 0);
	assert_int_equal(val ? mdb_put(txn, dbi, &key, val, 0) : mdb_del(txn, dbi, &key, NULL), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void test_schema(void **state)
{
	(void)state;
	uint8_t number[8] = { 0, 0, 0, 0, 0, 0, 0, 2 };
	MDB_val val = cw_val(number, 8);
	put("a.md", "one");
	scribble("meta", cw_str_val("schema"), &val);
	assert_said(cw_store_open(dir, NULL, &store, &err), CW_EUNSUPPORTED, "has schema 2");
	assert_non_null(strstr(err.msg, "export"));
	assert_null(store);
	number[7] = CW_STORE_SCHEMA; /* nothing was lost */
	scribble("meta", cw_str_val("schema"), &val);
	reopen(NULL);
	assert_string_equal(document("a.md")->name.path, "a.md");
}

static void test_foreign(void **state)
{
	(void)state;
	char path[96];
	MDB_val val = cw_str_val("value");
	cw_store_close(store);
	store = NULL;
	empty_dir(dir);
	scribble("theirs", cw_str_val("key"), &val);
	assert_said(cw_store_open(dir, NULL, &store, &err), CW_EUNSUPPORTED, "another program");

	empty_dir(dir);
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 3000; i++)
		fputs("rubbish ", f);
	fclose(f);
	assert_said(cw_store_open(dir, NULL, &store, &err), CW_EUNSUPPORTED, "move it away");
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 24000);
}

static void test_corrupt(void **state)
{
	(void)state;
	uint8_t key[12] = { 0, 0, 0, 0, 0, 0, 0, 1 };
	MDB_val junk = cw_str_val("\x01junk"), nothing = cw_val("", 0);
	struct cw_docname name = { "contracts", "", "a.md" };
	struct cw_document *d;
	struct cw_stored_finding *f;
	struct cw_clause_ref *refs;
	const char *text;
	size_t n;
	put("a.md", "one !two");
	put("b.md", "one");
	uint8_t hash[CW_HASH_SIZE];
	memcpy(hash, document("b.md")->text, CW_HASH_SIZE);

	scribble("finding", cw_val(key, 12), &junk);
	reopen(NULL);
	assert_said(cw_store_findings(store, 1, &arena, &f, &n, &err), CW_ECORRUPT,
		    "record 000000000000000100000000 of table 'finding'");
	assert_int_equal(cw_store_verify(store, &err), CW_ECORRUPT);
	scribble("outline", cw_val(key, 8), &nothing);
	reopen(NULL);
	assert_said(cw_store_clauses(store, 1, &arena, &refs, &n, &err), CW_ECORRUPT, "'outline'");
	scribble("text", cw_val(hash, CW_HASH_SIZE), &junk);
	reopen(NULL);
	assert_said(cw_store_text(store, hash, &arena, &text, &n, &err), CW_ECORRUPT, "'text'");
	scribble("doc", cw_val(key, 8), &junk);
	reopen(NULL);
	assert_said(cw_store_document(store, &name, &arena, &d, &err), CW_ECORRUPT, "'doc'");
	struct made *m = make("a.md", "new");
	assert_said(cw_store_commit_version(store, &m->commit, NULL, &err), CW_ECORRUPT, "a.md");
	document("b.md"); /* the others can still be read */
}

/* Missing index entries are what verify is for. */
static void test_verify(void **state)
{
	(void)state;
	uint8_t key[8];
	put("a.md", "one two");
	cw_be64(key, hash_of("two", 3, 1));
	scribble("exact", cw_val(key, 8), NULL);
	reopen(NULL);
	assert_said(cw_store_verify(store, &err), CW_ECORRUPT, "'exact' misses it");
}

static void fill(void)
{
	struct made *m = make("d\xff.md", "one !two \"three\n");
	m->commit.events = event("E1", NOW);
	m->commit.nevents = 1;
	ok(cw_store_commit_version(store, &m->commit, NULL, &err));
	put("a.md", "one");
	put("a.md", "one\xfe");
	put("b.md", "one");
	struct cw_waiver w = { "CW-7F3KQ2", UINT64_MAX, "agreed", "GC", "", "", NOW };
	struct cw_ref ref = { "repo", "refs/heads/main", "c0ffee", NOW };
	ok(cw_store_put_waiver(store, &w, &err));
	ok(cw_store_put_ref(store, &ref, &err));
}

static char *export_all(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	ok(cw_store_export(store, f, &err));
	fclose(f);
	return text;
}

static void test_export(void **state)
{
	(void)state;
	fill();
	char *before = export_all();
	struct cw_document *old = document("a.md");
	struct cw_store_options tiny = { .map_start = 128 << 10 };
	cw_store_close(store);
	store = NULL;
	empty_dir(dir);
	reopen(&tiny);
	FILE *f = fmemopen(before, strlen(before), "r");
	ok(cw_store_import(store, f, &err));
	ok(cw_store_verify(store, &err));
	rewind(f);
	assert_said(cw_store_import(store, f, &err), CW_EINVAL, "empty directory");
	fclose(f);

	struct cw_document *d = document("a.md");
	assert_string_equal(d->rules_digest, "");
	assert_int_equal(d->id, old->id);
	assert_memory_equal(d->prev_text, old->prev_text, CW_HASH_SIZE);
	assert_int_equal(d->nparties, 2);
	const char *text;
	size_t len;
	ok(cw_store_text(store, d->text, &arena, &text, &len, &err));
	assert_string_equal(text, "one\xfe");
	document("d\xff.md");
	assert_true(put("new.md", "x").doc > 3);
	struct cw_delivery *del;
	ok(cw_store_delivery(store, "E1:ops", &arena, &del, &err));
	struct cw_waiver *w;
	ok(cw_store_waiver(store, "CW-7F3KQ2", &arena, &w, &err));
	assert_true(w->fingerprint == UINT64_MAX);
	put("a.md", "one two");
	ok(cw_store_verify(store, &err));
	free(before);
}

static void test_import_errors(void **state)
{
	(void)state;
#define HEAD "{\"kind\":\"store\",\"schema\":1}\n"
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "nothing in it" },
		{ "{\"kind\":\"store\",\"schema\":7}\n", "line 1: 'schema'" },
		{ HEAD "rubbish\n", "line 2: column" },
		{ HEAD "{\"kind\":\"cat\"}\n", "line 2: 'kind' is unknown" },
		{ "{\"kind\":\"ref\"}\n", "first line" },
		{ HEAD "{\"kind\":\"ref\",\"source\":\"a\"}\n", "line 2: 'ref'" },
		{ HEAD "{\"kind\":\"document\",\"id\":-4}\n", "line 2: 'source'" },
		{ HEAD "{\"kind\":\"text\",\"hash\":\"00\",\"text\":\"x\"}\n",
		  "'hash' is no hash" },
		{ HEAD "{\"kind\":\"text\",\"hash\":\"00000000000000000000000000000000\","
		       "\"text\":\"x\"}\n",
		  "not the text of its hash" },
		{ HEAD "{\"kind\":\"event\",\"id\":\"a\",\"time_ms\":1,\"event\":3}\n",
		  "'event' is not an object" },
		{ HEAD HEAD, "line 2: the first line" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		FILE *f = tmpfile();

		fputs(cases[i].text, f);
		rewind(f);
		assert_said(cw_store_import(store, f, &err), CW_EINVAL, cases[i].words);
		fclose(f);
	}
	ok(cw_store_verify(store, &err));
}

static void test_backup(void **state)
{
	(void)state;
	fill();
	ok(cw_store_backup(store, other_dir, &err));
	assert_said(cw_store_backup(store, other_dir, &err), CW_EINVAL, other_dir);
	assert_int_equal(cw_store_backup(store, "/nonexistent/x", &err), CW_ENOTFOUND);
	put("later.md", "not in the backup");
	struct cw_store *copy;
	struct cw_store_stats st;
	ok(cw_store_open(other_dir, NULL, &copy, &err));
	ok(cw_store_verify(copy, &err));
	ok(cw_store_stats(copy, &st, &err));
	assert_int_equal(st.documents, 3);
	cw_store_close(copy);
}

static void *write_some(void *arg)
{
	struct cw_commit *commits = arg;
	intptr_t failed = 0;

	for (int i = 0; i < 20; i++)
		failed += cw_store_commit_version(store, &commits[i], NULL, NULL) != CW_OK;
	return (void *)failed;
}

static void test_threads(void **state)
{
	(void)state;
	struct cw_store_options tiny = { .map_start = 128 << 10 };
	struct cw_commit commits[4][20];
	pthread_t threads[4];
	reopen(&tiny);
	for (int t = 0; t < 4; t++) {
		for (int i = 0; i < 20; i++) {
			const char *path = cw_arena_printf(&arena, "%d-%d.md", t, i % 15);
			commits[t][i] = make(path, cw_arena_printf(&arena, "a%dx b%dx c%d-%dx d", i,
								   t, t, i))
						->commit;
		}
		pthread_create(&threads[t], NULL, write_some, commits[t]);
	}
	for (int t = 0; t < 4; t++) {
		void *failed;
		struct cw_store_stats st;

		ok(cw_store_stats(store, &st, &err)); /* reads while they write */
		pthread_join(threads[t], &failed);
		assert_null(failed);
	}
	struct cw_store_stats st;
	ok(cw_store_stats(store, &st, &err));
	assert_int_equal(st.documents, 60);
	assert_true(st.map_size > 128 << 10);
	ok(cw_store_verify(store, &err));
}

static void test_pack(void **state)
{
	(void)state;
	static const uint64_t numbers[] = { 0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX };
	struct cw_buf buf = { 0 };
	struct cw_unpack u;
	cw_pack_begin(&buf);
	for (size_t i = 0; i < 7; i++) {
		cw_pack_uint(&buf, numbers[i]);
		cw_pack_int(&buf, (int64_t)numbers[i]);
		cw_pack_u64(&buf, numbers[i]);
	}
	cw_pack_bytes(&buf, "a\0b", 3);
	for (size_t cut = 0; cut <= buf.len; cut++) { /* every shorter record is nonsense */
		cw_unpack_begin(&u, buf.data, cut, &arena);
		for (size_t i = 0; i < 7; i++) {
			uint64_t n = cw_unpack_uint(&u);
			int64_t z = cw_unpack_int(&u);
			uint64_t h = cw_unpack_u64(&u);

			if (cut == buf.len)
				assert_true(n == numbers[i] && z == (int64_t)n && h == n);
		}
		size_t len;
		const char *text = cw_unpack_str(&u, &len);
		assert_int_equal(cw_unpack_end(&u), cut == buf.len ? CW_OK : CW_ECORRUPT);
		if (cut == buf.len)
			assert_memory_equal(text, "a\0b", 4);
	}
	cw_buf_release(&buf);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_document),
		T(test_names),
		T(test_replace),
		T(test_clause_ids_stay),
		T(test_versions),
		T(test_unchecked),
		T(test_remove),
		T(test_finding),
		T(test_similar),
		T(test_no_sketch),
		T(test_batch),
		T(test_events),
		T(test_prune),
		T(test_outbox),
		T(test_waivers_and_refs),
		T(test_meta),
		T(test_growth),
		T(test_kill),
		T(test_second_opener),
		T(test_schema),
		T(test_foreign),
		T(test_corrupt),
		T(test_verify),
		T(test_export),
		T(test_import_errors),
		T(test_backup),
		T(test_threads),
		T(test_pack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
