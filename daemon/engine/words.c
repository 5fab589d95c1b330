#include "words.h"

#include <string.h>

#include "token.h"

/* clang-format off */
/* Sorted by bytes. */
static const struct {
	char word[15];
	unsigned char kind;
} words[] = {
	{ "a", CW_W_OPENER | CW_W_SMALL },
	{ "ag", CW_W_FIRM },
	{ "agent", CW_W_ROLE },
	{ "al", CW_W_ABBR },
	{ "all", CW_W_OPENER },
	{ "an", CW_W_OPENER | CW_W_SMALL },
	{ "and", CW_W_LINK | CW_W_SMALL },
	{ "annex", CW_W_REF },
	{ "any", CW_W_OPENER },
	{ "appendix", CW_W_REF },
	{ "approx", CW_W_ABBR },
	{ "apr", CW_W_ABBR_NUM },
	{ "art", CW_W_ABBR_NUM },
	{ "article", CW_W_REF },
	{ "articles", CW_W_REF },
	{ "arts", CW_W_ABBR_NUM },
	{ "as", CW_W_OPENER | CW_W_SMALL },
	{ "assn", CW_W_FIRM },
	{ "at", CW_W_OPENER | CW_W_SMALL },
	{ "attn", CW_W_ABBR },
	{ "aug", CW_W_ABBR_NUM },
	{ "ave", CW_W_ABBR },
	{ "blvd", CW_W_ABBR },
	{ "borrower", CW_W_ROLE },
	{ "both", CW_W_OPENER },
	{ "bros", CW_W_FIRM },
	{ "buyer", CW_W_ROLE },
	{ "buyers", CW_W_ROLE },
	{ "bv", CW_W_FIRM },
	{ "by", CW_W_OPENER | CW_W_SMALL },
	{ "cf", CW_W_ABBR },
	{ "ch", CW_W_ABBR_NUM },
	{ "cl", CW_W_ABBR_NUM },
	{ "clause", CW_W_REF },
	{ "clauses", CW_W_REF },
	{ "client", CW_W_ROLE },
	{ "clients", CW_W_ROLE },
	{ "co", CW_W_FIRM },
	{ "company", CW_W_OPENER | CW_W_ROLE },
	{ "consultant", CW_W_ROLE },
	{ "consultants", CW_W_ROLE },
	{ "contractor", CW_W_ROLE },
	{ "contractors", CW_W_ROLE },
	{ "corp", CW_W_FIRM },
	{ "cos", CW_W_FIRM },
	{ "customer", CW_W_OPENER | CW_W_ROLE },
	{ "customers", CW_W_ROLE },
	{ "dec", CW_W_ABBR_NUM },
	{ "dept", CW_W_ABBR },
	{ "developer", CW_W_ROLE },
	{ "developers", CW_W_ROLE },
	{ "discloser", CW_W_ROLE },
	{ "dist", CW_W_FIRM },
	{ "distributor", CW_W_ROLE },
	{ "distributors", CW_W_ROLE },
	{ "dr", CW_W_ABBR },
	{ "e.g", CW_W_ABBR },
	{ "each", CW_W_OPENER },
	{ "ed", CW_W_ABBR },
	{ "eds", CW_W_ABBR },
	{ "eg", CW_W_ABBR },
	{ "either", CW_W_OPENER },
	{ "esq", CW_W_ABBR },
	{ "etc", CW_W_FIRM },
	{ "ex", CW_W_ABBR_NUM },
	{ "except", CW_W_OPENER },
	{ "exh", CW_W_ABBR },
	{ "exhibit", CW_W_REF },
	{ "fax", CW_W_ABBR },
	{ "feb", CW_W_ABBR_NUM },
	{ "fig", CW_W_ABBR_NUM },
	{ "figs", CW_W_ABBR_NUM },
	{ "for", CW_W_OPENER | CW_W_SMALL },
	{ "franchisee", CW_W_ROLE },
	{ "franchisor", CW_W_ROLE },
	{ "from", CW_W_SMALL },
	{ "gen", CW_W_ABBR },
	{ "gmbh", CW_W_FIRM },
	{ "gov", CW_W_ABBR },
	{ "he", CW_W_OPENER },
	{ "hon", CW_W_ABBR },
	{ "i.e", CW_W_ABBR },
	{ "ie", CW_W_ABBR },
	{ "if", CW_W_OPENER },
	{ "in", CW_W_OPENER | CW_W_SMALL },
	{ "inc", CW_W_FIRM },
	{ "incl", CW_W_ABBR },
	{ "intl", CW_W_FIRM },
	{ "into", CW_W_SMALL },
	{ "investor", CW_W_ROLE },
	{ "it", CW_W_OPENER },
	{ "item", CW_W_REF },
	{ "items", CW_W_REF },
	{ "jan", CW_W_ABBR_NUM },
	{ "jr", CW_W_ABBR },
	{ "jul", CW_W_ABBR_NUM },
	{ "jun", CW_W_ABBR_NUM },
	{ "landlord", CW_W_ROLE },
	{ "lender", CW_W_ROLE },
	{ "lessee", CW_W_ROLE },
	{ "lessor", CW_W_ROLE },
	{ "licensee", CW_W_OPENER | CW_W_ROLE },
	{ "licensees", CW_W_ROLE },
	{ "licensor", CW_W_OPENER | CW_W_ROLE },
	{ "licensors", CW_W_ROLE },
	{ "llc", CW_W_FIRM },
	{ "llp", CW_W_FIRM },
	{ "lp", CW_W_FIRM },
	{ "ltd", CW_W_FIRM },
	{ "manufacturer", CW_W_ROLE },
	{ "mar", CW_W_ABBR_NUM },
	{ "member", CW_W_ROLE },
	{ "members", CW_W_ROLE },
	{ "merchant", CW_W_ROLE },
	{ "merchants", CW_W_ROLE },
	{ "messrs", CW_W_ABBR },
	{ "mfg", CW_W_FIRM },
	{ "mr", CW_W_ABBR },
	{ "mrs", CW_W_ABBR },
	{ "ms", CW_W_ABBR },
	{ "natl", CW_W_FIRM },
	{ "neither", CW_W_OPENER },
	{ "no", CW_W_ABBR_NUM | CW_W_OPENER },
	{ "nos", CW_W_ABBR_NUM },
	{ "not", CW_W_SMALL },
	{ "nothing", CW_W_OPENER },
	{ "notwithstanding", CW_W_OPENER },
	{ "nov", CW_W_ABBR_NUM },
	{ "nv", CW_W_FIRM },
	{ "oct", CW_W_ABBR_NUM },
	{ "of", CW_W_SMALL },
	{ "on", CW_W_OPENER | CW_W_SMALL },
	{ "operator", CW_W_ROLE },
	{ "or", CW_W_LINK | CW_W_SMALL },
	{ "our", CW_W_OPENER | CW_W_SMALL },
	{ "owner", CW_W_ROLE },
	{ "p", CW_W_ABBR_NUM },
	{ "para", CW_W_ABBR_NUM },
	{ "paragraph", CW_W_REF },
	{ "paragraphs", CW_W_REF },
	{ "paras", CW_W_ABBR_NUM },
	{ "part", CW_W_REF },
	{ "parties", CW_W_ROLE },
	{ "partner", CW_W_ROLE },
	{ "partners", CW_W_ROLE },
	{ "party", CW_W_ROLE },
	{ "plc", CW_W_FIRM },
	{ "please", CW_W_OPENER },
	{ "pp", CW_W_ABBR_NUM },
	{ "prof", CW_W_ABBR },
	{ "provider", CW_W_OPENER | CW_W_ROLE },
	{ "providers", CW_W_ROLE },
	{ "publisher", CW_W_ROLE },
	{ "purchaser", CW_W_ROLE },
	{ "purchasers", CW_W_ROLE },
	{ "recipient", CW_W_ROLE },
	{ "reg", CW_W_ABBR_NUM },
	{ "regs", CW_W_ABBR_NUM },
	{ "reseller", CW_W_ROLE },
	{ "resellers", CW_W_ROLE },
	{ "rev", CW_W_ABBR },
	{ "rule", CW_W_REF },
	{ "s", CW_W_ABBR_NUM },
	{ "sa", CW_W_FIRM },
	{ "sched", CW_W_ABBR },
	{ "schedule", CW_W_REF },
	{ "sec", CW_W_ABBR_NUM | CW_W_REF },
	{ "secs", CW_W_ABBR_NUM },
	{ "section", CW_W_REF },
	{ "sections", CW_W_REF },
	{ "seller", CW_W_ROLE },
	{ "sellers", CW_W_ROLE },
	{ "sep", CW_W_ABBR_NUM },
	{ "sept", CW_W_ABBR_NUM },
	{ "she", CW_W_OPENER },
	{ "sponsor", CW_W_ROLE },
	{ "sr", CW_W_ABBR },
	{ "ss", CW_W_ABBR_NUM },
	{ "st", CW_W_ABBR },
	{ "subclause", CW_W_REF },
	{ "subject", CW_W_OPENER },
	{ "subparagraph", CW_W_REF },
	{ "subscriber", CW_W_ROLE },
	{ "subscribers", CW_W_ROLE },
	{ "subsection", CW_W_REF },
	{ "subsections", CW_W_REF },
	{ "such", CW_W_OPENER },
	{ "supplier", CW_W_ROLE },
	{ "suppliers", CW_W_ROLE },
	{ "tel", CW_W_ABBR },
	{ "tenant", CW_W_ROLE },
	{ "the", CW_W_OPENER | CW_W_SMALL },
	{ "there", CW_W_OPENER },
	{ "these", CW_W_OPENER },
	{ "they", CW_W_OPENER },
	{ "this", CW_W_OPENER },
	{ "those", CW_W_OPENER },
	{ "through", CW_W_LINK },
	{ "to", CW_W_OPENER | CW_W_LINK | CW_W_SMALL },
	{ "under", CW_W_SMALL },
	{ "univ", CW_W_FIRM },
	{ "unless", CW_W_OPENER },
	{ "upon", CW_W_OPENER },
	{ "user", CW_W_ROLE },
	{ "users", CW_W_ROLE },
	{ "v", CW_W_ABBR },
	{ "vendor", CW_W_OPENER | CW_W_ROLE },
	{ "vendors", CW_W_ROLE },
	{ "viz", CW_W_ABBR },
	{ "vol", CW_W_ABBR_NUM },
	{ "vs", CW_W_ABBR | CW_W_SMALL },
	{ "we", CW_W_OPENER },
	{ "when", CW_W_OPENER },
	{ "where", CW_W_OPENER },
	{ "with", CW_W_SMALL },
	{ "you", CW_W_OPENER },
	{ "your", CW_W_OPENER | CW_W_SMALL },
};
/* clang-format on */

