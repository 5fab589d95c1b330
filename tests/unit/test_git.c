/* Opening and reading repositories. */
#include "git_fixture.h"

static void test_oid(void **state)
{
	static const struct {
		const char *name, *text;
		int ret;
		unsigned len;
	} cases[] = {
		{ "sha1", "0123456789abcdef0123456789abcdef01234567", CW_OK, 20 },
		{ "capitals", "0123456789ABCDEF0123456789abcdef01234567", CW_OK, 20 },
		{ "sha256", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		  CW_OK, 32 },
		{ "zeros", "0000000000000000000000000000000000000000", CW_OK, 0 },
		{ "short", "0123456789abcdef", CW_EINVAL, 0 },
		{ "not hex", "g123456789abcdef0123456789abcdef01234567", CW_EINVAL, 0 },
		{ "empty", "", CW_EINVAL, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cw_oid oid = { .len = 7 };
		char back[CW_OID_HEX_SIZE];

		print_message("  %s\n", cases[i].name);
		assert_int_equal(cw_oid_from_hex(cases[i].text, strlen(cases[i].text), &oid),
				 cases[i].ret);
		if (cases[i].ret < 0) {
			assert_int_equal(oid.len, 7);
			continue;
		}
		assert_int_equal(oid.len, cases[i].len);
		cw_oid_to_hex(&oid, back);
		if (oid.len > 0)
			assert_int_equal(strcasecmp(back, cases[i].text), 0);
		else
			assert_true(cw_oid_is_none(&oid) && back[0] == '\0');
	}
}

static void test_lfs(void **state)
{
	static const char good[] = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n"
				   "size 12345\n";
	static const char prose[] = "version https://git-lfs.github.com/spec/v1 is a format.\n";

	(void)state;
	assert_true(cw_git_is_lfs_pointer(good, sizeof(good) - 1));
	assert_false(cw_git_is_lfs_pointer(prose, sizeof(prose) - 1));
	assert_false(cw_git_is_lfs_pointer("", 0));
	char *large = cw_arena_alloc(&arena, 4096);
	memset(large, 'x', 4096);
	memcpy(large, good, sizeof(good) - 1);
	assert_false(cw_git_is_lfs_pointer(large, 4096));
}

static void test_open_errors(void **state)
{
	static const struct {
		const char *name, *path;
		int ret;
		const char *says;
	} cases[] = {
		{ "nothing there", "nowhere", CW_ENOTFOUND, "no such directory" },
		{ "a plain directory", "plain", CW_ENOTFOUND, "is not a git repository" },
		{ "below a repository, no search", "whole/sub", CW_ENOTFOUND,
		  "is not a git repository" },
		{ "HEAD lost", "headless", CW_ECORRUPT, "damaged" },
		{ "gitfile leads nowhere", "astray", CW_ECORRUPT, "" },
		{ "broken configuration", "badconf", CW_ECORRUPT, "" },
		{ "sha256", "sha256", CW_EUNSUPPORTED, "SHA-256" },
		{ "reftable", "reftable", CW_EUNSUPPORTED, "reftable" },
		{ "future format", "future", CW_EUNSUPPORTED, "version 7" },
		{ "unknown extension", "unknown", CW_EUNSUPPORTED, "'wonder'" },
	};

	(void)state;
	sh("mkdir plain; git init -q whole; mkdir whole/sub;"
	   "git init -q headless; rm headless/.git/HEAD;"
	   "mkdir astray; echo 'gitdir: ../nowhere' >astray/.git;"
	   "git init -q badconf; echo '[core' >badconf/.git/config;"
	   "git init -q --object-format=sha256 sha256;"
	   "git init -q reftable; git -C reftable config core.repositoryformatversion 1;"
	   "git -C reftable config extensions.refstorage reftable;"
	   "git init -q future; sed -i 's/repositoryformatversion = 0/repositoryformatversion = 7/' "
	   "future/.git/config;"
	   "git init -q unknown; git -C unknown config core.repositoryformatversion 1;"
	   "git -C unknown config extensions.wonder yes;"
	   "git init -q known; git -C known config core.repositoryformatversion 1;"
	   "git -C known config extensions.worktreeConfig true;"
	   "git -C known config extensions.partialClone origin");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cw_git_repo *repo = NULL;

		print_message("  %s\n", cases[i].name);
		int ret = cw_git_open(at(cases[i].path), 0, &repo, &err);
		print_message("    %s\n", err.msg);
		assert_int_equal(ret, cases[i].ret);
		assert_null(repo);
		assert_non_null(strstr(err.msg, cases[i].says));
		assert_non_null(strstr(err.msg, at(cases[i].path)));
	}
	struct cw_git_repo *repo = NULL;
	assert_int_equal(cw_git_open(at("whole/sub"), CW_GIT_SEARCH, &repo, &err), CW_OK);
	assert_string_equal(cw_git_work_dir(repo), at("whole/"));
	cw_git_close(repo);
	repo = open_repo("known");
	cw_git_close(repo);
	cw_git_close(NULL);
}

