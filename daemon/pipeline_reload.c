/* New settings, swapped as a whole between jobs; and stored texts read again with new rules. */
#include <stdlib.h>
#include <string.h>

#include "pipeline.h"

#define RETRY_MS 2000

/* ---- new rules over old texts ---- */

struct reread_job {
	struct cw_job job;
	struct cw_pipeline *p;
	struct cw_settings *settings;
	struct cw_batch batch;
	struct cw_reread_total total; /* until now */
	uint64_t left;
	bool finished;
};

static int run_reread(struct cw_job *job, struct cw_error *err)
{
	struct reread_job *rj = CW_OF(job, struct reread_job, job);
	struct cw_document_query q = { .limit = CW_BATCH_MAX / 2,
				       .other_rules = rj->settings->digest };
	static const struct cw_config_source nothing;
	struct cw_arena arena = { 0 };
	struct cw_document *docs = NULL;
	size_t n = 0;
	int ret = cw_store_documents(rj->p->store, &q, &arena, &docs, &n, err);

	rj->batch.store = rj->p->store;
	rj->batch.settings = rj->settings;
	rj->batch.source = &nothing;
	for (size_t i = 0; ret == CW_OK && i < n; i++)
		ret = cw_batch_reread(&rj->batch, &docs[i], err);
	if (ret == CW_OK)
		ret = cw_batch_commit(&rj->batch, err);
	cw_batch_release(&rj->batch);
	cw_arena_release(&arena);
	if (ret < 0)
		return ret;
	rj->total.documents += n;
	rj->total.appeared += rj->batch.appeared;
	rj->total.vanished += rj->batch.vanished;
	if (n < q.limit) {
		ret = cw_rules_summary(rj->p->store, rj->settings, &rj->total, err);
		rj->finished = ret == CW_OK;
	}
	return ret;
}

static void reread_done(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct reread_job *rj = CW_OF(job, struct reread_job, job);
	struct cw_pipeline *p = rj->p;

	p->rereading = false;
	cw_pipeline_alive(p);
	if (ret < 0 && ret != CW_ECANCELED) {
		p->reread_ms = cw_now_ms() + RETRY_MS;
		cw_pipeline_store_failed(p, err);
	}
	if (ret == CW_OK)
		p->reread = rj->total;
	if (rj->finished) {
		cw_log(CW_LOG_NOTICE, "documents read with the new rules",
		       CW_LOG_NUM("documents", p->reread.documents),
		       CW_LOG_NUM("appeared", p->reread.appeared),
		       CW_LOG_NUM("vanished", p->reread.vanished));
		p->reread = (struct cw_reread_total){ 0 };
		/* Settings that came in the meantime ask again. */
		p->reread_wanted = rj->settings != p->settings &&
				   strcmp(rj->settings->digest, p->settings->digest) != 0;
		if (!p->closing)
			cw_deliverer_kick(p->deliverer);
	}
	cw_settings_unref(rj->settings);
	free(rj);
	if (p->closing)
		cw_pipeline_advance_close(p);
	else
		cw_pipeline_pump(p);
}

void cw_pipeline_start_reread(struct cw_pipeline *p)
{
	struct reread_job *rj = calloc(1, sizeof(*rj));

	if (!rj)
		return;
	rj->job.run = run_reread;
	rj->job.done = reread_done;
	rj->p = p;
	rj->settings = cw_settings_ref(p->settings);
	rj->total = p->reread;
	p->rereading = true;
	(void)cw_jobs_submit(&p->side, &rj->job, NULL);
}

/* ---- reload ---- */

struct cw_reload_waiter {
	struct cw_reload_waiter *next;
	cw_pipeline_reload_cb *cb;
	void *ctx;
};

struct reload_job {
	struct cw_job job;
	struct cw_pipeline *p;
	struct cw_settings *settings;
	struct cw_reload_waiter *waiters;
};

static int run_reload(struct cw_job *job, struct cw_error *err)
{
	struct reload_job *rj = CW_OF(job, struct reload_job, job);
	int ret = cw_settings_load(rj->p->config_path, &rj->settings, err);

	return ret < 0 ? ret : cw_settings_drop_gone(rj->settings, rj->p->store, err);
}

