/*
 * The deliverer against a real receiver in a process of its own, and an outbox in memory that
 * outlives deliverers as the store does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "clausewatch/alert.h"
#include "receiver_fixture.h"

#define OLD_SECRET "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define DEADLINE_MS 20000
#define ROWS_MAX 64

/* ---- the outbox ---- */

struct row {
	char event[32], channel[16], error[200];
	struct cw_delivery d;
	bool pruned; /* the event is gone */
};

/* Lives on while deliverers come and go. */
static struct {
	struct row rows[ROWS_MAX];
	size_t n;
	unsigned fail_fetches, fail_keeps;
	unsigned fetches, keeps, disabled;
	char disabled_event[80];
	bool later; /* answer from the loop, not from inside the call */
	uv_timer_t fetch_timer, keep_timer;
	struct cw_deliverer *d;
	const struct cw_outbox_query *query;
	const struct cw_delivery *deliveries;
	size_t nkeep;
} box;

static void add_delivery(const char *event, const char *channel)
{
	struct row *row = &box.rows[box.n++];

	assert_true(box.n <= ROWS_MAX);
	(void)snprintf(row->event, sizeof(row->event), "%s", event);
	(void)snprintf(row->channel, sizeof(row->channel), "%s", channel);
	row->d = (struct cw_delivery){ .state = CW_DELIVERY_PENDING };
}

static struct cw_alert *make_alert(const struct row *row)
{
	struct cw_alert *a = cw_alert_new();
	struct cw_event event = {
		.type = "dev.clausewatch.risk.appeared",
		.time_ms = 1700000000000,
		.source = "contracts",
		.path = "acme/msa.md",
		.summary = "a risk appeared",
		.severity = CW_HIGH,
	};

	(void)snprintf(event.id, sizeof(event.id), "%s", row->event);
	a->delivery = row->d;
	a->delivery.event = cw_arena_strdup(&a->arena, row->event);
	a->delivery.channel = cw_arena_strdup(&a->arena, row->channel);
	a->delivery.id = cw_arena_printf(&a->arena, "%s:%s", row->event, row->channel);
	a->event = row->pruned ? NULL : cw_event_copy(&a->arena, &event);
	return a;
}

static void answer_fetch(uv_timer_t *timer)
{
	const struct cw_outbox_query *q = box.query;
	struct cw_alert *list = NULL, **tail = &list;
	int64_t next = INT64_MAX;

	(void)timer;
	if (box.fail_fetches > 0) {
		box.fail_fetches--;
		cw_deliverer_feed(box.d, CW_EIO, NULL, INT64_MAX);
		return;
	}
	for (size_t c = 0; c < q->nchannels; c++) {
		size_t given = 0;
		for (size_t i = 0; i < box.n; i++) {
			struct row *row = &box.rows[i];
			if (row->d.state != CW_DELIVERY_PENDING ||
			    strcmp(row->channel, q->channels[c]) != 0)
				continue;
			if (row->d.next_ms > q->now_ms || given == q->max_each) {
				next = row->d.next_ms < next ? row->d.next_ms : next;
				continue;
			}
			*tail = make_alert(row);
			tail = &(*tail)->next;
			given++;
		}
	}
	cw_deliverer_feed(box.d, CW_OK, list, next);
}

static void answer_keep(uv_timer_t *timer)
{
	(void)timer;
	if (box.fail_keeps > 0) {
		box.fail_keeps--;
		cw_deliverer_kept(box.d, CW_EIO);
		return;
	}
	for (size_t k = 0; k < box.nkeep; k++) {
		const struct cw_delivery *d = &box.deliveries[k];
		for (size_t i = 0; i < box.n; i++) {
			struct row *row = &box.rows[i];
			if (strcmp(row->event, d->event) != 0 ||
			    strcmp(row->channel, d->channel) != 0)
				continue;
			assert_int_equal(row->d.state, CW_DELIVERY_PENDING);
			row->d = *d;
			(void)snprintf(row->error, sizeof(row->error), "%s", d->last_error);
			row->d.last_error = row->error;
			row->d.id = row->d.event = row->d.channel = NULL;
		}
	}
	cw_deliverer_kept(box.d, CW_OK);
}

