/*
 * Roots that vanish, events that are lost, limits that are reached.  Tests that change a limit or
 * mount something run in a process of their own, in a user namespace; without one they are skipped.
 */
#include "watch_env.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define SKIPPED 77

static void root_stats(const struct env *e, struct cw_watch_root_stats *out)
{
	assert_int_equal(cw_watcher_root_stats(e->w, 0, out), CW_OK);
}

static void expect_backend(const struct env *e, const char *backend, bool degraded)
{
	struct cw_watch_root_stats stats;

	root_stats(e, &stats);
	assert_string_equal(stats.backend, backend);
	assert_int_equal(stats.degraded, degraded);
	assert_int_equal(stats.message[0] != '\0', degraded);
}

static void test_refused_roots(void **state)
{
	static const struct {
		const char *name, *path, *message;
	} cases[] = {
		{ "rel", "contracts", "root 'rel': 'contracts' is not an absolute path" },
		{ "r", "/", "root 'r' is watched already" },
		{ "null", "/dev/null", "root 'null': '/dev/null' is not a directory" },
	};
	struct env e;
	struct cw_error err;

	(void)state;
	env_init(&e);
	env_start(&e, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(cw_watcher_add_root(e.w, cases[i].name, cases[i].path, NULL, &err),
				 CW_EINVAL);
		assert_string_equal(err.msg, cases[i].message);
	}
	assert_int_equal(symlink("root", at(&e, "../link")), 0);
	assert_int_equal(cw_watcher_add_root(e.w, "twice", at(&e, "../link"), NULL, &err),
			 CW_EINVAL);
	assert_non_null(strstr(err.msg, "is the directory of 'r'"));
	assert_int_equal(cw_watcher_remove_root(e.w, "no", &err), CW_ENOTFOUND);
	assert_int_equal(cw_watcher_rescan(e.w, "no", &err), CW_ENOTFOUND);
	struct cw_watch_root_stats stats;
	assert_int_equal(cw_watcher_root_stats(e.w, 1, &stats), CW_ENOTFOUND);
	env_end(&e);
}

static void test_root_through_a_link(void **state)
{
	struct env e;
	struct cw_error err;

	(void)state;
	env_init(&e);
	assert_int_equal(symlink("root", at(&e, "../link")), 0);
	assert_int_equal(cw_watcher_open(&e.loop, &e.opts, &env_events, &e, &e.w, &err), CW_OK);
	assert_int_equal(cw_watcher_add_root(e.w, "r", at(&e, "../link"), NULL, &err), CW_OK);
	await(&e, "end complete ");
	settle(&e);
	env_end(&e);
}

static void test_root_removed_and_made_again(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	make_dir(&e, "d");
	put(&e, "d/x.md", "x");
	env_start(&e, NULL);
	await(&e, "changed d/x.md");
	forget_lines(&e);
	remove_tree(e.root);
	await(&e, "degraded *");
	expect_backend(&e, "missing", true);
	make_dir(&e, "");
	put(&e, "y.md", "y");
	await(&e, "restored *");
	await(&e, "begin returned ");
	await(&e, "changed y.md");
	settle(&e);
	expect_count(&e, "degraded *", 1);
	expect_count(&e, "restored *", 1);
	expect_backend(&e, "inotify", false);
	env_end(&e);
}

static void test_root_renamed_away_and_back(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	put(&e, "x.md", "x");
	e.known = true;
	env_start(&e, NULL);
	move_root(&e, true);
	await(&e, "degraded *");
	move_root(&e, false);
	await(&e, "begin returned ");
	await_count(&e, "end complete ", 2);
	settle(&e);
	/* Out of sight is not gone. */
	expect_count(&e, "gone*", 0);
	expect_count(&e, "changed x.md", 0);
	env_end(&e);
}

static void test_directory_above_root_renamed(void **state)
{
	struct env e;
	char away[4096], file[4200];

	(void)state;
	env_init(&e);
	put(&e, "x.md", "x");
	e.known = true;
	env_start(&e, NULL);
	snprintf(away, sizeof(away), "%s-away", e.base);
	snprintf(file, sizeof(file), "%s/root/x.md", away);
	assert_int_equal(rename(e.base, away), 0);
	/* No event tells of the move itself. */
	int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	await(&e, "degraded *");
	assert_int_equal(rename(away, e.base), 0);
	await(&e, "restored *");
	settle(&e);
	expect_count(&e, "gone*", 0);
	env_end(&e);
}

