#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch/internal.h"
#include "watch/names.h"

/* One job: small enough that looks at files never wait long behind it. */
#define ENTRIES_MAX ((size_t)1024)
#define DIRS_MAX ((size_t)64)

void watch_found_from(struct watch_found *found, const struct stat *st)
{
	found->size = (uint64_t)st->st_size;
	found->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	found->ino = st->st_ino;
}

bool watch_found_equal(const struct watch_found *a, const struct watch_found *b)
{
	return a->size == b->size && a->mtime_ns == b->mtime_ns && a->ino == b->ino;
}

bool watch_too_deep(const char *path, unsigned max_depth)
{
	unsigned depth = 1;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
		depth++;
	return depth > max_depth || strlen(path) > CW_WATCH_PATH_MAX;
}

int watch_walk_push(struct watch_walk *walk, char *path, bool polled)
{
	if (!path)
		return CW_ENOMEM;
	if (walk->todo_count == walk->todo_cap) {
		size_t cap = walk->todo_cap ? walk->todo_cap * 2 : 16;
		struct watch_todo *todo = realloc(walk->todo, cap * sizeof(*todo));

		if (!todo) {
			free(path);
			return CW_ENOMEM;
		}
		walk->todo = todo;
		walk->todo_cap = cap;
	}
	walk->todo[walk->todo_count++] = (struct watch_todo){ path, polled };
	return CW_OK;
}

static struct watch_entry *add_entry(struct watch_walk *walk, enum watch_entry_kind kind,
				     const char *name)
{
	if (walk->entry_count == walk->entry_cap) {
		size_t cap = walk->entry_cap ? walk->entry_cap * 2 : 64;
		struct watch_entry *entries = realloc(walk->entries, cap * sizeof(*entries));

		if (!entries)
			return NULL;
		walk->entries = entries;
		walk->entry_cap = cap;
	}
	struct watch_entry *e = &walk->entries[walk->entry_count];

	*e = (struct watch_entry){ .kind = kind,
				   .polled = walk->at.polled,
				   .path = walk->paths.len };
	cw_buf_puts(&walk->paths, walk->at.path);
	if (name && walk->at.path[0])
		cw_buf_putc(&walk->paths, '/');
	cw_buf_put(&walk->paths, name ? name : "", name ? strlen(name) + 1 : 1);
	if (walk->paths.failed)
		return NULL;
	walk->entry_count++;
	return e;
}

static int add_failed(struct watch_walk *walk, int error)
{
	struct watch_entry *e = add_entry(walk, WATCH_ENTRY_FAILED, NULL);

	if (!e)
		return CW_ENOMEM;
	e->error = error;
	return CW_OK;
}

/* ESTALE stands for "the root is another directory now", as it does on NFS. */
static int open_dir(struct watch_walk *walk)
{
	struct stat st;
	char *full = watch_join(walk->base, walk->at.path);

	if (!full)
		return ENOMEM;
	int fd = open(full, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int error = fd < 0 ? errno : 0;

	free(full);
	if (fd < 0)
		return error;
	if (fstat(fd, &st) < 0)
		error = errno;
	else if (!walk->at.path[0] && (st.st_dev != walk->dev || st.st_ino != walk->ino))
		error = ESTALE;
	else
		walk->dir = fdopendir(fd);
	if (walk->dir)
		return 0;
	close(fd);
	return error ? error : ENOMEM;
}

static int take_name(struct watch_walk *walk, const struct dirent *d)
{
	struct stat st;
	bool is_dir = d->d_type == DT_DIR;

	if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
		return CW_OK;
	if (!is_dir && d->d_type != DT_REG && d->d_type != DT_UNKNOWN)
		return CW_OK;
	if (d->d_type != DT_UNKNOWN &&
	    watch_name_kind(d->d_name, is_dir, walk->hidden) != WATCH_NAME_PLAIN)
		return CW_OK;
	if (!is_dir) {
		/* Gone since it was listed, or unreadable: an event tells, or nothing can. */
		if (fstatat(dirfd(walk->dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return CW_OK;
		is_dir = S_ISDIR(st.st_mode);
		if (!is_dir && !S_ISREG(st.st_mode))
			return CW_OK;
		if (watch_name_kind(d->d_name, is_dir, walk->hidden) != WATCH_NAME_PLAIN)
			return CW_OK;
	}
	struct watch_entry *e =
		add_entry(walk, is_dir ? WATCH_ENTRY_DIR : WATCH_ENTRY_FILE, d->d_name);
	if (!e)
		return CW_ENOMEM;
	const char *path = walk->paths.data + e->path;

	if (is_dir ? watch_too_deep(path, walk->max_depth) : strlen(path) > CW_WATCH_PATH_MAX) {
		walk->entry_count--;
		walk->skipped++;
	} else if (!is_dir) {
		watch_found_from(&e->found, &st);
	}
	return CW_OK;
}

static void leave_dir(struct watch_walk *walk)
{
	if (walk->dir)
		closedir(walk->dir);
	walk->dir = NULL;
	free(walk->at.path);
	walk->at.path = NULL;
}

static int read_some(struct watch_walk *walk)
{
	while (walk->entry_count < ENTRIES_MAX) {
		errno = 0;
		const struct dirent *d = readdir(walk->dir);

		if (!d) {
			int ret = errno ? add_failed(walk, errno) : CW_OK;

			leave_dir(walk);
			return ret;
		}
		int ret = take_name(walk, d);
		if (ret < 0)
			return ret;
	}
	return CW_OK;
}

int watch_walk_run(struct cw_job *job, struct cw_error *err)
{
	struct watch_walk *walk = (struct watch_walk *)job;
	int ret = CW_OK;

	for (size_t n = 0; ret == CW_OK && n < DIRS_MAX && walk->entry_count < ENTRIES_MAX; n++) {
		if (atomic_load(&walk->stop))
			break;
		if (!walk->dir) {
			if (walk->todo_count == 0)
				break;
			walk->at = walk->todo[--walk->todo_count];
			int error = open_dir(walk);

			if (!walk->dir) {
				ret = add_failed(walk, error);
				leave_dir(walk);
				continue;
			}
		}
		ret = read_some(walk);
	}
	return ret < 0 ? cw_fail(err, ret, "out of memory") : CW_OK;
}

bool watch_walk_finished(const struct watch_walk *walk)
{
	return !walk->dir && walk->todo_count == 0;
}

void watch_walk_free(struct watch_walk *walk)
{
	leave_dir(walk);
	while (walk->todo_count > 0)
		free(walk->todo[--walk->todo_count].path);
	while (walk->failed_count > 0)
		free(walk->failed[--walk->failed_count]);
	free(walk->todo);
	free(walk->failed);
	free(walk->entries);
	cw_buf_release(&walk->paths);
	free(walk->base);
	free(walk->prefix);
	free(walk);
}
