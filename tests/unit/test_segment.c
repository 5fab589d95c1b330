#include "text_case.h"

#include "clausewatch/buf.h"

#define MD CW_FORMAT_MARKDOWN
#define TX CW_FORMAT_TEXT

/*
 * One line a clause: kind (P, H, I, R), first and last line, section, heading, lead-in, words.
 */
static void describe(const struct cw_analysis *a, struct cw_buf *out)
{
	for (size_t i = 0; i < a->nclauses; i++) {
		const struct cw_clause *c = &a->clauses[i];

		cw_buf_printf(out, "%c %u-%u [%s] {%s} %d:", "PHIR"[c->kind], c -> span.line_start,
			      c->span.line_end, c->section, c->heading, c->lead_in);
		for (uint32_t k = 0; k < c->tok_count; k++) {
			const struct cw_tok *t = &a->toks[c->tok_start + k];

			cw_buf_printf(out, " %.*s", t->len, a->text + t->start);
		}
		cw_buf_putc(out, '\n');
	}
}

static const struct {
	const char *what;
	enum cw_format format;
	const char *text, *want;
} cases[] = {
	{ "headings", MD,
	  "Terms of Use\n============\n\n_Effective_ today.\n\n### 2\\. Your data ###\n\nWe keep it.\n"
	  "\n**Last words**\n\nBye.\n",
	  "H 1-2 [] {Terms of Use} -1: Terms of Use\n"
	  "P 4-4 [] {Terms of Use} -1: Effective today\n"
	  "H 6-6 [2] {Your data} -1: Your data\n"
	  "P 8-8 [2] {Your data} -1: We keep it\n"
	  "H 10-10 [2] {Last words} -1: Last words\n"
	  "P 12-12 [2] {Last words} -1: Bye\n" },
	{ "nested lists", MD,
	  "You may not:\n\n1.  copy it;\n2.  do any of this:\n    1.  sell it;\n    2.  rent it; or\n"
	  "\n    at all.\n3.  break it.\n\nThe end.\n",
	  "P 1-1 [] {} -1: You may not\n"
	  "I 3-3 [1] {} 0: copy it\n"
	  "I 4-4 [2] {} 0: do any of this\n"
	  "I 5-5 [2.1] {} 2: sell it\n"
	  "I 6-6 [2.2] {} 2: rent it or\n"
	  "P 8-8 [2] {} -1: at all\n"
	  "I 9-9 [3] {} 0: break it\n"
	  "P 11-11 [] {} -1: The end\n" },
	{ "bullets under a number", MD,
	  "## 3. Use\n\nWe use your information to\n\n* improve *our* services\n  for you\n"
	  "- train models\n\n> quoted\n> words\n\n* * *\n\n[x]: https://x.example\n",
	  "H 1-1 [3] {Use} -1: Use\n"
	  "P 3-3 [3] {Use} -1: We use your information to\n"
	  "I 5-6 [3] {Use} 1: improve our services for you\n"
	  "I 7-7 [3] {Use} 1: train models\n"
	  "P 9-10 [3] {Use} -1: quoted words\n" },
	{ "table", MD,
	  "| | |\n| --- | --- |\n| **Purpose** | Data |\n| Improve | Logs |\n\nA | B\n--|--\n1 | 2\n",
	  "R 3-3 [] {} -1: Purpose Data\n"
	  "R 4-4 [] {} -1: Improve Logs\n"
	  "R 6-6 [] {} -1: A B\n"
	  "R 8-8 [] {} -1: 1 2\n" },
	{ "code, comments, html", MD,
	  "```\nsome text\n\nmore\n```\n<!-- gone\n\nstill gone -->\n<p>One</p>\n<p>Two</p>\n",
	  "P 2-2 [] {} -1: some text\n"
	  "P 4-4 [] {} -1: more\n"
	  "P 9-9 [] {} -1: One\n"
	  "P 10-10 [] {} -1: Two\n" },
	{ "run-in titles", MD,
	  "**Feedback**. You give us ideas.\n\n10.4 Customer Content. We host it.\n\n(a) Logs: We "
	  "keep them.\n\n(b) We sell them.\n\nAcme Inc. sells things.\n",
	  "P 1-1 [] {Feedback} -1: Feedback You give us ideas\n"
	  "P 3-3 [10.4] {Customer Content} -1: Customer Content We host it\n"
	  "I 5-5 [10.4(a)] {Logs} -1: Logs We keep them\n"
	  "I 7-7 [10.4(b)] {Customer Content} -1: We sell them\n"
	  "P 9-9 [10.4] {Customer Content} -1: Acme Inc sells things\n" },
	{ "contract", TX,
	  "ARTICLE IV\n\nDEFINITIONS\n\n4.1 Vendor shall not:\n\n(a) use the data;\n\n(h) sell it;\n"
	  "\n(i) rent it to\n\n   (i) partners; or\n\n   (ii) others; or\n\n(j) keep it.\n\n4.2 It ends."
	  "\n\nEXHIBIT A\n\n1. First.\n",
	  "H 1-1 [IV] {ARTICLE IV} -1: ARTICLE IV\n"
	  "H 3-3 [IV] {DEFINITIONS} -1: DEFINITIONS\n"
	  "P 5-5 [4.1] {DEFINITIONS} -1: Vendor shall not\n"
	  "I 7-7 [4.1(a)] {DEFINITIONS} 2: use the data\n"
	  "I 9-9 [4.1(h)] {DEFINITIONS} 2: sell it\n"
	  "I 11-11 [4.1(i)] {DEFINITIONS} 2: rent it to\n"
	  "I 13-13 [4.1(i)(i)] {DEFINITIONS} 5: partners or\n"
	  "I 15-15 [4.1(i)(ii)] {DEFINITIONS} 5: others or\n"
	  "I 17-17 [4.1(j)] {DEFINITIONS} 2: keep it\n"
	  "P 19-19 [4.2] {DEFINITIONS} -1: It ends\n"
	  "H 21-21 [Exhibit A] {EXHIBIT A} -1: EXHIBIT A\n"
	  "H 23-23 [Exhibit A.1] {First} -1: First\n" },
	{ "sections and items", TX,
	  "The parties agree as follows:\n\n1. Fees; Taxes. They are due.\n\nYou may not:\n\n"
	  "1. copy it; or\n\n2. sell it.\n",
	  "P 1-1 [] {} -1: The parties agree as follows\n"
	  "P 3-3 [1] {Fees; Taxes} -1: Fees Taxes They are due\n"
	  "P 5-5 [1] {Fees; Taxes} -1: You may not\n"
	  "I 7-7 [1] {} 2: copy it or\n"
	  "I 9-9 [2] {} 2: sell it\n" },
	{ "titles written like sentences", TX,
	  "HOSTING TERMS\n\nThey bind us.\n\n1. Sub-processors. It may hire some.\n\n2. Return and "
	  "deletion. It all goes.\n\n3. It may change. Be warned.\n\nGreen tea. We like it.\n",
	  "H 1-1 [] {HOSTING TERMS} -1: HOSTING TERMS\n"
	  "P 3-3 [] {HOSTING TERMS} -1: They bind us\n"
	  "P 5-5 [1] {Sub-processors} -1: Sub processors It may hire some\n"
	  "P 7-7 [2] {Return and deletion} -1: Return and deletion It all goes\n"
	  "P 9-9 [3] {} -1: It may change Be warned\n"
	  "P 11-11 [3] {} -1: Green tea We like it\n" },
	{ "hard wraps", TX,
	  "1. The Vendor may use all of the data that the Customer sends for any\npurpose it likes, "
	  "under section\n3. The Customer agrees.\n2. Next;\n(a) one;\n(b) two.\n",
	  "P 1-3 [1] {} -1: The Vendor may use all of the data that the Customer sends for any "
	  "purpose it likes under section 3 The Customer agrees\n"
	  "P 4-4 [2] {} -1: Next\n"
	  "I 5-5 [2(a)] {} -1: one\n"
	  "I 6-6 [2(b)] {} -1: two\n" },
	{ "page furniture", TX,
	  "The vendor may, at any time and for whatever reason it sees fit, use\n\n7\n\n"
	  "Source: ACME, INC., 10-Q, 11/14/2019\n\n\n\nthe data of the customer.\n",
	  "P 1-9 [] {} -1: The vendor may at any time and for whatever reason it sees fit use the "
	  "data of the customer\n" },
};

