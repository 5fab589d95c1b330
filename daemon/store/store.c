#include "clausewatch/store.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "store/records.h"

#define GIB ((uint64_t)1 << 30)
#define MAP_START (sizeof(void *) < 8 ? GIB / 4 : GIB)
#define MAP_MAX (sizeof(void *) < 8 ? GIB : GIB << 10)

#define LOCK_FILE "clausewatch.lock"

const uint8_t cw_no_hash[CW_HASH_SIZE];

void cw_store_hash(const void *bytes, size_t len, uint8_t out[CW_HASH_SIZE])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, len));
	memcpy(out, canonical.digest, CW_HASH_SIZE);
}

/* ---- transactions ---- */

static int load_counters(struct cw_tx *tx)
{
	MDB_val val;
	struct cw_unpack u;
	int ret = cw_store__get(tx, CW_DB_META, cw_str_val("counters"), &val);

	if (ret != CW_OK)
		return ret == CW_ENOTFOUND ? CW_OK : ret;
	cw_unpack_begin(&u, val.mv_data, val.mv_size, &tx->scratch);
	for (int i = 0; i < CW_N_COUNT; i++)
		tx->n[i] = tx->n_before[i] = cw_unpack_uint(&u);
	return cw_store__unpacked(tx, &u, CW_DB_META, cw_str_val("counters"));
}

static int save_counters(struct cw_tx *tx)
{
	if (memcmp(tx->n, tx->n_before, sizeof(tx->n)) == 0)
		return CW_OK;
	cw_pack_begin(&tx->buf);
	for (int i = 0; i < CW_N_COUNT; i++)
		cw_pack_uint(&tx->buf, tx->n[i]);
	return cw_store__put_buf(tx, CW_DB_META, cw_str_val("counters"));
}

static int begin(struct cw_tx *tx, unsigned flags)
{
	int rc = mdb_txn_begin(tx->s->env, NULL, flags, &tx->txn);

	if (rc == MDB_READERS_FULL) { /* slots of dead processes */
		int dead;

		rc = mdb_reader_check(tx->s->env, &dead);
		if (rc == 0)
			rc = mdb_txn_begin(tx->s->env, NULL, flags, &tx->txn);
	}
	return rc ? cw_store__fail(tx, rc, "begin") : CW_OK;
}

static void end_tx(struct cw_tx *tx)
{
	cw_arena_release(&tx->scratch);
	cw_buf_release(&tx->buf);
	free(tx->ops);
}

int cw_store__read(struct cw_store *s, cw_tx_fn *fn, void *ctx, struct cw_error *err)
{
	struct cw_tx tx = { .s = s, .err = err };

	pthread_rwlock_rdlock(&s->resize);
	int ret = begin(&tx, MDB_RDONLY);
	if (ret == CW_OK) {
		ret = fn(&tx, ctx);
		mdb_txn_abort(tx.txn);
	}
	pthread_rwlock_unlock(&s->resize);
	end_tx(&tx);
	return ret;
}

/* One attempt; *out_full says that more room would help. */
static int try_write(struct cw_store *s, cw_tx_fn *fn, void *ctx, bool *out_full,
		     struct cw_error *err)
{
	struct cw_tx tx = { .s = s, .err = err };

	pthread_rwlock_rdlock(&s->resize);
	int ret = begin(&tx, 0);
	if (ret < 0)
		goto out;
	ret = load_counters(&tx);
	if (ret == CW_OK)
		ret = fn(&tx, ctx);
	if (ret >= 0) {
		int flushed = cw_store__flush_ops(&tx);

		if (flushed == CW_OK)
			flushed = save_counters(&tx);
		ret = flushed < 0 ? flushed : ret;
	}
	if (ret < 0) {
		mdb_txn_abort(tx.txn);
		goto out;
	}
	int rc = mdb_txn_commit(tx.txn); /* frees it even when it fails */
	if (rc)
		ret = cw_store__fail(&tx, rc, "commit");
out:
	pthread_rwlock_unlock(&s->resize);
	*out_full = tx.map_full;
	end_tx(&tx);
	return ret;
}

