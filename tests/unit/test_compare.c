#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "clausewatch/compare.h"
#include "clausewatch/ruleset.h"

static const char pack[] =
	"lexicons:\n"
	"  use: [use~, process~]\n"
	"  data: ['[customer|your] (data|content)']\n"
	"  train: [train~]\n"
	"  improve: [improve~]\n"
	"  not: [not, never]\n"
	"  cap: ['liability']\n"
	"  exceed: [exceed~]\n"
	"  delete: [delete~]\n"
	"terms:\n"
	"  data.training-grant: {title: Training with customer data, severity: critical}\n"
	"  data.improve-services: {title: Improvement with customer data, severity: high}\n"
	"  data.no-training: {title: No training, polarity: protection, severity: high}\n"
	"  data.service-only: {title: Service only, polarity: protection, severity: high}\n"
	"  data.deletion: {title: Deletion, polarity: protection}\n"
	"  liab.cap: {title: Limit of liability, severity: high}\n"
	"  liab.cap-carveout: {title: Exception from the limit, polarity: protection}\n"
	"  gov.ai-prohibition: {title: Customer may not train, polarity: neutral}\n"
	"rules:\n"
	"  - {id: grant, term: data.training-grant, frames: [vendor use data train],\n"
	"     unless: [not ..5 use]}\n"
	"  - {id: improve, term: data.improve-services, frames: [vendor use data improve],\n"
	"     unless: [not ..5 use, '\"only\" .. improve']}\n"
	"  - {id: none, term: data.no-training, frames: [vendor not ..5 use data train]}\n"
	"  - {id: only, term: data.service-only, frames: ['vendor use data \"only\"']}\n"
	"  - {id: delete, term: data.deletion, frames: [vendor delete data]}\n"
	"  - {id: cap, term: liab.cap, frames: [cap not exceed]}\n"
	"  - {id: carve, term: liab.cap-carveout,\n"
	"     frames: ['\"limit\" not \"apply\"']}\n"
	"  - {id: ban, term: gov.ai-prohibition, frames: [customer not use data train]}\n";

/* Clauses that say nothing of these terms. */
#define FEES "Customer pays the fees of the order within thirty days after each invoice.\n\n"
#define LAW "The laws of Norway govern this agreement and the courts of Oslo hear disputes.\n\n"
#define SUPPORT "Support answers on working days between eight and four o'clock in Bergen.\n\n"
#define GRANT "Vendor may use Customer Data to train models.\n\n"
#define NONE "Vendor shall not use Customer Data to train models.\n\n"
#define CAP                                                                                        \
	"Vendor's liability shall not exceed the fees paid in the twelve (12) months before.\n\n"

