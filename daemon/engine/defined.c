#include "engine/defined.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/flat.h"
#include "engine/party_name.h"

/** Quoted words in a preamble that are the names of other things. */
static const char *const not_parties[] = {
	"agreement",
	"party",
	"parties",
	"effective date",
	"contract",
	"amendment",
	"lease",
	"services",
	"closing",
	"term",
	"products",
	"product",
	"execution date",
	"a party",
	"commencement date",
	"license",
	"plan",
	"note",
	"addendum",
	"letter agreement",
	"terms",
	"the parties",
	"software",
	"us$",
	"act",
	"territory",
	"program",
	"trust agreement",
	"letter",
	"msa",
	"dpa",
	"service",
	"site",
	"website",
	"original agreement",
	"signing date",
	"shares",
	"sow",
};

static bool alias_word_ok(const char *p, size_t len)
{
	static const char *const things[] = { "agreement", "agreements", "contract", "act",
					      "date",      "products",   "services", "offer",
					      "policy",    "terms",      "site",     "service",
					      "software",  "plan",       "code",     "rules",
					      "app",       "platform",   "website",  "websites",
					      "content",   "dpa",        "eea" };

	if (len < 2 || len > 50)
		return false;
	for (size_t i = 0; i < sizeof(not_parties) / sizeof(*not_parties); i++) {
		if (strlen(not_parties[i]) == len && strncasecmp(p, not_parties[i], len) == 0)
			return false;
	}
	/* The last word tells what the term names: "Services Agreement", "Launch Date". */
	const char *last = p + len;
	while (last > p && last[-1] != ' ')
		last--;
	return !CW_ONE_OF(last, things);
}

int cw_defined_add(struct cw_arena *arena, struct cw_named *party, const char *p, size_t len)
{
	while (len && strchr(" ,.'", *p)) {
		p++;
		len--;
	}
	while (len && strchr(" ,.'", p[len - 1]))
		len--;
	if (len > 4 && cw_starts_word(p, "the")) {
		p += 4;
		len -= 4;
	}
	if (!alias_word_ok(p, len) || party->naliases == CW_ALIASES)
		return CW_OK;
	for (size_t i = 0; i < party->naliases; i++) {
		if (strlen(party->alias[i]) == len && strncmp(party->alias[i], p, len) == 0)
			return CW_OK;
	}
	char *copy = cw_arena_strndup(arena, p, len);
	if (!copy)
		return CW_ENOMEM;
	party->alias[party->naliases++] = copy;
	return CW_OK;
}

int cw_defined_read(struct cw_arena *arena, struct cw_named *party, const char *p, const char *end)
{
	static const char *const leads[] = { "the",      "hereinafter",  "hereafter",    "herein",
					     "referred", "called",       "known",        "to",
					     "as",       "sometimes",    "also",         "is",
					     "it",       "be",           "or",           "shall",
					     "will",     "individually", "collectively", "together",
					     "," };
	const char *quote = memchr(p, '"', (size_t)(end - p));

	if (!quote) {
		const char *q = p;
		bool led = false;
		while (q < end && CW_ONE_OF(q, leads)) {
			led = true;
			q += cw_name_word_len(q) ? cw_name_word_len(q) : 1;
			q += *q == ' ';
		}
		while (q < end && *q == '\'')
			q++, led = true;
		struct cw_name n;
		if (!led || q >= end || !cw_name_read(q, &n) || n.end > end ||
		    !isupper((unsigned char)*q))
			return CW_OK;
		return cw_defined_add(arena, party, n.start, (size_t)(n.end - n.start));
	}
	while (quote) {
		const char *close = memchr(quote + 1, '"', (size_t)(end - quote - 1));
		if (!close)
			return CW_OK;
		if (cw_defined_add(arena, party, quote + 1, (size_t)(close - quote - 1)) < 0)
			return CW_ENOMEM;
		quote = memchr(close + 1, '"', (size_t)(end - close - 1));
	}
	return CW_OK;
}

const char *cw_bracket_end(const char *p)
{
	int depth = 0;

	for (const char *q = p; *q && q - p < 500; q++) {
		depth += *q == '(';
		depth -= *q == ')';
		if (depth == 0)
			return q;
	}
	return NULL;
}

bool cw_bracket_of_all(const char *p, const char *end)
{
	const char *quote = memchr(p, '"', (size_t)(end - p));

	if (!quote)
		return cw_find_phrase(p, end, "parties") || cw_find_phrase(p, end, "party");
	if (cw_starts_word(quote + 1, "a") || cw_starts_word(quote + 1, "the"))
		quote += 1 + cw_name_word_len(quote + 1);
	bool party = cw_starts_word(quote + 1, "party") && quote[6] != ' ';
	return party || cw_starts_word(quote + 1, "parties");
}