static void warn_if_fixed(const struct cw_config *old, const struct cw_config *new)
{
	const struct {
		const char *name;
		bool differs;
	} fixed[] = {
		{ "state_dir", !cw_same_text(old->state_dir, new->state_dir) },
		{ "runtime_dir", !cw_same_text(old->runtime_dir, new->runtime_dir) },
		{ "socket", !cw_same_text(old->socket, new->socket) },
		{ "watch.settle", old->watch.settle != new->watch.settle ||
					  old->watch.settle_max != new->watch.settle_max },
		{ "watch.reconcile", old->watch.reconcile != new->watch.reconcile },
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (fixed[i].differs)
			cw_log(CW_LOG_WARNING, "takes effect at the next start",
			       CW_LOG_STR("option", fixed[i].name));
}

void cw_settings_log_problems(const struct cw_settings *settings)
{
	for (size_t i = 0; i < settings->nproblems; i++)
		cw_log(CW_LOG_ERR, settings->problems[i]);
}

static int swap_settings(struct cw_pipeline *p, struct cw_settings *fresh, struct cw_error *err)
{
	struct cw_settings *old = p->settings;
	int ret = cw_deliverer_set_channels(p->deliverer, fresh->channels, fresh->nchannels, err);

	if (ret < 0)
		return ret;
	warn_if_fixed(old->config, fresh->config);
	cw_settings_log_problems(fresh);
	p->settings = cw_settings_ref(fresh);
	p->docs.limit = (unsigned)fresh->config->watch.jobs;
	p->reread_wanted = p->reread_wanted || strcmp(old->digest, fresh->digest) != 0;
	ret = cw_pipeline_set_sources(p, err);
	/* Sources that stay and jobs that run have their own hold on what they use. */
	cw_settings_unref(old);
	return ret;
}

static void note_reload(struct cw_pipeline *p, bool ok, const char *message)
{
	free(p->reload_message);
	p->reload_message = strdup(message);
	p->reload_ok = ok;
	p->reload_ms = cw_now_ms();
	if (ok)
		cw_log(CW_LOG_NOTICE, "settings loaded", CW_LOG_STR("rules", p->settings->digest),
		       CW_LOG_NUM("sources", p->settings->config->nsources),
		       CW_LOG_NUM("channels", p->settings->nchannels));
	else
		cw_log(CW_LOG_ERR, "settings not loaded, the old ones hold",
		       CW_LOG_STR("error", message));
	if (p->calls.reloaded)
		p->calls.reloaded(p->calls.ctx, ok, message);
}

void cw_pipeline_tell_waiters(struct cw_reload_waiter *list, bool ok, const char *message)
{
	while (list) {
		struct cw_reload_waiter *next = list->next;

		if (list->cb)
			list->cb(list->ctx, ok, message);
		free(list);
		list = next;
	}
}

static void start_reload(struct cw_pipeline *p);

static void reload_done(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct reload_job *rj = CW_OF(job, struct reload_job, job);
	struct cw_pipeline *p = rj->p;
	struct cw_error why = *err;

	cw_pipeline_alive(p);
	p->reload_running = false;
	if (ret == CW_OK && !p->closing)
		ret = swap_settings(p, rj->settings, &why);
	if (!p->closing)
		note_reload(p, ret == CW_OK, ret == CW_OK ? "" : why.msg);
	cw_pipeline_tell_waiters(rj->waiters, ret == CW_OK, ret == CW_OK ? "" : why.msg);
	cw_settings_unref(rj->settings);
	free(rj);
	if (p->closing) {
		cw_pipeline_advance_close(p);
		return;
	}
	if (p->waiters)
		start_reload(p);
	cw_pipeline_pump(p);
}

static void start_reload(struct cw_pipeline *p)
{
	struct reload_job *rj = calloc(1, sizeof(*rj));

	if (!rj)
		return;
	rj->job.run = run_reload;
	rj->job.done = reload_done;
	rj->p = p;
	rj->waiters = p->waiters;
	p->waiters = NULL;
	p->reload_running = true;
	(void)cw_jobs_submit(&p->side, &rj->job, NULL);
}

int cw_pipeline_reload(struct cw_pipeline *p, cw_pipeline_reload_cb *cb, void *ctx,
		       struct cw_error *err)
{
	struct cw_reload_waiter *w;

	if (p->closing)
		return cw_fail(err, CW_ECANCELED, "shutting down");
	w = calloc(1, sizeof(*w));
	if (!w)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	w->cb = cb;
	w->ctx = ctx;
	w->next = p->waiters;
	p->waiters = w;
	if (!p->reload_running)
		start_reload(p);
	return CW_OK;
}