/* As another user; returns what cw_git_open() did. */
static int open_as(uid_t uid, const char *path, unsigned flags)
{
	struct cw_git_repo *repo = NULL;
	int ret;

	assert_int_equal(seteuid(uid), 0);
	ret = cw_git_open(path, flags, &repo, &err);
	cw_git_close(repo);
	assert_int_equal(seteuid(0), 0);
	return ret;
}

static void test_owner(void **state)
{
	char cure[PATH_MAX + 64];

	(void)state;
	if (geteuid() != 0)
		skip();
	/* An empty value undoes whatever this machine trusts. */
	sh("git init -q --bare foreign.git; git init -q foreign; chown -R 12345 foreign.git foreign;"
	   "git init -q half; chown 12345 half/.git; git init -q secret; chmod 700 secret;"
	   "printf '[safe]\\n\\tdirectory =\\n' >home/.gitconfig; chmod 755 .");
	const char *names[] = { "foreign.git", "foreign", "half" };
	for (size_t i = 0; i < 3; i++) {
		struct cw_git_repo *repo = NULL;

		print_message("  %s\n", names[i]);
		assert_int_equal(cw_git_open(at(names[i]), 0, &repo, &err), CW_EDENIED);
		print_message("    %s\n", err.msg);
		snprintf(cure, sizeof(cure), "git config --system --add safe.directory %s`",
			 at(names[i]));
		assert_non_null(strstr(err.msg, cure));
		assert_non_null(strstr(err.msg, "trust_owner: true"));
		assert_non_null(strstr(err.msg, "12345"));
		assert_int_equal(cw_git_open(at(names[i]), CW_GIT_TRUST_OWNER, &repo, &err), CW_OK);
		cw_git_close(repo);
	}
	/* A repository cannot vouch for itself. */
	sh("printf '[safe]\\n\\tdirectory = *\\n' >>foreign/.git/config");
	assert_int_equal(open_as(0, at("foreign"), 0), CW_EDENIED);
	/* The configuration of a stranger is not even read. */
	sh("cp foreign/.git/config kept; echo '[broken' >>foreign/.git/config");
	assert_int_equal(open_as(0, at("foreign"), 0), CW_EDENIED);
	sh("cat kept >foreign/.git/config");
	static const struct {
		const char *value;
		int foreign, bare;
	} trust[] = {
		{ "%s/foreign.git", CW_EDENIED, CW_OK }, { "%s/foreign", CW_OK, CW_EDENIED },
		{ "%s/foreign/", CW_OK, CW_EDENIED },    { "%s/*", CW_OK, CW_OK },
		{ "%s/for*", CW_EDENIED, CW_EDENIED },   { "*", CW_OK, CW_OK },
		{ "%s/fore", CW_EDENIED, CW_EDENIED },
	};
	for (size_t i = 0; i < sizeof(trust) / sizeof(*trust); i++) {
		print_message("  safe.directory = %s\n", trust[i].value);
		sh("printf '[safe]\\n\\tdirectory =\\n\\tdirectory = ' >home/.gitconfig;"
		   "printf '%s\\n' \"$PWD\" >>home/.gitconfig",
		   trust[i].value);
		assert_int_equal(open_as(0, at("foreign"), 0), trust[i].foreign);
		assert_int_equal(open_as(0, at("foreign.git"), 0), trust[i].bare);
	}
	sh("rm home/.gitconfig");
	assert_int_equal(open_as(12345, at("foreign"), 0), CW_OK);
	assert_int_equal(open_as(12345, at("secret"), CW_GIT_TRUST_OWNER), CW_EDENIED);
	print_message("    %s\n", err.msg);
	assert_non_null(strstr(err.msg, "permission"));
}

/* A repository with all that the reading tests look at. */
static void make_library(void)
{
	if (access(at("lib"), F_OK) == 0)
		return;
	sh("git init -q -b main lib; cd lib; mkdir -p a/b vendor;"
	   "echo one >a/b/c.txt; echo msa >msa.md; echo x >vendor/v.txt; ln -s msa.md link;"
	   "printf '\\0bin' >bin; git add -A;"
	   "GIT_AUTHOR_DATE='2024-03-01T09:30:00+0545' GIT_COMMITTER_DATE='2024-03-02T00:00:00-0330' "
	   "git commit -qm 'First\ntwo-line subject\n\nBody'; git tag v1;"
	   "echo two >>a/b/c.txt; git mv msa.md agreement.md; chmod +x vendor/v.txt; git rm -q bin;"
	   "rm link; mkdir link; echo now a directory >link/f.txt; echo zz >a.txt; git add -A;"
	   "git commit -qm Second; git tag -a -m 'signed' v2;"
	   "git tag -a -m 'tag of a tag' v2-again v2; git tag blobtag HEAD:a.txt;"
	   "git tag treetag HEAD^{tree}; git checkout -qb side v1; echo side >side.txt; git add -A;"
	   "git commit -qm Side; git checkout -q main; git merge -q -m Merge side;"
	   "git pack-refs --all; git branch loose/branch main~1; git branch main-2 v1");
}

