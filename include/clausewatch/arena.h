/** @file
 * An arena: memory that lives and dies together, such as everything one analysis found.
 *
 * Not for sharing between threads while allocating; reading what it holds is free for all.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct cw_arena_chunk;

/** All zero is a valid empty arena. */
struct cw_arena {
	struct cw_arena_chunk *head;
	size_t used; /**< bytes handed out of the head chunk */
	size_t total; /**< bytes of all chunks */
};

/** Zeroed memory aligned for any type, or NULL.  Never freed one by one. */
void *cw_arena_alloc(struct cw_arena *arena, size_t size);
/** A NUL-terminated copy of len bytes, or NULL. */
char *cw_arena_strndup(struct cw_arena *arena, const char *text, size_t len);
char *cw_arena_strdup(struct cw_arena *arena, const char *text);
char *cw_arena_printf(struct cw_arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void cw_arena_release(struct cw_arena *arena);

/**
 * Make room for one more element in an array that lives in the arena.
 * @param items  the array or NULL; @param count elements in use; @param cap in/out capacity
 * @return the array, moved if it had to grow, or NULL when out of memory
 */
void *cw_arena_grow(struct cw_arena *arena, void *items, size_t count, size_t *cap, size_t size);
