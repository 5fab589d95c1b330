#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "clausewatch/ruleset.h"

static const char pack[] =
	"lexicons:\n"
	"  use: {part: does, words: [use~]}\n"
	"  data: {part: what, words: ['(customer|your) (data|content)', content]}\n"
	"  train: {part: for, words: [train~]}\n"
	"  not: {part: may, words: [not, never]}\n"
	"  forever: [perpetual]\n"
	"terms:\n"
	"  data.grant: {title: Grant, severity: high, why: w, advice: a}\n"
	"  data.grant.train: {title: Training, severity: critical, codes: [X-1]}\n"
	"  data.no-train: {polarity: protection, expected: true}\n"
	"rules:\n"
	"  - id: train\n"
	"    term: data.grant.train\n"
	"    frames: [vendor use data train]\n"
	"    unless: [not ..4 use]\n"
	"    attributes: {perpetual: '&forever', always: 'true'}\n"
	"    match: ['Vendor may use Customer Data to train.']\n"
	"    no_match: ['Vendor shall not use Customer Data to train.']\n"
	"  - id: no-train\n"
	"    term: data.no-train\n"
	"    frames: [vendor not use data train]\n";

static struct cw_ruleset *build(const char *text, struct cw_error *err)
{
	struct cw_ruleset_builder *b = cw_ruleset_builder_new();
	struct cw_ruleset *rules = NULL;

	assert_non_null(b);
	if (cw_ruleset_builder_add(b, "p.yaml", text, strlen(text), err) == CW_OK &&
	    cw_ruleset_builder_finish(b, &rules, err) < 0)
		assert_null(rules);
	cw_ruleset_builder_free(b);
	return rules;
}

static const struct {
	const char *text;
	const char *found; /* "line:term line:term" */
} cases[] = {
	{ "Vendor may use Customer Data to train models.\n", "1:data.grant 1:data.grant.train" },
	{ "Vendor shall not use Customer Data to train models.\n", "1:data.no-train" },
	{ "Customer may use Customer Data to train models.\n", "" },
	/* one sentence ends where the next begins */
	{ "Vendor may use the site. Customer Data may train nobody.\n", "" },
	/* a bullet goes on where its lead-in stops, and is the one that is found */
	{ "Vendor may use Customer Data:\n\n- to run the service;\n- to train models.\n",
	  "4:data.grant 4:data.grant.train" },
	{ "Vendor shall not:\n\n- use Customer Data to train models.\n", "3:data.no-train" },
	/* items of one sentence do not lend each other their words */
	{ "Vendor may: (a) use Customer Data for support; (b) train its staff.\n", "" },
	{ "Vendor may: (a) run ads; (b) use Customer Data to train models.\n",
	  "1:data.grant 1:data.grant.train" },
	{ "# Vendor may use Customer Data to train\n\nNothing here.\n", "" },
};

static void test_find(void **state)
{
	struct cw_error err = { 0 };
	struct cw_ruleset *rules = build(pack, &err);

	(void)state;
	assert_non_null(rules);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cw_analysis *a = NULL;
		char found[256] = "";

		print_message("  %.60s\n", cases[i].text);
		assert_int_equal(cw_analyse(rules, cases[i].text, strlen(cases[i].text),
					    CW_FORMAT_MARKDOWN, NULL, &a, &err),
				 CW_OK);
		for (size_t k = 0; k < a->nfindings; k++) {
			size_t at = strlen(found);
			snprintf(found + at, sizeof(found) - at, "%s%u:%s", at ? " " : "",
				 a->findings[k].span.line_start, a->findings[k].term_id);
		}
		assert_string_equal(found, cases[i].found);
		cw_analysis_free(a);
	}
	cw_ruleset_free(rules);
}

