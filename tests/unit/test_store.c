#include "store_case.h"

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

/* More new clauses than may wait: they are in the bands then, and come out of them again. */
static void test_bands(void **state)
{
	(void)state;
	enum { DOCS = 300, CLAUSES = 60 };
	struct cw_commit *batch = cw_arena_alloc(&arena, DOCS * sizeof(*batch));
	struct cw_clause_ref *refs;
	uint32_t sketch[CW_SKETCH_LEN];
	size_t n, found = 0;
	for (int i = 0; i < DOCS; i++) {
		struct made *m = make(cw_arena_printf(&arena, "%d.md", i), "x");

		m->a.nclauses = CLAUSES;
		for (int j = 0; j < CLAUSES; j++) {
			struct cw_clause *c = &m->clauses[j];

			*c = m->clauses[0];
			c->fingerprint = c->skeleton =
				hash_of((char[]){ (char)i, (char)j, (char)(i >> 8) }, 3, 9);
			sketch_of(c->skeleton, m->sketches + j * CW_SKETCH_LEN);
		}
		batch[i] = m->commit;
	}
	ok(cw_store_commit_versions(store, batch, DOCS, NULL, &err));
	ok(cw_store_verify(store, &err));
	for (int i = 0; i < DOCS; i++) {
		memcpy(sketch, batch[i].sketches, sizeof(sketch));
		sketch[3] += 1;
		ok(cw_store_clauses_similar(store, sketch, 0, 0, &arena, &refs, &n, &err));
		found += n == 1 && refs[0].doc == (uint64_t)i + 1 && refs[0].ordinal == 0;
	}
	assert_int_equal(found, DOCS);
	for (int i = 0; i < DOCS; i += 2)
		ok(cw_store_remove_document(store, &batch[i].name, NOW, NULL, 0, &err));
	ok(cw_store_verify(store, &err));
	memcpy(sketch, batch[2].sketches, sizeof(sketch));
	ok(cw_store_clauses_similar(store, sketch, 0, 0, &arena, &refs, &n, &err));
	assert_int_equal(n, 0);
	ok(cw_store_commit_versions(store, batch, DOCS, NULL, &err));
	ok(cw_store_tidy(store, &err));
	ok(cw_store_clauses_similar(store, sketch, 0, 0, &arena, &refs, &n, &err));
	assert_int_equal(n, 1);
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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_document), T(test_names),     T(test_replace),   T(test_clause_ids_stay),
		T(test_versions), T(test_unchecked), T(test_remove),    T(test_finding),
		T(test_similar),  T(test_bands),     T(test_no_sketch), T(test_batch),
		T(test_events),   T(test_prune),     T(test_outbox),    T(test_waivers_and_refs),
		T(test_meta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
