#include "clausewatch/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_errno(struct cw_error *err, const char *path)
{
	enum cw_code code = errno == ENOENT || errno == ENOTDIR ? CW_ENOTFOUND
			    : errno == EACCES || errno == EPERM ? CW_EDENIED
								: CW_EIO;

	return cw_fail(err, code, "%s: %s", path, strerror(errno));
}

static int read_all(int fd, const char *path, size_t limit, struct cw_buf *out,
		    struct cw_error *err)
{
	size_t total = 0;

	for (;;) {
		char *at = cw_buf_reserve(out, 64 * 1024);
		if (!at)
			return cw_fail(err, CW_ENOMEM, "%s: out of memory", path);
		ssize_t n = read(fd, at, 64 * 1024);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, path);
		at[n] = '\0';
		out->len += (size_t)n;
		total += (size_t)n;
		if (total > limit)
			return cw_fail(err, CW_EFULL, "%s: longer than %zu bytes", path, limit);
		if (n == 0)
			return CW_OK;
	}
}

int cw_file_read(const char *path, size_t limit, struct cw_buf *out, mode_t *out_mode,
		 struct cw_error *err)
{
	struct stat st;
	/* A pipe in the place of a file must not hang the program. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return fail_errno(err, path);
	int ret;
	if (fstat(fd, &st) < 0)
		ret = fail_errno(err, path);
	else if (!S_ISREG(st.st_mode))
		ret = cw_fail(err, CW_EINVAL, "%s: not a regular file", path);
	else
		ret = read_all(fd, path, limit, out, err);
	close(fd);
	if (ret == CW_OK && out_mode)
		*out_mode = st.st_mode;
	return ret;
}
