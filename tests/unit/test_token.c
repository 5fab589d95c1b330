#include "text_case.h"

#include "clausewatch/buf.h"
#include "clausewatch/compare.h"

#define MD CW_FORMAT_MARKDOWN
#define TX CW_FORMAT_TEXT

/* Folded words by blanks; every word must hash as the same word given to cw_word_hash(). */
static const struct {
	const char *text;
	enum cw_format format;
	const char *words;
} word_cases[] = {
	{ "The Vendor shall not", TX, "the vendor shall not" },
	{ "de-identified/aggregated data", TX, "de identified aggregated data" },
	{ "Customer's data, users' data", TX, "customer data users data" },
	{ "Customer\xe2\x80\x99s don\xe2\x80\x99t don't", TX, "customer don't don't" },
	{ "US$12,500.00 on 10.4, 2020.", TX, "us 12,500.00 on 10.4 2020" },
	{ "internationalisation INTERNATIONALISATION", TX,
	  "internationalisation internationalisation" },
	{ "a _____ blank", TX, "a blank" },
	{ "**Cust**omer _data_ `x` ~~old~~", MD, "customer data x old" },
	{ "**Cust**omer", TX, "cust omer" },
	{ "[our policy](https://x.example/a_(b)?c=d \"t i\") applies", MD, "our policy applies" },
	{ "see ![logo](a.png) and [![l](b.png)](c) end", MD, "see and end" },
	{ "[Company][Date] (x", MD, "company date x" },
	{ "1\\.5 \\[sic\\] 10\\.4", MD, "1.5 sic 10.4" },
	{ "AT&amp;T&nbsp;Inc don&rsquo;t &#8220;Data&#x201d;", MD, "at t inc don't data" },
	{ "<b>Data</b><br>Use<!-- no\nno --> it <a href=\"x\">here</a>", MD, "data use it here" },
	{ "a < b and c > d", MD, "a b and c d" },
	{ "<b>Data</b>", TX, "b data b" },
	{ "soft\xc2\xadhyphen zero\xe2\x80\x8bwidth no\xc2\xa0"
	  "break",
	  TX, "softhyphen zerowidth no break" },
	{ "caf\xc3\xa9 bad\xff"
	  "byte",
	  TX, "caf\xc3\xa9 bad byte" },
	{ "em\xe2\x80\x94"
	  "dash \xe2\x80\xa2 item",
	  TX, "em dash item" },
	{ "you may (a) copy, (ii) sell or (3) keep", TX, "you may copy sell or keep" },
	{ "five (5) days under Section (a) and (b)", TX, "five 5 days under section a and b" },
	{ "the right(s) granted", TX, "the right granted" },
	{ "", TX, "" },
};

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(word_cases) / sizeof(word_cases[0]); i++) {
		struct cw_arena arena = { 0 };
		struct cw_toks toks = { 0 };
		const char *text = word_cases[i].text, *want = word_cases[i].words;
		size_t n = 0;

		assert_int_equal(cw_tokenise(&arena, text, 0, (uint32_t)strlen(text),
					     word_cases[i].format, &toks),
				 CW_OK);
		while (*want) {
			size_t len = strcspn(want, " ");

			if (n >= toks.count || toks.at[n].hash != cw_word_hash(want, len))
				fail_msg("\"%s\": word %zu is not \"%.*s\"", text, n, (int)len,
					 want);
			n++;
			want += len + (want[len] == ' ');
		}
		if (n != toks.count)
			fail_msg("\"%s\": %zu words instead of %zu", text, toks.count, n);
		cw_arena_release(&arena);
	}
}

/* "/" stands before every word that must start a sentence. */
static const char *const sentence_cases[] = {
	"/We keep it. /You do not.",
	"/Acme Inc. shall pay. /Then it ends.",
	"/Acme Inc. /The Services are ours.",
	"/See No. 5 and Sec. 10.4 of it, e.g. Data. /Next one.",
	"/It is 10.4 percent. /In 2020. /Yes!",
	"/He said \"stop.\" /They left (all of them). /Done.",
	"/In the U.S. Government case, i.e. Smith v. Jones, approx. Five.",
	"/J. Smith signs... /And pays.",
	"/Ask: \"Why?\" /Because.",
	"/visit example.com now",
	"/keep it.And sell",
	"/1. Definitions apply. /2. Terms do.",
};