static void test_refs(void **state)
{
	static const struct {
		const char *glob, *names;
	} cases[] = {
		{ "main", "refs/heads/main " },
		{ "*", "refs/heads/loose/branch refs/heads/main refs/heads/main-2 "
		       "refs/heads/side " },
		{ "loose", "refs/heads/loose/branch " },
		{ "loose/", "refs/heads/loose/branch " },
		{ "main*", "refs/heads/main refs/heads/main-2 " },
		{ "refs/tags", "refs/tags/blobtag refs/tags/treetag refs/tags/v1 refs/tags/v2 "
			       "refs/tags/v2-again " },
		{ "refs/tags/v?", "refs/tags/v1 refs/tags/v2 " },
		{ "nothing", "" },
	};
	struct cw_git_refs refs;

	(void)state;
	make_library();
	struct cw_git_repo *repo = open_repo("lib");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cw_buf names = { 0 };

		print_message("  %s\n", cases[i].glob);
		assert_int_equal(cw_git_list_refs(repo, &arena, &cases[i].glob, 1, &refs, &err),
				 CW_OK);
		for (size_t k = 0; k < refs.count; k++)
			cw_buf_printf(&names, "%s ", refs.items[k].name);
		assert_string_equal(cw_buf_str(&names), cases[i].names);
		cw_buf_release(&names);
	}
	assert_int_equal(cw_git_list_refs(repo, &arena, NULL, 0, &refs, &err), CW_OK);
	assert_int_equal(refs.count, 9);
	for (size_t i = 0; i < refs.count; i++) {
		const struct cw_git_ref *r = &refs.items[i];
		const char *says = git_says(
			"lib", cw_arena_printf(&arena, "rev-parse %s %s^{}", r->name, r->name));

		print_message("  %s\n", r->name);
		assert_memory_equal(says, hex(&r->target), 40);
		assert_false(r->broken);
		if (strcmp(r->name, "refs/tags/blobtag") == 0) {
			assert_int_equal(r->type, CW_GIT_BLOB);
			assert_true(cw_oid_is_none(&r->commit) && cw_oid_is_none(&r->tree));
		} else if (strcmp(r->name, "refs/tags/treetag") == 0) {
			assert_int_equal(r->type, CW_GIT_TREE);
			assert_true(cw_oid_is_none(&r->commit));
			assert_string_equal(says + 41, hex(&r->tree));
		} else {
			assert_int_equal(r->type, CW_GIT_COMMIT);
			assert_string_equal(says + 41, hex(&r->commit));
			assert_int_equal(r->tree.len, 20);
		}
	}
	cw_git_close(repo);
}

static void test_broken_ref(void **state)
{
	struct cw_git_refs refs;

	(void)state;
	sh("git init -q -b main brokenref; cd brokenref; echo a >a; git add a; git commit -qm a;"
	   "echo 0123456789abcdef0123456789abcdef01234567 >.git/refs/heads/lost;"
	   "echo rubbish >.git/refs/heads/rubbish");
	struct cw_git_repo *repo = open_repo("brokenref");
	assert_int_equal(cw_git_list_refs(repo, &arena, NULL, 0, &refs, &err), CW_OK);
	assert_int_equal(refs.count, 2);
	assert_string_equal(refs.items[0].name, "refs/heads/lost");
	assert_true(refs.items[0].broken);
	assert_false(refs.items[1].broken);
	/* It hides nothing from a walk either. */
	struct cw_oid tip = refs.items[1].commit;
	struct cw_git_commits commits;
	struct cw_git_range range = {
		.tips = &tip, .ntips = 1, .hide = &refs.items[0].target, .nhide = 1
	};
	assert_int_equal(cw_git_walk(repo, &arena, &range, &commits, &err), CW_OK);
	assert_int_equal(commits.count, 1);
	cw_git_close(repo);
}