static int compare(const char *low, const char *word)
{
	size_t i = 0;

	while (low[i] == word[i] && low[i] && i + 1 < sizeof(words[0].word))
		i++;
	return (unsigned char)low[i] - (unsigned char)word[i];
}

unsigned cw_word_kind(const char *word, size_t len)
{
	char low[sizeof(words[0].word)] = "";
	size_t from = 0, to = sizeof(words) / sizeof(words[0]);

	if (len >= sizeof(low))
		return 0;
	for (size_t i = 0; i < len; i++)
		low[i] = word[i] >= 'A' && word[i] <= 'Z' ? (char)(word[i] | 0x20) : word[i];
	while (from < to) {
		size_t mid = (from + to) / 2;
		int way = compare(low, words[mid].word);

		if (way == 0)
			return words[mid].kind;
		if (way < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return 0;
}

void cw_roles_init(struct cw_roles *roles)
{
	memset(roles, 0, sizeof(*roles));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!(words[i].kind & CW_W_ROLE))
			continue;
		uint64_t hash = cw_word_hash(words[i].word, strlen(words[i].word));
		unsigned at = hash & (CW_ROLE_SLOTS - 1);

		while (roles->slot[at])
			at = (at + 1) & (CW_ROLE_SLOTS - 1);
		roles->slot[at] = hash;
	}
}
