/*
 * Cost of watching a tree: time to list it, memory, and from a save to its report.
 *
 *   bench_watch [DIRECTORIES [FILES_EACH]]
 */
#include <fcntl.h>
#include <ftw.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/watch.h"

#define SAVES 200

static bool listed, changed;

static bool on_file(void *ctx, const struct cw_watch_file *file)
{
	(void)file;
	++*(size_t *)ctx;
	return false;
}

static void on_end(void *ctx, const char *root, const char *prefix, bool complete)
{
	(void)ctx;
	(void)root;
	(void)prefix;
	listed = complete;
}

static void on_changed(void *ctx, const struct cw_watch_file *file)
{
	(void)ctx;
	(void)file;
	changed = true;
}

static double ms(uint64_t since)
{
	return (double)(uv_hrtime() - since) / 1e6;
}

static bool save(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	return fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0;
}

static bool make_tree(const char *base, unsigned dirs, unsigned files)
{
	char path[256];

	for (unsigned d = 0; d < dirs; d++) {
		snprintf(path, sizeof(path), "%s/dir%u", base, d);
		if (mkdir(path, 0755) < 0)
			return false;
		for (unsigned f = 0; f < files; f++) {
			snprintf(path, sizeof(path), "%s/dir%u/agreement-%u.md", base, d, f);
			if (!save(path))
				return false;
		}
	}
	return true;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool measure_saves(uv_loop_t *loop, const char *base, unsigned dirs, unsigned settle_ms)
{
	static double took[SAVES];
	char path[256];

	for (unsigned i = 0; i < SAVES; i++) {
		uint64_t from = uv_hrtime();

		snprintf(path, sizeof(path), "%s/dir%u/agreement-0.md", base, i % dirs);
		changed = false;
		if (!save(path))
			return false;
		while (!changed)
			uv_run(loop, UV_RUN_ONCE);
		took[i] = ms(from) - settle_ms;
	}
	qsort(took, SAVES, sizeof(took[0]), by_value);
	printf("save to report, beyond the settle time of %u ms: median %.2f ms, p99 %.2f ms\n",
	       settle_ms, took[SAVES / 2], took[SAVES * 99 / 100]);
	return true;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int main(int argc, char **argv)
{
	unsigned dirs = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	unsigned files = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
	char base[] = "/tmp/cw-bench-XXXXXX";
	const struct cw_watch_events events = { .scan_file = on_file,
						.scan_end = on_end,
						.changed = on_changed };
	struct cw_watch_opts opts;
	struct cw_watcher *w;
	struct cw_error err;
	size_t count = 0;
	uv_loop_t loop;

	cw_watch_opts_init(&opts);
	opts.settle_ms = 50;
	if (dirs == 0 || !mkdtemp(base) || !make_tree(base, dirs, files) || uv_loop_init(&loop))
		return 1;
	size_t before = mallinfo2().uordblks;
	uint64_t from = uv_hrtime();

	if (cw_watcher_open(&loop, &opts, &events, &count, &w, &err) < 0 ||
	    cw_watcher_add_root(w, "bench", base, NULL, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	while (!listed)
		uv_run(&loop, UV_RUN_ONCE);
	printf("%zu files in %u directories listed and watched: %.1f ms, %zu KiB of heap\n", count,
	       dirs, ms(from), (mallinfo2().uordblks - before) / 1024);
	bool ok = measure_saves(&loop, base, dirs, opts.settle_ms);

	cw_watcher_close(w);
	uv_run(&loop, UV_RUN_DEFAULT);
	nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return ok && uv_loop_close(&loop) == 0 ? 0 : 1;
}
