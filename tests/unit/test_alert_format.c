#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <jansson.h>

#include "alert/address.h"
#include "alert/format.h"
#include "clausewatch/alert.h"

#define BEFORE                                                                                     \
	"Provider's liability is limited to the fees paid in the twelve months before the claim."
#define AFTER                                                                                      \
	"Provider's liability <is> not limited & applies to \"all\" claims of every kind whatsoever."

static const struct cw_event_change cap = {
	.event = "changed",
	.term = "liab.cap",
	.id = "CW-7F3KQ2",
	.title = "Liability cap",
	.polarity = "protection",
	.direction = "riskier",
	.severity = CW_CRITICAL,
	.summary = "liability cap: 12 months' fees \xe2\x86\x92 unlimited",
	.section = "9.1",
	.heading = "Limitation of Liability",
	.quote_before = BEFORE,
	.quote_after = AFTER,
	.line_start = 120,
	.line_end = 124,
	.why = "why it matters",
	.advice = "what to do",
	.fingerprint = "00ff",
};

static const struct cw_attr data[] = {
	{ "count", CW_ATTR_NUMBER, "12.50" }, { "odd", CW_ATTR_NUMBER, "12 months" },
	{ "forced", CW_ATTR_BOOL, "true" },   { "reason", CW_ATTR_TEXT, "a, b" },
	{ "refs", CW_ATTR_LIST, "x,y" },
};

static const struct cw_event event = {
	.id = "evt_01",
	.type = "dev.clausewatch.protection.weakened",
	.time_ms = 1700000000123,
	.source = "my contracts",
	.path = "acme/msa.md",
	.cause = "commit",
	.commit = "0123456789abcdef",
	.author = "A <a@example.com>",
	.host = "legal.example.com",
	.summary = "1 change in acme/msa.md",
	.severity = CW_CRITICAL,
	.changes = &cap,
	.nchanges = 1,
	.data = data,
	.ndata = 5,
};

static const struct cw_channel thin = { .name = "c", .enabled = true };
static const struct cw_channel full = { .name = "c", .enabled = true, .include_text = true };

static char *render(const char *format, const struct cw_event *e, const struct cw_channel *c)
{
	struct cw_buf out = { 0 };

	assert_int_equal(cw_alert_format(format)->render(e, c, &out, NULL), CW_OK);
	assert_int_equal(strlen(out.data), out.len);
	return cw_buf_take(&out);
}

