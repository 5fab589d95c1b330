/** @file
 * Real repositories, made with the git program in a directory of their own.
 */
#pragma once

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

static char top[PATH_MAX], self[PATH_MAX];
static struct cw_arena arena;
static struct cw_error err;

/* Run a shell script in top; it must succeed. */
static inline void sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static inline int run_script(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static inline int run_script(const char *fmt, va_list ap)
{
	struct cw_buf script = { 0 };
	int status;

	cw_buf_printf(&script, "exec >>'%s/log' 2>&1; set -ex; cd '%s'; ", top, top);
	cw_buf_vprintf(&script, fmt, ap);
	status = system(cw_buf_str(&script));
	cw_buf_release(&script);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void show_log(void)
{
	char cmd[PATH_MAX + 32];

	snprintf(cmd, sizeof(cmd), "tail -20 '%s/log' >&2", top);
	if (system(cmd) != 0)
		print_message("no log\n");
}

static inline void sh(const char *fmt, ...)
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

static inline int sh_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static inline int sh_status(const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = run_script(fmt, ap);
	va_end(ap);
	return status;
}

static inline const char *at(const char *name)
{
	return cw_arena_printf(&arena, "%s/%s", top, name);
}

static inline const char *read_file(const char *name)
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

static inline struct cw_git_repo *open_repo(const char *name)
{
	struct cw_git_repo *repo = NULL;
	int ret = cw_git_open(at(name), 0, &repo, &err);

	if (ret < 0)
		print_message("%s\n", err.msg);
	assert_int_equal(ret, CW_OK);
	return repo;
}

static inline struct cw_git_object resolve(struct cw_git_repo *repo, const char *spec)
{
	struct cw_git_object o = { 0 };
	int ret = cw_git_resolve(repo, spec, &o, &err);

	if (ret < 0)
		print_message("%s\n", err.msg);
	assert_int_equal(ret, CW_OK);
	return o;
}

static inline const char *hex(const struct cw_oid *oid)
{
	char *out = cw_arena_alloc(&arena, CW_OID_HEX_SIZE);

	cw_oid_to_hex(oid, out);
	return out;
}

/* What git itself says, without the line end. */
static inline const char *git_says(const char *repo, const char *args)
{
	sh("git -C %s %s >out.txt", repo, args);
	char *text = cw_arena_strdup(&arena, read_file("out.txt"));
	size_t len = strlen(text);
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return text;
}

static inline int reset(void **state)
{
	(void)state;
	cw_arena_release(&arena);
	err = (struct cw_error){ 0 };
	return 0;
}

/* One line a change: "M path" or "R old -> new", kinds in small letters when special. */
static inline int note_change(const struct cw_git_change *c, void *ctx)
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

static inline const char *diff_text(struct cw_git_repo *repo, const char *old, const char *new,
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

static inline int make_top(void **state)
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

static inline int remove_top(void **state)
{
	char cmd[PATH_MAX + 16];

	(void)state;
	cw_git_shutdown();
	cw_arena_release(&arena);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", top);
	return system(cmd);
}
