#include "store/records.h"

#include <stdlib.h>

#include "clausewatch/ruleset.h"

#define FIELD(member, kind) CW_FIELD(cw_stored_finding, member, kind)
#define ENUM(member, most) CW_FIELD_UPTO(cw_stored_finding, member, ENUM, most)

static const struct cw_field fields[] = {
	CW_FIELD_UPTO(cw_stored_finding, id, ID, CW_ID_SIZE),
	FIELD(first_seen_ms, I64), /* these two first: read alone when findings are replaced */
	FIELD(term_id, STR),
	FIELD(rule_id, STR),
	FIELD(title, STR),
	FIELD(codes, STR),
	FIELD(evidence_kind, STR),
	FIELD(confidence, FLOAT),
	ENUM(polarity, CW_PROTECTION),
	ENUM(direction, CW_BOTH),
	ENUM(severity, CW_CRITICAL),
	FIELD(clause, U32),
	FIELD(span.byte_start, U32),
	FIELD(span.byte_end, U32),
	FIELD(span.line_start, U32),
	FIELD(span.line_end, U32),
	FIELD(section, STR),
	FIELD(heading, STR),
	FIELD(fingerprint, FIXED64),
	FIELD(quote_start, U32),
	FIELD(quote_end, U32),
	FIELD(why, STR),
	FIELD(advice, STR),
};
#define NFIELDS (sizeof(fields) / sizeof(*fields))

struct finding_key {
	uint8_t bytes[12];
};

static MDB_val finding_key(struct finding_key *key, uint64_t doc, uint32_t ordinal)
{
	cw_be64(key->bytes, doc);
	cw_be32(key->bytes + 8, ordinal);
	return cw_val(key->bytes, sizeof(key->bytes));
}

static void pack_finding(struct cw_buf *out, const struct cw_stored_finding *f)
{
	cw_pack_begin(out);
	cw_pack_fields(out, fields, NFIELDS, f);
	cw_pack_bytes(out, f->quote, f->quote_len);
	cw_pack_uint(out, f->nevidence);
	for (size_t i = 0; i < f->nevidence; i++) {
		cw_pack_uint(out, f->evidence[i].part);
		cw_pack_uint(out, f->evidence[i].byte_start);
		cw_pack_uint(out, f->evidence[i].byte_end);
	}
	cw_pack_uint(out, f->nattrs);
	for (size_t i = 0; i < f->nattrs; i++) {
		cw_pack_str(out, f->attrs[i].name);
		cw_pack_uint(out, f->attrs[i].kind);
		cw_pack_str(out, f->attrs[i].value);
	}
}

int cw_store__unpack_finding(struct cw_unpack *u, struct cw_stored_finding *f)
{
	cw_unpack_fields(u, fields, NFIELDS, f);
	f->quote = cw_unpack_str(u, &f->quote_len);
	struct cw_evidence *evidence = cw_unpack_array(u, &f->nevidence, sizeof(*evidence), 3);
	for (size_t i = 0; i < f->nevidence; i++) {
		evidence[i].part = (enum cw_part)cw_unpack_max(u, CW_PART_UNLESS);
		evidence[i].byte_start = cw_unpack_u32(u);
		evidence[i].byte_end = cw_unpack_u32(u);
	}
	f->evidence = evidence;
	struct cw_attr *attrs = cw_unpack_array(u, &f->nattrs, sizeof(*attrs), 3);
	for (size_t i = 0; i < f->nattrs; i++) {
		attrs[i].name = cw_unpack_cstr(u);
		attrs[i].kind = (enum cw_attr_kind)cw_unpack_max(u, CW_ATTR_LIST);
		attrs[i].value = cw_unpack_cstr(u);
	}
	f->attrs = attrs;
	return cw_unpack_end(u);
}

/* ---- writing ---- */

static const char *join_codes(struct cw_tx *tx, const char *const *codes)
{
	const char *all = "";

	for (; all && codes && *codes; codes++)
		all = cw_arena_printf(&tx->scratch, "%s%s%s", all, all[0] ? "," : "", *codes);
	return all;
}

static int describe(struct cw_tx *tx, const struct cw_analysis *a, const struct cw_finding *f,
		    struct cw_stored_finding *out)
{
	const struct cw_clause *c = f->clause < a->nclauses ? &a->clauses[f->clause] : NULL;
	bool quoted = f->quote_start <= f->quote_end && f->quote_end <= a->len;

