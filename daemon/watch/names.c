#include "watch/names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct shape {
	const char *head, *tail; /* "" for any; tail without regard to case */
	enum watch_name kind;
};

static const struct shape shapes[] = {
	{ "~$", "", WATCH_NAME_LOCK }, /* Word, Excel, PowerPoint */
	{ ".~lock.", "#", WATCH_NAME_LOCK }, /* LibreOffice */
	{ ".~", "", WATCH_NAME_LOCK }, /* WPS */
	{ ".#", "", WATCH_NAME_LOCK }, /* Emacs */
	{ ".", ".swp", WATCH_NAME_LOCK }, /* Vim */
	{ "#", "#", WATCH_NAME_IGNORED }, /* Emacs autosave */
	{ "", "~", WATCH_NAME_IGNORED },
	{ "", ".tmp", WATCH_NAME_IGNORED },
	{ "", ".temp", WATCH_NAME_IGNORED },
	{ "", ".part", WATCH_NAME_IGNORED },
	{ "", ".partial", WATCH_NAME_IGNORED },
	{ "", ".filepart", WATCH_NAME_IGNORED },
	{ "", ".crdownload", WATCH_NAME_IGNORED },
	{ "", ".opdownload", WATCH_NAME_IGNORED },
	{ "", ".swp", WATCH_NAME_IGNORED },
	{ "", ".swo", WATCH_NAME_IGNORED },
	{ "", ".swx", WATCH_NAME_IGNORED },
	{ ".goutputstream-", "", WATCH_NAME_IGNORED },
	{ ".nfs", "", WATCH_NAME_IGNORED },
	{ ".fuse_hidden", "", WATCH_NAME_IGNORED },
	{ "._", "", WATCH_NAME_IGNORED },
};

static const char *const never_files[] = { "4913", "Thumbs.db", "desktop.ini", ".DS_Store" };
static const char *const never_dirs[] = { ".git", ".svn", ".hg", ".bzr", "CVS", "_darcs" };

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

static bool has_shape(const char *name, size_t len, const struct shape *s)
{
	size_t head = strlen(s->head), tail = strlen(s->tail);

	return len > head + tail && strncmp(name, s->head, head) == 0 &&
	       strcasecmp(name + len - tail, s->tail) == 0;
}

enum watch_name watch_name_kind(const char *name, bool is_dir, bool hidden)
{
	size_t len = strlen(name);

	if (is_dir) {
		if (is_one_of(name, never_dirs, sizeof(never_dirs) / sizeof(*never_dirs)))
			return WATCH_NAME_IGNORED;
	} else {
		if (is_one_of(name, never_files, sizeof(never_files) / sizeof(*never_files)))
			return WATCH_NAME_IGNORED;
		for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
			if (has_shape(name, len, &shapes[i]))
				return shapes[i].kind;
	}
	return name[0] == '.' && !hidden ? WATCH_NAME_IGNORED : WATCH_NAME_PLAIN;
}

/* skip: Word writes its mark over the first one or two characters of a long name. */
static const struct {
	const char *head, *tail;
	size_t skip;
} locks[] = {
	{ "~$", "", 0 }, { "~$", "", 1 },    { "~$", "", 2 }, { ".~lock.", "#", 0 },
	{ ".~", "", 0 }, { ".", ".swp", 0 }, { ".#", "", 0 },
};

bool watch_lock_name(const char *name, size_t index, char *buf, size_t size)
{
	if (index >= sizeof(locks) / sizeof(*locks))
		return false;
	size_t skip = locks[index].skip < strlen(name) ? locks[index].skip : 0;

	snprintf(buf, size, "%s%s%s", locks[index].head, name + skip, locks[index].tail);
	return true;
}

const char *watch_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool watch_is_under(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	return len == 0 ||
	       (strncmp(path, prefix, len) == 0 && (path[len] == '/' || path[len] == '\0'));
}