static void test_head(void **state)
{
	struct cw_git_ref head;

	(void)state;
	make_library();
	sh("git init -q --bare -b trunk empty.git; git clone -q lib detached;"
	   "git -C detached checkout -q --detach");
	struct cw_git_repo *repo = open_repo("lib");
	assert_int_equal(cw_git_head(repo, &arena, &head, &err), CW_OK);
	assert_string_equal(head.name, "refs/heads/main");
	assert_string_equal(hex(&head.commit), git_says("lib", "rev-parse HEAD"));
	assert_false(cw_git_is_bare(repo));
	cw_git_close(repo);
	repo = open_repo("detached");
	assert_int_equal(cw_git_head(repo, &arena, &head, &err), CW_OK);
	assert_string_equal(head.name, "HEAD");
	assert_false(cw_oid_is_none(&head.commit));
	cw_git_close(repo);
	repo = open_repo("empty.git");
	assert_int_equal(cw_git_head(repo, &arena, &head, &err), CW_OK);
	assert_string_equal(head.name, "refs/heads/trunk");
	assert_true(cw_oid_is_none(&head.commit));
	assert_true(cw_git_is_bare(repo));
	assert_null(cw_git_work_dir(repo));
	struct cw_git_refs refs;
	assert_int_equal(cw_git_list_refs(repo, &arena, NULL, 0, &refs, &err), CW_OK);
	assert_int_equal(refs.count, 0);
	struct cw_git_object o;
	assert_int_equal(cw_git_resolve(repo, "HEAD", &o, &err), CW_ENOTFOUND);
	cw_git_close(repo);
}

static void test_resolve(void **state)
{
	static const struct {
		const char *spec, *git;
		enum cw_git_type type;
	} good[] = {
		{ "HEAD", "HEAD", CW_GIT_COMMIT },
		{ "main", "main", CW_GIT_COMMIT },
		{ "side~1", "v1", CW_GIT_COMMIT },
		{ "v2-again", "v2^{commit}", CW_GIT_COMMIT },
		{ "blobtag", "blobtag", CW_GIT_BLOB },
		{ "treetag", "treetag", CW_GIT_TREE },
		{ "main:a/b/c.txt", "main:a/b/c.txt", CW_GIT_BLOB },
		{ "v2:link/f.txt", "v2:link/f.txt", CW_GIT_BLOB },
		{ "treetag:a.txt", "treetag:a.txt", CW_GIT_BLOB },
		{ "main:", "main:", CW_GIT_TREE },
		{ ":a.txt", ":a.txt", CW_GIT_BLOB },
	};
	static const struct {
		const char *spec;
		int ret;
		const char *says;
	} bad[] = {
		{ "", CW_EINVAL, "is not a revision" },
		{ "nosuch", CW_ENOTFOUND, "no revision 'nosuch'" },
		{ "main:nosuch.txt", CW_ENOTFOUND, "no file 'nosuch.txt'" },
		{ "main:a.txt/deeper", CW_ENOTFOUND, "no file" },
		{ "main:a/b", CW_EINVAL, "is a directory" },
		{ "blobtag:x", CW_EINVAL, "no files" },
		{ ":nosuch", CW_ENOTFOUND, "not staged" },
		{ "evil\n\033[31mname", CW_EINVAL, "evil\\x0a\\x1b[31mname" },
		{ "0123456789abcdef0123456789abcdef01234567", CW_ENOTFOUND, "no revision" },
	};

	(void)state;
	make_library();
	struct cw_git_repo *repo = open_repo("lib");
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		print_message("  %s\n", good[i].spec);
		struct cw_git_object o = resolve(repo, good[i].spec);
		assert_int_equal(o.type, good[i].type);
		assert_string_equal(
			hex(&o.oid),
			git_says("lib", cw_arena_printf(&arena, "rev-parse %s", good[i].git)));
	}
	char *shortened = cw_arena_strdup(&arena, git_says("lib", "rev-parse main"));
	shortened[9] = '\0';
	assert_int_equal(resolve(repo, shortened).type, CW_GIT_COMMIT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct cw_git_object o = { .mode = 42 };

		int ret = cw_git_resolve(repo, bad[i].spec, &o, &err);
		print_message("  %s\n", err.msg);
		assert_int_equal(o.mode, 42);
		assert_non_null(strstr(err.msg, bad[i].says));
		if (strncmp(bad[i].spec, "evil", 4) != 0)
			assert_int_equal(ret, bad[i].ret);
		assert_true(ret < 0);
	}
	cw_git_close(repo);
}

static bool not_vendor(const char *path, size_t len, bool is_dir, void *ctx)
{
	(void)len;
	(void)ctx;
	assert_true(strncmp(path, "a/b/", 4) != 0 || !is_dir);
	assert_true(strncmp(path, "vendor/", 7) != 0);
	return !(is_dir && strcmp(path, "vendor") == 0) && strcmp(path, "bin") != 0;
}

static int stop_at_second(const struct cw_git_change *change, void *ctx)
{
	int *n = ctx;

	(void)change;
	return ++*n == 2 ? 1 : 0;
}

static int fail_at_once(const struct cw_git_change *change, void *ctx)
{
	(void)change;
	(void)ctx;
	return CW_ECANCELED;
}

