/*
 * The outbox of the deliverer over the store: each question is a job, because the store blocks.
 * One job of each kind exists, as the deliverer asks one question of each kind at a time.
 */
#include "clausewatch/alert.h"

#include <stdlib.h>
#include <string.h>

#include "clausewatch/job.h"

struct fetch_job {
	struct cw_job job;
	struct cw_store *store;
	struct cw_deliverer *deliverer;
	const struct cw_outbox_query *query;
	struct cw_alert *list, **tail;
	int64_t next_ms;
};

struct keep_job {
	struct cw_job job;
	struct cw_store *store;
	struct cw_deliverer *deliverer;
	const struct cw_delivery *deliveries;
	size_t n;
};

struct cw_store_outbox {
	struct cw_jobs jobs;
	struct cw_outbox outbox;
	struct fetch_job fetch;
	struct keep_job keep;
	struct cw_store_outbox_calls calls;
};

#define OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static bool own(struct cw_arena *arena, const char **text)
{
	*text = cw_arena_strdup(arena, *text ? *text : "");
	return *text;
}

/** An event that was pruned stays NULL: its delivery can then only be given up. */
static int load_event(struct fetch_job *f, struct cw_alert *alert, struct cw_error *err)
{
	struct cw_stored_event *stored;
	struct cw_event *event = cw_arena_alloc(&alert->arena, sizeof(*event));

	if (!event)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	int ret = cw_store_event(f->store, alert->delivery.event, &alert->arena, &stored, err);
	if (ret == CW_ENOTFOUND)
		return CW_OK;
	if (ret == CW_OK)
		ret = cw_event_from_json(&alert->arena, stored->json, stored->len, event, err);
	/* A damaged record must not stop the others. */
	if (ret == CW_ECORRUPT || ret == CW_EUNSUPPORTED)
		return CW_OK;
	if (ret == CW_OK)
		alert->event = event;
	return ret;
}

static int add_alert(struct fetch_job *f, const struct cw_delivery *delivery, struct cw_error *err)
{
	struct cw_alert *alert = cw_alert_new();

	if (!alert)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	struct cw_delivery *copy = &alert->delivery;
	*copy = *delivery;
	int ret = CW_OK;
	if (!own(&alert->arena, &copy->id) || !own(&alert->arena, &copy->event) ||
	    !own(&alert->arena, &copy->channel) || !own(&alert->arena, &copy->last_error))
		ret = cw_fail(err, CW_ENOMEM, "out of memory");
	if (ret == CW_OK)
		ret = load_event(f, alert, err);
	if (ret < 0) {
		cw_alert_free(alert);
		return ret;
	}
	*f->tail = alert;
	f->tail = &alert->next;
	return CW_OK;
}

/** The soonest pending ones of a channel; the first that is not taken says when to come back. */
static int fetch_channel(struct fetch_job *f, const char *channel, struct cw_error *err)
{
	struct cw_arena arena = { 0 };
	struct cw_delivery *list = NULL;
	size_t n = 0, most = f->query->max_each;
	int ret = cw_store_deliveries(f->store, CW_DELIVERY_PENDING, channel, most + 1, &arena,
				      &list, &n, err);

	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		if (i == most || list[i].next_ms > f->query->now_ms) {
			if (list[i].next_ms < f->next_ms)
				f->next_ms = list[i].next_ms;
			break;
		}
		ret = add_alert(f, &list[i], err);
	}
	cw_arena_release(&arena);
	return ret;
}

static int run_fetch(struct cw_job *job, struct cw_error *err)
{
	struct fetch_job *f = OF(job, struct fetch_job, job);
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < f->query->nchannels; i++)
		ret = fetch_channel(f, f->query->channels[i], err);
	return ret;
}

static void report(struct cw_store_outbox *box, int ret, const struct cw_error *err)
{
	if (ret < 0 && ret != CW_ECANCELED && box->calls.failed)
		box->calls.failed(box->calls.ctx, err);
}

static void fetch_done(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct fetch_job *f = OF(job, struct fetch_job, job);
	struct cw_alert *list = f->list;

	report(OF(f, struct cw_store_outbox, fetch), ret, err);
	f->list = NULL;
	cw_deliverer_feed(f->deliverer, ret, list, f->next_ms);
}

static void fetch(void *ctx, struct cw_deliverer *d, const struct cw_outbox_query *query)
{
	struct cw_store_outbox *box = ctx;
	struct fetch_job *f = &box->fetch;

	f->deliverer = d;
	f->query = query;
	f->list = NULL;
	f->tail = &f->list;
	f->next_ms = INT64_MAX;
	int ret = cw_jobs_submit(&box->jobs, &f->job, NULL);
	if (ret < 0)
		cw_deliverer_feed(d, ret, NULL, INT64_MAX);
}

static int run_keep(struct cw_job *job, struct cw_error *err)
{
	struct keep_job *k = OF(job, struct keep_job, job);

	return cw_store_update_deliveries(k->store, k->deliveries, k->n, err);
}

static void keep_done(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct keep_job *k = OF(job, struct keep_job, job);

	report(OF(k, struct cw_store_outbox, keep), ret, err);
	cw_deliverer_kept(k->deliverer, ret);
}

static void keep(void *ctx, struct cw_deliverer *d, const struct cw_delivery *deliveries, size_t n)
{
	struct cw_store_outbox *box = ctx;
	struct keep_job *k = &box->keep;

	k->deliverer = d;
	k->deliveries = deliveries;
	k->n = n;
	int ret = cw_jobs_submit(&box->jobs, &k->job, NULL);
	if (ret < 0)
		cw_deliverer_kept(d, ret);
}

static void disabled(void *ctx, const char *channel, const struct cw_event *event)
{
	struct cw_store_outbox *box = ctx;

	box->calls.disabled(box->calls.ctx, channel, event);
}

int cw_store_outbox_open(struct uv_loop_s *loop, struct cw_store *store,
			 const struct cw_store_outbox_calls *calls, struct cw_store_outbox **out,
			 struct cw_error *err)
{
	struct cw_store_outbox *box = calloc(1, sizeof(*box));

	if (!box)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	/* Writes wait for each other anyway; more threads would only wait with them. */
	cw_jobs_init(&box->jobs, loop, 1);
	box->fetch = (struct fetch_job){ .job = { .run = run_fetch, .done = fetch_done },
					 .store = store };
	box->keep =
		(struct keep_job){ .job = { .run = run_keep, .done = keep_done }, .store = store };
	box->outbox = (struct cw_outbox){
		.ctx = box, .fetch = fetch, .keep = keep, .disabled = disabled
	};
	box->calls = *calls;
	*out = box;
	return CW_OK;
}

const struct cw_outbox *cw_store_outbox(struct cw_store_outbox *box)
{
	return &box->outbox;
}

void cw_store_outbox_close(struct cw_store_outbox *box)
{
	free(box);
}
