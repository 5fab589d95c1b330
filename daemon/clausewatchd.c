/* The daemon: wires the rooms together, in order, and takes them apart in the reverse order. */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/git.h"
#include "clausewatch/log.h"
#include "clausewatch/mount.h"
#include "clausewatch/notify.h"
#include "clausewatch/pipeline.h"
#include "clausewatch/serve.h"

#define EXIT_OK 0
#define EXIT_FAILED 1
#define EXIT_WRONG 2
#define GRACE_MS 3000
#define STATUS_MS 2000
/* Beside the jobs that read documents: listings, git and housekeeping, outbox, names. */
#define MORE_THREADS 8

struct options {
	const char *config, *state_dir, *log_level;
	bool check;
};

struct daemon {
	uv_loop_t loop;
	uv_signal_t signals[3];
	uv_timer_t status, watchdog;
	struct cw_store *store;
	struct cw_pipeline *pipeline;
	struct cw_server *server;
	uint64_t progress;
	int stalls;
	bool stopping;
};

static const char usage[] =
	"usage: clausewatchd [OPTION]...\n"
	"Watch folders and repositories of agreements, and tell when a risk appears or a\n"
	"protection is lost.\n\n"
	"  --config FILE      settings (" CW_CONFIG_PATH ")\n"
	"  --check            check settings, rules and secrets, then end: 0 good, 2 not\n"
	"  --state-dir DIR    instead of state_dir of the settings\n"
	"  --log-level LEVEL  error, warning, notice, info, debug: instead of log.level\n"
	"  --foreground       stay in the foreground; always so\n"
	"  --version          print the version\n"
	"  --help             print this\n\n"
	"SIGHUP loads settings and rules again; SIGTERM ends.\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, 'k' },
	{ "state-dir", required_argument, NULL, 's' },
	{ "log-level", required_argument, NULL, 'l' },
	{ "foreground", no_argument, NULL, 'f' },
	{ "version", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const struct {
	const char *name;
	enum cw_log_level level;
} levels[] = {
	{ "error", CW_LOG_ERR }, { "warning", CW_LOG_WARNING }, { "notice", CW_LOG_NOTICE },
	{ "info", CW_LOG_INFO }, { "debug", CW_LOG_DEBUG },
};

static int parse_level(const char *name)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (strcmp(levels[i].name, name) == 0)
			return (int)levels[i].level;
	return -1;
}

/** -1: go on; else the status to end with. */
static int parse_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 's':
			o->state_dir = optarg;
			break;
		case 'l':
			o->log_level = optarg;
			break;
		case 'f':
			break;
		case 'v':
			(void)puts("clausewatchd " CW_VERSION);
			return EXIT_OK;
		case 'h':
			(void)fputs(usage, stdout);
			return EXIT_OK;
		default:
			(void)fputs("see clausewatchd --help\n", stderr);
			return EXIT_WRONG;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "clausewatchd: unexpected '%s'\n", argv[optind]);
		return EXIT_WRONG;
	}
	if (o->log_level && parse_level(o->log_level) < 0) {
		(void)fprintf(stderr, "clausewatchd: no log level '%s'\n", o->log_level);
		return EXIT_WRONG;
	}
	return -1;
}

static int fail(const char *what, const struct cw_error *err)
{
	cw_log(CW_LOG_ERR, what, CW_LOG_STR("error", err->msg));
	return err->code == CW_EINVAL ? EXIT_WRONG : EXIT_FAILED;
}

static int check(const struct cw_settings *s)
{
	for (size_t i = 0; i < s->nproblems; i++)
		(void)fprintf(stderr, "clausewatchd: %s\n", s->problems[i]);
	if (s->nproblems > 0)
		return EXIT_WRONG;
	(void)printf("settings and rules are good: %zu sources, %zu channels, %zu rules, "
		     "%zu examples\n",
		     s->config->nsources, s->nchannels, cw_ruleset_nrules(s->rules), s->examples);
	return EXIT_OK;
}

/* ---- the state directory ---- */

static void warn_network(const char *dir)
{
	const char *kind = cw_network_mount(dir);

	if (kind)
		cw_log(CW_LOG_WARNING,
		       "the state directory is on a network file system; "
		       "its locks and maps are not to be trusted there",
		       CW_LOG_STR("dir", dir), CW_LOG_STR("type", kind));
}

static int open_store(struct daemon *d, const char *dir, struct cw_error *err)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return cw_fail(err, CW_EIO, "cannot make '%s': %s", dir, strerror(errno));
	warn_network(dir);
	return cw_store_open(dir, NULL, &d->store, err);
}

/* ---- while it runs ---- */

static void on_closed(void *ctx)
{
	struct daemon *d = ctx;

	d->pipeline = NULL;
	for (size_t i = 0; i < sizeof(d->signals) / sizeof(*d->signals); i++)
		uv_close((uv_handle_t *)&d->signals[i], NULL);
	uv_close((uv_handle_t *)&d->status, NULL);
	uv_close((uv_handle_t *)&d->watchdog, NULL);
}

static void on_server_closed(void *ctx)
{
	struct daemon *d = ctx;

	d->server = NULL;
	cw_pipeline_close(d->pipeline, GRACE_MS, on_closed, d);
}

static void stop(struct daemon *d)
{
	if (d->stopping)
		return;
	d->stopping = true;
	cw_log(CW_LOG_NOTICE, "stopping");
	(void)cw_notify_stopping(NULL);
	if (d->server)
		cw_server_close(d->server, on_server_closed, d);
	else
		on_server_closed(d);
}

static void on_committed(void *ctx)
{
	struct daemon *d = ctx;

	if (d->server && !d->stopping)
		cw_server_committed(d->server);
}