static bool grow_map(struct cw_store *s)
{
	bool grown = false;

	pthread_rwlock_wrlock(&s->resize);
	if (s->map_size < s->map_max) {
		size_t size = s->map_size <= s->map_max / 2 ? s->map_size * 2 : s->map_max;

		grown = mdb_env_set_mapsize(s->env, size) == 0;
		if (grown)
			s->map_size = size;
	}
	pthread_rwlock_unlock(&s->resize);
	return grown;
}

int cw_store__write(struct cw_store *s, cw_tx_fn *fn, void *ctx, struct cw_error *err)
{
	struct cw_error why = { 0 };
	bool full;
	int ret;

	pthread_mutex_lock(&s->write);
	do {
		full = false;
		ret = try_write(s, fn, ctx, &full, &why);
	} while (ret < 0 && full && grow_map(s));
	pthread_mutex_unlock(&s->write);
	if (ret < 0 && err)
		*err = why;
	return ret;
}

/* ---- meta ---- */

static int get_number(struct cw_tx *tx, const char *name, uint64_t *out)
{
	MDB_val val;
	int ret = cw_store__get_sized(tx, CW_DB_META, cw_str_val(name), 8, &val);

	if (ret == CW_OK)
		*out = cw_get_be64(val.mv_data);
	return ret;
}

static int put_number(struct cw_tx *tx, const char *name, uint64_t n)
{
	uint8_t bytes[8];

	cw_be64(bytes, n);
	return cw_store__put(tx, CW_DB_META, cw_str_val(name), cw_val(bytes, sizeof(bytes)));
}

static int get_text(struct cw_tx *tx, const char *name, char *out, size_t size)
{
	MDB_val val;
	int ret = cw_store__get(tx, CW_DB_META, cw_str_val(name), &val);

	out[0] = '\0';
	if (ret == CW_ENOTFOUND)
		return CW_OK;
	if (ret == CW_OK && val.mv_size >= size)
		return cw_store__corrupt(tx, CW_DB_META, cw_str_val(name), "it is too long");
	if (ret == CW_OK) {
		memcpy(out, val.mv_data, val.mv_size);
		out[val.mv_size] = '\0';
	}
	return ret;
}

static int read_meta(struct cw_tx *tx, void *ctx)
{
	struct cw_store_meta *meta = ctx;
	uint64_t created = 0;
	int ret = get_number(tx, "created", &created);

	if (ret == CW_ENOTFOUND)
		return cw_store__corrupt(tx, CW_DB_META, cw_str_val("created"), "it is missing");
	meta->schema = CW_STORE_SCHEMA;
	meta->created_ms = cw_key_time(created);
	if (ret == CW_OK)
		ret = get_text(tx, "install", meta->install_id, sizeof(meta->install_id));
	if (ret == CW_OK)
		ret = get_text(tx, "rules", meta->rules_digest, sizeof(meta->rules_digest));
	return ret;
}

int cw_store_meta(struct cw_store *s, struct cw_store_meta *out, struct cw_error *err)
{
	struct cw_store_meta meta;
	int ret = cw_store__read(s, read_meta, &meta, err);

	if (ret == CW_OK)
		*out = meta;
	return ret;
}

static int write_rules(struct cw_tx *tx, void *ctx)
{
	return cw_store__put(tx, CW_DB_META, cw_str_val("rules"), cw_str_val(ctx));
}

int cw_store_set_rules_digest(struct cw_store *s, const char *digest, struct cw_error *err)
{
	char copy[sizeof(((struct cw_store_meta *)0)->rules_digest)];
	size_t len = strlen(digest);

	if (len >= sizeof(copy))
		return cw_fail(err, CW_EINVAL, "rule set digest '%s' is too long", digest);
	memcpy(copy, digest, len + 1);
	return cw_store__write(s, write_rules, copy, err);
}

struct next {
	char name[72];
	uint64_t n;
};

static int write_next(struct cw_tx *tx, void *ctx)
{
	struct next *next = ctx;
	int ret = get_number(tx, next->name, &next->n);

	if (ret == CW_ENOTFOUND)
		next->n = 0;
	else if (ret < 0)
		return ret;
	return put_number(tx, next->name, ++next->n);
}

