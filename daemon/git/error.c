#include "git/internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "clausewatch/utf8.h"

const char *git_quote(const char *text, size_t len, char out[GIT_QUOTE_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		size_t step = cw_utf8_len(text + i, len - i);
		unsigned char c = (unsigned char)text[i];

		if (n + 8 > GIT_QUOTE_SIZE) {
			n += (size_t)snprintf(out + n, GIT_QUOTE_SIZE - n, "...");
			break;
		}
		if (step == 0 || c < 0x20 || c == 0x7f) {
			n += (size_t)snprintf(out + n, GIT_QUOTE_SIZE - n, "\\x%02x", c);
			i++;
			continue;
		}
		for (; step > 0; step--)
			out[n++] = text[i++];
	}
	out[n] = '\0';
	return out;
}

const char *git_message(void)
{
	const git_error *last = git_error_last();

	return last && last->message ? last->message : "no further detail";
}

enum cw_code git_code(int rc)
{
	static const struct {
		int rc;
		enum cw_code code;
	} by_rc[] = {
		{ GIT_ENOTFOUND, CW_ENOTFOUND }, { GIT_EUNBORNBRANCH, CW_ENOTFOUND },
		{ GIT_EAMBIGUOUS, CW_EINVAL },   { GIT_EINVALIDSPEC, CW_EINVAL },
		{ GIT_EINVALID, CW_EINVAL },     { GIT_EPEEL, CW_EINVAL },
		{ GIT_EBAREREPO, CW_EINVAL },    { GIT_EMISMATCH, CW_ECORRUPT },
		{ GIT_EOWNER, CW_EDENIED },      { GIT_ELOCKED, CW_EIO },
	};
	static const struct {
		int klass;
		enum cw_code code;
	} by_class[] = {
		{ GIT_ERROR_NOMEMORY, CW_ENOMEM },     { GIT_ERROR_OS, CW_EIO },
		{ GIT_ERROR_ZLIB, CW_ECORRUPT },       { GIT_ERROR_ODB, CW_ECORRUPT },
		{ GIT_ERROR_INDEX, CW_ECORRUPT },      { GIT_ERROR_OBJECT, CW_ECORRUPT },
		{ GIT_ERROR_TAG, CW_ECORRUPT },        { GIT_ERROR_TREE, CW_ECORRUPT },
		{ GIT_ERROR_CONFIG, CW_ECORRUPT },     { GIT_ERROR_REFERENCE, CW_ECORRUPT },
		{ GIT_ERROR_REPOSITORY, CW_ECORRUPT }, { GIT_ERROR_INVALID, CW_EINVAL },
	};
	const git_error *last = git_error_last();

	for (size_t i = 0; i < sizeof(by_rc) / sizeof(*by_rc); i++) {
		if (by_rc[i].rc == rc)
			return by_rc[i].code;
	}
	for (size_t i = 0; last && i < sizeof(by_class) / sizeof(*by_class); i++) {
		if (by_class[i].klass == last->klass)
			return by_class[i].code;
	}
	return CW_EIO;
}

int git_failed(const struct cw_git_repo *r, int rc, struct cw_error *err, const char *fmt, ...)
{
	char what[CW_ERROR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return cw_fail(err, git_code(rc), "repository '%s': %s: %s", r->path, what, git_message());
}

int git_no_memory(const struct cw_git_repo *r, struct cw_error *err)
{
	return cw_fail(err, CW_ENOMEM, "repository '%s': out of memory", r->path);
}
