/* The table of the agent's images.
 *
 * agent-images.inc is written by broker/agent/embed-images while mitofs is built: the bytes of each
 * image as gzip left them, and the rows of the table. Which architectures are in it is decided by
 * what that build found (scripts/foreign). Only compressed bytes are kept in the program, since
 * most images are only sent; one that is executed here is unpacked when it is first asked for,
 * and kept. */
#include "broker/image.h"

#include <gio/gio.h>
#include <string.h>

struct AgentImage {
	const char *arch;
	const char *machines; /* what `uname -m` may say there, with blanks between */
	gsize size;
	const guint8 *gzip;
	gsize gzip_size;
	guint8 *plain; /* NULL until it was asked for */
};

#include "broker/agent-images.inc"

/* Whether @word is one of @words. */
static gboolean
words_hold(const char *words, const char *word)
{
	gsize length = strlen(word);

	for (; *words; words += strspn(words, " ")) {
		gsize held = strcspn(words, " ");

		if (held == length && !strncmp(words, word, length))
			return TRUE;
		words += held;
	}
	return FALSE;
}

const AgentImage *
image_find(const char *machine)
{
	for (guint i = 0; i < G_N_ELEMENTS(images); i++)
		if (words_hold(images[i].machines, machine))
			return &images[i];
	return NULL;
}

const AgentImage *
image_own(void)
{
	return &images[0];
}

const AgentImage *
image_at(guint index)
{
	return index < G_N_ELEMENTS(images) ? &images[index] : NULL;
}

const char *
image_arch(const AgentImage *image)
{
	return image->arch;
}

/* The unpacked bytes of @image, for g_free(). They are a part of this program: it is broken if
 * they cannot be had. */
static guint8 *
image_unpack(const AgentImage *image)
{
	g_autoptr(GZlibDecompressor) gzip = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
	guint8 *plain = g_malloc(image->size);
	gsize taken, written;

	if (g_converter_convert(G_CONVERTER(gzip), image->gzip, image->gzip_size, plain,
				image->size, G_CONVERTER_INPUT_AT_END, &taken, &written,
				NULL) != G_CONVERTER_FINISHED ||
	    written != image->size)
		g_error("the agent's image for %s cannot be unpacked", image->arch);
	return plain;
}

gsize
image_size(const AgentImage *image, gboolean compressed)
{
	return compressed ? image->gzip_size : image->size;
}

const guint8 *
image_bytes(const AgentImage *image, gboolean compressed, gsize *ret_size)
{
	struct AgentImage *row = &images[image - images];

	*ret_size = image_size(image, compressed);
	if (compressed)
		return row->gzip;
	if (!row->plain)
		row->plain = image_unpack(row);
	return row->plain;
}
