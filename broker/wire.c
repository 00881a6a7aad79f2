/* The wire's frames, put and got.
 *
 * Used at both ends: by the broker's library and by the agent, so it is plain C. Writing goes
 * into a struct wire_out, a buffer that grows up to its limit and takes a frame back that did
 * not fit; reading goes through a struct wire_in, a cursor that cannot leave its payload and
 * remembers that something was wrong. Neither touches a descriptor. Each payload that has a
 * struct is encoded and decoded side by side below: a new field is one line in both. What
 * arrives is untrusted at either end: every count is checked against the bytes that are really
 * there before memory is asked for. */
#include "broker/wire.h"

#include "pty/exitcode.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 4096
#define FRAME_LENGTH 4 /* where in the header the length stands */
#define FRAME_TYPE 8

static uint32_t
load_u32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* Write @size bytes of @value, lowest first. */
static void
store(uint8_t *bytes, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
}

static bool
type_known(uint8_t type)
{
	return (type >= WIRE_SPAWN && type <= WIRE_SWEEP) ||
	       (type >= WIRE_HELLO && type <= WIRE_DONE);
}

int
wire_frame_find(const uint8_t *data, size_t size, struct wire_frame *ret, size_t *ret_used)
{
	uint32_t length;

	if (size < WIRE_HEADER)
		return 0;
	length = load_u32(data + FRAME_LENGTH);
	if (length > WIRE_PAYLOAD_MAX || !type_known(data[FRAME_TYPE]) || data[9] || data[10] ||
	    data[11])
		return -EPROTO;
	if (size - WIRE_HEADER < length)
		return 0;
	*ret = (struct wire_frame){ load_u32(data), data[FRAME_TYPE], length, data + WIRE_HEADER };
	*ret_used = WIRE_HEADER + (size_t)length;
	return 1;
}

void
wire_out_done(struct wire_out *out)
{
	if (out->secret)
		explicit_bzero(out->data, out->size);
	free(out->data);
	*out = (struct wire_out){ .limit = out->limit };
}

void
wire_out_consume(struct wire_out *out, size_t count)
{
	out->size -= count;
	if (out->size)
		memmove(out->data, out->data + count, out->size);
	if (out->secret && count)
		explicit_bzero(out->data + out->size, count);
	out->secret &= out->size > 0;
}

/* As realloc(3), leaving nothing behind. */
static uint8_t *
secret_realloc(const struct wire_out *out, size_t capacity)
{
	uint8_t *data = malloc(capacity);

	if (data && out->data) {
		memcpy(data, out->data, out->size);
		explicit_bzero(out->data, out->size);
		free(out->data);
	}
	return data;
}

uint8_t *
wire_put_space(struct wire_out *out, size_t size)
{
	size_t capacity = out->capacity ? out->capacity : CAPACITY_FIRST;
	uint8_t *place;

	if (out->failed || size > out->limit - out->size)
		goto failed;
	while (capacity < out->size + size)
		capacity *= 2;
	if (capacity > out->limit)
		capacity = out->limit;
	if (capacity != out->capacity) {
		uint8_t *data =
			out->secret ? secret_realloc(out, capacity) : realloc(out->data, capacity);

		if (!data)
			goto failed;
		out->data = data;
		out->capacity = capacity;
	}
	place = out->data + out->size;
	out->size += size;
	return place;
failed:
	out->failed = true;
	return NULL;
}

void
wire_begin(struct wire_out *out, uint32_t channel, enum wire_type type)
{
	uint8_t *header;

	out->frame = out->size;
	out->failed = false;
	header = wire_put_space(out, WIRE_HEADER);
	if (!header)
		return;
	store(header, channel, 4);
	store(header + FRAME_LENGTH, 0, 4);
	store(header + FRAME_TYPE, type, 4); /* and the three zeros */
}

int
wire_end(struct wire_out *out)
{
	size_t length = out->size - out->frame - WIRE_HEADER;

	if (out->failed || length > WIRE_PAYLOAD_MAX) {
		if (out->secret)
			explicit_bzero(out->data + out->frame, out->size - out->frame);
		out->size = out->frame;
		return out->failed ? -ENOMEM : -E2BIG;
	}
	store(out->data + out->frame + FRAME_LENGTH, length, 4);
	return 0;
}

