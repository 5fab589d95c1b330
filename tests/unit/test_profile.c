#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "engine/profile.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

struct read {
	struct cw_analysis a;
	const struct cw_roles *roles;
};

static void read_text(struct read *r, const char *text, enum cw_format format, const char *today)
{
	const struct cw_analysis_options opts = { .today = today };
	struct cw_error err = { 0 };

	*r = (struct read){ .a = { .text = text, .len = strlen(text), .format = format } };
	assert_int_equal(cw_segment(&r->a, &err), CW_OK);
	assert_int_equal(cw_profile_read(&r->a, &opts, &r->roles, &err), CW_OK);
}

static void done(struct read *r)
{
	cw_arena_release(&r->a.arena);
}

struct party {
	const char *name, *alias;
	enum cw_role role;
};

static const struct {
	const char *what, *text;
	struct party parties[4];
} party_cases[] = {
	{ "defined terms in brackets",
	  "HOSTING AGREEMENT\n\nThis Hosting Agreement is made as of May 4, 2011 by and between Blue "
	  "Heron Systems, Inc., a Delaware corporation with offices at 12 Lake Street, Austin, TX "
	  "78701 (\"Provider\") and Mill & Vane LLC (\"Customer\"). The parties agree as follows.\n",
	  { { "Blue Heron Systems, Inc.", "Provider", CW_ROLE_VENDOR },
	    { "Mill & Vane LLC", "Customer", CW_ROLE_CUSTOMER } } },
	{ "curly quotes and articles",
	  "This Agreement is between Ostrava Data a.s. (hereinafter the \xe2\x80\x9cLicensor\xe2\x80\x9d), "
	  "and Pell Ltd. (the \xe2\x80\x9cLicensee\xe2\x80\x9d).\n",
	  { { "Ostrava Data a.s.", "Licensor", CW_ROLE_VENDOR },
	    { "Pell Ltd.", "Licensee", CW_ROLE_CUSTOMER } } },
	{ "a list with numbers",
	  "SERVICE AGREEMENT\n\nDATED 1 July 2019\n\nBETWEEN:\n\n(1) NORTH PIER LIMITED (the Company); "
	  "and\n\n(2) ANNE WREN (the Consultant).\n\nIT IS AGREED as follows.\n",
	  { { "NORTH PIER LIMITED", "Company", CW_ROLE_CUSTOMER },
	    { "ANNE WREN", "Consultant", CW_ROLE_VENDOR } } },
	{ "a letter without between",
	  "Ladies and Gentlemen:\n\nTern Island Corporation, a Nevada corporation (the \"Company\"), "
	  "confirms its agreement with Gull & Sons, L.P. (the \"Agent\") as follows.\n",
	  { { "Tern Island Corporation", "Company", CW_ROLE_CUSTOMER },
	    { "Gull & Sons, L.P.", "Agent", CW_ROLE_VENDOR } } },
	{ "a name to be filled in",
	  "This contract is made between Sandpiper GmbH (\"Supplier\") and ____________ "
	  "(\"Purchaser\").\n",
	  { { "Sandpiper GmbH", "Supplier", CW_ROLE_VENDOR },
	    { "Purchaser", "Purchaser", CW_ROLE_CUSTOMER } } },
	{ "somebody described, not named",
	  "This Agreement is made between Plover Cloud, Inc. (\"Plover\") and the organization that "
	  "accepts these terms (\"Customer\").\n",
	  { { "Plover Cloud, Inc.", "Plover", CW_ROLE_VENDOR },
	    { "Customer", "Customer", CW_ROLE_CUSTOMER } } },
	{ "a company without a term of its own, and somebody described",
	  "This Agreement is between Plover Cloud, Inc. and the organization that accepts these terms "
	  "(\"Customer\").\n",
	  { { "Plover Cloud, Inc.", "", CW_ROLE_VENDOR },
	    { "Customer", "Customer", CW_ROLE_CUSTOMER } } },
	{ "described by the name of the other",
	  "This Agreement is between Plover Cloud, Inc. (\"Plover\") and the business customer of "
	  "Plover that places the order (\"Customer\").\n",
	  { { "Plover Cloud, Inc.", "Plover", CW_ROLE_VENDOR },
	    { "Customer", "Customer", CW_ROLE_CUSTOMER } } },
	{ "a nation in the name, a postcode behind it",
	  "This Agreement is between Wren Motor Sales, U.S.A., Inc. (\"Provider\") and Pell Ltd., of "
	  "Hamilton, Ontario, Canada, L8P 0A6 (\"Pell\").\n",
	  { { "Wren Motor Sales, U.S.A., Inc.", "Provider", CW_ROLE_VENDOR },
	    { "Pell Ltd.", "Pell", CW_ROLE_CUSTOMER } } },
	{ "small words and titles before a name",
	  "Privacy Policy of Heron Inc.\n\nAt Heron Inc. (\"Heron\"), we care.\n",
	  { { "Heron Inc.", "Heron", CW_ROLE_VENDOR } } },
	{ "three parties, one of them a buyer",
	  "This Agreement is among Lark Ltd. (\"Lark\"), Mill Hospital (\"Customer\") and Anne Wren "
	  "(\"Wren\").\n",
	  { { "Lark Ltd.", "Lark", CW_ROLE_VENDOR },
	    { "Mill Hospital", "Customer", CW_ROLE_CUSTOMER },
	    { "Anne Wren", "Wren", CW_ROLE_UNKNOWN } } },
	{ "an and inside a name",
	  "This Agreement is among Institute of Soil and Water Research (\"ISW\"), Knot Oil Corp. "
	  "(\"Knot\") and Reed Inc. (\"Reed\").\n",
	  { { "Institute of Soil and Water Research", "ISW", CW_ROLE_UNKNOWN },
	    { "Knot Oil Corp.", "Knot", CW_ROLE_UNKNOWN },
	    { "Reed Inc.", "Reed", CW_ROLE_UNKNOWN } } },
	{ "roles by who provides and who pays",
	  "This Agreement is between Lark Systems, Inc. (\"Lark\") and Dune Retail, Inc. (\"Dune\").\n\n"
	  "Lark shall provide the Services to Dune. Lark hereby grants Dune a license to use the "
	  "Software. Dune shall pay Lark the fees within thirty days. Lark shall invoice Dune each "
	  "month.\n",
	  { { "Lark Systems, Inc.", "Lark", CW_ROLE_VENDOR },
	    { "Dune Retail, Inc.", "Dune", CW_ROLE_CUSTOMER } } },
	{ "only signatures name them",
	  "The parties agree to keep the records in good order.\n\nKESTREL PAPER, INC.\n\nBy: /s/ J. "
	  "Ames\n\nOSPREY INK LLC\n\nBy: /s/ P. Bell\n",
	  { { "KESTREL PAPER, INC.", "", CW_ROLE_UNKNOWN },
	    { "OSPREY INK LLC", "", CW_ROLE_UNKNOWN } } },
	{ "no party", "Bring bread, milk and eggs.\n", { { 0 } } },
	{ "nothing", "", { { 0 } } },
};

