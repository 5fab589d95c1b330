#include "engine/reading.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/flat.h"
#include "engine/party_name.h"

/** Mentions of a name from which it is believed to be the publisher's. */
#define MENTIONS_MIN 3
/** Bytes of the top in which the publisher introduces itself. */
#define INTRODUCTION_MAX 6000

/** What stands before the name of a publisher. */
static const char *const leads[] = {
	"agreement with",
	"agreement between you and",
	"between you and",
	"contract with",
	"contract between",
	"you and",
	"welcome to",
	"for using",
	"operated by",
	"offered by",
	"provided by",
	"made available by",
	"owned by",
	"by using",
	"about",
	"we at",
	"services of",
	"policy of",
	"terms of",
};

/** Words that follow such a lead and are no name. */
static const char *const things[] = {
	"our",     "the service",  "the services", "this",       "these",       "your",
	"site",    "service",      "services",     "terms",      "privacy",     "website",
	"app",     "platform",     "your",         "you",        "us",          "we",
	"eea",     "customer",     "user",         "users",      "content",     "products",
	"europe",  "data",         "personal",     "api",        "software",    "previous",
	"updated", "user",         "all",          "general",    "california",  "international",
	"us",      "uk",           "eu",           "effective",  "last",        "website",
	"new",     "online",       "customers",    "additional", "acceptance",  "changes",
	"table",   "introduction", "overview",     "summary",    "home",        "legal",
	"sign",    "log",          "mobile",       "consumer",   "business",    "global",
	"cookie",  "cookies",      "how",          "what",       "who",         "why",
	"where",   "important",    "welcome",      "notice",     "arbitration", "your"
};

/** Titles behind which, or before which, the publisher's name stands. */
static const char *const titles[] = { "terms of service",
				      "terms of use",
				      "privacy policy",
				      "privacy notice",
				      "terms and conditions",
				      "terms & conditions",
				      "user agreement",
				      "privacy statement",
				      "customer terms",
				      "services agreement",
				      "customer agreement",
				      "data processing",
				      "acceptable use",
				      "commercial terms",
				      "terms",
				      "website terms",
				      "conditions of use",
				      "customer business agreement",
				      "api" };

static unsigned mentions(const struct cw_analysis *a, const char *name, size_t len)
{
	char folded[64];
	unsigned n = 0;

	len = strcspn(name, " ,.'-") < len ? strcspn(name, " ,.'-") : len;
	if (len == 0 || len >= sizeof(folded))
		return 0;
	for (size_t i = 0; i < len; i++)
		folded[i] = (char)tolower((unsigned char)name[i]);
	uint64_t hash = cw_word_hash(folded, len);
	for (size_t i = 0; i < a->ntoks; i++)
		n += a->toks[i].hash == hash && (a->toks[i].flags & CW_TOK_CAP);
	return n;
}

/** Add the name when the document keeps using it.  1 when added. */
static int try_name(struct cw_reading *r, const char *p, const char *limit)
{
	struct cw_named_list *list = &r->parties;
	struct cw_name n;

	p += strspn(p, " \"(");
	if (cw_starts_word(p, "the"))
		p += 4;
	if (!isupper((unsigned char)*p) || CW_ONE_OF(p, things) || !cw_name_read(p, &n))
		return 0;
	if (n.end > limit)
		n.end = limit;
	const char *owner = memmem(n.start, (size_t)(n.end - n.start), "'s", 2);
	if (owner)
		n.end = owner;
	while (n.end > n.start && strchr(" '-", n.end[-1]))
		n.end--;
	if (n.end - n.start > 60 || !cw_name_good(&n) ||
	    mentions(r->a, n.start, (size_t)(n.end - n.start)) < MENTIONS_MIN)
		return 0;
	for (size_t i = 0; i < list->count; i++) {
		struct cw_named *known = &list->at[i];
		size_t len = strlen(known->name);
		if (len != (size_t)(n.end - n.start) || strncmp(known->name, n.start, len) != 0)
			continue;
		known->role = CW_ROLE_VENDOR;
		return 1;
	}

	struct cw_named party = { .entity = n.entity, .role = CW_ROLE_VENDOR };
	party.name = cw_arena_strndup(&r->a->arena, n.start, (size_t)(n.end - n.start));
	if (!party.name)
		return CW_ENOMEM;
	if (list->count < CW_NAMED_MAX)
		list->at[list->count++] = party;
	return 1;
}

/** "Acme Terms of Service": the words before a title at the head of a line. */
static int from_title(struct cw_reading *r)
{
	size_t len = strlen(r->head);
	const char *end = r->head + (len < 1200 ? len : 1200);

	for (const char *line = r->head; line < end;) {
		const char *stop = line + strcspn(line, "\n");
		const char *title = cw_find_any(line, stop < end ? stop : end, titles,
						sizeof(titles) / sizeof(*titles), NULL);
		if (title && title > line && title - line < 60) {
			int added = try_name(r, line, title);
			if (added)
				return added;
		}
		line = stop + 1;
	}
	return 0;
}

static int from_introduction(struct cw_reading *r)
{
	size_t len = strlen(r->head), which;
	const char *end = r->head + (len < INTRODUCTION_MAX ? len : INTRODUCTION_MAX), *p = r->head;

	while ((p = cw_find_any(p, end, leads, sizeof(leads) / sizeof(*leads), &which))) {
		p += strlen(leads[which]);
		if (*p != ' ')
			continue;
		int added = try_name(r, p, p + strcspn(p, "\n(,;"));
		if (added)
			return added;
	}
	return 0;
}

static bool has_publisher(const struct cw_named_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->at[i].entity)
			return true;
	}
	return false;
}

int cw_publisher_find(struct cw_reading *r)
{
	if (has_publisher(&r->parties))
		return CW_OK;

	int added = from_title(r);
	if (added == 0)
		added = from_introduction(r);
	return added < 0 ? added : CW_OK;
}
