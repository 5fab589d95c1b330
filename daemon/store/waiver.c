#include "store/records.h"

#define FIELD(member, kind) CW_FIELD(cw_waiver, member, kind)

const struct cw_field cw_waiver_fields[] = {
	CW_FIELD_UPTO(cw_waiver, id, ID, CW_ID_SIZE),
	FIELD(fingerprint, FIXED64),
	FIELD(reason, STR),
	FIELD(approver, STR),
	FIELD(ticket, STR),
	FIELD(expires, STR),
	FIELD(created_ms, I64),
};
const size_t cw_waiver_nfields = sizeof(cw_waiver_fields) / sizeof(*cw_waiver_fields);

int cw_store__unpack_waiver(struct cw_unpack *u, struct cw_waiver *w)
{
	cw_unpack_fields(u, cw_waiver_fields, cw_waiver_nfields, w);
	return cw_unpack_end(u);
}

static int check_id(struct cw_tx *tx, const char *id)
{
	size_t len = strnlen(id, CW_ID_SIZE);

	if (len == 0 || len == CW_ID_SIZE)
		return cw_fail(tx->err, CW_EINVAL, "'%.12s' is no id of a finding", id);
	return CW_OK;
}

int cw_store__put_waiver(struct cw_tx *tx, const struct cw_waiver *w)
{
	int ret = check_id(tx, w->id);

	if (ret < 0)
		return ret;
	cw_pack_begin(&tx->buf);
	cw_pack_fields(&tx->buf, cw_waiver_fields, cw_waiver_nfields, w);
	return cw_store__put_buf(tx, CW_DB_WAIVER, cw_str_val(w->id));
}

static int write_put(struct cw_tx *tx, void *ctx)
{
	return cw_store__put_waiver(tx, *(const struct cw_waiver **)ctx);
}

int cw_store_put_waiver(struct cw_store *s, const struct cw_waiver *w, struct cw_error *err)
{
	return cw_store__write(s, write_put, &w, err);
}

struct waivers {
	const char *id;
	struct cw_list list;
};

static int missing(struct cw_tx *tx, const char *id)
{
	return cw_fail(tx->err, CW_ENOTFOUND, "store: there is no waiver of '%.12s'", id);
}

static int write_delete(struct cw_tx *tx, void *ctx)
{
	const struct waivers *w = ctx;
	int ret = check_id(tx, w->id);

	if (ret == CW_OK)
		ret = cw_store__del(tx, CW_DB_WAIVER, cw_str_val(w->id));
	return ret == CW_ENOTFOUND ? missing(tx, w->id) : ret;
}

int cw_store_delete_waiver(struct cw_store *s, const char *id, struct cw_error *err)
{
	struct waivers w = { .id = id };

	return cw_store__write(s, write_delete, &w, err);
}

static int add_waiver(struct cw_tx *tx, MDB_val key, MDB_val val, void *ctx)
{
	struct cw_list *list = ctx;
	struct cw_unpack u;
	struct cw_waiver *w = cw_list_add(list);

	if (!w)
		return cw_store__nomem(tx);
	cw_unpack_begin(&u, val.mv_data, val.mv_size, list->arena);
	cw_store__unpack_waiver(&u, w);
	return cw_store__unpacked(tx, &u, CW_DB_WAIVER, key);
}

static int read_waivers(struct cw_tx *tx, void *ctx)
{
	struct waivers *w = ctx;
	MDB_val val;

	if (!w->id)
		return cw_store__scan(tx, CW_DB_WAIVER, cw_val("", 0), 0, add_waiver, &w->list);
	int ret = check_id(tx, w->id);
	if (ret == CW_OK)
		ret = cw_store__get(tx, CW_DB_WAIVER, cw_str_val(w->id), &val);
	if (ret == CW_OK)
		ret = add_waiver(tx, cw_str_val(w->id), val, &w->list);
	return ret == CW_ENOTFOUND ? missing(tx, w->id) : ret;
}

int cw_store_waiver(struct cw_store *s, const char *id, struct cw_arena *arena,
		    struct cw_waiver **out, struct cw_error *err)
{
	struct waivers w = { .id = id,
			     .list = { .arena = arena, .size = sizeof(struct cw_waiver) } };
	int ret = cw_store__read(s, read_waivers, &w, err);

	if (ret == CW_OK)
		*out = w.list.items;
	return ret;
}

int cw_store_waivers(struct cw_store *s, struct cw_arena *arena, struct cw_waiver **out,
		     size_t *out_n, struct cw_error *err)
{
	struct waivers w = { .list = { .arena = arena, .size = sizeof(struct cw_waiver) } };
	int ret = cw_store__read(s, read_waivers, &w, err);

	if (ret < 0)
		return ret;
	*out = w.list.items;
	*out_n = w.list.n;
	return CW_OK;
}