static void test_diff(void **state)
{
	struct cw_git_diff_opts plain = { 0 }, renames = { .renames = true, .sizes = true };
	struct cw_git_diff_opts filter = { .want = not_vendor };

	(void)state;
	make_library();
	struct cw_git_repo *repo = open_repo("lib");
	/* A file that became a directory is two changes; an executable bit is none. */
	assert_string_equal(diff_text(repo, "v1", "v2", &plain),
			    "A a.txt\nM a/b/c.txt\nA agreement.md\nD bin\nD link link\n"
			    "A link/f.txt\nD msa.md\n");
	assert_string_equal(diff_text(repo, "v1", "v2", &renames),
			    "A a.txt 3\nM a/b/c.txt 8\nR msa.md -> agreement.md 4\nD bin\n"
			    "D link link\nA link/f.txt 16\n");
	assert_string_equal(diff_text(repo, NULL, "v1", &filter),
			    "A a/b/c.txt\nA link link\nA msa.md\n");
	assert_string_equal(diff_text(repo, "v1", NULL, NULL),
			    "D a/b/c.txt\nD bin\nD link link\nD msa.md\nD vendor/v.txt\n");
	assert_string_equal(diff_text(repo, "v1", "v1", NULL), "");
	assert_string_equal(diff_text(repo, NULL, NULL, NULL), "");

	struct cw_oid a = resolve(repo, "v1").tree, b = resolve(repo, "v2").tree;
	int n = 0;
	assert_int_equal(cw_git_diff_trees(repo, &a, &b, NULL, stop_at_second, &n, &err), CW_OK);
	assert_int_equal(n, 2);
	assert_int_equal(cw_git_diff_trees(repo, &a, &b, NULL, fail_at_once, NULL, &err),
			 CW_ECANCELED);
	struct cw_git_diff_opts few = { .max_changes = 3 }, small = { .max_entries = 3 };
	struct cw_buf out = { 0 };
	assert_int_equal(cw_git_diff_trees(repo, &a, &b, &few, note_change, &out, &err), CW_EFULL);
	assert_non_null(strstr(err.msg, "more than 3 changed files"));
	assert_int_equal(cw_git_diff_trees(repo, &a, &b, &small, note_change, &out, &err),
			 CW_EFULL);
	struct cw_oid commit = resolve(repo, "v1").commit;
	assert_int_equal(cw_git_diff_trees(repo, &commit, &b, NULL, note_change, &out, &err),
			 CW_EINVAL);
	assert_non_null(strstr(err.msg, "is a commit, not a tree"));
	cw_oid_from_hex("0123456789abcdef0123456789abcdef01234567", 40, &a);
	assert_int_equal(cw_git_diff_trees(repo, &a, &b, NULL, note_change, &out, &err),
			 CW_ENOTFOUND);
	cw_buf_release(&out);
	cw_git_close(repo);
}

/* Renames of many files with one content pair up by name, each old one once. */
static void test_rename_copies(void **state)
{
	struct cw_git_diff_opts renames = { .renames = true };

	(void)state;
	sh("git init -q -b main copies; cd copies; mkdir old; for n in a b c; do echo same "
	   ">old/$n.md; done; git add -A; git commit -qm 1; git mv old new; echo same >new/d.md;"
	   "git add -A; git commit -qm 2");
	struct cw_git_repo *repo = open_repo("copies");
	assert_string_equal(diff_text(repo, "HEAD~1", "HEAD", &renames),
			    "R old/a.md -> new/a.md\nR old/b.md -> new/b.md\n"
			    "R old/c.md -> new/c.md\nA new/d.md\n");
	cw_git_close(repo);
}

static void test_evil_names(void **state)
{
	(void)state;
	sh("git init -q -b main evil; cd evil; git config core.quotepath off; git commit -q "
	   "--allow-empty -m 0; mkdir 'd\"q'; echo 1 >\"$(printf 'd\"q/new\\nline')\";"
	   "echo 2 >\"$(printf 'bad\\377utf8')\"; echo 3 >'sp ace'; echo 4 >-dash; git add -A;"
	   "git commit -qm names");
	struct cw_git_repo *repo = open_repo("evil");
	assert_string_equal(diff_text(repo, "HEAD~1", "HEAD", NULL),
			    "A -dash\nA bad\377utf8\nA d\"q/new\nline\nA sp ace\n");
	struct cw_oid tree = resolve(repo, "HEAD").tree;
	struct cw_git_side side;
	assert_int_equal(cw_git_tree_blob(repo, &tree, "d\"q/new\nline", &side, &err), CW_OK);
	assert_int_equal(side.size, 2);
	assert_int_equal(cw_git_tree_blob(repo, &tree, "bad\376utf8", &side, &err), CW_ENOTFOUND);
	assert_non_null(strstr(err.msg, "'bad\\xfeutf8'"));
	cw_git_close(repo);
}

