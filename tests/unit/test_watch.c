#include "watch_env.h"

#include "watch/names.h"

static const struct {
	const char *name;
	bool is_dir, hidden;
	enum watch_name kind;
} name_cases[] = {
	{ "contract.docx", false, false, WATCH_NAME_PLAIN },
	{ "~", false, false, WATCH_NAME_PLAIN },
	{ "#1 master agreement.md", false, false, WATCH_NAME_PLAIN },
	{ "tmp", false, false, WATCH_NAME_PLAIN },
	{ "4913", true, false, WATCH_NAME_PLAIN },
	{ "~$ntract.docx", false, false, WATCH_NAME_LOCK },
	{ ".~lock.contract.odt#", false, false, WATCH_NAME_LOCK },
	{ ".~contract.docx", false, false, WATCH_NAME_LOCK },
	{ ".contract.md.swp", false, false, WATCH_NAME_LOCK },
	{ ".#contract.md", false, false, WATCH_NAME_LOCK },
	{ "#contract.md#", false, false, WATCH_NAME_IGNORED },
	{ "contract.md~", false, false, WATCH_NAME_IGNORED },
	{ "4913", false, false, WATCH_NAME_IGNORED },
	{ "~WRD0001.TMP", false, false, WATCH_NAME_IGNORED },
	{ "a.part", false, false, WATCH_NAME_IGNORED },
	{ "a.pdf.crdownload", false, false, WATCH_NAME_IGNORED },
	{ ".goutputstream-AB12CD", false, true, WATCH_NAME_IGNORED },
	{ ".nfs000012", false, true, WATCH_NAME_IGNORED },
	{ ".hidden.md", false, false, WATCH_NAME_IGNORED },
	{ ".hidden.md", false, true, WATCH_NAME_PLAIN },
	{ ".git", true, true, WATCH_NAME_IGNORED },
	{ ".svn", true, false, WATCH_NAME_IGNORED },
	{ "CVS", true, false, WATCH_NAME_IGNORED },
	{ ".cache", true, false, WATCH_NAME_IGNORED },
	{ ".cache", true, true, WATCH_NAME_PLAIN },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(name_cases) / sizeof(*name_cases); i++) {
		enum watch_name kind = watch_name_kind(name_cases[i].name, name_cases[i].is_dir,
						       name_cases[i].hidden);

		if (kind != name_cases[i].kind)
			fail_msg("%s: kind %d", name_cases[i].name, kind);
	}
}

static void test_first_scan(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	make_dir(&e, "a");
	make_dir(&e, "a/b");
	make_dir(&e, ".git");
	put(&e, "x.md", "x");
	put(&e, "a/b/y.md", "y");
	put(&e, ".git/config", "");
	put(&e, "a/.hidden", "");
	put(&e, "a/y.md~", "");
	env_start(&e, NULL);
	expect_count(&e, "begin start ", 1);
	await(&e, "changed x.md");
	await(&e, "changed a/b/y.md");
	settle(&e);
	expect_count(&e, "file *", 2);
	expect_count(&e, "changed *", 3);

	struct cw_watch_stats stats;
	cw_watcher_stats(e.w, &stats);
	assert_int_equal(stats.directories, 3);
	assert_int_equal(stats.settling, 0);
	assert_int_equal(stats.scans, 1);
	assert_true(stats.watch_limit > 0);
	env_end(&e);
}

static void test_known_files_stay_quiet(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	put(&e, "x.md", "x");
	e.known = true;
	e.not_ready = 3;
	env_start(&e, NULL);
	assert_int_equal(e.not_ready, 0);
	settle(&e);
	expect_count(&e, "file x.md", 1);
	expect_count(&e, "changed x.md", 0);
	env_end(&e);
}

static void test_save_rename_delete(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	env_start(&e, NULL);
	put(&e, "x.md", "1");
	await(&e, "changed x.md");
	forget_lines(&e);
	put(&e, "x.md", "2");
	await(&e, "changed x.md");
	move(&e, "x.md", "y.md");
	await(&e, "gone x.md");
	await(&e, "changed y.md");
	forget_lines(&e);
	drop(&e, "y.md");
	await(&e, "gone y.md");
	/* Made and removed before anybody looked: nothing happened. */
	put(&e, "z.md", "z");
	drop(&e, "z.md");
	settle(&e);
	expect_count(&e, "* z.md", 0);
	expect_count(&e, "gone z.md", 0);
	expect_count(&e, "changed z.md", 0);
	assert_int_equal(chmod(at(&e, ""), 0755), 0);
	settle(&e);
	env_end(&e);
}