	*out = (struct cw_stored_finding){
		.term_id = f->term_id,
		.rule_id = f->rule ? f->rule->id : "",
		.title = f->term ? f->term->title : "",
		.codes = join_codes(tx, f->term ? f->term->codes : NULL),
		.evidence_kind = f->evidence_kind,
		.confidence = f->confidence,
		.polarity = f->polarity,
		.direction = f->direction,
		.severity = f->severity,
		.clause = f->clause,
		.span = f->span,
		.section = c ? c->section : "",
		.heading = c ? c->heading : "",
		.fingerprint = c ? c->fingerprint : 0,
		.quote_start = f->quote_start,
		.quote_end = f->quote_end,
		.quote = quoted ? a->text + f->quote_start : "",
		.quote_len = quoted ? f->quote_end - f->quote_start : 0,
		.evidence = f->evidence,
		.nevidence = f->nevidence,
		.attrs = f->attrs,
		.nattrs = f->nattrs,
		.why = f->why,
		.advice = f->advice,
	};
	memcpy(out->id, f->id, sizeof(out->id));
	return out->codes ? CW_OK : cw_store__nomem(tx);
}

struct past {
	char id[CW_ID_SIZE];
	uint32_t ordinal;
	int64_t first_seen_ms;
};

static int add_past(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct cw_stored_finding f;
	struct cw_unpack u;
	struct past *past = cw_list_add(ctx);

	if (!past)
		return cw_store__nomem(tx);
	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	cw_unpack_fields(&u, fields, 2, &f);
	if (u.bad || key.mv_size != 12)
		return cw_store__corrupt(tx, CW_DB_FINDING, key, "its bytes make no sense");
	memcpy(past->id, f.id, sizeof(past->id));
	past->first_seen_ms = f.first_seen_ms;
	past->ordinal = cw_get_be32((const char *)key.mv_data + 8);
	return CW_OK;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct past *)a)->id, ((const struct past *)b)->id);
}

/* What stood there before, sorted by id, and gone from the tables. */
static int take_past(struct cw_tx *tx, uint64_t doc, struct cw_list *past)
{
	struct finding_key buf;
	int ret = cw_store__scan(tx, CW_DB_FINDING, finding_key(&buf, doc, 0), 8, add_past, past);

	for (size_t i = 0; ret == CW_OK && i < past->n; i++) {
		const struct past *p = cw_list_at(past, i);
		MDB_val key = finding_key(&buf, doc, p->ordinal);

		ret = cw_store__del(tx, CW_DB_FINDING, key);
		if (ret == CW_OK)
			ret = cw_store__del_dup(tx, CW_DB_FINDID, cw_str_val(p->id), key);
		if (ret == CW_ENOTFOUND)
			ret = cw_store__corrupt(tx, CW_DB_FINDID, cw_str_val(p->id),
						"an entry is missing");
	}
	if (past->n > 1)
		qsort(past->items, past->n, past->size, by_id);
	return ret;
}

static int put_one(struct cw_tx *tx, uint64_t doc, uint32_t ordinal, struct cw_stored_finding *f)
{
	struct finding_key buf;
	MDB_val key = finding_key(&buf, doc, ordinal);

	if (f->id[0] == '\0' || memchr(f->id, '\0', sizeof(f->id)) == NULL)
		return cw_fail(tx->err, CW_EINVAL, "finding %u of document %llu has no id", ordinal,
			       (unsigned long long)doc);
	pack_finding(&tx->buf, f);
	int ret = cw_store__put_buf(tx, CW_DB_FINDING, key);
	return ret < 0 ? ret : cw_store__put(tx, CW_DB_FINDID, cw_str_val(f->id), key);
}

int cw_store__put_findings(struct cw_tx *tx, uint64_t doc, const struct cw_analysis *a,
			   int64_t now_ms, uint32_t counts[CW_STORE_SEVERITIES])
{
	struct cw_list past = { .arena = &tx->scratch, .size = sizeof(struct past) };
	int ret = take_past(tx, doc, &past);

	memset(counts, 0, CW_STORE_SEVERITIES * sizeof(*counts));
	for (size_t i = 0; ret == CW_OK && a && i < a->nfindings; i++) {
		struct cw_stored_finding f;
		struct past probe = { 0 };

		ret = describe(tx, a, &a->findings[i], &f);
		if (ret < 0)
			break;
		memcpy(probe.id, f.id, sizeof(probe.id));
		const struct past *before =
			past.n ? bsearch(&probe, past.items, past.n, past.size, by_id) : NULL;
		f.first_seen_ms = before ? before->first_seen_ms : now_ms;
		if (f.polarity == CW_RISK)
			counts[f.severity]++;
		ret = put_one(tx, doc, (uint32_t)i, &f);
	}
	return ret;
}

