#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "clausewatch/yaml.h"

static struct cw_yaml *load(const char *text)
{
	struct cw_yaml *doc = NULL;
	struct cw_error err = { 0 };

	if (cw_yaml_load("t.yaml", text, strlen(text), &doc, &err) != CW_OK)
		fail_msg("%s", err.msg);
	return doc;
}

static void test_tree(void **state)
{
	struct cw_yaml *doc = load("# head\n"
				   "name: \"two words\"\n"
				   "list:\n"
				   "  - one\n"
				   "  - { k: v, e: }\n"
				   "text: |\n"
				   "  a\n"
				   "  b\n");
	const struct cw_node *root = cw_yaml_root(doc);

	(void)state;
	assert_int_equal(root->kind, CW_MAP);
	assert_int_equal(root->count, 3);
	assert_string_equal(root->pairs[1].key->value, "list");
	assert_int_equal(root->pairs[1].key->line, 3);

	const struct cw_node *name = cw_node_get(root, "name");
	assert_string_equal(name->value, "two words");
	assert_int_equal(name->len, 9);
	assert_int_equal(name->line, 2);
	assert_int_equal(name->column, 7);
	assert_false(name->plain);

	const struct cw_node *list = cw_node_get(root, "list");
	assert_int_equal(list->kind, CW_SEQ);
	assert_int_equal(list->count, 2);
	assert_string_equal(list->items[0]->value, "one");
	assert_string_equal(cw_node_get(list->items[1], "k")->value, "v");
	assert_true(cw_node_is_null(cw_node_get(list->items[1], "e")));
	assert_string_equal(cw_node_get(root, "text")->value, "a\nb\n");
	assert_null(cw_node_get(root, "nothing"));
	assert_null(cw_node_get(list, "name"));
	cw_yaml_free(doc);
}

static void test_empty(void **state)
{
	static const char *const texts[] = { "", "# only a comment\n", "\n\n", "\xef\xbb\xbf" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct cw_yaml *doc = load(texts[i]);

		assert_null(cw_yaml_root(doc));
		cw_yaml_free(doc);
	}
	struct cw_yaml *doc = load("\xef\xbb\xbfk: v\n");
	assert_string_equal(cw_node_get(cw_yaml_root(doc), "k")->value, "v");
	cw_yaml_free(doc);
	cw_yaml_free(NULL);
}

static const struct {
	const char *text;
	int ret;
	const char *msg;
} bad_texts[] = {
	{ "a: 1\nb: 2\na: 3\n", CW_EINVAL, "t.yaml:3:1: key 'a' is already on line 1" },
	{ "a: &x 1\n", CW_EINVAL, "t.yaml:1:4: anchors (&) are not supported" },
	{ "a: &x [1]\n", CW_EINVAL, "t.yaml:1:4: anchors (&) are not supported" },
	{ "a: *x\n", CW_EINVAL, "t.yaml:1:4: aliases (*) are not supported" },
	{ "a: !!str 1\n", CW_EINVAL, "t.yaml:1:4: tags (!) are not supported" },
	{ "a: 1\n---\nb: 2\n", CW_EINVAL, "t.yaml:2:1: a second document in the same file" },
	{ "? [a]\n: 1\n", CW_EINVAL, "t.yaml:1:3: a key must be text" },
	{ "a: \"\\0\"\n", CW_EINVAL, "t.yaml:1:4: text with a NUL character" },
	{ "a: 1\n b: 2\n", CW_EINVAL,
	  "t.yaml:2:3: mapping values are not allowed in this context" },
	{ "a: [1\nb: 2\n", CW_EINVAL,
	  "t.yaml:2:2: did not find expected ',' or ']' (while parsing a flow sequence from line 1)" },
	{ "a: 1\nb: x\x01y\n", CW_EINVAL, "t.yaml:2:5: control characters are not allowed" },
	{ "a: 1\nb: \xff\n", CW_EINVAL, "t.yaml:2:4: invalid leading UTF-8 octet" },
	{ "a:\n\t- b\n", CW_EINVAL, "t.yaml:2:1: a tab cannot indent, use spaces" },
};

static void test_bad_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_texts) / sizeof(*bad_texts); i++) {
		struct cw_yaml *doc = NULL;
		struct cw_error err = { 0 };
		int ret = cw_yaml_load("t.yaml", bad_texts[i].text, strlen(bad_texts[i].text), &doc,
				       &err);

		assert_null(doc);
		assert_string_equal(err.msg, bad_texts[i].msg);
		assert_int_equal(ret, bad_texts[i].ret);
	}
}

/** Text made of one word again and again. */
static int load_repeated(const char *word, size_t times, struct cw_error *err)
{
	size_t len = strlen(word);
	char *text = malloc(len * times + 1);
	struct cw_yaml *doc = NULL;

	assert_non_null(text);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * len, word, len);
	int ret = cw_yaml_load("t.yaml", text, len * times, &doc, err);
	cw_yaml_free(doc);
	free(text);
	return ret;
}

