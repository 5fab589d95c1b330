#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "engine/frame.h"

/*
 * One letter is one lexicon.  A sentence is written as letters and dots: "a..b" has a at word 0
 * and b at word 3.  What stands before '/' belongs to the lead-in.
 */
static int letter(void *ctx, const char *name, size_t len, bool phrase, struct cw_error *err)
{
	(void)ctx;
	if (len != 1 || phrase)
		return cw_fail(err, CW_EINVAL, "no lexicon '%.*s'", (int)len, name);
	return name[0] - 'a';
}

static const struct {
	const char *frame, *sentence;
	bool match;
} cases[] = {
	{ "a b", "ab", true },
	{ "a b", "ba", false },
	{ "a ..2 b", "a..b", true },
	{ "a ..2 b", "a...b", false },
	{ "a b", "a............b", true },
	{ "a b", "a.............b", false },
	{ "a .. b", "a..............................b", true },
	{ "a|c b", "c.b", true },
	{ "a !n b", "a.n.b", false },
	{ "a !n b", "n.a.b.n", true },
	/* the nearest a counts, so that a bar before it is no bar */
	{ "a !n b", "a.n.a.b", true },
	{ "a b c", "a.b.a.c", true },
	{ "a ..1 b ..1 c", "b.a.b.c", true },
	{ "b &a", "a...b", true },
	{ "b &a", "b", false },
	{ "b !&a", "b.a", false },
	{ "b !&a", "b", true },
	{ "^a b", "a.b", true },
	{ "^a b", ".....a.b", false },
	/* a lead-in goes on in the clause, but the end must be its own */
	{ "a b", "a./b", true },
	{ "a b", "a.b/.", false },
	{ "a b", "a.b/b", true },
	{ "^b", "a..../b", true },
};

static void run(const char *text, const char *sentence, bool want)
{
	struct cw_arena arena = { 0 };
	struct cw_frame frame;
	struct cw_path_hit hits[64];
	uint64_t seen[1] = { 0 };
	struct cw_path path = { .hits = hits, .seen = { seen, seen, seen, seen } };
	bool own = strchr(sentence, '/') == NULL;
	uint32_t pos = 0;

	for (const char *s = sentence; *s; s++) {
		if (*s == '/') {
			own = true;
			path.own_start = pos;
			continue;
		}
		if (*s != '.') {
			hits[path.nhits++] =
				(struct cw_path_hit){ .pos = pos,
						      .end = pos + 1,
						      .own = own,
						      .lexicon = (uint16_t)(*s - 'a') };
			seen[0] |= 1ull << (*s - 'a');
		}
		pos++;
	}
	print_message("  %s  on  %s\n", text, sentence);
	assert_int_equal(cw_frame_parse(&arena, text, true, letter, NULL, &frame, NULL), CW_OK);
	assert_int_equal(cw_frame_match(&frame, &path, NULL), want);
	cw_arena_release(&arena);
}

static void test_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		run(cases[i].frame, cases[i].sentence, cases[i].match);
}

static const struct {
	const char *frame, *msg;
} bad[] = {
	{ "a bee", "no lexicon 'bee'" },
	{ "", "'' has no element that must stand in the sentence" },
	{ "!&a ~b", "'!&a ~b' has no element that must stand in the sentence" },
	{ "a ..x b", "'..x b' is not a gap such as ..12" },
	{ "a \"b", "closing quote is missing after 'b'" },
	{ "a | b", "a lexicon's name is missing at '| b'" },
	{ "a a a a a a a a a a a a a a a a a", "more than 16 elements" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct cw_arena arena = { 0 };
		struct cw_frame frame;
		struct cw_error err = { 0 };

		print_message("  %s\n", bad[i].frame);
		assert_true(cw_frame_parse(&arena, bad[i].frame, true, letter, NULL, &frame, &err) <
			    0);
		assert_string_equal(err.msg, bad[i].msg);
		cw_arena_release(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
