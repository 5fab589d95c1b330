#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "clausewatch/log.h"

#define T INT64_C(1669766400123)

static const struct {
	enum cw_log_format format;
	enum cw_log_level level;
	const char *message, *value, *line;
} lines[] = {
	{ CW_LOG_TEXT, CW_LOG_INFO, "watching", "legal",
	  "time=2022-11-30T00:00:00.123Z level=info msg=watching v=legal n=-7\n" },
	{ CW_LOG_TEXT, CW_LOG_ERR, "cannot read", "a b",
	  "time=2022-11-30T00:00:00.123Z level=error msg=\"cannot read\" v=\"a b\" n=-7\n" },
	{ CW_LOG_TEXT, CW_LOG_DEBUG, "m", NULL,
	  "time=2022-11-30T00:00:00.123Z level=debug msg=m n=-7\n" },
	{ CW_LOG_JOURNAL, CW_LOG_WARNING, "two words", "", "<4>two words v=\"\" n=-7\n" },
	{ CW_LOG_JOURNAL, CW_LOG_NOTICE, "a\nb", "x=y", "<5>a\\nb v=\"x=y\" n=-7\n" },
	{ CW_LOG_JOURNAL, CW_LOG_INFO, "m", "say \"no\" \\ \x1b[31m",
	  "<6>m v=\"say \\\"no\\\" \\\\ \\x1b[31m\" n=-7\n" },
	{ CW_LOG_JOURNAL, CW_LOG_INFO, "m", "caf\xc3\xa9", "<6>m v=caf\xc3\xa9 n=-7\n" },
	{ CW_LOG_JOURNAL, CW_LOG_INFO, "m", "bad\xff", "<6>m v=\"bad\\xff\" n=-7\n" },
	{ CW_LOG_JOURNAL, CW_LOG_INFO, "m", "c1\xc2\x9b", "<6>m v=c1\\u009b n=-7\n" },
	{ CW_LOG_JSON, CW_LOG_INFO, "m", "a\"b\n",
	  "{\"time\":\"2022-11-30T00:00:00.123Z\",\"level\":\"info\",\"message\":\"m\","
	  "\"v\":\"a\\\"b\\n\",\"n\":-7}\n" },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct cw_buf out = { 0 };
		const struct cw_log_field fields[] = { CW_LOG_STR("v", lines[i].value),
						       CW_LOG_NUM("n", -7),
						       { .key = NULL } };

		cw_log_line(&out, lines[i].format, lines[i].level, T, lines[i].message, fields);
		assert_string_equal(cw_buf_str(&out), lines[i].line);
		cw_buf_release(&out);
	}
}

static void test_long_value(void **state)
{
	char *text = malloc(100001);
	struct cw_buf out = { 0 };

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 100000; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[100000] = '\0';
	const struct cw_log_field fields[] = { CW_LOG_STR("v", text + 1), { .key = NULL } };
	cw_log_line(&out, CW_LOG_JSON, CW_LOG_INFO, T, "m", fields);
	assert_in_range(out.len, 4000, 4400);
	cw_buf_clear(&out);
	cw_log_line(&out, CW_LOG_TEXT, CW_LOG_INFO, T, "m", fields);
	assert_in_range(out.len, 4000, 4400);
	assert_non_null(strstr(out.data, "\xc3\xa9\xe2\x80\xa6\"\n"));
	cw_buf_release(&out);
	free(text);
}

/** What cw_log() writes to a standard error that is a file. */
static void capture(char *out, size_t size, enum cw_log_level level, enum cw_log_format format,
		    bool as_journal)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	struct stat st;
	char stream[64];

	assert_non_null(file);
	assert_return_code(dup2(fileno(file), STDERR_FILENO), 0);
	assert_return_code(fstat(fileno(file), &st), 0);
	(void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino + (as_journal ? 0 : 1));
	setenv("JOURNAL_STREAM", stream, 1);
	cw_log_setup(level, format);
	cw_log(CW_LOG_INFO, "plain");
	cw_log(CW_LOG_DEBUG, "with fields", CW_LOG_STR("a", "b"), CW_LOG_NUM("c", 3));
	(void)dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	size_t n = fread(out, 1, size - 1, file);
	out[n] = '\0';
	(void)fclose(file);
}

static void test_write(void **state)
{
	char out[512];

	(void)state;
	capture(out, sizeof(out), CW_LOG_DEBUG, CW_LOG_AUTO, true);
	assert_string_equal(out, "<6>plain\n<7>with fields a=b c=3\n");
	capture(out, sizeof(out), CW_LOG_INFO, CW_LOG_AUTO, false);
	assert_non_null(strstr(out, "level=info msg=plain\n"));
	assert_null(strstr(out, "with fields"));
	capture(out, sizeof(out), CW_LOG_NOTICE, CW_LOG_JSON, true);
	assert_string_equal(out, "");
	assert_true(cw_log_enabled(CW_LOG_NOTICE));
	assert_false(cw_log_enabled(CW_LOG_INFO));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_value),
		cmocka_unit_test(test_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
