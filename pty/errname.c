/* The errors of this system by name.
 *
 * The numbers of errors differ between systems and even between architectures of one, the names
 * do not: they cross the wire. Every errno of Linux and the BSDs is a row where the system has
 * it; a name that is an alias somewhere (EWOULDBLOCK, EDEADLOCK, ENOTSUP) stands behind its main
 * name, which wins when a number is looked up. Static data only; the names stand in the rows, since
 * every agent carries this table and pointers to them would double it. */
#include "pty/errname.h"

#include "pty/number.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct row {
	uint16_t number;
	char name[16];
};

#define ROW(name)           \
	{                   \
		name, #name \
	}
static const struct row rows[] = {
	ROW(EPERM),
	ROW(ENOENT),
	ROW(ESRCH),
	ROW(EINTR),
	ROW(EIO),
	ROW(ENXIO),
	ROW(E2BIG),
	ROW(ENOEXEC),
	ROW(EBADF),
	ROW(ECHILD),
	ROW(EAGAIN),
	ROW(ENOMEM),
	ROW(EACCES),
	ROW(EFAULT),
	ROW(EBUSY),
	ROW(EEXIST),
	ROW(EXDEV),
	ROW(ENODEV),
	ROW(ENOTDIR),
	ROW(EISDIR),
	ROW(EINVAL),
	ROW(ENFILE),
	ROW(EMFILE),
	ROW(ENOTTY),
	ROW(ETXTBSY),
	ROW(EFBIG),
	ROW(ENOSPC),
	ROW(ESPIPE),
	ROW(EROFS),
	ROW(EMLINK),
	ROW(EPIPE),
	ROW(EDOM),
	ROW(ERANGE),
	ROW(EDEADLK),
	ROW(ENAMETOOLONG),
	ROW(ENOLCK),
	ROW(ENOSYS),
	ROW(ENOTEMPTY),
	ROW(ELOOP),
	ROW(ENOMSG),
	ROW(EIDRM),
	ROW(EPROTO),
	ROW(EBADMSG),
	ROW(EOVERFLOW),
	ROW(EILSEQ),
	ROW(EUSERS),
	ROW(ENOTSOCK),
	ROW(EDESTADDRREQ),
	ROW(EMSGSIZE),
	ROW(EPROTOTYPE),
	ROW(ENOPROTOOPT),
	ROW(EPROTONOSUPPORT),
	ROW(ESOCKTNOSUPPORT),
	ROW(EOPNOTSUPP),
	ROW(EPFNOSUPPORT),
	ROW(EAFNOSUPPORT),
	ROW(EADDRINUSE),
	ROW(EADDRNOTAVAIL),
	ROW(ENETDOWN),
	ROW(ENETUNREACH),
	ROW(ENETRESET),
	ROW(ECONNABORTED),
	ROW(ECONNRESET),
	ROW(ENOBUFS),
	ROW(EISCONN),
	ROW(ENOTCONN),
	ROW(ESHUTDOWN),
	ROW(ETOOMANYREFS),
	ROW(ETIMEDOUT),
	ROW(ECONNREFUSED),
	ROW(EHOSTDOWN),
	ROW(EHOSTUNREACH),
	ROW(EALREADY),
	ROW(EINPROGRESS),
	ROW(ESTALE),
	ROW(EDQUOT),
	ROW(ECANCELED),
	ROW(ENOTSUP),
	ROW(EWOULDBLOCK),
	ROW(ENOTBLK),
#ifdef EOWNERDEAD
	ROW(EOWNERDEAD),
	ROW(ENOTRECOVERABLE),
#endif
#ifdef EMULTIHOP
	ROW(EMULTIHOP),
	ROW(ENOLINK),
#endif
#ifdef ENODATA
	ROW(ENODATA),
#endif
#ifdef EREMOTE
	ROW(EREMOTE),
#endif
#ifdef __linux__
	ROW(ECHRNG),
	ROW(EL2NSYNC),
	ROW(EL3HLT),
	ROW(EL3RST),
	ROW(ELNRNG),
	ROW(EUNATCH),
	ROW(ENOCSI),
	ROW(EL2HLT),
	ROW(EBADE),
	ROW(EBADR),
	ROW(EXFULL),
	ROW(ENOANO),
	ROW(EBADRQC),
	ROW(EBADSLT),
	ROW(EBFONT),
	ROW(ENOSTR),
	ROW(ETIME),
	ROW(ENOSR),
	ROW(ENONET),
	ROW(ENOPKG),
	ROW(EADV),
	ROW(ESRMNT),
	ROW(ECOMM),
	ROW(EDOTDOT),
	ROW(ENOTUNIQ),
	ROW(EBADFD),
	ROW(EREMCHG),
	ROW(ELIBACC),
	ROW(ELIBBAD),
	ROW(ELIBSCN),
	ROW(ELIBMAX),
	ROW(ELIBEXEC),
	ROW(ERESTART),
	ROW(ESTRPIPE),
	ROW(EUCLEAN),
	ROW(ENOTNAM),
	ROW(ENAVAIL),
	ROW(EISNAM),
	ROW(EREMOTEIO),
	ROW(ENOMEDIUM),
	ROW(EMEDIUMTYPE),
	ROW(ENOKEY),
	ROW(EKEYEXPIRED),
	ROW(EKEYREVOKED),
	ROW(EKEYREJECTED),
	ROW(ERFKILL),
	ROW(EHWPOISON),
	ROW(EDEADLOCK),
#endif
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const char *
errno_name(int number)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].number == number)
			return rows[i].name;
	return "EIO";
}

int
errno_number(const char *name)
{
	uint64_t number = 0;

#ifdef ERRNO_USUAL
	(void)number_parse(name, UINT16_MAX, &number);
#endif
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (!strcmp(rows[i].name, name) || rows[i].number == number)
			return rows[i].number;
	return EIO;
}
