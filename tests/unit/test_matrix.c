#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "clausewatch/ruleset.h"

/* What the matrix takes from findings. */
static const char pack[] = "lexicons:\n"
			   "  choice: ['opt out']\n"
			   "  forever: [perpetual]\n"
			   "  hold: [indemnify]\n"
			   "  exceed: ['not exceed']\n"
			   "  limits: ['limitations of liability']\n"
			   "terms:\n"
			   "  data.training-choice: {polarity: neutral}\n"
			   "  data.perpetual-license: {severity: high}\n"
			   "  liab.cap: {severity: high}\n"
			   "  liab.cap.fees-based: {severity: high}\n"
			   "  liab.vendor-indemnity: {polarity: protection}\n"
			   "  liab.vendor-indemnity.ip: {polarity: protection}\n"
			   "rules:\n"
			   "  - {id: a, term: data.training-choice, frames: [choice]}\n"
			   "  - {id: b, term: data.perpetual-license, frames: [forever]}\n"
			   "  - {id: c, term: liab.cap.fees-based, frames: [exceed]}\n"
			   "  - {id: d, term: liab.cap, frames: [limits]}\n"
			   "  - {id: e, term: liab.vendor-indemnity.ip, frames: [vendor hold]}\n";

static struct cw_ruleset *build(const char *text)
{
	struct cw_ruleset_builder *b = cw_ruleset_builder_new();
	struct cw_ruleset *rules = NULL;
	struct cw_error err = { 0 };

	assert_non_null(b);
	if (text && cw_ruleset_builder_add(b, "p.yaml", text, strlen(text), &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(cw_ruleset_builder_finish(b, &rules, &err), CW_OK);
	cw_ruleset_builder_free(b);
	return rules;
}

/** The cells that are not silent: "inputs customer train vendor-default; ...". */
static void describe(const struct cw_analysis *a, struct cw_buf *out)
{
	for (size_t i = 0; i < CW_ARTEFACTS; i++) {
		const struct cw_cell *c = &a->matrix[i];
		if (strcmp(c->level, "silent") == 0) {
			assert_string_equal(c->owner, "silent");
			assert_string_equal(c->use, "silent");
			continue;
		}
		cw_buf_printf(out, "%s%s %s %s %s", out->len > 0 ? "; " : "", cw_artefact_names[i],
			      c->owner, c->use, c->level);
	}
}

#define TOP "Terms of Service\n\nBy using the site of Fir Ltd. (\"Fir\") you accept.\n\n"

static const struct {
	const char *what, *text, *matrix;
} cases[] = {
	{ "terms defined by terms, opt-out",
	  "You may provide input (\"Input\") and receive output (\"Output\"). Input and Output are "
	  "collectively \"Content\". As between you and Fir, you (a) retain your ownership rights in "
	  "Input and (b) own the Output. We can use Content to improve our Services.\n\nWe may use "
	  "Content to train models; you can opt out.\n",
	  "inputs customer train vendor-default; prompts customer train vendor-default; "
	  "outputs customer train vendor-default" },
	{ "only for the service",
	  "\"Customer Data\" means all data that Customer submits. Customer owns all right, title and "
	  "interest in Customer Data. Fir may use Customer Data solely to provide the Services.\n",
	  "inputs customer service-only preferred; prompts customer service-only vendor-default" },
	{ "a licence to grow wide, in a list",
	  "You own your content. We may use your content:\n\n- to provide the service;\n\n- to prevent "
	  "abuse; and\n\n- to develop new products.\n",
	  "inputs customer improve vendor-default" },
	{ "abuse and law are within a compromise",
	  "You own your content. We use your content to prevent fraud and to comply with law.\n",
	  "inputs customer limited compromise" },
	{ "support that is bought is part of the service",
	  "You own your content. We use your content only to provide the Service and Support.\n",
	  "inputs customer service-only preferred" },
	{ "any purpose, and what the vendor owns",
	  "All outputs are the property of Fir. You grant us a license to use your content for any "
	  "lawful purpose.\n",
	  "inputs silent any vendor-default; outputs vendor any vendor-default" },
	{ "an assignment either way",
	  "Customer assigns to Fir all its right, title and interest in the embeddings. Fir assigns to "
	  "Customer all its right, title and interest in the Outputs.\n",
	  "outputs customer silent vendor-default; embeddings vendor any vendor-default" },
	{ "no claim", "We claim no ownership rights over your content.\n",
	  "inputs customer silent vendor-default" },
	{ "not touched by the licence",
	  "This license does not affect your ownership rights in your content.\n",
	  "inputs customer silent vendor-default" },
	{ "prompts deleted soon",
	  "Your prompts are yours. We use your prompts to provide the service and to prevent abuse. All "
	  "prompts are deleted within 30 days.\n",
	  "prompts customer limited compromise" },
	{ "prompts deleted at the end only",
	  "Your prompts are yours. We use your prompts to provide the service. All prompts are deleted "
	  "within 30 days after termination.\n",
	  "prompts customer service-only vendor-default" },
	{ "embeddings as content, tuned models",
	  "You own your content. We use your content only to provide the service. Embeddings are "
	  "treated as your content. Custom models are owned by you.\n",
	  "inputs customer service-only preferred; fine_tuned_models customer silent preferred; "
	  "embeddings customer service-only preferred" },
	{ "what the customer creates",
	  "\"Customer Content\" means any materials that Customer creates within the Service or submits "
	  "to it. Customer owns Customer Content. Fir may use Customer Content only to provide the "
	  "Service.\n",
	  "inputs customer service-only preferred; prompts customer service-only vendor-default; "
	  "outputs customer service-only compromise; derivative_works customer service-only preferred" },
	{ "the customer's own use", "Customer may use the Outputs to train models.\n", "" },
	{ "another object", "We use measures to protect your content.\n", "" },
	{ "other data",
	  "We may use usage data and cookies to improve the service. We own the site.\n", "" },
	{ "feedback and warranties",
	  "You assign to us your feedback on the outputs. You represent that you may grant us rights to "
	  "use your content to provide the service.\n",
	  "" },
	{ "a licence that may not be passed on",
	  "You grant us a non-sublicensable license to use your content to provide the service.\n",
	  "inputs silent service-only compromise" },
	{ "property that is no owner",
	  "Outputs may lack intellectual property protection, and Fir gives no warranty.\n", "" },
	{ "nothing", "Bring bread.\n", "" },
};

static void test_cells(void **state)
{
	struct cw_ruleset *rules = build(pack);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cw_analysis *a;
		struct cw_error err = { 0 };
		struct cw_buf got = { 0 }, text = { 0 };

		cw_buf_printf(&text, "%s%s", TOP, cases[i].text);
		assert_int_equal(cw_analyse(rules, cw_buf_str(&text), text.len, CW_FORMAT_TEXT,
					    NULL, &a, &err),
				 CW_OK);
		describe(a, &got);
		if (strcmp(cw_buf_str(&got), cases[i].matrix) != 0)
			fail_msg("%s: %s", cases[i].what, cw_buf_str(&got));
		cw_analysis_free(a);
		cw_buf_release(&got);
		cw_buf_release(&text);
	}
	cw_ruleset_free(rules);
}

static const struct {
	const char *text, *name, *value;
} answers[] = {
	{ "We will not use your content to train models.\n", "no_training", "yes" },
	{ "We will not use your content to train models without your consent.\n", "no_training",
	  "opt-in" },
	{ "We may use your content to train models. You can opt out.\n", "no_training", "opt-out" },
	{ "We may use your content to train models.\n", "no_training", "no" },
	{ "We like your content.\n", "no_training", "silent" },
	{ "You grant us a perpetual license to use your content.\n", "survival_of_data_rights",
	  "yes" },
	{ "Section 4 survives termination.\n", "survival_of_data_rights", "yes" },
	{ "Section 4 ends.\n", "survival_of_data_rights", "silent" },
	{ "Our liability shall not exceed ten euros.\n", "liability_cap", "yes" },
	{ "The limitations of liability of the agreement apply.\n", "liability_cap", "yes" },
	{ "We like you.\n", "liability_cap", "silent" },
	{ "We shall indemnify you.\n", "ip_indemnity_by_vendor", "yes" },
	{ "We shall indemnify you if outputs infringe.\n", "output_indemnity", "yes" },
	{ "We shall indemnify you.\n", "output_indemnity", "silent" },
};

static void test_answers(void **state)
{
	struct cw_ruleset *rules = build(pack);

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct cw_analysis *a;
		struct cw_error err = { 0 };
		struct cw_buf text = { 0 };
		const char *value = NULL;

		cw_buf_printf(&text, "%s%s", TOP, answers[i].text);
		assert_int_equal(cw_analyse(rules, cw_buf_str(&text), text.len, CW_FORMAT_TEXT,
					    NULL, &a, &err),
				 CW_OK);
		for (size_t k = 0; k < a->nanswers; k++)
			if (strcmp(a->answers[k].name, answers[i].name) == 0)
				value = a->answers[k].value;
		assert_non_null(value);
		if (strcmp(value, answers[i].value) != 0)
			fail_msg("%s is %s: %s", answers[i].name, value, answers[i].text);
		cw_analysis_free(a);
		cw_buf_release(&text);
	}
	cw_ruleset_free(rules);
}

