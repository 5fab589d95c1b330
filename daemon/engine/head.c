#include "head.h"

#include <string.h>
#include <strings.h>

#include "scan.h"
#include "words.h"

#define TITLE_WORDS 8
#define PLAIN_TITLE_WORDS 6
#define BOLD_TITLE_WORDS 14
#define TITLE_MAX 100

void cw_head_read(struct cw_head *head, const char *text, const struct cw_block *block,
		  enum cw_format format)
{
	bool markdown = format == CW_FORMAT_MARKDOWN, bold = false;
	struct cw_scan scan;
	const unsigned char *units = cw_scan_init(&scan, text, block->body_end, markdown);
	uint32_t i = block->body, to = block->body_end;

	head->len = 0;
	while (i < to && head->len + 4 < CW_HEAD_MAX) {
		unsigned char c = (unsigned char)text[i];
		unsigned unit = units[c];
		uint32_t len = 1, rune = 0;

		if (unit != CW_U_SPECIAL && unit != CW_U_NONE &&
		    !(markdown && (c == '_' || c == '[' || c == ']'))) {
			head->c[head->len] = unit == CW_U_SPACE && c != '\t' ? ' ' : (char)c;
			head->at[head->len] = i++;
			head->bold[head->len++] = bold;
			continue;
		}
		char utf8[4] = { (char)c };
		const char *bytes = utf8;

		if (unit == CW_U_SPECIAL) {
			unit = cw_scan_special(&scan, i, &len, &rune);
			if (!rune)
				bytes = text + i;
		}
		unsigned n = rune ? cw_scan_encode(rune, utf8) : len;
		if (markdown && (c == '*' || c == '_') && !rune) {
			bool inside = c == '_' && i > block->body && i + 1 < to &&
				      units[(unsigned char)text[i - 1]] == CW_U_WORD &&
				      units[(unsigned char)text[i + 1]] == CW_U_WORD;

			if (!inside) {
				while (i + len < to &&
				       (text[i + len] == '*' || text[i + len] == '_'))
					len++;
				bold = !bold;
				unit = CW_U_NONE;
			}
		}
		if (markdown && !rune && (c == '[' || c == ']'))
			unit = CW_U_NONE;
		if (unit == CW_U_SPACE || (n > 4 && unit != CW_U_NONE))
			utf8[0] = c == '\t' ? '\t' : ' ', bytes = utf8, n = 1;
		if (unit != CW_U_NONE)
			for (unsigned k = 0; k < n; k++) {
				head->c[head->len] = bytes[k];
				head->at[head->len] = i;
				head->bold[head->len++] = bold;
			}
		i += len;
	}
	head->at[head->len] = i;
	head->whole = i >= to;
	while (head->whole && head->len > 0 && head->c[head->len - 1] == ' ')
		head->len--;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_word(char c)
{
	return cw_units_text[(unsigned char)c] == CW_U_WORD || (unsigned char)c >= 0xc3;
}

/* Bytes of an em or en dash at p. */
static size_t dash(const struct cw_head *head, size_t p)
{
	return p + 2 < head->len && memcmp(head->c + p, "\xe2\x80", 2) == 0 &&
			       (head->c[p + 2] == '\x93' || head->c[p + 2] == '\x94')
		       ? 3
		       : 0;
}

/* What stands in head[from..to): how many words, capitalised ones, letters. */
struct look {
	unsigned words, small; /* small: words that begin small and should not in a title */
	unsigned ups, lows, digits;
};

static struct look look_at(const struct cw_head *head, size_t from, size_t to)
{
	struct look look = { 0 };

