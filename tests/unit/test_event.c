#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "clausewatch/event.h"

static const struct cw_event_change changes[] = {
	{
		.event = "changed",
		.term = "liab.cap",
		.id = "CW-7F3KQ2",
		.title = "Liability cap",
		.polarity = "protection",
		.direction = "riskier",
		.severity = CW_CRITICAL,
		.summary = "liability cap: 12 months' fees \xe2\x86\x92 unlimited",
		.section = "9.1",
		.heading = "Limitation \"of\" liability",
		.quote_before = "capped at\n12 months",
		.quote_after = "without limit",
		.line_start = 120,
		.line_end = UINT32_MAX,
		.why = "why",
		.advice = "advice",
		.fingerprint = "00ff",
	},
	{ .event = "appeared", .term = "data.training-grant", .severity = CW_INFO },
};

static const struct cw_attr data[] = {
	{ "count", CW_ATTR_NUMBER, "0.10" },
	{ "forced", CW_ATTR_BOOL, "true" },
	{ "reason", CW_ATTR_TEXT, "a, b" },
	{ "refs", CW_ATTR_LIST, "x,y" },
};

static const struct cw_event full = {
	.id = "evt_01",
	.type = "dev.clausewatch.protection.weakened",
	.time_ms = 1700000000123,
	.source = "contracts",
	.path = "acme/msa.md",
	.ref = "refs/heads/main",
	.cause = "commit",
	.commit = "abc",
	.author = "A <a@example.com>",
	.subject = "update",
	.commit_date = "2024-01-01T00:00:00Z",
	.host = "h",
	.summary = "1 change",
	.severity = CW_CRITICAL,
	.changes = changes,
	.nchanges = 2,
	.data = data,
	.ndata = 4,
};

static char *to_json(const struct cw_event *event)
{
	struct cw_buf buf = { 0 };

	cw_event_to_json(event, &buf);
	assert_int_equal(cw_buf_ok(&buf, NULL), CW_OK);
	return cw_buf_take(&buf);
}

static void test_round_trip(void **state)
{
	struct cw_arena arena = { 0 };
	struct cw_event back;
	char *first = to_json(&full);

	(void)state;
	assert_int_equal(cw_event_from_json(&arena, first, strlen(first), &back, NULL), CW_OK);
	char *second = to_json(&back);
	assert_string_equal(first, second);
	assert_string_equal(back.id, full.id);
	assert_int_equal(back.time_ms, full.time_ms);
	assert_int_equal(back.severity, CW_CRITICAL);
	assert_string_equal(back.commit_date, full.commit_date);
	assert_string_equal(back.changes[0].quote_before, "capped at\n12 months");
	assert_int_equal(back.changes[0].line_end, UINT32_MAX);
	assert_null(back.changes[1].quote_after);
	assert_string_equal(back.data[0].value, "0.10");
	assert_int_equal(back.data[3].kind, CW_ATTR_LIST);
	free(first);
	free(second);
	cw_arena_release(&arena);
}

static void test_least(void **state)
{
	struct cw_arena arena = { 0 };
	struct cw_event least = { .id = "a", .type = "t" }, back;
	char *json = to_json(&least);

	(void)state;
	assert_int_equal(cw_event_from_json(&arena, json, strlen(json), &back, NULL), CW_OK);
	assert_null(back.path);
	assert_null(back.changes);
	assert_int_equal(back.nchanges, 0);
	free(json);
	cw_arena_release(&arena);
}

static void test_copy(void **state)
{
	struct cw_arena scratch = { 0 }, arena = { 0 };
	struct cw_event event;
	char *json = to_json(&full);

	(void)state;
	assert_int_equal(cw_event_from_json(&scratch, json, strlen(json), &event, NULL), CW_OK);
	struct cw_event *copy = cw_event_copy(&arena, &event);
	assert_non_null(copy);
	/* The copy must not lean on the first arena. */
	cw_arena_release(&scratch);
	char *again = to_json(copy);
	assert_string_equal(json, again);
	free(json);
	free(again);
	cw_arena_release(&arena);
}

