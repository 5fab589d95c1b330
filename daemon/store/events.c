#include "store/records.h"

#include <stdlib.h>

/* Deleted in one transaction, so that other writers need not wait long. */
#define PRUNE_BATCH 4096

struct seq_key {
	uint8_t bytes[8];
};

static MDB_val seq_key(struct seq_key *key, uint64_t seq)
{
	cw_be64(key->bytes, seq);
	return cw_val(key->bytes, sizeof(key->bytes));
}

struct time_key {
	uint8_t bytes[16];
};

static MDB_val time_key(struct time_key *key, int64_t time_ms, uint64_t seq)
{
	cw_be64(key->bytes, cw_time_key(time_ms));
	cw_be64(key->bytes + 8, seq);
	return cw_val(key->bytes, sizeof(key->bytes));
}

/* ---- writing ---- */

int cw_store__events_json(const struct cw_commit_event *events, size_t n, struct cw_buf **out,
			  struct cw_error *err)
{
	struct cw_buf *json = n > 0 ? calloc(n, sizeof(*json)) : NULL;
	int ret = n > 0 && !json ? cw_fail(err, CW_ENOMEM, "out of memory for events") : CW_OK;

	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		cw_event_to_json(events[i].event, &json[i]);
		ret = cw_buf_ok(&json[i], err);
	}
	if (ret < 0) {
		cw_store__free_json(json, n);
		return ret;
	}
	*out = json;
	return CW_OK;
}

void cw_store__free_json(struct cw_buf *json, size_t n)
{
	for (size_t i = 0; json && i < n; i++)
		cw_buf_release(&json[i]);
	free(json);
}

static int check_id(struct cw_tx *tx, const char *id)
{
	MDB_val val;

	if (id[0] == '\0' || strnlen(id, 40) >= 40 || strchr(id, ':'))
		return cw_fail(tx->err, CW_EINVAL, "'%.40s' is no id of an event", id);
	int ret = cw_store__get(tx, CW_DB_EVENTID, cw_str_val(id), &val);
	if (ret == CW_OK)
		return cw_fail(tx->err, CW_EINVAL, "event '%s' is already stored", id);
	return ret == CW_ENOTFOUND ? CW_OK : ret;
}

int cw_store__put_event_json(struct cw_tx *tx, const char *id, int64_t time_ms, const char *json,
			     size_t len)
{
	struct seq_key seq;
	struct time_key at;
	int ret = check_id(tx, id);

	if (ret < 0)
		return ret;
	uint64_t n = ++tx->n[CW_N_NEXT_EVENT];
	MDB_val key = seq_key(&seq, n);
	cw_pack_begin(&tx->buf);
	cw_pack_int(&tx->buf, time_ms);
	cw_pack_str(&tx->buf, id);
	cw_pack_bytes(&tx->buf, json, len);
	ret = cw_store__append_buf(tx, CW_DB_EVENT, key);
	if (ret == CW_OK)
		ret = cw_store__put(tx, CW_DB_EVENTID, cw_str_val(id), key);
	if (ret == CW_OK)
		ret = cw_store__put(tx, CW_DB_EVENTTIME, time_key(&at, time_ms, n), cw_val("", 0));
	return ret;
}

int cw_store__put_events(struct cw_tx *tx, const struct cw_commit_event *events, size_t n,
			 const struct cw_buf *json, int64_t now_ms)
{
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		const struct cw_event *e = events[i].event;

		ret = cw_store__put_event_json(tx, e->id, e->time_ms, cw_buf_str(&json[i]),
					       json[i].len);
		for (size_t j = 0; ret == CW_OK && j < events[i].nchannels; j++) {
			struct cw_delivery d = { .event = e->id,
						 .channel = events[i].channels[j],
						 .created_ms = now_ms,
						 .next_ms = events[i].due_ms ? events[i].due_ms
									     : now_ms };

			ret = cw_store__put_delivery(tx, &d);
		}
	}
	return ret;
}

struct add_events {
	const struct cw_commit_event *events;
	size_t n;
	const struct cw_buf *json;
};

static int write_events(struct cw_tx *tx, void *ctx)
{
	struct add_events *a = ctx;
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < a->n; i++)
		ret = cw_store__put_events(tx, &a->events[i], 1, &a->json[i],
					   a->events[i].event->time_ms);
	return ret;
}

int cw_store_add_events(struct cw_store *s, const struct cw_commit_event *events, size_t n,
			struct cw_error *err)
{
	struct cw_buf *json = NULL;
	int ret = cw_store__events_json(events, n, &json, err);

	if (ret < 0)
		return ret;
	struct add_events a = { events, n, json };
	ret = n > 0 ? cw_store__write(s, write_events, &a, err) : CW_OK;
	cw_store__free_json(json, n);
	return ret;
}

/* ---- reading ---- */

