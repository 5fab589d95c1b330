/* clausewatch hook install: a small script that calls this program; nothing is ever overwritten. */
#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/file.h"

#define SCRIPT_MAX ((size_t)1 << 20)
#define STAMP "# Written by clausewatch hook install, version "

const char *const hook_types[] = { "pre-receive", "pre-commit", "pre-push", "post-receive", NULL };

struct install {
	const struct hook_options *opts;
	const char *type;
	struct cw_buf dir, path, previous; /* hooks/, hooks/TYPE, hooks/TYPE.d/00-previous */
};

/* A word for the shell, whatever it holds. */
static void put_quoted(struct cw_buf *out, const char *text)
{
	cw_buf_putc(out, '\'');
	for (; *text; text++)
		cw_buf_puts(out, *text == '\'' ? "'\\''" : (char[]){ *text, '\0' });
	cw_buf_putc(out, '\'');
}

static void put_absolute(struct cw_buf *out, const char *option, const char *path)
{
	char real[PATH_MAX];

	cw_buf_printf(out, " %s ", option);
	put_quoted(out, realpath(path, real) ? real : path);
}

/* The hook that was there first gets the same input and may refuse first. */
static void put_chain(const struct install *in, struct cw_buf *out)
{
	bool reads = strcmp(in->type, "pre-commit") != 0;
	bool judges = strcmp(in->type, "post-receive") != 0;

	cw_buf_printf(out, "previous=${0%%/*}/%s.d/00-previous\n", in->type);
	if (reads)
		cw_buf_puts(out, "input=$(cat)\n"
				 "give() {\n\t[ -z \"$input\" ] || printf '%s\\n' \"$input\"\n}\n");
	cw_buf_printf(out, "if [ -x \"$previous\" ]; then\n\t%s\"$previous\" \"$@\"%s\nfi\n",
		      reads ? "give | " : "", judges ? " || exit" : "");
}

static void put_script(const struct install *in, const char *program, bool chained,
		       struct cw_buf *out)
{
	bool reads = strcmp(in->type, "pre-commit") != 0;

	cw_buf_printf(out,
		      "#!/bin/sh\n" STAMP "%s.\n# Install again to update it; delete it to be rid "
		      "of it.\n",
		      CW_VERSION);
	if (chained)
		put_chain(in, out);
	cw_buf_puts(out, "program=");
	put_quoted(out, program);
	cw_buf_printf(
		out,
		"\nif [ ! -x \"$program\" ] && ! program=$(command -v clausewatch); then\n"
		"\techo 'error: refused: the program clausewatch is not found, so nothing was "
		"checked' >&2\n\texit %d\nfi\n",
		strcmp(in->type, "post-receive") == 0 ? 0 : CW_EXIT_USAGE);
	cw_buf_printf(out, "%s \"$program\" hook %s", chained && reads ? "give |" : "exec",
		      in->type);
	if (in->opts->config)
		put_absolute(out, "--config", in->opts->config);
	for (size_t i = 0; i < in->opts->rules.count; i++)
		put_absolute(out, "--rules", in->opts->rules.items[i]);
	cw_buf_puts(out, " -- \"$@\"\n");
}

