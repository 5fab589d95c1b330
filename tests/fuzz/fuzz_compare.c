/*
 * Two texts parted by a byte of value 1, compared: every change has a side, appeared ones no
 * before, removed ones no after; a text and itself differ in nothing.
 * The first byte picks the formats.
 */
#include "fuzz.h"

#include "clausewatch/compare.h"
#include "clausewatch/ruleset.h"

static const char pack[] =
	"pack: fuzz\n"
	"lexicons:\n"
	"  use: {part: does, words: ['use~', 'train~']}\n"
	"  data: {part: what, words: ['[customer] data', 'content']}\n"
	"  cap: {part: does, words: ['liability']}\n"
	"  limit: {part: what, words: ['not exceed', 'limited']}\n"
	"terms:\n"
	"  data.use: {title: Use of data, polarity: risk, severity: high, why: w, advice: a}\n"
	"  liab.cap: {title: Cap, polarity: protection, severity: medium, why: w, advice: a}\n"
	"rules:\n"
	"  - id: data.use/a\n"
	"    term: data.use\n"
	"    frames: ['vendor .. use .. data']\n"
	"  - id: liab.cap/a\n"
	"    term: liab.cap\n"
	"    frames: ['cap .. limit']\n";

static struct cw_ruleset *rules;

static void load_rules(void)
{
	struct cw_ruleset_builder *b = cw_ruleset_builder_new();
	struct cw_error err = { 0 };

	expect(b && cw_ruleset_builder_add(b, "pack", pack, sizeof(pack) - 1, &err) == CW_OK);
	expect(cw_ruleset_builder_finish(b, &rules, &err) == CW_OK);
	cw_ruleset_builder_free(b);
}

static bool among(const struct cw_finding *f, const struct cw_analysis *a)
{
	return f >= a->findings && f < a->findings + a->nfindings;
}

static void check(const struct cw_analysis *old, const struct cw_analysis *new)
{
	struct cw_comparison *cmp = NULL;
	struct cw_error err = { 0 };

	expect(cw_compare(old, new, &cmp, &err) == CW_OK);
	for (size_t i = 0; i < cmp->nchanges; i++) {
		const struct cw_change *c = &cmp->changes[i];

		expect(c->before || c->after);
		expect(!c->before || (old && among(c->before, old)));
		expect(!c->after || among(c->after, new));
		expect(c->event != CW_APPEARED || !c->before);
		expect(c->event != CW_REMOVED || !c->after);
		expect(c->summary && c->term_id);
		expect(strcmp(c->id, (c->after ? c->after : c->before)->id) == 0);
		expect(old != new || !cw_change_alerts(c));
	}
	expect(old != new || (cmp->same_words && cmp->collapse == CW_COLLAPSE_NO));
	cw_comparison_free(cmp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *parting = size ? memchr(data, 1, size) : NULL;
	struct cw_analysis *old = NULL, *new = NULL;
	struct cw_error err = { 0 };

	if (!rules)
		load_rules();
	if (!parting || parting == data)
		return 0;
	size_t old_len = (size_t)(parting - data - 1), new_len = size - old_len - 2;
	char *was = exact_copy(data + 1, old_len), *is = exact_copy(parting + 1, new_len);
	expect(cw_analyse(rules, was, old_len, data[0] & 2 ? CW_FORMAT_MARKDOWN : CW_FORMAT_TEXT,
			  NULL, &old, &err) == CW_OK);
	expect(cw_analyse(rules, is, new_len, data[0] & 4 ? CW_FORMAT_MARKDOWN : CW_FORMAT_TEXT,
			  NULL, &new, &err) == CW_OK);
	check(old, new);
	check(new, old);
	check(old, old);
	check(NULL, new);
	cw_analysis_free(old);
	cw_analysis_free(new);
	free(was);
	free(is);
	return 0;
}
