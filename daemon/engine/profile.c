#include "engine/profile.h"

#include <string.h>

#include "engine/dates.h"
#include "engine/flat.h"
#include "engine/reading.h"

/** Bytes of the document that are read for parties, type and date at its top and at its end. */
#define HEAD_MAX 30000
#define TAIL_MAX 8000
/** Longest passage that is looked at: more is a document whose lines say nothing of clauses. */
#define PASSAGE_MAX ((size_t)64 << 10)

/** Words that make a clause worth a closer look. */
static const struct {
	const char *word;
	unsigned topics;
} topic_words[] = {
	{ "governed", CW_TOPIC_LAW },
	{ "governing", CW_TOPIC_LAW },
	{ "construed", CW_TOPIC_LAW },
	{ "laws", CW_TOPIC_LAW },
	{ "law", CW_TOPIC_LAW },
	{ "term", CW_TOPIC_TERM },
	{ "expire", CW_TOPIC_TERM },
	{ "expires", CW_TOPIC_TERM },
	{ "expiration", CW_TOPIC_TERM },
	{ "terminate", CW_TOPIC_TERM },
	{ "terminates", CW_TOPIC_TERM },
	{ "duration", CW_TOPIC_TERM },
	{ "continue", CW_TOPIC_TERM },
	{ "until", CW_TOPIC_TERM },
	{ "expiring", CW_TOPIC_TERM },
	{ "ending", CW_TOPIC_TERM },
	{ "through", CW_TOPIC_TERM },
	{ "renew", CW_TOPIC_RENEWAL },
	{ "renewed", CW_TOPIC_RENEWAL },
	{ "renews", CW_TOPIC_RENEWAL },
	{ "renewal", CW_TOPIC_RENEWAL },
	{ "renewable", CW_TOPIC_RENEWAL },
	{ "automatically", CW_TOPIC_RENEWAL },
	{ "renewing", CW_TOPIC_RENEWAL },
	{ "extended", CW_TOPIC_RENEWAL },
	{ "successive", CW_TOPIC_RENEWAL },
	{ "extend", CW_TOPIC_RENEWAL },
	{ "thereafter", CW_TOPIC_RENEWAL },
	{ "effective", CW_TOPIC_EFFECT },
	{ "commence", CW_TOPIC_EFFECT },
	{ "commences", CW_TOPIC_EFFECT },
	{ "commencing", CW_TOPIC_EFFECT },
	{ "begin", CW_TOPIC_EFFECT },
	{ "commencement", CW_TOPIC_EFFECT },
};

/** Persons, counted over the whole document. */
enum { PERSON_YOU = 1 << 16, PERSON_WE = 1 << 17 };

static const struct {
	const char *word;
	unsigned person;
} person_words[] = {
	{ "you", PERSON_YOU }, { "your", PERSON_YOU }, { "yours", PERSON_YOU },
	{ "we", PERSON_WE },   { "our", PERSON_WE },   { "us", PERSON_WE },
};

/** Must be a power of two well above the number of words. */
#define TABLE_SIZE 256

struct word_table {
	uint64_t hash[TABLE_SIZE];
	unsigned bits[TABLE_SIZE];
};

static void table_add(struct word_table *t, const char *word, unsigned bits)
{
	uint64_t hash = cw_word_hash(word, strlen(word));
	size_t i = hash % TABLE_SIZE;

	while (t->hash[i] && t->hash[i] != hash)
		i = (i + 1) % TABLE_SIZE;
	t->hash[i] = hash;
	t->bits[i] |= bits;
}

static unsigned table_get(const struct word_table *t, uint64_t hash)
{
	for (size_t i = hash % TABLE_SIZE; t->hash[i]; i = (i + 1) % TABLE_SIZE) {
		if (t->hash[i] == hash)
			return t->bits[i];
	}
	return 0;
}

static void table_fill(struct word_table *t)
{
	for (size_t i = 0; i < sizeof(topic_words) / sizeof(*topic_words); i++)
		table_add(t, topic_words[i].word, topic_words[i].topics);
	for (size_t i = 0; i < sizeof(person_words) / sizeof(*person_words); i++)
		table_add(t, person_words[i].word, person_words[i].person);
}

/** Topics of a clause; counts persons on the way. */
static unsigned scan_clause(struct cw_reading *r, const struct word_table *t,
			    const struct cw_clause *clause)
{
	const struct cw_tok *tok = r->a->toks + clause->tok_start, *end = tok + clause->tok_count;
	unsigned topics = 0;

	for (; tok < end; tok++) {
		unsigned bits = table_get(t, tok->hash);
		r->you += (bits & PERSON_YOU) != 0;
		r->we += (bits & PERSON_WE) != 0;
		topics |= bits & 0xffff;
	}
	return topics;
}

/** Copy the clause in simple form into the arena. */
static int flat_clause(struct cw_analysis *a, const struct cw_clause *clause, struct cw_buf *buf,
		       const char **out)
{
	uint32_t end = clause->span.byte_end;

	if (end - clause->span.byte_start > PASSAGE_MAX)
		end = clause->span.byte_start + PASSAGE_MAX;
	cw_buf_clear(buf);
	cw_flatten(a->text, clause->span.byte_start, end, a->format, buf);
	*out = buf->failed ? NULL : cw_arena_strndup(&a->arena, cw_buf_str(buf), buf->len);
	return *out ? CW_OK : CW_ENOMEM;
}

