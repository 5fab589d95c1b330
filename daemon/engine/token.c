#include "token.h"

#include <endian.h>
#include <string.h>

#include "scan.h"
#include "words.h"

#define HASH_SEED UINT64_C(0xcbf29ce484222325)
#define HASH_STEP UINT64_C(0x9e3779b97f4a7c15)

enum stop { STOP_NONE, STOP_DOT, STOP_SURE };

struct lexer {
	struct cw_scan scan;
	struct cw_arena *arena;
	struct cw_toks *toks;
	const unsigned char *units;
	const unsigned char *s;
	uint32_t at, to;
	uint32_t end; /* of the last token's bytes, markup not counted */
	uint32_t depth; /* of parentheses */
	unsigned pend; /* flags for the next token */
	enum stop stop;
	bool space; /* white space since the full stop */
	bool touching; /* nothing visible since the last token */
	bool spaced; /* white space or nothing before this byte */
	bool ref; /* the last "(a)" was a reference */
	unsigned char last; /* last visible byte that is no space */
	size_t first; /* index of the first token of this stretch */
};

/*
 * A word is hashed in chunks of eight folded bytes, the last one padded with zeros: one
 * multiplication for most words, and the same result however the bytes arrive.
 */
struct hasher {
	uint64_t hash, chunk;
	unsigned filled; /* bits of chunk */
};

static inline uint64_t hash_chunk(uint64_t hash, uint64_t chunk)
{
	hash = (hash ^ chunk) * HASH_STEP;
	return hash ^ hash >> 32;
}

static inline void hash_byte(struct hasher *h, unsigned char c)
{
	h->chunk |= (uint64_t)c << h->filled;
	h->filled += 8;
	if (h->filled == 64) {
		h->hash = hash_chunk(h->hash, h->chunk);
		h->chunk = 0;
		h->filled = 0;
	}
}

static inline uint64_t hash_end(const struct hasher *h)
{
	uint64_t hash = hash_chunk(h->hash, h->chunk) * UINT64_C(0xd6e8feb86659fd93);

	return hash ^ hash >> 29;
}

