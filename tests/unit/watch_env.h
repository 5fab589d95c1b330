/** @file
 * A watcher on a temporary directory, and what it reported, as lines of text:
 * "changed x", "edited x", "gone x", "gone-dir d", "begin reason prefix", "file x",
 * "end complete|cut prefix", "degraded ...", "restored ...".
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/buf.h"
#include "clausewatch/watch.h"

#define DEADLINE_MS 20000
#define UNUSED __attribute__((unused))

struct env {
	uv_loop_t loop;
	uv_timer_t guard;
	bool late;
	struct cw_watch_opts opts;
	struct cw_watcher *w;
	char *base, *root; /* root is base/root */
	char **lines;
	size_t count, from; /* from: lines before it were looked at already */
	bool known; /* what scan_file answers: the owner knows the file */
	unsigned not_ready; /* times scan_ready answers no */
	const char *close_on, *remove_on; /* start of the line at which to do that */
};

static void on_guard(uv_timer_t *timer)
{
	((struct env *)timer->data)->late = true;
}

__attribute__((format(printf, 2, 3))) static void note(struct env *e, const char *fmt, ...)
{
	struct cw_buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	cw_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	char *line = cw_buf_take(&text);

	assert_non_null(line);
	e->lines = realloc(e->lines, (e->count + 1) * sizeof(*e->lines));
	assert_non_null(e->lines);
	e->lines[e->count++] = line;
	if (e->remove_on && strncmp(line, e->remove_on, strlen(e->remove_on)) == 0) {
		e->remove_on = NULL;
		assert_int_equal(cw_watcher_remove_root(e->w, "r", NULL), CW_OK);
	}
	if (e->close_on && strncmp(line, e->close_on, strlen(e->close_on)) == 0) {
		cw_watcher_close(e->w);
		e->w = NULL;
		e->close_on = NULL;
	}
}

static void on_changed(void *ctx, const struct cw_watch_file *f)
{
	note(ctx, "%s %s", f->being_edited ? "edited" : "changed", f->path);
}

static void on_gone(void *ctx, const char *root, const char *path, bool is_dir)
{
	(void)root;
	note(ctx, "%s %s", is_dir ? "gone-dir" : "gone", path);
}

static void on_begin(void *ctx, const char *root, const char *prefix, enum cw_watch_reason reason)
{
	(void)root;
	note(ctx, "begin %s %s", cw_watch_reason_name(reason), prefix);
}

static bool on_file(void *ctx, const struct cw_watch_file *f)
{
	note(ctx, "file %s", f->path);
	return !((struct env *)ctx)->known;
}

static void on_end(void *ctx, const char *root, const char *prefix, bool complete)
{
	(void)root;
	note(ctx, "end %s %s", complete ? "complete" : "cut", prefix);
}

static bool on_ready(void *ctx)
{
	struct env *e = ctx;

	if (e->not_ready == 0)
		return true;
	e->not_ready--;
	return false;
}

static void on_degraded(void *ctx, const char *root, const char *message)
{
	(void)root;
	note(ctx, "degraded %s", message);
}

static void on_restored(void *ctx, const char *root, const char *message)
{
	(void)root;
	note(ctx, "restored %s", message);
}

static const struct cw_watch_events env_events = {
	.changed = on_changed,
	.gone = on_gone,
	.scan_begin = on_begin,
	.scan_file = on_file,
	.scan_end = on_end,
	.scan_ready = on_ready,
	.degraded = on_degraded,
	.restored = on_restored,
};

/* Does a line start with it (or equal it, if it does not end in '*')? */
static bool line_is(const char *line, const char *want)
{
	size_t len = strlen(want);

	if (len > 0 && want[len - 1] == '*')
		return strncmp(line, want, len - 1) == 0;
	return strcmp(line, want) == 0;
}

static size_t count_lines(const struct env *e, const char *want)
{
	size_t n = 0;

	for (size_t i = e->from; i < e->count; i++)
		n += line_is(e->lines[i], want);
	return n;
}

static void dump(const struct env *e)
{
	for (size_t i = e->from; i < e->count; i++)
		fprintf(stderr, "  %s\n", e->lines[i]);
}

