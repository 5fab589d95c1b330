/* From the paths of the command line to the list of documents. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/glob.h"

#define DEPTH_MAX 256
#define IGNORE_MAX ((size_t)1 << 20)

struct identity {
	dev_t dev;
	ino_t ino;
};

struct dir {
	const struct dir *up;
	struct identity id;
	unsigned depth;
};

struct walk {
	struct cli_items *items;
	struct cw_ignore *ignore;
	struct identity *linked; /* directories that a link has led to */
	size_t nlinked;
	struct cw_buf path; /* as printed */
	size_t root; /* bytes of path before what is relative to the root */
	struct cw_error *err;
};

static int no_memory(struct cw_error *err)
{
	return cw_fail(err, CW_ENOMEM, "out of memory");
}

/* code and reason are those of an entry that cannot be checked. */
static int add(struct cli_items *items, const char *path, int code, const char *reason,
	       struct cw_error *err)
{
	struct cli_item item = { .path = strdup(path), .code = code };
	struct cw_buf message = { 0 };

	if (items->count == items->cap) {
		size_t cap = items->cap ? items->cap * 2 : 64;
		struct cli_item *at = reallocarray(items->at, cap, sizeof(*at));
		if (at) {
			items->at = at;
			items->cap = cap;
		}
	}
	if (code != CW_OK) {
		cw_buf_printf(&message, "'%s': %s", path, reason);
		item.message = cw_buf_take(&message);
	}
	if (!item.path || items->count == items->cap || (code != CW_OK && !item.message)) {
		free(item.path);
		free(item.message);
		return no_memory(err);
	}
	items->at[items->count++] = item;
	return CW_OK;
}

static int add_failed(struct walk *w, int reason)
{
	return add(w->items, w->path.data,
		   reason == EACCES || reason == EPERM ? CW_EDENIED : CW_EIO, strerror(reason),
		   w->err);
}

/* Names begin at the root: "" there, "a/b" below. */
static const char *relative(const struct walk *w)
{
	return w->path.len > w->root ? w->path.data + w->root : "";
}