uint64_t cw_word_hash(const char *folded, size_t len)
{
	struct hasher h = { .hash = HASH_SEED };

	for (size_t i = 0; i < len; i++)
		hash_byte(&h, (unsigned char)folded[i]);
	return hash_end(&h);
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* High bit of every byte of x, all below 0x80, that is at least c. */
static inline uint64_t at_least(uint64_t x, unsigned char c)
{
	return (x + EACH(0x80u - c)) & EACH(0x80u);
}

/* Eight bytes of text as a word sees them. */
struct eight {
	uint64_t folded;
	uint64_t upper, lower; /* high bit of each capital and small letter in the run */
	unsigned run; /* letters and digits at the start */
};

static inline struct eight eight_at(const unsigned char *s)
{
	struct eight e;
	uint64_t x;

	memcpy(&x, s, sizeof(x));
	x = le64toh(x);
	uint64_t plain = x & EACH(0x7fu), small = plain | EACH(0x20u);
	uint64_t letter = at_least(small, 'a') & ~at_least(small, 'z' + 1) & ~x;
	uint64_t digit = at_least(plain, '0') & ~at_least(plain, '9' + 1) & ~x;
	uint64_t stop = ~(letter | digit) & EACH(0x80u);
	uint64_t keep = stop ? (stop & -stop) - 1 : UINT64_MAX;

	e.run = stop ? (unsigned)__builtin_ctzll(stop) / 8 : 8;
	if (e.run < 8)
		keep = (UINT64_C(1) << e.run * 8) - 1;
	e.lower = letter & x << 2 & keep;
	e.upper = letter & ~(x << 2) & keep;
	e.folded = (x | e.upper >> 2) & keep;
	return e;
}

static inline bool is_letter(unsigned char c)
{
	return (unsigned)((c | 0x20) - 'a') < 26;
}

static inline bool is_digit(unsigned char c)
{
	return (unsigned)(c - '0') < 10;
}

static unsigned kind_of(const struct lexer *lx, const struct cw_tok *tok)
{
	return cw_word_kind((const char *)lx->s + tok->start, tok->len);
}

/* Does the full stop seen before this token end a sentence? */
static bool starts_sentence(const struct lexer *lx, const struct cw_tok *tok)
{
	const struct cw_tok *prev = tok - 1;
	unsigned char c = lx->s[tok->start];
	bool small = c >= 'a' && c <= 'z';

	if (small && !(lx->stop == STOP_SURE && (lx->pend & CW_TOK_QUOTE)))
		return false;
	if (!lx->space)
		return (tok->flags & (CW_TOK_CAP | CW_TOK_UPPER)) == CW_TOK_CAP && tok->len > 1 &&
		       prev->len > 2 && !(prev->flags & (CW_TOK_CAP | CW_TOK_NUM));
	if (lx->stop == STOP_SURE)
		return true;
	if ((prev->flags & CW_TOK_NUM) && (prev->flags & CW_TOK_SENT))
		return false;

	unsigned next = kind_of(lx, tok);
	if (prev->len == 1 && !(prev->flags & CW_TOK_NUM))
		return (next & CW_W_OPENER) && tok->len > 1;
	unsigned kind = kind_of(lx, prev);
	if (kind & CW_W_ABBR)
		return false;
	if (kind & CW_W_FIRM)
		return next & CW_W_OPENER;
	if (kind & CW_W_ABBR_NUM)
		return !(tok->flags & CW_TOK_NUM) && tok->len > 1;
	return true;
}

static int push(struct lexer *lx, uint64_t hash, uint32_t start, uint32_t end, unsigned flags)
{
	struct cw_toks *toks = lx->toks;

	if (toks->count == toks->cap) {
		struct cw_tok *more =
			cw_arena_grow(lx->arena, toks->at, toks->count, &toks->cap, sizeof(*more));
		if (!more)
			return CW_ENOMEM;
		toks->at = more;
	}
	struct cw_tok *tok = &toks->at[toks->count];
	uint32_t len = end - start;
	*tok = (struct cw_tok){ hash, start, (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX),
				(uint16_t)flags };
	if (toks->count == lx->first || (lx->stop && starts_sentence(lx, tok))) {
		tok->flags |= CW_TOK_SENT;
		lx->depth = 0;
	}
	tok->flags |= (uint16_t)(lx->pend | (lx->depth ? CW_TOK_PAREN : 0));
	toks->count++;
	lx->pend = 0;
	lx->stop = STOP_NONE;
	lx->touching = true;
	lx->spaced = false;
	return CW_OK;
}

/* After an apostrophe inside a word: 0 word goes on, 1 possessive 's, 2 the word ended before. */
static int apostrophe(const struct lexer *lx, uint32_t next)
{
	unsigned char c = next < lx->to ? lx->s[next] : ' ';
	unsigned char after = next + 1 < lx->to ? lx->s[next + 1] : ' ';

	/* 0xc2 and 0xe2 begin spaces and punctuation, not letters */
	bool ends = after < 0x80 ? lx->units[after] != CW_U_WORD : after == 0xc2 || after == 0xe2;
	if ((c | 0x20) == 's' && ends)
		return 1;
	return is_letter(c) || (c >= 0xc3 && c != 0xe2) ? 0 : 2;
}

/* One word or number that starts at lx->at, which is a letter or digit. */
static int word(struct lexer *lx)
{
	const unsigned char *s = lx->s;
	const uint32_t to = lx->to;
	uint32_t i = lx->at, start = i, end = i;
	struct hasher hash = { .hash = HASH_SEED };
	unsigned ups = 0, flags = 0;
	bool number = is_digit(s[i]), small = false;

	while (to - i >= 8) {
		struct eight e = eight_at(s + i);

		ups += (e.upper != 0) + ((e.upper & (e.upper - 1)) != 0);
		small |= e.lower != 0;
		end = i += e.run;
		hash.chunk = e.folded;
		if (e.run < 8) {
			hash.filled = e.run * 8;
			break;
		}
		hash.hash = hash_chunk(hash.hash, e.folded);
		hash.chunk = 0;
	}
	for (;;) {
		unsigned c = i < to ? s[i] : ' ';
		uint32_t len = 1, rune = 0;
		unsigned unit = lx->units[c];

		if (unit == CW_U_WORD) {
			unsigned up = (c - 'A') < 26u;

			ups += up;
			small |= c >= 'a';
			hash_byte(&hash, (unsigned char)(c | up << 5));
			end = ++i;
			continue;
		}
		if (i >= to || unit == CW_U_SPACE)
			break;
		if (unit == CW_U_SPECIAL)
			unit = cw_scan_special(&lx->scan, i, &len, &rune);
		if (unit == CW_U_NONE) {
			i += len;
			continue;
		}
		if (unit == CW_U_WORD) {
			char utf8[4];
			unsigned n = rune ? cw_scan_encode(rune, utf8) : len;
			const char *bytes = rune ? utf8 : (const char *)s + i;

			for (unsigned k = 0; k < n; k++)
				hash_byte(&hash, (unsigned char)bytes[k]);
			small = true;
			end = i += len;
			continue;
		}
		if (number && (unit == CW_U_DOT || unit == CW_U_COMMA) && i + len < to &&
		    is_digit(s[i + len])) {
			hash_byte(&hash, unit == CW_U_DOT ? '.' : ',');
			i += len;
			continue;
		}
		if (unit == CW_U_APOS) {
			int how = apostrophe(lx, i + len);

			if (how == 0) {
				hash_byte(&hash, '\'');
				i += len;
				continue;
			}
			if (how == 1) {
				flags |= CW_TOK_POSS;
				i += len + 1;
			} else if ((s[end - 1] | 0x20) == 's') {
				flags |= CW_TOK_POSS;
				i += len;
			}
		}
		break;
	}
	flags |= number ? CW_TOK_NUM : 0;
	flags |= s[start] >= 'A' && s[start] <= 'Z' ? CW_TOK_CAP : 0;
	flags |= ups >= 2 && !small && !number ? CW_TOK_UPPER : 0;
	lx->last = s[end - 1];
	lx->at = i;
	return push(lx, hash_end(&hash), start, end, flags);
}

/* Length of "(a)", "(iv)", "(12)" at `at`, 0 when it is none. */
static uint32_t enumerator_len(const struct lexer *lx, uint32_t at, bool *out_digits)
{
	const unsigned char *s = lx->s + at + 1;
	uint32_t room = lx->to - at - 1, n = 0;
	bool roman = true;

	while (n < room && n < 6 && (is_letter(s[n]) || is_digit(s[n]))) {
		roman = roman && strchr("ivxIVX", s[n]);
		n++;
	}
	if (n == 0 || n >= room || s[n] != ')')
		return 0;
	*out_digits = is_digit(s[0]);
	if (*out_digits)
		return n <= 2 && is_digit(s[n - 1]) ? n + 2 : 0;
	return n == 1 || roman || (n == 2 && s[0] == s[1]) ? n + 2 : 0;
}

/* Skip "(a)" when it counts items; "(s)" after a word too.  False: it is a parenthesis. */
static bool enumerator(struct lexer *lx)
{
	bool digits = false;
	uint32_t len = enumerator_len(lx, lx->at, &digits);

	if (len == 0)
		return false;
	if (!lx->spaced) {
		if (!lx->touching || len != 3 || (lx->s[lx->at + 1] | 0x20) != 's')
			return false;
		lx->at += len;
		return true;
	}
	if (lx->toks->count > lx->first) {
		unsigned kind = kind_of(lx, &lx->toks->at[lx->toks->count - 1]);
		bool plain = is_letter(lx->last) || is_digit(lx->last);

		lx->ref = (plain && (kind & CW_W_REF)) ||
			  (lx->ref && (kind & CW_W_LINK || lx->last == ',' || lx->last == ')'));
		if (lx->ref || (digits && plain && !(kind & CW_W_LINK)))
			return false;
	}
	lx->at += len;
	lx->pend |= CW_TOK_SOFT;
	lx->touching = false;
	return true;
}

static bool opens_quote(const struct lexer *lx, uint32_t next)
{
	return next < lx->to && lx->s[next] > ' ' && (lx->spaced || lx->last == '(');
}

/* A unit that is no word, `len` bytes at lx->at. */
static void other(struct lexer *lx, unsigned unit, uint32_t len)
{
	switch (unit) {
	case CW_U_NONE:
		lx->at += len;
		return;
	case CW_U_SPACE:
		lx->space = lx->spaced = true;
		lx->touching = false;
		lx->at += len;
		return;
	case CW_U_DOT:
		if (lx->stop == STOP_NONE)
			lx->space = false;
		lx->stop = lx->touching ? STOP_DOT : STOP_SURE;
		break;
	case CW_U_STOP:
		lx->space = false;
		lx->stop = STOP_SURE;
		break;
	case CW_U_COMMA:
		lx->pend |= CW_TOK_COMMA;
		lx->stop = STOP_NONE;
		break;
	case CW_U_SOFT:
		lx->pend |= CW_TOK_SOFT;
		break;
	case CW_U_LPAREN:
		if (enumerator(lx))
			return;
		lx->depth++;
		break;
	case CW_U_RPAREN:
		lx->depth -= lx->depth > 0;
		break;
	case CW_U_APOS:
	case CW_U_QUOTE:
		if (opens_quote(lx, lx->at + len))
			lx->pend |= CW_TOK_QUOTE;
		break;
	case CW_U_OPENQ:
		lx->pend |= CW_TOK_QUOTE;
		break;
	case CW_U_MONEY:
		lx->pend |= CW_TOK_MONEY;
		break;
	default:
		break;
	}
	lx->last = lx->s[lx->at];
	lx->at += len;
	lx->touching = lx->spaced = false;
}

int cw_tokenise(struct cw_arena *arena, const char *text, uint32_t from, uint32_t to,
		enum cw_format format, struct cw_toks *toks)
{
	struct lexer lx = { .arena = arena,
			    .toks = toks,
			    .s = (const unsigned char *)text,
			    .at = from,
			    .to = to,
			    .spaced = true,
			    .first = toks->count };
	int ret = CW_OK;

	lx.units = cw_scan_init(&lx.scan, text, to, format == CW_FORMAT_MARKDOWN);
	while (lx.at < to && ret == CW_OK) {
		unsigned unit = lx.units[lx.s[lx.at]];
		uint32_t len = 1, rune = 0;

		if (unit == CW_U_SPACE) {
			lx.space = lx.spaced = true;
			lx.touching = false;
			lx.at++;
			continue;
		}
		if (unit == CW_U_SPECIAL)
			unit = cw_scan_special(&lx.scan, lx.at, &len, &rune);
		if (unit == CW_U_WORD)
			ret = word(&lx);
		else
			other(&lx, unit, len);
	}
	return ret;
}

/* Brackets of links, borders of cells, and underscores that are not inside a word. */
static bool is_markup(const char *text, uint32_t at, uint32_t from, uint32_t to)
{
	const unsigned char *s = (const unsigned char *)text;

	if (s[at] == '[' || s[at] == ']' || s[at] == '|')
		return true;
	return s[at] == '_' &&
	       (at == from || at + 1 == to || cw_units_text[s[at - 1]] != CW_U_WORD ||
		cw_units_text[s[at + 1]] != CW_U_WORD);
}

static void put_unit(struct cw_buf *out, size_t start, unsigned unit, const char *bytes,
		     uint32_t len, bool *gap)
{
	if (unit == CW_U_NONE)
		return;
	if (unit == CW_U_SPACE || (len > 1 && bytes[0] == '<')) {
		*gap = true;
		return;
	}
	if (*gap && out->len > start)
		cw_buf_putc(out, ' ');
	*gap = false;
	cw_buf_put(out, bytes, len);
}

void cw_plain_text(const char *text, uint32_t from, uint32_t to, enum cw_format format,
		   struct cw_buf *out)
{
	bool markdown = format == CW_FORMAT_MARKDOWN, gap = false;
	struct cw_scan scan;
	const unsigned char *units = cw_scan_init(&scan, text, to, markdown);
	size_t start = out->len;

	for (uint32_t i = from; i < to;) {
		unsigned char c = (unsigned char)text[i];
		unsigned unit = units[c];
		uint32_t len = 1, rune = 0, run = i;

		while (run < to && units[(unsigned char)text[run]] == CW_U_WORD)
			run++;
		if (run > i) {
			put_unit(out, start, CW_U_WORD, text + i, run - i, &gap);
			i = run;
			continue;
		}
		if (unit == CW_U_SPECIAL)
			unit = cw_scan_special(&scan, i, &len, &rune);
		if (markdown && rune == 0 && is_markup(text, i, from, to))
			unit = c == '|' ? CW_U_SPACE : CW_U_NONE;
		if (c >= 0x80 && len == 1)
			unit = CW_U_SPACE;
		if (rune) {
			char utf8[4];
			unsigned n = cw_scan_encode(rune, utf8);

			if (rune == '<')
				put_unit(out, start, CW_U_WORD, "<", 1, &gap);
			else
				put_unit(out, start, unit, utf8, n, &gap);
		} else {
			put_unit(out, start, unit, text + i, len, &gap);
		}
		i += len;
	}
}
