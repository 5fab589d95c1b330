#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "engine/dates.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct {
	const char *text, *iso; /* NULL: no date */
} date_cases[] = {
	{ "dated as of March 5, 2014 between", "2014-03-05" },
	{ "MARCH 5 , 2014", "2014-03-05" },
	{ "on March 5th. 2014", "2014-03-05" },
	{ "Sept. 9, 1999", "1999-09-09" },
	{ "5 March 2014", "2014-03-05" },
	{ "24 OCT 2011", "2011-10-24" },
	{ "this 5th day of March 2014", "2014-03-05" },
	{ "this 5th day of March, 2014", "2014-03-05" },
	{ "this 17t h day of October , 2007", "2007-10-17" },
	{ "the 21s t of June, 2010", "2010-06-21" },
	{ "the fifteenth day of May, 2003", "2003-05-15" },
	{ "the twenty-first day of May 2003", "2003-05-21" },
	{ "the first day of the month of July, 2003", "2003-07-01" },
	{ "on the 3rd day of April in the year 2001", "2001-04-03" },
	{ "3/5/2014", "2014-03-05" },
	{ "25/5/2014", "2014-05-25" },
	{ "03/01/05", "2005-03-01" },
	{ "3/5/99", "1999-03-05" },
	{ "2014-03-05", "2014-03-05" },
	{ "2014/3/5", "2014-03-05" },
	{ "5.3.2014", "2014-03-05" },
	{ "3-5-2014", "2014-03-05" },
	{ "in May 12 days passed; signed June 1, 2001", "2001-06-01" },
	{ "February 29, 2012", "2012-02-29" },
	{ "February 29, 2013", NULL },
	{ "February 30, 2012", NULL },
	{ "the ___ day of March, 2014", NULL },
	{ "March 2014", NULL },
	{ "section 3.5.2 of this", NULL },
	{ "version 1.2.2014.7", NULL },
	{ "Marching 5, 2014", NULL },
	{ "$3/5/2014", NULL },
	{ "call 212-555-2014", NULL },
	{ "", NULL },
};

static void test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(date_cases); i++) {
		struct cw_date d;
		char iso[CW_DATE_SIZE] = "";
		const char *text = date_cases[i].text;

		print_message("  %s\n", text);
		if (cw_date_find(text, strlen(text), &d, NULL, NULL))
			cw_date_format(d, iso);
		assert_string_equal(iso, date_cases[i].iso ? date_cases[i].iso : "");
	}
}

static void test_where(void **state)
{
	const char *text = "from May 1, 2001 to";
	struct cw_date d;
	size_t from, to;

	(void)state;
	assert_true(cw_date_find(text, strlen(text), &d, &from, &to));
	assert_int_equal(from, 5);
	assert_int_equal(to, 16);
	/* A date cut off by the end of the text is none. */
	assert_false(cw_date_find(text, 14, &d, NULL, NULL));
}

static const struct {
	const char *text;
	int months, days; /* both 0: none */
} duration_cases[] = {
	{ "a period of five (5) years from", 60, 0 },
	{ "36 months", 36, 0 },
	{ "successive one-year terms", 12, 0 },
	{ "twenty-four (24) months", 24, 0 },
	{ "thirty six months", 36, 0 },
	{ "ninety (90) days", 0, 90 },
	{ "one hundred eighty (180) days", 0, 180 },
	{ "one hundred and twenty days", 0, 120 },
	{ "two weeks", 0, 14 },
	{ "3-year", 36, 0 },
	{ "sixty (60) calendar days", 0, 60 },
	{ "thirty consecutive days", 0, 30 },
	{ "the third anniversary of", 36, 0 },
	{ "the fifth (5th) anniversary of", 60, 0 },
	{ "the 10th anniversary", 120, 0 },
	{ "the four-year anniversary", 48, 0 },
	{ "one party may", 0, 0 },
	{ "the first year", 0, 0 },
	{ "years", 0, 0 },
	{ "", 0, 0 },
};

static void test_durations(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(duration_cases); i++) {
		struct cw_duration d = { 0 };
		const char *text = duration_cases[i].text;

		print_message("  %s\n", text);
		bool found = cw_duration_find(text, strlen(text), &d, NULL, NULL);
		assert_int_equal(found, duration_cases[i].months || duration_cases[i].days);
		assert_int_equal(found ? d.months : 0, duration_cases[i].months);
		assert_int_equal(found ? d.days : 0, duration_cases[i].days);
	}
}

static void test_arithmetic(void **state)
{
	char iso[CW_DATE_SIZE];
	struct cw_date d;

	(void)state;
	assert_true(cw_date_parse_iso("2012-01-31", &d));
	cw_date_format(cw_date_add_months(d, 1), iso);
	assert_string_equal(iso, "2012-02-29");
	cw_date_format(cw_date_add_months(d, 60), iso);
	assert_string_equal(iso, "2017-01-31");
	cw_date_format(cw_date_add_days(d, 366), iso);
	assert_string_equal(iso, "2013-01-31");
	assert_false(cw_date_parse_iso("2012-1-31", &d));
	assert_false(cw_date_parse_iso("31/01/2012", &d));
	assert_false(cw_date_parse_iso("", &d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_arithmetic),
	};

	return cmocka_run_group_tests_name("dates", tests, NULL, NULL);
}