int cw_store__unpack_event(struct cw_unpack *u, struct cw_stored_event *e)
{
	e->time_ms = cw_unpack_int(u);
	e->id = cw_unpack_cstr(u);
	e->json = cw_unpack_str(u, &e->len);
	return cw_unpack_end(u);
}

static int read_record(struct cw_tx *tx, MDB_val key, MDB_val val, struct cw_arena *arena,
		       struct cw_stored_event *e)
{
	struct cw_unpack u;

	cw_unpack_begin(&u, val.mv_data, val.mv_size, arena);
	cw_store__unpack_event(&u, e);
	int ret = cw_store__unpacked(tx, &u, CW_DB_EVENT, key);
	if (ret == CW_OK && key.mv_size != 8)
		ret = cw_store__corrupt(tx, CW_DB_EVENT, key, "its key is too short");
	if (ret == CW_OK)
		e->seq = cw_get_be64(key.mv_data);
	return ret;
}

static int add_event(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct cw_list *list = ctx;
	struct cw_stored_event *e = cw_list_add(list);

	if (!e)
		return cw_store__nomem(tx);
	int ret = read_record(tx, key, val, list->arena, e);
	return ret == CW_OK && cw_list_full(list) ? CW_STOP : ret;
}

/* The event that an index points to. */
static int load_event(struct cw_tx *tx, uint64_t seq, struct cw_list *out)
{
	struct seq_key buf;
	MDB_val key = seq_key(&buf, seq), val;
	int ret = cw_store__get(tx, CW_DB_EVENT, key, &val);

	if (ret == CW_ENOTFOUND)
		return cw_store__corrupt(tx, CW_DB_EVENT, key, "it is missing");
	return ret < 0 ? ret : add_event(tx, key, val, out);
}

struct read_events {
	const char *id;
	uint64_t seq;
	int64_t time_ms;
	size_t limit;
	struct cw_list list;
};

static int read_id(struct cw_tx *tx, void *ctx)
{
	struct read_events *r = ctx;
	MDB_val val;
	int ret = r->id[0] && strnlen(r->id, 40) < 40
			  ? cw_store__get_sized(tx, CW_DB_EVENTID, cw_str_val(r->id), 8, &val)
			  : CW_ENOTFOUND;

	if (ret == CW_ENOTFOUND)
		return cw_fail(tx->err, ret, "store: there is no event '%.40s'", r->id);
	if (ret == CW_OK)
		ret = load_event(tx, cw_get_be64(val.mv_data), &r->list);
	return ret;
}

static int read_after(struct cw_tx *tx, void *ctx)
{
	struct read_events *r = ctx;
	struct seq_key key;

	if (r->seq == UINT64_MAX)
		return CW_OK;
	return cw_store__scan(tx, CW_DB_EVENT, seq_key(&key, r->seq + 1), 0, add_event, &r->list);
}

/* Walks backwards in time. */
static int add_seq(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct read_events *r = ctx;

	(void)val;
	if (key.mv_size != 16)
		return cw_store__corrupt(tx, CW_DB_EVENTTIME, key, "its size is wrong");
	if (cw_key_time(cw_get_be64(key.mv_data)) < r->time_ms)
		return CW_STOP;
	uint64_t *seq = cw_list_add(&r->list);
	if (!seq)
		return cw_store__nomem(tx);
	*seq = cw_get_be64((const char *)key.mv_data + 8);
	return cw_list_full(&r->list) ? CW_STOP : CW_OK;
}

static int read_since(struct cw_tx *tx, void *ctx)
{
	struct read_events *r = ctx;
	struct read_events seqs = {
		.time_ms = r->time_ms,
		.list = { .arena = &tx->scratch, .size = sizeof(uint64_t), .limit = r->limit }
	};
	struct time_key last;
	int ret = cw_store__scan_back(tx, CW_DB_EVENTTIME, time_key(&last, INT64_MAX, UINT64_MAX),
				      0, add_seq, &seqs);

	for (size_t i = seqs.list.n; ret == CW_OK && i > 0; i--)
		ret = load_event(tx, *(uint64_t *)cw_list_at(&seqs.list, i - 1), &r->list);
	return ret;
}

static int run(struct cw_store *s, cw_tx_fn *fn, struct read_events *r, struct cw_arena *arena,
	       struct cw_stored_event **out, size_t *out_n, struct cw_error *err)
{
	r->list.arena = arena;
	r->list.size = sizeof(struct cw_stored_event);
	int ret = cw_store__read(s, fn, r, err);

	if (ret < 0)
		return ret;
	*out = r->list.items;
	if (out_n)
		*out_n = r->list.n;
	return CW_OK;
}

int cw_store_event(struct cw_store *s, const char *id, struct cw_arena *arena,
		   struct cw_stored_event **out, struct cw_error *err)
{
	struct read_events r = { .id = id };

	return run(s, read_id, &r, arena, out, NULL, err);
}

int cw_store_events_after(struct cw_store *s, uint64_t seq, size_t limit, struct cw_arena *arena,
			  struct cw_stored_event **out, size_t *out_n, struct cw_error *err)
{
	struct read_events r = { .seq = seq, .list = { .limit = limit } };

