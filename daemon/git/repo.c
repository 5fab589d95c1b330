#include "git/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static size_t or_default(size_t value, size_t def)
{
	return value > 0 ? value : def;
}

/* Half a window must be whole pages. */
static size_t window_size(size_t want)
{
	return (want + MIB - 1) / MIB * MIB;
}

static int set_options(const struct cw_git_opts *o)
{
	size_t cache = or_default(o->cache_max, 32 * MIB);
	int rc = 0;

	rc |= git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE,
			       window_size(or_default(o->map_window, 32 * MIB)));
	rc |= git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT,
			       or_default(o->map_limit, 512 * MIB));
	rc |= git_libgit2_opts(GIT_OPT_SET_MWINDOW_FILE_LIMIT, or_default(o->map_files, 256));
	rc |= git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE,
			       (ssize_t)(cache > SSIZE_MAX ? SSIZE_MAX : cache));
	rc |= git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, o->verify_hashes ? 1 : 0);
	/* The library can only trust all owners or none; each open decides for itself here. */
	rc |= git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	if (!o->user_config) {
		rc |= git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL, "");
		rc |= git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_XDG, "");
	}
	return rc;
}

int cw_git_init(const struct cw_git_opts *opts, struct cw_error *err)
{
	static const struct cw_git_opts defaults;
	int count = git_libgit2_init();

	if (count < 0)
		return cw_fail(err, CW_EIO, "libgit2 does not start: %s", git_message());
	if (count == 1 && set_options(opts ? opts : &defaults) != 0) {
		cw_fail(err, CW_EIO, "libgit2 refuses a setting: %s", git_message());
		git_libgit2_shutdown();
		return CW_EIO;
	}
	return CW_OK;
}

void cw_git_shutdown(void)
{
	git_libgit2_shutdown();
}

void cw_git_close(struct cw_git_repo *repo)
{
	if (!repo)
		return;
	git_odb_free(repo->odb);
	git_repository_free(repo->repo);
	free(repo->index_path);
	free(repo->work_dir);
	free(repo->path);
	free(repo);
}

bool cw_git_is_bare(const struct cw_git_repo *repo)
{
	return !repo->work_dir;
}

const char *cw_git_dir(const struct cw_git_repo *repo)
{
	return git_repository_path(repo->repo);
}

const char *cw_git_common_dir(const struct cw_git_repo *repo)
{
	return git_repository_commondir(repo->repo);
}

const char *cw_git_work_dir(const struct cw_git_repo *repo)
{
	return repo->work_dir;
}

int cw_git_hooks_path(struct cw_git_repo *repo, struct cw_buf *out, struct cw_error *err)
{
	git_config *config = NULL;
	git_buf value = { 0 };
	int rc = git_repository_config_snapshot(&config, repo->repo);

	if (rc == 0)
		rc = git_config_get_path(&value, config, "core.hookspath");
	if (rc == 0)
		cw_buf_puts(out, value.ptr);
	git_buf_dispose(&value);
	git_config_free(config);
	if (rc < 0 && rc != GIT_ENOTFOUND)
		return git_failed(repo, rc, err, "cannot read core.hooksPath");
	return cw_buf_ok(out, err);
}

/* path/name, into a buffer of PATH_MAX; false when it does not fit. */
static bool join(char out[PATH_MAX], const char *path, const char *name)
{
	struct cw_buf buf = { 0 };
	bool fits;

	cw_buf_printf(&buf, "%s%s%s", path, *name ? "/" : "", name);
	fits = !buf.failed && buf.len < PATH_MAX;
	if (fits)
		memcpy(out, buf.data, buf.len + 1);
	cw_buf_release(&buf);
	return fits;
}

/* Why nothing could be opened: libgit2 calls everything it cannot look at "not found". */
static int explain_failure(const char *path, int rc, struct cw_error *err)
{
	static const char *const parts[] = { "",     ".git",         ".git/HEAD", ".git/config",
					     "HEAD", ".git/objects", ".git/refs", "config",
					     "refs", "objects" };
	char file[PATH_MAX];
	struct stat st;
	const char *said = git_message();

	if (stat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return cw_fail(err, CW_ENOTFOUND, "repository '%s': no such directory", path);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (join(file, path, parts[i]) && faccessat(AT_FDCWD, file, R_OK, AT_EACCESS) < 0 &&
		    errno == EACCES)
			return cw_fail(err, CW_EDENIED,
				       "repository '%s': '%s' cannot be read: give user id %u "
				       "permission to read it",
				       path, file, (unsigned)geteuid());
	}
	if (rc != GIT_ENOTFOUND)
		return cw_fail(err, git_code(rc), "repository '%s': %s", path, said);
	if ((join(file, path, ".git") && access(file, F_OK) == 0) ||
	    (join(file, path, "objects") && access(file, F_OK) == 0))
		return cw_fail(err, CW_ECORRUPT,
			       "repository '%s': it is damaged: HEAD, objects or refs is missing, "
			       "or its .git file leads nowhere",
			       path);
	return cw_fail(err, CW_ENOTFOUND, "'%s' is not a git repository", path);
}