static void test_parties(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(party_cases); i++) {
		struct read r;
		size_t n = 0;

		print_message("  %s\n", party_cases[i].what);
		read_text(&r, party_cases[i].text, CW_FORMAT_TEXT, NULL);
		for (const struct party *p = party_cases[i].parties; n < 4 && p[n].name; n++) {
			assert_true(n < r.a.profile.nparties);
			assert_string_equal(r.a.profile.parties[n].name, p[n].name);
			assert_string_equal(r.a.profile.parties[n].alias, p[n].alias);
			assert_int_equal(r.a.profile.parties[n].role, p[n].role);
		}
		assert_int_equal(r.a.profile.nparties, n);
		done(&r);
	}
}

static const struct {
	const char *what, *text;
	const char *agreement, *effective, *expiration;
	int renews, notice;
} life_cases[] = {
	{ "entered into on one day, effective on another",
	  "This Agreement is entered into on June 3, 2015 and is effective as of July 1, 2015 (the "
	  "\"Effective Date\") between Ash Inc. (\"Ash\") and Elm Inc. (\"Elm\").\n\n"
	  "The term of this Agreement shall commence on the Effective Date and continue for a period "
	  "of three (3) years.\n",
	  "2015-06-03", "2015-07-01", "2018-07-01", -1, -1 },
	{ "a fixed end",
	  "THIS AGREEMENT, dated as of the 2nd day of March, 2009, is between Ash Inc. and Elm Inc.\n\n"
	  "This Agreement shall remain in force until December 31, 2012.\n",
	  "2009-03-02", "2009-03-02", "2012-12-31", -1, -1 },
	{ "renews by itself",
	  "This Agreement is made as of March 1, 2010 between Ash Inc. and Elm Inc.\n\nThe initial term "
	  "of this Agreement is one year from the date hereof. This Agreement shall automatically "
	  "renew for successive one-year terms unless either party gives notice at least ninety (90) "
	  "days prior to the end of the current term.\n",
	  "2010-03-01", "2010-03-01", "2011-03-01", 1, 90 },
	{ "renews when somebody acts",
	  "This Agreement is made as of March 1, 2010 between Ash Inc. and Elm Inc.\n\nElm has the "
	  "option to renew this Agreement for one further term.\n",
	  "2010-03-01", "2010-03-01", "", 0, -1 },
	{ "does not renew",
	  "This Agreement is made as of March 1, 2010 between Ash Inc. and Elm Inc.\n\nThis Agreement "
	  "shall not automatically renew.\n",
	  "2010-03-01", "2010-03-01", "", 0, -1 },
	{ "another agreement's date",
	  "AMENDMENT\n\nThis Amendment is dated as of May 9, 2016 and amends that certain agreement dated "
	  "as of April 2, 2012 between Ash Inc. and Elm Inc.\n",
	  "2016-05-09", "2016-05-09", "", -1, -1 },
	{ "signature dates",
	  "Ash Inc. (\"Ash\") and Elm Inc. (\"Elm\") agree to the following.\n\nASH INC.\n\nBy: /s/ A. "
	  "Ash\n\nDate: 4/2/2008\n\nELM INC.\n\nBy: /s/ E. Elm\n\nDate: 4/7/2008\n",
	  "2008-04-07", "2008-04-07", "", -1, -1 },
	{ "a term of confidence is not the term",
	  "This Agreement is made as of March 1, 2010 between Ash Inc. and Elm Inc.\n\nThe duty of "
	  "confidentiality shall survive for a period of five years after disclosure.\n",
	  "2010-03-01", "2010-03-01", "", -1, -1 },
	{ "no dates", "This Agreement is made between Ash Inc. and Elm Inc.\n", "", "", "", -1,
	  -1 },
};

