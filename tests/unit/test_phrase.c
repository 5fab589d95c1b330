#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "engine/phrase.h"

static const struct {
	const char *pattern;
	const char *means; /* separated by commas */
} good[] = {
	{ "our service", "our service" },
	{ "(improve|enhance) it", "improve it,enhance it" },
	{ "[the] service", " service,the service" },
	{ "use~", "use,uses,used,using" },
	{ "train~", "train,trains,trained,training" },
	{ "carry~", "carry,carries,carried,carrying" },
	{ "play~", "play,plays,played,playing" },
	{ "pass~", "pass,passes,passed,passing" },
	{ "submit~~", "submit,submits,submitted,submitting" },
	{ "model+", "model,models" },
	{ "policy+", "policy,policies" },
	{ "business+", "business,businesses" },
	{ "a|b", "a,b" },
	{ "(a|(b|c) d)", "a,b d,c d" },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct cw_arena arena = { 0 };
		struct cw_phrases out = { 0 };
		char joined[256] = "";

		print_message("  %s\n", good[i].pattern);
		assert_int_equal(cw_phrase_expand(&arena, good[i].pattern, &out, NULL), CW_OK);
		for (size_t k = 0; k < out.count; k++) {
			size_t at = strlen(joined);
			snprintf(joined + at, sizeof(joined) - at, "%s%s", k ? "," : "", out.at[k]);
		}
		assert_string_equal(joined, good[i].means);
		cw_arena_release(&arena);
	}
}

static const struct {
	const char *pattern;
	int code;
	const char *msg;
} bad[] = {
	{ "(a|b", CW_EINVAL, "'(a|b': ')' is missing" },
	{ "a]", CW_EINVAL, "'a]': unexpected ']'" },
	{ "~", CW_EINVAL, "'~': unexpected '~'" },
	{ "((((((((((a))))))))))", CW_EFULL, "'((((((((((a))))))))))': nested too deep" },
	{ "(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)", CW_EFULL, NULL },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct cw_arena arena = { 0 };
		struct cw_phrases out = { 0 };
		struct cw_error err = { 0 };

		print_message("  %s\n", bad[i].pattern);
		assert_int_equal(cw_phrase_expand(&arena, bad[i].pattern, &out, &err), bad[i].code);
		if (bad[i].msg)
			assert_string_equal(err.msg, bad[i].msg);
		assert_int_equal(out.count, 0);
		cw_arena_release(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