/* ---- reading ---- */

static int add_finding(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct cw_list *list = ctx;
	struct cw_unpack u;
	struct cw_stored_finding *f = cw_list_add(list);

	if (!f)
		return cw_store__nomem(tx);
	cw_unpack_begin(&u, val.mv_data, val.mv_size, list->arena);
	cw_store__unpack_finding(&u, f);
	int ret = cw_store__unpacked(tx, &u, CW_DB_FINDING, key);
	if (ret == CW_OK && key.mv_size != 12)
		ret = cw_store__corrupt(tx, CW_DB_FINDING, key, "its key is too short");
	if (ret < 0)
		return ret;
	f->doc = cw_get_be64(key.mv_data);
	f->ordinal = cw_get_be32((const char *)key.mv_data + 8);
	return cw_list_full(list) ? CW_STOP : CW_OK;
}

struct read_findings {
	uint64_t doc;
	uint32_t ordinal;
	size_t prefix;
	const char *id;
	struct cw_list list;
};

static int read_range(struct cw_tx *tx, void *ctx)
{
	struct read_findings *r = ctx;
	struct finding_key key;

	return cw_store__scan(tx, CW_DB_FINDING, finding_key(&key, r->doc, r->ordinal), r->prefix,
			      add_finding, &r->list);
}

static int read_id(struct cw_tx *tx, void *ctx)
{
	struct read_findings *r = ctx;
	struct cw_list keys = { .arena = &tx->scratch, .size = sizeof(MDB_val) };
	int ret = cw_store__dups(tx, CW_DB_FINDID, cw_str_val(r->id), NULL, cw_store__collect_val,
				 &keys);

	for (size_t i = 0; ret == CW_OK && i < keys.n; i++) {
		MDB_val key = *(MDB_val *)cw_list_at(&keys, i), val;

		ret = cw_store__get(tx, CW_DB_FINDING, key, &val);
		if (ret == CW_ENOTFOUND)
			ret = cw_store__corrupt(tx, CW_DB_FINDING, key, "it is missing");
		if (ret == CW_OK)
			ret = add_finding(tx, key, val, &r->list);
	}
	return ret;
}

static int run(struct cw_store *s, cw_tx_fn *fn, struct read_findings *r, struct cw_arena *arena,
	       struct cw_stored_finding **out, size_t *out_n, struct cw_error *err)
{
	r->list.arena = arena;
	r->list.size = sizeof(struct cw_stored_finding);
	int ret = cw_store__read(s, fn, r, err);

	if (ret < 0)
		return ret;
	*out = r->list.items;
	*out_n = r->list.n;
	return CW_OK;
}

int cw_store_findings(struct cw_store *s, uint64_t doc, struct cw_arena *arena,
		      struct cw_stored_finding **out, size_t *out_n, struct cw_error *err)
{
	struct read_findings r = { .doc = doc, .prefix = 8 };

	return run(s, read_range, &r, arena, out, out_n, err);
}

int cw_store_findings_all(struct cw_store *s, uint64_t after_doc, uint32_t after_ordinal,
			  size_t limit, struct cw_arena *arena, struct cw_stored_finding **out,
			  size_t *out_n, struct cw_error *err)
{
	struct read_findings r = { .doc = after_doc, .list = { .limit = limit } };

	/* Document 0 is none, so that 0, 0 begins at the first finding of the first one. */
	r.ordinal = after_doc > 0 ? after_ordinal + 1 : 0;
	return run(s, read_range, &r, arena, out, out_n, err);
}

int cw_store_findings_by_id(struct cw_store *s, const char *id, struct cw_arena *arena,
			    struct cw_stored_finding **out, size_t *out_n, struct cw_error *err)
{
	struct read_findings r = { .id = id };

	if (id[0] == '\0' || strlen(id) >= CW_ID_SIZE)
		return cw_fail(err, CW_EINVAL, "'%.40s' is no id of a finding", id);
	return run(s, read_id, &r, arena, out, out_n, err);
}