	return run(s, read_after, &r, arena, out, out_n, err);
}

int cw_store_events_since(struct cw_store *s, int64_t time_ms, size_t limit, struct cw_arena *arena,
			  struct cw_stored_event **out, size_t *out_n, struct cw_error *err)
{
	struct read_events r = { .time_ms = time_ms, .limit = limit };

	return run(s, read_since, &r, arena, out, out_n, err);
}

/* ---- retention ---- */

struct prune {
	enum cw_db db; /**< CW_DB_EVENTTIME by age, CW_DB_EVENT by number */
	int64_t before_ms;
	uint64_t keep;
	uint64_t looked_at, to_look_at; /**< by number: among the oldest */
	uint8_t from[16]; /**< key after the last one looked at */
	size_t from_len;
	bool more;
	uint64_t pruned; /**< in this transaction */
	struct cw_list seqs;
};

static int add_old(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct prune *p = ctx;

	(void)val;
	if (p->db == CW_DB_EVENTTIME && cw_key_time(cw_get_be64(key.mv_data)) >= p->before_ms)
		return CW_STOP;
	uint64_t *seq = cw_list_add(&p->seqs);
	if (!seq)
		return cw_store__nomem(tx);
	*seq = cw_get_be64((const char *)key.mv_data + key.mv_size - 8);
	memcpy(p->from, key.mv_data, key.mv_size);
	cw_be64(p->from + key.mv_size - 8, *seq + 1);
	p->from_len = key.mv_size;
	return cw_list_full(&p->seqs) ? CW_STOP : CW_OK;
}

static int delete_event(struct cw_tx *tx, uint64_t seq)
{
	struct cw_list list = { .arena = &tx->scratch, .size = sizeof(struct cw_stored_event) };
	struct seq_key key;
	struct time_key at;
	int ret = load_event(tx, seq, &list);

	if (ret < 0)
		return ret;
	const struct cw_stored_event *e = cw_list_at(&list, 0);
	ret = cw_store__delete_deliveries(tx, e->id);
	if (ret == CW_OK)
		ret = cw_store__del(tx, CW_DB_EVENT, seq_key(&key, seq));
	if (ret == CW_OK)
		ret = cw_store__del(tx, CW_DB_EVENTID, cw_str_val(e->id));
	if (ret == CW_OK)
		ret = cw_store__del(tx, CW_DB_EVENTTIME, time_key(&at, e->time_ms, seq));
	return ret == CW_ENOTFOUND ? cw_store__corrupt(tx, CW_DB_EVENTID, cw_str_val(e->id),
						       "an entry is missing")
				   : ret;
}

static int write_prune(struct cw_tx *tx, void *ctx)
{
	struct prune *p = ctx;
	uint64_t total = cw_store__entries(tx, CW_DB_EVENT);
	size_t limit = PRUNE_BATCH;

	if (p->db == CW_DB_EVENT) {
		if (p->looked_at == 0)
			p->to_look_at = total > p->keep ? total - p->keep : 0;
		if (p->to_look_at - p->looked_at < limit)
			limit = (size_t)(p->to_look_at - p->looked_at);
	}
	p->more = false;
	p->pruned = 0;
	if (limit == 0)
		return CW_OK;
	p->seqs =
		(struct cw_list){ .arena = &tx->scratch, .size = sizeof(uint64_t), .limit = limit };
	struct prune before = *p; /* the map may grow and this run again */
	int ret = cw_store__scan(tx, p->db, cw_val(p->from, p->from_len), 0, add_old, p);
	for (size_t i = 0; ret == CW_OK && i < p->seqs.n; i++) {
		ret = delete_event(tx, *(uint64_t *)cw_list_at(&p->seqs, i));
		if (ret == CW_OK)
			p->pruned++;
		else if (ret == CW_ECANCELED)
			ret = CW_OK;
	}
	if (ret < 0) {
		*p = before;
		return ret;
	}
	p->looked_at += p->seqs.n;
	p->more = p->seqs.n == PRUNE_BATCH;
	return CW_OK;
}

int cw_store_prune_events(struct cw_store *s, int64_t before_ms, uint64_t keep,
			  uint64_t *out_pruned, struct cw_error *err)
{
	struct prune runs[] = { { .db = CW_DB_EVENTTIME, .before_ms = before_ms },
				{ .db = CW_DB_EVENT, .keep = keep } };
	bool wanted[] = { before_ms != 0, keep != 0 };
	uint64_t pruned = 0;

	for (size_t i = 0; i < 2; i++) {
		while (wanted[i]) {
			int ret = cw_store__write(s, write_prune, &runs[i], err);

			if (ret < 0)
				return ret;
			pruned += runs[i].pruned;
			wanted[i] = runs[i].more;
		}
	}
	if (out_pruned)
		*out_pruned = pruned;
	return CW_OK;
}