/* Append the @size lowest bytes of @value. */
static void
put_number(struct wire_out *out, uint64_t value, size_t size)
{
	uint8_t *place = wire_put_space(out, size);

	if (place)
		store(place, value, size);
}

void
wire_put_u8(struct wire_out *out, uint8_t value)
{
	put_number(out, value, 1);
}

void
wire_put_u16(struct wire_out *out, uint16_t value)
{
	put_number(out, value, 2);
}

void
wire_put_u32(struct wire_out *out, uint32_t value)
{
	put_number(out, value, 4);
}

void
wire_put_u64(struct wire_out *out, uint64_t value)
{
	put_number(out, value, 8);
}

void
wire_put_bytes(struct wire_out *out, const void *data, size_t size)
{
	uint8_t *place = wire_put_space(out, size);

	if (place && size)
		memcpy(place, data, size);
}

void
wire_put_string(struct wire_out *out, const char *text)
{
	size_t length = strlen(text);

	wire_put_u32(out, (uint32_t)length);
	wire_put_bytes(out, text, length + 1);
}

void
wire_put_list(struct wire_out *out, char *const *list)
{
	uint32_t count = 0;

	while (list && list[count])
		count++;
	wire_put_u32(out, count);
	for (uint32_t i = 0; i < count; i++)
		wire_put_string(out, list[i]);
}

void
wire_in_init(struct wire_in *in, const struct wire_frame *frame)
{
	*in = (struct wire_in){ frame->payload, frame->payload + frame->length, false };
}

static size_t
in_left(const struct wire_in *in)
{
	return in->failed ? 0 : (size_t)(in->end - in->next);
}

/* The next @size bytes, or NULL and failed. */
static const uint8_t *
in_take(struct wire_in *in, size_t size)
{
	const uint8_t *place = in->next;

	if (in->failed || size > in_left(in)) {
		in->failed = true;
		return NULL;
	}
	in->next += size;
	return place;
}

/* A number of @size bytes, or 0. */
static uint64_t
get_number(struct wire_in *in, size_t size)
{
	const uint8_t *place = in_take(in, size);
	uint64_t value = 0;

	for (size_t i = 0; place && i < size; i++)
		value |= (uint64_t)place[i] << (8 * i);
	return value;
}

uint8_t
wire_get_u8(struct wire_in *in)
{
	return (uint8_t)get_number(in, 1);
}

uint16_t
wire_get_u16(struct wire_in *in)
{
	return (uint16_t)get_number(in, 2);
}

uint32_t
wire_get_u32(struct wire_in *in)
{
	return (uint32_t)get_number(in, 4);
}

uint64_t
wire_get_u64(struct wire_in *in)
{
	return get_number(in, 8);
}

/* A u8 that is 0 or 1. */
static bool
get_bool(struct wire_in *in)
{
	uint8_t value = wire_get_u8(in);

	if (value > 1)
		in->failed = true;
	return value == 1;
}

const char *
wire_get_string(struct wire_in *in)
{
	uint32_t length = wire_get_u32(in);
	const uint8_t *place;

	if (length >= in_left(in)) { /* the NUL behind it counts too */
		in->failed = true;
		return "";
	}
	place = in_take(in, (size_t)length + 1);
	if (!place || memchr(place, '\0', (size_t)length + 1) != place + length) {
		in->failed = true;
		return "";
	}
	return (const char *)place;
}

/* A count of things that take at least @least bytes each, at most WIRE_LIST_MAX of them. */
static uint32_t
get_count(struct wire_in *in, size_t least)
{
	uint32_t count = wire_get_u32(in);

	if (count > WIRE_LIST_MAX || count > in_left(in) / least) {
		in->failed = true;
		return 0;
	}
	return count;
}

/* As wire_get_list(), but tells malformed from out of memory: 0, -EPROTO or -ENOMEM. */
static int
get_list(struct wire_in *in, char ***ret)
{
	uint32_t count = get_count(in, 5);
	char **list;

	if (in->failed)
		return -EPROTO;
	list = malloc(((size_t)count + 1) * sizeof(*list));
	if (!list) {
		in->failed = true;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++)
		list[i] = (char *)wire_get_string(in);
	list[count] = NULL;
	if (in->failed) {
		free(list);
		return -EPROTO;
	}
	*ret = list;
	return 0;
}

