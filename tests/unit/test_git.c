#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clausewatch/git.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Real repositories, made with the git program in a directory of their own.  The same program is
 * also the pre-receive and pre-commit hook of some of them: see main().
 */

static char top[PATH_MAX], self[PATH_MAX];
static struct cw_arena arena;
static struct cw_error err;

/* Run a shell script in top; it must succeed. */
static void sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int run_script(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static int run_script(const char *fmt, va_list ap)
{
	struct cw_buf script = { 0 };
	int status;

	cw_buf_printf(&script, "exec >>'%s/log' 2>&1; set -ex; cd '%s'; ", top, top);
	cw_buf_vprintf(&script, fmt, ap);
	status = system(cw_buf_str(&script));
	cw_buf_release(&script);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void show_log(void)
{
	char cmd[PATH_MAX + 32];

	snprintf(cmd, sizeof(cmd), "tail -20 '%s/log' >&2", top);
	if (system(cmd) != 0)
		print_message("no log\n");
}

static void sh(const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = run_script(fmt, ap);
	va_end(ap);
	if (status != 0)
		show_log();
	assert_int_equal(status, 0);
}

static int sh_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int sh_status(const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = run_script(fmt, ap);
	va_end(ap);
	return status;
}

static const char *at(const char *name)
{
	return cw_arena_printf(&arena, "%s/%s", top, name);
}

static const char *read_file(const char *name)
{
	struct cw_buf buf = { 0 };
	int fd = open(at(name), O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char *room;

	if (fd < 0)
		return "";
	while ((room = cw_buf_reserve(&buf, 65536)) && (n = read(fd, room, 65536)) > 0)
		buf.len += (size_t)n;
	close(fd);
	const char *text = cw_arena_strndup(&arena, cw_buf_str(&buf), buf.len);
	cw_buf_release(&buf);
	return text;
}

static struct cw_git_repo *open_repo(const char *name)
{
	struct cw_git_repo *repo = NULL;
	int ret = cw_git_open(at(name), 0, &repo, &err);

	if (ret < 0)
		print_message("%s\n", err.msg);
	assert_int_equal(ret, CW_OK);
	return repo;
}

static struct cw_git_object resolve(struct cw_git_repo *repo, const char *spec)
{
	struct cw_git_object o = { 0 };
	int ret = cw_git_resolve(repo, spec, &o, &err);

	if (ret < 0)
		print_message("%s\n", err.msg);
	assert_int_equal(ret, CW_OK);
	return o;
}

static const char *hex(const struct cw_oid *oid)
{
	char *out = cw_arena_alloc(&arena, CW_OID_HEX_SIZE);

	cw_oid_to_hex(oid, out);
	return out;
}

/* What git itself says, without the line end. */
static const char *git_says(const char *repo, const char *args)
{
	sh("git -C %s %s >out.txt", repo, args);
	char *text = cw_arena_strdup(&arena, read_file("out.txt"));
	size_t len = strlen(text);
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return text;
}

static int reset(void **state)
{
	(void)state;
	cw_arena_release(&arena);
	err = (struct cw_error){ 0 };
	return 0;
}

/* One line a change: "M path" or "R old -> new", kinds in small letters when special. */
static int note_change(const struct cw_git_change *c, void *ctx)
{
	static const char kinds[] = "ADMR";
	static const char *const types[] = { "", "", " link", " submodule" };
	struct cw_buf *out = ctx;

	assert_int_equal(strlen(c->path), c->path_len);
	cw_buf_printf(out, "%c ", kinds[c->kind]);
	if (c->kind == CW_GIT_RENAMED)
		cw_buf_printf(out, "%s -> ", c->old_path);
	cw_buf_printf(out, "%s%s%s", c->path, types[c->new.kind],
		      c->new.kind == CW_GIT_ABSENT ? types[c->old.kind] : "");
	if (c->new.kind == CW_GIT_FILE && c->new.size != CW_GIT_SIZE_UNKNOWN)
		cw_buf_printf(out, " %zu", (size_t)c->new.size);
	if (c->new.missing)
		cw_buf_puts(out, " missing");
	cw_buf_putc(out, '\n');
	return 0;
}

static const char *diff_text(struct cw_git_repo *repo, const char *old, const char *new,
			     const struct cw_git_diff_opts *opts)
{
	struct cw_buf out = { 0 };
	struct cw_oid a = { 0 }, b = { 0 };

	if (old)
		a = resolve(repo, old).tree;
	if (new)
		b = resolve(repo, new).tree;
	assert_int_equal(cw_git_diff_trees(repo, &a, &b, opts, note_change, &out, &err), CW_OK);
	const char *text = cw_arena_strdup(&arena, cw_buf_str(&out));
	cw_buf_release(&out);
	return text;
}

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

static int make_top(void **state)
{
	static const char *const vars[][2] = {
		{ "GIT_CONFIG_GLOBAL", "/dev/null" },
		{ "GIT_CONFIG_NOSYSTEM", "1" },
		{ "GIT_AUTHOR_NAME", "Ada Writer" },
		{ "GIT_AUTHOR_EMAIL", "ada@example.org" },
		{ "GIT_AUTHOR_DATE", "2024-01-01T12:00:00+0100" },
		{ "GIT_COMMITTER_NAME", "Ada Writer" },
		{ "GIT_COMMITTER_EMAIL", "ada@example.org" },
		{ "GIT_COMMITTER_DATE", "2024-01-01T12:00:00+0100" },
		{ "GIT_MERGE_AUTOEDIT", "no" },
		{ "LC_ALL", "C.UTF-8" },
	};
	static const char *const inherited[] = {
		"GIT_DIR",
		"GIT_WORK_TREE",
		"GIT_INDEX_FILE",
		"GIT_OBJECT_DIRECTORY",
		"GIT_COMMON_DIR",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES",
		"GIT_QUARANTINE_PATH",
		"GIT_PREFIX",
		"SUDO_UID",
		"XDG_CONFIG_HOME",
	};
	struct cw_git_opts opts = { .user_config = true };
	char home[PATH_MAX + 8], dir[] = "/tmp/test_git.XXXXXX";

	(void)state;
	if (!mkdtemp(dir) || !realpath(dir, top))
		return -1;
	snprintf(home, sizeof(home), "%s/home", top);
	if (mkdir(home, 0755) < 0)
		return -1;
	setenv("HOME", home, 1);
	for (size_t i = 0; i < sizeof(vars) / sizeof(*vars); i++)
		setenv(vars[i][0], vars[i][1], 1);
	for (size_t i = 0; i < sizeof(inherited) / sizeof(*inherited); i++)
		unsetenv(inherited[i]);
	return cw_git_init(&opts, &err);
}

static int remove_top(void **state)
{
	char cmd[PATH_MAX + 16];

	(void)state;
	cw_git_shutdown();
	cw_arena_release(&arena);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", top);
	return system(cmd);
}

int main(int argc, char **argv)
{
	if (!realpath("/proc/self/exe", self))
		return 1;
	if (argc == 3 && strcmp(argv[1], "pre-receive") == 0)
		return pre_receive(argv[2]);
	if (argc == 3 && strcmp(argv[1], "pre-commit") == 0)
		return pre_commit(argv[2]);
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
		cmocka_unit_test_teardown(test_parse_updates, reset),
		cmocka_unit_test_teardown(test_push, reset),
		cmocka_unit_test_teardown(test_push_odd_path, reset),
		cmocka_unit_test_teardown(test_commit_hook, reset),
		cmocka_unit_test_teardown(test_snapshots, reset),
		cmocka_unit_test_teardown(test_worktree, reset),
		cmocka_unit_test_teardown(test_no_home, reset),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
