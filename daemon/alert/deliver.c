/*
 * Each channel has a lane: a few deliveries fetched from the outbox and at most one attempt under
 * way.  A lane is fed again only when what came of its last deliveries was kept, so the outbox
 * never hands out one that is here already.
 *
 *   want ── fetch ──► queue ── attempt ──► judge ──► done list ── keep ──► want
 *
 * Calls from outside only change state and wake the timer; everything starts in pump(), which
 * runs from the loop, so no callback can find the lists half changed.
 */
#include "clausewatch/alert.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <uv.h>

#include "alert/curl_loop.h"
#include "alert/lane.h"
#include "alert/post.h"

#define PARALLEL_DEFAULT 8
/* Deliveries of one channel held at a time. */
#define LANE_MAX 8
/* When the outbox fails (a full disk), ask again after so long. */
#define OUTBOX_RETRY_DEFAULT_MS 5000
/* The wall clock may be set: look at it at least so often. */
#define SLEEP_MAX_MS 60000
#define SOON_MS 100

struct cw_deliverer {
	uv_loop_t *loop;
	struct cw_outbox outbox;
	unsigned parallel, outbox_retry_ms;
	char *ca_file;
	struct cw_curl_loop *curl;
	uv_timer_t wake, grace;
	struct cw_lane *lanes;
	unsigned flying;
	uint64_t turns;

	struct cw_outbox_query query; /* of the open fetch */
	const char **names;
	bool fetching;
	int64_t fetch_at_ms; /* not before, after a failure */

	struct cw_alert *done, **done_tail; /* judged, not kept */
	struct cw_alert *keeping; /* what the open keep looks at */
	struct cw_delivery *keep_array;
	bool keep_open;
	int64_t keep_at_ms;

	bool closing, closed;
	unsigned open_handles;
	void (*on_closed)(void *ctx);
	void *on_closed_ctx;
};

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pump(uv_timer_t *timer);

static void wake(struct cw_deliverer *d)
{
	if (!d->closed)
		uv_timer_start(&d->wake, pump, 0, 0);
}

/* ---- attempts ---- */

static double random_share(void)
{
	uint32_t n = UINT32_MAX / 2;

	/* Jitter is a courtesy: when there are no random bytes, none is fine. */
	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) < 0)
		n = UINT32_MAX / 2;
	return (double)n / UINT32_MAX;
}

/** Tell the owner, who tells people by the other channels. */
static void disable(struct cw_deliverer *d, struct cw_lane *lane, int status)
{
	char text[16], summary[CW_STORE_CHANNEL_MAX + 80];
	const struct cw_attr data[] = {
		{ "channel", CW_ATTR_TEXT, lane->name },
		{ "status", CW_ATTR_NUMBER, text },
	};
	struct cw_event event = {
		.type = "dev.clausewatch.delivery.disabled",
		.summary = summary,
		.severity = CW_HIGH,
		.data = data,
		.ndata = 2,
	};

	lane->disabled = true;
	cw_lane_drop_queue(lane);
	(void)snprintf(text, sizeof(text), "%d", status);
	(void)snprintf(summary, sizeof(summary),
		       "channel '%s' was switched off: its receiver answered %d", lane->name,
		       status);
	if (cw_event_stamp(&event, NULL) == CW_OK)
		d->outbox.disabled(d->outbox.ctx, lane->name, &event);
}

/** An attempt is over: judge it and put it with those to keep. */
static void settle(struct cw_deliverer *d, struct cw_lane *lane, struct cw_alert *alert,
		   const struct cw_attempt_result *result)
{
	struct cw_delivery *delivery = &alert->delivery;
	struct cw_verdict verdict;
	int64_t now = wall_ms();

	delivery->attempts++;
	cw_attempt_judge(lane->channel, delivery->attempts, result, random_share(), &verdict);
	if (!alert->event)
		verdict.state = CW_DELIVERY_DEAD;
	delivery->state = verdict.state;
	delivery->last_ms = now;
	delivery->last_status = result->status;
	delivery->next_ms = verdict.state == CW_DELIVERY_PENDING ? now + verdict.wait_ms : 0;
	const char *error = cw_arena_strdup(&alert->arena, verdict.error);
	delivery->last_error = error ? error : "";
	cw_lane_count(lane, &verdict, result->status, now);

	alert->next = NULL;
	*d->done_tail = alert;
	d->done_tail = &alert->next;
	lane->unkept++;
	if (verdict.pause_ms > 0) {
		lane->paused_until_ms = now + verdict.pause_ms;
		cw_lane_drop_queue(lane);
	}
	if (verdict.disable)
		disable(d, lane, result->status);
}