static json_t *parse(char *body)
{
	json_t *root = json_loads(body, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(root);
	free(body);
	return root;
}

static const char *text_of(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	assert_non_null(text);
	return text;
}

static void test_table(void **state)
{
	(void)state;
	assert_string_equal(cw_alert_format(NULL)->name, "generic");
	assert_string_equal(cw_alert_format("slack")->name, "slack");
	assert_null(cw_alert_format("teams"));
	assert_string_equal(cw_alert_format_name(0), "generic");
	assert_null(cw_alert_format_name(2));
}

static void test_generic(void **state)
{
	json_t *root = parse(render("generic", &event, &full));
	const json_t *d = json_object_get(root, "data");
	const json_t *c = json_array_get(json_object_get(d, "changes"), 0);
	const json_t *attrs = json_object_get(d, "attributes");

	(void)state;
	assert_string_equal(text_of(root, "specversion"), "1.0");
	assert_string_equal(text_of(root, "id"), "evt_01");
	assert_string_equal(text_of(root, "source"), "//legal.example.com/my%20contracts");
	assert_string_equal(text_of(root, "type"), event.type);
	assert_string_equal(text_of(root, "subject"), "acme/msa.md");
	assert_string_equal(text_of(root, "time"), "2023-11-14T22:13:20.123Z");
	assert_string_equal(text_of(root, "datacontenttype"), "application/json");
	assert_string_equal(text_of(root, "dataclassification"), "confidential");
	assert_string_equal(text_of(c, "quote_before"), BEFORE);
	assert_string_equal(text_of(c, "quote_after"), AFTER);
	assert_string_equal(text_of(c, "heading"), cap.heading);
	assert_int_equal(json_integer_value(json_object_get(c, "line_end")), 124);
	assert_true(json_is_true(json_object_get(attrs, "forced")));
	assert_true(json_real_value(json_object_get(attrs, "count")) == 12.5);
	assert_string_equal(text_of(attrs, "odd"), "12 months");
	assert_int_equal(json_array_size(json_object_get(attrs, "refs")), 2);
	assert_int_equal(json_integer_value(json_object_get(d, "changes_omitted")), 0);
	assert_null(json_object_get(d, "ref"));
	json_decref(root);
}

/* Nothing of the document may be in a body that does not include text. */
static void test_thin(void **state)
{
	static const char *const formats[] = { "generic", "slack" };
	struct cw_event_change leaky[2] = { cap, cap };
	struct cw_event e = event;

	(void)state;
	leaky[0].summary = "cap now says \"liability <is> not limited\" instead";
	leaky[1].summary = "was: liability is limited to the fees paid in the twelve months before";
	e.summary = "msa.md: \xe2\x80\x9cnot limited\xe2\x80\x9d appeared";
	e.changes = leaky;
	e.nchanges = 2;
	for (size_t i = 0; i < 2; i++) {
		char *body = render(formats[i], &e, &thin);
		print_message("  %s\n", formats[i]);
		assert_null(strstr(body, "twelve"));
		assert_null(strstr(body, "limited"));
		assert_null(strstr(body, "Limitation of"));
		/* What a lawyer needs to find the place is there. */
		assert_non_null(strstr(body, "CW-7F3KQ2"));
		assert_non_null(strstr(body, "9.1"));
		assert_non_null(strstr(body, "124"));
		assert_non_null(strstr(body, "cap now says \xe2\x80\xa6 instead"));
		assert_non_null(strstr(body, "Liability cap: changed, riskier"));
		free(body);
	}
	json_t *root = parse(render("generic", &event, &thin));
	const json_t *c =
		json_array_get(json_object_get(json_object_get(root, "data"), "changes"), 0);
	assert_string_equal(text_of(root, "dataclassification"), "internal");
	assert_string_equal(text_of(c, "summary"), cap.summary);
	json_decref(root);
}

static struct cw_event many(struct cw_event_change *changes, size_t n)
{
	struct cw_event e = event;

	for (size_t i = 0; i < n; i++)
		changes[i] = cap;
	e.changes = changes;
	e.nchanges = n;
	return e;
}

static void test_generic_limit(void **state)
{
	static struct cw_event_change changes[400];
	struct cw_event e = many(changes, 400);
	char *body = render("generic", &e, &full);

	(void)state;
	assert_true(strlen(body) <= 64 * 1024);
	json_t *root = parse(body);
	const json_t *d = json_object_get(root, "data");
	size_t shown = json_array_size(json_object_get(d, "changes"));
	assert_true(shown > 50);
	assert_int_equal(json_integer_value(json_object_get(d, "changes_total")), 400);
	assert_int_equal(json_integer_value(json_object_get(d, "changes_omitted")), 400 - shown);
	json_decref(root);
}

/** Check what Slack would; returns all texts one after the other, to be freed. */
static char *check_slack(char *body)
{
	size_t units = cw_format_units(body, strlen(body));
	json_t *root = parse(body);
	const json_t *blocks = json_object_get(root, "blocks");
	struct cw_buf all = { 0 };

	assert_true(units < 13000);
	assert_true(json_array_size(blocks) <= 50);
	assert_true(*text_of(root, "text"));
	for (size_t i = 0; i < json_array_size(blocks); i++) {
		const json_t *block = json_array_get(blocks, i);
		const char *type = text_of(block, "type");
		const json_t *text = json_object_get(block, "text");
		if (strcmp(type, "context") == 0)
			text = json_array_get(json_object_get(block, "elements"), 0);
		const char *words = text_of(text, "text");
		assert_true(*words);
		assert_true(cw_format_units(words, strlen(words)) <=
			    (strcmp(type, "header") == 0 ? 150 : 3000));
		cw_buf_printf(&all, "%s\n", words);
	}
	json_decref(root);
	return cw_buf_take(&all);
}

static void test_slack(void **state)
{
	char *text = check_slack(render("slack", &event, &full));

	(void)state;
	assert_non_null(strstr(text, "[critical] msa.md"));
	assert_non_null(strstr(text, ">" BEFORE));
	assert_non_null(strstr(text, ">Provider's liability &lt;is&gt; not limited &amp; applies"));
	assert_null(strstr(text, "<is>"));
	assert_non_null(strstr(text, "section 9.1"));
	assert_non_null(strstr(text, "lines 120\xe2\x80\x93"
				     "124"));
	assert_null(strstr(text, "more"));
	free(text);
}

static void test_slack_drops_whole_changes(void **state)
{
	static struct cw_event_change changes[60];
	struct cw_event e = many(changes, 60);
	char *text = check_slack(render("slack", &e, &full));
	size_t shown = 0;

	(void)state;
	for (const char *at = text; (at = strstr(at, ">" BEFORE)); at++)
		shown++;
	assert_true(shown > 3 && shown < 60);
	/* The last one is whole too. */
	size_t afters = 0;
	for (const char *at = text; (at = strstr(at, "of every kind whatsoever.")); at++)
		afters++;
	assert_int_equal(shown, afters);
	char more[40];
	(void)snprintf(more, sizeof(more), "_and %zu more_", 60 - shown);
	assert_non_null(strstr(text, more));
	free(text);
}

/* Words of every width, and much that has to be escaped. */
static char *long_text(const char *word, size_t size)
{
	struct cw_buf text = { 0 };

	while (text.len < size)
		cw_buf_puts(&text, word);
	return cw_buf_take(&text);
}

static void test_slack_long(void **state)
{
	static const char *const words[] = { "liability ",   "&<> ",
					     "\"\\\" ",      "\xf0\x9f\x98\x80 ",
					     "\xe6\xb3\x95", "line\n",
					     "\x01\xff ",    "x" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		char *text = long_text(words[i], 9000);
		struct cw_event_change changes[3] = { cap, cap, cap };
		struct cw_attr attrs[30];
		struct cw_event e = event;
		print_message("  word %zu\n", i);
		changes[0].quote_before = changes[0].quote_after = text;
		changes[0].summary = changes[0].why = changes[0].advice = text;
		changes[0].title = changes[0].section = changes[0].heading = text;
		for (size_t j = 0; j < 30; j++)
			attrs[j] = (struct cw_attr){ text, CW_ATTR_TEXT, text };
		e.changes = changes;
		e.nchanges = 3;
		e.data = attrs;
		e.ndata = 30;
		e.summary = e.path = e.author = e.subject = e.source = e.ref = text;
		char *all = check_slack(render("slack", &e, &full));
		assert_non_null(strstr(all, "\xe2\x80\xa6"));
		free(all);
		free(text);
	}
}

static void test_slack_cuts_at_words(void **state)
{
	char *quote = long_text("liability ", 4000);
	struct cw_event_change change = cap;
	struct cw_event e = event;

	(void)state;
	change.quote_before = quote;
	change.quote_after = NULL;
	e.changes = &change;
	char *text = check_slack(render("slack", &e, &full));
	assert_non_null(strstr(text, "liability\xe2\x80\xa6\n"));
	/* Not shorter than it has to be. */
	assert_true(strlen(strstr(text, ">liability")) > 2980);
	free(text);

	/* One that fits is left alone, to the last letter. */
	quote[2900] = '\0';
	text = check_slack(render("slack", &e, &full));
	assert_non_null(strstr(text, quote));
	free(text);
	free(quote);
}

static void test_no_changes(void **state)
{
	struct cw_event e = { .id = "evt_02",
			      .type = "dev.clausewatch.watch.degraded",
			      .severity = CW_HIGH };

	(void)state;
	free(check_slack(render("slack", &e, &thin)));
	json_t *root = parse(render("generic", &e, &thin));
	assert_string_equal(text_of(root, "source"), "//localhost");
	json_decref(root);
}

/* ---- routing ---- */

static const char *const risks[] = { "risk.*" };
static const char *const whole[] = { "dev.clausewatch.protection.*" };
static const char *const others[] = { "legal-*" };
static const struct {
	const char *name;
	struct cw_channel channel;
	bool wants;
} route_cases[] = {
	{ "all", { .enabled = true }, true },
	{ "disabled", { .enabled = false }, false },
	{ "other type", { .enabled = true, .types = risks, .ntypes = 1 }, false },
	{ "whole type", { .enabled = true, .types = whole, .ntypes = 1 }, true },
	{ "other source", { .enabled = true, .sources = others, .nsources = 1 }, false },
	{ "severity met", { .enabled = true, .min_severity = CW_CRITICAL }, true },
};

static void test_route(void **state)
{
	struct cw_event low = event, ours = event;

	(void)state;
	for (size_t i = 0; i < sizeof(route_cases) / sizeof(*route_cases); i++) {
		print_message("  %s\n", route_cases[i].name);
		assert_int_equal(cw_channel_wants(&route_cases[i].channel, &event),
				 route_cases[i].wants);
	}
	low.severity = CW_HIGH;
	assert_false(cw_channel_wants(&route_cases[5].channel, &low));
	low.type = "dev.clausewatch.risk.appeared";
	assert_true(cw_channel_wants(&route_cases[2].channel, &low));
	ours.source = "legal-eu";
	assert_true(cw_channel_wants(&route_cases[4].channel, &ours));
	ours.source = NULL;
	assert_true(cw_channel_wants(&route_cases[4].channel, &ours));
}

/* ---- channels and addresses ---- */

static const char *const bad_secret[] = { "whsec_short" };
static const char *const bad_glob[] = { "risk.[" };
static const struct {
	const char *name;
	struct cw_channel channel;
	const char *msg; /* NULL: it is fine */
} channel_cases[] = {
	{ "https", { .name = "c", .url = "https://example.com/hook?key=SECRET" }, NULL },
	{ "localhost", { .name = "c", .url = "http://localhost:8080/" }, NULL },
	{ "loopback", { .name = "c", .url = "http://127.0.0.2:8080/" }, NULL },
	{ "loopback 6", { .name = "c", .url = "http://[::1]:8080/" }, NULL },
	{ "http", { .name = "c", .url = "http://example.com/SECRET" }, "not https" },
	{ "looks local",
	  { .name = "c", .url = "http://localhost.example.com/SECRET" },
	  "not https" },
	{ "file", { .name = "c", .url = "file:///SECRET" }, "channel 'c'" },
	{ "user", { .name = "c", .url = "https://u:SECRET@example.com/" }, "user name" },
	{ "no url", { .name = "c" }, "url is missing" },
	{ "no address", { .name = "c", .url = "https://" }, "channel 'c': url" },
	{ "no name", { .url = "https://example.com/SECRET" }, "name" },
	{ "format",
	  { .name = "c", .url = "https://example.com/SECRET", .format = "teams" },
	  "unknown format 'teams'" },
	{ "secret",
	  { .name = "c",
	    .url = "https://example.com/SECRET",
	    .secrets = bad_secret,
	    .nsecrets = 1 },
	  "secret 1: " },
	{ "glob",
	  { .name = "c", .url = "https://example.com/SECRET", .types = bad_glob, .ntypes = 1 },
	  "channel 'c'" },
};

static void test_channel(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(channel_cases) / sizeof(*channel_cases); i++) {
		struct cw_error err = { 0 };
		print_message("  %s\n", channel_cases[i].name);
		int ret = cw_channel_check(&channel_cases[i].channel, &err);
		assert_int_equal(ret, channel_cases[i].msg ? CW_EINVAL : CW_OK);
		if (channel_cases[i].msg)
			assert_non_null(strstr(err.msg, channel_cases[i].msg));
		assert_null(strstr(err.msg, "SECRET"));
		assert_null(strstr(err.msg, "short"));
	}
}

