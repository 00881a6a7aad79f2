/* Resource limits by name. */
#include "pty/rlimits.h"
#include "tests/residue.h"

#include <sys/resource.h>
#include <unistd.h>

static void
test_resource(void)
{
	g_assert_cmpint(rlimit_resource("nofile"), ==, RLIMIT_NOFILE);
	g_assert_cmpint(rlimit_resource("core"), ==, RLIMIT_CORE);
	g_assert_cmpint(rlimit_resource("nproc"), ==, RLIMIT_NPROC);
	g_assert_cmpint(rlimit_resource("rttime"), ==, RLIMIT_RTTIME);
	g_assert_cmpint(rlimit_resource("NOFILE"), ==, -EINVAL);
	g_assert_cmpint(rlimit_resource(""), ==, -EINVAL);
}

static const struct {
	const char *text;
	int result;
	guint64 soft, hard;
	gboolean has_hard;
} parses[] = {
	{ "0", 0, 0, 0, FALSE },
	{ "1024", 0, 1024, 0, FALSE },
	{ "1024:4096", 0, 1024, 4096, TRUE },
	{ "4096:4096", 0, 4096, 4096, TRUE },
	{ "unlimited", 0, RLIMIT_UNLIMITED, 0, FALSE },
	{ "1:unlimited", 0, 1, RLIMIT_UNLIMITED, TRUE },
	{ "unlimited:unlimited", 0, RLIMIT_UNLIMITED, RLIMIT_UNLIMITED, TRUE },
	{ "18446744073709551614", 0, G_MAXUINT64 - 1, 0, FALSE },
	{ "2:1", -EINVAL },
	{ "unlimited:1", -EINVAL },
	{ "", -EINVAL },
	{ ":", -EINVAL },
	{ "1:", -EINVAL },
	{ ":1", -EINVAL },
	{ "-1", -EINVAL },
	{ "1k", -EINVAL },
	{ "1:2:3", -EINVAL },
	{ " 1", -EINVAL },
	{ "unlimitedx", -EINVAL },
	{ "unlim", -EINVAL },
	{ "0x10", -EINVAL },
	{ "18446744073709551616", -EINVAL },
};

static void
test_parse(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(parses); i++) {
		struct rlimit_setting setting = { .name = "core" };

		g_test_message("%s", parses[i].text);
		g_assert_cmpint(rlimit_parse(parses[i].text, &setting), ==, parses[i].result);
		g_assert_cmpstr(setting.name, ==, "core");
		g_assert_cmpuint(setting.soft, ==, parses[i].soft);
		g_assert_cmpuint(setting.hard, ==, parses[i].hard);
		g_assert_cmpint(setting.has_hard, ==, parses[i].has_hard);
	}
}

/* In a child, since limits cannot be put back: what @setting makes of the limit of message
 * queues. */
static int
apply_in_child(const struct rlimit_setting *setting, struct rlimit *ret)
{
	struct {
		long result; /* and no padding */
		struct rlimit limit;
	} answer;
	int ends[2];
	pid_t pid;

	g_assert_no_errno(pipe(ends));
	pid = fork();
	if (pid == 0) {
		answer.result = rlimit_apply(setting);
		getrlimit(RLIMIT_MSGQUEUE, &answer.limit);
		_exit(write(ends[1], &answer, sizeof(answer)) != sizeof(answer));
	}
	close(ends[1]);
	g_assert_cmpint(read(ends[0], &answer, sizeof(answer)), ==, sizeof(answer));
	close(ends[0]);
	g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
	*ret = answer.limit;
	return (int)answer.result;
}

static void
test_apply(void)
{
	struct rlimit before, after;

	g_assert_no_errno(getrlimit(RLIMIT_MSGQUEUE, &before));
	g_assert_cmpint(
		apply_in_child(&(struct rlimit_setting){ "msgqueue", 64, 0, false }, &after), ==,
		0);
	g_assert_cmpuint(after.rlim_cur, ==, 64);
	g_assert_cmpuint(after.rlim_max, ==, before.rlim_max);
	g_assert_cmpint(
		apply_in_child(&(struct rlimit_setting){ "msgqueue", 64, 128, true }, &after), ==,
		0);
	g_assert_cmpuint(after.rlim_cur, ==, 64);
	g_assert_cmpuint(after.rlim_max, ==, 128);
	g_assert_cmpint(apply_in_child(&(struct rlimit_setting){ "msgqueue", before.rlim_max + 1, 0,
								 false },
				       &after),
			==, -EINVAL);
	g_assert_cmpint(apply_in_child(&(struct rlimit_setting){ "nosuch", 1, 0, false }, &after),
			==, -EINVAL);
	g_assert_cmpuint(after.rlim_cur, ==, before.rlim_cur);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rlimits/resource", test_resource);
	g_test_add_func("/rlimits/parse", test_parse);
	g_test_add_func("/rlimits/apply", test_apply);
	return residue_run();
}