static void test_damaged_tree(void **state)
{
	struct cw_buf out = { 0 };
	struct cw_oid tree;

	(void)state;
	sh("git init -q -b main bent; cd bent; b=$(echo x | git hash-object -w --stdin);"
	   "i=$(echo $b | sed 's/../\\\\\\\\x&/g');"
	   "for n in '100644 a/b\\0' '100644 \\0' 'zz a\\0' '100644 a'; do "
	   "bash -c \"printf '$n$i'\" | git hash-object -w --stdin -t tree --literally; done "
	   ">../bent.txt");
	struct cw_git_repo *repo = open_repo("bent");
	const char *ids = read_file("bent.txt");
	assert_int_equal(strlen(ids), 4 * 41);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(cw_oid_from_hex(ids + 41 * i, 40, &tree), CW_OK);
		assert_int_equal(
			cw_git_diff_trees(repo, NULL, &tree, NULL, note_change, &out, &err),
			CW_ECORRUPT);
		print_message("  %s\n", err.msg);
	}
	assert_int_equal(out.len, 0);
	cw_buf_release(&out);
	cw_git_close(repo);
}

/* Ten names in each of nine levels: a thousand million files in nine objects. */
static void test_tree_bomb(void **state)
{
	struct cw_git_diff_opts opts = { .max_entries = 5000 };
	struct cw_buf out = { 0 };

	(void)state;
	sh("git init -q -b main bomb; cd bomb; t=$(echo boom | git hash-object -w --stdin); k=blob;"
	   "m=100644; for l in 1 2 3 4 5 6 7 8 9; do t=$(for n in 0 1 2 3 4 5 6 7 8 9; do "
	   "printf '%%s %%s %%s\\tn%%s\\n' $m $k $t $n; done | git mktree); k=tree; m=040000; done;"
	   "git update-ref refs/heads/main $(git commit-tree -m bomb $t)");
	struct cw_git_repo *repo = open_repo("bomb");
	struct cw_oid tree = resolve(repo, "main").tree;
	assert_int_equal(cw_git_diff_trees(repo, NULL, &tree, &opts, note_change, &out, &err),
			 CW_EFULL);
	cw_buf_release(&out);
	cw_git_close(repo);
}

static void test_submodule(void **state)
{
	struct cw_git_diff_opts opts = { .sizes = true };

	(void)state;
	make_library();
	sh("git init -q -b main super; cd super; git commit -q --allow-empty -m 0;"
	   "git -c protocol.file.allow=always submodule -q add ../lib sub; git commit -qm sub");
	struct cw_git_repo *repo = open_repo("super");
	const char *text = diff_text(repo, "HEAD~1", "HEAD", &opts);
	assert_non_null(strstr(text, "A sub submodule\n"));
	struct cw_git_object o = resolve(repo, "HEAD:sub");
	assert_int_equal(o.type, CW_GIT_COMMIT);
	assert_int_equal(o.mode, 0160000);
	cw_git_close(repo);
	repo = open_repo("super/sub"); /* its .git is a file */
	assert_non_null(strstr(cw_git_dir(repo), "/super/.git/modules/sub/"));
	assert_string_equal(cw_git_work_dir(repo), at("super/sub/"));
	cw_git_close(repo);
}

static void test_blob(void **state)
{
	struct cw_buf buf = { 0 };

	(void)state;
	make_library();
	struct cw_git_repo *repo = open_repo("lib");
	struct cw_oid oid = resolve(repo, "main:a/b/c.txt").oid;
	assert_int_equal(cw_git_read_blob(repo, &oid, 8, &buf, &err), CW_OK);
	assert_string_equal(buf.data, "one\ntwo\n");
	assert_int_equal(cw_git_read_blob(repo, &oid, 7, &buf, &err), CW_EFULL);
	assert_non_null(strstr(err.msg, "8 bytes, the limit is 7"));
	assert_int_equal(buf.len, 8);
	oid = resolve(repo, "main").commit;
	assert_int_equal(cw_git_read_blob(repo, &oid, 0, &buf, &err), CW_EINVAL);
	oid.id[0] ^= 1;
	assert_int_equal(cw_git_read_blob(repo, &oid, 0, &buf, &err), CW_ENOTFOUND);
	assert_non_null(strstr(err.msg, "fsck"));
	oid = (struct cw_oid){ 0 };
	assert_int_equal(cw_git_read_blob(repo, &oid, 0, &buf, &err), CW_EINVAL);
	cw_git_close(repo);
	/* One object lost, another one no longer a zlib stream. */
	sh("git clone -q --no-local lib hurt; cd hurt; mv .git/objects/pack/*.pack p; rm -f "
	   ".git/objects/pack/*; git unpack-objects -q <p; rm p; f() { echo .git/objects/$(git "
	   "rev-parse $1 | sed 's,^..,&/,'); }; rm -f $(f HEAD:a.txt); x=$(f HEAD:a/b/c.txt); chmod u+w $x;"
	   "echo garbage >$x");
	repo = open_repo("hurt");
	struct cw_git_diff_opts opts = { .sizes = true };
	assert_non_null(
		strstr(diff_text(repo, NULL, "HEAD", &opts), "A a.txt missing\nA a/b/c.txt\n"));
	oid = resolve(repo, "HEAD:a/b/c.txt").oid;
	assert_int_equal(cw_git_read_blob(repo, &oid, 0, &buf, &err), CW_ECORRUPT);
	print_message("  %s\n", err.msg);
	cw_git_close(repo);
	cw_buf_release(&buf);
}