static void test_lifetime(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(life_cases); i++) {
		struct read r;

		print_message("  %s\n", life_cases[i].what);
		read_text(&r, life_cases[i].text, CW_FORMAT_TEXT, NULL);
		assert_string_equal(r.a.profile.agreement_date, life_cases[i].agreement);
		assert_string_equal(r.a.profile.effective_date, life_cases[i].effective);
		assert_string_equal(r.a.profile.expiration_date, life_cases[i].expiration);
		assert_int_equal(r.a.profile.auto_renews, life_cases[i].renews);
		assert_int_equal(r.a.profile.notice_period_days, life_cases[i].notice);
		assert_string_equal(r.a.profile.in_force, "unknown");
		done(&r);
	}
}

static const struct {
	const char *text, *today, *in_force;
} force_cases[] = {
	{ "This Agreement is dated as of May 1, 2010. This Agreement shall expire on May 1, 2012.\n",
	  "2011-01-01", "yes" },
	{ "This Agreement is dated as of May 1, 2010. This Agreement shall expire on May 1, 2012.\n",
	  "2013-01-01", "no" },
	{ "This Agreement is dated as of May 1, 2010. This Agreement shall expire on May 1, 2012.\n",
	  "2009-01-01", "no" },
	{ "This Agreement is dated as of May 1, 2010. This Agreement shall expire on May 1, 2012. This "
	  "Agreement shall automatically renew for successive terms of one year.\n",
	  "2013-01-01", "yes" },
	{ "This Agreement is dated as of May 1, 2010.\n", "2013-01-01", "unknown" },
};

static void test_in_force(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(force_cases); i++) {
		struct read r;

		read_text(&r, force_cases[i].text, CW_FORMAT_TEXT, force_cases[i].today);
		assert_string_equal(r.a.profile.in_force, force_cases[i].in_force);
		done(&r);
	}
}