static int write_script(const struct install *in, const struct cw_buf *script, bool replace)
{
	struct cw_buf temp = { 0 };
	int fd, status = CW_EXIT_CLEAN;

	cw_buf_printf(&temp, "%s.new", cw_buf_str(&in->path));
	(void)unlink(cw_buf_str(&temp));
	fd = open(cw_buf_str(&temp), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
	bool ok = fd >= 0 && write(fd, script->data, script->len) == (ssize_t)script->len;
	ok = fd >= 0 && close(fd) == 0 && ok;
	/* A link, unlike a rename, leaves alone what somebody put there meanwhile. */
	if (ok)
		ok = (replace ? rename(cw_buf_str(&temp), cw_buf_str(&in->path))
			      : link(cw_buf_str(&temp), cw_buf_str(&in->path))) == 0;
	if (!ok)
		status = cli_usage("cannot write '%s': %s", cw_buf_str(&in->path), strerror(errno));
	if (fd >= 0)
		(void)unlink(cw_buf_str(&temp));
	cw_buf_release(&temp);
	return status;
}

static int keep_previous(const struct install *in)
{
	const char *path = cw_buf_str(&in->path), *previous = cw_buf_str(&in->previous);
	char real[PATH_MAX];
	struct stat st;
	struct cw_buf dir = { 0 };
	int rc;

	cw_buf_printf(&dir, "%s.d", path);
	rc = mkdir(cw_buf_str(&dir), 0777);
	cw_buf_release(&dir);
	if (rc < 0 && errno != EEXIST)
		return cli_usage("cannot make the directory of '%s': %s", previous,
				 strerror(errno));
	if (lstat(previous, &st) == 0)
		return cli_usage("'%s' is taken: another hook was kept there before", previous);
	rc = lstat(path, &st);
	/* A relative link would lead elsewhere from there. */
	if (rc == 0 && S_ISLNK(st.st_mode) && realpath(path, real))
		rc = symlink(real, previous) < 0 ? -1 : unlink(path);
	else if (rc == 0)
		rc = rename(path, previous);
	if (rc < 0)
		return cli_usage("cannot keep '%s' as '%s': %s", path, previous, strerror(errno));
	(void)printf("kept the hook that was there as %s; it runs first\n", previous);
	return -1;
}

bool hook_calls_us(const char *script, const char *type)
{
	const char *at = strstr(script, "clausewatch");

	for (at = at ? strstr(at, " hook ") : NULL; at; at = strstr(at + 1, " hook "))
		if (strncmp(at + strlen(" hook "), type, strlen(type)) == 0)
			return true;
	return false;
}

/* -1 to go on, writing; sets replace when the script there is one of ours. */
static int look_at(const struct install *in, const struct cw_buf *script, bool *out_replace)
{
	const char *path = cw_buf_str(&in->path);
	struct cw_buf there = { 0 };
	struct cw_error err = { 0 };
	struct stat st;
	int status = -1;

	if (lstat(path, &st) < 0)
		return -1;
	if (cw_file_read(path, SCRIPT_MAX, &there, NULL, &err) == CW_OK &&
	    strcmp(cw_buf_str(&there), cw_buf_str(script)) == 0 && (st.st_mode & S_IXUSR)) {
		(void)printf("%s is installed already\n", path);
		status = CW_EXIT_CLEAN;
	} else if (strstr(cw_buf_str(&there), STAMP)) {
		*out_replace = true;
	} else if (!in->opts->chain && hook_calls_us(cw_buf_str(&there), in->type)) {
		(void)printf("%s runs clausewatch already; left as it is\n", path);
		status = CW_EXIT_CLEAN;
	} else if (!in->opts->chain) {
		cli_warn("there is a hook already: '%s'", path);
		status = cli_usage("--chain keeps it as '%s' and runs it first",
				   cw_buf_str(&in->previous));
	} else {
		status = keep_previous(in);
	}
	cw_buf_release(&there);
	return status;
}

static int write_hook(struct install *in)
{
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	struct cw_buf script = { 0 };
	struct stat st;
	bool replace = false;
	int status;

	program[len > 0 ? len : 0] = '\0';
	bool foreign = lstat(cw_buf_str(&in->path), &st) == 0;
	bool chained = lstat(cw_buf_str(&in->previous), &st) == 0;
	put_script(in, program, chained, &script);
	status = look_at(in, &script, &replace);
	if (status < 0 && foreign && !replace && !chained) {
		cw_buf_clear(&script);
		put_script(in, program, true, &script);
	}
	if (status < 0 && script.failed)
		status = cli_usage("out of memory");
	if (status < 0) {
		status = write_script(in, &script, replace);
		if (status == CW_EXIT_CLEAN)
			(void)printf("%s %s\n", replace ? "updated" : "installed",
				     cw_buf_str(&in->path));
	}
	cw_buf_release(&script);
	return status;
}

/* Does git run the hooks of this directory? */
static int check_hooks_path(struct cw_git_repo *repo, const char *dir)
{
	struct cw_buf set = { 0 };
	struct cw_error err = { 0 };
	char a[PATH_MAX], b[PATH_MAX];
	int status = -1;

	if (cw_git_hooks_path(repo, &set, &err) < 0)
		status = cli_usage("%s", err.msg);
	else if (set.len > 0 && !(realpath(set.data, a) && realpath(dir, b) && strcmp(a, b) == 0)) {
		cli_warn("core.hooksPath is '%s': git runs hooks from there and not from '%s'",
			 set.data, dir);
		status = cli_usage("unset it (git config --unset core.hooksPath), or add to the "
				   "hook there: clausewatch hook %s \"$@\"",
				   cw_git_is_bare(repo) ? "pre-receive" : "pre-commit");
	}
	cw_buf_release(&set);
	return status;
}

static int install(struct install *in, struct cw_git_repo *repo)
{
	int status;

	if (!in->type)
		in->type = cw_git_is_bare(repo) ? "pre-receive" : "pre-commit";
	cw_buf_printf(&in->dir, "%shooks", cw_git_common_dir(repo));
	cw_buf_printf(&in->path, "%s/%s", cw_buf_str(&in->dir), in->type);
	cw_buf_printf(&in->previous, "%s.d/00-previous", cw_buf_str(&in->path));
	status = check_hooks_path(repo, cw_buf_str(&in->dir));
	if (status < 0 && mkdir(cw_buf_str(&in->dir), 0777) < 0 && errno != EEXIST)
		status = cli_usage("cannot make '%s': %s", cw_buf_str(&in->dir), strerror(errno));
	if (status < 0)
		status = write_hook(in);
	cw_buf_release(&in->dir);
	cw_buf_release(&in->path);
	cw_buf_release(&in->previous);
	return status;
}

int hook_install(const struct hook_options *opts, const char *repository)
{
	const struct cw_git_opts git_opts = { .user_config = true };
	struct install in = { .opts = opts, .type = opts->type };
	struct cw_git_repo *repo = NULL;
	struct cw_error err = { 0 };
	size_t i = 0;
	int status;

	while (opts->type && hook_types[i] && strcmp(hook_types[i], opts->type) != 0)
		i++;
	if (!hook_types[i])
		return cli_unknown("type of hook", opts->type, hook_types);
	if (cw_git_init(&git_opts, &err) < 0)
		return cli_usage("%s", err.msg);
	if (cw_git_open(repository, CW_GIT_SEARCH, &repo, &err) < 0)
		status = cli_usage("%s", err.msg);
	else
		status = install(&in, repo);
	cw_git_close(repo);
	cw_git_shutdown();
	return status;
}