/* Of everything whose content decides what will be read, before its configuration is. */
static int check_owners(git_repository *probe, const char *path, unsigned flags,
			struct cw_error *err)
{
	char real[PATH_MAX], dotgit[PATH_MAX], parent[PATH_MAX];
	const char *dirs[5] = { git_repository_path(probe), git_repository_commondir(probe) };
	const char *names[3] = { git_repository_path(probe) };
	size_t ndirs = 2, nnames = 1;
	size_t len = strlen(dirs[0]);

	if (!realpath(path, real))
		return cw_fail(err, CW_EIO, "repository '%s': %s", path, strerror(errno));
	if (!(flags & CW_GIT_SEARCH)) {
		dirs[ndirs++] = real;
		names[nnames++] = real;
		if (join(dotgit, real, ".git") && access(dotgit, F_OK) == 0)
			dirs[ndirs++] = dotgit;
	}
	if (len >= 6 && len < sizeof(parent) && strcmp(dirs[0] + len - 6, "/.git/") == 0) {
		memcpy(parent, dirs[0], len - 5);
		parent[len - 5] = '\0';
		dirs[ndirs++] = parent;
		names[nnames++] = parent;
	}
	for (size_t i = 0; i < ndirs; i++) {
		int ret = git_check_owner(dirs[i], names, nnames, err);

		if (ret < 0)
			return ret;
	}
	return CW_OK;
}

static int wrap_repository(git_repository *repo, const char *path, struct cw_git_repo **out_repo,
			   struct cw_error *err)
{
	struct cw_git_repo *r = calloc(1, sizeof(*r));
	int rc;

	if (!r || !(r->path = strdup(path))) {
		git_repository_free(repo);
		free(r);
		return cw_fail(err, CW_ENOMEM, "repository '%s': out of memory", path);
	}
	size_t len = strlen(r->path);
	while (len > 1 && r->path[len - 1] == '/')
		r->path[--len] = '\0';
	r->repo = repo;
	rc = git_repository_odb(&r->odb, repo);
	if (rc < 0) {
		int ret = git_failed(r, rc, err, "cannot open its objects");

		cw_git_close(r);
		return ret;
	}
	*out_repo = r;
	return CW_OK;
}

/* The directory of the repository; its configuration is not read yet. */
static int find_git_dir(const char *path, unsigned flags, git_buf *out_dir)
{
	char ceiling[PATH_MAX];
	char *slash;

	if (!(flags & CW_GIT_SEARCH) && realpath(path, ceiling) &&
	    (slash = strrchr(ceiling, '/')) != NULL) {
		slash[slash == ceiling] = '\0';
		return git_repository_discover(out_dir, path, 0, ceiling);
	}
	return git_repository_discover(out_dir, path, 1, NULL);
}

/*
 * Every repository is opened as a bare one: only that leaves the configuration alone until the
 * owner is known, and each ordinary open of format version 1 loses 20 KB a setting in libgit2 1.5.
 */
static int finish_open(git_repository *repo, const char *name, struct cw_git_repo **out_repo,
		       struct cw_error *err)
{
	struct cw_git_repo *r = NULL;
	int ret = wrap_repository(repo, name, &r, err);

	if (ret == CW_OK)
		ret = git_check_layout(r, err);
	if (ret == CW_OK) {
		*out_repo = r;
		r = NULL;
	}
	cw_git_close(r);
	return ret;
}

int cw_git_open(const char *path, unsigned flags, struct cw_git_repo **out_repo,
		struct cw_error *err)
{
	git_repository *repo = NULL;
	git_buf dir = { 0 };
	int rc, ret;

	git_error_clear();
	rc = find_git_dir(path, flags, &dir);
	if (rc == 0)
		rc = git_repository_open_bare(&repo, dir.ptr);
	git_buf_dispose(&dir);
	if (rc < 0)
		return explain_failure(path, rc, err);
	ret = flags & CW_GIT_TRUST_OWNER ? CW_OK : check_owners(repo, path, flags, err);
	if (ret < 0) {
		git_repository_free(repo);
		return ret;
	}
	return finish_open(repo, path, out_repo, err);
}