static void on_fetch(void *ctx, struct cw_deliverer *d, const struct cw_outbox_query *query)
{
	(void)ctx;
	box.fetches++;
	box.d = d;
	box.query = query;
	if (box.later)
		uv_timer_start(&box.fetch_timer, answer_fetch, 1, 0);
	else
		answer_fetch(NULL);
}

static void on_keep(void *ctx, struct cw_deliverer *d, const struct cw_delivery *list, size_t n)
{
	(void)ctx;
	box.keeps++;
	box.d = d;
	box.deliveries = list;
	box.nkeep = n;
	if (box.later)
		uv_timer_start(&box.keep_timer, answer_keep, 1, 0);
	else
		answer_keep(NULL);
}

static void on_disabled(void *ctx, const char *channel, const struct cw_event *event)
{
	(void)ctx;
	(void)channel;
	box.disabled++;
	assert_true(strlen(event->id) > 0);
	(void)snprintf(box.disabled_event, sizeof(box.disabled_event), "%s", event->type);
}

/* ---- the loop ---- */

static uv_loop_t loop;
static uv_timer_t deadline;
static bool expired;
static struct cw_deliverer *deliverer;

static void on_deadline(uv_timer_t *timer)
{
	(void)timer;
	expired = true;
}

static int setup(void **state)
{
	(void)state;
	memset(&box, 0, sizeof(box));
	box.later = true;
	uv_loop_init(&loop);
	uv_timer_init(&loop, &deadline);
	uv_timer_init(&loop, &box.fetch_timer);
	uv_timer_init(&loop, &box.keep_timer);
	return 0;
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

/** A test that failed leaves its deliverer behind; the next one must not meet it. */
static void drop_deliverer(void)
{
	static bool closed;

	if (!deliverer)
		return;
	closed = expired = false;
	cw_deliverer_close(deliverer, 0, on_closed, &closed);
	deliverer = NULL;
	uv_timer_start(&deadline, on_deadline, 2000, 0);
	while (!closed && !expired)
		uv_run(&loop, UV_RUN_ONCE);
}

static int teardown(void **state)
{
	(void)state;
	drop_deliverer();
	uv_close((uv_handle_t *)&deadline, NULL);
	uv_close((uv_handle_t *)&box.fetch_timer, NULL);
	uv_close((uv_handle_t *)&box.keep_timer, NULL);
	for (int i = 0; i < 10; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	/* A handle that was forgotten shows here. */
	return uv_loop_close(&loop);
}

#define RUN_UNTIL(condition)                                                                       \
	do {                                                                                       \
		expired = false;                                                                   \
		uv_update_time(&loop); /* it stood still while the receiver started */             \
		uv_timer_start(&deadline, on_deadline, DEADLINE_MS, 0);                            \
		while (!(condition) && !expired)                                                   \
			uv_run(&loop, UV_RUN_ONCE);                                                \
		uv_timer_stop(&deadline);                                                          \
		assert_false(expired);                                                             \
	} while (0)

static void open_deliverer(const struct cw_channel *channels, size_t n)
{
	static const struct cw_outbox outbox = { .fetch = on_fetch,
						 .keep = on_keep,
						 .disabled = on_disabled };
	const struct cw_deliverer_options opts = { .outbox_retry_ms = 20 };
	struct cw_error err = { 0 };

	assert_int_equal(cw_deliverer_open(&loop, &outbox, &opts, &deliverer, &err), CW_OK);
	assert_int_equal(cw_deliverer_set_channels(deliverer, channels, n, &err), CW_OK);
}

static void close_deliverer(unsigned grace_ms)
{
	static bool closed;

	closed = false;
	cw_deliverer_close(deliverer, grace_ms, on_closed, &closed);
	deliverer = NULL;
	RUN_UNTIL(closed);
}

static const struct row *row_of(const char *event)
{
	size_t i = 0;

	while (strcmp(box.rows[i].event, event) != 0)
		i++;
	return &box.rows[i];
}

static bool settled(const char *event)
{
	return row_of(event)->d.state != CW_DELIVERY_PENDING;
}

static const char *const secrets[] = { SECRET };
static const int64_t quick[] = { 0, 10, 20 };

static struct cw_channel channel_to(const char *url)
{
	return (struct cw_channel){
		.name = "hook",
		.url = url,
		.secrets = secrets,
		.nsecrets = 1,
		.retry_ms = quick,
		.nretry = 3,
		.timeout_ms = 10000,
		.enabled = true,
	};
}

/** Deliver one event to that channel until it is settled. */
static const struct row *deliver(const struct cw_channel *channel)
{
	add_delivery("evt_1", "hook");
	open_deliverer(channel, 1);
	RUN_UNTIL(settled("evt_1"));
	close_deliverer(1000);
	return row_of("evt_1");
}

/* ---- the tests ---- */

static void test_delivered(void **state)
{
	struct receiver r = RECEIVER("--answer", "204");
	struct cw_channel channel = channel_to(r.url);
	const struct row *row = deliver(&channel);
	json_t *got = received(&r);

	(void)state;
	assert_int_equal(row->d.state, CW_DELIVERY_DELIVERED);
	assert_int_equal(row->d.attempts, 1);
	assert_int_equal(row->d.last_status, 204);
	assert_true(row->d.last_ms > 1700000000000);
	assert_string_equal(row->error, "");
	assert_int_equal(json_array_size(got), 1);
	assert_string_equal(field(got, 0, "method"), "POST");
	assert_string_equal(field(got, 0, "signature"), "ok");
	assert_string_equal(field(got, 0, "webhook-id"), "evt_1");
	assert_string_equal(field(got, 0, "user-agent"), "clausewatch/" CW_VERSION);
	assert_memory_equal(field(got, 0, "content-type"), "application/cloudevents+json", 28);
	json_t *body = json_loads(field(got, 0, "body"), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(body, "id")), "evt_1");
	json_decref(body);
	json_decref(got);
	stop_receiver(&r);
}

static void test_rotation(void **state)
{
	static const char *const both[] = { OLD_SECRET, SECRET };
	static const char *const wrong[] = { OLD_SECRET };
	struct receiver r = RECEIVER("--answer", "200");
	struct cw_channel channels[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		channels[i] = channel_to(r.url);
	channels[0].secrets = both;
	channels[0].nsecrets = 2;
	assert_int_equal(deliver(&channels[0])->d.state, CW_DELIVERY_DELIVERED);
	channels[1].secrets = wrong;
	box.n = 0;
	deliver(&channels[1]);
	channels[2].nsecrets = 0;
	box.n = 0;
	deliver(&channels[2]);
	json_t *got = received(&r);
	assert_string_equal(field(got, 0, "signature"), "ok");
	assert_string_equal(field(got, 1, "signature"), "bad");
	assert_string_equal(field(got, 2, "signature"), "none");
	json_decref(got);
	stop_receiver(&r);
}

static void test_retry(void **state)
{
	/* Long enough for the timestamp, which has seconds, to differ. */
	static const int64_t retry[] = { 0, 1500 };
	struct receiver r = RECEIVER("--answer", "500,200");
	struct cw_channel channel = channel_to(r.url);

	(void)state;
	channel.retry_ms = retry;
	channel.nretry = 2;
	const struct row *row = deliver(&channel);
	json_t *got = received(&r);
	assert_int_equal(row->d.state, CW_DELIVERY_DELIVERED);
	assert_int_equal(row->d.attempts, 2);
	assert_int_equal(json_array_size(got), 2);
	assert_string_equal(field(got, 0, "webhook-id"), field(got, 1, "webhook-id"));
	assert_true(atoll(field(got, 0, "webhook-timestamp")) <
		    atoll(field(got, 1, "webhook-timestamp")));
	assert_string_equal(field(got, 0, "body"), field(got, 1, "body"));
	assert_string_equal(field(got, 1, "signature"), "ok");
	json_decref(got);
	stop_receiver(&r);
}

static int64_t paused_until;

static void note_pause(void *ctx, const struct cw_channel_stats *stats)
{
	(void)ctx;
	paused_until = stats->paused_until_ms;
}

static void test_retry_after(void **state)
{
	static const char *const answers[] = { "429:1,200", "503:@2,200" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct receiver r = RECEIVER("--answer", answers[i]);
		struct cw_channel channel = channel_to(r.url);
		print_message("  %s\n", answers[i]);
		box.n = 0;
		add_delivery("evt_1", "hook");
		add_delivery("evt_2", "hook");
		open_deliverer(&channel, 1);
		RUN_UNTIL(row_of("evt_1")->d.attempts == 1);
		const struct cw_delivery *d = &row_of("evt_1")->d;
		int64_t first_ms = d->last_ms;
		/* The schedule says 10 ms, the receiver a second or more. */
		assert_true(d->next_ms - d->last_ms >= 900);
		cw_deliverer_stats(deliverer, note_pause, NULL);
		assert_true(paused_until - d->last_ms >= 900);
		RUN_UNTIL(settled("evt_1") && settled("evt_2"));
		/* It was asked of the channel, so the other one waited as well. */
		assert_true(row_of("evt_2")->d.last_ms - first_ms >= 900);
		assert_int_equal(row_of("evt_1")->d.state, CW_DELIVERY_DELIVERED);
		assert_int_equal(row_of("evt_2")->d.attempts, 1);
		close_deliverer(1000);
		stop_receiver(&r);
	}
}

static void test_gone(void **state)
{
	struct receiver r = RECEIVER("--answer", "410");
	struct cw_channel channel = channel_to(r.url);

	(void)state;
	add_delivery("evt_1", "hook");
	add_delivery("evt_2", "hook");
	open_deliverer(&channel, 1);
	RUN_UNTIL(settled("evt_1"));
	cw_deliverer_kick(deliverer);
	close_deliverer(1000);
	assert_int_equal(row_of("evt_1")->d.state, CW_DELIVERY_DISABLED);
	assert_int_equal(row_of("evt_2")->d.state, CW_DELIVERY_PENDING);
	assert_int_equal(row_of("evt_2")->d.attempts, 0);
	assert_int_equal(box.disabled, 1);
	assert_string_equal(box.disabled_event, "dev.clausewatch.delivery.disabled");
	assert_int_equal(count_received(&r), 1);
	stop_receiver(&r);
}

static void test_redirect(void **state)
{
	struct receiver r = RECEIVER("--answer", "302,200");
	struct cw_channel channel = channel_to(r.url);

	(void)state;
	channel.max_attempts = 1;
	const struct row *row = deliver(&channel);
	assert_int_equal(row->d.state, CW_DELIVERY_DEAD);
	assert_int_equal(row->d.last_status, 302);
	assert_non_null(strstr(row->error, "not followed"));
	assert_int_equal(count_received(&r), 1);
	stop_receiver(&r);
}

static void test_timeout(void **state)
{
	struct receiver r = RECEIVER("--delay", "3000");
	struct cw_channel channel = channel_to(r.url);

	(void)state;
	channel.timeout_ms = 200;
	channel.max_attempts = 1;
	const struct row *row = deliver(&channel);
	assert_int_equal(row->d.state, CW_DELIVERY_DEAD);
	assert_int_equal(row->d.last_status, 0);
	assert_non_null(strstr(row->error, "no answer in time"));
	stop_receiver(&r);
}

static void test_refused_connection(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	char url[64];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* Bound but not listening: the port is ours and nobody answers. */
	(void)state;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/secret-path", ntohs(addr.sin_port));
	struct cw_channel channel = channel_to(url);
	const struct row *row = deliver(&channel);
	assert_int_equal(row->d.state, CW_DELIVERY_DEAD);
	assert_int_equal(row->d.attempts, 3);
	assert_int_equal(row->d.last_status, 0);
	assert_non_null(strstr(row->error, "127.0.0.1"));
	assert_null(strstr(row->error, "secret-path"));
	close(fd);
}

static void test_dead_letter_and_by_hand(void **state)
{
	struct receiver r = RECEIVER("--answer", "500,404,500,200");
	struct cw_channel channel = channel_to(r.url);

	(void)state;
	add_delivery("evt_1", "hook");
	open_deliverer(&channel, 1);
	RUN_UNTIL(settled("evt_1"));
	assert_int_equal(row_of("evt_1")->d.state, CW_DELIVERY_DEAD);
	assert_int_equal(row_of("evt_1")->d.attempts, 3);
	assert_string_equal(row_of("evt_1")->error, "HTTP 500");
	/* Redelivery by hand: pending again, and a kick. */
	box.rows[0].d.state = CW_DELIVERY_PENDING;
	box.rows[0].d.attempts = 0;
	box.rows[0].d.next_ms = 0;
	cw_deliverer_kick(deliverer);
	RUN_UNTIL(settled("evt_1"));
	assert_int_equal(row_of("evt_1")->d.state, CW_DELIVERY_DELIVERED);
	close_deliverer(1000);
	stop_receiver(&r);
}

static void test_big_answer(void **state)
{
	struct receiver r = RECEIVER("--answer-size", "3000000");
	struct cw_channel channel = channel_to(r.url);
	const struct row *row = deliver(&channel);

	(void)state;
	assert_int_equal(row->d.state, CW_DELIVERY_DELIVERED);
	assert_int_equal(row->d.attempts, 1);
	assert_int_equal(count_received(&r), 1);
	stop_receiver(&r);
}

static void test_private(void **state)
{
	static const char *const urls[] = {
		"https://10.0.0.1/",
		"https://169.254.169.254/latest/meta-data",
		"https://10.1/",
		"https://3232235777/",
		"https://[::ffff:10.0.0.1]/",
		"https://[fd00::1]/",
		"https://192.168.1.1:8443/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		struct cw_channel channel = channel_to(urls[i]);
		print_message("  %s\n", urls[i]);
		box.n = 0;
		channel.max_attempts = 1;
		const struct row *row = deliver(&channel);
		assert_int_equal(row->d.state, CW_DELIVERY_DEAD);
		assert_non_null(strstr(row->error, "a private address"));
	}
}

/* The list decides, for the address and not for its neighbours. */
static void test_allowed(void **state)
{
	static const char *const lists[] = { "10.0.0.0/31", "10.0.0.2/31" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct cw_channel channel = channel_to("https://10.0.0.1/");
		box.n = 0;
		channel.allow_private = &lists[i];
		channel.nallow_private = 1;
		channel.timeout_ms = 200;
		channel.max_attempts = 1;
		const struct row *row = deliver(&channel);
		/* Whoever is there does not speak TLS to us in 200 ms; what counts is why not. */
		assert_int_equal(!strstr(row->error, "a private address"), i == 0);
	}
}

static void test_restart(void **state)
{
	struct receiver slow = RECEIVER("--delay", "5000"), r = RECEIVER("--answer", "200");
	struct cw_channel channel = channel_to(slow.url);

	(void)state;
	add_delivery("evt_1", "hook");
	add_delivery("evt_2", "hook");
	open_deliverer(&channel, 1);
	RUN_UNTIL(count_received(&slow) == 1);
	/* Under way and cancelled: nobody knows whether it arrived, so it is still to do. */
	close_deliverer(50);
	assert_int_equal(row_of("evt_1")->d.state, CW_DELIVERY_PENDING);
	assert_int_equal(row_of("evt_1")->d.attempts, 0);

	channel.url = r.url;
	open_deliverer(&channel, 1);
	RUN_UNTIL(settled("evt_1") && settled("evt_2"));
	close_deliverer(1000);
	assert_int_equal(row_of("evt_1")->d.state, CW_DELIVERY_DELIVERED);
	assert_int_equal(row_of("evt_2")->d.state, CW_DELIVERY_DELIVERED);
	stop_receiver(&slow);
	stop_receiver(&r);
}

static void test_close_waits(void **state)
{
	struct receiver r = RECEIVER("--delay", "300");
	struct cw_channel channel = channel_to(r.url);

	(void)state;
	add_delivery("evt_1", "hook");
	open_deliverer(&channel, 1);
	RUN_UNTIL(count_received(&r) == 1);
	close_deliverer(DEADLINE_MS);
	assert_int_equal(row_of("evt_1")->d.state, CW_DELIVERY_DELIVERED);
	stop_receiver(&r);
}

static void test_order_and_batches(void **state)
{
	struct receiver r = RECEIVER("--answer", "200");
	struct cw_channel channel = channel_to(r.url);

	(void)state;
	for (int later = 0; later < 2; later++) {
		box.n = 0;
		box.later = later;
		for (int i = 0; i < 30; i++) {
			char id[16];
			(void)snprintf(id, sizeof(id), "evt_%d_%02d", later, i);
			add_delivery(id, "hook");
		}
		open_deliverer(&channel, 1);
		RUN_UNTIL(settled(box.rows[29].event));
		close_deliverer(1000);
	}
	json_t *got = received(&r);
	assert_int_equal(json_array_size(got), 60);
	for (size_t i = 1; i < 60; i++)
		assert_true(strcmp(field(got, i - 1, "webhook-id"), field(got, i, "webhook-id")) <
			    0);
	json_decref(got);
	stop_receiver(&r);
}

/* One that hangs holds up nobody else. */
static void test_slow_beside_fast(void **state)
{
	struct receiver slow = RECEIVER("--delay", "60000"), fast = RECEIVER("--answer", "200");
	struct cw_channel channels[2] = { channel_to(slow.url), channel_to(fast.url) };

	(void)state;
	channels[0].name = "slow";
	channels[0].timeout_ms = 60000;
	for (int i = 0; i < 20; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "evt_s%d", i);
		add_delivery(id, "slow");
		(void)snprintf(id, sizeof(id), "evt_f%d", i);
		add_delivery(id, "hook");
	}
	open_deliverer(channels, 2);
	RUN_UNTIL(count_received(&slow) == 1 && settled("evt_f19"));
	assert_int_equal(count_received(&slow), 1);
	assert_int_equal(count_received(&fast), 20);
	close_deliverer(0);
	assert_int_equal(row_of("evt_s0")->d.state, CW_DELIVERY_PENDING);
	stop_receiver(&slow);
	stop_receiver(&fast);
}

/* A full disk, say: nothing is lost and nothing is sent twice while it lasts. */
static void test_outbox_fails(void **state)
{
	struct receiver r = RECEIVER("--answer", "200");
	struct cw_channel channel = channel_to(r.url);

	(void)state;
	add_delivery("evt_1", "hook");
	add_delivery("evt_2", "hook");
	box.fail_fetches = 2;
	box.fail_keeps = 3;
	open_deliverer(&channel, 1);
	RUN_UNTIL(settled("evt_1") && settled("evt_2"));
	close_deliverer(1000);
	assert_true(box.keeps >= 4);
	assert_int_equal(box.fail_keeps, 0);
	assert_int_equal(count_received(&r), 2);
	stop_receiver(&r);
}

static void test_pruned_event(void **state)
{
	struct cw_channel channel = channel_to("https://example.com/");

	(void)state;
	add_delivery("evt_1", "hook");
	box.rows[0].pruned = true;
	open_deliverer(&channel, 1);
	RUN_UNTIL(settled("evt_1"));
	close_deliverer(1000);
	assert_int_equal(row_of("evt_1")->d.state, CW_DELIVERY_DEAD);
	assert_non_null(strstr(row_of("evt_1")->error, "no longer stored"));
}

static unsigned nstats;

static void count_stats(void *ctx, const struct cw_channel_stats *stats)
{
	(void)ctx;
	(void)stats;
	nstats++;
}

static void test_set_channels(void **state)
{
	struct receiver slow = RECEIVER("--delay", "300"), r = RECEIVER("--answer", "200");
	struct cw_channel channels[2] = { channel_to(slow.url), channel_to(r.url) };
	struct cw_error err = { 0 };

	(void)state;
	channels[1].name = "other";
	add_delivery("evt_1", "hook");
	add_delivery("evt_2", "hook");
	add_delivery("evt_3", "other");
	open_deliverer(channels, 1);
	RUN_UNTIL(count_received(&slow) == 1);
	/* A bad set changes nothing. */
	struct cw_channel bad[2] = { channels[1], channels[1] };
	assert_int_equal(cw_deliverer_set_channels(deliverer, bad, 2, &err), CW_EINVAL);
	assert_string_equal(err.msg, "two channels are called 'other'");
	bad[1].url = "http://example.com/";
	assert_int_equal(cw_deliverer_set_channels(deliverer, bad, 2, &err), CW_EINVAL);
	/* The channel goes while an attempt is under way: that one ends, no other begins. */
	assert_int_equal(cw_deliverer_set_channels(deliverer, &channels[1], 1, &err), CW_OK);
	RUN_UNTIL(settled("evt_1") && settled("evt_3"));
	nstats = 0;
	cw_deliverer_stats(deliverer, count_stats, NULL);
	assert_int_equal(nstats, 1);
	assert_int_equal(row_of("evt_2")->d.state, CW_DELIVERY_PENDING);
	assert_int_equal(count_received(&slow), 1);
	/* And comes back elsewhere. */
	channels[0].url = r.url;
	assert_int_equal(cw_deliverer_set_channels(deliverer, channels, 2, &err), CW_OK);
	RUN_UNTIL(settled("evt_2"));
	close_deliverer(1000);
	assert_int_equal(row_of("evt_2")->d.state, CW_DELIVERY_DELIVERED);
	assert_int_equal(count_received(&r), 2);
	stop_receiver(&slow);
	stop_receiver(&r);
}

static void test_kick_finds_new_work(void **state)
{
	struct receiver r = RECEIVER("--answer", "200");
	struct cw_channel channel = channel_to(r.url);

	(void)state;
	open_deliverer(&channel, 1);
	RUN_UNTIL(box.fetches == 1);
	add_delivery("evt_1", "hook");
	cw_deliverer_kick(deliverer);
	RUN_UNTIL(settled("evt_1"));
	close_deliverer(1000);
	assert_int_equal(row_of("evt_1")->d.state, CW_DELIVERY_DELIVERED);
	stop_receiver(&r);
}

static void test_send(void **state)
{
	struct receiver r = RECEIVER("--answer", "200,403");
	struct cw_channel channel = channel_to(r.url);
	struct cw_event event = { .id = "evt_t", .type = "dev.clausewatch.test" };
	struct cw_error err = { 0 };
	int status = -1;

	(void)state;
	channel.enabled = false;
	assert_int_equal(cw_alert_send(&channel, &event, NULL, &status, &err), CW_OK);
	assert_int_equal(status, 200);
	assert_int_equal(cw_alert_send(&channel, &event, NULL, &status, &err), CW_EIO);
	assert_int_equal(status, 403);
	assert_string_equal(err.msg, "channel 'hook': HTTP 403");
	channel.url = "https://10.0.0.1/";
	assert_int_equal(cw_alert_send(&channel, &event, NULL, &status, &err), CW_EIO);
	assert_int_equal(status, 0);
	channel.url = "ftp://example.com/";
	assert_int_equal(cw_alert_send(&channel, &event, NULL, NULL, &err), CW_EINVAL);
	assert_int_equal(count_received(&r), 2);
	stop_receiver(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_delivered),
		TEST(test_rotation),
		TEST(test_retry),
		TEST(test_retry_after),
		TEST(test_gone),
		TEST(test_redirect),
		TEST(test_timeout),
		TEST(test_refused_connection),
		TEST(test_dead_letter_and_by_hand),
		TEST(test_big_answer),
		TEST(test_private),
		TEST(test_allowed),
		TEST(test_restart),
		TEST(test_close_waits),
		TEST(test_order_and_batches),
		TEST(test_slow_beside_fast),
		TEST(test_outbox_fails),
		TEST(test_pruned_event),
		TEST(test_set_channels),
		TEST(test_kick_finds_new_work),
		TEST(test_send),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