static void on_attempt_ended(void *ctx, CURL *easy, CURLcode code)
{
	struct cw_deliverer *d = ctx;
	struct cw_lane *lane = NULL;
	struct cw_attempt_result result;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&lane);
	struct cw_alert *alert = lane->flying;
	struct cw_post *post = lane->post;
	lane->flying = NULL;
	lane->post = NULL;
	d->flying--;
	cw_post_result(post, code, &result);
	settle(d, lane, alert, &result);
	cw_post_free(post);
	wake(d);
}

static int launch(struct cw_deliverer *d, struct cw_lane *lane, struct cw_alert *alert,
		  struct cw_error *err)
{
	struct cw_deliverer_options opts = { .ca_file = d->ca_file };

	if (!alert->event)
		return cw_fail(err, CW_ENOTFOUND, "the event is no longer stored");
	int ret = cw_post_new(lane->channel, alert->event, &opts, &lane->post, err);
	if (ret < 0)
		return ret;
	curl_easy_setopt(cw_post_easy(lane->post), CURLOPT_PRIVATE, lane);
	ret = cw_curl_loop_add(d->curl, cw_post_easy(lane->post), err);
	if (ret < 0) {
		cw_post_free(lane->post);
		lane->post = NULL;
		return ret;
	}
	lane->flying = alert;
	d->flying++;
	return CW_OK;
}

/** Of the lanes that could start an attempt, the one that has waited longest. */
static struct cw_lane *next_lane(struct cw_deliverer *d, int64_t now)
{
	struct cw_lane *best = NULL;

	for (struct cw_lane *lane = d->lanes; lane; lane = lane->next) {
		if (lane->queue && !lane->flying && cw_lane_usable(lane, now) &&
		    (!best || lane->turn < best->turn))
			best = lane;
	}
	return best;
}

static void start_attempts(struct cw_deliverer *d, int64_t now)
{
	struct cw_lane *lane;

	while (d->flying < d->parallel && (lane = next_lane(d, now))) {
		struct cw_alert *alert = lane->queue;
		struct cw_error err = { 0 };
		lane->queue = alert->next;
		lane->turn = ++d->turns;
		if (launch(d, lane, alert, &err) < 0) {
			struct cw_attempt_result failed = { .error = err.msg };
			settle(d, lane, alert, &failed);
		}
	}
}

/* ---- the outbox ---- */

static void fetch(struct cw_deliverer *d, int64_t now)
{
	size_t count_lanes = 0, n = 0;

	for (struct cw_lane *lane = d->lanes; lane; lane = lane->next) {
		if (now >= lane->due_ms) {
			lane->due_ms = CW_NEVER;
			lane->want = true;
		}
		count_lanes++;
	}
	if (d->fetching || now < d->fetch_at_ms)
		return;
	free(d->names);
	d->names = calloc(count_lanes + 1, sizeof(*d->names));
	if (!d->names) {
		d->fetch_at_ms = now + d->outbox_retry_ms;
		return;
	}
	for (struct cw_lane *lane = d->lanes; lane; lane = lane->next) {
		if (!lane->want || lane->queue || lane->flying || lane->unkept ||
		    !cw_lane_usable(lane, now))
			continue;
		lane->want = false;
		lane->asked = true;
		d->names[n++] = lane->name;
	}
	if (n == 0)
		return;
	d->query = (struct cw_outbox_query){
		.now_ms = now,
		.channels = d->names,
		.nchannels = n,
		.max_each = LANE_MAX,
	};
	d->fetching = true;
	d->outbox.fetch(d->outbox.ctx, d, &d->query);
}

/** Put an alert at the end of its lane.  One for a lane that cannot take it stays pending. */
static void enqueue(struct cw_deliverer *d, struct cw_alert *alert)
{
	struct cw_lane *lane = cw_lanes_find(d->lanes, alert->delivery.channel);

	alert->next = NULL;
	if (!lane || !lane->asked || lane->gone || d->closing) {
		cw_alert_free(alert);
		return;
	}
	struct cw_alert **at = &lane->queue;
	while (*at)
		at = &(*at)->next;
	*at = alert;
	lane->want = true;
}

void cw_deliverer_feed(struct cw_deliverer *d, int ret, struct cw_alert *list, int64_t next_ms)
{
	int64_t now = wall_ms();

	while (list) {
		struct cw_alert *next = list->next;
		enqueue(d, list);
		list = next;
	}
	for (struct cw_lane *lane = d->lanes; lane; lane = lane->next) {
		if (!lane->asked)
			continue;
		lane->asked = false;
		if (ret < 0)
			lane->want = true;
		else
			lane->due_ms = next_ms < now + SOON_MS ? now + SOON_MS : next_ms;
	}
	if (ret < 0)
		d->fetch_at_ms = now + d->outbox_retry_ms;
	d->fetching = false;
	wake(d);
}