	for (size_t i = from; i < to;) {
		size_t end = i;

		while (end < to && (is_word(head->c[end]) || (head->c[end] == '\'' && end > i)))
			end++;
		if (end == i) {
			i++;
			continue;
		}
		look.words++;
		if (is_lower(head->c[i]) && !(cw_word_kind(head->c + i, end - i) & CW_W_SMALL))
			look.small++;
		for (; i < end; i++) {
			look.ups += is_upper(head->c[i]);
			look.lows += is_lower(head->c[i]);
			look.digits += head->c[i] >= '0' && head->c[i] <= '9';
		}
	}
	return look;
}

static bool abbreviated(const struct cw_head *head, size_t from, size_t end)
{
	size_t start = end;

	while (start > from && is_word(head->c[start - 1]))
		start--;
	return end - start < 2 || (cw_word_kind(head->c + start, end - start) &
				   (CW_W_ABBR | CW_W_ABBR_NUM | CW_W_FIRM));
}

/* Does a verb such as "may" or "is" stand in head[from..to), which makes it a sentence? */
static bool has_verb(const struct cw_head *head, size_t from, size_t to)
{
	static const char *const verbs[] = {
		"may",   "shall", "will", "must", "can",     "is",       "are",     "be",
		"was",   "were",  "has",  "have", "do",      "does",     "not",     "agrees",
		"agree", "means", "owns", "own",  "applies", "includes", "retains", "cannot",
	};

	for (size_t i = from, end; i < to; i = end) {
		while (i < to && !is_word(head->c[i]))
			i++;
		for (end = i; end < to && is_word(head->c[end]);)
			end++;
		for (size_t k = 0; k < sizeof(verbs) / sizeof(*verbs); k++)
			if (strlen(verbs[k]) == end - i &&
			    strncasecmp(verbs[k], head->c + i, end - i) == 0)
				return true;
	}
	return false;
}

/* A title as a sentence writes it, which only the number before it tells: "Return and deletion." */
static bool plain_title(const struct cw_head *head, size_t from, size_t end, struct look look)
{
	return look.words > 0 && look.words <= PLAIN_TITLE_WORDS && !has_verb(head, from, end) &&
	       !memchr(head->c + from, ',', end - from);
}

size_t cw_head_title(const struct cw_head *head, size_t from, bool numbered)
{
	size_t end = from, after;

	if (from >= head->len || !(is_upper(head->c[from]) || head->bold[from]))
		return 0;
	if (head->bold[from]) {
		while (end < head->len && head->bold[end])
			end++;
		after = end;
		while (end > from && strchr(" .:", head->c[end - 1]))
			end--;
		bool marked = end < after || (after < head->len && strchr(".:", head->c[after])) ||
			      dash(head, after) || dash(head, after + 1);
		while (after < head->len && strchr(" .:", head->c[after]))
			after++;
		struct look bold = look_at(head, from, end);
		if (end - from <= TITLE_MAX && bold.words > 0 && bold.words <= BOLD_TITLE_WORDS &&
		    after < head->len && (marked || is_upper(head->c[after])))
			return end - from;
	}
	for (end = from; end < head->len && end - from < TITLE_MAX; end++) {
		char c = head->c[end];

		if (c == ':' || c == '.' || dash(head, end))
			break;
		if (strchr("?!\"(", c))
			return 0;
	}
	if (end >= head->len || end - from >= TITLE_MAX)
		return 0;
	after = end + (dash(head, end) ? 3 : 1);
	bool spaced = after < head->len && head->c[after] == ' ';
	while (after < head->len && head->c[after] == ' ')
		after++;
	if (after >= head->len || !spaced || is_lower(head->c[after]) ||
	    (head->c[end] == '.' && abbreviated(head, from, end)))
		return 0;
	bool dotted = head->c[end] == '.';
	while (end > from && head->c[end - 1] == ' ')
		end--;
	struct look look = look_at(head, from, end);
	bool capital = look.words > 0 && look.words <= TITLE_WORDS && look.small == 0;
	return capital || (numbered && dotted && plain_title(head, from, end, look)) ? end - from
										     : 0;
}

bool cw_head_is_heading(const struct cw_head *head, size_t from, bool numbered,
			enum cw_format format)
{
	size_t end = head->len, bold = from;

	if (!head->whole || from >= end || (!is_word(head->c[from]) && head->c[from] != '"'))
		return false;
	char last = head->c[end - 1];
	bool stop = strchr(".,;?", last), colon = last == ':';
	struct look look = look_at(head, from, end);
	bool caps = look.lows == 0 && look.ups > 1;

	if (look.words == 0 || look.ups + look.lows < 2 || look.words > BOLD_TITLE_WORDS)
		return false;
	while (bold < end && (head->bold[bold] || strchr(" :.", head->c[bold])))
		bold++;
	if (bold == end && head->bold[from] && (last != '.' || look.words <= 5) &&
	    !strchr(",;", last))
		return true;
	if (caps)
		return !stop || (numbered && last == '.');
	if (is_lower(head->c[from]) || look.words > 10)
		return false;
	if (numbered && !colon && (!stop || (last == '.' && look.small == 0)))
		return true;
	return format == CW_FORMAT_TEXT && !stop && !colon && look.small == 0 &&
	       look.words <= TITLE_WORDS && look.digits == 0 && !memchr(head->c, ':', end);
}
