#include "number.h"

#include <string.h>

#define ROMAN_MAX 7

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Value of a roman numeral of either case, 0 when it is none. */
static unsigned roman(const char *s, size_t len)
{
	static const char letters[] = "ivxlcdm";
	static const unsigned values[] = { 1, 5, 10, 50, 100, 500, 1000 };
	unsigned total = 0, last = 1000;

	if (len == 0 || len > ROMAN_MAX)
		return 0;
	for (size_t i = 0; i < len; i++) {
		const char *at = strchr(letters, s[i] | 0x20);

		if (!at || !*at)
			return 0;
		unsigned value = values[at - letters];
		if (value > last)
			total -= 2 * last;
		total += value;
		last = value;
	}
	return total;
}

/* Letters or digits at s: fills kind, value, letter; returns their length or 0. */
static size_t simple(const char *s, size_t room, struct cw_number *n)
{
	size_t len = 0;

	if (room > 0 && is_digit(s[0])) {
		unsigned value = 0;

		while (len < room && len < 4 && is_digit(s[len]))
			value = value * 10 + (unsigned)(s[len++] - '0');
		if (len > 3)
			return 0;
		n->kind = CW_N_DIGITS;
		n->value = value;
		return len;
	}
	bool upper = room > 0 && is_upper(s[0]);
	while (len < room && len <= ROMAN_MAX && (upper ? is_upper(s[len]) : is_lower(s[len])))
		len++;
	if (len == 0 || len > ROMAN_MAX)
		return 0;
	bool letter = len == 1 || (len == 2 && s[0] == s[1]);
	n->letter = letter ? (unsigned)((s[0] | 0x20) - 'a') + 1 + (len == 2 ? 26 : 0) : 0;
	n->value = roman(s, len);
	if (n->value > 0 && n->value < 100) {
		n->kind = upper ? CW_N_UPPER_ROMAN : CW_N_LOWER_ROMAN;
		return len;
	}
	if (!letter)
		return 0;
	n->kind = upper ? CW_N_UPPER : CW_N_LOWER;
	n->value = n->letter;
	n->letter = 0;
	return len;
}

static size_t skip_blanks(const char *head, size_t at, size_t len)
{
	while (at < len && is_blank(head[at]))
		at++;
	return at;
}

static bool bullet(const char *head, size_t len, struct cw_number *n)
{
	static const char *const marks[] = { "\xe2\x80\xa2",
					     "\xe2\x97\x8f",
					     "\xe2\x96\xaa",
					     "\xe2\x97\xa6",
					     "\xe2\x96\xa0",
					     "\xe2\x97\x8b",
					     "\xe2\x80\xa3",
					     "\xef\x82\xb7",
					     "\xc2\xb7",
					     "\xe2\x9e\xa2",
					     "\xe2\x80\x93",
					     "\xe2\x80\x94",
					     "-",
					     "*",
					     "o",
					     "+" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t size = strlen(marks[i]);

		if (len <= size || memcmp(head, marks[i], size) != 0)
			continue;
		if (!is_blank(head[size]) && i >= 10)
			continue;
		n->kind = CW_N_BULLET;
		n->len = skip_blanks(head, size, len);
		return n->len < len;
	}
	return false;
}

/* "ARTICLE IV", "Section 3.", "Exhibit A": words before, a number, and an end. */
static bool label(const char *head, size_t len, struct cw_number *n)
{
	static const struct {
		const char *word;
		bool named; /* the word is part of the name */
	} labels[] = { { "article", false },  { "section", false }, { "clause", false },
		       { "part", false },     { "chapter", false }, { "schedule", true },
		       { "exhibit", true },   { "annex", true },    { "appendix", true },
		       { "attachment", true } };
	size_t word = 0, at, i;

	if (!is_upper(head[0]))
		return false;
	while (word < len && (is_lower(head[word]) || is_upper(head[word])))
		word++;
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		size_t k = 0;

		while (k < word && labels[i].word[k] == (head[k] | 0x20))
			k++;
		if (k == word && labels[i].word[k] == '\0')
			break;
	}
	at = skip_blanks(head, word, len);
	if (i == sizeof(labels) / sizeof(labels[0]) || at == word)
		return false;
	size_t from = at;
	while (at < len && (is_digit(head[at]) || is_upper(head[at]) ||
			    (head[at] == '.' && at + 1 < len && is_digit(head[at + 1])) ||
			    (head[at] == '-' && at + 1 < len && at > from)))
		at++;
	struct cw_number part = { 0 };
	size_t used = simple(head + from, at - from, &part);
	if (at == from || at - from > 8 || (used == 0 && !is_digit(head[from])))
		return false;
	bool dotted = memchr(head + from, '.', at - from) != NULL;
	bool caps = word > 1 && is_upper(head[1]);
	size_t end = at;
	if (end < len && strchr(".:)", head[end]))
		end++;
	else if (end < len && is_blank(head[end]) && !caps) {
		size_t next = skip_blanks(head, end, len);

		if (next < len && !is_upper(head[next]) && head[next] != '-' &&
		    (unsigned char)head[next] < 0x80)
			return false;
	} else if (end < len && !is_blank(head[end])) {
		return false;
	}
	n->kind = dotted ? CW_N_DOTTED : CW_N_LABEL;
	n->value = part.value;
	n->text = labels[i].named && !dotted ? 0 : from;
	n->text_len = at - n->text;
	end = skip_blanks(head, end, len);
	while (end < len && (head[end] == '-' || is_blank(head[end])))
		end++;
	n->len = end;
	return true;
}

