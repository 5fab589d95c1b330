/* What must hold when things go wrong: full maps, kills, second openers, bad bytes. */
#include "store_case.h"

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
		T(test_growth),        T(test_kill),    T(test_second_opener), T(test_schema),
		T(test_foreign),       T(test_corrupt), T(test_verify),        T(test_export),
		T(test_import_errors), T(test_backup),  T(test_threads),       T(test_pack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