static void test_root_missing_at_start(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	assert_int_equal(rmdir(e.root), 0);
	env_open(&e, NULL);
	await(&e, "degraded *");
	assert_int_equal(cw_watcher_look(e.w, "r", "x.md", NULL), CW_OK);
	assert_int_equal(cw_watcher_rescan(e.w, NULL, NULL), CW_OK);
	make_dir(&e, "");
	await(&e, "end complete ");
	settle(&e);
	expect_count(&e, "degraded *No such file or directory*", 0);
	expect_count(&e, "gone*", 0);
	env_end(&e);
}

static void test_roots_inside_each_other(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	make_dir(&e, "sub");
	env_start(&e, NULL);
	assert_int_equal(cw_watcher_add_root(e.w, "inner", at(&e, "sub"), NULL, NULL), CW_OK);
	await_count(&e, "end complete ", 2);
	put(&e, "sub/x.md", "x");
	await(&e, "changed sub/x.md");
	await(&e, "changed x.md");
	assert_int_equal(cw_watcher_remove_root(e.w, "r", NULL), CW_OK);
	forget_lines(&e);
	put(&e, "sub/y.md", "y");
	await(&e, "changed y.md");
	expect_count(&e, "changed sub/*", 0);
	env_end(&e);
}

static void test_reconcile_and_rescan(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	e.opts.reconcile_s = 1;
	e.known = true;
	put(&e, "x.md", "x");
	env_start(&e, NULL);
	assert_int_equal(cw_watcher_rescan(e.w, "r", NULL), CW_OK);
	await(&e, "begin asked ");
	await(&e, "begin reconcile ");
	await_count(&e, "file x.md", 3);
	await_count(&e, "end complete ", 3);
	env_end(&e);
}

static unsigned queue_length(void)
{
	unsigned n = 0;
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%u", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static void test_lost_events(void **state)
{
	struct env e;
	struct cw_watch_stats stats;
	unsigned n = queue_length();
	char name[32];

	(void)state;
	if (n == 0 || n > 50000)
		skip();
	n = n / 2 + 100; /* each is made and closed: two events */
	env_init(&e);
	make_dir(&e, "d");
	put(&e, "d/x.md", "x");
	env_start(&e, NULL);
	await(&e, "changed d/x.md");
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		put(&e, name, "x");
	}
	/* Nobody hears of these. */
	move(&e, "d", "e");
	make_dir(&e, "new");
	put(&e, "new/y.md", "y");
	await(&e, "begin overflow ");
	await(&e, "changed new/y.md");
	await(&e, "changed e/x.md");
	await_count(&e, "changed f*", n);
	cw_watcher_stats(e.w, &stats);
	assert_true(stats.overflows >= 1);
	assert_int_equal(stats.directories, 3);
	forget_lines(&e);
	put(&e, "e/x.md", "2");
	await(&e, "changed e/x.md");
	expect_count(&e, "* d/x.md", 0);
	env_end(&e);
}

static void test_polling(void **state)
{
	static const struct cw_watch_root_opts opts = { .poll = CW_WATCH_POLL_ALWAYS,
							.poll_ms = 20 };
	struct env e;
	struct cw_watch_stats stats;

	(void)state;
	env_init(&e);
	make_dir(&e, "d");
	put(&e, "d/x.md", "x");
	put(&e, "d/~$other.docx", "x");
	e.known = true;
	env_start(&e, &opts);
	expect_backend(&e, "poll", false);
	put(&e, "y.md", "1");
	await(&e, "changed y.md");
	put(&e, "d/x.md", "longer");
	await(&e, "changed d/x.md");
	move(&e, "d", "e");
	await(&e, "gone d/x.md");
	await(&e, "changed e/x.md");
	put(&e, "z.tmp", "z");
	move(&e, "z.tmp", "y.md");
	await_count(&e, "changed y.md", 2);
	put(&e, ".~lock.z.odt#", "ann");
	put(&e, "z.odt", "z");
	settle(&e);
	settle(&e);
	expect_count(&e, "changed z.odt", 0);
	drop(&e, ".~lock.z.odt#");
	await(&e, "changed z.odt");
	cw_watcher_stats(e.w, &stats);
	assert_int_equal(stats.directories, 0);
	assert_int_equal(stats.polled_files, 5);
	assert_int_equal(stats.scans, 1);
	assert_true(stats.polls > 3);

	forget_lines(&e);
	move_root(&e, true);
	await(&e, "degraded *");
	move_root(&e, false);
	await(&e, "restored *");
	await(&e, "end complete ");
	settle(&e);
	expect_count(&e, "gone*", 0);
	env_end(&e);
}