static const struct {
	const char *name, *old, *new;
	const char *alerts; /* "event effect term", worst first, one a line */
	const char *summary; /* of the first change, or NULL */
} cases[] = {
	{ "grant appears", FEES LAW, FEES GRANT LAW, "appeared riskier data.training-grant\n",
	  "Training with customer data added: “Vendor may use Customer Data to train models.”" },
	{ "grant removed", FEES GRANT LAW, FEES LAW, "removed safer data.training-grant\n",
	  "Training with customer data removed, nothing else says it: “Vendor may use Customer "
	  "Data to train models.”" },
	{ "second grant", GRANT FEES,
	  GRANT FEES "In surveys, Vendor may use Customer data to train voice assistants.\n\n",
	  "changed riskier data.training-grant\n", NULL },
	{ "one grant of two goes",
	  GRANT FEES "In surveys, Vendor may use Customer data to train voice assistants.\n\n",
	  GRANT FEES, "changed safer data.training-grant\n", NULL },
	{ "grant gets an opt-out", FEES GRANT,
	  FEES "Vendor may use Customer Data to train models unless Customer opts out.\n\n",
	  "changed safer data.training-grant\n",
	  "Training with customer data: now also “unless Customer opts out”" },
	{ "opt-out goes",
	  FEES "Vendor may use Customer Data to train models unless Customer opts out.\n\n",
	  FEES GRANT, "changed riskier data.training-grant\n",
	  "Training with customer data: no longer “unless Customer opts out”" },
	{ "purpose added", "Vendor may use Customer Data to improve the service.\n",
	  "Vendor may use Customer Data to improve and promote the service.\n",
	  "changed riskier data.improve-services\n",
	  "Improvement with customer data: now also “and promote”" },
	{ "fewer words that reach further",
	  "Vendor may use Customer Data as it arrives day by day to improve the service here.\n",
	  "Vendor may use Customer Data to improve the service, perpetual and irrevocable.\n",
	  "changed riskier data.improve-services\n", NULL },
	{ "data narrowed", "Vendor may use all kinds of Customer Data to improve the service.\n",
	  "Vendor may use Customer Data, aggregated, to improve the service.\n",
	  "changed safer data.improve-services\n", NULL },
	{ "purpose added to what is confined",
	  "Vendor may use Customer Data only to provide the service.\n",
	  "Vendor may use Customer Data only to provide and improve the service.\n",
	  "changed riskier data.service-only\n", NULL },
	{ "protection deleted inside a reformatted page", "# Agreement\n\n" FEES NONE LAW SUPPORT,
	  "Agreement\n=========\n\n1. Customer pays the **fees** of the [order](https://example.org) within\n"
	  "thirty days after each invoice.\n2. The laws of Norway govern this agreement\nand the courts "
	  "of Oslo hear disputes.\n3. Support answers on working days\nbetween eight and four "
	  "o’clock in Bergen.\n",
	  "removed riskier data.no-training\n", NULL },
	{ "weaker verb", FEES NONE,
	  FEES "Vendor does not intend to use Customer Data to train models.\n\n",
	  "changed riskier data.no-training\n", "No training: “shall” → “does not intend to”" },
	{ "for the time being", NONE,
	  "Vendor shall currently not use Customer Data to train models.\n\n",
	  "changed riskier data.no-training\n", "No training: now also “currently”" },
	{ "exception to a protection", NONE,
	  "Vendor shall not use Customer Data to train models, except for speech models.\n\n",
	  "changed riskier data.no-training\n", NULL },
	{ "protection wins", NONE,
	  "Vendor shall not use Customer Data to train or test any models or agents.\n\n",
	  "changed safer data.no-training\n", NULL },
	{ "protection turns into a grant", NONE, GRANT,
	  "appeared riskier data.training-grant\nremoved riskier data.no-training\n", NULL },
	{ "lower cap", FEES CAP,
	  FEES
	  "Vendor's liability shall not exceed the fees paid in the three (3) months before.\n\n",
	  "changed riskier liab.cap\n",
	  "Limit of liability: “twelve (12) months” → “three (3) months”" },
	{ "higher cap", "Vendor's liability shall not exceed $100,000 in a year.\n",
	  "Vendor's liability shall not exceed $1,000,000 in a year.\n", "changed safer liab.cap\n",
	  NULL },
	{ "cap removed", FEES CAP LAW, FEES LAW, "removed safer liab.cap\n", NULL },
	{ "carve-out removed", CAP "This limit does not apply to breach of confidence.\n\n" LAW,
	  CAP LAW, "removed riskier liab.cap-carveout\n", NULL },
	{ "slower deletion", "Vendor deletes Customer Data within 30 days of the end.\n",
	  "Vendor deletes Customer Data within 12 months of the end.\n",
	  "changed riskier data.deletion\n", NULL },
	{ "age is no period", "Vendor deletes Customer Data of persons under 16 years old.\n",
	  "Vendor deletes Customer Data of persons under 18 years old.\n",
	  "changed neutral data.deletion\n", NULL },
	{ "list in another order", GRANT "We like:\n\n- red apples\n- green pears\n- blue plums\n",
	  GRANT "We like:\n\n- blue plums\n- red apples\n- green pears\n", "", NULL },
	{ "clause moved", GRANT FEES LAW SUPPORT, FEES LAW SUPPORT GRANT, "", NULL },
	{ "clause split",
	  "Vendor may use Customer Data to train models. Customer pays the fees of the order within "
	  "thirty days after each invoice.\n",
	  GRANT FEES, "", NULL },
	{ "clauses merged", GRANT FEES,
	  "Vendor may use Customer Data to train models. Customer pays the fees of the order within "
	  "thirty days after each invoice.\n",
	  "", NULL },
	{ "party renamed",
	  "Acme Cloud Inc. (\"Vendor\") and Bolt AS (\"Customer\") agree:\n\n" GRANT FEES,
	  "Apex Cloud Inc. (\"Vendor\") and Bolt AS (\"Customer\") agree:\n\n" GRANT FEES, "",
	  NULL },
	{ "spelling",
	  "Vendor may use anonymised Customer Data under licence to improve the service.\n",
	  "Vendor may use anonymized Customer Data under license to improve the service.\n", "",
	  NULL },
	{ "style",
	  "Vendor may use Customer Data to make sure that the service works and to improve it.\n",
	  "Vendor may use Customer Data to ensure that the service works and also improve it.\n",
	  "", NULL },
	{ "lead-in turned round", "Vendor shall not:\n\n- use Customer Data to train models.\n",
	  "Vendor shall:\n\n- use Customer Data to train models.\n",
	  "appeared riskier data.training-grant\nremoved riskier data.no-training\n", NULL },
	{ "condition in the lead-in",
	  "Vendor may, with Customer's consent:\n\n- use Customer Data to train models.\n",
	  "Vendor may:\n\n- use Customer Data to train models.\n",
	  "changed riskier data.training-grant\n", NULL },
	{ "item of a list of purposes",
	  "Vendor may use Customer Data to:\n\n- run the service;\n- bill Customer.\n",
	  "Vendor may use Customer Data to:\n\n- run the service;\n- bill Customer;\n- train "
	  "models.\n",
	  "appeared riskier data.training-grant\n", NULL },
	{ "data added to a list that nothing else finds",
	  "Vendor may use Customer Data to train models, which covers:\n\n- names;\n- the time of "
	  "each order.\n",
	  "Vendor may use Customer Data to train models, which covers:\n\n- names;\n- the time of "
	  "each order;\n- fingerprints and voices of visitors.\n",
	  "changed riskier data.training-grant\n", NULL },
	{ "one statement goes, another one gets worse",
	  GRANT FEES "In surveys, Vendor may use Customer data to train voice assistants.\n\n",
	  "Vendor may use Customer Data to train and sell models.\n\n" FEES,
	  "changed riskier data.training-grant\n", NULL },
	{ "ban on the customer's side", FEES LAW,
	  FEES "Customer may not use our content to train models.\n\n" LAW,
	  "appeared neutral gov.ai-prohibition\n", NULL },
};