static void test_atomic_save(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	put(&e, "x.docx", "old");
	e.known = true;
	env_start(&e, NULL);
	put(&e, "x.docx.tmp", "new");
	move(&e, "x.docx.tmp", "x.docx");
	settle(&e);
	await(&e, "changed x.docx");
	/* Word: old to a backup, temporary to the name, backup removed. */
	forget_lines(&e);
	put(&e, "~WRD0000.tmp", "newer");
	move(&e, "x.docx", "~WRL0001.tmp");
	move(&e, "~WRD0000.tmp", "x.docx");
	drop(&e, "~WRL0001.tmp");
	settle(&e);
	await(&e, "changed x.docx");
	settle(&e);
	expect_count(&e, "changed x.docx", 1);
	expect_count(&e, "gone*", 0);
	expect_count(&e, "changed *tmp", 0);
	env_end(&e);
}

static void test_lock_file_holds(void **state)
{
	static const char *const locks[] = { "~$contract.docx", "~$ntract.docx",
					     ".~lock.contract.docx#", ".contract.docx.swp" };

	(void)state;
	for (size_t i = 0; i < sizeof(locks) / sizeof(*locks); i++) {
		struct env e;

		env_init(&e);
		env_start(&e, NULL);
		put(&e, locks[i], "ann");
		put(&e, "contract.docx", "1");
		settle(&e);
		settle(&e);
		expect_count(&e, "changed contract.docx", 0);
		put(&e, "contract.docx", "2");
		settle(&e);
		expect_count(&e, "changed contract.docx", 0);
		drop(&e, locks[i]);
		await(&e, "changed contract.docx");
		settle(&e);
		expect_count(&e, "changed contract.docx", 1);
		expect_count(&e, "* ~*", 0);
		env_end(&e);
	}
}

static void test_lock_file_holds_not_forever(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	e.opts.lock_max_ms = 100;
	env_start(&e, NULL);
	put(&e, ".~lock.contract.odt#", "ann");
	put(&e, "contract.odt", "1");
	await(&e, "edited contract.odt");
	env_end(&e);

	env_init(&e);
	e.opts.lock_max_ms = 0;
	env_start(&e, NULL);
	put(&e, ".~lock.contract.odt#", "ann");
	put(&e, "contract.odt", "1");
	await(&e, "changed contract.odt");
	env_end(&e);
}

struct stream {
	uv_timer_t timer;
	struct env *e;
	unsigned saves;
};

static void save_again(uv_timer_t *timer)
{
	struct stream *s = timer->data;
	char text[16];

	snprintf(text, sizeof(text), "%u", s->saves++);
	put(s->e, "busy.md", text);
}

static void test_steady_stream(void **state)
{
	struct env e;
	struct stream s = { .e = &e };

	(void)state;
	env_init(&e);
	env_start(&e, NULL);
	uv_timer_init(&e.loop, &s.timer);
	s.timer.data = &s;
	uv_timer_start(&s.timer, save_again, 0, 5);
	await_count(&e, "changed busy.md", 2);
	/* Without pause it is not reported at each save. */
	assert_true(s.saves > 10);
	uv_close((uv_handle_t *)&s.timer, NULL);
	env_end(&e);
}

static void test_new_directory_race(void **state)
{
	struct env e;
	char name[64], line[80];

	(void)state;
	env_init(&e);
	env_start(&e, NULL);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		make_dir(&e, name);
		snprintf(name, sizeof(name), "n%u/contract.txt", i);
		put(&e, name, "x");
		if (i % 3 == 0)
			uv_run(&e.loop, UV_RUN_NOWAIT);
	}
	for (unsigned i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "changed n%u/contract.txt", i);
		await(&e, line);
	}
	settle(&e);
	expect_count(&e, "changed n*", 100);
	expect_count(&e, "gone*", 0);
	env_end(&e);
}

static void test_deep_directories_at_once(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	env_start(&e, NULL);
	make_dir(&e, "a");
	make_dir(&e, "a/b");
	make_dir(&e, "a/b/c");
	put(&e, "a/b/c/x", "x");
	await(&e, "changed a/b/c/x");
	put(&e, "a/b/c/y", "x");
	put(&e, "a/b/z", "x");
	await(&e, "changed a/b/c/y");
	await(&e, "changed a/b/z");
	env_end(&e);
}