static void on_reloaded(void *ctx, bool ok, const char *message)
{
	(void)ctx;
	(void)ok;
	(void)message;
	(void)cw_notify_ready(NULL);
}

static void reload(struct daemon *d)
{
	struct cw_error err = { 0 };

	if (d->stopping)
		return;
	(void)cw_notify_reloading(NULL);
	if (cw_pipeline_reload(d->pipeline, NULL, NULL, &err) < 0)
		(void)fail("cannot reload", &err);
}

static void on_signal(uv_signal_t *handle, int number)
{
	if (number == SIGHUP)
		reload(handle->data);
	else
		stop(handle->data);
}

static void on_status(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	struct cw_pipeline_status st;

	if (d->stopping)
		return;
	cw_pipeline_status(d->pipeline, &st);
	(void)cw_notify_status(NULL,
			       "watching %zu sources, %ju documents, %ju to read, "
			       "%ju deliveries pending",
			       st.sources, (uintmax_t)st.documents, (uintmax_t)st.queued,
			       (uintmax_t)st.pending_deliveries);
}

/* A loop that turns while no job ever ends is not alive. */
static void on_watchdog(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	if (!d->pipeline || d->stopping) {
		(void)cw_notify_watchdog(NULL);
		return;
	}
	uint64_t now = cw_pipeline_progress(d->pipeline);
	if (now != d->progress)
		(void)cw_notify_watchdog(NULL);
	else
		cw_log(CW_LOG_WARNING, "no job has ended since the last look");
	d->progress = now;
}

static void start_handles(struct daemon *d)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	uint64_t pause = (uint64_t)cw_notify_watchdog_ms();

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		(void)uv_signal_init(&d->loop, &d->signals[i]);
		d->signals[i].data = d;
		(void)uv_signal_start(&d->signals[i], on_signal, numbers[i]);
	}
	(void)uv_timer_init(&d->loop, &d->status);
	(void)uv_timer_init(&d->loop, &d->watchdog);
	d->status.data = d->watchdog.data = d;
	(void)uv_timer_start(&d->status, on_status, STATUS_MS, STATUS_MS);
	if (pause > 0)
		(void)uv_timer_start(&d->watchdog, on_watchdog, pause, pause);
}

/* ---- from start to end ---- */

static int listen_for_questions(struct daemon *d, const struct cw_config *cfg, struct cw_error *err)
{
	if (mkdir(cfg->runtime_dir, 0750) < 0 && errno != EEXIST)
		return cw_fail(err, CW_EIO, "cannot make '%s': %s", cfg->runtime_dir,
			       strerror(errno));
	return cw_server_open(&d->loop, cfg->socket, d->pipeline, &d->server, err);
}

static void size_pool(const struct cw_config *cfg)
{
	char threads[24];

	(void)snprintf(threads, sizeof(threads), "%lld", (long long)cfg->watch.jobs + MORE_THREADS);
	(void)setenv("UV_THREADPOOL_SIZE", threads, 1);
}

/* Analyses come and go in large pieces on many threads: hand them back to the system. */
static void tame_malloc(void)
{
	(void)mallopt(M_ARENA_MAX, 2);
	(void)mallopt(M_MMAP_THRESHOLD, 512 << 10);
	(void)mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

static int run(struct daemon *d, const struct options *o, struct cw_settings *settings)
{
	const char *dir = o->state_dir ? o->state_dir : settings->config->state_dir;
	const struct cw_pipeline_calls calls = { .ctx = d,
						 .committed = on_committed,
						 .reloaded = on_reloaded };
	struct cw_error err = { 0 };
	int status = EXIT_OK;

	size_pool(settings->config);
	if (open_store(d, dir, &err) < 0)
		return fail("cannot open the store", &err);
	if (cw_git_init(NULL, &err) < 0) {
		cw_store_close(d->store);
		return fail("cannot start libgit2", &err);
	}
	(void)uv_loop_init(&d->loop);
	if (cw_pipeline_open(&d->loop, settings, o->config, d->store, &calls, &d->pipeline, &err) <
	    0) {
		status = fail("cannot start watching", &err);
	} else {
		start_handles(d);
		/* Watching is what matters: without answers it goes on. */
		if (listen_for_questions(d, settings->config, &err) < 0)
			(void)fail("nobody can ask this daemon", &err);
		cw_log(CW_LOG_NOTICE, "started", CW_LOG_STR("version", CW_VERSION),
		       CW_LOG_STR("state", dir), CW_LOG_STR("rules", settings->digest),
		       CW_LOG_NUM("sources", settings->config->nsources),
		       CW_LOG_NUM("channels", settings->nchannels));
		(void)cw_notify_ready(NULL);
	}
	(void)uv_run(&d->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&d->loop) != 0) {
		cw_log(CW_LOG_ERR, "handles were left open");
		status = EXIT_FAILED;
	}
	cw_git_shutdown();
	cw_store_close(d->store);
	cw_log(CW_LOG_NOTICE, "stopped");
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct cw_settings *settings = NULL;
	struct cw_error err = { 0 };
	static struct daemon d;
	int status = parse_options(argc, argv, &o);

	if (status >= 0)
		return status;
	(void)umask(077);
	tame_malloc();
	(void)signal(SIGPIPE, SIG_IGN);
	if (cw_settings_load(o.config, &settings, &err) < 0) {
		if (!o.check)
			return fail("cannot load the settings", &err);
		(void)fprintf(stderr, "clausewatchd: %s\n", err.msg);
		return EXIT_WRONG;
	}
	cw_log_setup(o.log_level ? (enum cw_log_level)parse_level(o.log_level)
				 : (enum cw_log_level)settings->config->log.level,
		     (enum cw_log_format)settings->config->log.format);
	status = o.check ? check(settings) : run(&d, &o, settings);
	cw_settings_unref(settings);
	return status;
}
