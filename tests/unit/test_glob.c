#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "clausewatch/glob.h"

static const struct {
	const char *pattern, *text;
	bool path, name; /**< as a path, as a name */
} globs[] = {
	{ "a", "a", true, true },
	{ "a", "b", false, false },
	{ "", "", true, true },
	{ "", "a", false, false },
	{ "*", "", true, true },
	{ "*", "abc", true, true },
	{ "*", "a/b", false, true },
	{ "*.md", "a.md", true, true },
	{ "*.md", "d/a.md", false, true },
	{ "a*b*c", "aXbYbZc", true, true },
	{ "a*b*c", "aXbYbZ", false, false },
	{ "a*/b", "ax/b", true, true },
	{ "a*/b", "ax/y/b", false, true },
	{ "?", "\xc3\xa9", true, true },
	{ "??", "\xc3\xa9", false, false },
	{ "*??", "\xe2\x82\xac", false, false },
	{ "?", "/", false, true },
	{ "[a-c]x", "bx", true, true },
	{ "[a-c]x", "dx", false, false },
	{ "[!a-c]x", "dx", true, true },
	{ "[^a-c]x", "bx", false, false },
	{ "[]]", "]", true, true },
	{ "[\\]]", "]", true, true },
	{ "[a-]", "-", true, true },
	{ "[\xc3\xa0-\xc3\xbc]", "\xc3\xa9", true, true },
	{ "[!a]", "/", false, true },
	{ "[a", "a", false, false },
	{ "a\\", "a", false, false },
	{ "\\*", "*", true, true },
	{ "\\*", "a", false, false },
	{ "**", "a/b/c", true, true },
	{ "**/a", "a", true, false },
	{ "**/a", "x/y/a", true, true },
	{ "**/a", "x/ya", false, false },
	{ "a/**", "a", false, false },
	{ "a/**", "a/b/c", true, true },
	{ "a/**/b", "a/b", true, false },
	{ "a/**/b", "a/x/y/b", true, true },
	{ "a/**/b", "a/x/yb", false, false },
	{ "a/**/b/**/c", "a/x/b/y/b/z/c", true, true },
	{ "a/**/*.md", "a/b/c.md", true, true },
	{ "a/**/*.md", "a/b.md/c.txt", false, false },
	{ "**/x*/y", "xa/z/xb/y", true, true },
	{ "a**b", "aXb", true, true },
	{ "a**b", "aX/b", false, true },
	{ "data.*", "data.training-grant.x", true, true },
	{ "refs/heads/*", "refs/heads/feature/x", false, true },
	{ "A", "a", false, false },
};

static void test_glob(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(globs) / sizeof(*globs); i++) {
		print_message("  %s %s\n", globs[i].pattern, globs[i].text);
		assert_int_equal(cw_glob_match(globs[i].pattern, globs[i].text), globs[i].path);
		assert_int_equal(cw_glob_match_name(globs[i].pattern, globs[i].text),
				 globs[i].name);
	}
}

/** A pattern that makes recursive matchers exponential. */
static void test_hostile(void **state)
{
	char pattern[401], text[4001];

	(void)state;
	for (size_t i = 0; i < 400; i++)
		pattern[i] = i % 2 ? '*' : 'a';
	pattern[399] = 'b';
	pattern[400] = '\0';
	memset(text, 'a', 4000);
	text[4000] = '\0';
	assert_false(cw_glob_match(pattern, text));
	for (size_t i = 0; i + 5 <= 400; i += 5)
		memcpy(pattern + i, "**/a/", 5);
	pattern[399] = 'b';
	for (size_t i = 1; i < 4000; i += 2)
		text[i] = '/';
	assert_false(cw_glob_match(pattern, text));
}

static void test_check(void **state)
{
	struct cw_error err = { 0 };

	(void)state;
	assert_int_equal(cw_glob_check("a/**/[a-z]?\\*", &err), CW_OK);
	assert_int_equal(cw_glob_check("", &err), CW_EINVAL);
	assert_string_equal(err.msg, "an empty pattern");
	assert_int_equal(cw_glob_check("x[a-", &err), CW_EINVAL);
	assert_string_equal(err.msg, "pattern 'x[a-' has no ']'");
	assert_int_equal(cw_glob_check("[]", &err), CW_EINVAL);
	assert_int_equal(cw_glob_check("x\\", &err), CW_EINVAL);
	assert_string_equal(err.msg, "pattern 'x\\' ends after '\\'");
	assert_true(cw_glob_is_pattern("a*"));
	assert_false(cw_glob_is_pattern("data.training-grant"));
}

