/* Who may be trusted with a repository: what libgit2 and git check, decided for each open. */
#include "git/internal.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_own(uid_t owner)
{
	uid_t self = geteuid();
	const char *sudo = getenv("SUDO_UID");
	char *end;

	if (owner == self)
		return true;
	if (self != 0 || !sudo || !*sudo)
		return false;
	errno = 0;
	unsigned long uid = strtoul(sudo, &end, 10);
	return errno == 0 && *end == '\0' && uid == owner;
}

static size_t without_slash(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return len;
}

static bool trusts(const char *value, const char *name)
{
	size_t vlen = without_slash(value), nlen = without_slash(name);

	if (strcmp(value, "*") == 0)
		return true;
	if (vlen >= 2 && strcmp(value + vlen - 2, "/*") == 0)
		return nlen >= vlen && strncmp(value, name, vlen - 1) == 0;
	return vlen == nlen && memcmp(value, name, vlen) == 0;
}

struct names {
	const char *const *items;
	size_t count;
	bool trusted;
};

static int on_safe_directory(const git_config_entry *entry, void *payload)
{
	struct names *names = payload;

	/* A repository must not be able to vouch for itself; an empty value starts afresh. */
	if (entry->level == GIT_CONFIG_LEVEL_LOCAL || entry->level == GIT_CONFIG_LEVEL_APP)
		return 0;
	if (!entry->value || !*entry->value)
		names->trusted = false;
	for (size_t i = 0; entry->value && i < names->count; i++)
		names->trusted = names->trusted || trusts(entry->value, names->items[i]);
	return 0;
}

static bool is_safe_directory(const char *const *items, size_t count)
{
	struct names names = { .items = items, .count = count };
	git_config *config = NULL;

	if (git_config_open_default(&config) == 0)
		git_config_get_multivar_foreach(config, "safe.directory", NULL, on_safe_directory,
						&names);
	git_config_free(config);
	return names.trusted;
}

static void user_name(uid_t uid, char *out, size_t size)
{
	char space[1024];
	struct passwd pw, *found = NULL;

	if (getpwuid_r(uid, &pw, space, sizeof(space), &found) == 0 && found)
		snprintf(out, size, "%s (uid %u)", pw.pw_name, (unsigned)uid);
	else
		snprintf(out, size, "uid %u", (unsigned)uid);
}

int git_check_owner(const char *dir, const char *const *names, size_t nnames, struct cw_error *err)
{
	const char *top = names[nnames - 1];
	char owner[64], self[64];
	struct stat st;

	if (stat(dir, &st) < 0)
		return cw_fail(err, errno == EACCES ? CW_EDENIED : CW_EIO, "repository '%s': %s",
			       dir, strerror(errno));
	if (is_own(st.st_uid) || is_safe_directory(names, nnames))
		return CW_OK;
	user_name(st.st_uid, owner, sizeof(owner));
	user_name(geteuid(), self, sizeof(self));
	return cw_fail(err, CW_EDENIED,
		       "repository '%.*s' belongs to %s, not to %s: run `git config --system --add "
		       "safe.directory %.*s`, or set `trust_owner: true` for it in the "
		       "configuration",
		       (int)without_slash(top), top, owner, self, (int)without_slash(top), top);
}
