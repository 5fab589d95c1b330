/*
 * The deliverer on the real store: what was committed arrives, over restarts of both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <dirent.h>
#include <uv.h>

#include "clausewatch/alert.h"
#include "receiver_fixture.h"

#define DEADLINE_MS 20000

static char dir[64];
static struct cw_store *store;
static uv_loop_t loop;
static uv_timer_t deadline;
static bool expired, closed;
static unsigned disabled;
static struct cw_store_outbox *box;
static struct cw_deliverer *deliverer;

static void on_deadline(uv_timer_t *timer)
{
	(void)timer;
	expired = true;
}

static void on_closed(void *ctx)
{
	(void)ctx;
	closed = true;
}

static void on_disabled(void *ctx, const char *channel, const struct cw_event *event)
{
	size_t n;

	(void)ctx;
	disabled++;
	assert_string_equal(event->type, "dev.clausewatch.delivery.disabled");
	assert_int_equal(cw_store_disable_channel(store, channel, event->time_ms, &n, NULL), CW_OK);
}

#define RUN_UNTIL(condition)                                                                       \
	do {                                                                                       \
		expired = false;                                                                   \
		uv_timer_start(&deadline, on_deadline, DEADLINE_MS, 0);                            \
		while (!(condition) && !expired)                                                   \
			uv_run(&loop, UV_RUN_ONCE);                                                \
		uv_timer_stop(&deadline);                                                          \
		assert_false(expired);                                                             \
	} while (0)

static int setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/cw-outbox-XXXXXX");
	disabled = 0;
	uv_loop_init(&loop);
	uv_timer_init(&loop, &deadline);
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char path[400];
	DIR *d = opendir(dir);
	struct dirent *entry;

	(void)state;
	while (d && (entry = readdir(d))) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		(void)unlink(path);
	}
	closedir(d);
	rmdir(dir);
	uv_close((uv_handle_t *)&deadline, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	return uv_loop_close(&loop);
}

static void start(const struct cw_channel *channels, size_t n)
{
	const struct cw_store_outbox_calls calls = { .disabled = on_disabled };
	const struct cw_store_options opts = { .map_start = (size_t)16 << 20 };
	struct cw_error err = { 0 };

	assert_int_equal(cw_store_open(dir, &opts, &store, &err), CW_OK);
	assert_int_equal(cw_store_outbox_open(&loop, store, &calls, &box, &err), CW_OK);
	assert_int_equal(cw_deliverer_open(&loop, cw_store_outbox(box), NULL, &deliverer, &err),
			 CW_OK);
	assert_int_equal(cw_deliverer_set_channels(deliverer, channels, n, &err), CW_OK);
}

static void stop(unsigned grace_ms)
{
	closed = false;
	cw_deliverer_close(deliverer, grace_ms, on_closed, NULL);
	RUN_UNTIL(closed);
	cw_store_outbox_close(box);
	cw_store_close(store);
}

/** Commit n events for those channels. */
static void commit(size_t n, const char *const *channels, size_t nchannels)
{
	for (size_t i = 0; i < n; i++) {
		struct cw_event event = {
			.type = "dev.clausewatch.risk.appeared",
			.path = "acme/msa.md",
			.severity = CW_HIGH,
		};
		struct cw_commit_event c = { &event, channels, nchannels, 0 };
		assert_int_equal(cw_event_stamp(&event, NULL), CW_OK);
		assert_int_equal(cw_store_add_events(store, &c, 1, NULL), CW_OK);
	}
}

static size_t in_state(enum cw_delivery_state state, const char *channel)
{
	struct cw_arena arena = { 0 };
	struct cw_delivery *list;
	size_t n;

	assert_int_equal(cw_store_deliveries(store, state, channel, 0, &arena, &list, &n, NULL),
			 CW_OK);
	cw_arena_release(&arena);
	return n;
}

static const char *const names[] = { "one", "two" };
static const char *const secrets[] = { SECRET };
static const int64_t quick[] = { 0, 10, 10 };

static struct cw_channel channel_to(const char *name, const char *url)
{
	return (struct cw_channel){
		.name = name,
		.url = url,
		.secrets = secrets,
		.nsecrets = 1,
		.retry_ms = quick,
		.nretry = 3,
		.enabled = true,
	};
}

static void test_delivered(void **state)
{
	struct receiver a = RECEIVER("--answer", "500,503,200"), b = RECEIVER("--answer", "200");
	struct cw_channel channels[2] = { channel_to("one", a.url), channel_to("two", b.url) };

	(void)state;
	start(channels, 2);
	commit(20, names, 2);
	cw_deliverer_kick(deliverer);
	RUN_UNTIL(in_state(CW_DELIVERY_DELIVERED, NULL) == 40);
	stop(1000);
	assert_int_equal(count_received(&a), 22);
	json_t *got = received(&b);
	assert_int_equal(json_array_size(got), 20);
	for (size_t i = 1; i < 20; i++)
		assert_true(strcmp(field(got, i - 1, "webhook-id"), field(got, i, "webhook-id")) <
			    0);
	assert_string_equal(field(got, 0, "signature"), "ok");
	json_decref(got);
	stop_receiver(&a);
	stop_receiver(&b);
}

static void test_restart(void **state)
{
	struct receiver slow = RECEIVER("--delay", "60000"), r = RECEIVER("--answer", "200");
	struct cw_channel channel = channel_to("one", slow.url);

	(void)state;
	start(&channel, 1);
	commit(10, names, 1);
	cw_deliverer_kick(deliverer);
	RUN_UNTIL(count_received(&slow) == 1);
	stop(0);

	channel.url = r.url;
	start(&channel, 1);
	RUN_UNTIL(in_state(CW_DELIVERY_DELIVERED, "one") == 10);
	stop(1000);
	assert_int_equal(count_received(&r), 10);
	stop_receiver(&slow);
	stop_receiver(&r);
}

static void test_dead_and_retried(void **state)
{
	struct receiver r = RECEIVER("--answer", "500,500,500,200");
	struct cw_channel channel = channel_to("one", r.url);
	size_t n = 0;

	(void)state;
	start(&channel, 1);
	commit(1, names, 1);
	cw_deliverer_kick(deliverer);
	RUN_UNTIL(in_state(CW_DELIVERY_DEAD, "one") == 1);
	assert_int_equal(cw_store_retry(store, NULL, "one", 1, &n, NULL), CW_OK);
	assert_int_equal(n, 1);
	cw_deliverer_kick(deliverer);
	RUN_UNTIL(in_state(CW_DELIVERY_DELIVERED, "one") == 1);
	stop(1000);
	stop_receiver(&r);
}

static void test_gone(void **state)
{
	struct receiver r = RECEIVER("--answer", "410");
	struct cw_channel channel = channel_to("one", r.url);

	(void)state;
	start(&channel, 1);
	commit(3, names, 1);
	cw_deliverer_kick(deliverer);
	RUN_UNTIL(in_state(CW_DELIVERY_DISABLED, "one") == 3);
	assert_int_equal(disabled, 1);
	stop(1000);
	assert_int_equal(count_received(&r), 1);
	stop_receiver(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_delivered),
		TEST(test_restart),
		TEST(test_dead_and_retried),
		TEST(test_gone),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