static const struct {
	const char *dir, *text, *path;
	bool is_dir, match, covers;
} ignores[] = {
	{ "", "*.log", "a.log", false, true, true },
	{ "", "*.log", "d/a.log", false, true, true },
	{ "", "/a", "a", false, true, true },
	{ "", "/a", "d/a", false, false, false },
	{ "", "d/a", "d/a", false, true, true },
	{ "", "d/a", "x/d/a", false, false, false },
	{ "", "build/", "build", true, true, true },
	{ "", "build/", "build", false, false, false },
	{ "", "build/", "x/build/a/b.md", false, false, true },
	{ "", "build", "x/build/a/b.md", false, false, true },
	{ "", "*\n!keep.md\n", "keep.md", false, false, false },
	{ "", "*\n!keep.md\n", "other.md", false, true, true },
	{ "", "*\n!keep.md\n", "d/keep.md", false, false, true },
	{ "", "!keep.md\n*\n", "keep.md", false, true, true },
	{ "", "# a\n\n\\#b\n", "#b", false, true, true },
	{ "", "# a\n", "# a", false, false, false },
	{ "", "\\!a", "!a", false, true, true },
	{ "", "a  \r\n", "a", false, true, true },
	{ "", "a\\ \n", "a ", false, true, true },
	{ "",
	  "\xef\xbb\xbf"
	  "a\n",
	  "a", false, true, true },
	{ "", "drafts/**", "drafts/a/b", false, true, true },
	{ "", "drafts/**", "drafts", true, false, false },
	{ "", "**/old/*.md", "x/y/old/a.md", false, true, true },
	{ "", "a[", "a[", false, false, false },
	{ "", "/\n!\n!/\n", "a", false, false, false },
	{ "sub", "/a", "sub/a", false, true, true },
	{ "sub", "/a", "a", false, false, false },
	{ "sub", "*.md", "sub/x/b.md", false, true, true },
	{ "sub", "*.md", "subs/b.md", false, false, false },
	{ "sub", "*.md", "b.md", false, false, false },
};

static void test_ignore(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ignores) / sizeof(*ignores); i++) {
		struct cw_ignore *ignore = cw_ignore_new();
		struct cw_error err = { 0 };

		print_message("  %s | %s\n", ignores[i].text, ignores[i].path);
		assert_int_equal(cw_ignore_add(ignore, ignores[i].dir, ignores[i].text,
					       strlen(ignores[i].text), &err),
				 CW_OK);
		assert_int_equal(cw_ignore_match(ignore, ignores[i].path, ignores[i].is_dir),
				 ignores[i].match);
		assert_int_equal(cw_ignore_covers(ignore, ignores[i].path, ignores[i].is_dir),
				 ignores[i].covers);
		cw_ignore_free(ignore);
	}
}

static void test_ignore_layers(void **state)
{
	struct cw_ignore *ignore = cw_ignore_new();

	(void)state;
	assert_int_equal(cw_ignore_add(ignore, "", "*.md", 4, NULL), CW_OK);
	size_t mark = cw_ignore_count(ignore);
	assert_int_equal(cw_ignore_add(ignore, "sub", "!*.md", 5, NULL), CW_OK);
	assert_false(cw_ignore_match(ignore, "sub/a.md", false));
	assert_true(cw_ignore_match(ignore, "a.md", false));
	cw_ignore_truncate(ignore, mark);
	assert_true(cw_ignore_match(ignore, "sub/a.md", false));
	cw_ignore_free(ignore);
	cw_ignore_free(NULL);
}

static void test_ignore_limits(void **state)
{
	size_t len = ((size_t)1 << 20) + 1;
	char *text = malloc(len);
	struct cw_ignore *ignore = cw_ignore_new();
	struct cw_error err = { 0 };

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = i % 2 ? '\n' : 'a';
	assert_int_equal(cw_ignore_add(ignore, "", text, len, &err), CW_EFULL);
	assert_string_equal(err.msg, "an ignore file of 1048577 bytes, at most 1048576 are read");
	assert_int_equal(cw_ignore_add(ignore, "", text, len - 1, &err), CW_EFULL);
	assert_string_equal(err.msg, "more than 100000 ignore rules");
	cw_ignore_free(ignore);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glob),          cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_check),         cmocka_unit_test(test_ignore),
		cmocka_unit_test(test_ignore_layers), cmocka_unit_test(test_ignore_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
