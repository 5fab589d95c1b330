#include "clausewatch/extract.h"

#include <stdlib.h>
#include <string.h>

#include "formats.h"

static const struct {
	int code;
	const char *name;
} unchecked[] = {
	{ CW_EUNSUPPORTED, "unsupported" }, { CW_EFULL, "too-large" },  { CW_ETIMEOUT, "timeout" },
	{ CW_EENCRYPTED, "encrypted" },     { CW_ECORRUPT, "corrupt" },
};

const char *cw_unchecked_name(int code)
{
	for (size_t i = 0; i < sizeof(unchecked) / sizeof(unchecked[0]); i++)
		if (unchecked[i].code == code)
			return unchecked[i].name;
	return "unreadable";
}

int cw_extract(const char *bytes, size_t len, const char *name, struct cw_text *text,
	       struct cw_error *err)
{
	if (len > CW_EXTRACT_MAX)
		return cw_fail(err, CW_EFULL, "%zu bytes; the limit is %zu", len,
			       (size_t)CW_EXTRACT_MAX);

	const struct cw_doc_format *format = cw_format_detect(bytes, len, name);
	if (!format->title)
		return cw_fail(err, CW_ECORRUPT, "the content is not what the name says");
	if (!format->read)
		return cw_fail(err, CW_EUNSUPPORTED, "%s: this build cannot read it",
			       format->title);

	struct cw_text read = { .name = format->name, .format = format->format };
	int ret = format->read(bytes, len, &read, err);
	if (ret < 0) {
		cw_text_release(&read);
		return ret;
	}
	*text = read;
	return CW_OK;
}

void cw_text_release(struct cw_text *text)
{
	if (!text)
		return;
	free(text->owned);
	free(text->pages);
	*text = (struct cw_text){ 0 };
}

unsigned cw_text_page(const struct cw_text *text, uint32_t byte)
{
	unsigned page = 0;

	while (page < text->npages && text->pages[page] <= byte)
		page++;
	return page;
}
