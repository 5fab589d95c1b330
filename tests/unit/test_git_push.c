/* Hooks and updates.  This program is also the hook of the repositories it makes: see main(). */
#include "git_fixture.h"

#define ID_A "1111111111111111111111111111111111111111"
#define ID_B "2222222222222222222222222222222222222222"
#define ZERO "0000000000000000000000000000000000000000"

static void test_parse_updates(void **state)
{
	static const struct {
		const char *name, *text;
		int ret;
		size_t count;
		const char *says;
	} cases[] = {
		{ "nothing", "", CW_OK, 0, NULL },
		{ "two", ID_A " " ID_B " refs/heads/a\n" ZERO " " ID_A " refs/tags/b\n", CW_OK, 2,
		  NULL },
		{ "no newline at the end", ID_A " " ZERO " refs/heads/a", CW_OK, 1, NULL },
		{ "not UTF-8", ID_A " " ID_B " refs/heads/\377\n", CW_OK, 1, NULL },
		{ "empty line", "\n", CW_EINVAL, 0, "line 1 of the push is not" },
		{ "one id", ID_A " refs/heads/a\n", CW_EINVAL, 0, "line 1" },
		{ "lengths differ", ID_A "11 " ID_B " refs/heads/a\n", CW_EINVAL, 0, "line 1" },
		{ "second line bad", ID_A " " ID_B " refs/heads/a\nrubbish\n", CW_EINVAL, 0,
		  "line 2 of the push is not \"OLD NEW REFERENCE\": 'rubbish'" },
		{ "no refs/", ID_A " " ID_B " HEAD\n", CW_EINVAL, 0, "'HEAD' is not the name" },
		{ "dots", ID_A " " ID_B " refs/heads/../../etc\n", CW_EINVAL, 0,
		  "is not the name" },
		{ "escape codes", ID_A " " ID_B " refs/heads/\033[2J\n", CW_EINVAL, 0,
		  "'refs/heads/\\x1b[2J' is not" },
		{ "CR", ID_A " " ID_B " refs/heads/a\r\n", CW_EINVAL, 0, "refs/heads/a\\x0d" },
		{ "space", ID_A " " ID_B " refs/heads/a b\n", CW_EINVAL, 0, "is not the name" },
		{ "no name", ID_A " " ID_B " \n", CW_EINVAL, 0, "is not the name" },
		{ "from zero to zero", ZERO " " ZERO " refs/heads/a\n", CW_EINVAL, 0, "nothing" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cw_git_updates updates = { .count = 99 };

		print_message("  %s\n", cases[i].name);
		err = (struct cw_error){ 0 };
		assert_int_equal(cw_git_parse_updates(&arena, cases[i].text, strlen(cases[i].text),
						      &updates, &err),
				 cases[i].ret);
		if (cases[i].ret == CW_OK) {
			assert_int_equal(updates.count, cases[i].count);
		} else {
			assert_int_equal(updates.count, 99);
			assert_non_null(strstr(err.msg, cases[i].says));
		}
	}
	static const char nul[] = ID_A " " ID_B " refs/heads/a\0b\n";
	struct cw_git_updates updates;
	assert_int_equal(cw_git_parse_updates(&arena, nul, sizeof(nul) - 1, &updates, &err),
			 CW_EINVAL);
	/* Too many lines. */
	static const char line[] = ID_A " " ID_B " refs/heads/a\n";
	struct cw_buf many = { 0 };
	for (int i = 0; i < 100001; i++)
		cw_buf_put(&many, line, sizeof(line) - 1);
	assert_int_equal(cw_git_parse_updates(&arena, many.data, many.len, &updates, &err),
			 CW_EFULL);
	cw_buf_release(&many);
}

/* The hook: what it was asked, what it sees, in lines. */
static int hook_change(const struct cw_git_change *c, void *ctx)
{
	struct {
		FILE *out;
		struct cw_git_repo *repo;
	} *hook = ctx;
	struct cw_buf text = { 0 };

	if (c->new.kind != CW_GIT_FILE)
		fprintf(hook->out, "  - %s\n", c->path);
	else if (cw_git_read_blob(hook->repo, &c->new.oid, 1 << 20, &text, &err) < 0)
		fprintf(hook->out, "  ! %s\n", err.msg);
	else
		fprintf(hook->out, "  + %s: %s", c->path, text.data);
	cw_buf_release(&text);
	return 0;
}

static const char *subject_of(struct cw_git_repo *repo, const struct cw_oid *commit)
{
	struct cw_git_commit c;

	if (cw_oid_is_none(commit))
		return "empty";
	return cw_git_commit_info(repo, &arena, commit, &c, &err) < 0 ? "?" : c.subject;
}

static void hook_update(FILE *out, struct cw_git_repo *repo, struct cw_git_update *u)
{
	struct {
		FILE *out;
		struct cw_git_repo *repo;
	} ctx = { out, repo };

	if (cw_git_classify(repo, NULL, 0, u, &err) < 0) {
		fprintf(out, "%s: %s\n", u->ref, err.msg);
		return;
	}
	fprintf(out, "%s %s%s base %s\n", u->ref, cw_git_update_kind_name(u->kind),
		u->tag ? " tag" : "", subject_of(repo, &u->base_commit));
	if (u->kind != CW_GIT_DELETE) {
		struct cw_git_range range = { .tips = &u->new, .ntips = 1, .hide_refs = true };
		struct cw_git_commits commits = { 0 };

		if (cw_git_walk(repo, &arena, &range, &commits, &err) < 0 ||
		    cw_git_diff_trees(repo, &u->base_tree, &u->new_tree, NULL, hook_change, &ctx,
				      &err) < 0)
			fprintf(out, "  ! %s\n", err.msg);
		for (size_t i = 0; i < commits.count; i++)
			fprintf(out, "  commit %s\n", subject_of(repo, &commits.items[i]));
	}
}

static int pre_receive(const char *file)
{
	struct cw_git_opts opts = { .user_config = true };
	struct cw_git_repo *repo = NULL;
	struct cw_git_updates updates = { 0 };
	FILE *out = fopen(file, "w");
	int ret = out ? cw_git_init(&opts, &err) : -1;

	if (ret == CW_OK)
		ret = cw_git_open_quarantine(&repo, &err);
	if (ret == CW_OK)
		ret = cw_git_read_updates(&arena, STDIN_FILENO, &updates, &err);
	for (size_t i = 0; ret == CW_OK && i < updates.count; i++)
		hook_update(out, repo, &updates.items[i]);
	if (ret < 0 && out)
		fprintf(out, "error %d: %s\n", ret, err.msg);
	cw_git_close(repo);
	if (out)
		fclose(out);
	cw_arena_release(&arena);
	return ret < 0 ? 3 : 0;
}

static int pre_commit(const char *file)
{
	struct cw_git_repo *repo = NULL;
	FILE *out = fopen(file, "w");
	struct {
		FILE *out;
		struct cw_git_repo *repo;
	} ctx = { out, NULL };
	int ret = out ? cw_git_init(NULL, &err) : -1;

	if (ret == CW_OK)
		ret = cw_git_open_quarantine(&repo, &err);
	ctx.repo = repo;
	if (ret == CW_OK)
		ret = cw_git_diff_index(repo, NULL, hook_change, &ctx, &err);
	if (ret < 0 && out)
		fprintf(out, "error %d: %s\n", ret, err.msg);
	cw_git_close(repo);
	if (out)
		fclose(out);
	return ret < 0 ? 3 : 0;
}

static void install_hook(const char *repo_dir, const char *hook)
{
	sh("mkdir -p '%s/hooks'; printf '#!/bin/sh\\n%%s\\nexec \"%%s\" %s \"%%s\"\\n' "
	   "\"${HOOK_ENV:-:}\" '%s' \"$PWD/hook.txt\" >'%s/hooks/%s'; chmod +x '%s/hooks/%s'",
	   repo_dir, hook, self, repo_dir, hook, repo_dir, hook);
}

static void expect_push(const char *what, const char *script, const char *seen)
{
	print_message("  %s\n", what);
	sh("rm -f hook.txt; cd work; %s", script);
	const char *text = read_file("hook.txt");
	if (strcmp(text, seen) != 0)
		print_message("saw:\n%s", text);
	assert_string_equal(text, seen);
}

static void test_push(void **state)
{
	(void)state;
	sh("git init -q --bare -b main hub.git; git clone -q hub.git work");
	install_hook("hub.git", "pre-receive");
	expect_push("first push",
		    "git checkout -qB main; echo v1 >a.md; git add -A; git commit -qm One; git "
		    "push -q origin main",
		    "refs/heads/main create base empty\n  + a.md: v1\n  commit One\n");
	expect_push("fast-forward",
		    "echo v2 >a.md; git commit -qam Two; echo b >b.md; git add -A; git commit -qm "
		    "Three; git push -q origin main",
		    "refs/heads/main fast-forward base One\n  + a.md: v2\n  + b.md: b\n"
		    "  commit Two\n  commit Three\n");
	expect_push("new branch compares with where it left",
		    "git checkout -qb topic main~1; echo t >t.md; git add -A; git commit -qm Topic;"
		    "git push -q origin topic",
		    "refs/heads/topic create base Two\n  + t.md: t\n  commit Topic\n");
	expect_push("new branch that merged main compares with main",
		    "git checkout -qb later main~1; echo l >l.md; git add -A; git commit -qm L1;"
		    "git merge -q -m L2 main; git push -q origin later",
		    "refs/heads/later create base Three\n  + l.md: l\n  commit L1\n  commit L2\n");
	expect_push("new branch without new commits", "git push -q origin main~1:refs/heads/same",
		    "refs/heads/same create base Two\n");
	expect_push("merge of two branches prefers the default one",
		    "git checkout -qb both main; git merge -q -m Both topic; git push -q origin "
		    "both",
		    "refs/heads/both create base Three\n  + t.md: t\n  commit Both\n");
	expect_push("annotated tag", "git tag -a -m x rel main; git push -q origin rel",
		    "refs/tags/rel create tag base Three\n");
	expect_push("tags on a blob and a tree",
		    "git tag bt main:a.md; git tag tt main^{tree}; git push -q origin bt tt",
		    "refs/tags/bt create tag base empty\n"
		    "refs/tags/tt create tag base empty\n  + a.md: v2\n  + b.md: b\n");
	expect_push("forced",
		    "git checkout -q topic; git reset -q --hard main~2; echo f >f.md; git add -A;"
		    "git commit -qm Force; git push -qf origin topic",
		    "refs/heads/topic forced base Topic\n  + a.md: v1\n  + f.md: f\n  - t.md\n"
		    "  commit Force\n");
	expect_push("orphan and deletion in one",
		    "git checkout -q --orphan alone; git rm -qrf .; echo o >o.md; git add -A;"
		    "git commit -qm Orphan; git push -q origin alone :later",
		    "refs/heads/later delete base L2\n"
		    "refs/heads/alone create base empty\n  + o.md: o\n  commit Orphan\n");
	expect_push("as a pack, from another directory, PWD stale",
		    "git -C ../hub.git config receive.unpackLimit 1; git checkout -q main; echo p "
		    ">p.md; git add -A; git commit -qm Pack; PWD=/nonexistent git push -q origin "
		    "main",
		    "refs/heads/main fast-forward base Three\n  + p.md: p\n  commit Pack\n");
	expect_push("packed references",
		    "git -C ../hub.git pack-refs --all; git -C ../hub.git gc -q; echo q >p.md;"
		    "git commit -qam Gc; git push -q origin main",
		    "refs/heads/main fast-forward base Pack\n  + p.md: q\n  commit Gc\n");
	sh("sed -i '2s,.*,export GIT_WORK_TREE=/tmp GIT_COMMON_DIR=.,' hub.git/hooks/pre-receive");
	expect_push("with GIT_WORK_TREE and GIT_COMMON_DIR",
		    "echo r >p.md; git commit -qam Env; git push -q origin main",
		    "refs/heads/main fast-forward base Gc\n  + p.md: r\n  commit Env\n");
	sh("sed -i '2s,.*,export GIT_OBJECT_DIRECTORY=/nonexistent,' hub.git/hooks/pre-receive");
	assert_int_not_equal(sh_status("cd work; echo s >p.md; git commit -qam Lost; git push -q "
				       "origin main"),
			     0);
	assert_non_null(strstr(read_file("hook.txt"), "objects in '/nonexistent'"));
}

/* A ':' or '"' in the path makes git quote the list of alternates. */
static void test_push_odd_path(void **state)
{
	(void)state;
	sh("git init -q --bare -b main 'odd:\"hub.git'; git init -q -b main oddwork; cd oddwork;"
	   "git remote add origin \"file://$PWD/../odd:\\\"hub.git\"; echo 1 >a; git add -A; git "
	   "commit -qm Odd; git push -q origin main");
	install_hook("odd:\"hub.git", "pre-receive");
	sh("rm -f hook.txt; cd oddwork; echo 2 >a; git commit -qam Odder; git push -q origin main");
	assert_string_equal(read_file("hook.txt"),
			    "refs/heads/main fast-forward base Odd\n  + a: 2\n  commit Odder\n");
}

static void test_commit_hook(void **state)
{
	(void)state;
	sh("git init -q -b main desk; cd desk; echo 1 >a.md; echo 1 >b.md; git add -A");
	install_hook("desk/.git", "pre-commit");
	static const struct {
		const char *what, *script, *seen;
	} cases[] = {
		{ "first commit", "git commit -qm 1", "  + a.md: 1\n  + b.md: 1\n" },
		{ "staged differs from the work tree",
		  "echo 2 >a.md; git add a.md; echo 3 >a.md; git commit -qm 2", "  + a.md: 2\n" },
		{ "commit -a has an index of its own",
		  "echo 4 >a.md; echo 4 >b.md; git commit -qam 3", "  + a.md: 4\n  + b.md: 4\n" },
		{ "only one path", "echo 5 >a.md; echo 5 >b.md; git commit -qm 4 b.md",
		  "  + b.md: 5\n" },
		{ "deleted", "git rm -qf a.md; git commit -qm 5", "  - a.md\n" },
		{ "from below", "mkdir d; echo 6 >d/e; git add d; cd d; git commit -qm 6",
		  "  + d/e: 6\n" },
		{ "intent to add is no content",
		  "echo 7 >new; git add -N new; git commit -q "
		  "--allow-empty -m 7",
		  "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("  %s\n", cases[i].what);
		sh("rm -f hook.txt; cd desk; %s", cases[i].script);
		assert_string_equal(read_file("hook.txt"), cases[i].seen);
	}
	sh("rm -f desk/.git/hooks/pre-commit; cd desk; git checkout -qb x; echo x >b.md; git commit "
	   "-qam x; git checkout -q main; echo y >b.md; git commit -qam y; ! git merge -q x");
	struct cw_git_repo *repo = open_repo("desk");
	struct cw_buf out = { 0 };
	assert_int_equal(cw_git_diff_index(repo, NULL, note_change, &out, &err), CW_EINVAL);
	assert_non_null(strstr(err.msg, "conflicts"));
	cw_git_close(repo);
	sh("cd desk; git merge --abort; git mv b.md c.md; ln -s c.md l; git add l");
	repo = open_repo("desk");
	struct cw_git_diff_opts opts = { .renames = true };
	assert_int_equal(cw_git_diff_index(repo, &opts, note_change, &out, &err), CW_OK);
	assert_string_equal(out.data, "R b.md -> c.md\nA l link\n");
	cw_buf_release(&out);
	cw_git_close(repo);
}

static void test_snapshots(void **state)
{
	static const char *const globs[] = { "*", "refs/tags" };
	struct cw_git_tips before, after;
	struct cw_git_updates updates;
	struct cw_buf out = { 0 };

	(void)state;
	sh("git init -q -b main moves; cd moves; for n in 1 2 3; do echo $n >f; git add f; git "
	   "commit -qm C$n; done; git branch gone; git branch back; git branch still; git branch "
	   "lost; git update-ref refs/other/x HEAD; git pack-refs --all");
	struct cw_git_repo *repo = open_repo("moves");
	assert_int_equal(cw_git_snapshot_refs(repo, &arena, globs, 2, &before, &err), CW_OK);
	assert_int_equal(before.count, 5);
	cw_git_close(repo);
	sh("cd moves; echo 4 >f; git commit -qam C4; git branch -D gone; git branch -f back HEAD~2;"
	   "git branch fresh; git tag -a -m t t1 HEAD~3");
	repo = open_repo("moves");
	assert_int_equal(cw_git_snapshot_refs(repo, &arena, globs, 2, &after, &err), CW_OK);
	/* As if the history that "lost" held had been rewritten and cleaned up. */
	for (size_t i = 0; i < before.count; i++) {
		if (strcmp(before.items[i].ref, "refs/heads/lost") == 0)
			memset(before.items[i].oid.id, 0x77, 20);
	}
	/* Stored lists come in any order. */
	struct cw_git_tip swap = before.items[0];
	before.items[0] = before.items[4];
	before.items[4] = swap;
	assert_int_equal(cw_git_compare_refs(repo, &arena, &before, &after, &updates, &err), CW_OK);
	for (size_t i = 0; i < updates.count; i++)
		cw_buf_printf(&out, "%s %s base %s\n", updates.items[i].ref,
			      cw_git_update_kind_name(updates.items[i].kind),
			      subject_of(repo, &updates.items[i].base_commit));
	assert_string_equal(out.data, "refs/heads/back forced base C3\n"
				      "refs/heads/fresh create base C3\n"
				      "refs/heads/gone delete base C3\n"
				      "refs/heads/lost forced base C3\n"
				      "refs/heads/main fast-forward base C3\n"
				      "refs/tags/t1 create base C1\n");
	assert_int_equal(cw_git_compare_refs(repo, &arena, &after, &after, &updates, &err), CW_OK);
	assert_int_equal(updates.count, 0);
	/* Against nothing at all: everything is new, compared with the empty tree. */
	struct cw_git_tips none = { 0 };
	assert_int_equal(cw_git_compare_refs(repo, &arena, &none, &after, &updates, &err), CW_OK);
	assert_int_equal(updates.count, after.count);
	for (size_t i = 0; i < updates.count; i++)
		assert_true(cw_oid_is_none(&updates.items[i].base_tree));
	cw_buf_release(&out);
	cw_git_close(repo);
}

int main(int argc, char **argv)
{
	if (!realpath("/proc/self/exe", self))
		return 1;
	if (argc == 3 && strcmp(argv[1], "pre-receive") == 0)
		return pre_receive(argv[2]);
	if (argc == 3 && strcmp(argv[1], "pre-commit") == 0)
		return pre_commit(argv[2]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_parse_updates, reset),
		cmocka_unit_test_teardown(test_push, reset),
		cmocka_unit_test_teardown(test_push_odd_path, reset),
		cmocka_unit_test_teardown(test_commit_hook, reset),
		cmocka_unit_test_teardown(test_snapshots, reset),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