#define HEAD "{\"v\":1,\"id\":\"a\",\"time_ms\":1,\"type\":\"t\",\"severity\":\"low\","
static const struct {
	const char *name, *json;
	int ret;
	const char *msg;
} bad_cases[] = {
	{ "good", HEAD "\"changes\":[],\"data\":[]}", CW_OK, NULL },
	{ "unknown field", HEAD "\"changes\":[],\"data\":[],\"later\":{}}", CW_OK, NULL },
	{ "empty", "", CW_ECORRUPT, "not an event: " },
	{ "cut short", HEAD, CW_ECORRUPT, "not an event: " },
	{ "array", "[]", CW_ECORRUPT, "field 'v'" },
	{ "later version", "{\"v\":2}", CW_EUNSUPPORTED, "event of version 2" },
	{ "no id", "{\"v\":1}", CW_ECORRUPT, "field 'id'" },
	{ "dot in id", "{\"v\":1,\"id\":\"a.b\"}", CW_ECORRUPT, "field 'id'" },
	{ "long id", "{\"v\":1,\"id\":\"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd\"}", CW_ECORRUPT,
	  "field 'id'" },
	{ "no type",
	  "{\"v\":1,\"id\":\"a\",\"time_ms\":1,\"severity\":\"low\",\"changes\":[],\"data\":[]}",
	  CW_ECORRUPT, "field 'type'" },
	{ "bad severity", "{\"v\":1,\"id\":\"a\",\"time_ms\":1,\"severity\":\"dire\"}", CW_ECORRUPT,
	  "field 'severity'" },
	{ "path is a number", HEAD "\"path\":3,\"changes\":[],\"data\":[]}", CW_ECORRUPT,
	  "field 'path'" },
	{ "no changes", HEAD "\"data\":[]}", CW_ECORRUPT, "field 'changes'" },
	{ "change is a text", HEAD "\"changes\":[\"x\"],\"data\":[]}", CW_ECORRUPT,
	  "field 'changes'" },
	{ "line too big",
	  HEAD "\"changes\":[{\"severity\":\"low\",\"line_start\":4294967296}],\"data\":[]}",
	  CW_ECORRUPT, "field 'line_start'" },
	{ "unknown kind",
	  HEAD "\"changes\":[],\"data\":[{\"name\":\"n\",\"kind\":\"k\",\"value\":\"v\"}]}",
	  CW_ECORRUPT, "field 'data'" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_cases) / sizeof(*bad_cases); i++) {
		struct cw_arena arena = { 0 };
		struct cw_event event = { .summary = "untouched" };
		struct cw_error err = { 0 };
		print_message("  %s\n", bad_cases[i].name);
		int ret = cw_event_from_json(&arena, bad_cases[i].json, strlen(bad_cases[i].json),
					     &event, &err);
		assert_int_equal(ret, bad_cases[i].ret);
		if (ret < 0) {
			assert_non_null(strstr(err.msg, bad_cases[i].msg));
			assert_string_equal(event.summary, "untouched");
		}
		cw_arena_release(&arena);
	}
}

static void test_stamp(void **state)
{
	struct cw_event last = { 0 };

	(void)state;
	assert_int_equal(cw_event_stamp(&last, NULL), CW_OK);
	assert_int_equal(strlen(last.id), 30);
	assert_memory_equal(last.id, "evt_0", 5);
	assert_int_equal(strspn(last.id + 4, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
	assert_true(last.time_ms > 1700000000000);
	for (int i = 0; i < 20000; i++) {
		struct cw_event next = { 0 };
		assert_int_equal(cw_event_stamp(&next, NULL), CW_OK);
		assert_true(strcmp(next.id, last.id) > 0);
		last = next;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_least),
		cmocka_unit_test(test_copy),       cmocka_unit_test(test_bad),
		cmocka_unit_test(test_stamp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
