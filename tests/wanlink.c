/* A link to a host far away, for kernels that cannot emulate one: two TUN devices, and this
 * process as the wire between them.
 *
 *	wanlink NEAR FAR COMMANDS ANSWERS
 *
 * The device NEAR is made in the network namespace that this process is started in, FAR in a new
 * one that is its own from then on: /proc/PID/ns/net leads there. When it ends, so does all of it.
 * COMMANDS and ANSWERS are FIFOs. A line that is read from the one is answered by a line on the
 * other once it holds, "ok" or "?"; the first "ok" comes unasked, when both devices are there.
 *
 *	delay MS	each way; packets keep their order
 *	loss PERCENT	of the packets, each way
 *	rate KBPS	in kilobytes a second, each way; 0: no limit
 *	cut		no packet arrives any more, those under way neither
 *	join		they do
 *
 * Packets that exceed what the wire holds are dropped, as a router does. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define WIRE_PACKETS 4096
#define COMMAND_MAX 256

typedef struct Packet {
	gint64 due; /* microseconds, CLOCK_MONOTONIC */
	GBytes *bytes;
} Packet;

/* One of the two directions. */
typedef struct Way {
	int from, to;	/* descriptors of TUN devices */
	GQueue *wire;	/* of Packet, by due */
	gint64 free_at; /* when the last one will have been put on the wire */
} Way;

static double delay_ms, loss_percent, rate_kbps;
static gboolean is_cut;

static void
packet_free(Packet *packet)
{
	g_bytes_unref(packet->bytes);
	g_free(packet);
}

/* Make a TUN device in the present namespace. */
static int
tun_open(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	g_strlcpy(request.ifr_name, name, IFNAMSIZ);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
		g_error("TUN device %s: %s", name, g_strerror(errno));
	return fd;
}

/* When a packet of this size arrives that is sent now. */
static gint64
way_due(Way *way, gsize size)
{
	gint64 now = g_get_monotonic_time();
	way->free_at = MAX(way->free_at, now);
	if (rate_kbps > 0)
		way->free_at += (gint64)((double)size * 1000 / rate_kbps);
	const Packet *last = g_queue_peek_tail(way->wire);
	gint64 due = way->free_at + (gint64)(delay_ms * 1000);
	return last != NULL ? MAX(due, last->due) : due;
}

/* Put what has been sent on the wire. */
static void
way_take(Way *way)
{
	char buffer[65536];
	ssize_t size;
	while ((size = read(way->from, buffer, sizeof(buffer))) > 0) {
		if (is_cut || g_random_double_range(0, 100) < loss_percent ||
		    g_queue_get_length(way->wire) >= WIRE_PACKETS)
			continue;
		Packet *packet = g_new(Packet, 1);
		packet->due = way_due(way, (gsize)size);
		packet->bytes = g_bytes_new(buffer, (gsize)size);
		g_queue_push_tail(way->wire, packet);
	}
}

/* Deliver what is due. Returns when the next one is; G_MAXINT64: never. */
static gint64
way_give(Way *way)
{
	const Packet *first;
	while ((first = g_queue_peek_head(way->wire)) != NULL) {
		if (first->due > g_get_monotonic_time())
			return first->due;
		gsize size;
		const void *data = g_bytes_get_data(first->bytes, &size);
		/* A device that is down refuses it: then it is lost. */
		if (write(way->to, data, size) < 0 && errno != EAGAIN && errno != EIO)
			g_printerr("wanlink: %s\n", g_strerror(errno));
		packet_free(g_queue_pop_head(way->wire));
	}
	return G_MAXINT64;
}

static void
way_clear(Way *way)
{
	g_queue_clear_full(way->wire, (GDestroyNotify)(void *)packet_free);
}

/* Do what a line says; FALSE if it says nothing that we know. */
static gboolean
obey(const char *line, Way ways[2])
{
	const struct {
		const char *word;
		double *value;
	} numbers[] = { { "delay ", &delay_ms },
			{ "loss ", &loss_percent },
			{ "rate ", &rate_kbps } };
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
		if (g_str_has_prefix(line, numbers[i].word)) {
			*numbers[i].value = g_ascii_strtod(line + strlen(numbers[i].word), NULL);
			return TRUE;
		}
	if (strcmp(line, "cut") != 0 && strcmp(line, "join") != 0)
		return FALSE;
	is_cut = strcmp(line, "cut") == 0;
	for (int i = 0; i < 2 && is_cut; i++)
		way_clear(&ways[i]);
	return TRUE;
}

static void
answer(int fd, gboolean ok)
{
	const char *line = ok ? "ok\n" : "?\n";
	if (write(fd, line, strlen(line)) < 0)
		g_error("answer: %s", g_strerror(errno));
}

/* Read commands and answer each: a write of a line to a FIFO arrives in one piece. */
static void
commands_read(int commands, int answers, Way ways[2])
{
	char buffer[COMMAND_MAX];
	ssize_t size = read(commands, buffer, sizeof(buffer) - 1);
	if (size <= 0)
		return;
	buffer[size] = '\0';
	g_auto(GStrv) lines = g_strsplit(buffer, "\n", 0);
	for (guint i = 0; lines[i] != NULL; i++)
		if (*lines[i] != '\0')
			answer(answers, obey(lines[i], ways));
}

static void G_GNUC_NORETURN
carry(int commands, int answers, Way ways[2])
{
	struct pollfd polls[] = { { ways[0].from, POLLIN, 0 },
				  { ways[1].from, POLLIN, 0 },
				  { commands, POLLIN, 0 } };
	for (;;) {
		gint64 next = way_give(&ways[0]), other = way_give(&ways[1]);
		gint64 left = MAX(MIN(next, other) - g_get_monotonic_time(), 0);
		struct timespec wait = { left / G_USEC_PER_SEC, left % G_USEC_PER_SEC * 1000 };
		gboolean idle = next == G_MAXINT64 && other == G_MAXINT64;
		if (ppoll(polls, G_N_ELEMENTS(polls), idle ? NULL : &wait, NULL) <= 0)
			continue;
		if (polls[2].revents != 0)
			commands_read(commands, answers, ways);
		for (int i = 0; i < 2; i++)
			if (polls[i].revents != 0)
				way_take(&ways[i]);
	}
}

int
main(int argc, char **argv)
{
	if (argc != 5) {
		g_printerr("usage: wanlink NEAR FAR COMMANDS ANSWERS\n");
		return 2;
	}
	/* For reading and writing, so that they never end. */
	int commands = open(argv[3], O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int answers = open(argv[4], O_RDWR | O_CLOEXEC);
	if (commands < 0 || answers < 0)
		g_error("%s, %s: %s", argv[3], argv[4], g_strerror(errno));
	int near_end = tun_open(argv[1]);
	if (unshare(CLONE_NEWNET) != 0)
		g_error("network namespace: %s", g_strerror(errno));
	int far_end = tun_open(argv[2]);
	Way ways[2] = { { near_end, far_end, g_queue_new(), 0 },
			{ far_end, near_end, g_queue_new(), 0 } };
	answer(answers, TRUE);
	carry(commands, answers, ways);
}
