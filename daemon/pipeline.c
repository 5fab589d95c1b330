/*
 * The way of a change, start to end.
 *
 *   watcher ─► folder or git source (what moved) ─► batch of documents in a job (read, analyse,
 *   compare, commit with events and deliveries) ─► deliverer
 *
 * This file owns the sources and the jobs: it starts what can be started (pump), replaces settings
 * as a whole (reload), reads stored texts again when rules changed, and ends in order (close).
 * Rules of the road: a source's exclusive job runs alone in that source; a reread job runs while
 * no document job runs anywhere.  So nobody commits over what somebody else has just read.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline.h"

#define TICK_MS 100
#define STATS_MS 5000
#define TRIM_COMMITS 100
#define SIDE_JOBS 2

/* ---- jobs of a source ---- */

void cw_pipeline_alive(struct cw_pipeline *p)
{
	__atomic_add_fetch(&p->progress, 1, __ATOMIC_RELAXED);
}

static int work_run(struct cw_job *job, struct cw_error *err)
{
	struct cw_work *w = CW_OF(job, struct cw_work, job);

	return w->run(w, err);
}

static void free_source(struct cw_source *s)
{
	cw_folder_free(s->folder);
	cw_git_source_free(s->git);
	free(s->degraded);
	free(s->name);
	free(s);
}

static void work_done(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct cw_work *w = CW_OF(job, struct cw_work, job);
	struct cw_settings *settings = w->settings;
	struct cw_source *s = w->source;
	struct cw_pipeline *p = s->p;

	s->exclusive = s->exclusive && s->jobs > 1;
	cw_pipeline_alive(p);
	w->done(w, ret, err);
	s->jobs--;
	if (s->removed && s->jobs == 0)
		free_source(s);
	cw_settings_unref(settings);
	if (p->closing)
		cw_pipeline_advance_close(p);
	else
		cw_pipeline_pump(p);
}

void cw_work_start(struct cw_work *w, struct cw_source *s, struct cw_jobs *queue, bool exclusive)
{
	w->job.run = work_run;
	w->job.done = work_done;
	w->source = s;
	w->settings = cw_settings_ref(s->p->settings);
	w->cfg = s->cfg;
	w->store = s->p->store;
	w->alive = &s->p->progress;
	w->stop = &s->p->closing;
	s->exclusive = s->exclusive || exclusive;
	s->jobs++;
	/* Refused only after cw_jobs_stop(), and nothing is pumped then. */
	(void)cw_jobs_submit(queue, &w->job, NULL);
}

struct cw_source *cw_source_find(struct cw_pipeline *p, const char *name)
{
	for (struct cw_source *s = p->sources; s; s = s->next)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

void cw_pipeline_count(struct cw_source *s, const struct cw_batch *b)
{
	struct cw_pipeline *p = s->p;

	s->read += b->read;
	s->unchecked += b->unchecked;
	p->commits += b->committed;
	p->events += b->events;
	if (b->events == 0)
		return;
	cw_log(CW_LOG_INFO, "told", CW_LOG_STR("source", s->name), CW_LOG_NUM("events", b->events),
	       CW_LOG_NUM("documents", b->read));
	if (p->deliverer && !p->closing)
		cw_deliverer_kick(p->deliverer);
	if (p->calls.committed)
		p->calls.committed(p->calls.ctx);
}

void cw_pipeline_store_failed(struct cw_pipeline *p, const struct cw_error *err)
{
	p->store_failures++;
	cw_log(CW_LOG_ERR, "could not be stored; tried again", CW_LOG_STR("error", err->msg));
}

/* ---- deliveries ---- */

static void on_channel_gone(void *ctx, const char *channel, const struct cw_event *event)
{
	struct cw_error err = { 0 };

	cw_log(CW_LOG_ERR, "channel switched off: its receiver answered 410 Gone",
	       CW_LOG_STR("channel", channel));
	if (cw_pipeline_publish_gone(ctx, event, channel, &err) < 0)
		cw_log(CW_LOG_ERR, "event not kept", CW_LOG_STR("error", err.msg));
}

static void on_outbox_failed(void *ctx, const struct cw_error *err)
{
	cw_pipeline_store_failed(ctx, err);
}

static int open_deliveries(struct cw_pipeline *p, struct cw_error *err)
{
	const struct cw_store_outbox_calls calls = { .ctx = p,
						     .disabled = on_channel_gone,
						     .failed = on_outbox_failed };
	int ret = cw_store_outbox_open(p->loop, p->store, &calls, &p->outbox, err);

	if (ret == CW_OK)
		ret = cw_deliverer_open(p->loop, cw_store_outbox(p->outbox), NULL, &p->deliverer,
					err);
	if (ret == CW_OK)
		ret = cw_deliverer_set_channels(p->deliverer, p->settings->channels,
						p->settings->nchannels, err);
	return ret;
}

void cw_pipeline_kick_deliveries(struct cw_pipeline *p)
{
	if (!p->closing)
		cw_deliverer_kick(p->deliverer);
}

/* ---- sources ---- */

static int open_source(struct cw_pipeline *p, const struct cw_config_source *cfg,
		       struct cw_source **out, struct cw_error *err)
{
	struct cw_source *s = calloc(1, sizeof(*s));