static void test_moved_directories(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	make_dir(&e, "d");
	make_dir(&e, "d/sub");
	put(&e, "d/sub/x.md", "x");
	make_dir(&e, "../outside");
	make_dir(&e, "../outside/tree");
	put(&e, "../outside/tree/in.md", "x");
	env_start(&e, NULL);
	await(&e, "changed d/sub/x.md");

	move(&e, "d", "e");
	await(&e, "gone-dir d");
	await(&e, "changed e/sub/x.md");
	forget_lines(&e);
	put(&e, "e/sub/x.md", "2");
	await(&e, "changed e/sub/x.md");
	make_dir(&e, "d");
	put(&e, "d/new.md", "x");
	await(&e, "changed d/new.md");

	forget_lines(&e);
	move(&e, "e", "../outside/e");
	await(&e, "gone-dir e");
	put(&e, "../outside/e/sub/x.md", "3");
	move(&e, "../outside", "in");
	await(&e, "changed in/tree/in.md");
	await(&e, "changed in/e/sub/x.md");
	settle(&e);
	expect_count(&e, "changed e/*", 0);
	expect_count(&e, "changed ..*", 0);

	/* There and back: nothing is lost, and nothing is gone. */
	forget_lines(&e);
	move(&e, "in", "d/in");
	move(&e, "d/in", "in");
	settle(&e);
	await(&e, "end complete in");
	expect_count(&e, "gone-dir in", 0);
	forget_lines(&e);
	put(&e, "in/tree/in.md", "4");
	await(&e, "changed in/tree/in.md");
	env_end(&e);
}

static void test_removed_directory(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	make_dir(&e, "d");
	make_dir(&e, "d/s");
	put(&e, "d/s/x.md", "x");
	env_start(&e, NULL);
	await(&e, "changed d/s/x.md");
	remove_tree(at(&e, "d"));
	await(&e, "gone d/s/x.md");
	await(&e, "gone-dir d");

	struct cw_watch_stats stats;
	cw_watcher_stats(e.w, &stats);
	assert_int_equal(stats.directories, 1);
	make_dir(&e, "d");
	put(&e, "d/y.md", "y");
	await(&e, "changed d/y.md");
	/* A file takes the name of a directory, and the other way round. */
	forget_lines(&e);
	remove_tree(at(&e, "d"));
	put(&e, "d", "now a file");
	await(&e, "gone-dir d");
	await(&e, "changed d");
	forget_lines(&e);
	drop(&e, "d");
	make_dir(&e, "d");
	put(&e, "d/z.md", "z");
	await(&e, "changed d/z.md");
	await(&e, "gone d");
	env_end(&e);
}

static void test_odd_names(void **state)
{
	static const char *const names[] = { "a b c.md",
					     "two\nlines.md",
					     "bad\xff\xfeutf8.md",
					     "\xe5\x90\x88\xe5\x90\x8c.md",
					     "tab\there",
					     "quote'\"\\.md",
					     "-rf",
					     "%s%n.md" };
	struct env e;
	char line[300], name[256];

	(void)state;
	env_init(&e);
	make_dir(&e, "dir\n\xff");
	put(&e, "dir\n\xff/before.md", "x");
	env_start(&e, NULL);
	await(&e, "changed dir\n\xff/before.md");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(name, sizeof(name), "dir\n\xff/%s", names[i]);
		put(&e, name, "x");
		snprintf(line, sizeof(line), "changed %s", name);
		await(&e, line);
	}
	memset(name, 'n', 255);
	name[255] = '\0';
	put(&e, name, "x");
	snprintf(line, sizeof(line), "changed %s", name);
	await(&e, line);
	env_end(&e);
}

static void test_symlinks_are_left_alone(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	make_dir(&e, "../outside");
	put(&e, "../outside/secret.md", "x");
	put(&e, "real.md", "x");
	assert_int_equal(symlink("..", at(&e, "loop")), 0);
	assert_int_equal(symlink("../outside", at(&e, "out")), 0);
	assert_int_equal(symlink("real.md", at(&e, "link.md")), 0);
	env_start(&e, NULL);
	await(&e, "changed real.md");
	assert_int_equal(symlink(".", at(&e, "loop2")), 0);
	assert_int_equal(symlink("real.md", at(&e, "link2.md")), 0);
	put(&e, "../outside/secret.md", "2");
	settle(&e);
	/* What was a file and is a link now is gone. */
	drop(&e, "real.md");
	assert_int_equal(symlink("../outside/secret.md", at(&e, "real.md")), 0);
	await(&e, "gone real.md");
	expect_count(&e, "changed *", 2);
	expect_count(&e, "file *", 1);
	env_end(&e);
}