static struct cw_ruleset *build(void)
{
	struct cw_ruleset_builder *b = cw_ruleset_builder_new();
	struct cw_ruleset *rules = NULL;
	struct cw_error err = { 0 };

	assert_non_null(b);
	if (cw_ruleset_builder_add(b, "p.yaml", pack, strlen(pack), &err) < 0 ||
	    cw_ruleset_builder_finish(b, &rules, &err) < 0)
		fail_msg("%s", err.msg);
	cw_ruleset_builder_free(b);
	return rules;
}

struct pair {
	struct cw_analysis *old, *new;
	struct cw_comparison *c;
};

static struct pair compare(const struct cw_ruleset *rules, const char *old, const char *new)
{
	struct pair p = { 0 };
	struct cw_error err;

	assert_int_equal(
		cw_analyse(rules, old, strlen(old), CW_FORMAT_MARKDOWN, NULL, &p.old, &err), CW_OK);
	assert_int_equal(
		cw_analyse(rules, new, strlen(new), CW_FORMAT_MARKDOWN, NULL, &p.new, &err), CW_OK);
	assert_int_equal(cw_compare(p.old, p.new, &p.c, &err), CW_OK);
	return p;
}

static void release(struct pair *p)
{
	cw_comparison_free(p->c);
	cw_analysis_free(p->old);
	cw_analysis_free(p->new);
}