static void keep(struct cw_deliverer *d, int64_t now)
{
	size_t n = 0;

	if (d->keep_open || !d->done || now < d->keep_at_ms)
		return;
	for (struct cw_alert *a = d->done; a; a = a->next)
		n++;
	d->keep_array = calloc(n, sizeof(*d->keep_array));
	if (!d->keep_array) {
		d->keep_at_ms = now + d->outbox_retry_ms;
		return;
	}
	n = 0;
	for (struct cw_alert *a = d->done; a; a = a->next)
		d->keep_array[n++] = a->delivery;
	d->keeping = d->done;
	d->done = NULL;
	d->done_tail = &d->done;
	d->keep_open = true;
	d->outbox.keep(d->outbox.ctx, d, d->keep_array, n);
}

/** Back in front of what was judged since: it is kept with it, later. */
static void put_back(struct cw_deliverer *d)
{
	struct cw_alert **tail = &d->keeping;

	while (*tail)
		tail = &(*tail)->next;
	*tail = d->done;
	if (!d->done)
		d->done_tail = tail;
	d->done = d->keeping;
	d->keeping = NULL;
}

void cw_deliverer_kept(struct cw_deliverer *d, int ret)
{
	free(d->keep_array);
	d->keep_array = NULL;
	d->keep_open = false;
	/* When closing nothing can be tried again: what was sent may then be sent twice. */
	if (ret < 0 && !d->closing) {
		put_back(d);
		d->keep_at_ms = wall_ms() + d->outbox_retry_ms;
		wake(d);
		return;
	}
	while (d->keeping) {
		struct cw_alert *alert = d->keeping;
		struct cw_lane *lane = cw_lanes_find(d->lanes, alert->delivery.channel);
		d->keeping = alert->next;
		if (lane) {
			lane->unkept--;
			lane->want = true;
		}
		cw_alert_free(alert);
	}
	wake(d);
}

static int check_names(const struct cw_channel *channels, size_t n, struct cw_error *err)
{
	for (size_t i = 0; i < n; i++) {
		int ret = cw_channel_check(&channels[i], err);
		if (ret < 0)
			return ret;
		for (size_t j = 0; j < i; j++) {
			if (strcmp(channels[i].name, channels[j].name) == 0)
				return cw_fail(err, CW_EINVAL, "two channels are called '%s'",
					       channels[i].name);
		}
	}
	return CW_OK;
}

int cw_deliverer_set_channels(struct cw_deliverer *d, const struct cw_channel *channels, size_t n,
			      struct cw_error *err)
{
	struct cw_lane *fresh = NULL, **tail = &fresh;
	int ret = check_names(channels, n, err);

	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		*tail = cw_lane_new(&channels[i]);
		if (*tail)
			tail = &(*tail)->next;
		else
			ret = cw_fail(err, CW_ENOMEM, "out of memory");
	}
	if (ret == CW_OK) {
		cw_lanes_replace(&d->lanes, fresh);
		wake(d);
		return CW_OK;
	}
	cw_lanes_free(fresh);
	return ret;
}

/* ---- the pump, opening and closing ---- */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/** When there is something to do again that no callback tells. */
static int64_t next_wake(const struct cw_deliverer *d, int64_t now)
{
	int64_t at = now + SLEEP_MAX_MS;

	for (const struct cw_lane *lane = d->lanes; lane; lane = lane->next) {
		if (lane->gone || lane->asked)
			continue;
		if (lane->paused_until_ms > now)
			at = least(at, lane->paused_until_ms);
		else
			at = least(at, lane->due_ms);
	}
	if (d->fetch_at_ms > now)
		at = least(at, d->fetch_at_ms);
	if (d->done && d->keep_at_ms > now)
		at = least(at, d->keep_at_ms);
	return at;
}

static void finish_close(struct cw_deliverer *d);