static int find_passages(struct cw_reading *r, struct cw_buf *buf)
{
	struct cw_analysis *a = r->a;
	struct word_table table = { 0 };
	struct cw_passage *list = NULL;
	size_t cap = 0;

	table_fill(&table);
	for (size_t i = 0; i < a->nclauses; i++) {
		unsigned topics = scan_clause(r, &table, &a->clauses[i]);
		if (!topics)
			continue;
		/* A single word of the term is in every other clause; those of no use are dropped
		 * by needing a second sign. */
		if (topics == CW_TOPIC_EFFECT && i > 80)
			continue;
		list = cw_arena_grow(&a->arena, list, r->npassages, &cap, sizeof(*list));
		struct cw_passage p = { .topics = topics, .clause = (uint32_t)i };
		if (!list || flat_clause(a, &a->clauses[i], buf, &p.text) < 0)
			return CW_ENOMEM;
		p.len = strlen(p.text);
		list[r->npassages++] = p;
	}
	r->passages = list;
	return CW_OK;
}

/** Flatten clauses [from, to) until max bytes, a line each. */
static const char *flat_range(struct cw_analysis *a, size_t from, size_t to, size_t max,
			      struct cw_buf *buf)
{
	cw_buf_clear(buf);
	for (size_t i = from; i < to && buf->len < max; i++) {
		struct cw_span s = a->clauses[i].span;
		if (s.byte_end - s.byte_start > max)
			s.byte_end = (uint32_t)(s.byte_start + max);
		cw_flatten(a->text, s.byte_start, s.byte_end, a->format, buf);
		cw_buf_putc(buf, '\n');
	}
	return buf->failed ? NULL : cw_arena_strndup(&a->arena, cw_buf_str(buf), buf->len);
}

/** The last clauses; of a very long one, its last bytes. */
static const char *flat_tail(struct cw_analysis *a, struct cw_buf *buf)
{
	size_t i = a->nclauses;

	cw_buf_clear(buf);
	while (i > 0 && a->len - a->clauses[i - 1].span.byte_start < TAIL_MAX)
		i--;
	if (i == a->nclauses && i > 0) {
		struct cw_span s = a->clauses[i - 1].span;
		cw_flatten(a->text,
			   s.byte_end - TAIL_MAX > s.byte_start ? s.byte_end - TAIL_MAX
								: s.byte_start,
			   s.byte_end, a->format, buf);
		return buf->failed ? NULL : cw_arena_strndup(&a->arena, cw_buf_str(buf), buf->len);
	}
	return flat_range(a, i, a->nclauses, 2 * TAIL_MAX, buf);
}

static int read_in_force(struct cw_profile *p, const struct cw_analysis_options *opts)
{
	const char *today = opts ? opts->today : NULL;

	p->in_force = "unknown";
	if (!today)
		return CW_OK;
	if (p->effective_date[0] && strcmp(p->effective_date, today) > 0)
		p->in_force = "no";
	else if (p->expiration_date[0])
		p->in_force = strcmp(p->expiration_date, today) >= 0 || p->auto_renews == 1 ? "yes"
											    : "no";
	else if (p->auto_renews == 1 || p->online)
		p->in_force = "yes";
	return CW_OK;
}

static const char *name_of(const struct cw_profile *p, enum cw_role role)
{
	for (size_t i = 0; i < p->nparties; i++) {
		if (p->parties[i].role == role)
			return p->parties[i].name;
	}
	return "";
}

static int publish_parties(struct cw_reading *r)
{
	struct cw_profile *p = &r->a->profile;
	size_t n = r->parties.count;
	struct cw_party *list = cw_arena_alloc(&r->a->arena, (n + 1) * sizeof(*list));

	if (!list)
		return CW_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct cw_named *named = &r->parties.at[i];
		list[i] = (struct cw_party){ named->name, named->naliases ? named->alias[0] : "",
					     named->role };
	}
	p->parties = list;
	p->nparties = n;
	p->vendor = name_of(p, CW_ROLE_VENDOR);
	p->customer = name_of(p, CW_ROLE_CUSTOMER);
	return CW_OK;
}

static int read_all(struct cw_reading *r, const struct cw_analysis_options *opts,
		    const struct cw_roles **roles, struct cw_buf *buf)
{
	struct cw_analysis *a = r->a;

	r->head = flat_range(a, 0, a->nclauses, HEAD_MAX, buf);
	r->tail = flat_tail(a, buf);
	if (!r->head || !r->tail || find_passages(r, buf) < 0)
		return CW_ENOMEM;
	cw_read_type(r);
	if (cw_parties_find(&a->arena, r->head, r->tail, &r->parties) < 0)
		return CW_ENOMEM;
	cw_read_online(r);
	if (cw_roles_build(r, roles) < 0 || publish_parties(r) < 0 || cw_read_law(r) < 0)
		return CW_ENOMEM;
	cw_read_dates(r);
	cw_read_renewal(r);
	return read_in_force(&a->profile, opts);
}

int cw_profile_read(struct cw_analysis *a, const struct cw_analysis_options *opts,
		    const struct cw_roles **out_roles, struct cw_error *err)
{
	struct cw_reading r = { .a = a };
	const struct cw_roles *roles = NULL;
	struct cw_buf buf = { 0 };

	a->profile = (struct cw_profile){
		.type = "",
		.vendor = "",
		.customer = "",
		.auto_renews = -1,
		.notice_period_days = -1,
		.governing_law = "",
		.in_force = "unknown",
	};
	int ret = read_all(&r, opts, &roles, &buf);
	cw_buf_release(&buf);
	if (ret < 0)
		return cw_fail(err, CW_ENOMEM,
			       "out of memory while reading the document's profile");
	if (out_roles)
		*out_roles = roles;
	return CW_OK;
}
