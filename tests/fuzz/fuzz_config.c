/*
 * Any bytes as a configuration: it is refused with a place, or it is accepted and what
 * cw_config_show() says of it means the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clausewatch/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/** The same text with the comments that say where from cut off. */
static char *without_origins(const char *text)
{
	struct cw_buf bare = { 0 };

	while (*text) {
		size_t len = strcspn(text, "\n"), keep = len;

		while (keep > 0 && strncmp(text + keep, " # ", 3) != 0)
			keep--;
		cw_buf_put(&bare, text, keep ? keep : len);
		cw_buf_putc(&bare, '\n');
		text += len + 1;
	}
	return cw_buf_take(&bare);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_config *cfg = NULL, *again = NULL;
	struct cw_error err = { 0 };

	if (cw_config_parse("f", (const char *)data, size, &cfg, &err) < 0) {
		expect(!cfg && (err.code == CW_EINVAL || err.code == CW_EFULL));
		expect(strncmp(err.msg, "f:", 2) == 0);
		return 0;
	}
	struct cw_buf out = { 0 };
	cw_config_show(cfg, &out);
	char *first = without_origins(cw_buf_str(&out));
	expect(!out.failed && cw_config_parse("g", out.data, out.len, &again, &err) == CW_OK);
	cw_buf_clear(&out);
	cw_config_show(again, &out);
	char *second = without_origins(cw_buf_str(&out));
	expect(first && second && strcmp(first, second) == 0);
	cw_buf_release(&out);
	free(first);
	free(second);
	cw_config_free(cfg);
	cw_config_free(again);
	return 0;
}