/* Those that need a process of their own. */

static bool set_number(const char *path, unsigned value)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	fprintf(f, "%u\n", value);
	return fclose(f) == 0;
}

static void child_watch_limit(void **state)
{
	static const char limit[] = "/proc/sys/user/max_inotify_watches";
	struct cw_watch_root_opts opts = { .poll_ms = 20 };
	struct env e;
	char name[32];

	(void)state;
	assert_true(set_number(limit, 20));
	env_init(&e);
	for (unsigned i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "d%02u", i);
		make_dir(&e, name);
		snprintf(name, sizeof(name), "d%02u/x.md", i);
		put(&e, name, "x");
	}
	e.known = true;
	env_start(&e, &opts);
	await(&e, "degraded *");
	assert_non_null(strstr(e.lines[e.count - 1], "fs.inotify.max_user_watches = 20"));
	assert_non_null(strstr(e.lines[e.count - 1], "at least 51 watches are needed"));
	expect_backend(&e, "inotify+poll", true);
	/* Wherever the limit struck, all is seen. */
	for (unsigned i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "d%02u/x.md", i);
		put(&e, name, "longer");
	}
	await_count(&e, "changed d*", 50);
	for (unsigned i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "d%02u/x.md", i);
		drop(&e, name);
	}
	await_count(&e, "gone d*", 50);
	e.known = false;
	make_dir(&e, "late");
	put(&e, "late/x.md", "x");
	await(&e, "changed late/x.md");
	expect_count(&e, "degraded *", 1);
	assert_true(set_number(limit, 1000));
	await(&e, "restored *");
	expect_backend(&e, "inotify", false);
	put(&e, "late/x.md", "again");
	settle(&e);
	env_end(&e);
}

static void child_watch_limit_without_polling(void **state)
{
	struct cw_watch_root_opts opts = { .poll = CW_WATCH_POLL_NEVER };
	struct env e;

	(void)state;
	assert_true(set_number("/proc/sys/user/max_inotify_watches", 1));
	env_init(&e);
	make_dir(&e, "d");
	put(&e, "d/x.md", "x");
	env_start(&e, &opts);
	await(&e, "degraded *");
	await(&e, "changed d/x.md");
	put(&e, "d/y.md", "y");
	settle(&e);
	expect_count(&e, "changed d/y.md", 0);
	assert_int_equal(cw_watcher_rescan(e.w, NULL, NULL), CW_OK);
	await(&e, "changed d/y.md");
	env_end(&e);
}

static void child_no_instance(void **state)
{
	static const char limit[] = "/proc/sys/user/max_inotify_instances";
	struct cw_watch_root_opts opts = { .poll_ms = 20 };
	struct env e;

	(void)state;
	assert_true(set_number(limit, 0));
	env_init(&e);
	put(&e, "x.md", "x");
	env_start(&e, &opts);
	await(&e, "degraded *");
	assert_non_null(strstr(e.lines[e.count - 1], "fs.inotify.max_user_instances"));
	expect_backend(&e, "poll", true);
	put(&e, "y.md", "y");
	await(&e, "changed y.md");
	assert_true(set_number(limit, 10));
	await(&e, "restored *");
	expect_backend(&e, "inotify", false);
	expect_count(&e, "degraded *", 1);
	settle(&e);
	env_end(&e);
}

static void child_unmount(void **state)
{
	struct env e;

	(void)state;
	env_init(&e);
	assert_int_equal(mount("none", e.root, "tmpfs", 0, NULL), 0);
	put(&e, "x.md", "x");
	e.known = true;
	env_start(&e, NULL);
	settle(&e);
	while (umount(e.root) < 0)
		assert_int_equal(errno, EBUSY);
	await(&e, "degraded *");
	/* The bare mount point is not what to watch. */
	put(&e, "bare.md", "x");
	for (unsigned i = 0; i < 10; i++)
		uv_run(&e.loop, UV_RUN_ONCE);
	expect_count(&e, "restored *", 0);
	assert_int_equal(mount("none", e.root, "tmpfs", 0, NULL), 0);
	put(&e, "back.md", "x");
	await(&e, "restored *");
	await(&e, "file back.md");
	settle(&e);
	expect_count(&e, "gone*", 0);
	expect_count(&e, "* bare.md", 0);
	expect_count(&e, "file bare.md", 0);
	cw_watcher_close(e.w);
	e.w = NULL;
	assert_int_equal(umount2(e.root, MNT_DETACH), 0);
	env_end(&e);
}

