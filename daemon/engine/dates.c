#include "engine/dates.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/** Bytes of the longest date before its first digit. */
#define DATE_MAX 60

/** Where a reader stands in the text. */
struct at {
	const char *p, *end;
};

static const char *const months[] = { "january",   "february", "march",    "april",
				      "may",       "june",     "july",     "august",
				      "september", "october",  "november", "december" };

static const char *const ordinals[] = {
	"first",        "second",         "third",         "fourth",        "fifth",
	"sixth",        "seventh",        "eighth",        "ninth",         "tenth",
	"eleventh",     "twelfth",        "thirteenth",    "fourteenth",    "fifteenth",
	"sixteenth",    "seventeenth",    "eighteenth",    "nineteenth",    "twentieth",
	"twenty-first", "twenty-second",  "twenty-third",  "twenty-fourth", "twenty-fifth",
	"twenty-sixth", "twenty-seventh", "twenty-eighth", "twenty-ninth",  "thirtieth",
	"thirty-first",
};

static const struct {
	const char *word;
	int value;
} numbers[] = {
	{ "one", 1 },        { "two", 2 },       { "three", 3 },     { "four", 4 },
	{ "five", 5 },       { "six", 6 },       { "seven", 7 },     { "eight", 8 },
	{ "nine", 9 },       { "ten", 10 },      { "eleven", 11 },   { "twelve", 12 },
	{ "thirteen", 13 },  { "fourteen", 14 }, { "fifteen", 15 },  { "sixteen", 16 },
	{ "seventeen", 17 }, { "eighteen", 18 }, { "nineteen", 19 }, { "twenty", 20 },
	{ "thirty", 30 },    { "forty", 40 },    { "fifty", 50 },    { "sixty", 60 },
	{ "seventy", 70 },   { "eighty", 80 },   { "ninety", 90 },
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static void skip(struct at *at, const char *set)
{
	while (at->p < at->end && strchr(set, *at->p) && *at->p)
		at->p++;
}

/** Letters at the reader, which it does not pass. */
static size_t letters(const struct at *at)
{
	const char *q = at->p;

	while (q < at->end && isalpha((unsigned char)*q))
		q++;
	return (size_t)(q - at->p);
}

static bool take_word(struct at *at, const char *word)
{
	if (at->p >= at->end || (*at->p | 0x20) != *word)
		return false;

	size_t n = strlen(word);
	if ((size_t)(at->end - at->p) < n || strncasecmp(at->p, word, n) != 0)
		return false;
	if (at->p + n < at->end && is_word(at->p[n]))
		return false;
	at->p += n;
	return true;
}

/** Up to `max` digits that are no part of a longer number; -1 when there are none. */
static int take_number(struct at *at, size_t max, size_t *out_digits)
{
	size_t n = 0;
	int value = 0;

	while (at->p + n < at->end && isdigit((unsigned char)at->p[n])) {
		if (n == max)
			return -1;
		value = value * 10 + (at->p[n++] - '0');
	}
	if (n == 0)
		return -1;
	at->p += n;
	if (out_digits)
		*out_digits = n;
	return value;
}

/** A month's name, or its first three letters or "Sept", with or without a full stop. */
static int take_month(struct at *at)
{
	size_t n = letters(at);

	if (n < 3)
		return 0;
	for (int m = 0; m < 12; m++) {
		size_t full = strlen(months[m]);
		bool shortened = n == 3 || (n == 4 && m == 8);
		if (n > full || strncasecmp(at->p, months[m], n) != 0 || (n != full && !shortened))
			continue;
		at->p += n;
		if (at->p < at->end && *at->p == '.')
			at->p++;
		return m + 1;
	}
	return 0;
}

/** "th", also split by a stray space: "t h". */
static void skip_ordinal_ending(struct at *at)
{
	static const char *const endings[] = { "st", "nd", "rd", "th" };

	for (size_t i = 0; i < 4; i++) {
		struct at q = *at;
		skip(&q, " \n");
		if (q.p >= q.end || tolower((unsigned char)*q.p) != endings[i][0])
			continue;
		q.p++;
		skip(&q, " \n");
		if (q.p >= q.end || tolower((unsigned char)*q.p) != endings[i][1])
			continue;
		q.p++;
		if (q.p < q.end && is_word(*q.p))
			continue;
		*at = q;
		return;
	}
}

static int take_day(struct at *at)
{
	for (int i = 30; i >= 0; i--) {
		if (take_word(at, ordinals[i]))
			return i + 1;
	}

	struct at q = *at;
	int day = take_number(&q, 2, NULL);
	if (day < 1 || day > 31)
		return 0;
	skip_ordinal_ending(&q);
	if (q.p < q.end && is_word(*q.p))
		return 0;
	*at = q;
	return day;
}

static int full_year(int value, size_t digits)
{
	if (digits == 4)
		return value >= 1800 && value < 2200 ? value : 0;
	return digits == 2 ? value + (value < 50 ? 2000 : 1900) : 0;
}

static int take_year(struct at *at)
{
	size_t digits = 0;
	struct at q = *at;
	int value = take_number(&q, 4, &digits);
	int year = value >= 0 && digits == 4 ? full_year(value, digits) : 0;

	if (year)
		*at = q;
	return year;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

static bool make(struct cw_date *out, int year, int month, int day)
{
	if (year < 1800 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return false;
	*out = (struct cw_date){ year, month, day };
	return true;
}

/** "March 5th, 2014" */
static bool month_first(struct at *at, struct cw_date *out)
{
	int month = take_month(at);
	if (!month)
		return false;
	skip(at, " \n,");
	take_word(at, "the");
	skip(at, " \n");

	int day = take_day(at);
	if (!day)
		return false;
	skip(at, " \n,.");
	if (take_word(at, "of"))
		skip(at, " \n");

	int year = take_year(at);
	return year && make(out, year, month, day);
}

/** "5 March 2014", "5th day of March, 2014" */
static bool day_first(struct at *at, struct cw_date *out)
{
	static const char *const between[] = { "day", "of", "the", "month", "of" };
	int day = take_day(at);
	if (!day)
		return false;

	for (size_t i = 0; i < 5; i++) {
		skip(at, " \n,-");
		take_word(at, between[i]);
	}
	skip(at, " \n,-");
	int month = take_month(at);
	if (!month)
		return false;
	skip(at, " \n,.-");
	if (take_word(at, "in")) {
		skip(at, " \n");
		take_word(at, "the");
		skip(at, " \n");
		take_word(at, "year");
		skip(at, " \n");
	}

	int year = take_year(at);
	return year && make(out, year, month, day);
}

/** "3/5/2014", "2014-03-05", "5.3.2014" */
static bool numeric(struct at *at, struct cw_date *out)
{
	size_t d1, d2, d3;
	int a = take_number(at, 4, &d1);
	if (a < 0 || at->p >= at->end || !strchr("/-.", *at->p) || !*at->p)
		return false;

	char sep = *at->p++;
	int b = take_number(at, 2, &d2);
	if (b < 0 || at->p >= at->end || *at->p != sep)
		return false;
	at->p++;
	int c = take_number(at, 4, &d3);
	if (c < 0 || (at->p < at->end && (is_word(*at->p) || *at->p == '-' || *at->p == '/')))
		return false;
	if (at->p + 1 < at->end && *at->p == '.' && isdigit((unsigned char)at->p[1]))
		return false;

	if (d1 == 4)
		return d3 <= 2 && make(out, full_year(a, d1), b, c);
	if (d1 > 2 || (sep != '/' && d3 != 4))
		return false;
	if (sep == '.' || a > 12)
		return make(out, full_year(c, d3), b, a);
	return make(out, full_year(c, d3), a, b);
}

/** Could the word at p be a month or an ordinal, by its first two letters? */
static bool may_begin(const char *p)
{
	static const char pairs[][2] = {
		{ 'j', 'a' }, { 'f', 'e' }, { 'm', 'a' }, { 'a', 'p' }, { 'j', 'u' },
		{ 'a', 'u' }, { 's', 'e' }, { 'o', 'c' }, { 'n', 'o' }, { 'd', 'e' },
		{ 'f', 'i' }, { 't', 'h' }, { 'f', 'o' }, { 's', 'i' }, { 'e', 'i' },
		{ 'n', 'i' }, { 't', 'e' }, { 'e', 'l' }, { 't', 'w' },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		if ((p[0] | 0x20) == pairs[i][0] && (p[1] | 0x20) == pairs[i][1])
			return true;
	}
	return false;
}

bool cw_date_find(const char *text, size_t len, struct cw_date *out, size_t *out_start,
		  size_t *out_end)
{
	const char *end = text + len, *digit = text;

	for (const char *p = text; p < end; p++) {
		if (!isalnum((unsigned char)*p) || (p > text && is_word(p[-1])))
			continue;
		/* No date without a year in digits, so most of a text is passed quickly. */
		while (digit < end && (digit < p || !isdigit((unsigned char)*digit)))
			digit++;
		if (digit == end)
			return false;
		if (digit - p > DATE_MAX || (digit != p && !may_begin(p)))
			continue;

		struct at at[] = { { p, end }, { p, end }, { p, end } };
		struct at *hit = NULL;
		if (isdigit((unsigned char)*p) && (p == text || !strchr("/-.$", p[-1])))
			hit = numeric(&at[0], out) ? &at[0] : NULL;
		if (!hit)
			hit = day_first(&at[1], out) ? &at[1] : NULL;
		if (!hit)
			hit = month_first(&at[2], out) ? &at[2] : NULL;
		if (!hit)
			continue;
		if (out_start)
			*out_start = (size_t)(p - text);
		if (out_end)
			*out_end = (size_t)(hit->p - text);
		return true;
	}
	return false;
}

bool cw_date_parse_iso(const char *text, struct cw_date *out)
{
	struct at at = { text, text + strlen(text) };

	return at.end - at.p == 10 && text[4] == '-' && numeric(&at, out) && at.p == at.end;
}

void cw_date_format(struct cw_date date, char out[CW_DATE_SIZE])
{
	snprintf(out, CW_DATE_SIZE, "%04d-%02d-%02d", date.year, date.month, date.day);
}

struct cw_date cw_date_add_months(struct cw_date date, int count)
{
	int total = date.year * 12 + date.month - 1 + count;

	date.year = total / 12;
	date.month = total % 12 + 1;
	int last = days_in_month(date.year, date.month);
	if (date.day > last)
		date.day = last;
	return date;
}

struct cw_date cw_date_add_days(struct cw_date date, int days)
{
	int day = date.day + days;

	for (int last; day > (last = days_in_month(date.year, date.month));) {
		day -= last;
		date = cw_date_add_months((struct cw_date){ date.year, date.month, 1 }, 1);
	}
	date.day = day;
	return date;
}

static bool small_number(struct at *at, int *value)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (take_word(at, numbers[i].word)) {
			*value = numbers[i].value;
			return true;
		}
	}
	return false;
}

/** "thirty-six", "one hundred and eighty", "a"; the hyphen before a unit is not passed. */
static bool spelled_number(struct at *at, int *value)
{
	int more;

	if (!small_number(at, value))
		return false;

	struct at q = *at;
	skip(&q, " \n-");
	if (*value < 10 && take_word(&q, "hundred")) {
		*value *= 100;
		*at = q;
		skip(&q, " \n");
		take_word(&q, "and");
		skip(&q, " \n");
		if (!small_number(&q, &more))
			return true;
		*value += more;
		*at = q;
		skip(&q, " \n-");
	}
	if (*value % 100 >= 20 && *value % 10 == 0 && small_number(&q, &more) && more < 10) {
		*value += more;
		*at = q;
	}
	return true;
}

/** "(5)" after a number in words: the figure is what the parties look at. */
static void take_figure(struct at *at, int *value)
{
	struct at q = *at;

	skip(&q, " \n");
	if (q.p >= q.end || *q.p != '(')
		return;
	q.p++;
	skip(&q, " \n");
	int figure = take_number(&q, 4, NULL);
	skip(&q, " \n");
	if (figure < 0 || q.p >= q.end || *q.p != ')')
		return;
	q.p++;
	*value = figure;
	*at = q;
}

static bool take_unit(struct at *at, int value, struct cw_duration *out)
{
	static const char *const adjectives[] = { "full",     "calendar",   "consecutive",
						  "business", "additional", "successive",
						  "further",  "contract",   "working" };
	static const struct {
		const char *word;
		int months, days;
	} units[] = {
		{ "year", 12, 0 }, { "years", 12, 0 }, { "yr", 12, 0 },  { "yrs", 12, 0 },
		{ "month", 1, 0 }, { "months", 1, 0 }, { "week", 0, 7 }, { "weeks", 0, 7 },
		{ "day", 0, 1 },   { "days", 0, 1 },
	};

	skip(at, " \n-");
	for (size_t i = 0; i < sizeof(adjectives) / sizeof(*adjectives); i++) {
		if (take_word(at, adjectives[i])) {
			skip(at, " \n-");
			break;
		}
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (!take_word(at, units[i].word))
			continue;
		*out = (struct cw_duration){ value * units[i].months, value * units[i].days };
		return value > 0 && value < 1200;
	}
	return false;
}

/** "third anniversary", "5th anniversary", "three-year anniversary" is left to the plain form */
static bool anniversary(struct at *at, struct cw_duration *out)
{
	int years = take_day(at);

	if (!years)
		return false;
	take_figure(at, &years);
	/* "fifth (5th)" */
	struct at q = *at;
	skip(&q, " \n(");
	if (q.p > at->p && take_day(&q)) {
		skip(&q, ")");
		*at = q;
	}
	skip(at, " \n");
	if (!take_word(at, "annual") && !take_word(at, "year"))
		skip(at, " \n");
	skip(at, " \n");
	if (!take_word(at, "anniversary"))
		return false;
	*out = (struct cw_duration){ .months = years * 12 };
	return true;
}

bool cw_duration_find(const char *text, size_t len, struct cw_duration *out, size_t *out_start,
		      size_t *out_end)
{
	const char *end = text + len;

	for (const char *p = text; p < end; p++) {
		if (!isalnum((unsigned char)*p) || (p > text && is_word(p[-1])))
			continue;

		struct at at = { p, end };
		int value = isdigit((unsigned char)*p) ? take_number(&at, 4, NULL) : -1;
		bool known = value >= 0 || spelled_number(&at, &value);
		if (known)
			take_figure(&at, &value);
		if (!known || !take_unit(&at, value, out)) {
			at = (struct at){ p, end };
			if (!anniversary(&at, out))
				continue;
		}
		if (out_start)
			*out_start = (size_t)(p - text);
		if (out_end)
			*out_end = (size_t)(at.p - text);
		return true;
	}
	return false;
}
