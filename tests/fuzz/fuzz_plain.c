/*
 * Any stretch of any bytes made readable: no control character comes out, and what is plain stays
 * as it is.  The first byte picks the format, the next two where the stretch begins and ends.
 */
#include "fuzz.h"

#include "engine/flat.h"

static void expect_printable(const struct cw_buf *out)
{
	for (size_t i = 0; i < out->len; i++)
		expect((unsigned char)out->data[i] >= ' ' && out->data[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_buf out = { 0 };

	if (size < 4)
		return 0;
	size_t len = size - 3;
	char *text = exact_copy(data + 3, len);
	enum cw_format format = data[0] & 1 ? CW_FORMAT_MARKDOWN : CW_FORMAT_TEXT;
	uint32_t from = (uint32_t)(data[1] % (len + 1)), to = (uint32_t)(len - data[2] % (len + 1));

	if (from <= to) {
		size_t which = 0;

		cw_plain_text(text, from, to, format, &out);
		expect_printable(&out);
		cw_buf_clear(&out);
		cw_flatten(text, from, to, format, &out);
		const char *s = cw_buf_str(&out), *end = s + out.len;
		static const char *const phrases[] = { "customer", "customer data" };
		const char *at = cw_find_any(s, end, phrases, 2, &which);
		expect(!at || (at >= s && at + strlen(phrases[which]) <= end));
	}
	cw_buf_release(&out);
	free(text);
	return 0;
}
