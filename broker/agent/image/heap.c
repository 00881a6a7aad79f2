/* A heap of a few hundred bytes of code, for the static image only.
 *
 * musl's malloc(3) is a third of what musl adds to the image, for the sake of threads and
 * hardening that a program of one thread which allocates a record per run has little use for.
 * Sizes are rounded up to powers of two from 32 bytes on; a block carries its class in front,
 * and freed ones wait in a list of their class. What is large comes straight from mmap(2) and
 * goes back by munmap(2), so that a buffer which was needed once costs nothing later. The
 * image's tests run on this; sanitizers and valgrind see the host build, which has its C
 * library's heap. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CLASS_FIRST 5 /* 32 bytes */
#define CLASS_LAST 14 /* 16 KiB; above it, pages of its own */
#define ARENA_SIZE (64u * 1024)

/* In front of every block; keeps the alignment of 16. */
struct block {
	size_t size;	    /* with this header */
	struct block *next; /* in its class's list, while free */
};

static struct block *free_blocks[CLASS_LAST + 1];
static uint8_t *arena;
static size_t arena_left;

/* Fresh pages, or NULL with ENOMEM. */
static void *
pages_map(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

/* The class whose blocks hold @size bytes. */
static unsigned
class_of(size_t size)
{
	unsigned class = CLASS_FIRST;

	while ((size_t)1 << class < size)
		class ++;
	return class;
}

/* Cut @size bytes off the arena; what is left of an old one is lost. */
static struct block *
arena_take(size_t size)
{
	struct block *block;

	if (arena_left < size) {
		arena = pages_map(ARENA_SIZE);
		arena_left = arena ? ARENA_SIZE : 0;
		if (!arena)
			return NULL;
	}
	block = (void *)arena;
	arena += size;
	arena_left -= size;
	return block;
}

/* A block of @size bytes with its header. */
static struct block *
block_take(size_t size)
{
	struct block *block;
	unsigned class;

	if (size > (size_t)1 << CLASS_LAST) {
		block = pages_map(size);
	} else {
		class = class_of(size);
		size = (size_t)1 << class;
		block = free_blocks[class];
		if (block)
			free_blocks[class] = block->next;
		else
			block = arena_take(size);
	}
	if (block)
		block->size = size;
	return block;
}

void *
malloc(size_t size)
{
	struct block *block = size < PTRDIFF_MAX ? block_take(size + sizeof(*block)) : NULL;

	if (!block) {
		errno = ENOMEM;
		return NULL;
	}
	return block + 1;
}

void
free(void *memory)
{
	struct block *block;
	unsigned class;

	if (!memory)
		return;
	block = (struct block *)memory - 1;
	if (block->size > (size_t)1 << CLASS_LAST) {
		munmap(block, block->size);
		return;
	}
	class = class_of(block->size);
	block->next = free_blocks[class];
	free_blocks[class] = block;
}

void *
calloc(size_t count, size_t size)
{
	void *memory = size && count > PTRDIFF_MAX / size ? NULL : malloc(count * size);

	return memory ? memset(memory, 0, count * size) : NULL;
}

void *
realloc(void *memory, size_t size)
{
	struct block *block;
	void *moved;
	size_t held;

	if (!memory)
		return malloc(size);
	block = (struct block *)memory - 1;
	held = block->size - sizeof(*block);
	if (size <= held)
		return memory;
	moved = malloc(size);
	if (!moved)
		return NULL;
	memcpy(moved, memory, held);
	free(memory);
	return moved;
}