int cw_store_next(struct cw_store *s, const char *sequence, uint64_t *out, struct cw_error *err)
{
	struct next next = { 0 };

	if (sequence[0] == '\0' || strlen(sequence) >= sizeof(next.name) - 4)
		return cw_fail(err, CW_EINVAL, "name of sequence '%s' is empty or too long",
			       sequence);
	snprintf(next.name, sizeof(next.name), "seq:%s", sequence);
	int ret = cw_store__write(s, write_next, &next, err);
	if (ret == CW_OK)
		*out = next.n;
	return ret;
}

/* ---- opening ---- */

static int check_place(struct cw_store *s, struct cw_error *err)
{
	static const long remote[] = { 0x6969, 0x517b, (long)0xff534d42, (long)0xfe534d42 };
	struct stat st;
	struct statfs fs;

	if (stat(s->dir, &st) != 0 || statfs(s->dir, &fs) != 0)
		return cw_fail(err, errno == ENOENT ? CW_ENOTFOUND : CW_EIO, "store '%s': %s",
			       s->dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return cw_fail(err, CW_EINVAL, "store '%s': not a directory", s->dir);
	for (size_t i = 0; i < sizeof(remote) / sizeof(*remote); i++) {
		if ((uint32_t)fs.f_type == (uint32_t)remote[i])
			return cw_fail(err, CW_EUNSUPPORTED,
				       "store '%s': is on a network file system, where a store gets"
				       " corrupted; move it to a local disk",
				       s->dir);
	}
	return CW_OK;
}

/* LMDB itself would let two daemons in; their views of files and outbox would fight. */
static int lock_dir(struct cw_store *s, struct cw_error *err)
{
	char path[4096], pid[24] = "";

	snprintf(path, sizeof(path), "%s/" LOCK_FILE, s->dir);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return cw_fail(err, errno == EACCES || errno == EROFS ? CW_EDENIED : CW_EIO,
			       "store: '%s': %s", path, strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return cw_fail(err, CW_EIO, "store: '%s': %s", path, strerror(errno));
		ssize_t n = read(s->lock_fd, pid, sizeof(pid) - 1);
		return cw_fail(err, CW_EDENIED,
			       "store '%s': process %.*s has it open, and only one may; stop it or"
			       " give this one another directory",
			       s->dir, n > 0 ? (int)strcspn(pid, "\n") : 1, n > 0 ? pid : "?");
	}
	int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(s->lock_fd, 0) != 0 || pwrite(s->lock_fd, pid, (size_t)len, 0) != len)
		return cw_fail(err, errno == ENOSPC ? CW_EFULL : CW_EIO, "store: '%s': %s", path,
			       strerror(errno));
	return CW_OK;
}

static int open_env(struct cw_store *s, const struct cw_store_options *opts, struct cw_error *err)
{
	struct cw_tx tx = { .s = s, .err = err };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t start = opts && opts->map_start ? opts->map_start : (size_t)MAP_START;
	int dead;

	s->map_max = (opts && opts->map_max ? opts->map_max : (size_t)MAP_MAX) / page * page;
	s->map_size = (start > s->map_max ? s->map_max : start) / page * page;
	int rc = mdb_env_create(&s->env);
	if (rc == 0)
		rc = mdb_env_set_mapsize(s->env, s->map_size);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(s->env, CW_DB_COUNT);
	if (rc == 0)
		rc = mdb_env_open(s->env, s->dir, MDB_NOTLS, 0600);
	if (rc == 0)
		rc = mdb_reader_check(s->env, &dead);
	if (rc)
		return cw_store__fail(&tx, rc, "open");

	MDB_envinfo info; /* what is there may be larger than asked for */
	mdb_env_info(s->env, &info);
	s->map_size = info.me_mapsize;
	return CW_OK;
}