char **
wire_get_list(struct wire_in *in)
{
	char **list = NULL;

	return get_list(in, &list) < 0 ? NULL : list;
}

const uint8_t *
wire_get_rest(struct wire_in *in, size_t *ret_size)
{
	*ret_size = in_left(in);
	return in_take(in, *ret_size);
}

int
wire_in_finish(const struct wire_in *in)
{
	return in->failed || in->next != in->end ? -EPROTO : 0;
}

static void
put_rlimits(struct wire_out *out, const struct spawn_spec *spec)
{
	wire_put_u32(out, (uint32_t)spec->rlimit_count);
	for (size_t i = 0; i < spec->rlimit_count; i++) {
		const struct rlimit_setting *setting = &spec->rlimits[i];

		wire_put_string(out, setting->name);
		wire_put_u64(out, setting->soft);
		wire_put_u64(out, setting->hard);
		wire_put_u8(out, setting->has_hard);
	}
}

static int
get_rlimits(struct wire_in *in, struct spawn_spec *spec)
{
	uint32_t count = get_count(in, 22);
	struct rlimit_setting *settings;

	if (in->failed)
		return -EPROTO;
	settings = calloc((size_t)count + 1, sizeof(*settings));
	if (!settings)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		settings[i].name = wire_get_string(in);
		settings[i].soft = wire_get_u64(in);
		settings[i].hard = wire_get_u64(in);
		settings[i].has_hard = get_bool(in);
	}
	spec->rlimits = settings;
	spec->rlimit_count = count;
	return in->failed ? -EPROTO : 0;
}

void
wire_put_spawn(struct wire_out *out, const struct wire_spawn *spawn)
{
	const struct spawn_spec *spec = &spawn->spec;

	wire_put_string(out, spec->file);
	wire_put_list(out, spec->argv);
	wire_put_list(out, spec->unset_env);
	wire_put_list(out, spec->set_env);
	put_rlimits(out, spec);
	wire_put_u8(out, spec->preexec);
	wire_put_u8(out, spec->clear_env);
	wire_put_u8(out, spec->pty);
	wire_put_u8(out, spawn->hand_over);
	wire_put_u8(out, spawn->client);
	wire_put_u8(out, spawn->ask);
	wire_put_string(out, spec->cwd ? spec->cwd : "");
	wire_put_string(out, spec->affinity ? spec->affinity : "");
	wire_put_u32(out, (uint32_t)spec->umask);
	wire_put_u32(out, (uint32_t)spec->nice);
	wire_put_u32(out, (uint32_t)spec->oom);
	wire_put_u16(out, spec->columns);
	wire_put_u16(out, spec->rows);
	wire_put_u32(out, spawn->group);
	wire_put_u32(out, spawn->run);
	wire_put_u32(out, spawn->grace_ms);
}

/* The three lists and the limits: what must be freed. */
static int
get_spawn_arrays(struct wire_in *in, struct spawn_spec *spec)
{
	int result = get_list(in, &spec->argv);

	if (result == 0)
		result = get_list(in, &spec->unset_env);
	if (result == 0)
		result = get_list(in, &spec->set_env);
	if (result == 0)
		result = get_rlimits(in, spec);
	if (result == 0 && !spec->argv[0])
		result = -EPROTO;
	return result;
}

int
wire_get_spawn(struct wire_in *in, struct wire_spawn *ret)
{
	struct spawn_spec *spec = &ret->spec;
	int result;

	*ret = (struct wire_spawn){ 0 };
	spec->file = wire_get_string(in);
	result = get_spawn_arrays(in, spec);
	if (result < 0) {
		wire_spawn_done(ret);
		return result;
	}
	spec->preexec = get_bool(in);
	spec->clear_env = get_bool(in);
	spec->pty = get_bool(in);
	ret->hand_over = get_bool(in);
	ret->client = get_bool(in);
	ret->ask = get_bool(in);
	spec->cwd = wire_get_string(in);
	spec->affinity = wire_get_string(in);
	spec->umask = (int)wire_get_u32(in);
	spec->nice = (int)wire_get_u32(in);
	spec->oom = (int)wire_get_u32(in);
	spec->columns = wire_get_u16(in);
	spec->rows = wire_get_u16(in);
	ret->group = wire_get_u32(in);
	ret->run = wire_get_u32(in);
	ret->grace_ms = wire_get_u32(in);
	result = wire_in_finish(in);
	if (result < 0)
		wire_spawn_done(ret);
	return result;
}

