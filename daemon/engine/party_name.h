/** @file
 * Names of companies and persons in flattened text.  Internal to the engine.
 *
 * All texts end with NUL or lie in one that does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** A name where it stands in the text. */
struct cw_name {
	const char *start, *end;
	bool entity; /**< has a corporate ending */
};

/**
 * Read a name at p.  It ends before a description, a bracket, a comma that no corporate ending
 * follows, or the end of the line.
 */
bool cw_name_read(const char *p, struct cw_name *out);
/** A company that writes itself small: "acme.com, inc.". */
bool cw_name_read_small(const char *p, struct cw_name *out);
/** Can it be the name of a party rather than a heading, an address, a date? */
bool cw_name_good(const struct cw_name *name);
/** Length of a corporate ending at text with its full stop, 0 when there is none. */
size_t cw_name_ending(const char *text);
/** Bytes of the word at p: letters, digits and what stands inside names. */
size_t cw_name_word_len(const char *p);
/** Could the word begin a name: a capital or a digit among its first letters? */
bool cw_name_word(const char *p, size_t len);
/** Length of a name without its corporate ending: "Acme Cloud" of "Acme Cloud, Inc.". */
size_t cw_name_stem(const char *name);

/** Does the text begin with one of the words? */
bool cw_one_of(const char *text, const char *const *words, size_t count);
#define CW_ONE_OF(text, words) cw_one_of(text, words, sizeof(words) / sizeof(*(words)))