static int load_ignore(struct walk *w, const char *name)
{
	size_t len = w->path.len;
	struct cw_buf text = { 0 };
	int ret = CW_OK;

	char *dir = strdup(relative(w));
	if (len > 0 && w->path.data[len - 1] != '/')
		cw_buf_putc(&w->path, '/');
	cw_buf_puts(&w->path, name);
	int fd =
		w->path.failed || !dir ? -1 : open(w->path.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *at = fd >= 0 ? cw_buf_reserve(&text, IGNORE_MAX) : NULL;
	ssize_t n;
	while (at && text.len < IGNORE_MAX &&
	       (n = read(fd, at + text.len, IGNORE_MAX - text.len)) > 0)
		text.len += (size_t)n;
	if (fd >= 0)
		close(fd);
	if (dir && text.len > 0)
		ret = cw_ignore_add(w->ignore, dir, text.data, text.len, w->err);
	if (ret < 0)
		ret = cw_wrap(w->err, ret, "'%s'", w->path.data);
	else if (!dir || w->path.failed || (fd >= 0 && !at))
		ret = no_memory(w->err);
	if (!w->path.failed)
		w->path.data[w->path.len = len] = '\0';
	cw_buf_release(&text);
	free(dir);
	return ret;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int enter(struct walk *w, const struct dir *up, const struct stat *st);

/* What a link leads to is entered once, and never when it lies above: it is read from there. */
static bool seen_before(struct walk *w, const struct dir *up, const struct stat *st)
{
	for (; up; up = up->up)
		if (up->id.dev == st->st_dev && up->id.ino == st->st_ino)
			return true;
	for (size_t i = 0; i < w->nlinked; i++)
		if (w->linked[i].dev == st->st_dev && w->linked[i].ino == st->st_ino)
			return true;
	struct identity *linked = reallocarray(w->linked, w->nlinked + 1, sizeof(*linked));
	if (!linked)
		return true;
	w->linked = linked;
	linked[w->nlinked++] = (struct identity){ st->st_dev, st->st_ino };
	return false;
}

/* w->path is the entry's. */
static int entry(struct walk *w, const struct dir *up)
{
	struct stat st;

	if (lstat(w->path.data, &st) < 0)
		return errno == ENOENT ? CW_OK : add_failed(w, errno);
	bool link = S_ISLNK(st.st_mode);
	if (link && stat(w->path.data, &st) < 0)
		return cw_ignore_match(w->ignore, relative(w), false) ? CW_OK
								      : add_failed(w, errno);
	if (cw_ignore_match(w->ignore, relative(w), S_ISDIR(st.st_mode)))
		return CW_OK;
	if (S_ISDIR(st.st_mode)) {
		if (link && seen_before(w, up, &st))
			return CW_OK;
		return enter(w, up, &st);
	}
	if (!S_ISREG(st.st_mode) || !cw_extract_is_document(w->path.data)) {
		w->items->others++;
		return CW_OK;
	}
	return add(w->items, w->path.data, CW_OK, NULL, w->err);
}

static int enter(struct walk *w, const struct dir *up, const struct stat *st)
{
	struct dir here = { up, { st->st_dev, st->st_ino }, up ? up->depth + 1 : 0 };
	size_t len = w->path.len, rules = cw_ignore_count(w->ignore);
	struct dirent **names = NULL;

	if (here.depth > DEPTH_MAX)
		return add(w->items, w->path.data, CW_EFULL, "directories too deep", w->err);
	int count = scandir(len > 0 ? w->path.data : ".", &names, is_visible, by_name);
	if (count < 0)
		return errno == ENOMEM ? no_memory(w->err) : add_failed(w, errno);

	int ret = load_ignore(w, ".gitignore");
	if (ret == CW_OK)
		ret = load_ignore(w, ".clausewatchignore");
	for (int i = 0; i < count; i++) {
		if (len > 0 && w->path.data[len - 1] != '/')
			cw_buf_putc(&w->path, '/');
		cw_buf_puts(&w->path, names[i]->d_name);
		if (ret == CW_OK)
			ret = w->path.failed ? no_memory(w->err) : entry(w, &here);
		if (!w->path.failed)
			w->path.data[w->path.len = len] = '\0';
		free(names[i]);
	}
	free(names);
	cw_ignore_truncate(w->ignore, rules);
	return ret;
}

static int walk_dir(const char *path, const struct stat *st, struct cli_items *items,
		    struct cw_error *err)
{
	struct walk w = { .items = items, .ignore = cw_ignore_new(), .err = err };
	int ret;

	cw_buf_puts(&w.path, strcmp(path, ".") == 0 ? "" : path);
	while (w.path.len > 1 && w.path.data[w.path.len - 1] == '/')
		w.path.data[--w.path.len] = '\0';
	w.root = w.path.len > 0 && w.path.data[w.path.len - 1] != '/' ? w.path.len + 1 : w.path.len;
	ret = w.ignore && !w.path.failed ? enter(&w, NULL, st) : no_memory(err);
	cw_ignore_free(w.ignore);
	cw_buf_release(&w.path);
	free(w.linked);
	return ret;
}

int cli_walk(const char *path, struct cli_items *items, struct cw_error *err)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return add(items, path, CW_OK, NULL, err);
	if (stat(path, &st) < 0)
		return add(items, path, errno == EACCES ? CW_EDENIED : CW_ENOTFOUND,
			   strerror(errno), err);
	if (S_ISDIR(st.st_mode))
		return walk_dir(path, &st, items, err);
	return add(items, path, CW_OK, NULL, err);
}

void cli_items_release(struct cli_items *items)
{
	for (size_t i = 0; i < items->count; i++) {
		free(items->at[i].path);
		free(items->at[i].message);
	}
	free(items->at);
	*items = (struct cli_items){ 0 };
}