static const struct {
	const char *text;
	bool private;
} address_cases[] = {
	{ "8.8.8.8", false },
	{ "172.15.255.255", false },
	{ "172.32.0.0", false },
	{ "100.63.255.255", false },
	{ "2606:4700::1111", false },
	{ "::ffff:8.8.8.8", false },
	{ "64:ff9b::8.8.8.8", false },
	{ "2a00:1450::1", false },
	{ "0.0.0.0", true },
	{ "10.0.0.1", true },
	{ "100.64.0.1", true },
	{ "100.127.255.255", true },
	{ "127.0.0.1", true },
	{ "169.254.169.254", true },
	{ "172.16.0.1", true },
	{ "172.31.255.255", true },
	{ "192.168.1.1", true },
	{ "198.19.0.1", true },
	{ "224.0.0.1", true },
	{ "255.255.255.255", true },
	{ "::", true },
	{ "::1", true },
	{ "::7f00:1", true },
	{ "::ffff:10.0.0.1", true },
	{ "64:ff9b::10.0.0.1", true },
	{ "fd00::1", true },
	{ "fe80::1%eth0", true },
	{ "ff02::1", true },
	{ "2002:a00:1::", true },
	{ "2001:db8::1", true },
};

static void test_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(address_cases) / sizeof(*address_cases); i++) {
		struct cw_addr addr;
		print_message("  %s\n", address_cases[i].text);
		assert_true(cw_addr_parse(address_cases[i].text, &addr));
		assert_int_equal(cw_addr_private(&addr), address_cases[i].private);
	}
	struct cw_net net;
	assert_int_equal(cw_net_parse("10.1.0.0/15", &net, NULL), CW_OK);
	struct cw_addr addr;
	assert_true(cw_addr_parse("10.0.255.1", &addr) && cw_net_has(&net, &addr));
	assert_true(cw_addr_parse("::ffff:10.1.2.3", &addr) && cw_net_has(&net, &addr));
	assert_true(cw_addr_parse("10.2.0.0", &addr) && !cw_net_has(&net, &addr));
	assert_false(cw_addr_parse("10.1", &addr));
}