static void test_commit(void **state)
{
	struct cw_git_commit c;

	(void)state;
	make_library();
	struct cw_git_repo *repo = open_repo("lib");
	struct cw_git_object o = resolve(repo, "v1");
	assert_int_equal(cw_git_commit_info(repo, &arena, &o.commit, &c, &err), CW_OK);
	assert_string_equal(c.author_name, "Ada Writer");
	assert_string_equal(c.author_email, "ada@example.org");
	assert_string_equal(c.subject, "First two-line subject");
	assert_string_equal(c.author_date, "2024-03-01T09:30:00+05:45");
	assert_string_equal(c.commit_date, "2024-03-02T00:00:00-03:30");
	assert_int_equal(c.commit_time, 1709350200);
	assert_int_equal(c.nparents, 0);
	assert_true(cw_oid_eq(&c.tree, &o.tree));
	o = resolve(repo, "main");
	assert_int_equal(cw_git_commit_info(repo, &arena, &o.commit, &c, &err), CW_OK);
	assert_int_equal(c.nparents, 2);
	struct cw_oid side = resolve(repo, "side").commit;
	assert_true(cw_oid_eq(&c.parents[1], &side));
	assert_int_equal(cw_git_commit_info(repo, &arena, &o.tree, &c, &err), CW_ENOTFOUND);
	/* Without a message, and with a time that no calendar has. */
	sh("cd lib; t=$(git rev-parse main^{tree}); printf 'tree %%s\\nauthor A <a@b> "
	   "9223372036854775000 +0000\\ncommitter A <a@b> 9223372036854775000 +0000\\n\\n' $t | "
	   "git hash-object -w --stdin -t commit --literally >../odd.txt");
	assert_int_equal(cw_oid_from_hex(read_file("odd.txt"), 40, &o.oid), CW_OK);
	int ret = cw_git_commit_info(repo, &arena, &o.oid, &c, &err);
	if (ret == CW_OK) {
		assert_string_equal(c.subject, "");
		assert_string_equal(c.author_date, "");
	} else {
		assert_int_equal(ret, CW_ECORRUPT);
	}
	cw_git_close(repo);
}

static const char *walk_text(struct cw_git_repo *repo, const struct cw_git_range *range,
			     bool *out_truncated)
{
	struct cw_git_commits commits = { 0 };
	struct cw_buf out = { 0 };

	assert_int_equal(cw_git_walk(repo, &arena, range, &commits, &err), CW_OK);
	for (size_t i = 0; i < commits.count; i++) {
		struct cw_git_commit c;

		assert_int_equal(cw_git_commit_info(repo, &arena, &commits.items[i], &c, &err),
				 CW_OK);
		cw_buf_printf(&out, "%.5s ", c.subject);
	}
	const char *text = cw_arena_strdup(&arena, cw_buf_str(&out));
	cw_buf_release(&out);
	if (out_truncated)
		*out_truncated = commits.truncated;
	return text;
}

static void test_walk(void **state)
{
	bool truncated, yes;
	struct cw_oid base;

	(void)state;
	make_library();
	struct cw_git_repo *repo = open_repo("lib");
	struct cw_oid main = resolve(repo, "main").commit, v1 = resolve(repo, "v1").commit;
	struct cw_oid v2 = resolve(repo, "v2").commit, side = resolve(repo, "side").commit;
	struct cw_git_range range = { .tips = &main, .ntips = 1 };

	const char *all = walk_text(repo, &range, &truncated);
	assert_true(strcmp(all, "First Secon Side Merge ") == 0 ||
		    strcmp(all, "First Side Secon Merge ") == 0);
	assert_false(truncated);
	range.first_parent = true;
	assert_string_equal(walk_text(repo, &range, NULL), "First Secon Merge ");
	range.limit = 2;
	assert_string_equal(walk_text(repo, &range, &truncated), "Secon Merge ");
	assert_true(truncated);
	range = (struct cw_git_range){ .tips = &main, .ntips = 1, .hide = &v2, .nhide = 1 };
	assert_string_equal(walk_text(repo, &range, NULL), "Side Merge ");
	range = (struct cw_git_range){ .tips = &main, .ntips = 1, .hide_refs = true };
	assert_string_equal(walk_text(repo, &range, NULL), "");
	/* An annotated tag as a tip, and a tag on a file, which has no history. */
	struct cw_git_refs refs;
	const char *globs[] = { "refs/tags/v2-again", "refs/tags/blobtag" };
	assert_int_equal(cw_git_list_refs(repo, &arena, globs, 2, &refs, &err), CW_OK);
	struct cw_oid tips[] = { refs.items[0].target, refs.items[1].target };
	range = (struct cw_git_range){ .tips = tips, .ntips = 2 };
	assert_string_equal(walk_text(repo, &range, NULL), "First Secon ");

	assert_int_equal(cw_git_is_descendant(repo, &main, &v1, &yes, &err), CW_OK);
	assert_true(yes);
	assert_int_equal(cw_git_is_descendant(repo, &v1, &main, &yes, &err), CW_OK);
	assert_false(yes);
	assert_int_equal(cw_git_is_descendant(repo, &v1, &v1, &yes, &err), CW_OK);
	assert_true(yes);
	assert_int_equal(cw_git_merge_base(repo, &v2, &side, &base, &err), CW_OK);
	assert_true(cw_oid_eq(&base, &v1));
	cw_git_close(repo);

	sh("git clone -q --depth 1 file://$PWD/lib shallow");
	repo = open_repo("shallow");
	range = (struct cw_git_range){ .tips = &main, .ntips = 1 };
	struct cw_git_commits commits;
	assert_int_equal(cw_git_walk(repo, &arena, &range, &commits, &err), CW_ENOTFOUND);
	print_message("  %s\n", err.msg);
	assert_non_null(strstr(err.msg, "--unshallow"));
	cw_git_close(repo);
}

