/* What the configuration of a repository says about its format and its work tree. */
#include "git/internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct layout {
	int version;
	bool bare;
	char work_tree[PATH_MAX];
	char extension[128]; /* the first that cannot be read, or "" */
};

/* Extensions that change nothing for a reader, and the values that do not for the others. */
static const struct {
	const char *name, *value;
} harmless[] = {
	{ "noop", NULL },
	{ "worktreeconfig", NULL },
	{ "partialclone", NULL },
	{ "preciousobjects", NULL },
	{ "relativeworktrees", NULL },
	{ "objectformat", "sha1" },
	{ "refstorage", "files" },
};

static bool is_harmless(const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++) {
		if (strcmp(name, harmless[i].name) == 0)
			return !harmless[i].value || strcasecmp(value, harmless[i].value) == 0;
	}
	return false;
}

static void take_entry(struct layout *l, const git_config_entry *entry)
{
	const char *value = entry->value ? entry->value : "true";
	int number;

	if (strcmp(entry->name, "core.repositoryformatversion") == 0) {
		if (git_config_parse_int32(&number, value) == 0)
			l->version = number;
	} else if (strcmp(entry->name, "core.bare") == 0) {
		if (git_config_parse_bool(&number, value) == 0)
			l->bare = number != 0;
	} else if (strcmp(entry->name, "core.worktree") == 0) {
		snprintf(l->work_tree, sizeof(l->work_tree), "%s", value);
	} else if (strncmp(entry->name, "extensions.", 11) == 0 && !*l->extension &&
		   !is_harmless(entry->name + 11, value)) {
		snprintf(l->extension, sizeof(l->extension), "%s", entry->name + 11);
	}
}

static int read_config(struct cw_git_repo *r, struct layout *l, struct cw_error *err)
{
	git_config *config = NULL;
	git_config_iterator *iter = NULL;
	git_config_entry *entry;
	int rc = git_repository_config(&config, r->repo);

	if (rc == 0)
		rc = git_config_iterator_new(&iter, config);
	while (rc == 0 && (rc = git_config_next(&entry, iter)) == 0) {
		if (entry->level == GIT_CONFIG_LEVEL_LOCAL)
			take_entry(l, entry);
	}
	git_config_iterator_free(iter);
	git_config_free(config);
	if (rc < 0 && rc != GIT_ITEROVER)
		return git_failed(r, rc, err, "cannot read its configuration");
	return CW_OK;
}

static int check_format(const struct cw_git_repo *r, const struct layout *l, struct cw_error *err)
{
	char quoted[GIT_QUOTE_SIZE];

	if (l->version > 1)
		return cw_fail(err, CW_EUNSUPPORTED,
			       "repository '%s': its format version %d is not supported, only 0 "
			       "and 1",
			       r->path, l->version);
	/* Older versions have no extensions: git ignores what looks like one. */
	if (l->version < 1 || !*l->extension)
		return CW_OK;
	if (strcmp(l->extension, "objectformat") == 0)
		return cw_fail(err, CW_EUNSUPPORTED,
			       "repository '%s': it uses SHA-256 object ids, which this build "
			       "cannot read; convert it to SHA-1 or exclude it",
			       r->path);
	if (strcmp(l->extension, "refstorage") == 0)
		return cw_fail(err, CW_EUNSUPPORTED,
			       "repository '%s': it keeps its references as a reftable, which this "
			       "build cannot read; run `git -C '%s' refs migrate "
			       "--ref-format=files`",
			       r->path, r->path);
	return cw_fail(err, CW_EUNSUPPORTED, "repository '%s': its extension '%s' is not supported",
		       r->path, git_quote(l->extension, strlen(l->extension), quoted));
}

/* Of a linked work tree: the file "gitdir" names its ".git". */
static bool read_link(const char *git_dir, char out[PATH_MAX])
{
	char file[PATH_MAX];
	FILE *in;
	bool got;

	if (snprintf(file, sizeof(file), "%sgitdir", git_dir) >= (int)sizeof(file) ||
	    !(in = fopen(file, "re")))
		return false;
	got = fgets(out, PATH_MAX, in) != NULL;
	fclose(in);
	if (!got)
		return false;
	out[strcspn(out, "\n")] = '\0';
	size_t len = strlen(out);
	if (len < 5 || strcmp(out + len - 5, "/.git") != 0)
		return false;
	out[len - 5] = '\0';
	return true;
}

static int set_work_dir(struct cw_git_repo *r, struct layout *l, struct cw_error *err)
{
	const char *dir = cw_git_dir(r);
	size_t len = strlen(dir);
	bool linked = strcmp(dir, cw_git_common_dir(r)) != 0;
	char path[PATH_MAX], real[PATH_MAX];

	if (linked ? !read_link(dir, l->work_tree) : l->bare)
		return CW_OK;
	if (!*l->work_tree) {
		if (len < 6 || strcmp(dir + len - 6, "/.git/") != 0)
			return CW_OK;
		snprintf(l->work_tree, sizeof(l->work_tree), "..");
	}
	/* A work tree that is not there is no failure: nothing is read from it. */
	if (snprintf(path, sizeof(path), "%s%s", *l->work_tree == '/' ? "" : dir, l->work_tree) >=
		    (int)sizeof(path) ||
	    !realpath(path, real))
		return CW_OK;
	if (asprintf(&r->work_dir, "%s%s", real, real[1] ? "/" : "") < 0) {
		r->work_dir = NULL;
		return git_no_memory(r, err);
	}
	return CW_OK;
}

int git_check_layout(struct cw_git_repo *r, struct cw_error *err)
{
	struct layout l = { 0 };
	int ret = read_config(r, &l, err);

	if (ret == CW_OK)
		ret = check_format(r, &l, err);
	if (ret == CW_OK)
		ret = set_work_dir(r, &l, err);
	return ret;
}