	if (!s || !(s->name = strdup(cfg->name))) {
		free(s);
		return cw_fail(err, CW_ENOMEM, "out of memory");
	}
	s->p = p;
	s->cfg = cfg;
	int ret = cfg->folder ? cw_folder_open(s, err) : cw_git_source_open(s, err);
	if (ret < 0) {
		free_source(s);
		return ret;
	}
	*out = s;
	return CW_OK;
}

static void close_source(struct cw_source *s)
{
	if (s->folder)
		cw_folder_close(s);
	else
		cw_git_source_close(s);
	s->removed = true;
	if (s->jobs == 0)
		free_source(s);
}

bool cw_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const struct cw_strings *a, const struct cw_strings *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

static bool same_source(const struct cw_config_source *a, const struct cw_config_source *b)
{
	return cw_same_text(a->folder, b->folder) && cw_same_text(a->repository, b->repository) &&
	       a->poll_interval == b->poll_interval && a->poll == b->poll &&
	       a->trust_owner == b->trust_owner && same_list(&a->include, &b->include) &&
	       same_list(&a->exclude, &b->exclude) && same_list(&a->refs, &b->refs) &&
	       same_list(&a->paths, &b->paths);
}

static struct cw_source *take_source(struct cw_source **list, const struct cw_config_source *cfg)
{
	for (struct cw_source **at = list; *at; at = &(*at)->next) {
		struct cw_source *s = *at;

		if (strcmp(s->name, cfg->name) != 0 || !same_source(s->cfg, cfg))
			continue;
		*at = s->next;
		s->next = NULL;
		return s;
	}
	return NULL;
}

/* Sources of p->settings; those that stay the same go on as they are. */
int cw_pipeline_set_sources(struct cw_pipeline *p, struct cw_error *err)
{
	const struct cw_config *cfg = p->settings->config;
	struct cw_source *old = p->sources, *kept = NULL, **tail = &kept;
	int ret = CW_OK;

	for (size_t i = 0; i < cfg->nsources; i++) {
		struct cw_source *s = take_source(&old, &cfg->sources[i]);

		if (!s)
			continue;
		s->cfg = &cfg->sources[i];
		*tail = s;
		tail = &s->next;
	}
	/* First the others go: a root may come back under another name. */
	while (old) {
		struct cw_source *next = old->next;

		cw_log(CW_LOG_NOTICE, "not watched any more", CW_LOG_STR("source", old->name));
		close_source(old);
		old = next;
	}
	p->sources = NULL;
	tail = &p->sources;
	for (size_t i = 0; i < cfg->nsources; i++) {
		struct cw_source *s = take_source(&kept, &cfg->sources[i]);
		int one = s ? CW_OK : open_source(p, &cfg->sources[i], &s, err);

		ret = one < 0 ? one : ret;
		if (!s)
			continue;
		*tail = s;
		tail = &s->next;
	}
	return ret;
}

/* ---- pump ---- */

struct stats_job {
	struct cw_job job;
	struct cw_pipeline *p;
	struct cw_store_stats stats;
};

static int run_stats(struct cw_job *job, struct cw_error *err)
{
	struct stats_job *sj = CW_OF(job, struct stats_job, job);

	return cw_store_stats(sj->p->store, &sj->stats, err);
}

static void stats_done(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct stats_job *sj = CW_OF(job, struct stats_job, job);
	struct cw_pipeline *p = sj->p;

	(void)err;
	if (ret == CW_OK)
		p->stats = sj->stats;
	p->stats_running = false;
	free(sj);
	if (p->closing)
		cw_pipeline_advance_close(p);
}

static bool all_idle(const struct cw_pipeline *p)
{
	for (const struct cw_source *s = p->sources; s; s = s->next)
		if (s->jobs > 0 || !(s->folder ? cw_folder_idle(s) : cw_git_source_idle(s)))
			return false;
	return cw_jobs_idle(&p->docs);
}

static void start_stats(struct cw_pipeline *p, int64_t now_ms)
{
	struct stats_job *sj = calloc(1, sizeof(*sj));

	p->stats_ms = now_ms + STATS_MS;
	/* After a busy time, give back what many readers left behind. */
	if (p->commits - p->trimmed >= TRIM_COMMITS && all_idle(p)) {
		(void)malloc_trim(0);
		p->trimmed = p->commits;
	}
	if (!sj)
		return;
	sj->job.run = run_stats;
	sj->job.done = stats_done;
	sj->p = p;
	p->stats_running = true;
	(void)cw_jobs_submit(&p->side, &sj->job, NULL);
}

void cw_pipeline_pump(struct cw_pipeline *p)
{
	int64_t now = cw_now_ms();

	if (p->closing || p->rereading)
		return;
	/* Those behind get their turn too: each starts at most a few jobs. */
	for (struct cw_source *s = p->sources; s; s = s->next) {
		if (s->folder)
			cw_folder_pump(s, now);
		else
			cw_git_source_pump(s, now);
	}
	if (p->reread_wanted && now >= p->reread_ms && all_idle(p))
		cw_pipeline_start_reread(p);
}

static void on_tick(uv_timer_t *timer)
{
	struct cw_pipeline *p = timer->data;
	int64_t now = cw_now_ms();

	if (p->closing) {
		cw_pipeline_advance_close(p);
		return;
	}
	if (!p->stats_running && now >= p->stats_ms) {
		cw_pipeline_publish_again(p);
		start_stats(p, now);
	}
	cw_pipeline_pump(p);
}

/* ---- questions and requests ---- */

struct cw_settings *cw_pipeline_settings(const struct cw_pipeline *p)
{
	return p->settings;
}

struct cw_store *cw_pipeline_store(const struct cw_pipeline *p)
{
	return p->store;
}

struct cw_deliverer *cw_pipeline_deliverer(const struct cw_pipeline *p)
{
	return p->deliverer;
}

uint64_t cw_pipeline_progress(struct cw_pipeline *p)
{
	if (cw_jobs_idle(&p->docs) && cw_jobs_idle(&p->side))
		cw_pipeline_alive(p);
	return __atomic_load_n(&p->progress, __ATOMIC_RELAXED);
}

static void rescan(struct cw_source *s)
{
	if (s->git)
		cw_git_source_nudge(s);
	else
		(void)cw_watcher_rescan(s->p->folders, s->name, NULL);
}

int cw_pipeline_rescan(struct cw_pipeline *p, const char *source, struct cw_error *err)
{
	struct cw_source *s = source ? cw_source_find(p, source) : NULL;

	if (source && !s)
		return cw_fail(err, CW_ENOTFOUND, "no source is called '%s'", source);
	if (s)
		rescan(s);
	for (s = source ? NULL : p->sources; s; s = s->next)
		rescan(s);
	cw_pipeline_pump(p);
	return CW_OK;
}

/* "/srv/a.git", "/srv/a" and "/srv/a/.git" may be one repository. */
static bool same_repository(const char *cfg, const char *path)
{
	size_t n = strlen(cfg), m = strlen(path);

	while (m > 1 && path[m - 1] == '/')
		m--;
	if (n > 5 && strcmp(cfg + n - 5, "/.git") == 0)
		n -= 5;
	if (m > 5 && memcmp(path + m - 5, "/.git", 5) == 0)
		m -= 5;
	return n == m && memcmp(cfg, path, n) == 0;
}

int cw_pipeline_nudge_repository(struct cw_pipeline *p, const char *path, struct cw_error *err)
{
	bool found = false;

	for (struct cw_source *s = p->sources; s; s = s->next) {
		if (!s->git || !same_repository(s->cfg->repository, path))
			continue;
		cw_git_source_nudge(s);
		found = true;
	}
	if (!found)
		return cw_fail(err, CW_ENOTFOUND, "no source watches '%s'", path);
	cw_pipeline_pump(p);
	return CW_OK;
}

static size_t count_sources(const struct cw_pipeline *p, uint64_t *pending)
{
	size_t n = 0;

	for (const struct cw_source *s = p->sources; s; s = s->next, n++)
		*pending += s->pending;
	return n;
}

void cw_pipeline_status(const struct cw_pipeline *p, struct cw_pipeline_status *out)
{
	uint64_t pending = 0;
	size_t sources = count_sources(p, &pending);

	*out = (struct cw_pipeline_status){
		.started_ms = p->started_ms,
		.now_ms = cw_now_ms(),
		.rules_digest = p->settings->digest,
		.rules = cw_ruleset_nrules(p->settings->rules),
		.terms = cw_ruleset_nterms(p->settings->rules),
		.sources = sources,
		.queued = pending,
		.running = p->docs.running,
		.commits = p->commits,
		.events = p->events,
		.store_failures = p->store_failures,
		.pending_deliveries = p->stats.outbox[CW_DELIVERY_PENDING],
		.documents = p->stats.documents,
		.reanalysing = p->reread_wanted ? p->stats.documents : 0,
		.reload_ms = p->reload_ms,
		.reload_ok = p->reload_ok,
		.reload_message = p->reload_message ? p->reload_message : "",
	};
	if (p->reread_wanted && p->reread.documents < out->reanalysing)
		out->reanalysing -= p->reread.documents;
}

static void ask_watcher(const struct cw_source *s, struct cw_source_status *out)
{
	struct cw_watch_root_stats root;
	const struct cw_watcher *w = s->git ? s->p->refs : s->p->folders;

	for (size_t i = 0; w && cw_watcher_root_stats(w, i, &root) == CW_OK; i++) {
		if (strcmp(root.name, s->name) != 0)
			continue;
		out->backend = root.backend;
		out->scanning = out->scanning || (s->folder && root.scanning);
	}
}

int cw_pipeline_source_status(const struct cw_pipeline *p, size_t index,
			      struct cw_source_status *out)
{
	const struct cw_source *s = p->sources;