static void list_alerts(const struct cw_comparison *c, struct cw_buf *out)
{
	for (size_t i = 0; i < c->nchanges; i++)
		if (cw_change_alerts(&c->changes[i]))
			cw_buf_printf(out, "%s %s %s\n", cw_change_event_name(c->changes[i].event),
				      cw_effect_name(c->changes[i].effect), c->changes[i].term_id);
}

static int check_case(const struct cw_ruleset *rules, size_t i)
{
	struct pair p = compare(rules, cases[i].old, cases[i].new);
	const char *summary = p.c->nchanges > 0 ? p.c->changes[0].summary : "";
	struct cw_buf alerts = { 0 };
	int failed = 0;

	list_alerts(p.c, &alerts);
	if (strcmp(cw_buf_str(&alerts), cases[i].alerts) != 0) {
		print_error("%s: wanted\n%sgot\n%s", cases[i].name, cases[i].alerts,
			    cw_buf_str(&alerts));
		failed = 1;
	}
	if (cases[i].summary && strcmp(summary, cases[i].summary) != 0) {
		print_error("%s: wanted\n%s\ngot\n%s\n", cases[i].name, cases[i].summary, summary);
		failed = 1;
	}
	cw_buf_release(&alerts);
	release(&p);
	return failed;
}

static void test_patterns(void **state)
{
	struct cw_ruleset *rules = build();
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		failed += check_case(rules, i);
	assert_int_equal(failed, 0);
	cw_ruleset_free(rules);
}

/* What comes back is told as what it is: the reverse of what went. */
static void test_flap(void **state)
{
	static const char a
		[] = FEES NONE CAP,
	       b[] = FEES GRANT
	       "Vendor's liability shall not exceed the fees paid in the three (3) months before.\n";
	struct cw_ruleset *rules = build();
	struct pair there = compare(rules, a, b), back = compare(rules, b, a);

	(void)state;
	assert_int_equal(there.c->nchanges, 3);
	assert_int_equal(back.c->nchanges, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct cw_change *c = &there.c->changes[i], *d = NULL;
		for (size_t k = 0; k < 3; k++)
			if (strcmp(back.c->changes[k].term_id, c->term_id) == 0)
				d = &back.c->changes[k];
		assert_non_null(d);
		assert_int_equal(c->effect, CW_EFFECT_RISKIER);
		assert_int_equal(d->effect, CW_EFFECT_SAFER);
		assert_int_equal(d->event, c->event == CW_CHANGED    ? CW_CHANGED
					   : c->event == CW_APPEARED ? CW_REMOVED
								     : CW_APPEARED);
	}
	release(&there);
	release(&back);
	struct pair same = compare(rules, a, a);
	assert_int_equal(same.c->nchanges, 0);
	assert_true(same.c->same_words);
	release(&same);
	cw_ruleset_free(rules);
}

static void test_collapse(void **state)
{
	struct cw_ruleset *rules = build();
	struct cw_buf page = { 0 };

	(void)state;
	for (int i = 0; i < 40; i++)
		cw_buf_printf(&page, "Chapter %d. " FEES, i);
	cw_buf_puts(&page, NONE);
	struct pair gone = compare(rules, page.data, "Please enable scripts.\n");
	assert_int_equal(gone.c->collapse, CW_COLLAPSED);
	release(&gone);
	struct pair back = compare(rules, "Please enable scripts.\n", page.data);
	assert_int_equal(back.c->collapse, CW_RECOVERED);
	release(&back);
	struct pair same = compare(rules, page.data, page.data);
	assert_int_equal(same.c->collapse, CW_COLLAPSE_NO);
	release(&same);
	cw_buf_release(&page);
	cw_ruleset_free(rules);
}

