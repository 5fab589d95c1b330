#include "engine/profile.h"

#include <string.h>

#include "engine/dates.h"
#include "engine/flat.h"
#include "engine/reading.h"

/** Bytes of the document that are read for parties, type and date at its top and at its end. */
#define HEAD_MAX 10000
#define TAIL_MAX 8000
/** Longest sentence that is looked at. */
#define PASSAGE_MAX 8192

/** Signs of what a sentence speaks of; a topic needs several. */
enum {
	SIGN_RULED = 1 << 0, /**< governed, construed */
	SIGN_LAW = 1 << 1,
	SIGN_WHOLE = 1 << 2, /**< the agreement or its term */
	SIGN_END = 1 << 3,
	SIGN_TIME = 1 << 4, /**< years, months, a year in digits */
	SIGN_RENEW = 1 << 5,
	SIGN_START = 1 << 6,
	SIGN_YEAR = 1 << 7, /**< a year in digits */
	SIGN_YOU = 1 << 8,
	SIGN_WE = 1 << 9,
};

static const struct {
	unsigned sign;
	const char *words; /**< separated by blanks */
} signs[] = {
	{ SIGN_RULED, "governed governing govern governs construed interpreted enforced" },
	{ SIGN_LAW, "law laws" },
	{ SIGN_WHOLE, "agreement contract terms license licence amendment addendum appointment "
		      "subscription plan membership lease" },
	{ SIGN_WHOLE | SIGN_END, "term" },
	{ SIGN_END, "expire expires expiring expiration terminate terminates terminating continue "
		    "continues until ending end ends through remain remains duration period "
		    "initial valid conclude concluding anniversary" },
	{ SIGN_TIME, "year years month months anniversary weeks" },
	{ SIGN_RENEW, "renew renews renewed renewal renewals renewing renewable extend extends "
		      "extended extension successive evergreen automatically thereafter" },
	{ SIGN_START, "effective effect commence commences commencing commencement begin begins "
		      "beginning start force dated" },
	{ SIGN_YOU, "you your yours" },
	{ SIGN_WE, "we our us" },
};

static const struct {
	unsigned topic, signs;
} topics[] = {
	{ CW_TOPIC_LAW, SIGN_RULED | SIGN_LAW },
	{ CW_TOPIC_TERM, SIGN_WHOLE | SIGN_END | SIGN_TIME },
	{ CW_TOPIC_RENEWAL, SIGN_WHOLE | SIGN_RENEW },
	{ CW_TOPIC_EFFECT, SIGN_START | SIGN_YEAR },
};

/** Must be a power of two well above the number of words. */
#define TABLE_SIZE 256

struct word_table {
	uint64_t hash[TABLE_SIZE];
	unsigned bits[TABLE_SIZE];
};

static void table_add(struct word_table *t, const char *word, size_t len, unsigned bits)
{
	uint64_t hash = cw_word_hash(word, len);
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
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		for (const char *p = signs[i].words; *p;) {
			size_t n = strcspn(p, " ");
			table_add(t, p, n, signs[i].sign);
			p += n + (p[n] == ' ');
		}
	}
}

/** Signs of the sentence that begins at token i, whose end is *end; counts persons on the way. */
static unsigned scan_sentence(struct cw_reading *r, const struct word_table *t, size_t i,
			      size_t limit, size_t *end)
{
	const struct cw_tok *toks = r->a->toks;
	unsigned found = 0;
	size_t k = i;

	do {
		unsigned bits = table_get(t, toks[k].hash);
		r->you += (bits & SIGN_YOU) != 0;
		r->we += (bits & SIGN_WE) != 0;
		if ((toks[k].flags & CW_TOK_NUM) && toks[k].len == 4)
			bits |= SIGN_TIME | SIGN_YEAR;
		found |= bits;
	} while (++k < limit && !(toks[k].flags & CW_TOK_SENT));
	*end = k;
	return found;
}

static unsigned topics_of(unsigned found)
{
	unsigned bits = 0;

	for (size_t i = 0; i < sizeof(topics) / sizeof(*topics); i++) {
		if ((found & topics[i].signs) == topics[i].signs)
			bits |= topics[i].topic;
	}
	return bits;
}

/** Where the text of token i begins, or that of the clause when it is the last. */
static uint32_t byte_of(const struct cw_analysis *a, const struct cw_clause *clause, size_t i)
{
	if (i == clause->tok_start)
		return clause->span.byte_start;
	return i < clause->tok_start + clause->tok_count ? a->toks[i].start : clause->span.byte_end;
}

const struct cw_passage *cw_passage_at(struct cw_reading *r, size_t i)
{
	struct cw_passage *p = &r->passages[i];
	const struct cw_analysis *a = r->a;

	if (p->text)
		return p;
	cw_buf_clear(&r->buf);
	cw_flatten(a->text, p->start, p->mid, a->format, &r->buf);
	p->len = r->buf.len;
	if (p->topics & CW_TOPIC_RENEWAL)
		cw_flatten(a->text, p->mid, p->end, a->format, &r->buf);
	p->total = r->buf.len;
	if (!r->buf.failed)
		p->text = cw_arena_strndup(&r->a->arena, cw_buf_str(&r->buf), r->buf.len);
	if (!p->text) {
		r->failed = true;
		p->text = "";
		p->len = p->total = 0;
	}
	return p;
}