/* Looks only: a store of another schema must not be touched. */
static int check_schema(struct cw_store *s, bool *out_fresh, struct cw_error *err)
{
	struct cw_tx tx = { .s = s, .err = err };
	MDB_dbi main_db;
	MDB_stat st = { 0 };
	uint64_t schema = 0;
	int ret = begin(&tx, MDB_RDONLY);

	if (ret < 0)
		return ret;
	int rc = mdb_dbi_open(tx.txn, NULL, 0, &main_db);
	if (rc == 0)
		rc = mdb_stat(tx.txn, main_db, &st);
	*out_fresh = rc == 0 && st.ms_entries == 0;
	if (rc == 0 && !*out_fresh) {
		rc = mdb_dbi_open(tx.txn, "meta", 0, &s->db[CW_DB_META]);
		if (rc == 0)
			ret = get_number(&tx, "schema", &schema);
	}
	if (rc != 0 && rc != MDB_NOTFOUND && rc != MDB_INCOMPATIBLE)
		ret = cw_store__fail(&tx, rc, "schema");
	else if (rc != 0 || ret == CW_ENOTFOUND)
		ret = cw_fail(err, CW_EUNSUPPORTED,
			      "store '%s': data.mdb is of another program; give the store a"
			      " directory of its own; nothing was changed",
			      s->dir);
	else if (ret == CW_OK && !*out_fresh && schema != CW_STORE_SCHEMA)
		ret = cw_fail(err, CW_EUNSUPPORTED,
			      "store '%s': has schema %llu, this version reads schema %d; nothing"
			      " was changed: run 'clausewatch export' of the version that wrote it,"
			      " then 'clausewatch import' into an empty directory",
			      s->dir, (unsigned long long)schema, CW_STORE_SCHEMA);
	mdb_txn_abort(tx.txn);
	return ret;
}

static int write_fresh(struct cw_tx *tx)
{
	uint8_t random[16];
	char id[33];
	struct timespec now;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return cw_fail(tx->err, CW_EIO, "store '%s': no random numbers", tx->s->dir);
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(id + 2 * i, 3, "%02x", random[i]);
	clock_gettime(CLOCK_REALTIME, &now);
	int ret = put_number(tx, "schema", CW_STORE_SCHEMA);
	if (ret == CW_OK)
		ret = put_number(tx, "created",
				 cw_time_key((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000));
	if (ret == CW_OK)
		ret = cw_store__put(tx, CW_DB_META, cw_str_val("install"), cw_str_val(id));
	return ret;
}

static int open_tables(struct cw_store *s, bool fresh, struct cw_error *err)
{
	struct cw_tx tx = { .s = s, .err = err };
	int ret = begin(&tx, 0);

	if (ret < 0)
		return ret;
	for (int i = 0; ret == CW_OK && i < CW_DB_COUNT; i++) {
		int rc = mdb_dbi_open(tx.txn, cw_store__db_name(i),
				      MDB_CREATE | cw_store__db_flags(i), &s->db[i]);
		if (rc)
			ret = cw_store__fail(&tx, rc, cw_store__db_name(i));
	}
	if (ret == CW_OK && fresh)
		ret = write_fresh(&tx);
	if (ret < 0) {
		mdb_txn_abort(tx.txn);
		return ret;
	}
	int rc = mdb_txn_commit(tx.txn);
	return rc ? cw_store__fail(&tx, rc, "open tables") : CW_OK;
}

int cw_store_open(const char *dir, const struct cw_store_options *opts, struct cw_store **out,
		  struct cw_error *err)
{
	bool fresh = false;
	struct cw_store *s = calloc(1, sizeof(*s));

	if (!s)
		return cw_fail(err, CW_ENOMEM, "store '%s': out of memory", dir);
	s->lock_fd = -1;
	pthread_mutex_init(&s->write, NULL);
	pthread_rwlock_init(&s->resize, NULL);
	s->dir = strdup(dir);
	int ret = s->dir ? check_place(s, err) : cw_fail(err, CW_ENOMEM, "out of memory");
	if (ret == CW_OK)
		ret = lock_dir(s, err);
	if (ret == CW_OK)
		ret = open_env(s, opts, err);
	if (ret == CW_OK)
		ret = check_schema(s, &fresh, err);
	if (ret == CW_OK)
		ret = open_tables(s, fresh, err);
	if (ret < 0) {
		cw_store_close(s);
		return ret;
	}
	*out = s;
	return CW_OK;
}

void cw_store_close(struct cw_store *s)
{
	if (!s)
		return;
	if (s->env)
		mdb_env_close(s->env);
	if (s->lock_fd >= 0)
		close(s->lock_fd); /* the lock goes with it */
	pthread_rwlock_destroy(&s->resize);
	pthread_mutex_destroy(&s->write);
	free(s->dir);
	free(s);
}
