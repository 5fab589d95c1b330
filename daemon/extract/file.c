/* Documents on disk: read whole, since editors replace files and may cut them while mapped. */
#include "clausewatch/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/buf.h"

#define CHUNK ((size_t)64 << 10)

static int system_code(int reason)
{
	switch (reason) {
	case EACCES:
	case EPERM:
		return CW_EDENIED;
	case ENOENT:
	case ENOTDIR:
		return CW_ENOTFOUND;
	default:
		return CW_EIO;
	}
}

static int too_large(struct cw_error *err, const char *what, uintmax_t size)
{
	return cw_fail(err, CW_EFULL, "'%s': %ju bytes; the limit is %zu", what, size,
		       (size_t)CW_EXTRACT_MAX);
}

/* One byte past the limit tells a file that grew, or a device without end. */
static int read_all(int fd, const char *what, size_t expected, struct cw_buf *out,
		    struct cw_error *err)
{
	for (;;) {
		size_t room = expected > out->len ? expected - out->len + 1 : CHUNK;
		char *at = cw_buf_reserve(out, room);
		if (!at)
			return cw_buf_ok(out, err);
		ssize_t n = read(fd, at, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cw_fail(err, system_code(errno), "'%s': %s", what, strerror(errno));
		if (n == 0)
			return CW_OK;
		out->len += (size_t)n;
		at[n] = '\0';
		if (out->len > CW_EXTRACT_MAX)
			return too_large(err, what, out->len);
	}
}

int cw_extract_fd(int fd, const char *what, const char *name, struct cw_text *text,
		  struct cw_error *err)
{
	struct cw_buf buf = { 0 };
	struct cw_text read_text = { 0 };
	struct stat st;
	size_t size = 0;
	int ret;

	if (fstat(fd, &st) < 0)
		return cw_fail(err, system_code(errno), "'%s': %s", what, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return cw_fail(err, CW_EINVAL, "'%s': is a directory", what);
	if (S_ISREG(st.st_mode))
		size = (size_t)st.st_size;
	if (size > CW_EXTRACT_MAX)
		return too_large(err, what, size);

	ret = read_all(fd, what, size, &buf, err);
	if (ret < 0)
		goto out;
	ret = cw_extract(cw_buf_str(&buf), buf.len, name, &read_text, err);
	if (ret < 0) {
		ret = cw_wrap(err, ret, "'%s'", what);
		goto out;
	}
	if (!read_text.owned)
		read_text.owned = cw_buf_take(&buf);
	*text = read_text;
out:
	cw_buf_release(&buf);
	return ret;
}

int cw_extract_file(const char *path, const char *name, struct cw_text *text, struct cw_error *err)
{
	if (strcmp(path, "-") == 0)
		return cw_extract_fd(STDIN_FILENO, "standard input", name, text, err);

	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return cw_fail(err, system_code(errno), "'%s': %s", path, strerror(errno));
	int ret = cw_extract_fd(fd, path, name ? name : path, text, err);
	close(fd);
	return ret;
}