static void test_finding(void **state)
{
	static const char text[] = "Hello there. Vendor may use Customer Data to train, on a "
				   "perpetual basis. The end.\n";
	struct cw_ruleset *rules = build(pack, NULL);
	struct cw_analysis *a = NULL;

	(void)state;
	assert_int_equal(cw_analyse(rules, text, strlen(text), CW_FORMAT_TEXT, NULL, &a, NULL),
			 CW_OK);
	assert_int_equal(a->nfindings, 2);
	const struct cw_finding *f = &a->findings[1];
	assert_string_equal(f->term_id, "data.grant.train");
	assert_string_equal(f->rule->id, "train");
	assert_int_equal(f->severity, CW_CRITICAL);
	assert_int_equal(f->direction, CW_VENDOR);
	assert_int_equal(f->nattrs, 2);
	assert_string_equal(f->attrs[0].name, "perpetual");
	assert_int_equal(f->quote_end - f->quote_start,
			 strlen("Vendor may use Customer Data to train, on a perpetual basis."));
	assert_memory_equal(text + f->quote_start, "Vendor may use", 14);
	assert_int_equal(f->nevidence, 4);
	assert_int_equal(f->evidence[1].part, CW_PART_DOES);
	assert_memory_equal(text + f->evidence[1].byte_start, "use", 3);
	assert_int_equal(strlen(f->id), 9);
	assert_int_equal(a->nsilent, 1);
	assert_string_equal(a->silent[0], "data.no-train");
	cw_analysis_free(a);
	cw_ruleset_free(rules);
}

static const struct {
	const char *text, *msg;
} bad[] = {
	{ "rulez: []\n", "p.yaml:1:1: unknown key 'rulez', did you mean 'rules'?" },
	{ "rules:\n  - id: a\n    term: x.y\n    frames: [vendor]\n",
	  "p.yaml:3:11: no term 'x.y' is described" },
	{ "terms: {x.y: {}}\nrules:\n  - id: a\n    term: x.y\n    frames: [vendr]\n",
	  "p.yaml:5:14: no lexicon 'vendr', did you mean 'vendor'?" },
	{ "lexicons:\n  a: ['(b']\n", "p.yaml:2:7: '(b': ')' is missing" },
	{ "lexicons:\n  a: {include: [b]}\n", "p.yaml:2:17: no lexicon 'b'" },
	{ "rules:\n  - id: a\n  - id: a\n", "p.yaml:3:9: rule 'a' stands at line 2 already" },
	{ "terms:\n  a.b: {severity: hihg}\n", NULL },
};

/** What is quoted of a finding: its sentence, and behind a mere title the next one as well. */
static void test_quote(void **state)
{
	static const struct {
		const char *text, *quote;
		enum cw_direction direction;
	} quotes[] = {
		{ "Use. Vendor may use Customer Data to train. It is so.\n",
		  "Vendor may use Customer Data to train.", CW_VENDOR },
		{ "1. Train the content.  It is free for Vendor. It is so.\n",
		  "Train the content.  It is free for Vendor.", CW_UNKNOWN },
		{ "1. It rains. Train the content. It is so.\n", "Train the content.", CW_UNKNOWN },
		{ "1. So it is. Vendor will now train the content.\n",
		  "Vendor will now train the content.", CW_VENDOR },
	};
	static const char rule[] = "lexicons:\n  train: [train~]\n  data: [content]\n"
				   "  customer-data: [customer data]\n"
				   "terms:\n  data.grant: {severity: high}\n"
				   "rules:\n  - {id: a, term: data.grant, frames: [train data]}\n"
				   "  - {id: b, term: data.grant, frames: [vendor "
				   "customer-data train]}\n";
	struct cw_error err = { 0 };
	struct cw_ruleset *rules = build(rule, &err);

	(void)state;
	assert_non_null(rules);
	for (size_t i = 0; i < sizeof(quotes) / sizeof(*quotes); i++) {
		struct cw_analysis *a;
		const char *text = quotes[i].text;
		assert_int_equal(
			cw_analyse(rules, text, strlen(text), CW_FORMAT_TEXT, NULL, &a, &err),
			CW_OK);
		assert_int_equal(a->nfindings, 1);
		const struct cw_finding *f = &a->findings[0];
		assert_int_equal(f->quote_end - f->quote_start, strlen(quotes[i].quote));
		assert_memory_equal(text + f->quote_start, quotes[i].quote,
				    strlen(quotes[i].quote));
		assert_int_equal(f->direction, quotes[i].direction);
		cw_analysis_free(a);
	}
	cw_ruleset_free(rules);
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct cw_error err = { 0 };

		print_message("  %.40s\n", bad[i].text);
		assert_null(build(bad[i].text, &err));
		assert_int_equal(err.code, CW_EINVAL);
		if (bad[i].msg)
			assert_string_equal(err.msg, bad[i].msg);
	}
}

