#include "store/records.h"

#define FIELD(member, kind) CW_FIELD(cw_delivery, member, kind)

const struct cw_field cw_delivery_fields[] = {
	FIELD(event, STR),
	FIELD(channel, STR),
	CW_FIELD_UPTO(cw_delivery, state, ENUM, CW_DELIVERY_STATES - 1),
	FIELD(attempts, U32),
	FIELD(created_ms, I64),
	FIELD(next_ms, I64),
	FIELD(last_ms, I64),
	FIELD(last_status, INT),
	FIELD(last_error, STR),
};
const size_t cw_delivery_nfields = sizeof(cw_delivery_fields) / sizeof(*cw_delivery_fields);

#define ID_MAX (39 + 1 + CW_STORE_CHANNEL_MAX) /**< event ":" channel */

static const char *const states[CW_DELIVERY_STATES] = { "pending", "delivered", "dead",
							"disabled" };

const char *cw_delivery_state_name(enum cw_delivery_state state)
{
	return states[state];
}

int cw_delivery_state_parse(const char *name)
{
	for (int i = 0; i < CW_DELIVERY_STATES; i++) {
		if (strcmp(states[i], name) == 0)
			return i;
	}
	return -1;
}

/* ---- records ---- */

struct queue_key {
	uint8_t bytes[1 + 8 + ID_MAX];
};

static MDB_val queue_key(struct queue_key *key, const struct cw_delivery *d, const char *id)
{
	size_t len = strlen(id);
	int64_t when = d->state == CW_DELIVERY_PENDING ? d->next_ms
		       : d->last_ms                    ? d->last_ms
						       : d->created_ms;

	key->bytes[0] = (uint8_t)d->state;
	cw_be64(key->bytes + 1, cw_time_key(when));
	memcpy(key->bytes + 9, id, len);
	return cw_val(key->bytes, 9 + len);
}

int cw_store__unpack_delivery(struct cw_unpack *u, struct cw_delivery *d)
{
	cw_unpack_fields(u, cw_delivery_fields, cw_delivery_nfields, d);
	return cw_unpack_end(u);
}

static int load(struct cw_tx *tx, const char *id, struct cw_arena *arena, struct cw_delivery *out)
{
	MDB_val key = cw_str_val(id), val;
	struct cw_unpack u;
	struct cw_delivery d = { 0 };

	if (key.mv_size == 0 || key.mv_size > ID_MAX)
		return CW_ENOTFOUND;
	int ret = cw_store__get(tx, CW_DB_OUTBOX, key, &val);
	if (ret < 0)
		return ret;
	cw_unpack_begin(&u, val.mv_data, val.mv_size, arena);
	cw_store__unpack_delivery(&u, &d);
	ret = cw_store__unpacked(tx, &u, CW_DB_OUTBOX, key);
	if (ret < 0)
		return ret;
	d.id = cw_arena_strdup(arena, id);
	if (!d.id)
		return cw_store__nomem(tx);
	*out = d;
	return CW_OK;
}

static int unlist(struct cw_tx *tx, const struct cw_delivery *d)
{
	struct queue_key buf;
	MDB_val key = queue_key(&buf, d, d->id);
	int ret = cw_store__del(tx, CW_DB_QUEUE, key);

	tx->n[CW_N_OUTBOX + d->state]--;
	return ret == CW_ENOTFOUND ? cw_store__corrupt(tx, CW_DB_QUEUE, key, "it is missing") : ret;
}

/* id: the caller's; old: as it stands there, or NULL. */
static int store(struct cw_tx *tx, const char *id, const struct cw_delivery *old,
		 const struct cw_delivery *d)
{
	struct queue_key key;
	int ret = old ? unlist(tx, old) : CW_OK;

	if (ret < 0)
		return ret;
	tx->n[CW_N_OUTBOX + d->state]++;
	cw_pack_begin(&tx->buf);
	cw_pack_fields(&tx->buf, cw_delivery_fields, cw_delivery_nfields, d);
	ret = cw_store__put_buf(tx, CW_DB_OUTBOX, cw_str_val(id));
	if (ret == CW_OK)
		ret = cw_store__put(tx, CW_DB_QUEUE, queue_key(&key, d, id), cw_val("", 0));
	return ret;
}

int cw_store__put_delivery(struct cw_tx *tx, const struct cw_delivery *d)
{
	char id[ID_MAX + 1];
	struct cw_delivery there;
	size_t len = strlen(d->channel);

	if (len == 0 || len > CW_STORE_CHANNEL_MAX || strchr(d->channel, ':'))
		return cw_fail(tx->err, CW_EINVAL, "'%.80s' is no name of a channel", d->channel);
	if (d->event[0] == '\0' || strlen(d->event) > 39 || strchr(d->event, ':'))
		return cw_fail(tx->err, CW_EINVAL, "'%.40s' is no id of an event", d->event);
	snprintf(id, sizeof(id), "%s:%s", d->event, d->channel);
	int ret = load(tx, id, &tx->scratch, &there);
	if (ret == CW_OK)
		return cw_fail(tx->err, CW_EINVAL, "delivery '%s' is already stored", id);
	return ret == CW_ENOTFOUND ? store(tx, id, NULL, d) : ret;
}