static void pump(uv_timer_t *timer)
{
	struct cw_deliverer *d = timer->data;
	int64_t now = wall_ms();

	if (!d->closing) {
		for (struct cw_lane *lane = d->lanes; lane; lane = lane->next) {
			if (lane->gone)
				cw_lane_drop_queue(lane);
		}
		start_attempts(d, now);
		fetch(d, now);
	}
	keep(d, now);
	cw_lanes_sweep(&d->lanes);
	if (d->closing) {
		finish_close(d);
		return;
	}
	/* An answer from inside fetch or keep has woken the timer already. */
	if (uv_is_active((uv_handle_t *)timer))
		return;
	int64_t wait = next_wake(d, now) - now;
	uv_update_time(d->loop);
	uv_timer_start(timer, pump, wait > 0 ? (uint64_t)wait : 0, 0);
}

int cw_deliverer_open(struct uv_loop_s *loop, const struct cw_outbox *outbox,
		      const struct cw_deliverer_options *opts, struct cw_deliverer **out,
		      struct cw_error *err)
{
	struct cw_deliverer *d = calloc(1, sizeof(*d));

	if (!d)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	d->loop = loop;
	d->outbox = *outbox;
	d->parallel = opts && opts->parallel ? opts->parallel : PARALLEL_DEFAULT;
	d->outbox_retry_ms =
		opts && opts->outbox_retry_ms ? opts->outbox_retry_ms : OUTBOX_RETRY_DEFAULT_MS;
	d->done_tail = &d->done;
	int ret = CW_OK;
	if (opts && opts->ca_file) {
		d->ca_file = strdup(opts->ca_file);
		if (!d->ca_file)
			ret = cw_fail(err, CW_ENOMEM, "out of memory");
	}
	if (ret == CW_OK)
		ret = cw_curl_loop_open(loop, on_attempt_ended, d, &d->curl, err);
	if (ret < 0) {
		free(d->ca_file);
		free(d);
		return ret;
	}
	uv_timer_init(loop, &d->wake); /* cannot fail */
	uv_timer_init(loop, &d->grace);
	d->wake.data = d;
	d->grace.data = d;
	*out = d;
	return CW_OK;
}

void cw_deliverer_kick(struct cw_deliverer *d)
{
	for (struct cw_lane *lane = d->lanes; lane; lane = lane->next)
		lane->want = true;
	wake(d);
}

static void on_part_closed(struct cw_deliverer *d)
{
	if (--d->open_handles > 0)
		return;
	void (*on_closed)(void *) = d->on_closed;
	void *ctx = d->on_closed_ctx;

	cw_lanes_free(d->lanes);
	free(d->names);
	free(d->ca_file);
	free(d);
	if (on_closed)
		on_closed(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_part_closed(handle->data);
}

static void on_curl_closed(void *ctx)
{
	on_part_closed(ctx);
}

static void finish_close(struct cw_deliverer *d)
{
	if (d->closed || d->flying > 0 || d->fetching || d->keep_open || d->done)
		return;
	d->closed = true;
	d->open_handles = 3;
	uv_close((uv_handle_t *)&d->wake, on_timer_closed);
	uv_close((uv_handle_t *)&d->grace, on_timer_closed);
	cw_curl_loop_close(d->curl, on_curl_closed);
}

/** Time is up.  A cancelled attempt stays pending: nobody knows whether it arrived. */
static void on_grace_over(uv_timer_t *timer)
{
	struct cw_deliverer *d = timer->data;

	for (struct cw_lane *lane = d->lanes; lane; lane = lane->next) {
		if (!lane->flying)
			continue;
		cw_curl_loop_remove(d->curl, cw_post_easy(lane->post));
		cw_post_free(lane->post);
		cw_alert_free(lane->flying);
		lane->post = NULL;
		lane->flying = NULL;
		d->flying--;
	}
	wake(d);
}

void cw_deliverer_close(struct cw_deliverer *d, unsigned grace_ms, void (*closed)(void *ctx),
			void *ctx)
{
	if (d->closing)
		return;
	d->closing = true;
	d->on_closed = closed;
	d->on_closed_ctx = ctx;
	d->keep_at_ms = 0;
	for (struct cw_lane *lane = d->lanes; lane; lane = lane->next)
		cw_lane_drop_queue(lane);
	uv_update_time(d->loop);
	uv_timer_start(&d->grace, on_grace_over, grace_ms, 0);
	wake(d);
}

void cw_deliverer_stats(const struct cw_deliverer *d,
			void (*visit)(void *ctx, const struct cw_channel_stats *stats), void *ctx)
{
	for (const struct cw_lane *lane = d->lanes; lane; lane = lane->next) {
		struct cw_channel_stats stats = lane->stats;
		if (lane->gone)
			continue;
		stats.name = lane->name;
		stats.enabled = lane->channel->enabled && !lane->disabled;
		stats.paused_until_ms = lane->paused_until_ms;
		visit(ctx, &stats);
	}
}
