#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "clausewatch/extract.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
	const char *what, *bytes;
	size_t len;
	const char *name;
	int ret;
	const char *format, *encoding, *text; /* or words of the message in text */
} cases[] = {
	{ "plain", BYTES("One.\n"), "a.txt", CW_OK, "text", "utf-8", "One.\n" },
	{ "no name", BYTES("One.\n"), NULL, CW_OK, "text", "utf-8", "One.\n" },
	{ "empty", BYTES(""), "a", CW_OK, "text", "utf-8", "" },
	{ "markdown by name", BYTES("One."), "d.x/A.MD", CW_OK, "markdown", "utf-8", "One." },
	{ "markdown by content", BYTES("# A\n\n## B\n"), "LICENSE", CW_OK, "markdown", "utf-8",
	  "# A\n\n## B\n" },
	{ "one heading is none", BYTES("# A\nx\n"), NULL, CW_OK, "text", "utf-8", "# A\nx\n" },
	{ "text by name", BYTES("# A\n\n## B\n"), "a.txt", CW_OK, "text", "utf-8",
	  "# A\n\n## B\n" },
	{ "mark of UTF-8 stays", BYTES("\xef\xbb\xbfOne"), "a.txt", CW_OK, "text", "utf-8",
	  "\xef\xbb\xbfOne" },
	{ "UTF-16LE", BYTES("\xff\xfeO\0n\0\xe9\0"), "a.txt", CW_OK, "text", "utf-16le",
	  "\xef\xbb\xbfOn\xc3\xa9" },
	{ "UTF-16BE", BYTES("\xfe\xff\0O\0n"), "a.txt", CW_OK, "text", "utf-16be",
	  "\xef\xbb\xbfOn" },
	{ "UTF-16 without mark", BYTES("T\0e\0r\0m\0s\0.\0"), "a.txt", CW_OK, "text", "utf-16le",
	  "Terms." },
	{ "UTF-16 cut short", BYTES("\xff\xfeO\0n"), "a.txt", CW_OK, "text", "utf-16le",
	  "\xef\xbb\xbfO\xef\xbf\xbd" },
	{ "UTF-32LE", BYTES("\xff\xfe\0\0O\0\0\0"), "a.txt", CW_OK, "text", "utf-32le",
	  "\xef\xbb\xbfO" },
	{ "Windows-1252",
	  BYTES("the \x93"
		"fee\x94 of \x80 5"),
	  "a.txt", CW_OK, "text", "windows-1252",
	  "the \xe2\x80\x9c"
	  "fee\xe2\x80\x9d of \xe2\x82\xac 5" },
	{ "a byte that no encoding has", BYTES("a\x81z"), "a.txt", CW_OK, "text", "windows-1252",
	  "a\xef\xbf\xbdz" },
	{ "damaged UTF-8 keeps its bytes", BYTES("\xc3\xa9\xc3\xa9\xff."), "a.txt", CW_OK, "text",
	  "utf-8", "\xc3\xa9\xc3\xa9\xff." },
	{ "pdf", BYTES("%PDF-1.7\n"), "a.txt", CW_EUNSUPPORTED, NULL, NULL, "PDF" },
	{ "docx", BYTES("PK\x03\x04....word/document.xml"), "a.docx", CW_EUNSUPPORTED, NULL, NULL,
	  "Word" },
	{ "odt", BYTES("PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.text"), NULL,
	  CW_EUNSUPPORTED, NULL, NULL, "OpenDocument" },
	{ "zip", BYTES("PK\x03\x04...."), "a.zip", CW_EUNSUPPORTED, NULL, NULL, "ZIP" },
	{ "rtf", BYTES("{\\rtf1"), NULL, CW_EUNSUPPORTED, NULL, NULL, "rtf" },
	{ "binary", BYTES("a\0\0\0b\1\2\3"), "a.txt", CW_EUNSUPPORTED, NULL, NULL, "binary" },
	{ "no pdf inside", BYTES("hello"), "a.pdf", CW_ECORRUPT, NULL, NULL, "name" },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cw_text text = { 0 };
		struct cw_error err = { 0 };
		print_message("  %s\n", cases[i].what);
		int ret = cw_extract(cases[i].bytes, cases[i].len, cases[i].name, &text, &err);
		assert_int_equal(ret, cases[i].ret);
		if (ret < 0) {
			assert_non_null(strstr(err.msg, cases[i].text));
			assert_null(text.bytes);
			continue;
		}
		assert_string_equal(text.name, cases[i].format);
		assert_string_equal(text.encoding, cases[i].encoding);
		assert_int_equal(text.len, strlen(cases[i].text));
		assert_memory_equal(text.bytes, cases[i].text, text.len);
		assert_int_equal(text.converted, strcmp(cases[i].encoding, "utf-8") != 0);
		assert_int_equal(text.format, strcmp(cases[i].format, "markdown") == 0
						      ? CW_FORMAT_MARKDOWN
						      : CW_FORMAT_TEXT);
		cw_text_release(&text);
	}
}

static void test_limit(void **state)
{
	struct cw_text text = { 0 };
	struct cw_error err = { 0 };

	(void)state;
	assert_int_equal(cw_extract("", CW_EXTRACT_MAX + 1, NULL, &text, &err), CW_EFULL);
	assert_int_equal(cw_extract_file("/nonexistent/x", NULL, &text, &err), CW_ENOTFOUND);
	assert_non_null(strstr(err.msg, "/nonexistent/x"));
	assert_int_equal(cw_extract_file("/", NULL, &text, &err), CW_EINVAL);
}

static void test_names(void **state)
{
	(void)state;
	assert_true(cw_extract_is_document("a/LICENSE"));
	assert_true(cw_extract_is_document("a.txt"));
	assert_true(cw_extract_is_document("a.PDF"));
	assert_true(cw_extract_is_document("a.b/c"));
	assert_false(cw_extract_is_document("logo.png"));
	assert_false(cw_extract_is_document("a.zip"));
	assert_string_equal(cw_unchecked_name(CW_EFULL), "too-large");
	assert_string_equal(cw_unchecked_name(CW_EDENIED), "unreadable");
}

static void test_pages(void **state)
{
	uint32_t pages[] = { 0, 100, 200 };
	struct cw_text text = { .pages = pages, .npages = 3 }, none = { 0 };

	(void)state;
	assert_int_equal(cw_text_page(&text, 0), 1);
	assert_int_equal(cw_text_page(&text, 99), 1);
	assert_int_equal(cw_text_page(&text, 100), 2);
	assert_int_equal(cw_text_page(&text, 5000), 3);
	assert_int_equal(cw_text_page(&none, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