int cw_store__delete_deliveries(struct cw_tx *tx, const char *event)
{
	char prefix[48];
	struct cw_list keys = { .arena = &tx->scratch, .size = sizeof(MDB_val) };
	struct cw_list all = { .arena = &tx->scratch, .size = sizeof(struct cw_delivery) };
	size_t len = (size_t)snprintf(prefix, sizeof(prefix), "%.40s:", event);
	int ret = cw_store__scan(tx, CW_DB_OUTBOX, cw_val(prefix, len), len, cw_store__collect_key,
				 &keys);

	for (size_t i = 0; ret == CW_OK && i < keys.n; i++) {
		const MDB_val *key = cw_list_at(&keys, i);
		const char *id = cw_arena_strndup(&tx->scratch, key->mv_data, key->mv_size);
		struct cw_delivery *d = id ? cw_list_add(&all) : NULL;

		ret = d ? load(tx, id, &tx->scratch, d) : cw_store__nomem(tx);
		if (ret == CW_OK && d->state == CW_DELIVERY_PENDING)
			ret = CW_ECANCELED;
	}
	for (size_t i = 0; ret == CW_OK && i < all.n; i++) {
		const struct cw_delivery *d = cw_list_at(&all, i);

		ret = unlist(tx, d);
		if (ret == CW_OK)
			ret = cw_store__del(tx, CW_DB_OUTBOX, cw_str_val(d->id));
	}
	return ret;
}

/* ---- reading ---- */

struct read_outbox {
	enum cw_delivery_state state;
	bool newest_first;
	int64_t until_ms;
	const char *channel, *id;
	struct cw_list list;
};

static int add_delivery(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct read_outbox *r = ctx;
	struct cw_delivery d = { 0 };

	(void)val;
	if (key.mv_size <= 9)
		return cw_store__corrupt(tx, CW_DB_QUEUE, key, "its key is too short");
	if (r->state == CW_DELIVERY_PENDING &&
	    cw_key_time(cw_get_be64((const char *)key.mv_data + 1)) > r->until_ms)
		return CW_STOP;
	const char *id =
		cw_arena_strndup(&tx->scratch, (const char *)key.mv_data + 9, key.mv_size - 9);
	int ret = id ? load(tx, id, r->list.arena, &d) : cw_store__nomem(tx);
	if (ret == CW_ENOTFOUND)
		return cw_store__corrupt(tx, CW_DB_OUTBOX, cw_str_val(id), "it is missing");
	if (ret < 0 || (r->channel && strcmp(r->channel, d.channel) != 0))
		return ret;
	struct cw_delivery *item = cw_list_add(&r->list);
	if (!item)
		return cw_store__nomem(tx);
	*item = d;
	return cw_list_full(&r->list) ? CW_STOP : CW_OK;
}

static int list_state(struct cw_tx *tx, void *ctx)
{
	struct read_outbox *r = ctx;
	uint8_t key[10];

	memset(key, 0xff, sizeof(key)); /* ids are ASCII: this is above all of that state */
	key[0] = (uint8_t)r->state;
	if (!r->newest_first)
		return cw_store__scan(tx, CW_DB_QUEUE, cw_val(key, 1), 1, add_delivery, r);
	return cw_store__scan_back(tx, CW_DB_QUEUE, cw_val(key, sizeof(key)), 1, add_delivery, r);
}

static int run(struct cw_store *s, struct read_outbox *r, size_t limit, struct cw_arena *arena,
	       struct cw_delivery **out, size_t *out_n, struct cw_error *err)
{
	r->list = (struct cw_list){ .arena = arena,
				    .size = sizeof(struct cw_delivery),
				    .limit = limit };
	int ret = cw_store__read(s, list_state, r, err);

	if (ret < 0)
		return ret;
	*out = r->list.items;
	*out_n = r->list.n;
	return CW_OK;
}

int cw_store_deliveries_due(struct cw_store *s, int64_t now_ms, size_t limit,
			    struct cw_arena *arena, struct cw_delivery **out, size_t *out_n,
			    struct cw_error *err)
{
	struct read_outbox r = { .state = CW_DELIVERY_PENDING, .until_ms = now_ms };

	return run(s, &r, limit, arena, out, out_n, err);
}

int cw_store_deliveries(struct cw_store *s, enum cw_delivery_state state, const char *channel,
			size_t limit, struct cw_arena *arena, struct cw_delivery **out,
			size_t *out_n, struct cw_error *err)
{
	struct read_outbox r = { .state = state,
				 .newest_first = state != CW_DELIVERY_PENDING,
				 .until_ms = INT64_MAX,
				 .channel = channel };

	return run(s, &r, limit, arena, out, out_n, err);
}

int cw_store_next_due(struct cw_store *s, int64_t *out_ms, struct cw_error *err)
{
	struct cw_arena arena = { 0 };
	struct cw_delivery *d = NULL;
	size_t n = 0;
	int ret = cw_store_deliveries_due(s, INT64_MAX, 1, &arena, &d, &n, err);

	if (ret == CW_OK && n == 0)
		ret = cw_fail(err, CW_ENOTFOUND, "store: no delivery is pending");
	if (ret == CW_OK)
		*out_ms = d->next_ms;
	cw_arena_release(&arena);
	return ret;
}

