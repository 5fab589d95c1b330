/* Events of no document: kept in memory only until the store has them. */
#include <stdlib.h>
#include <string.h>

#include "pipeline.h"

struct publish_job {
	struct cw_job job;
	struct cw_pipeline *p;
	struct cw_settings *settings;
	struct cw_arena arena;
	struct cw_event *event;
	char *disable; /* channel that is gone */
};

static void free_publish(struct publish_job *pj)
{
	cw_settings_unref(pj->settings);
	cw_arena_release(&pj->arena);
	free(pj->disable);
	free(pj);
}

static int run_publish(struct cw_job *job, struct cw_error *err)
{
	struct publish_job *pj = CW_OF(job, struct publish_job, job);
	struct cw_commit_event ce;
	struct cw_stored_event *told = NULL;
	int ret = CW_OK;

	if (pj->disable)
		ret = cw_store_disable_channel(pj->p->store, pj->disable, cw_now_ms(), NULL, err);
	if (ret == CW_OK && pj->disable)
		ret = cw_settings_gone_channel(pj->settings, pj->p->store, pj->disable, err);
	if (ret == CW_OK &&
	    cw_store_event(pj->p->store, pj->event->id, &pj->arena, &told, NULL) == CW_OK)
		return CW_OK;
	if (ret == CW_OK)
		ret = cw_event_route(pj->settings, pj->event, &pj->arena, &ce, err);
	return ret < 0 ? ret : cw_store_add_events(pj->p->store, &ce, 1, err);
}

static void publish_done(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct publish_job *pj = CW_OF(job, struct publish_job, job);
	struct cw_pipeline *p = pj->p;

	cw_pipeline_alive(p);
	if (ret < 0 && ret != CW_ECANCELED)
		cw_pipeline_store_failed(p, err);
	/* A full disk may have room again; the loop's timer paces this. */
	if (ret < 0 && ret != CW_ECANCELED && !p->closing) {
		pj->job.next = p->unpublished;
		p->unpublished = &pj->job;
		return;
	}
	if (ret == CW_OK && !p->closing) {
		p->events++;
		cw_deliverer_kick(p->deliverer);
		if (p->calls.committed)
			p->calls.committed(p->calls.ctx);
		if (pj->disable)
			(void)cw_pipeline_reload(p, NULL, NULL, NULL);
	}
	free_publish(pj);
	if (p->closing)
		cw_pipeline_advance_close(p);
}

void cw_pipeline_publish_again(struct cw_pipeline *p)
{
	struct cw_job *list = p->unpublished;

	p->unpublished = NULL;
	while (list) {
		struct cw_job *next = list->next;

		(void)cw_jobs_submit(&p->side, list, NULL);
		list = next;
	}
}

void cw_pipeline_drop_unpublished(struct cw_pipeline *p)
{
	while (p->unpublished) {
		struct publish_job *pj = CW_OF(p->unpublished, struct publish_job, job);

		p->unpublished = p->unpublished->next;
		free_publish(pj);
	}
}

static int publish(struct cw_pipeline *p, const struct cw_event *event, const char *disable,
		   struct cw_error *err)
{
	struct publish_job *pj = calloc(1, sizeof(*pj));

	if (!pj)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	pj->job.run = run_publish;
	pj->job.done = publish_done;
	pj->p = p;
	pj->event = cw_event_copy(&pj->arena, event);
	pj->disable = disable ? strdup(disable) : NULL;
	int ret = !pj->event || (disable && !pj->disable) ? cw_fail(err, CW_ENOMEM, "out of memory")
							  : CW_OK;
	if (ret == CW_OK && !pj->event->id[0])
		ret = cw_event_stamp(pj->event, err);
	if (ret == CW_OK && !pj->event->host)
		pj->event->host = p->host;
	pj->settings = cw_settings_ref(p->settings);
	if (ret == CW_OK)
		ret = cw_jobs_submit(&p->side, &pj->job, err);
	if (ret < 0)
		free_publish(pj);
	return ret;
}

int cw_pipeline_publish(struct cw_pipeline *p, const struct cw_event *event, struct cw_error *err)
{
	return publish(p, event, NULL, err);
}

int cw_pipeline_publish_gone(struct cw_pipeline *p, const struct cw_event *event,
			     const char *channel, struct cw_error *err)
{
	return publish(p, event, channel, err);
}

static void publish_state(struct cw_source *s, const char *type, const char *word,
			  const char *message)
{
	struct cw_error err = { 0 };
	struct cw_arena arena = { 0 };
	struct cw_event e = { .type = type,
			      .source = s->name,
			      .cause = "watch",
			      .severity = CW_MEDIUM,
			      .summary = cw_arena_printf(&arena, "%s %s: %s", s->name, word,
							 message) };

	if (publish(s->p, &e, NULL, &err) < 0)
		cw_log(CW_LOG_ERR, "event not kept", CW_LOG_STR("error", err.msg));
	cw_arena_release(&arena);
}

void cw_source_degraded(struct cw_source *s, const char *message)
{
	if (!message && !s->degraded)
		return;
	if (message && s->degraded && strcmp(message, s->degraded) == 0)
		return;
	bool was = s->degraded;
	free(s->degraded);
	s->degraded = message ? strdup(message) : NULL;
	if (s->p->closing)
		return;
	cw_log(message ? CW_LOG_WARNING : CW_LOG_NOTICE,
	       message ? "watching less than asked for" : "watching again as asked for",
	       CW_LOG_STR("source", s->name), CW_LOG_STR("reason", message));
	if (!message)
		publish_state(s, CW_TYPE("watch.restored"), "is watched again", "all is well");
	else if (!was)
		publish_state(s, CW_TYPE("watch.degraded"), "is not fully watched", message);
}