static void test_limits(void **state)
{
	struct cw_error err = { 0 };

	(void)state;
	assert_int_equal(load_repeated("[", CW_YAML_DEPTH_MAX, &err), CW_EINVAL);
	assert_int_equal(load_repeated("[", CW_YAML_BYTES_MAX, &err), CW_EFULL);
	assert_string_equal(err.msg, "t.yaml:1:65: nested too deeply");
	assert_int_equal(load_repeated("- ", CW_YAML_BYTES_MAX / 2, &err), CW_EFULL);
	assert_int_equal(load_repeated("? ", CW_YAML_BYTES_MAX / 2, &err), CW_EINVAL);
	assert_int_equal(load_repeated("{a: ", CW_YAML_BYTES_MAX / 4, &err), CW_EFULL);
	assert_int_equal(load_repeated("-\n", CW_YAML_BYTES_MAX / 2, &err), CW_EFULL);
	assert_string_equal(err.msg, "t.yaml:262144:2: too many values in one file");
	assert_int_equal(load_repeated("-\n", 1000, &err), CW_OK);
	assert_int_equal(load_repeated(" ", CW_YAML_BYTES_MAX + 1, &err), CW_EFULL);
	assert_string_equal(err.msg, "t.yaml: 4194305 bytes, at most 4194304 are read");
}

enum read { STR, INT, REAL, BOOL, DURATION, SIZE, DATE, WORD, STRINGS };

static const struct {
	enum read read;
	const char *text;
	int64_t value;
	const char *msg; /**< on failure, without the place */
} reads[] = {
	{ STR, "''", 0, NULL },
	{ STR, "", 0, "expected text, found nothing" },
	{ STR, "~", 0, "expected text, found nothing" },
	{ STR, "[a]", 0, "expected text, found a list" },
	{ STR, "{a: b}", 0, "expected text, found a map" },
	{ INT, "42", 42, NULL },
	{ INT, "-5", -5, NULL },
	{ INT, "101", 0, "101 is out of range, -5 to 100 is allowed" },
	{ INT, "99999999999999999999", 0,
	  "99999999999999999999 is out of range, -5 to 100 is allowed" },
	{ INT, "4x", 0, "expected a number, found '4x'" },
	{ INT, "+4", 0, "expected a number, found '+4'" },
	{ INT, "' 4'", 0, "expected a number, found ' 4'" },
	{ INT, "''", 0, "expected a number, found ''" },
	{ REAL, "2.0", 2, NULL },
	{ REAL, "11", 0, "11 is out of range, 0 to 10 is allowed" },
	{ REAL, "nan", 0, "expected a number, found 'nan'" },
	{ REAL, "0x1", 0, "expected a number, found '0x1'" },
	{ REAL, "''", 0, "expected a number, found ''" },
	{ BOOL, "true", 1, NULL },
	{ BOOL, "yes", 1, NULL },
	{ BOOL, "off", 0, NULL },
	{ BOOL, "1", 0, "expected true or false, found '1'" },
	{ DURATION, "0", 0, NULL },
	{ DURATION, "500ms", 500, NULL },
	{ DURATION, "30s", 30000, NULL },
	{ DURATION, "1h30m", 5400000, NULL },
	{ DURATION, "7d", 604800000, NULL },
	{ DURATION, "5", 0, "expected a duration such as 500ms, 30s, 5m, 4h or 7d, found '5'" },
	{ DURATION, "5 s", 0, "expected a duration such as 500ms, 30s, 5m, 4h or 7d, found '5 s'" },
	{ DURATION, "-5s", 0, "expected a duration such as 500ms, 30s, 5m, 4h or 7d, found '-5s'" },
	{ DURATION, "99999999999999999w", 0,
	  "expected a duration such as 500ms, 30s, 5m, 4h or 7d, found '99999999999999999w'" },
	{ SIZE, "4096", 4096, NULL },
	{ SIZE, "64MiB", 64 << 20, NULL },
	{ SIZE, "2GB", 2000000000, NULL },
	{ SIZE, "64mb", 0, "expected a size such as 4096, 512KiB or 64MiB, found '64mb'" },
	{ SIZE, "1MiB1", 0, "expected a size such as 4096, 512KiB or 64MiB, found '1MiB1'" },
	{ DATE, "2024-02-29", 0, NULL },
	{ DATE, "2023-02-29", 0, "expected a date as YYYY-MM-DD, found '2023-02-29'" },
	{ DATE, "2022-13-01", 0, "expected a date as YYYY-MM-DD, found '2022-13-01'" },
	{ DATE, "2022-1-01", 0, "expected a date as YYYY-MM-DD, found '2022-1-01'" },
	{ DATE, "-022-11-30", 0, "expected a date as YYYY-MM-DD, found '-022-11-30'" },
	{ WORD, "high", 1, NULL },
	{ WORD, "hgih", 0, "unknown severity 'hgih', did you mean 'high'?" },
	{ WORD, "urgent", 0, "unknown severity 'urgent', known: low, high" },
	{ WORD, "\"\\e[31m\"", 0, "unknown severity '?[31m', known: low, high" },
	{ STRINGS, "one", 1, NULL },
	{ STRINGS, "[]", 0, NULL },
	{ STRINGS, "[one, two]", 2, NULL },
	{ STRINGS, "[one, []]", 0, "expected text, found a list" },
};

