#include "clausewatch/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clausewatch/file.h"
#include "config/config.h"

#define SECRET_MAX_BYTES ((size_t)4096)
#define SPACE " \t\r\n"

/** Append the path of the file that holds the secret. */
static int resolve(const char *ref, struct cw_buf *path, struct cw_error *err)
{
	int ret = cw_check_secret_ref(ref, err);

	if (ret < 0)
		return ret;
	if (*ref != '/') {
		const char *dir = getenv("CREDENTIALS_DIRECTORY");

		if (!dir || !*dir)
			return cw_fail(err, CW_ENOTFOUND,
				       "%s: the service manager handed over no credentials "
				       "(LoadCredential=)",
				       ref);
		cw_buf_printf(path, "%s/", dir);
		ref += strlen("credential:");
	}
	cw_buf_puts(path, ref);
	return cw_buf_ok(path, err);
}

int cw_secret_read(const char *ref, struct cw_buf *out, struct cw_error *err)
{
	struct cw_buf path = { 0 }, text = { 0 };
	mode_t mode = 0;
	int ret = resolve(ref, &path, err);

	if (ret == CW_OK)
		ret = cw_file_read(cw_buf_str(&path), SECRET_MAX_BYTES, &text, &mode, err);
	if (ret < 0)
		goto out;
	if (mode & (S_IROTH | S_IWOTH)) {
		ret = cw_fail(err, CW_EDENIED, "%s: everyone may read or change it (chmod o-rw)",
			      cw_buf_str(&path));
		goto out;
	}
	size_t skip = text.len ? strspn(text.data, SPACE) : 0;
	size_t len = text.len - skip;
	while (len > 0 && strchr(SPACE, text.data[skip + len - 1]))
		len--;
	if (len == 0 || memchr(text.data + skip, '\0', len)) {
		ret = cw_fail(err, CW_EINVAL, "%s: %s", cw_buf_str(&path),
			      len ? "binary, text is expected" : "empty");
		goto out;
	}
	cw_buf_put(out, text.data + skip, len);
	ret = cw_buf_ok(out, err);
out:
	if (text.data)
		explicit_bzero(text.data, text.cap);
	cw_buf_release(&text);
	cw_buf_release(&path);
	return ret;
}
