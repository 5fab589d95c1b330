/* What a file is: content first, since names lie, then the name. */
#include "formats.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define SNIFF 8000 /* bytes looked at; git looks at as many for the same question */

static bool starts(const char *bytes, size_t len, const char *magic, size_t n)
{
	return len >= n && memcmp(bytes, magic, n) == 0;
}

static bool contains(const char *bytes, size_t len, const char *what)
{
	return memmem(bytes, len < SNIFF ? len : SNIFF, what, strlen(what)) != NULL;
}

static bool is_zip(const char *bytes, size_t len)
{
	return starts(bytes, len, "PK\x03\x04", 4) || starts(bytes, len, "PK\x05\x06", 4);
}

static bool is_docx(const char *bytes, size_t len)
{
	return is_zip(bytes, len) && (memmem(bytes, len, "word/", 5) != NULL);
}

static bool is_odt(const char *bytes, size_t len)
{
	return is_zip(bytes, len) &&
	       contains(bytes, len, "mimetypeapplication/vnd.oasis.opendocument.text");
}

static bool is_pdf(const char *bytes, size_t len)
{
	return memmem(bytes, len < 1024 ? len : 1024, "%PDF-", 5) != NULL;
}

static bool is_ole(const char *bytes, size_t len)
{
	return starts(bytes, len, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
}

static bool is_rtf(const char *bytes, size_t len)
{
	return starts(bytes, len, "{\\rtf", 5);
}

static bool is_html(const char *bytes, size_t len)
{
	size_t i = starts(bytes, len, "\xef\xbb\xbf", 3) ? 3 : 0;

	while (i < len && isspace((unsigned char)bytes[i]))
		i++;
	bytes += i;
	len -= i;
	return (len >= 14 && strncasecmp(bytes, "<!doctype html", 14) == 0) ||
	       (len >= 6 && strncasecmp(bytes, "<html", 5) == 0 &&
		!isalnum((unsigned char)bytes[5]));
}

static bool is_image(const char *bytes, size_t len)
{
	return starts(bytes, len, "\x89PNG\r\n\x1a\n", 8) ||
	       starts(bytes, len, "\xff\xd8\xff", 3) || starts(bytes, len, "GIF8", 4) ||
	       starts(bytes, len, "II*\0", 4) || starts(bytes, len, "MM\0*", 4);
}

/* A NUL, or more than a tenth of control characters, is no text in any one-byte encoding. */
static bool is_binary(const char *bytes, size_t len)
{
	size_t n = len < SNIFF ? len : SNIFF, odd = 0;

	if (cw_text_wide_encoding(bytes, len))
		return false;
	if (n > 0 && memchr(bytes, '\0', n))
		return true;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];
		odd += c == 0x7f || (c < 0x20 && !(c >= '\b' && c <= '\r') && c != 0x1b);
	}
	return odd * 10 > n;
}

static bool is_heading(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && line[n] == '#')
		n++;
	return n >= 1 && n <= 6 && n + 1 < len && line[n] == ' ' && line[n + 1] != ' ';
}

/* Two headings: a single line that starts with '#' is as well a comment or a number. */
static bool is_markdown(const char *bytes, size_t len)
{
	size_t headings = 0;

	len = len < SNIFF ? len : SNIFF;
	for (size_t i = 0; i < len;) {
		const char *end = memchr(bytes + i, '\n', len - i);
		size_t n = end ? (size_t)(end - bytes) - i : len - i;
		headings += is_heading(bytes + i, n);
		i += n + 1;
	}
	return headings >= 2;
}

/* Order matters: the first row whose content matches wins. */
static const struct cw_doc_format by_content[] = {
	{ "pdf", "PDF document", "pdf", is_pdf, NULL, CW_FORMAT_TEXT },
	{ "docx", "Word document (docx)", "docx docm dotx", is_docx, NULL, CW_FORMAT_TEXT },
	{ "odt", "OpenDocument text (odt)", "odt ott", is_odt, NULL, CW_FORMAT_TEXT },
	{ "zip", "ZIP archive", "", is_zip, NULL, CW_FORMAT_TEXT },
	{ "doc", "old Word document (doc)", "doc dot", is_ole, NULL, CW_FORMAT_TEXT },
	{ "rtf", "rich text (rtf)", "rtf", is_rtf, NULL, CW_FORMAT_TEXT },
	{ "image", "image", "", is_image, NULL, CW_FORMAT_TEXT },
	{ "binary", "unknown binary data", "", is_binary, NULL, CW_FORMAT_TEXT },
	{ "html", "HTML page", "", is_html, NULL, CW_FORMAT_TEXT },
};

/* What is text, by its name; the first row is for every other text. */
static const struct cw_doc_format by_name[] = {
	{ "text", "plain text", "txt text", NULL, cw_read_text, CW_FORMAT_TEXT },
	{ "markdown", "Markdown", "md markdown", NULL, cw_read_text, CW_FORMAT_MARKDOWN },
	{ "html", "HTML page", "html htm xhtml", NULL, NULL, CW_FORMAT_TEXT },
};

/* A name that promises one of these, over content that is none, is a damaged document. */
static const struct cw_doc_format damaged = { "corrupt", NULL, "", NULL, NULL, CW_FORMAT_TEXT };

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *extension(const char *name)
{
	const char *slash = name ? strrchr(name, '/') : NULL;
	const char *base = slash ? slash + 1 : name;
	const char *dot = base ? strrchr(base, '.') : NULL;

	return dot && dot != base ? dot + 1 : "";
}

static bool has_extension(const struct cw_doc_format *row, const char *ext)
{
	size_t n = strlen(ext);

	for (const char *at = row->extensions; n > 0 && *at;) {
		size_t len = strcspn(at, " ");
		if (len == n && strncasecmp(at, ext, n) == 0)
			return true;
		at += len + (at[len] == ' ');
	}
	return false;
}

static const struct cw_doc_format *find_name(const struct cw_doc_format *table, size_t count,
					     const char *ext)
{
	for (size_t i = 0; i < count; i++)
		if (has_extension(&table[i], ext))
			return &table[i];
	return NULL;
}

const struct cw_doc_format *cw_format_detect(const char *bytes, size_t len, const char *name)
{
	const char *ext = extension(name);

	for (size_t i = 0; i < COUNT(by_content); i++)
		if (by_content[i].is(bytes, len))
			return &by_content[i];
	if (find_name(by_content, COUNT(by_content), ext))
		return &damaged;
	const struct cw_doc_format *named = find_name(by_name, COUNT(by_name), ext);
	if (named)
		return named;
	return is_markdown(bytes, len) ? &by_name[1] : &by_name[0];
}

bool cw_extract_is_document(const char *name)
{
	const char *ext = extension(name);

	return *ext == '\0' || find_name(by_name, COUNT(by_name), ext) ||
	       find_name(by_content, COUNT(by_content), ext);
}