static int read_value(enum read read, const struct cw_node *node, int64_t *out,
		      struct cw_error *err)
{
	static const char *const words[] = { "low", "high", NULL };
	struct cw_arena arena = { 0 };
	const char *text = NULL, *const *texts = NULL;
	double real = 0;
	bool yes = false;
	int word = 0, ret = CW_OK;
	size_t n = 0;

	switch (read) {
	case STR:
		return cw_node_str(node, &text, err);
	case INT:
		return cw_node_int(node, -5, 100, out, err);
	case REAL:
		ret = cw_node_real(node, 0, 10, &real, err);
		*out = (int64_t)real;
		return ret;
	case BOOL:
		ret = cw_node_bool(node, &yes, err);
		*out = yes;
		return ret;
	case DURATION:
		return cw_node_duration(node, out, err);
	case SIZE:
		return cw_node_size(node, out, err);
	case DATE:
		return cw_node_date(node, &text, err);
	case WORD:
		ret = cw_node_word(node, "severity", words, &word, err);
		*out = word;
		return ret;
	case STRINGS:
		ret = cw_node_strings(node, &arena, &texts, &n, err);
		if (ret == CW_OK)
			assert_null(texts[n]);
		cw_arena_release(&arena);
		*out = (int64_t)n;
		return ret;
	}
	return CW_EINVAL;
}

static void test_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(reads) / sizeof(*reads); i++) {
		char text[128] = "k: ";
		struct cw_error err = { 0 };
		int64_t value = 0;

		memcpy(text + 3, reads[i].text, strlen(reads[i].text));
		struct cw_yaml *doc = load(text);
		print_message("  %s\n", text);
		int ret = read_value(reads[i].read, cw_node_get(cw_yaml_root(doc), "k"), &value,
				     &err);
		if (reads[i].msg) {
			assert_int_equal(ret, CW_EINVAL);
			assert_memory_equal(err.msg, "t.yaml:1:", 9);
			assert_string_equal(strchr(err.msg, ' ') + 1, reads[i].msg);
		} else {
			assert_int_equal(ret, CW_OK);
			assert_int_equal(value, reads[i].value);
		}
		cw_yaml_free(doc);
	}
}

static void test_keys(void **state)
{
	static const char *const allowed[] = { "id", "severity", "polarity", NULL };
	struct cw_yaml *doc = load("id: x\nseverty: high\n");
	struct cw_error err = { 0 };

	(void)state;
	assert_int_equal(cw_node_check_keys(cw_yaml_root(doc), allowed, &err), CW_EINVAL);
	assert_string_equal(err.msg, "t.yaml:2:1: unknown key 'severty', did you mean 'severity'?");
	assert_int_equal(cw_node_check_keys(cw_node_get(cw_yaml_root(doc), "id"), allowed, &err),
			 CW_EINVAL);
	assert_string_equal(err.msg, "t.yaml:1:5: expected a map, found text");
	cw_yaml_free(doc);
}

static const struct {
	const char *word, *nearest;
} nearest_cases[] = {
	{ "severty", "severity" },
	{ "Severity", "severity" },
	{ "sevreity", "severity" },
	{ "chanels", "channels" },
	{ "id", "id" },
	{ "di", "id" },
	{ "if", "id" },
	{ "xy", NULL },
	{ "", NULL },
	{ "unrelated-word", NULL },
	{ "min-severity", "min_severity" },
	{ "chanel", "channel" },
	{ "z", NULL },
};

static void test_nearest(void **state)
{
	static const char *const words[] = { "severity",     "channels", "channel", "id",
					     "min_severity", "name",     NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(nearest_cases) / sizeof(*nearest_cases); i++) {
		const char *got = cw_nearest(nearest_cases[i].word, words);

		print_message("  %s\n", nearest_cases[i].word);
		if (nearest_cases[i].nearest)
			assert_string_equal(got, nearest_cases[i].nearest);
		else
			assert_null(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),      cmocka_unit_test(test_empty),
		cmocka_unit_test(test_bad_texts), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_reads),     cmocka_unit_test(test_keys),
		cmocka_unit_test(test_nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