static void start_guard(struct env *e)
{
	e->late = false;
	uv_update_time(&e->loop);
	uv_timer_start(&e->guard, on_guard, DEADLINE_MS, 0);
}

/* Run the loop until that many such lines are there. */
static void await_count(struct env *e, const char *want, size_t n)
{
	start_guard(e);
	while (!e->late && count_lines(e, want) < n)
		uv_run(&e->loop, UV_RUN_ONCE);
	if (e->late) {
		fprintf(stderr, "never came: %s (%zu times); got:\n", want, n);
		dump(e);
		fail();
	}
	uv_timer_stop(&e->guard);
}

static void await(struct env *e, const char *want)
{
	await_count(e, want, 1);
}

UNUSED static void expect_count(struct env *e, const char *want, size_t n)
{
	if (count_lines(e, want) == n)
		return;
	fprintf(stderr, "%s: %zu times, not %zu, in:\n", want, count_lines(e, want), n);
	dump(e);
	fail();
}

/* What was reported so far is no longer looked at. */
UNUSED static void forget_lines(struct env *e)
{
	e->from = e->count;
}

static const char *at(const struct env *e, const char *name)
{
	static char paths[4][8192];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s%s%s", e->root, name[0] ? "/" : "", name);
	return path;
}

static void put(const struct env *e, const char *name, const char *text)
{
	int fd = open(at(e, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

UNUSED static void make_dir(const struct env *e, const char *name)
{
	assert_int_equal(mkdir(at(e, name), 0755), 0);
}

UNUSED static void move(const struct env *e, const char *from, const char *to)
{
	assert_int_equal(rename(at(e, from), at(e, to)), 0);
}

/* Rename the root itself away, or back. */
UNUSED static void move_root(const struct env *e, bool away)
{
	char there[4096];

	snprintf(there, sizeof(there), "%s/away", e->base);
	assert_int_equal(away ? rename(e->root, there) : rename(there, e->root), 0);
}

UNUSED static void drop(const struct env *e, const char *name)
{
	assert_int_equal(unlink(at(e, name)), 0);
}

/* Everything that happened before this is reported after it. */
UNUSED static void settle(struct env *e)
{
	static unsigned turn;
	char name[32], line[48];

	snprintf(name, sizeof(name), "settled-%u", turn++);
	snprintf(line, sizeof(line), "changed %s", name);
	put(e, name, "x");
	await(e, line);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void env_init(struct env *e)
{
	char base[] = "/tmp/cw-watch-XXXXXX";

	*e = (struct env){ 0 };
	assert_int_equal(uv_loop_init(&e->loop), 0);
	assert_int_equal(uv_timer_init(&e->loop, &e->guard), 0);
	e->guard.data = e;
	assert_non_null(mkdtemp(base));
	e->base = strdup(base);
	assert_true(asprintf(&e->root, "%s/root", base) > 0);
	assert_int_equal(mkdir(e->root, 0755), 0);
	cw_watch_opts_init(&e->opts);
	e->opts.settle_ms = 40;
	e->opts.settle_max_ms = 400;
	e->opts.retry_ms = 20;
	e->opts.reconcile_s = 0;
}

static void env_open(struct env *e, const struct cw_watch_root_opts *opts)
{
	struct cw_error err = { 0 };

	if (cw_watcher_open(&e->loop, &e->opts, &env_events, e, &e->w, &err) < 0 ||
	    cw_watcher_add_root(e->w, "r", e->root, opts, &err) < 0)
		fail_msg("%s", err.msg);
}

/* And wait until the first scan is through. */
UNUSED static void env_start(struct env *e, const struct cw_watch_root_opts *opts)
{
	env_open(e, opts);
	await(e, "end complete ");
}

/* The loop must come to an end: nothing that was opened stays open. */
static void env_end(struct env *e)
{
	cw_watcher_close(e->w);
	uv_close((uv_handle_t *)&e->guard, NULL);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&e->loop), 0);
	remove_tree(e->base);
	for (size_t i = 0; i < e->count; i++)
		free(e->lines[i]);
	free(e->lines);
	free(e->base);
	free(e->root);
}
