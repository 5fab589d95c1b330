/* The parts of the hooks that judge words: what a reader sees of a sentence, and renames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/gate.h"

#include <string.h>

#include "clausewatch/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"

static void repeat(struct cw_buf *out, const char *words, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		cw_buf_puts(out, words);
}

/* Text of leading words, the middle, then trailing words. */
static struct cw_buf sentence(unsigned lead, const char *middle, unsigned trail)
{
	struct cw_buf text = { 0 };

	repeat(&text, "lead ", lead);
	cw_buf_puts(&text, middle);
	repeat(&text, " trail", trail);
	return text;
}

static void test_excerpt_of_one(void **state)
{
	static const struct {
		const char *name;
		unsigned lead, trail;
		bool cut_front, cut_end;
	} cases[] = {
		{ "short", 1, 1, false, false },
		{ "long end", 0, 100, false, true },
		{ "long front", 100, 0, true, false },
		{ "both", 100, 100, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cw_buf text = sentence(cases[i].lead, "may train", cases[i].trail);

		print_message("%s\n", cases[i].name);
		gate_excerpt(NULL, &text, "may train");
		assert_non_null(strstr(cw_buf_str(&text), "may train"));
		assert_in_range(text.len, 1, 190);
		assert_int_equal(strncmp(text.data, ELLIPSIS " lead ", 9) == 0, cases[i].cut_front);
		assert_int_equal(strcmp(text.data + text.len - 4, " " ELLIPSIS) == 0,
				 cases[i].cut_end);
		/* Words are whole. */
		assert_null(strstr(text.data, ELLIPSIS "l"));
		cw_buf_release(&text);
	}
}

static void test_excerpt_of_two(void **state)
{
	struct cw_buf before = sentence(100, "shall not train", 100);
	struct cw_buf after = sentence(100, "may train", 100);

	(void)state;
	gate_excerpt(&before, &after, NULL);
	assert_non_null(strstr(cw_buf_str(&before), "shall not train"));
	assert_non_null(strstr(cw_buf_str(&after), "may train"));
	assert_in_range(before.len, 1, 190);
	assert_in_range(after.len, 1, 190);
	cw_buf_release(&before);
	cw_buf_release(&after);
}

static void test_excerpt_odd(void **state)
{
	struct cw_buf text = { 0 }, empty = { 0 }, other = { 0 };

	(void)state;
	repeat(&text, "\xc3\xa9", 400);
	gate_excerpt(NULL, &text, NULL);
	assert_in_range(text.len, 100, 190);
	assert_true(cw_utf8_valid(text.data, text.len));
	cw_buf_clear(&text);
	repeat(&text, "\xe2\x82\xac", 400);
	cw_buf_puts(&text, "focus");
	gate_excerpt(NULL, &text, "focus");
	assert_true(cw_utf8_valid(text.data, text.len));
	assert_non_null(strstr(text.data, "focus"));
	gate_excerpt(NULL, &empty, "focus");
	assert_string_equal(cw_buf_str(&empty), "");
	gate_excerpt(NULL, NULL, NULL);
	repeat(&other, "gone ", 100);
	gate_excerpt(&other, &empty, NULL);
	assert_string_equal(cw_buf_str(&empty), "");
	assert_in_range(other.len, 1, 190);
	cw_buf_release(&text);
	cw_buf_release(&empty);
	cw_buf_release(&other);
}

/* The clauses of a document stand as letters. */
static struct cw_analysis document(const char *letters, struct cw_clause *clauses)
{
	struct cw_analysis a = { .clauses = clauses, .nclauses = strlen(letters) };

	for (size_t i = 0; i < a.nclauses; i++)
		clauses[i] =
			(struct cw_clause){ .tok_count = 1, .fingerprint = (uint64_t)letters[i] };
	return a;
}

static void test_rename(void **state)
{
	static const struct {
		const char *name, *added;
		int match; /* index, or -1 */
	} cases[] = {
		{ "the same", "abcd", 0 },         { "one dropped", "abc", 0 },
		{ "just half", "abwx", 0 },        { "less than half", "awxyz", -1 },
		{ "the better one", "efgabh", 1 }, { "nothing in common", "wxyz", -1 },
		{ "a claimed one", "mnop", -1 },   { "empty", "", -1 },
	};
	struct cw_clause clauses[16];
	struct gate_report report = { 0 };
	struct gate_gone gone[4] = { { .path = "0" }, { .path = "1" }, { .path = "2" } };
	static const char *const deleted[] = { "abcd", "efgh", "mnop" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct cw_analysis a = document(deleted[i], clauses);
		gate_gone_fill(&report, &gone[i], &a);
	}
	gone[2].claimed = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cw_analysis a = document(cases[i].added, clauses);
		struct gate_gone *hit = gate_gone_match(gone, 4, &a);

		print_message("%s\n", cases[i].name);
		assert_ptr_equal(hit, cases[i].match < 0 ? NULL : &gone[cases[i].match]);
	}
	gate_report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_excerpt_of_one),
		cmocka_unit_test(test_excerpt_of_two),
		cmocka_unit_test(test_excerpt_odd),
		cmocka_unit_test(test_rename),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