	for (; s && index > 0; index--)
		s = s->next;
	if (!s)
		return CW_ENOTFOUND;
	*out = (struct cw_source_status){
		.name = s->name,
		.git = s->git,
		.path = s->git ? s->cfg->repository : s->cfg->folder,
		.backend = s->git ? "poll" : "missing",
		.degraded = s->degraded,
		.message = s->degraded ? s->degraded : "",
		.scanning = s->scanning,
		.first_scan = s->first_scan,
		.pending = s->pending,
		.read = s->read,
		.unchecked = s->unchecked,
		.last_scan_ms = s->last_scan_ms,
	};
	ask_watcher(s, out);
	return CW_OK;
}

/* ---- life ---- */

static int open_watchers(struct cw_pipeline *p, struct cw_error *err)
{
	const struct cw_config *cfg = p->settings->config;
	struct cw_watch_opts opts;

	cw_watch_opts_init(&opts);
	opts.settle_ms = (unsigned)cfg->watch.settle;
	opts.settle_max_ms = (unsigned)cfg->watch.settle_max;
	opts.reconcile_s = (unsigned)(cfg->watch.reconcile / 1000);
	int ret = cw_watcher_open(p->loop, &opts, &cw_folder_events, p, &p->folders, err);
	if (ret < 0)
		return ret;
	/* References are renamed into place: there is nothing to wait for. */
	opts.settle_ms = 20;
	opts.settle_max_ms = 200;
	opts.lock_max_ms = 0;
	opts.walk_jobs = 1;
	return cw_watcher_open(p->loop, &opts, &cw_git_source_events, p, &p->refs, err);
}

/* Rules that changed while the daemon was down. */
static int check_rules(struct cw_pipeline *p, struct cw_error *err)
{
	struct cw_store_meta meta;
	int ret = cw_store_meta(p->store, &meta, err);

	if (ret == CW_OK && !meta.rules_digest[0])
		ret = cw_store_set_rules_digest(p->store, p->settings->digest, err);
	else if (ret == CW_OK)
		p->reread_wanted = strcmp(meta.rules_digest, p->settings->digest) != 0;
	return ret;
}

static void free_pipeline(struct cw_pipeline *p)
{
	while (p->sources) {
		struct cw_source *next = p->sources->next;

		free_source(p->sources);
		p->sources = next;
	}
	cw_pipeline_drop_unpublished(p);
	cw_pipeline_tell_waiters(p->waiters, false, "shutting down");
	cw_store_outbox_close(p->outbox);
	cw_settings_unref(p->settings);
	free(p->config_path);
	free(p->reload_message);
	free(p);
}

static void on_tick_closed(uv_handle_t *handle)
{
	struct cw_pipeline *p = handle->data;
	void (*closed)(void *) = p->closed;
	void *ctx = p->closed_ctx;

	free_pipeline(p);
	if (closed)
		closed(ctx);
}

static void on_deliverer_closed(void *ctx)
{
	struct cw_pipeline *p = ctx;

	p->deliverer = NULL;
	uv_close((uv_handle_t *)&p->tick, on_tick_closed);
}

void cw_pipeline_advance_close(struct cw_pipeline *p)
{
	if (p->ending || !cw_jobs_idle(&p->docs) || !cw_jobs_idle(&p->side))
		return;
	p->ending = true;
	if (p->deliverer)
		cw_deliverer_close(p->deliverer, p->grace_ms, on_deliverer_closed, p);
	else
		on_deliverer_closed(p);
}

void cw_pipeline_close(struct cw_pipeline *p, unsigned grace_ms, void (*closed)(void *ctx),
		       void *ctx)
{
	if (p->closing)
		return;
	__atomic_store_n(&p->closing, true, __ATOMIC_RELAXED);
	p->grace_ms = grace_ms;
	p->closed = closed;
	p->closed_ctx = ctx;
	cw_watcher_close(p->folders);
	cw_watcher_close(p->refs);
	p->folders = p->refs = NULL;
	cw_jobs_stop(&p->docs);
	cw_jobs_stop(&p->side);
	/* The timer's next turn goes on, so that nothing is called from inside this function. */
}

int cw_pipeline_open(uv_loop_t *loop, struct cw_settings *settings, const char *config_path,
		     struct cw_store *store, const struct cw_pipeline_calls *calls,
		     struct cw_pipeline **out, struct cw_error *err)
{
	struct cw_pipeline *p = calloc(1, sizeof(*p));