static const struct {
	const char *text, *law;
} law_cases[] = {
	{ "This Agreement shall be governed by the laws of the State of Delaware.\n", "Delaware" },
	{ "This Agreement is governed by and construed in accordance with the laws of England and "
	  "Wales.\n",
	  "England and Wales" },
	{ "This contract is governed by English law.\n", "England" },
	{ "New York law governs this Agreement.\n", "New York" },
	{ "The laws of the State of Ohio govern this Agreement.\n", "Ohio" },
	{ "These Terms are governed by the laws of West Virginia.\n", "West Virginia" },
	{ "This Agreement is governed by the laws of the United States of America and the State of "
	  "Iowa.\n",
	  "Iowa" },
	{ "This Agreement shall be governed by the laws of the Republic of Ruritania.\n",
	  "Republic of Ruritania" },
	{ "Ash Inc. is organized under the laws of the State of Nevada.\n", "" },
	{ "The Bank is governed by the laws of Utah on savings. This Agreement shall be governed by the "
	  "laws of the State of Maine.\n",
	  "Maine" },
	{ "All taxes are borne by Ash.\n", "" },
};

static void test_law(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(law_cases); i++) {
		struct read r;

		print_message("  %s", law_cases[i].text);
		read_text(&r, law_cases[i].text, CW_FORMAT_TEXT, NULL);
		assert_string_equal(r.a.profile.governing_law, law_cases[i].law);
		done(&r);
	}
}

static const struct {
	const char *text, *type, *vendor, *customer;
	bool online;
} online_cases[] = {
	{ "# Quillwort Terms of Service\n\nLast updated: May 6, 2022\n\nWelcome to Quillwort! By using "
	  "Quillwort you agree to these terms. We may change Quillwort at any time. You keep your "
	  "content.\n",
	  "terms of service", "Quillwort", "you", true },
	{ "# Privacy Policy\n\nThis policy tells how Fennel Labs, Inc. (\"Fennel\", \"we\", \"us\") uses "
	  "your data. We collect what you give us.\n",
	  "privacy policy", "Fennel Labs, Inc.", "you", true },
	{ "# Terms of Use\n\nThese terms are an agreement between you and Marram Ltd. (\"Marram\"). You "
	  "may use the site.\n",
	  "terms of use", "Marram Ltd.", "you", true },
	{ "# Software License Agreement\n\nThis Agreement is between Ash Inc. (\"Licensor\") and Elm "
	  "Inc. (\"Licensee\").\n\nIN WITNESS WHEREOF the parties have signed.\n",
	  "software license agreement", "Ash Inc.", "Elm Inc.", false },
	{ "# Franchise Agreement\n\nThis Agreement is between Ash Inc. (\"we\") and ____ (\"you\"). You pay "
	  "us a fee.\n",
	  "franchise agreement", "Ash Inc.", "you", false },
};

static void test_online(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(online_cases); i++) {
		struct read r;

		print_message("  %.40s\n", online_cases[i].text);
		read_text(&r, online_cases[i].text, CW_FORMAT_MARKDOWN, NULL);
		assert_string_equal(r.a.profile.type, online_cases[i].type);
		assert_int_equal(r.a.profile.online, online_cases[i].online);
		assert_string_equal(r.a.profile.vendor, online_cases[i].vendor);
		assert_string_equal(r.a.profile.customer, online_cases[i].customer);
		done(&r);
	}
}

/** The side of the first token of word in the text, and how many tokens it takes. */
static enum cw_side side_of(const struct read *r, const char *word, unsigned *ntoks)
{
	const char *at = strstr(r->a.text, word);

	assert_non_null(at);
	*ntoks = 0;
	for (size_t i = 0; i < r->a.ntoks; i++) {
		if (r->a.toks[i].start == (uint32_t)(at - r->a.text))
			return cw_roles_at(r->roles, r->a.toks, i, r->a.ntoks, ntoks);
	}
	fail_msg("no token at %s", word);
	return CW_SIDE_NONE;
}