/* "10.4", "10.4.", "10.4(a)" */
static bool dotted(const char *head, size_t len, struct cw_number *n)
{
	size_t at = 0, parts = 0, digits;

	do {
		if (parts > 0)
			at++;
		for (digits = 0; at < len && is_digit(head[at]) && digits < 4; digits++)
			at++;
		parts += digits > 0 && digits < 4;
	} while (digits > 0 && digits < 4 && at + 1 < len && head[at] == '.' &&
		 is_digit(head[at + 1]));
	if (parts < 2 || digits == 0 || digits > 3 || at > 16)
		return false;
	n->text_len = at;
	if (at < len && (head[at] == '.' || head[at] == ')'))
		at++;
	if (at < len && head[at] == '(')
		n->also = at;
	else if (at < len && !is_blank(head[at]))
		return false;
	n->kind = CW_N_DOTTED;
	n->value = 0;
	for (size_t i = 0; i < n->text_len; i++)
		n->value = head[i] == '.' ? 0 : n->value * 10 + (unsigned)(head[i] - '0');
	n->len = skip_blanks(head, at, len);
	return true;
}

/* A single number or letter with its full stop or parentheses. */
static bool single(const char *head, size_t len, struct cw_number *n)
{
	size_t open = len > 0 && head[0] == '(';
	size_t used = simple(head + open, len - open, n);
	size_t at = open + used;
	char c = at < len ? head[at] : '\0';

	if (used == 0)
		return false;
	if (open ? c != ')' : c != '.' && c != ')') {
		/* "1<tab>Definitions" */
		if (open || n->kind != CW_N_DIGITS || used > 2 || !is_blank(c))
			return false;
		n->len = skip_blanks(head, at, len);
		if ((n->len < at + 2 && c != '\t') || n->len >= len || !is_upper(head[n->len]))
			return false;
		n->form = CW_F_DOT;
		n->text_len = used;
		return true;
	}
	n->form = open ? CW_F_PARENS : c == ')' ? CW_F_CLOSE : CW_F_DOT;
	n->text = open;
	n->text_len = used;
	at++;
	if (at < len && !is_blank(head[at])) {
		/* "1.Definitions", "(a)the": layout lost its blank */
		bool stuck = n->form == CW_F_PARENS || (n->kind == CW_N_DIGITS && used <= 2);

		if (!stuck || is_digit(head[at]) || strchr(",;.)", head[at]))
			return false;
	}
	n->len = skip_blanks(head, at, len);
	return true;
}

struct cw_number cw_number_read(const char *head, size_t len)
{
	struct cw_number n = { 0 };
	bool mark = len > 0 && !is_upper(head[0]) && !is_digit(head[0]) && head[0] != '(';
	bool found = len > 0 && ((mark && bullet(head, len, &n)) || label(head, len, &n) ||
				 dotted(head, len, &n));

	if (!found) {
		n = (struct cw_number){ 0 };
		found = single(head, len, &n);
	}
	if (!found)
		n = (struct cw_number){ 0 };
	return n;
}

static bool same_list(const struct cw_number *a, const struct cw_number *b)
{
	return a->kind == b->kind && a->form == b->form;
}

bool cw_number_follows(const struct cw_number *a, const struct cw_number *b)
{
	if (b->letter && a->form == b->form &&
	    ((a->letter && b->letter == a->letter + 1) ||
	     ((a->kind == CW_N_LOWER || a->kind == CW_N_UPPER) && b->letter == a->value + 1)))
		return true;
	return same_list(a, b) && (b->value == a->value + 1 || b->kind == CW_N_DOTTED);
}

/* "(i)" after "(h)" is a letter; "(v)" with no "(iv)" before it too. */
static void settle_roman(const struct cw_sections *st, struct cw_number *n)
{
	enum cw_number_kind letter = n->kind == CW_N_UPPER_ROMAN ? CW_N_UPPER : CW_N_LOWER;
	bool as_letter = false;

	if ((n->kind != CW_N_LOWER_ROMAN && n->kind != CW_N_UPPER_ROMAN) || n->letter == 0)
		return;
	as_letter = n->letter != 9 && n->value != 2;
	for (unsigned i = 0; i < st->depth; i++) {
		const struct cw_number *at = &st->level[i].number;

		if (at->form != n->form || st->level[i].list)
			continue;
		if (at->kind == n->kind && at->value + 1 == n->value) {
			as_letter = false;
			break;
		}
		if (at->kind == letter && at->value + 1 == n->letter) {
			as_letter = true;
			break;
		}
	}
	if (as_letter) {
		n->kind = letter;
		n->value = n->letter;
		n->letter = 0;
	}
}