/** A cell names the findings of the clauses that decided it, and no other. */
static void test_findings(void **state)
{
	static const char text[] =
		TOP "This is perpetual.\n\nYou grant us a perpetual license to use "
		    "your content.\n";
	struct cw_ruleset *rules = build(pack);
	struct cw_error err = { 0 };
	struct cw_analysis *a;

	(void)state;
	assert_int_equal(cw_analyse(rules, text, strlen(text), CW_FORMAT_TEXT, NULL, &a, &err),
			 CW_OK);
	assert_int_equal(a->nfindings, 2);
	assert_int_equal(a->matrix[0].nfindings, 1);
	assert_int_equal(a->matrix[0].findings[0], 1);
	assert_int_equal(a->matrix[2].nfindings, 0);
	cw_analysis_free(a);
	cw_ruleset_free(rules);
}

/** Endless sentences, unclosed quotes and more definitions than there is room for. */
static void test_rubbish(void **state)
{
	static const char *const parts[] = {
		"\"Customer Data",
		"owned by ",
		"(\"Data\" means ",
		"use content you ",
	};
	struct cw_ruleset *rules = build(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) + 1; i++) {
		struct cw_buf text = { 0 };
		struct cw_error err = { 0 };
		struct cw_analysis *a;
		for (int k = 0; k < 20000; k++) {
			if (i < sizeof(parts) / sizeof(*parts))
				cw_buf_puts(&text, parts[i]);
			else
				cw_buf_printf(&text, "\"W%d Data\" means what you submit. ", k);
		}
		assert_int_equal(cw_analyse(rules, cw_buf_str(&text), text.len, CW_FORMAT_TEXT,
					    NULL, &a, &err),
				 CW_OK);
		cw_analysis_free(a);
		cw_buf_release(&text);
	}
	cw_ruleset_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