static const struct {
	const char *text, *word;
	enum cw_side side;
	unsigned ntoks;
} side_cases[] = {
#define CONTRACT                                                                                   \
	"This Agreement is between Ash Cloud, Inc. (\"Provider\") and Elm Mills "                  \
	"LLC (\"Elm\").\n\n"
	{ CONTRACT "Later the Provider agrees.\n", "Provider agrees", CW_SIDE_VENDOR, 1 },
	{ CONTRACT "Later Ash Cloud agrees.\n", "Ash Cloud agrees", CW_SIDE_VENDOR, 2 },
	{ CONTRACT "Later Elm agrees.\n", "Elm agrees", CW_SIDE_CUSTOMER, 1 },
	{ CONTRACT "Later Elm's staff agree.\n", "Elm's", CW_SIDE_CUSTOMER, 1 },
	{ CONTRACT "An internet provider may fail.\n", "provider may", CW_SIDE_NONE, 0 },
	{ CONTRACT "Now each party agrees.\n", "each party", CW_SIDE_BOTH, 2 },
	{ CONTRACT "Now the parties agree.\n", "the parties", CW_SIDE_BOTH, 2 },
	{ CONTRACT "No third party gains.\n", "third party", CW_SIDE_OTHER, 2 },
	{ CONTRACT "No third party gains.\n", "party gains", CW_SIDE_NONE, 0 },
	{ CONTRACT "Its Customers complain.\n", "Customers", CW_SIDE_NONE, 0 },
	{ CONTRACT "They let us pass.\n", "us pass", CW_SIDE_NONE, 0 },
	{ "We own all usage data.\n", "We own", CW_SIDE_VENDOR, 1 },
	{ "All usage data are our property.\n", "our property", CW_SIDE_VENDOR, 1 },
#define TERMS "Terms of Service\n\nBy using the site of Fir Ltd. (\"Fir\") you accept.\n\n"
	{ TERMS "So we may act.\n", "we may", CW_SIDE_VENDOR, 1 },
	{ TERMS "So your data stay.\n", "your data", CW_SIDE_CUSTOMER, 1 },
	{ TERMS "So all users agree.\n", "users agree", CW_SIDE_CUSTOMER, 1 },
	{ TERMS "So Fir may act.\n", "Fir may", CW_SIDE_VENDOR, 1 },
};

static void test_sides(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(side_cases); i++) {
		struct read r;
		unsigned ntoks;

		print_message("  %s\n", side_cases[i].word);
		read_text(&r, side_cases[i].text, CW_FORMAT_TEXT, NULL);
		assert_int_equal(side_of(&r, side_cases[i].word, &ntoks), side_cases[i].side);
		assert_int_equal(ntoks, side_cases[i].ntoks);
		done(&r);
	}
	assert_int_equal(cw_roles_at(NULL, NULL, 0, 0, NULL), CW_SIDE_NONE);
}

/** A mention may not reach over the end that the caller gives. */
static void test_mention_end(void **state)
{
	struct read r;

	(void)state;
	read_text(&r, "each party agrees", CW_FORMAT_TEXT, NULL);
	assert_int_equal(cw_roles_at(r.roles, r.a.toks, 0, 3, NULL), CW_SIDE_BOTH);
	assert_int_equal(cw_roles_at(r.roles, r.a.toks, 0, 1, NULL), CW_SIDE_NONE);
	assert_int_equal(cw_roles_at(r.roles, r.a.toks, 2, 2, NULL), CW_SIDE_NONE);
	done(&r);
}

/** Broken bytes, endless lines and unclosed brackets are read without harm. */
static void test_rubbish(void **state)
{
	static const char *const pieces[] = { "between (\"",     "\xff\xfe", "and (((", "____",
					      "by and between ", "A",        "\"",      "laws of ",
					      "governed law ",   "2",        "/",       ". " };
	static char text[20000];
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t len = 0;
		struct read r;
		while (len < sizeof(text) - 40 && len < (size_t)(round * 40)) {
			seed = seed * 1103515245u + 12345u;
			const char *p = pieces[(seed >> 16) % COUNT(pieces)];
			memcpy(text + len, p, strlen(p));
			len += strlen(p);
		}
		text[len] = '\0';
		read_text(&r, text, round % 2 ? CW_FORMAT_TEXT : CW_FORMAT_MARKDOWN, "2020-01-01");
		assert_non_null(r.a.profile.type);
		assert_non_null(r.a.profile.vendor);
		assert_non_null(r.a.profile.governing_law);
		done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parties),     cmocka_unit_test(test_lifetime),
		cmocka_unit_test(test_in_force),    cmocka_unit_test(test_law),
		cmocka_unit_test(test_online),      cmocka_unit_test(test_sides),
		cmocka_unit_test(test_mention_end), cmocka_unit_test(test_rubbish),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