static bool only_md(void *ctx, const char *path, bool is_dir)
{
	const char *dot = strrchr(path, '.');

	(void)ctx;
	return is_dir ? strcmp(path, "skip") != 0 : dot && strcmp(dot, ".md") == 0;
}

static void test_filter_and_depth(void **state)
{
	struct env e;
	struct cw_watch_stats stats;

	(void)state;
	env_init(&e);
	e.opts.max_depth = 2;
	make_dir(&e, "skip");
	make_dir(&e, "a");
	make_dir(&e, "a/b");
	make_dir(&e, "a/b/too-deep");
	put(&e, "a/b/too-deep/x.md", "x");
	put(&e, "skip/x.md", "x");
	put(&e, "x.txt", "x");
	put(&e, "a/b/x.md", "x");
	env_start(&e, &(struct cw_watch_root_opts){ .wanted = only_md });
	await(&e, "changed a/b/x.md");
	put(&e, "skip/y.md", "x");
	put(&e, "y.txt", "x");
	make_dir(&e, "a/b/also");
	put(&e, "a/b/also/x.md", "x");
	put(&e, "last.md", "x");
	await(&e, "changed last.md");
	expect_count(&e, "changed *", 2);
	cw_watcher_stats(e.w, &stats);
	assert_int_equal(stats.directories, 3);
	assert_true(stats.skipped >= 2);
	env_end(&e);
}

static void test_look(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	put(&e, "x.md", "x");
	e.known = true;
	env_start(&e, NULL);
	assert_int_equal(cw_watcher_look(e.w, "r", "x.md", NULL), CW_OK);
	assert_int_equal(cw_watcher_look(e.w, "r", "never.md", NULL), CW_OK);
	await(&e, "changed x.md");
	await(&e, "gone never.md");
	assert_int_equal(cw_watcher_look(e.w, "no", "x.md", NULL), CW_ENOTFOUND);
	env_end(&e);
}

/* Run until the line is there or the owner has stopped. */
static void run_to(struct env *e, const char *const *stop, const char *line)
{
	start_guard(e);
	while (*stop && !e->late && count_lines(e, line) == 0)
		uv_run(&e->loop, UV_RUN_ONCE);
	uv_timer_stop(&e->guard);
	if (e->late)
		fail_msg("waited for '%s', stopping at '%s'", line, *stop);
}

static void make_many(const struct env *e, unsigned n)
{
	char name[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		make_dir(e, name);
		snprintf(name, sizeof(name), "d%u/x.md", i);
		put(e, name, "x");
	}
}

static void stop_at(const char *line, bool closing)
{
	struct env e;
	const char **stop = closing ? &e.close_on : &e.remove_on;

	env_init(&e);
	make_many(&e, 50);
	*stop = line;
	env_open(&e, NULL);
	run_to(&e, stop, "changed d2/x.md");
	remove_tree(at(&e, "d1"));
	drop(&e, "d2/x.md");
	run_to(&e, stop, "gone-dir d1");
	run_to(&e, stop, "gone d2/x.md");
	move_root(&e, true);
	run_to(&e, stop, "degraded*");
	move_root(&e, false);
	run_to(&e, stop, "restored*");
	assert_null(*stop);

	size_t count = e.count;
	for (unsigned n = 0; n < 20; n++)
		uv_run(&e.loop, UV_RUN_NOWAIT);
	assert_int_equal(e.count, count);
	env_end(&e);
}

/* The owner may stop in any callback. */
static void test_stop_in_callbacks(void **state)
{
	static const char *const lines[] = { "begin", "file",     "end",      "changed",
					     "gone ", "gone-dir", "degraded", "restored" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		stop_at(lines[i], true);
		stop_at(lines[i], false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_first_scan),
		cmocka_unit_test(test_known_files_stay_quiet),
		cmocka_unit_test(test_save_rename_delete),
		cmocka_unit_test(test_atomic_save),
		cmocka_unit_test(test_lock_file_holds),
		cmocka_unit_test(test_lock_file_holds_not_forever),
		cmocka_unit_test(test_steady_stream),
		cmocka_unit_test(test_new_directory_race),
		cmocka_unit_test(test_deep_directories_at_once),
		cmocka_unit_test(test_moved_directories),
		cmocka_unit_test(test_removed_directory),
		cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_symlinks_are_left_alone),
		cmocka_unit_test(test_filter_and_depth),
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_stop_in_callbacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
