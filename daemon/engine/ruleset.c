#include "engine/ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "engine/judge.h"
#include "engine/profile.h"

void cw_ruleset_free(struct cw_ruleset *rules)
{
	if (!rules)
		return;
	cw_automaton_release(rules->automaton);
	if (rules->compiled.done)
		rules->compiled.done(rules->compiled.bytes, rules->compiled.len);
	cw_arena_release(&rules->arena);
	free(rules);
}

void cw_ruleset_compiled(const struct cw_ruleset *rules, struct cw_buf *out)
{
	cw_automaton_write(rules->automaton, rules->lexicons_key, out);
}

const char *cw_ruleset_digest(const struct cw_ruleset *rules)
{
	return rules->digest;
}

size_t cw_ruleset_nterms(const struct cw_ruleset *rules)
{
	return rules->nterms;
}

const struct cw_term *cw_ruleset_term_at(const struct cw_ruleset *rules, size_t i)
{
	return &rules->terms[i];
}

size_t cw_ruleset_nrules(const struct cw_ruleset *rules)
{
	return rules->nrules;
}

const struct cw_rule *cw_ruleset_rule_at(const struct cw_ruleset *rules, size_t i)
{
	return &rules->rules[i].pub;
}

static const struct cw_term *find_term(const struct cw_ruleset *rules, const char *id, size_t len)
{
	size_t lo = 0, hi = rules->nterms;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const char *at = rules->terms[mid].id;
		int cmp = strncmp(at, id, len);
		if (cmp == 0 && at[len] == '\0')
			return &rules->terms[mid];
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct cw_term *cw_ruleset_term(const struct cw_ruleset *rules, const char *id)
{
	size_t len = strlen(id);

	while (len > 0) {
		const struct cw_term *term = find_term(rules, id, len);
		if (term)
			return term;
		while (len > 0 && id[len - 1] != '.')
			len--;
		if (len > 0)
			len--;
	}
	return NULL;
}

/** Does the rule fire on the example?  1, 0 or a negative code. */
static int fires(const struct cw_ruleset *rules, const struct cw_rule_body *rule, const char *text,
		 struct cw_error *err)
{
	struct cw_analysis *a = NULL;
	unsigned char *fired = calloc(rules->nrules + 1, 1);
	struct cw_probe probe = { .fired = fired };
	int ret = fired ? CW_OK : cw_fail(err, CW_ENOMEM, "out of memory");

	if (ret == CW_OK)
		ret = cw_analyse_probed(rules, text, strlen(text), CW_FORMAT_MARKDOWN, NULL, &probe,
					&a, err);
	if (ret == CW_OK)
		ret = fired[rule->pub.index];
	cw_analysis_free(a);
	free(fired);
	return ret;
}

static int test_examples(const struct cw_ruleset *rules, const struct cw_rule_body *rule,
			 bool should_match, cw_ruleset_test_cb *cb, void *ctx, size_t *run,
			 struct cw_error *err)
{
	const char *const *at = should_match ? rule->match : rule->no_match;
	int failed = 0;

	for (; at && *at; at++) {
		int ret = fires(rules, rule, *at, err);
		if (ret < 0)
			return ret;
		(*run)++;
		if ((ret > 0) != should_match) {
			failed++;
			if (cb)
				cb(ctx, &rule->pub, *at, should_match);
		}
	}
	return failed;
}

/** Number of examples of a rule that are not honoured, or a negative code. */
static int test_rule(const struct cw_ruleset *rules, size_t i, cw_ruleset_test_cb *cb, void *ctx,
		     size_t *run, struct cw_error *err)
{
	int missed = test_examples(rules, &rules->rules[i], true, cb, ctx, run, err);

	if (missed < 0)
		return missed;
	int wrong = test_examples(rules, &rules->rules[i], false, cb, ctx, run, err);
	return wrong < 0 ? wrong : missed + wrong;
}

int cw_ruleset_test(const struct cw_ruleset *rules, cw_ruleset_test_cb *cb, void *ctx,
		    size_t *out_run, struct cw_error *err)
{
	size_t run = 0;
	int failed = 0;

	for (size_t i = 0; i < rules->nrules; i++) {
		int ret = test_rule(rules, i, cb, ctx, &run, err);
		if (ret < 0)
			return ret;
		failed += ret;
	}
	if (out_run)
		*out_run = run;
	return failed;
}

int cw_ruleset_enforce(struct cw_ruleset *rules, cw_ruleset_test_cb *cb, void *ctx, size_t *out_run,
		       struct cw_error *err)
{
	size_t run = 0;
	int failed = 0;

	for (size_t i = 0; i < rules->nrules; i++) {
		int ret = test_rule(rules, i, cb, ctx, &run, err);
		if (ret < 0)
			return ret;
		rules->rules[i].broken = ret > 0;
		failed += ret;
	}
	if (out_run)
		*out_run = run;
	return failed;
}