static const struct {
	const char *text, *msg;
} bad_nets[] = {
	{ "10.0.0.0/33", "prefix is not 0 to 32" },
	{ "fd00::/129", "prefix is not 0 to 128" },
	{ "10.0.0.0/", "prefix" },
	{ "10.0.0.0/8x", "prefix" },
	{ "10.0.0/8", "no address" },
	{ "example.com", "no address" },
	{ "", "no address" },
	{ "fe80::1%eth0", "no address" },
};

static void test_bad_nets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_nets) / sizeof(*bad_nets); i++) {
		struct cw_net net;
		struct cw_error err = { 0 };
		print_message("  '%s'\n", bad_nets[i].text);
		assert_int_equal(cw_net_parse(bad_nets[i].text, &net, &err), CW_EINVAL);
		assert_non_null(strstr(err.msg, bad_nets[i].msg));
	}
}

/* ---- judging ---- */

static const int64_t retry[] = { 0, 1000, 4000 };
static const struct {
	const char *name;
	int status;
	int64_t retry_after;
	unsigned attempts;
	enum cw_delivery_state state;
	int64_t wait, pause;
	const char *error;
} judge_cases[] = {
	{ "200", 200, 0, 1, CW_DELIVERY_DELIVERED, 0, 0, "" },
	{ "204", 204, 0, 3, CW_DELIVERY_DELIVERED, 0, 0, "" },
	{ "302", 302, 0, 1, CW_DELIVERY_PENDING, 1000, 0, "HTTP 302: redirects are not followed" },
	{ "400", 400, 0, 1, CW_DELIVERY_PENDING, 1000, 0, "HTTP 400" },
	{ "500 again", 500, 0, 2, CW_DELIVERY_PENDING, 4000, 0, "HTTP 500" },
	{ "500 asks", 500, 9000, 1, CW_DELIVERY_PENDING, 1000, 0, "HTTP 500" },
	{ "last", 500, 0, 3, CW_DELIVERY_DEAD, 0, 0, "HTTP 500" },
	{ "410", 410, 0, 1, CW_DELIVERY_DISABLED, 0, 0, "HTTP 410" },
	{ "429", 429, 0, 1, CW_DELIVERY_PENDING, 1000, 1000, "HTTP 429" },
	{ "429 asks", 429, 9000, 1, CW_DELIVERY_PENDING, 9000, 9000, "HTTP 429" },
	{ "503 asks little", 503, 10, 1, CW_DELIVERY_PENDING, 1000, 10, "HTTP 503" },
	{ "504 asks much", 504, 999999999, 1, CW_DELIVERY_PENDING, CW_RETRY_AFTER_MAX_MS,
	  CW_RETRY_AFTER_MAX_MS, "HTTP 504" },
	{ "502 at last", 502, 0, 3, CW_DELIVERY_DEAD, 0, 4000, "HTTP 502" },
	{ "nothing", 0, 0, 1, CW_DELIVERY_PENDING, 1000, 0, "why" },
};

