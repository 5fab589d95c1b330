/*
 * Any bytes as an agreement, read with the shipped rules: findings lie inside the text, in order,
 * with well-formed ids; reading twice says the same.  The first byte picks the format.
 */
#include "fuzz.h"

#include "clausewatch/rules_load.h"

static struct cw_ruleset *shipped;

static void load_rules(void)
{
	struct cw_ruleset_builder *b = cw_ruleset_builder_new();
	struct cw_error err = { 0 };

	expect(b && cw_rules_add(b, "config/rules", &err) == CW_OK);
	expect(cw_ruleset_builder_finish(b, &shipped, &err) == CW_OK);
	cw_ruleset_builder_free(b);
}

static void check_finding(const struct cw_analysis *a, const struct cw_finding *f)
{
	const struct cw_span *in = &a->clauses[f->clause].span;

	expect(strncmp(f->id, "CW-", 3) == 0 && strlen(f->id) == 9);
	expect(strspn(f->id + 3, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == 6);
	expect(f->clause < a->nclauses && f->term && f->term_id && f->why && f->advice);
	expect(f->confidence >= 0 && f->confidence <= 1);
	expect(f->span.byte_start >= in->byte_start && f->span.byte_end <= in->byte_end);
	expect(f->span.line_start >= in->line_start && f->span.line_end <= in->line_end);
	expect(f->quote_start < f->quote_end && f->quote_end <= a->len);
	for (size_t i = 0; i < f->nevidence; i++) {
		const struct cw_evidence *e = &f->evidence[i];

		expect(e->byte_start < e->byte_end && e->byte_end <= a->len);
	}
	for (size_t i = 0; i < f->nattrs; i++)
		expect(f->attrs[i].name && f->attrs[i].value);
}

static void check(const struct cw_analysis *a)
{
	const struct cw_profile *p = &a->profile;

	for (size_t i = 0; i < a->nfindings; i++) {
		const struct cw_finding *f = &a->findings[i], *before = f - 1;

		check_finding(a, f);
		expect(i == 0 || before->clause < f->clause ||
		       (before->clause == f->clause && strcmp(before->term_id, f->term_id) <= 0));
	}
	for (size_t i = 0; i < CW_ARTEFACTS; i++) {
		for (size_t k = 0; k < a->matrix[i].nfindings; k++)
			expect(a->matrix[i].findings[k] < a->nfindings);
	}
	expect(p->type && p->vendor && p->customer && p->governing_law && p->in_force);
	for (size_t i = 0; i < p->nparties; i++)
		expect(p->parties[i].name && p->parties[i].alias);
	for (size_t i = 0; i < a->nsilent; i++)
		expect(cw_ruleset_term(shipped, a->silent[i]));
}

static void expect_same(const struct cw_analysis *a, const struct cw_analysis *b)
{
	expect(a->nclauses == b->nclauses && a->nfindings == b->nfindings);
	for (size_t i = 0; i < a->nfindings; i++)
		expect(strcmp(a->findings[i].id, b->findings[i].id) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cw_analysis_options opts = { .today = "2025-01-01" };
	struct cw_analysis *a = NULL, *b = NULL;
	struct cw_error err = { 0 };

	if (!shipped)
		load_rules();
	if (size == 0)
		return 0;
	enum cw_format format = data[0] & 1 ? CW_FORMAT_MARKDOWN : CW_FORMAT_TEXT;
	char *text = exact_copy(data + 1, size - 1);
	expect(cw_analyse(shipped, text, size - 1, format, &opts, &a, &err) == CW_OK);
	check(a);
	expect(cw_analyse(shipped, text, size - 1, format, &opts, &b, &err) == CW_OK);
	expect_same(a, b);
	cw_analysis_free(a);
	cw_analysis_free(b);
	free(text);
	return 0;
}