/* Objects of a push lie in a directory beside the repository's own. */
static int add_objects(struct cw_git_repo *r, const char *dir, bool must_exist,
		       struct cw_error *err)
{
	char real[PATH_MAX], own[PATH_MAX], own_real[PATH_MAX];
	char quoted[GIT_QUOTE_SIZE];
	int rc;

	if (!realpath(dir, real)) {
		/* git too goes on without an alternate; what is then missing gets reported. */
		if (!must_exist)
			return CW_OK;
		return cw_fail(err, CW_ENOTFOUND, "repository '%s': objects in '%s': %s", r->path,
			       git_quote(dir, strlen(dir), quoted), strerror(errno));
	}
	if (join(own, cw_git_common_dir(r), "objects") && realpath(own, own_real) &&
	    strcmp(own_real, real) == 0)
		return CW_OK;
	rc = git_odb_add_disk_alternate(r->odb, real);
	if (rc < 0)
		return git_failed(r, rc, err, "cannot add the objects in '%s'",
				  git_quote(dir, strlen(dir), quoted));
	return CW_OK;
}

/* One character of a C string in quotes, as git writes it; returns where the next one starts. */
static const char *unquote_char(const char *at, struct cw_buf *out)
{
	static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
	const char *hit;
	unsigned value = 0;

	if (*at != '\\' || at[1] == '\0') {
		cw_buf_putc(out, *at);
		return at + 1;
	}
	at++;
	hit = strchr(from, *at);
	if (hit || *at < '0' || *at > '3') {
		cw_buf_putc(out, hit ? to[hit - from] : *at);
		return at + 1;
	}
	for (int i = 0; i < 3 && *at >= '0' && *at <= '7'; i++)
		value = value * 8 + (unsigned)(*at++ - '0');
	cw_buf_putc(out, (char)value);
	return at;
}

/* A list divided by ':', whose elements are quoted when they start with '"'. */
static int add_alternates(struct cw_git_repo *r, const char *list, struct cw_error *err)
{
	struct cw_buf dir = { 0 };
	int ret = CW_OK;

	while (*list && ret == CW_OK) {
		cw_buf_clear(&dir);
		if (*list == '"') {
			for (list++; *list && *list != '"';)
				list = unquote_char(list, &dir);
			list += *list == '"';
		} else {
			size_t len = strcspn(list, ":");

			cw_buf_put(&dir, list, len);
			list += len;
		}
		ret = cw_buf_ok(&dir, err);
		if (ret == CW_OK && dir.len > 0)
			ret = add_objects(r, dir.data, false, err);
		list += strcspn(list, ":");
		list += *list == ':';
	}
	cw_buf_release(&dir);
	return ret;
}

static int add_environment(struct cw_git_repo *r, struct cw_error *err)
{
	static const char *const names[] = { "GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH" };
	const char *seen = NULL, *value;
	int ret = CW_OK;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && ret == CW_OK; i++) {
		value = getenv(names[i]);
		if (!value || !*value || (seen && strcmp(seen, value) == 0))
			continue;
		ret = add_objects(r, value, true, err);
		seen = value;
	}
	value = getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES");
	if (ret == CW_OK && value)
		ret = add_alternates(r, value, err);
	value = getenv("GIT_INDEX_FILE");
	if (ret == CW_OK && value && *value && !(r->index_path = strdup(value)))
		ret = git_no_memory(r, err);
	return ret;
}

int cw_git_open_quarantine(struct cw_git_repo **out_repo, struct cw_error *err)
{
	const char *dir = getenv("GIT_DIR"), *common = getenv("GIT_COMMON_DIR");
	struct cw_git_repo *r = NULL;
	git_repository *repo = NULL;
	git_buf found = { 0 };
	int ret, rc = 0;

	git_error_clear();
	if (!dir || !*dir) {
		dir = ".";
		rc = find_git_dir(dir, CW_GIT_SEARCH, &found);
	}
	if (rc == 0)
		rc = git_repository_open_bare(&repo, found.ptr ? found.ptr : dir);
	git_buf_dispose(&found);
	if (rc == GIT_ENOTFOUND && common && *common)
		rc = git_repository_open_bare(&repo, common);
	if (rc < 0)
		return explain_failure(dir, rc, err);
	ret = finish_open(repo, git_repository_path(repo), &r, err);
	if (ret == CW_OK)
		ret = add_environment(r, err);
	if (ret == CW_OK) {
		*out_repo = r;
		r = NULL;
	}
	cw_git_close(r);
	return ret;
}