static void test_kinds_of_clauses(void **state)
{
	struct cw_ruleset *rules = build();
	struct pair p = compare(rules, GRANT FEES LAW SUPPORT, FEES LAW SUPPORT GRANT);

	(void)state;
	assert_true(p.c->same_words);
	assert_int_equal(p.c->clauses_same + p.c->clauses_moved, 4);
	assert_int_equal(p.c->clauses_added + p.c->clauses_removed + p.c->clauses_reworded, 0);
	release(&p);
	struct cw_error err;
	struct cw_comparison *first;
	struct cw_analysis *a;
	assert_int_equal(cw_analyse(rules, GRANT, strlen(GRANT), CW_FORMAT_TEXT, NULL, &a, &err),
			 CW_OK);
	assert_int_equal(cw_compare(NULL, a, &first, &err), CW_OK);
	assert_int_equal(first->nchanges, 1);
	assert_int_equal(first->changes[0].event, CW_APPEARED);
	assert_false(first->same_words);
	cw_comparison_free(first);
	cw_analysis_free(a);
	cw_ruleset_free(rules);
}

static size_t utf8_length(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void test_summaries_are_short(void **state)
{
	struct cw_ruleset *rules = build();
	struct cw_buf old = { 0 }, new = { 0 };

	(void)state;
	cw_buf_puts(&old, "Vendor may use Customer Data to train models");
	cw_buf_puts(&new, cw_buf_str(&old));
	for (int i = 0; i < 300; i++) {
		cw_buf_printf(&old, " été%d", i);
		cw_buf_printf(&new, " größe%d", i);
	}
	cw_buf_puts(&old, ".\n");
	cw_buf_puts(&new, ".\n");
	const char *const sides[][2] = { { old.data, new.data },
					 { FEES, new.data },
					 { old.data, FEES },
					 { GRANT, new.data },
					 { old.data, GRANT } };
	for (size_t i = 0; i < 5; i++) {
		struct pair p = compare(rules, sides[i][0], sides[i][1]);
		assert_true(p.c->nchanges > 0);
		for (size_t k = 0; k < p.c->nchanges; k++)
			assert_in_range(utf8_length(p.c->changes[k].summary), 60, 160);
		release(&p);
	}
	cw_buf_release(&old);
	cw_buf_release(&new);
	cw_ruleset_free(rules);
}

static void put_marked(void *ctx, enum cw_redline_mark mark, const char *text, size_t len)
{
	static const char *const open[] = { "", "[-", "{+" }, *const close[] = { "", "-]", "+}" };
	struct cw_buf *out = ctx;

	cw_buf_printf(out, "%s%s%.*s%s", out->len > 0 ? " " : "", open[mark], (int)len, text,
		      close[mark]);
}

static void test_redline(void **state)
{
	static const struct {
		const char *old, *new, *line;
	} lines[] = {
		{ GRANT, "Vendor may use Customer Data, aggregated, to train big models.\n",
		  "Vendor may use Customer Data, {+aggregated,+} to train {+big+} models." },
		{ CAP,
		  "Vendor's liability shall not exceed the fees paid in the three (3) months before.\n",
		  "Vendor's liability shall not exceed the fees paid in the [-twelve (12)-] {+three "
		  "(3)+} months before." },
	};
	struct cw_ruleset *rules = build();

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct pair p = compare(rules, lines[i].old, lines[i].new);
		struct cw_buf out = { 0 };
		struct cw_redline_sink sink = { .put = put_marked, .ctx = &out };
		assert_int_equal(p.c->nchanges, 1);
		assert_true(cw_redline_words(p.c, &p.c->changes[0], &sink));
		assert_string_equal(out.data, lines[i].line);
		cw_buf_release(&out);
		release(&p);
	}
	struct pair p = compare(rules, FEES, GRANT);
	struct cw_redline_sink sink = { .put = put_marked };
	assert_false(cw_redline_words(p.c, &p.c->changes[0], &sink));
	release(&p);
	cw_ruleset_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_flap),
		cmocka_unit_test(test_collapse),
		cmocka_unit_test(test_kinds_of_clauses),
		cmocka_unit_test(test_summaries_are_short),
		cmocka_unit_test(test_redline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