/** Keep the sentence [from, mid) and the one behind it, which ends at `to`. */
static int add_passage(struct cw_reading *r, size_t *cap, struct cw_passage p, size_t from,
		       size_t mid, size_t to)
{
	const struct cw_clause *clause = &r->a->clauses[p.clause];
	struct cw_passage *list =
		cw_arena_grow(&r->a->arena, r->passages, r->npassages, cap, sizeof(*list));

	if (!list)
		return CW_ENOMEM;
	p.start = byte_of(r->a, clause, from);
	p.mid = byte_of(r->a, clause, mid);
	p.end = byte_of(r->a, clause, to);
	if (p.mid - p.start > PASSAGE_MAX)
		p.mid = p.end = p.start + PASSAGE_MAX;
	if (p.end - p.mid > PASSAGE_MAX)
		p.end = p.mid + PASSAGE_MAX;
	list[r->npassages++] = p;
	r->passages = list;
	return CW_OK;
}

/** A heading speaks for the sentences under it: "Term." */
static unsigned heading_signs(const struct cw_clause *clause)
{
	static const char *const words[] = { "term", "duration" };
	const char *end = clause->heading + strlen(clause->heading);

	return cw_find_any(clause->heading, end, words, 2, NULL) ? SIGN_WHOLE | SIGN_END : 0;
}

static int scan_clause(struct cw_reading *r, const struct word_table *t, size_t clause, size_t *cap)
{
	const struct cw_clause *c = &r->a->clauses[clause];
	size_t limit = c->tok_start + (size_t)c->tok_count, mid, to;

	for (size_t from = c->tok_start; from < limit; from = mid) {
		unsigned found = scan_sentence(r, t, from, limit, &mid);
		if (found & SIGN_TIME)
			found |= heading_signs(c);
		struct cw_passage p = { .topics = topics_of(found), .clause = (uint32_t)clause };
		if (!p.topics)
			continue;
		for (to = mid; to < limit && (to == mid || !(r->a->toks[to].flags & CW_TOK_SENT));)
			to++;
		if (add_passage(r, cap, p, from, mid, to) < 0)
			return CW_ENOMEM;
	}
	return CW_OK;
}

static int find_passages(struct cw_reading *r)
{
	struct word_table table = { 0 };
	size_t cap = 0;

	table_fill(&table);
	for (size_t i = 0; i < r->a->nclauses; i++) {
		if (scan_clause(r, &table, i, &cap) < 0)
			return CW_ENOMEM;
	}
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

static void read_in_force(struct cw_profile *p, const struct cw_analysis_options *opts)
{
	const char *today = opts ? opts->today : NULL;

	p->in_force = "unknown";
	if (!today)
		return;
	if (p->effective_date[0] && strcmp(p->effective_date, today) > 0)
		p->in_force = "no";
	else if (p->expiration_date[0])
		p->in_force = strcmp(p->expiration_date, today) >= 0 || p->auto_renews == 1 ? "yes"
											    : "no";
	else if (p->auto_renews == 1 || p->online)
		p->in_force = "yes";
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
	/* Whoever reads published terms is the other side. */
	if (p->online && !p->customer[0] && r->you > 0)
		p->customer = "you";
	return CW_OK;
}

static int read_all(struct cw_reading *r, const struct cw_analysis_options *opts,
		    const struct cw_roles **roles)
{
	struct cw_analysis *a = r->a;

	r->head = flat_range(a, 0, a->nclauses, HEAD_MAX, &r->buf);
	r->tail = flat_tail(a, &r->buf);
	if (!r->head || !r->tail || find_passages(r) < 0)
		return CW_ENOMEM;
	cw_read_type(r);
	if (cw_parties_find(&a->arena, r->head, r->tail, &r->parties) < 0)
		return CW_ENOMEM;
	cw_read_online(r);
	if (a->profile.online && cw_publisher_find(r) < 0)
		return CW_ENOMEM;
	if (cw_roles_build(r, roles) < 0 || publish_parties(r) < 0 || cw_read_law(r) < 0)
		return CW_ENOMEM;
	cw_read_dates(r);
	cw_read_renewal(r);
	read_in_force(&a->profile, opts);
	return r->failed ? CW_ENOMEM : CW_OK;
}

int cw_profile_read(struct cw_analysis *a, const struct cw_analysis_options *opts,
		    const struct cw_roles **out_roles, struct cw_error *err)
{
	struct cw_reading r = { .a = a };
	const struct cw_roles *roles = NULL;

	a->profile = (struct cw_profile){
		.type = "",
		.vendor = "",
		.customer = "",
		.auto_renews = -1,
		.notice_period_days = -1,
		.governing_law = "",
		.in_force = "unknown",
	};
	int ret = read_all(&r, opts, &roles);
	cw_buf_release(&r.buf);
	if (ret < 0)
		return cw_fail(err, CW_ENOMEM,
			       "out of memory while reading the document's profile");
	if (out_roles)
		*out_roles = roles;
	return CW_OK;
}