static void test_clauses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cw_analysis a;
		struct cw_buf got = { 0 };

		read_text(&a, cases[i].text, cases[i].format);
		describe(&a, &got);
		if (strcmp(cw_buf_str(&got), cases[i].want) != 0)
			fail_msg("%s:\n%s", cases[i].what, cw_buf_str(&got));
		cw_buf_release(&got);
		cw_arena_release(&a.arena);
	}
}

/* Input that would break a reader that backtracks or recurses: it must end, and soon. */
static void test_hostile(void **state)
{
	static const char *const units[] = { "(",     "[",    "*",  "![",     "](",   "<a",
					     "<!--",  "&",    "> ", "* ",     "|",    "((a)",
					     "a\n",   "1.\n", "\\", "`",      "- \n", "\xff",
					     "\x80",  "**_",  "\t", "![]",    "[](",  "1.1.1",
					     "(a)\n", "\"",   "'",  "\f\n1\n" };
	enum { SIZE = 1 << 20 };
	static char text[SIZE + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t unit = strlen(units[i]);

		for (size_t k = 0; k < SIZE; k++)
			text[k] = units[i][k % unit];
		for (int format = TX; format <= MD; format++) {
			struct cw_analysis a;

			read_text(&a, text, (enum cw_format)format);
			for (size_t k = 0; k < a.nclauses; k++)
				assert_true(a.clauses[k].span.byte_end <= SIZE);
			cw_arena_release(&a.arena);
		}
	}
}

static void test_nul_bytes(void **state)
{
	static const char text[] = "The\0Vendor\n\n\0\n\nmay.";
	struct cw_analysis a = { .text = text, .len = sizeof(text) - 1 };

	(void)state;
	assert_int_equal(cw_segment(&a, NULL), CW_OK);
	assert_int_equal(a.nclauses, 2);
	assert_int_equal(a.ntoks, 3);
	cw_arena_release(&a.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clauses),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_nul_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