static void test_sentences(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sentence_cases) / sizeof(sentence_cases[0]); i++) {
		char text[256];
		bool want[256] = { false };
		size_t len = 0, starts = 0, seen = 0;
		struct cw_arena arena = { 0 };
		struct cw_toks toks = { 0 };

		for (const char *c = sentence_cases[i]; *c; c++) {
			if (*c == '/') {
				want[len] = true;
				starts++;
				continue;
			}
			text[len++] = *c;
		}
		assert_int_equal(cw_tokenise(&arena, text, 0, (uint32_t)len, TX, &toks), CW_OK);
		for (size_t k = 0; k < toks.count; k++) {
			bool start = toks.at[k].flags & CW_TOK_SENT;

			seen += start;
			if (start != want[toks.at[k].start])
				fail_msg("%s: byte %u", sentence_cases[i], toks.at[k].start);
		}
		assert_int_equal(seen, starts);
		cw_arena_release(&arena);
	}
}

static const struct {
	const char *text;
	size_t word;
	unsigned set, clear;
} flag_cases[] = {
	{ "Vendor may", 0, CW_TOK_CAP | CW_TOK_SENT, CW_TOK_UPPER },
	{ "the VENDOR may", 1, CW_TOK_CAP | CW_TOK_UPPER, CW_TOK_SENT },
	{ "Customer's data", 0, CW_TOK_POSS, 0 },
	{ "pay $500 now", 1, CW_TOK_NUM | CW_TOK_MONEY, CW_TOK_CAP },
	{ "use, sell", 1, CW_TOK_COMMA, CW_TOK_SOFT },
	{ "use; sell", 1, CW_TOK_SOFT, CW_TOK_COMMA },
	{ "shall not: use", 2, CW_TOK_SOFT, 0 },
	{ "may (a) use", 1, CW_TOK_SOFT, CW_TOK_PAREN },
	{ "data (other than logs) stay", 2, CW_TOK_PAREN, 0 },
	{ "data (other than logs) stay", 4, 0, CW_TOK_PAREN },
	{ "the \"Services\" are", 1, CW_TOK_QUOTE, 0 },
	{ "the \"Services\" are", 2, 0, CW_TOK_QUOTE },
	{ "the \xe2\x80\x9cServices\xe2\x80\x9d are", 1, CW_TOK_QUOTE, 0 },
};

static void test_flags(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(flag_cases) / sizeof(flag_cases[0]); i++) {
		struct cw_arena arena = { 0 };
		struct cw_toks toks = { 0 };
		const char *text = flag_cases[i].text;

		assert_int_equal(cw_tokenise(&arena, text, 0, (uint32_t)strlen(text), TX, &toks),
				 CW_OK);
		assert_true(toks.count > flag_cases[i].word);
		unsigned flags = toks.at[flag_cases[i].word].flags;
		if ((flags & flag_cases[i].set) != flag_cases[i].set ||
		    (flags & flag_cases[i].clear))
			fail_msg("%s: flags %x", text, flags);
		cw_arena_release(&arena);
	}
}

static const struct {
	const char *text;
	enum cw_format format;
	const char *plain;
} plain_cases[] = {
	{ "  We  keep\n\t**your** data. ", MD, "We keep your data." },
	{ "[our \\[new\\] policy](https://x.example) applies", MD, "our [new] policy applies" },
	{ "a<br>b &amp; c<!-- x -->", MD, "a b & c" },
	{ "user_id and _stress_", MD, "user_id and stress" },
	{ "a\x01\x7f"
	  "b zero\xe2\x80\x8bwidth",
	  TX, "a b zerowidth" },
	{ "**kept** as is", TX, "**kept** as is" },
	{ "\xe2\x80\x9cquoted\xe2\x80\x9d", MD, "\xe2\x80\x9cquoted\xe2\x80\x9d" },
};

static void test_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plain_cases) / sizeof(plain_cases[0]); i++) {
		struct cw_buf buf = { 0 };
		const char *text = plain_cases[i].text;

		cw_plain_text(text, 0, (uint32_t)strlen(text), plain_cases[i].format, &buf);
		assert_string_equal(cw_buf_str(&buf), plain_cases[i].plain);
		cw_buf_release(&buf);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(cw_severity_name(CW_CRITICAL), "critical");
	assert_int_equal(cw_severity_parse("low"), CW_LOW);
	assert_int_equal(cw_severity_parse("Low"), -1);
	assert_int_equal(cw_direction_parse("both"), CW_BOTH);
	assert_int_equal(cw_polarity_parse("protection"), CW_PROTECTION);
	assert_int_equal(cw_part_parse("for"), CW_PART_PURPOSE);
	assert_int_equal(cw_part_parse(""), -1);
	assert_string_equal(cw_format_name(CW_FORMAT_MARKDOWN), "markdown");
	assert_string_equal(cw_change_event_name(CW_REWORDED), "reworded");
	assert_string_equal(cw_effect_name(CW_EFFECT_SAFER), "safer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words), cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_flags), cmocka_unit_test(test_plain),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
