#include "clausewatch/rules_load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/buf.h"
#include "clausewatch/file.h"

#ifndef CW_DATADIR
#define CW_DATADIR "/usr/local/share/clausewatch"
#endif
#ifndef CW_SYSCONFDIR
#define CW_SYSCONFDIR "/etc"
#endif

#define PACK_MAX ((size_t)16 << 20)
#define WEIGHTS ".weights"
#define COMPILED "rules.compiled"
#define COMPILED_MAX (256 << 20)
/* build/clausewatch and build/asan/tests/x are both run in place. */
#define LEVELS_UP 3

void cw_rules_dirs_release(struct cw_rules_dirs *dirs)
{
	if (!dirs)
		return;
	for (size_t i = 0; i < dirs->count; i++)
		free(dirs->at[i].path);
	free(dirs->at);
	*dirs = (struct cw_rules_dirs){ 0 };
}

static int add_dir(struct cw_rules_dirs *dirs, const char *path, bool optional,
		   struct cw_error *err)
{
	struct cw_rules_dir *at = realloc(dirs->at, (dirs->count + 1) * sizeof(*at));
	if (!at)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	dirs->at = at;

	char *copy = strdup(path);
	if (!copy)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	dirs->at[dirs->count++] = (struct cw_rules_dir){ .path = copy, .optional = optional };
	return CW_OK;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Beside the program: run from its build directory, or installed under any prefix. */
static bool find_beside(char *out, size_t size)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		return false;
	exe[n] = '\0';
	for (int up = 0; up <= LEVELS_UP; up++) {
		char *slash = strrchr(exe, '/');
		if (!slash || slash == exe)
			return false;
		*slash = '\0';
		if (up == 0)
			continue;
		(void)snprintf(out, size, "%s/config/rules", exe);
		if (is_dir(out))
			return true;
		(void)snprintf(out, size, "%s/share/clausewatch/rules", exe);
		if (is_dir(out))
			return true;
	}
	return false;
}

static int find_shipped(struct cw_rules_dirs *dirs, struct cw_error *err)
{
	const char *env = getenv("CLAUSEWATCH_RULES");
	char path[PATH_MAX + 64];

	if (env && *env)
		return add_dir(dirs, env, false, err);
	if (find_beside(path, sizeof(path)))
		return add_dir(dirs, path, false, err);
	if (is_dir(CW_DATADIR "/rules"))
		return add_dir(dirs, CW_DATADIR "/rules", false, err);
	return cw_fail(err, CW_ENOTFOUND,
		       "no rules: neither beside the program nor in " CW_DATADIR
		       "/rules; set CLAUSEWATCH_RULES to their directory");
}

int cw_rules_find(const char *const *extra, size_t nextra, struct cw_rules_dirs *out_dirs,
		  struct cw_error *err)
{
	struct cw_rules_dirs dirs = { 0 };
	int ret = find_shipped(&dirs, err);

	if (ret == CW_OK)
		ret = add_dir(&dirs, CW_SYSCONFDIR "/clausewatch/rules", true, err);
	for (size_t i = 0; i < nextra && ret == CW_OK; i++)
		ret = add_dir(&dirs, extra[i], false, err);
	if (ret < 0) {
		cw_rules_dirs_release(&dirs);
		return ret;
	}
	*out_dirs = dirs;
	return CW_OK;
}

static int fail_errno(struct cw_error *err, const char *path)
{
	int reason = errno;
	enum cw_code code = reason == ENOENT   ? CW_ENOTFOUND
			    : reason == EACCES ? CW_EDENIED
					       : CW_EIO;

	return cw_fail(err, code, "rules '%s': %s", path, strerror(reason));
}

static bool has_ending(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);

	return n > m && strcmp(name + n - m, ending) == 0;
}

static int add_pack(struct cw_ruleset_builder *b, const char *path, struct cw_error *err)
{
	struct cw_buf text = { 0 };
	int ret = cw_file_read(path, PACK_MAX, &text, NULL, err);

	if (ret == CW_OK && has_ending(path, WEIGHTS))
		ret = cw_ruleset_builder_weights(b, path, cw_buf_str(&text), text.len, err);
	else if (ret == CW_OK)
		ret = cw_ruleset_builder_add(b, path, cw_buf_str(&text), text.len, err);
	cw_buf_release(&text);
	return ret;
}

static int is_pack(const struct dirent *entry)
{
	const char *name = entry->d_name;

	return name[0] != '.' &&
	       (has_ending(name, ".yaml") || has_ending(name, ".yml") || has_ending(name, WEIGHTS));
}

/* By bytes: the order of packs must not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int cw_rules_add(struct cw_ruleset_builder *b, const char *path, struct cw_error *err)
{
	struct dirent **names = NULL;
	struct stat st;
	int ret = CW_OK;

	if (stat(path, &st) < 0)
		return fail_errno(err, path);
	if (!S_ISDIR(st.st_mode))
		return add_pack(b, path, err);

	int count = scandir(path, &names, is_pack, by_name);
	if (count < 0)
		return fail_errno(err, path);
	for (int i = 0; i < count; i++) {
		char file[PATH_MAX];
		int n = snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		if (ret == CW_OK && n >= (int)sizeof(file))
			ret = cw_fail(err, CW_EINVAL, "rules '%s': path too long", path);
		if (ret == CW_OK)
			ret = add_pack(b, file, err);
		free(names[i]);
	}
	free(names);
	return ret;
}

static void unmap(const void *bytes, size_t len)
{
	(void)munmap((void *)(uintptr_t)bytes, len);
}

static bool offer_compiled(struct cw_ruleset_builder *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes = MAP_FAILED;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    st.st_size <= COMPILED_MAX)
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return false;
	cw_ruleset_builder_compiled(b, bytes, (size_t)st.st_size, unmap);
	return true;
}

/* Beside the program where it was built, else where it was installed. */
static void find_compiled(struct cw_ruleset_builder *b)
{
	char path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;

	if (slash) {
		memcpy(slash, "/" COMPILED, sizeof("/" COMPILED));
		if (offer_compiled(b, path))
			return;
	}
	(void)offer_compiled(b, CW_DATADIR "/" COMPILED);
}

int cw_rules_load(const struct cw_rules_dirs *dirs, struct cw_ruleset **out, struct cw_error *err)
{
	struct cw_ruleset_builder *b = cw_ruleset_builder_new();
	int ret = CW_OK;

	if (!b)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	for (size_t i = 0; i < dirs->count && ret == CW_OK; i++) {
		ret = cw_rules_add(b, dirs->at[i].path, err);
		if (ret == CW_ENOTFOUND && dirs->at[i].optional)
			ret = CW_OK;
	}
	if (ret == CW_OK) {
		find_compiled(b);
		ret = cw_ruleset_builder_finish(b, out, err);
	}
	cw_ruleset_builder_free(b);
	return ret;
}

int cw_rules_load_default(const char *const *extra, size_t nextra, struct cw_ruleset **out,
			  struct cw_error *err)
{
	struct cw_rules_dirs dirs = { 0 };
	int ret = cw_rules_find(extra, nextra, &dirs, err);

	if (ret == CW_OK)
		ret = cw_rules_load(&dirs, out, err);
	cw_rules_dirs_release(&dirs);
	return ret;
}
