/*
 * Any bytes as a rule pack: refused with a place, or built into a set that reads a text, runs its
 * own examples and is the same when its compiled lexicons are offered.
 */
#include "fuzz.h"

#include "clausewatch/ruleset.h"

#define PACK_MAX 16384

static const char sample[] = "1. Grant. Vendor may use Customer Data to train its models.\n\n"
			     "- Customer shall indemnify Vendor.\n";

static struct cw_ruleset *build(const char *pack, size_t len, const struct cw_buf *compiled)
{
	struct cw_ruleset_builder *b = cw_ruleset_builder_new();
	struct cw_ruleset *rules = NULL;
	struct cw_error err = { 0 };

	expect(b);
	if (compiled)
		cw_ruleset_builder_compiled(b, compiled->data, compiled->len, NULL);
	int ret = cw_ruleset_builder_add(b, "p", pack, len, &err);
	if (ret == CW_OK)
		ret = cw_ruleset_builder_finish(b, &rules, &err);
	expect((ret == CW_OK) == (rules != NULL));
	expect(ret == CW_OK || (err.msg[0] && (ret == CW_EINVAL || ret == CW_EFULL)));
	cw_ruleset_builder_free(b);
	return rules;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_analysis *a = NULL;
	struct cw_buf compiled = { 0 };
	struct cw_error err = { 0 };

	if (size > PACK_MAX)
		return 0;
	char *pack = exact_copy(data, size);
	struct cw_ruleset *rules = build(pack, size, NULL);
	if (rules) {
		(void)cw_ruleset_test(rules, NULL, NULL, NULL, &err);
		expect(cw_analyse(rules, sample, sizeof(sample) - 1, CW_FORMAT_MARKDOWN, NULL, &a,
				  &err) == CW_OK);
		cw_ruleset_compiled(rules, &compiled);
		struct cw_ruleset *again = build(pack, size, &compiled);
		expect(again && strcmp(cw_ruleset_digest(rules), cw_ruleset_digest(again)) == 0);
		cw_ruleset_free(again);
	}
	cw_analysis_free(a);
	cw_ruleset_free(rules);
	cw_buf_release(&compiled);
	free(pack);
	return 0;
}
