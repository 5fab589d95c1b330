#include "clausewatch/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN ((size_t)16 * 1024)
#define CHUNK_MAX ((size_t)1024 * 1024)

struct cw_arena_chunk {
	struct cw_arena_chunk *next;
	size_t size;
	alignas(max_align_t) unsigned char data[];
};

static struct cw_arena_chunk *add_chunk(struct cw_arena *arena, size_t need)
{
	size_t size = arena->total < CHUNK_MIN ? CHUNK_MIN : arena->total;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (size < need)
		size = need;
	struct cw_arena_chunk *chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->size = size;
	chunk->next = arena->head;
	arena->head = chunk;
	arena->used = 0;
	arena->total += size;
	return chunk;
}

void *cw_arena_alloc(struct cw_arena *arena, size_t size)
{
	size_t align = alignof(max_align_t);

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + align - 1) & ~(align - 1);
	struct cw_arena_chunk *chunk = arena->head;
	if (!chunk || chunk->size - arena->used < size)
		chunk = add_chunk(arena, size);
	if (!chunk)
		return NULL;

	void *at = chunk->data + arena->used;
	arena->used += size;
	return at;
}

char *cw_arena_strndup(struct cw_arena *arena, const char *text, size_t len)
{
	char *copy = cw_arena_alloc(arena, len + 1);

	if (copy && len > 0)
		memcpy(copy, text, len);
	return copy;
}

char *cw_arena_strdup(struct cw_arena *arena, const char *text)
{
	return cw_arena_strndup(arena, text, strlen(text));
}

char *cw_arena_printf(struct cw_arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	char *text = NULL;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0)
		text = cw_arena_alloc(arena, (size_t)n + 1);
	if (text)
		(void)vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}

void *cw_arena_grow(struct cw_arena *arena, void *items, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return items;

	size_t more = *cap ? *cap * 2 : 8;
	if (more > SIZE_MAX / 2 / size)
		return NULL;
	void *bigger = cw_arena_alloc(arena, more * size);
	if (!bigger)
		return NULL;
	if (count > 0)
		memcpy(bigger, items, count * size);
	*cap = more;
	return bigger;
}

void cw_arena_release(struct cw_arena *arena)
{
	while (arena->head) {
		struct cw_arena_chunk *next = arena->head->next;

		free(arena->head);
		arena->head = next;
	}
	*arena = (struct cw_arena){ 0 };
}