static void child_unreadable(void **state)
{
	struct env e;
	struct cw_watch_stats stats;

	(void)state;
	env_init(&e);
	make_dir(&e, "d");
	put(&e, "d/x.md", "x");
	put(&e, "y.md", "y");
	assert_int_equal(chmod(at(&e, "d"), 0), 0);
	env_start(&e, NULL);
	await(&e, "degraded *");
	assert_non_null(strstr(e.lines[e.count - 1], "1 directories cannot be read"));
	assert_non_null(strstr(e.lines[e.count - 1], "'d': Permission denied"));
	await(&e, "changed y.md");
	/* What cannot be seen is neither changed nor gone. */
	assert_int_equal(cw_watcher_look(e.w, "r", "d/x.md", NULL), CW_OK);
	settle(&e);
	expect_count(&e, "* d/x.md", 0);
	expect_count(&e, "gone d/x.md", 0);
	cw_watcher_stats(e.w, &stats);
	assert_true(stats.unreadable >= 1);
	assert_int_equal(chmod(at(&e, "d"), 0755), 0);
	await(&e, "changed d/x.md");
	await(&e, "restored *");

	forget_lines(&e);
	assert_int_equal(chmod(e.root, 0), 0);
	assert_int_equal(cw_watcher_rescan(e.w, NULL, NULL), CW_OK);
	await(&e, "degraded *");
	assert_non_null(strstr(e.lines[e.count - 1], "Permission denied"));
	assert_int_equal(chmod(e.root, 0755), 0);
	await(&e, "restored *");
	settle(&e);
	expect_count(&e, "gone*", 0);
	env_end(&e);
}

static const struct child {
	const char *name;
	CMUnitTestFunction test;
	int spaces; /* 0: only leave root's rights behind */
} children[] = {
	{ "limit", child_watch_limit, CLONE_NEWUSER },
	{ "limit-never", child_watch_limit_without_polling, CLONE_NEWUSER },
	{ "instance", child_no_instance, CLONE_NEWUSER },
	{ "unmount", child_unmount, CLONE_NEWUSER | CLONE_NEWNS },
	{ "unreadable", child_unreadable, 0 },
};

static bool set_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return ok;
}

static bool enter_spaces(int spaces)
{
	char map[32];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (spaces == 0)
		return uid != 0 || setresuid(65534, 65534, 65534) == 0;
	if (unshare(spaces) < 0 || !set_text("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!set_text("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return set_text("/proc/self/gid_map", map);
}

static int run_child(const char *name)
{
	for (size_t i = 0; i < sizeof(children) / sizeof(*children); i++) {
		const struct CMUnitTest test = { .name = children[i].name,
						 .test_func = children[i].test };

		if (strcmp(children[i].name, name) != 0)
			continue;
		if (!enter_spaces(children[i].spaces))
			return SKIPPED;
		return _cmocka_run_group_tests(name, &test, 1, NULL, NULL);
	}
	return 1;
}

static void show(int fd)
{
	char buf[4096];
	ssize_t n;

	(void)lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		(void)fwrite(buf, 1, (size_t)n, stderr);
}

static void test_child(void **state)
{
	const struct child *child = *state;
	int status;

	/* What it prints is of interest, and counted, only if it fails. */
	int out = memfd_create("output", MFD_CLOEXEC);
	assert_true(out >= 0);
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execl("/proc/self/exe", "test_watch_root", child->name, (char *)NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	bool skipped = WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED;
	bool failed = !skipped && (!WIFEXITED(status) || WEXITSTATUS(status) != 0);

	if (failed)
		show(out);
	close(out);
	if (skipped)
		skip();
	assert_false(failed);
}

#define CHILD_TEST(n)                                                                              \
	{                                                                                          \
		.name = "child " #n, .test_func = test_child,                                      \
		.initial_state = (void *)(uintptr_t)&children[n]                                   \
	}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_roots),
		cmocka_unit_test(test_root_through_a_link),
		cmocka_unit_test(test_root_removed_and_made_again),
		cmocka_unit_test(test_root_renamed_away_and_back),
		cmocka_unit_test(test_directory_above_root_renamed),
		cmocka_unit_test(test_root_missing_at_start),
		cmocka_unit_test(test_roots_inside_each_other),
		cmocka_unit_test(test_reconcile_and_rescan),
		cmocka_unit_test(test_lost_events),
		cmocka_unit_test(test_polling),
		CHILD_TEST(0),
		CHILD_TEST(1),
		CHILD_TEST(2),
		CHILD_TEST(3),
		CHILD_TEST(4),
	};

	if (argc > 1)
		return run_child(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