static void test_judge(void **state)
{
	const struct cw_channel channel = { .name = "c", .retry_ms = retry, .nretry = 3 };

	(void)state;
	for (size_t i = 0; i < sizeof(judge_cases) / sizeof(*judge_cases); i++) {
		struct cw_attempt_result result = { judge_cases[i].status,
						    judge_cases[i].retry_after,
						    judge_cases[i].status ? NULL : "why" };
		struct cw_verdict v;
		print_message("  %s\n", judge_cases[i].name);
		cw_attempt_judge(&channel, judge_cases[i].attempts, &result, 0.5, &v);
		assert_int_equal(v.state, judge_cases[i].state);
		assert_int_equal(v.wait_ms, judge_cases[i].wait);
		assert_int_equal(v.pause_ms, judge_cases[i].pause);
		assert_int_equal(v.disable, judge_cases[i].status == 410);
		assert_memory_equal(v.error, judge_cases[i].error, strlen(judge_cases[i].error));
	}
}

static void test_jitter_and_limits(void **state)
{
	const struct cw_channel channel = { .retry_ms = retry, .nretry = 3, .max_attempts = 5 };
	const struct cw_channel plain = { .name = "c" };
	struct cw_attempt_result failed = { .status = 500 };
	struct cw_verdict v;

	(void)state;
	cw_attempt_judge(&channel, 1, &failed, 0, &v);
	assert_int_equal(v.wait_ms, 800);
	cw_attempt_judge(&channel, 1, &failed, 1, &v);
	assert_in_range(v.wait_ms, 1199, 1200);
	/* More attempts than waits: the last one repeats. */
	cw_attempt_judge(&channel, 4, &failed, 0.5, &v);
	assert_int_equal(v.wait_ms, 4000);
	cw_attempt_judge(&channel, 5, &failed, 0.5, &v);
	assert_int_equal(v.state, CW_DELIVERY_DEAD);
	/* By default ten attempts. */
	cw_attempt_judge(&plain, 1, &failed, 0.5, &v);
	assert_int_equal(v.wait_ms, 5000);
	cw_attempt_judge(&plain, 9, &failed, 0.5, &v);
	assert_int_equal(v.wait_ms, 86400000);
	cw_attempt_judge(&plain, 10, &failed, 0.5, &v);
	assert_int_equal(v.state, CW_DELIVERY_DEAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_generic),
		cmocka_unit_test(test_thin),
		cmocka_unit_test(test_generic_limit),
		cmocka_unit_test(test_slack),
		cmocka_unit_test(test_slack_drops_whole_changes),
		cmocka_unit_test(test_slack_long),
		cmocka_unit_test(test_slack_cuts_at_words),
		cmocka_unit_test(test_no_changes),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_channel),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_bad_nets),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_jitter_and_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
