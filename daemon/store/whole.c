#include "store/records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Pages on the free list: LMDB keeps it in table 0, lists of page numbers led by their count. */
static int count_free(struct cw_tx *tx, uint64_t *out)
{
	MDB_cursor *cur;
	MDB_val key, val;
	int rc = mdb_cursor_open(tx->txn, 0, &cur);

	*out = 0;
	if (rc)
		return cw_store__fail(tx, rc, "free list");
	while ((rc = mdb_cursor_get(cur, &key, &val, MDB_NEXT)) == 0) {
		size_t pages = 0;

		if (val.mv_size >= sizeof(pages))
			memcpy(&pages, val.mv_data, sizeof(pages));
		*out += pages;
	}
	mdb_cursor_close(cur);
	return rc == MDB_NOTFOUND ? CW_OK : cw_store__fail(tx, rc, "free list");
}

static int read_stats(struct cw_tx *tx, void *ctx)
{
	struct cw_store_stats *st = ctx;
	MDB_val val;
	struct cw_unpack u;
	uint64_t n[CW_N_COUNT] = { 0 }, free_pages = 0;
	MDB_envinfo info;
	MDB_stat page;
	int ret = cw_store__get(tx, CW_DB_META, cw_str_val("counters"), &val);

	if (ret == CW_OK) {
		cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
		for (int i = 0; i < CW_N_COUNT; i++)
			n[i] = cw_unpack_uint(&u);
		ret = cw_store__unpacked(tx, &u, CW_DB_META, cw_str_val("counters"));
	}
	if (ret == CW_OK || ret == CW_ENOTFOUND)
		ret = count_free(tx, &free_pages);
	if (ret < 0)
		return ret;
	mdb_env_info(tx->s->env, &info);
	mdb_env_stat(tx->s->env, &page);
	*st = (struct cw_store_stats){
		.documents = n[CW_N_PRESENT],
		.removed = n[CW_N_REMOVED],
		.unchecked = n[CW_N_UNCHECKED],
		.clauses = cw_store__entries(tx, CW_DB_CLAUSE),
		.findings = cw_store__entries(tx, CW_DB_FINDING),
		.events = cw_store__entries(tx, CW_DB_EVENT),
		.waivers = cw_store__entries(tx, CW_DB_WAIVER),
		.texts = cw_store__entries(tx, CW_DB_TEXT),
		.map_used = (info.me_last_pgno + 1 - free_pages) * page.ms_psize,
		.map_size = tx->s->map_size,
		.map_max = tx->s->map_max,
		.oldest_reader_lag = info.me_last_txnid,
	};
	memcpy(st->by_severity, n + CW_N_SEVERITY, sizeof(st->by_severity));
	memcpy(st->outbox, n + CW_N_OUTBOX, sizeof(st->outbox));
	return CW_OK;
}

/* One line a reader: "pid thread txnid", "-" while it reads nothing. */
static int see_reader(const char *line, void *ctx)
{
	size_t *oldest = ctx, txnid;

	if (sscanf(line, "%*d %*x %zu", &txnid) == 1 && txnid < *oldest)
		*oldest = txnid;
	return 0;
}

int cw_store_stats(struct cw_store *s, struct cw_store_stats *out, struct cw_error *err)
{
	struct cw_store_stats st;
	int ret = cw_store__read(s, read_stats, &st, err);

	if (ret < 0)
		return ret;
	size_t last = (size_t)st.oldest_reader_lag, oldest = last;
	mdb_reader_list(s->env, see_reader, &oldest);
	st.oldest_reader_lag = last - oldest;
	*out = st;
	return CW_OK;
}

int cw_store_check_readers(struct cw_store *s, struct cw_error *err)
{
	struct cw_tx tx = { .s = s, .err = err };
	int dead;
	int rc = mdb_reader_check(s->env, &dead);

	return rc ? cw_store__fail(&tx, rc, "check readers") : CW_OK;
}

/* LMDB does not sync a copy; a backup that a power cut empties is none. */
static int sync_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) != 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

int cw_store_backup(struct cw_store *s, const char *dir, struct cw_error *err)
{
	struct cw_tx tx = { .s = s, .err = err };
	struct cw_buf path = { 0 };

	cw_buf_printf(&path, "%s/data.mdb", dir);
	if (cw_buf_ok(&path, err) < 0)
		return CW_ENOMEM;
	bool there = access(path.data, F_OK) == 0;
	pthread_rwlock_rdlock(&s->resize);
	int rc = there ? EEXIST : mdb_env_copy2(s->env, dir, MDB_CP_COMPACT);
	pthread_rwlock_unlock(&s->resize);
	if (rc == 0)
		rc = sync_file(path.data);
	if (rc == 0)
		rc = sync_file(dir);
	if (rc != 0 && !there)
		unlink(path.data);
	cw_buf_release(&path);
	if (rc == EEXIST)
		return cw_fail(err, CW_EINVAL,
			       "backup: '%s' holds a store already; give an empty directory", dir);
	if (rc == 0)
		return CW_OK;
	cw_store__fail(&tx, rc, "copy");
	return cw_wrap(err, err ? (int)err->code : CW_EIO, "backup to '%s'", dir);
}