static int read_one(struct cw_tx *tx, void *ctx)
{
	struct read_outbox *r = ctx;
	struct cw_delivery *d = cw_list_add(&r->list);
	int ret = d ? load(tx, r->id, r->list.arena, d) : cw_store__nomem(tx);

	if (ret == CW_ENOTFOUND)
		return cw_fail(tx->err, ret, "store: there is no delivery '%.120s'", r->id);
	return ret;
}

int cw_store_delivery(struct cw_store *s, const char *id, struct cw_arena *arena,
		      struct cw_delivery **out, struct cw_error *err)
{
	struct read_outbox r = { .id = id,
				 .list = { .arena = arena, .size = sizeof(struct cw_delivery) } };
	int ret = cw_store__read(s, read_one, &r, err);

	if (ret == CW_OK)
		*out = r.list.items;
	return ret;
}

/* ---- changing ---- */

struct update {
	const struct cw_delivery *d;
	size_t n;
	bool skip_missing;
};

static int write_update(struct cw_tx *tx, void *ctx)
{
	const struct update *up = ctx;

	for (size_t i = 0; i < up->n; i++) {
		const struct cw_delivery *d = &up->d[i];
		struct cw_delivery old = { 0 }, new;
		int ret = load(tx, d->id, &tx->scratch, &old);

		if (ret == CW_ENOTFOUND && up->skip_missing)
			continue;
		if (ret == CW_ENOTFOUND)
			return cw_fail(tx->err, ret, "store: there is no delivery '%.120s'", d->id);
		if (ret < 0)
			return ret;
		new = *d;
		new.event = old.event;
		new.channel = old.channel;
		new.created_ms = old.created_ms;
		ret = store(tx, d->id, &old, &new);
		if (ret < 0)
			return ret;
	}
	return CW_OK;
}

int cw_store_update_delivery(struct cw_store *s, const struct cw_delivery *d, struct cw_error *err)
{
	struct update up = { .d = d, .n = 1 };

	return cw_store__write(s, write_update, &up, err);
}

int cw_store_update_deliveries(struct cw_store *s, const struct cw_delivery *d, size_t n,
			       struct cw_error *err)
{
	struct update up = { .d = d, .n = n, .skip_missing = true };

	return n > 0 ? cw_store__write(s, write_update, &up, err) : CW_OK;
}

/** A new state for one delivery, or for all of some states and a channel. */
struct turn {
	const char *id, *channel;
	unsigned from; /**< bits of states */
	enum cw_delivery_state to;
	int64_t now_ms;
	size_t n;
};

static int turn_one(struct cw_tx *tx, const struct turn *t, const struct cw_delivery *old)
{
	struct cw_delivery new = *old;

	new.state = t->to;
	if (t->to == CW_DELIVERY_PENDING) {
		new.attempts = 0;
		new.next_ms = t->now_ms;
	} else {
		new.last_ms = t->now_ms;
	}
	return store(tx, old->id, old, &new);
}

static int write_turn(struct cw_tx *tx, void *ctx)
{
	struct turn *t = ctx;
	struct read_outbox r = { .id = t->id,
				 .channel = t->channel,
				 .until_ms = INT64_MAX,
				 .list = { .arena = &tx->scratch,
					   .size = sizeof(struct cw_delivery) } };
	int ret = t->id ? read_one(tx, &r) : CW_OK;

	for (int i = 0; !t->id && ret == CW_OK && i < CW_DELIVERY_STATES; i++) {
		r.state = (enum cw_delivery_state)i;
		if (t->from & 1u << i)
			ret = list_state(tx, &r);
	}
	for (size_t i = 0; ret == CW_OK && i < r.list.n; i++)
		ret = turn_one(tx, t, cw_list_at(&r.list, i));
	t->n = r.list.n;
	return ret;
}

static int turn(struct cw_store *s, struct turn *t, size_t *out_n, struct cw_error *err)
{
	int ret = cw_store__write(s, write_turn, t, err);

	if (ret == CW_OK && out_n)
		*out_n = t->n;
	return ret;
}

int cw_store_retry(struct cw_store *s, const char *id, const char *channel, int64_t now_ms,
		   size_t *out_n, struct cw_error *err)
{
	struct turn t = { .id = id,
			  .channel = channel,
			  .from = 1u << CW_DELIVERY_DEAD | 1u << CW_DELIVERY_DISABLED,
			  .to = CW_DELIVERY_PENDING,
			  .now_ms = now_ms };

	return turn(s, &t, out_n, err);
}

int cw_store_disable_channel(struct cw_store *s, const char *channel, int64_t now_ms, size_t *out_n,
			     struct cw_error *err)
{
	struct turn t = { .channel = channel,
			  .from = 1u << CW_DELIVERY_PENDING,
			  .to = CW_DELIVERY_DISABLED,
			  .now_ms = now_ms };

	return turn(s, &t, out_n, err);
}
