#include "broker/image.h"

#include <gio/gio.h>
#include <string.h>

struct AgentImage {
	const char *arch;
};
static const guint8 plain[] = {
#include "broker/agent-image.inc"
};
static const AgentImage native = { "x86_64" };
const AgentImage *
image_find(const char *machine)
{
	return strcmp(machine, "x86_64") == 0 ? &native : NULL;
}
const char *
image_arch(const AgentImage *image)
{
	return image->arch;
}
const guint8 *
image_bytes(const AgentImage *image, gboolean compressed, gsize *ret_size)
{
	static GByteArray *packed;
	if (!compressed) {
		*ret_size = sizeof plain;
		return plain;
	}
	if (packed == NULL) {
		g_autoptr(GZlibCompressor) c = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
		gsize read = 0, written = 0;
		packed = g_byte_array_new();
		g_byte_array_set_size(packed, sizeof plain + 100);
		g_converter_convert(G_CONVERTER(c), plain, sizeof plain, packed->data, packed->len, G_CONVERTER_INPUT_AT_END, &read, &written, NULL);
		g_byte_array_set_size(packed, (guint)written);
	}
	*ret_size = packed->len;
	return packed->data;
}