void
wire_spawn_done(struct wire_spawn *spawn)
{
	struct spawn_spec *spec = &spawn->spec;

	free(spec->argv);
	free(spec->unset_env);
	free(spec->set_env);
	free((void *)spec->rlimits);
	spec->argv = spec->unset_env = spec->set_env = NULL;
	spec->rlimits = NULL;
	spec->rlimit_count = 0;
}

void
wire_put_hello(struct wire_out *out, const struct wire_hello *hello)
{
	wire_put_u32(out, hello->version);
	wire_put_string(out, hello->host);
	wire_put_string(out, hello->user);
	wire_put_string(out, hello->home);
	wire_put_u32(out, hello->uid);
	wire_put_u32(out, hello->pid);
	wire_put_string(out, hello->sysname);
	wire_put_string(out, hello->release);
	wire_put_string(out, hello->machine);
	wire_put_string(out, hello->shell);
	wire_put_u8(out, hello->shell_found);
	wire_put_u32(out, hello->cpus);
	wire_put_u64(out, hello->pty_max);
	wire_put_u64(out, hello->pty_used);
	wire_put_u64(out, hello->process_limit);
	wire_put_u32(out, hello->signal_count);
	for (uint32_t i = 0; i < hello->signal_count; i++) {
		wire_put_u32(out, hello->signals[i].number);
		wire_put_string(out, hello->signals[i].name);
	}
}

static int
get_signals(struct wire_in *in, struct wire_hello *ret)
{
	uint32_t count = get_count(in, 9);

	if (in->failed)
		return -EPROTO;
	ret->signals = calloc((size_t)count + 1, sizeof(*ret->signals));
	if (!ret->signals)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		ret->signals[i].number = wire_get_u32(in);
		ret->signals[i].name = wire_get_string(in);
	}
	ret->signal_count = count;
	return wire_in_finish(in);
}

int
wire_get_hello(struct wire_in *in, struct wire_hello *ret)
{
	int result;

	*ret = (struct wire_hello){ 0 };
	ret->version = wire_get_u32(in);
	ret->host = wire_get_string(in);
	ret->user = wire_get_string(in);
	ret->home = wire_get_string(in);
	ret->uid = wire_get_u32(in);
	ret->pid = wire_get_u32(in);
	ret->sysname = wire_get_string(in);
	ret->release = wire_get_string(in);
	ret->machine = wire_get_string(in);
	ret->shell = wire_get_string(in);
	ret->shell_found = get_bool(in);
	ret->cpus = wire_get_u32(in);
	ret->pty_max = wire_get_u64(in);
	ret->pty_used = wire_get_u64(in);
	ret->process_limit = wire_get_u64(in);
	result = get_signals(in, ret);
	if (result < 0) {
		free(ret->signals);
		ret->signals = NULL;
		ret->signal_count = 0;
	}
	return result;
}

void
wire_put_exit(struct wire_out *out, const struct wire_exit *ended)
{
	wire_put_u8(out, ended->why);
	wire_put_u32(out, ended->status);
	wire_put_string(out, ended->signal ? ended->signal : "");
	wire_put_u8(out, ended->core);
	wire_put_u64(out, ended->real_usec);
	wire_put_u64(out, ended->user_usec);
	wire_put_u64(out, ended->system_usec);
	wire_put_u64(out, ended->maxrss_kib);
}

int
wire_get_exit(struct wire_in *in, struct wire_exit *ret)
{
	ret->why = wire_get_u8(in);
	ret->status = wire_get_u32(in);
	ret->signal = wire_get_string(in);
	ret->core = get_bool(in);
	ret->real_usec = wire_get_u64(in);
	ret->user_usec = wire_get_u64(in);
	ret->system_usec = wire_get_u64(in);
	ret->maxrss_kib = wire_get_u64(in);
	if (ret->why != EXIT_WHY_EXIT && ret->why != EXIT_WHY_SIGNAL)
		in->failed = true;
	return wire_in_finish(in);
}
