/* Plain text of any encoding.  UTF-8 is handed on without a copy. */
#include "formats.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "clausewatch/buf.h"
#include "clausewatch/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

static const struct {
	const char *mark;
	size_t len;
	const char *encoding;
} marks[] = {
	{ "\xff\xfe\0\0", 4, "utf-32le" },
	{ "\0\0\xfe\xff", 4, "utf-32be" },
	{ "\xff\xfe", 2, "utf-16le" },
	{ "\xfe\xff", 2, "utf-16be" },
};

/* Western text in UTF-16 without a mark has a NUL in nearly every other byte. */
static const char *guess_wide(const char *bytes, size_t len)
{
	size_t pairs = (len < 1024 ? len : 1024) / 2, even = 0, odd = 0;

	for (size_t i = 0; i < pairs; i++) {
		even += bytes[2 * i] == '\0';
		odd += bytes[2 * i + 1] == '\0';
	}
	if (pairs < 4)
		return NULL;
	if (even == 0 && odd * 10 >= pairs * 7)
		return "utf-16le";
	if (odd == 0 && even * 10 >= pairs * 7)
		return "utf-16be";
	return NULL;
}

const char *cw_text_wide_encoding(const char *bytes, size_t len)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (len >= marks[i].len && memcmp(bytes, marks[i].mark, marks[i].len) == 0)
			return marks[i].encoding;
	return guess_wide(bytes, len);
}

/* Damaged UTF-8 stays as it is, so that positions hold; bytes that are mostly no UTF-8 are taken
 * for the encoding that old word processors wrote. */
static bool is_windows_1252(const char *bytes, size_t len)
{
	size_t bad = 0, good = 0;

	for (size_t i = 0; i < len;) {
		size_t n = cw_utf8_len(bytes + i, len - i);
		bad += n == 0;
		good += n > 1;
		i += n > 0 ? n : 1;
	}
	return bad > good;
}

static void convert(iconv_t cd, size_t unit, const char *bytes, size_t len, struct cw_buf *out)
{
	/* iconv() takes its input without const, though it does not write to it. */
	union {
		const char *in;
		char *arg;
	} from = { .in = bytes };
	size_t left = len;

	while (left > 0) {
		size_t room = left * 2 + 16;
		char *at = cw_buf_reserve(out, room);
		if (!at)
			return;
		char *to = at;
		size_t ret = iconv(cd, &from.arg, &left, &to, &room);
		int reason = errno;
		out->len += (size_t)(to - at);
		if (ret != (size_t)-1 || reason == E2BIG)
			continue;
		cw_buf_puts(out, REPLACEMENT);
		size_t skip = left < unit ? left : unit;
		from.in += skip;
		left -= skip;
	}
}

static int recode(const char *bytes, size_t len, const char *encoding, struct cw_text *text,
		  struct cw_error *err)
{
	size_t unit = strncmp(encoding, "utf-32", 6) == 0 ? 4 : encoding[0] == 'u' ? 2 : 1;
	struct cw_buf out = { 0 };
	iconv_t cd = iconv_open("UTF-8", encoding);

	if (cd == (iconv_t)-1)
		return cw_fail(err, CW_EUNSUPPORTED,
			       "text encoding %s: this system has no converter", encoding);
	convert(cd, unit, bytes, len, &out);
	iconv_close(cd);
	if (len > 0)
		cw_buf_put(&out, "", 0);
	int ret = cw_buf_ok(&out, err);
	if (ret == CW_OK && out.len > CW_TEXT_MAX)
		ret = cw_fail(err, CW_EFULL, "text of %zu bytes; the limit is %zu", out.len,
			      (size_t)CW_TEXT_MAX);
	if (ret < 0) {
		cw_buf_release(&out);
		return ret;
	}
	text->len = out.len;
	text->owned = cw_buf_take(&out);
	text->bytes = text->owned ? text->owned : "";
	text->encoding = encoding;
	text->converted = true;
	return CW_OK;
}

int cw_read_text(const char *bytes, size_t len, struct cw_text *text, struct cw_error *err)
{
	const char *encoding = cw_text_wide_encoding(bytes, len);

	if (encoding)
		return recode(bytes, len, encoding, text, err);
	if (!cw_utf8_valid(bytes, len) && is_windows_1252(bytes, len))
		return recode(bytes, len, "windows-1252", text, err);
	text->bytes = bytes;
	text->len = len;
	text->encoding = "utf-8";
	return CW_OK;
}
