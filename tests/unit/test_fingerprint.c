#include "text_case.h"

#define MD CW_FORMAT_MARKDOWN
#define TX CW_FORMAT_TEXT

static const char base[] =
	"10.4 Customer Content. The Vendor may use Customer's content (including prompts) to "
	"improve the Service, and \"Output\" for 30 days under Section 9.";

/* The same words in another dress. */
static const struct {
	const char *what, *text;
	enum cw_format format;
} same_cases[] = {
	{ "renumbered",
	  "(b) Customer Content. The Vendor may use Customer's content (including prompts) to "
	  "improve the Service, and \"Output\" for 30 days under Section 9.",
	  TX },
	{ "reflowed",
	  "10.4   Customer Content. The Vendor may use\n   Customer's content (including prompts)\n"
	  "to improve the Service,\nand \"Output\" for 30 days under\nSection 9.",
	  TX },
	{ "case",
	  "10.4 CUSTOMER CONTENT. The vendor may use customer's content (including prompts) to "
	  "improve the service, and \"output\" for 30 days under section 9.",
	  TX },
	{ "quotes",
	  "10.4 Customer Content. The Vendor may use Customer\xe2\x80\x99s content (including "
	  "prompts) to improve the Service, and \xe2\x80\x9cOutput\xe2\x80\x9d for 30 days under "
	  "Section\xc2\xa0"
	  "9.",
	  TX },
	{ "markup",
	  "10\\.4 **Customer Content**. The _Vendor_ may use Customer&rsquo;s "
	  "[content](https://x.example/a?b=1) (including prompts) to improve<!-- no --> the "
	  "<b>Serv</b>ice, and \"Output\" for 30 days under Section 9.",
	  MD },
	{ "list item",
	  "*   Customer Content. The Vendor may use Customer's content (including prompts) to\n"
	  "    improve the Service, and \"Output\" for 30 days under Section 9.",
	  MD },
	{ "quoted block",
	  "> Customer Content. The Vendor may use Customer's content (including prompts) to\n"
	  "> improve the Service, and \"Output\" for 30 days under Section 9.",
	  MD },
};

static const struct cw_clause *only(const struct cw_analysis *a)
{
	assert_int_equal(a->nclauses, 1);
	return &a->clauses[0];
}

static void test_cosmetic(void **state)
{
	struct cw_analysis a, b;

	(void)state;
	read_text(&a, base, TX);
	for (size_t i = 0; i < sizeof(same_cases) / sizeof(same_cases[0]); i++) {
		read_text(&b, same_cases[i].text, same_cases[i].format);
		if (only(&a)->fingerprint != only(&b)->fingerprint)
			fail_msg("fingerprint changed: %s", same_cases[i].what);
		cw_arena_release(&b.arena);
	}
	cw_arena_release(&a.arena);
}

static const struct {
	const char *a, *b;
	bool same_skeleton;
} other_cases[] = {
	{ "The fee is 30 dollars a month for it.", "The fee is 45 dollars a month for it.", true },
	{ "It is owed by the Vendor at the end.", "It is owed by the Licensor at the end.", true },
	{ "It shall be sent to Acme Cloud with care.", "It shall be sent to Globex with care.",
	  true },
	{ "We may use your data.", "We may not use your data.", false },
	{ "We may use your data.", "We may use their data.", false },
	{ "ALL WARRANTIES ARE DISCLAIMED.", "ALL LIABILITY IS EXCLUDED.", false },
};

static void test_substance(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(other_cases) / sizeof(other_cases[0]); i++) {
		struct cw_analysis a, b;

		read_text(&a, other_cases[i].a, TX);
		read_text(&b, other_cases[i].b, TX);
		assert_true(only(&a)->fingerprint != only(&b)->fingerprint);
		if ((only(&a)->skeleton == only(&b)->skeleton) != other_cases[i].same_skeleton)
			fail_msg("skeleton: %s", other_cases[i].a);
		cw_arena_release(&a.arena);
		cw_arena_release(&b.arena);
	}
}

static double similarity(const char *x, const char *y)
{
	struct cw_analysis a, b;
	uint32_t one[CW_SKETCH_LEN], two[CW_SKETCH_LEN];

	read_text(&a, x, TX);
	read_text(&b, y, TX);
	cw_sketch(&a, only(&a), one);
	cw_sketch(&b, only(&b), two);
	cw_arena_release(&a.arena);
	cw_arena_release(&b.arena);
	return cw_sketch_similarity(one, two);
}

static void test_sketch(void **state)
{
	static const char a[] =
		"Vendor may collect usage data about how the service is used and may use that data "
		"to maintain, improve and develop its products for as long as it wishes to do so.";
	static const char renamed[] =
		"Licensor may collect usage data about how the service is used and may use that data "
		"to maintain, improve and develop its products for as long as it wishes to do so.";
	static const char reworded[] =
		"Vendor may collect usage data about how the service is used and may process that "
		"data to maintain, improve and develop its products for as long as it wishes.";
	static const char other[] =
		"Neither party is liable for a delay caused by war, flood, fire or another event "
		"that lies beyond its reasonable control and could not have been foreseen.";

	(void)state;
	assert_true(similarity(a, a) == 1.0);
	assert_true(similarity(a, renamed) == 1.0);
	assert_true(similarity(a, reworded) >= 0.5);
	assert_true(similarity(a, other) < 0.1);
	assert_true(similarity("Fees.", "Fees.") == 1.0);
	assert_true(similarity("Fees.", "Term.") < 0.1);
}

static void test_long_clause(void **state)
{
	static char one[40000], two[40000];
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; len + 20 < sizeof(one); i++)
		len += (size_t)snprintf(one + len, sizeof(one) - len, "word%c%c%c ", 'a' + i % 26,
					'a' + i / 26 % 26, 'a' + i / 676 % 26);
	memcpy(two, one, sizeof(one));
	two[len - 3] = '-';

	struct cw_analysis a, b;
	read_text(&a, one, TX);
	read_text(&b, two, TX);
	assert_true(only(&a)->tok_count > 3000);
	assert_true(only(&a)->fingerprint != only(&b)->fingerprint);
	cw_arena_release(&a.arena);
	cw_arena_release(&b.arena);
	assert_true(similarity(one, two) > 0.9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cosmetic),
		cmocka_unit_test(test_substance),
		cmocka_unit_test(test_sketch),
		cmocka_unit_test(test_long_clause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