/* Where the entry belongs: the level of its list, or the depth for a new one. */
static unsigned place(const struct cw_sections *st, const struct cw_number *n, unsigned list)
{
	unsigned i;

	if (list > 0) {
		for (i = 0; i < st->depth; i++)
			if (st->level[i].list >= list)
				return i;
		return st->depth;
	}
	if (n->kind == CW_N_LABEL)
		return 0;
	if (n->kind == CW_N_DOTTED) {
		for (i = 0; i < st->depth; i++)
			if (st->level[i].list || st->level[i].number.kind != CW_N_LABEL)
				return i;
		return st->depth;
	}
	for (i = st->depth; i-- > 0;)
		if (!st->level[i].list && same_list(&st->level[i].number, n))
			return i;
	/* A list that does not begin at its beginning and has no room of its own: "12." after
	 * "(a)" of a section that was read as dotted. */
	if (n->kind == CW_N_DIGITS && n->form == CW_F_DOT && n->value > 1) {
		for (i = 0; i < st->depth; i++)
			if (st->level[i].list || st->level[i].number.kind != CW_N_LABEL)
				return i;
	}
	return st->depth;
}

struct cw_level *cw_sections_enter(struct cw_sections *st, struct cw_number number,
				   const char *head, unsigned list, bool *out_new)
{
	settle_roman(st, &number);
	unsigned at = place(st, &number, list);
	if (at >= CW_NUMBER_DEPTH)
		at = CW_NUMBER_DEPTH - 1;
	struct cw_level *level = &st->level[at];
	bool sibling = at < st->depth && level->list == list &&
		       (list > 0 || same_list(&level->number, &number)) &&
		       (number.kind == CW_N_BULLET || number.value > 1);
	int32_t lead_in = sibling ? level->lead_in : -1;

	*level = (struct cw_level){
		.number = number, .list = list, .lead_in = lead_in, .clause = -1
	};
	size_t len = number.text_len < CW_NUMBER_TEXT - 1 ? number.text_len : CW_NUMBER_TEXT - 1;
	memcpy(level->text, head + number.text, len);
	if (number.kind == CW_N_LABEL && memchr(level->text, ' ', len))
		for (size_t i = 1; level->text[i] != ' '; i++)
			level->text[i] |= 0x20;
	st->depth = at + 1;
	*out_new = !sibling;
	return level;
}

void cw_sections_heading(struct cw_sections *st, unsigned level, bool keep_labels)
{
	unsigned kept = 0;

	while (kept < st->depth && !st->level[kept].list &&
	       ((keep_labels && st->level[kept].number.kind == CW_N_LABEL) ||
		(st->level[kept].heading && st->level[kept].heading < level)))
		kept++;
	st->depth = kept;
}

void cw_sections_close_lists(struct cw_sections *st, unsigned list)
{
	for (unsigned i = 0; i < st->depth; i++)
		if (st->level[i].list > list) {
			st->depth = i;
			return;
		}
}

static size_t append(char *path, size_t len, size_t cap, const char *text, size_t n)
{
	n = n < cap - 1 - len ? n : cap - 1 - len;
	memcpy(path + len, text, n);
	return len + n;
}

const char *cw_sections_path(const struct cw_sections *st, bool lasting, struct cw_arena *arena)
{
	char path[CW_NUMBER_DEPTH * (CW_NUMBER_TEXT + 2)] = "";
	size_t len = 0;

	for (unsigned i = 0; i < st->depth; i++) {
		const struct cw_level *level = &st->level[i];
		enum cw_number_kind kind = level->number.kind;
		bool digits = kind == CW_N_DIGITS && level->number.form == CW_F_DOT;

		if (lasting && !level->lasting)
			break;
		if (level->text[0] == '\0' || kind == CW_N_BULLET)
			continue;
		if (kind == CW_N_LABEL || kind == CW_N_DOTTED)
			len = 0;
		bool bare = len == 0 && level->number.form == CW_F_DOT;
		bool point = len > 0 && digits && path[len - 1] != ')';
		if (!bare && !point && kind != CW_N_LABEL && kind != CW_N_DOTTED)
			len = append(path, len, sizeof(path), "(", 1);
		else if (point)
			len = append(path, len, sizeof(path), ".", 1);
		len = append(path, len, sizeof(path), level->text, strlen(level->text));
		if (!bare && !point && kind != CW_N_LABEL && kind != CW_N_DOTTED)
			len = append(path, len, sizeof(path), ")", 1);
	}
	return len ? cw_arena_strndup(arena, path, len) : "";
}