static void test_worktree(void **state)
{
	struct cw_git_watch_path *paths;
	struct cw_git_ref head;
	size_t n;

	(void)state;
	make_library();
	sh("git -C lib worktree add -q -b wt-branch ../wt v1");
	struct cw_git_repo *repo = open_repo("wt");
	assert_string_equal(cw_git_common_dir(repo), at("lib/.git/"));
	assert_string_equal(cw_git_dir(repo), at("lib/.git/worktrees/wt/"));
	assert_string_equal(cw_git_work_dir(repo), at("wt/"));
	assert_int_equal(cw_git_head(repo, &arena, &head, &err), CW_OK);
	assert_string_equal(head.name, "refs/heads/wt-branch");
	assert_int_equal(resolve(repo, "main:a.txt").type, CW_GIT_BLOB);
	assert_int_equal(cw_git_watch_paths(repo, &arena, &paths, &n, &err), CW_OK);
	assert_true(n >= 3);
	assert_string_equal(paths[0].path, at("lib/.git/"));
	assert_false(paths[0].recursive);
	assert_string_equal(paths[1].path, at("lib/.git/refs/"));
	assert_true(paths[1].recursive);
	assert_string_equal(paths[2].path, at("lib/.git/worktrees/wt/"));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(access(paths[i].path, F_OK), 0);
	cw_git_close(repo);
	sh("git -C lib worktree remove wt; git -C lib branch -D wt-branch");
	repo = open_repo("lib");
	assert_int_equal(cw_git_watch_paths(repo, &arena, &paths, &n, &err), CW_OK);
	assert_int_equal(n, 2);
	cw_git_close(repo);
}

static void test_no_home(void **state)
{
	(void)state;
	make_library();
	sh("env -i PATH=\"$PATH\" '%s' open '%s/lib'", self, top);
}

static int open_only(const char *path)
{
	struct cw_git_repo *repo = NULL;
	int ret = cw_git_init(NULL, &err);

	if (ret == CW_OK)
		ret = cw_git_open(path, 0, &repo, &err);
	if (ret < 0)
		fprintf(stderr, "%s\n", err.msg);
	cw_git_close(repo);
	return ret < 0;
}

int main(int argc, char **argv)
{
	if (!realpath("/proc/self/exe", self))
		return 1;
	if (argc == 3 && strcmp(argv[1], "open") == 0)
		return open_only(argv[2]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_oid, reset),
		cmocka_unit_test_teardown(test_lfs, reset),
		cmocka_unit_test_teardown(test_open_errors, reset),
		cmocka_unit_test_teardown(test_owner, reset),
		cmocka_unit_test_teardown(test_refs, reset),
		cmocka_unit_test_teardown(test_broken_ref, reset),
		cmocka_unit_test_teardown(test_head, reset),
		cmocka_unit_test_teardown(test_resolve, reset),
		cmocka_unit_test_teardown(test_diff, reset),
		cmocka_unit_test_teardown(test_rename_copies, reset),
		cmocka_unit_test_teardown(test_evil_names, reset),
		cmocka_unit_test_teardown(test_damaged_tree, reset),
		cmocka_unit_test_teardown(test_tree_bomb, reset),
		cmocka_unit_test_teardown(test_submodule, reset),
		cmocka_unit_test_teardown(test_blob, reset),
		cmocka_unit_test_teardown(test_commit, reset),
		cmocka_unit_test_teardown(test_walk, reset),
		cmocka_unit_test_teardown(test_worktree, reset),
		cmocka_unit_test_teardown(test_no_home, reset),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