static void count_failure(void *ctx, const struct cw_rule *rule, const char *example, bool should)
{
	(void)example;
	(void)should;
	assert_string_equal(rule->id, "train");
	++*(int *)ctx;
}

static void test_examples(void **state)
{
	struct cw_ruleset *rules = build(pack, NULL);
	size_t run = 0;
	int seen = 0;

	(void)state;
	assert_int_equal(cw_ruleset_test(rules, count_failure, &seen, &run, NULL), 0);
	assert_int_equal(run, 2);
	cw_ruleset_free(rules);

	/* the same pack without its exception breaks the second example */
	char broken[sizeof(pack)];
	memcpy(broken, pack, sizeof(pack));
	char *at = strstr(broken, "not ..4 use");
	memcpy(at, "not ..4 not", 11);
	rules = build(broken, NULL);
	assert_int_equal(cw_ruleset_test(rules, count_failure, &seen, &run, NULL), 1);
	assert_int_equal(seen, 1);
	cw_ruleset_free(rules);
}

/* A rule that breaks its word finds nothing; the others go on. */
static void test_enforce(void **state)
{
	static const char text[] = "Vendor may use Customer Data to train.\n\n"
				   "Vendor shall not use Customer Data to train.\n";
	char broken[sizeof(pack)];
	struct cw_analysis *a = NULL;
	int seen = 0;

	(void)state;
	memcpy(broken, pack, sizeof(pack));
	memcpy(strstr(broken, "not ..4 use"), "not ..4 not", 11);
	struct cw_ruleset *rules = build(broken, NULL);
	assert_int_equal(cw_ruleset_enforce(rules, count_failure, &seen, NULL, NULL), 1);
	assert_int_equal(seen, 1);
	assert_int_equal(cw_analyse(rules, text, strlen(text), CW_FORMAT_TEXT, NULL, &a, NULL),
			 CW_OK);
	assert_int_equal(a->nfindings, 1);
	assert_string_equal(a->findings[0].rule->id, "no-train");
	cw_analysis_free(a);
	cw_ruleset_free(rules);
}

static void test_digest(void **state)
{
	struct cw_ruleset *a = build(pack, NULL), *b = build(pack, NULL);
	struct cw_ruleset *c = build("terms: {x.y: {}}\n", NULL);

	(void)state;
	assert_string_equal(cw_ruleset_digest(a), cw_ruleset_digest(b));
	assert_string_not_equal(cw_ruleset_digest(a), cw_ruleset_digest(c));
	assert_int_equal(strlen(cw_ruleset_digest(a)), 71);
	assert_string_equal(cw_ruleset_term(a, "data.grant.other")->id, "data.grant");
	assert_null(cw_ruleset_term(a, "date.grant"));
	cw_ruleset_free(a);
	cw_ruleset_free(b);
	cw_ruleset_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),     cmocka_unit_test(test_finding),
		cmocka_unit_test(test_quote),    cmocka_unit_test(test_bad),
		cmocka_unit_test(test_examples), cmocka_unit_test(test_enforce),
		cmocka_unit_test(test_digest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
