/* The table of the agent's images: which machine gets which, and that what is sent unpacks to a
 * static program of that machine. */
#include "broker/image.h"
#include "tests/residue.h"

#include <elf.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/utsname.h>

/* What may be in the table, and the ELF header's number for it. */
static const struct {
	const char *machine, *arch;
	guint16 number;
} machines[] = {
	{ "x86_64", "x86_64", EM_X86_64 },    { "amd64", "x86_64", EM_X86_64 },
	{ "aarch64", "aarch64", EM_AARCH64 }, { "arm64", "aarch64", EM_AARCH64 },
	{ "armv7l", "armhf", EM_ARM },	      { "armv8l", "armhf", EM_ARM },
	{ "i386", "i386", EM_386 },	      { "i486", "i386", EM_386 },
	{ "i586", "i386", EM_386 },	      { "i686", "i386", EM_386 },
	{ "riscv64", "riscv64", EM_RISCV },
};

static void
test_find(void)
{
	static const char *const unknown[] = { "", " ", "x86", "x86_64 amd64", "armv7", "m68k" };
	struct utsname own;

	for (guint i = 0; i < G_N_ELEMENTS(unknown); i++)
		g_assert_null(image_find(unknown[i]));
	g_assert_cmpint(uname(&own), ==, 0);
	g_assert_true(image_own() == image_at(0));
	g_assert_true(image_find(own.machine) == image_own());
	for (guint i = 0; i < G_N_ELEMENTS(machines); i++) {
		const AgentImage *image = image_find(machines[i].machine);

		if (image)
			g_assert_cmpstr(image_arch(image), ==, machines[i].arch);
	}
}

/* Every row is found by a machine's name, and is for that machine. */
static void
test_rows(void)
{
	guint found = 0;

	for (guint i = 0; i < G_N_ELEMENTS(machines); i++) {
		const AgentImage *image = image_find(machines[i].machine);
		const Elf32_Ehdr *header;
		gsize size;

		if (!image)
			continue;
		header = (const void *)image_bytes(image, FALSE, &size);
		g_assert_cmpuint(size, >, sizeof(Elf64_Ehdr));
		g_assert_cmpmem(header->e_ident, SELFMAG, ELFMAG, SELFMAG);
		g_assert_cmpuint(header->e_type, ==, ET_EXEC);
		g_assert_cmpuint(header->e_machine, ==, machines[i].number);
	}
	while (image_at(found))
		g_assert_nonnull(image_arch(image_at(found++)));
	g_assert_cmpuint(found, >=, 1);
	g_assert_cmpuint(found, <=, 5);
}

/* A second unpacking is the same, and the compressed bytes are gzip's. */
static void
test_bytes(void)
{
	gsize size, again, packed;
	const guint8 *plain = image_bytes(image_own(), FALSE, &size);
	const guint8 *gzip = image_bytes(image_own(), TRUE, &packed);

	g_assert_true(image_bytes(image_own(), FALSE, &again) == plain);
	g_assert_cmpuint(size, ==, again);
	g_assert_cmpuint(packed, <, size);
	g_assert_cmpuint(gzip[0], ==, 0x1f);
	g_assert_cmpuint(gzip[1], ==, 0x8b);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/image/find", test_find);
	g_test_add_func("/image/rows", test_rows);
	g_test_add_func("/image/bytes", test_bytes);
	return residue_run();
}