	if (!p || (config_path && !(p->config_path = strdup(config_path)))) {
		free(p);
		return cw_fail(err, CW_ENOMEM, "out of memory");
	}
	p->loop = loop;
	p->store = store;
	p->settings = cw_settings_ref(settings);
	p->calls = calls ? *calls : (struct cw_pipeline_calls){ 0 };
	p->started_ms = cw_now_ms();
	p->reload_ok = true;
	if (gethostname(p->host, sizeof(p->host) - 1) < 0)
		(void)snprintf(p->host, sizeof(p->host), "localhost");
	cw_jobs_init(&p->docs, loop, (unsigned)settings->config->watch.jobs);
	cw_jobs_init(&p->side, loop, SIDE_JOBS);
	(void)uv_timer_init(loop, &p->tick);
	p->tick.data = p;
	(void)uv_timer_start(&p->tick, on_tick, 0, TICK_MS);
	cw_settings_log_problems(settings);
	int ret = cw_settings_drop_gone(settings, store, err);
	if (ret == CW_OK)
		ret = check_rules(p, err);
	if (ret == CW_OK)
		ret = open_deliveries(p, err);
	if (ret == CW_OK)
		ret = open_watchers(p, err);
	if (ret == CW_OK)
		ret = cw_pipeline_set_sources(p, err);
	if (ret < 0) {
		cw_pipeline_close(p, 0, NULL, NULL);
		return ret;
	}
	*out = p;
	return CW_OK;
}
