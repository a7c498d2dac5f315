// Makes the n-th file-system call of this process fail, as the system would: preloaded by tests/it/faults.rs, which
// builds it. Some calls (see RAW) are made without the C library; those the kernel hands back to us (seccomp).
// Only calls on paths that contain "handmill-faults-" count, and on files opened by them. It is steered
// through names that no file has:
//   unlink("/handmill-fault/arm/<n>/<errno>/<0 once | 1 from then on>")   begin to count anew
//   readlink("/handmill-fault/seen")                                     calls counted; then off
// A process that cannot steer it is armed from its start by HANDMILL_TEST_FAULTS_HERE=<n>/<errno>; there threads and
// sockets are refused as well, and the file that HANDMILL_TEST_FAULTS_MET names is made when the call failed.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#define FILES_MAX 65536
static atomic_int is_ours[FILES_MAX];
static atomic_long seen;
static atomic_long nth;
static atomic_int error, sticky;
// Armed from the start: everything counts that is told apart below.
static int is_armed;
static char met[4096];

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

// Not inlined: the headers promise that some paths are never NULL, and callers who probe for a call pass NULL.
static __attribute__((noipa)) int ours(const char *path) { return path && strstr(path, "handmill-faults-") != NULL; }
static __attribute__((noipa)) int is_empty(const char *path) { return path && !*path; }
static int ours_fd(int fd) { return fd >= 0 && fd < FILES_MAX && atomic_load(&is_ours[fd]); }

// True when this call is to fail.
static int fails(void) {
    long n = atomic_load(&nth);
    if (n == 0) return 0;
    long at = atomic_fetch_add(&seen, 1) + 1;
    if (at == n || (at > n && atomic_load(&sticky))) {
        if (*met) syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, met, O_CREAT | O_WRONLY, 0600));
        errno = atomic_load(&error);
        return 1;
    }
    return 0;
}

static void opened(int fd, const char *path) {
    if (fd >= 0 && fd < FILES_MAX) atomic_store(&is_ours[fd], ours(path));
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list args; va_start(args, flags); mode_t mode = va_arg(args, int); va_end(args); \
        if (ours(path) && fails()) return -1; \
        int fd = real(path, flags, mode); opened(fd, path); return fd; \
    }
OPEN(open)
OPEN(open64)
#define OPENAT(name) \
    int name(int dir, const char *path, int flags, ...) { \
        REAL(name); \
        va_list args; va_start(args, flags); mode_t mode = va_arg(args, int); va_end(args); \
        if ((ours(path) || ours_fd(dir)) && fails()) return -1; \
        int fd = real(dir, path, flags, mode); \
        if (fd >= 0 && fd < FILES_MAX) atomic_store(&is_ours[fd], ours(path) || ours_fd(dir)); \
        return fd; \
    }
OPENAT(openat)
OPENAT(openat64)

#define ON_FD(type, name, params, args) \
    type name params { REAL(name); if (ours_fd(fd) && fails()) return -1; return real args; }
ON_FD(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))
ON_FD(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
ON_FD(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o))
ON_FD(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
ON_FD(ssize_t, read, (int fd, void *b, size_t n), (fd, b, n))
ON_FD(ssize_t, pread, (int fd, void *b, size_t n, off_t o), (fd, b, n, o))
ON_FD(ssize_t, pread64, (int fd, void *b, size_t n, off64_t o), (fd, b, n, o))
ON_FD(int, fsync, (int fd), (fd))
ON_FD(int, fdatasync, (int fd), (fd))
ON_FD(int, ftruncate, (int fd, off_t n), (fd, n))
ON_FD(int, ftruncate64, (int fd, off64_t n), (fd, n))

int close(int fd) {
    REAL(close);
    if (fd >= 0 && fd < FILES_MAX) atomic_store(&is_ours[fd], 0);
    return real(fd);
}

// It closes the file inside the C library.
int closedir(DIR *folder) {
    REAL(closedir);
    int fd = dirfd(folder);
    if (fd >= 0 && fd < FILES_MAX) atomic_store(&is_ours[fd], 0);
    return real(folder);
}

#define ON_PATH(type, name, params, args, bad) \
    type name params { REAL(name); if (ours(path) && fails()) return bad; return real args; }
ON_PATH(int, rename, (const char *path, const char *to), (path, to), -1)
ON_PATH(int, link, (const char *path, const char *to), (path, to), -1)
ON_PATH(int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
ON_PATH(int, rmdir, (const char *path), (path), -1)
ON_PATH(int, chmod, (const char *path, mode_t mode), (path, mode), -1)
ON_PATH(int, stat, (const char *path, struct stat *to), (path, to), -1)
ON_PATH(int, lstat, (const char *path, struct stat *to), (path, to), -1)
ON_PATH(int, stat64, (const char *path, struct stat64 *to), (path, to), -1)
ON_PATH(int, lstat64, (const char *path, struct stat64 *to), (path, to), -1)
ON_PATH(DIR *, opendir, (const char *path), (path), NULL)

int linkat(int a, const char *path, int b, const char *to, int flags) {
    REAL(linkat);
    if (ours(path) && fails()) return -1;
    return real(a, path, b, to, flags);
}

int unlinkat(int dir, const char *path, int flags) {
    REAL(unlinkat);
    if ((ours(path) || ours_fd(dir)) && fails()) return -1;
    return real(dir, path, flags);
}

int statx(int dir, const char *restrict path, int flags, unsigned mask, struct statx *restrict to) {
    REAL(statx);
    if ((ours(path) || (is_empty(path) && ours_fd(dir))) && fails()) return -1;
    return real(dir, path, flags, mask, to);
}

int unlink(const char *path) {
    REAL(unlink);
    long n; int e, s;
    if (sscanf(path, "/handmill-fault/arm/%ld/%d/%d", &n, &e, &s) == 3) {
        atomic_store(&nth, 0);
        atomic_store(&seen, 0);
        atomic_store(&error, e);
        atomic_store(&sticky, s);
        atomic_store(&nth, n);
        return 0;
    }
    if (ours(path) && fails()) return -1;
    return real(path);
}

ssize_t readlink(const char *restrict path, char *restrict to, size_t len) {
    REAL(readlink);
    if (!strcmp(path, "/handmill-fault/seen")) {
        atomic_store(&nth, 0);
        char text[32];
        int n = snprintf(text, sizeof text, "%ld", atomic_load(&seen));
        if ((size_t)n > len) n = (int)len;
        memcpy(to, text, (size_t)n);
        return n;
    }
    if (ours(path) && fails()) return -1;
    return real(path, to, len);
}

// --- What only a process that is armed from its start is refused.

#define WHEN_ARMED(type, name, params, args) \
    type name params { REAL(name); if (is_armed && fails()) return -1; return real args; }
WHEN_ARMED(int, socket, (int domain, int kind, int protocol), (domain, kind, protocol))
WHEN_ARMED(int, socketpair, (int domain, int kind, int protocol, int to[2]), (domain, kind, protocol, to))
WHEN_ARMED(int, listen, (int fd, int n), (fd, n))
WHEN_ARMED(int, flock, (int fd, int how), (fd, how))
WHEN_ARMED(ssize_t, recv, (int fd, void *b, size_t n, int flags), (fd, b, n, flags))
WHEN_ARMED(ssize_t, send, (int fd, const void *b, size_t n, int flags), (fd, b, n, flags))

#undef bind
int bind(int fd, __CONST_SOCKADDR_ARG at, socklen_t len) {
    REAL(bind);
    if (is_armed && fails()) return -1;
    return real(fd, at, len);
}

int accept4(int fd, __SOCKADDR_ARG at, socklen_t *restrict len, int flags) {
    REAL(accept4);
    if (is_armed && fails()) return -1;
    return real(fd, at, len, flags);
}

int pthread_create(pthread_t *restrict t, const pthread_attr_t *restrict a, void *(*run)(void *), void *restrict arg) {
    REAL(pthread_create);
    if (is_armed && fails()) return errno;
    return real(t, a, run, arg);
}

__attribute__((constructor)) static void arm_from_the_start(void) {
    const char *order = getenv("HANDMILL_TEST_FAULTS_HERE"), *file = getenv("HANDMILL_TEST_FAULTS_MET");
    long n; int e;
    if (!order || !file || sscanf(order, "%ld/%d", &n, &e) != 2) return;
    snprintf(met, sizeof met, "%s", file);
    // What it starts is as it ever was.
    unsetenv("LD_PRELOAD");
    unsetenv("HANDMILL_TEST_FAULTS_HERE");
    is_armed = 1;
    atomic_store(&error, e);
    atomic_store(&nth, n);
}

// --- Calls without the C library.

// What the first arguments are: a file, a path, or a folder and a path.
enum { FILE_FIRST, PATH_FIRST, PATH_SECOND };
static const struct { int call, kind; } RAW[] = {
    { SYS_renameat2, PATH_SECOND }, { SYS_faccessat, PATH_SECOND }, { SYS_faccessat2, PATH_SECOND },
    { SYS_fchmod, FILE_FIRST }, { SYS_fchown, FILE_FIRST }, { SYS_fsetxattr, FILE_FIRST },
    { SYS_getxattr, PATH_FIRST }, { SYS_listxattr, PATH_FIRST },
#ifdef SYS_access
    { SYS_access, PATH_FIRST },
#endif
};
#define RAW_N ((int)(sizeof RAW / sizeof *RAW))

// The one place from which such a call goes through to the kernel.
long raw_call(long call, long a, long b, long c, long d, long e, long f);
extern const char raw_call_begin[], raw_call_end[];
#if defined(__x86_64__)
__asm__(".text\n.globl raw_call, raw_call_begin, raw_call_end\nraw_call_begin:\nraw_call:\n"
        "mov %rdi,%rax\nmov %rsi,%rdi\nmov %rdx,%rsi\nmov %rcx,%rdx\nmov %r8,%r10\nmov %r9,%r8\nmov 8(%rsp),%r9\n"
        "syscall\nret\nraw_call_end:\n");
#define ARCH AUDIT_ARCH_X86_64
#define ARG(c, n) ((c)->uc_mcontext.gregs[(const int[]){REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9}[n]])
#define RESULT(c) ((c)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
__asm__(".text\n.globl raw_call, raw_call_begin, raw_call_end\nraw_call_begin:\nraw_call:\n"
        "mov x8,x0\nmov x0,x1\nmov x1,x2\nmov x2,x3\nmov x3,x4\nmov x4,x5\nmov x5,x6\nsvc #0\nret\nraw_call_end:\n");
#define ARCH AUDIT_ARCH_AARCH64
#define ARG(c, n) ((c)->uc_mcontext.regs[n])
#define RESULT(c) ((c)->uc_mcontext.regs[0])
#else
#error "the calls that are made without the C library are not known here"
#endif

static void on_raw(int signal, siginfo_t *info, void *context) {
    (void)signal;
    ucontext_t *c = context;
    int before = errno, kind = FILE_FIRST;
    long call = info->si_syscall;
    for (int i = 0; i < RAW_N; i++)
        if (RAW[i].call == call) kind = RAW[i].kind;
    int concerns_us = kind == FILE_FIRST  ? ours_fd((int)ARG(c, 0))
                      : kind == PATH_FIRST ? ours((const char *)ARG(c, 0))
                                           : ours((const char *)ARG(c, 1)) || ours_fd((int)ARG(c, 0));
    if (concerns_us && fails()) RESULT(c) = -errno;
    else RESULT(c) = raw_call(call, ARG(c, 0), ARG(c, 1), ARG(c, 2), ARG(c, 3), ARG(c, 4), ARG(c, 5));
    errno = before;
}

// A process that starts others leaves this out: they would inherit the filter without the handler.
__attribute__((constructor)) static void catch_raw_calls(void) {
    if (!getenv("HANDMILL_TEST_FAULTS_RAW")) return;
    struct sigaction action = { .sa_sigaction = on_raw, .sa_flags = SA_SIGINFO | SA_NODEFER };
    struct sock_filter code[RAW_N + 16];
    uintptr_t begin = (uintptr_t)raw_call_begin, end = (uintptr_t)raw_call_end;
    unsigned n = 0;
#define PUT(...) code[n++] = (struct sock_filter) __VA_ARGS__
#define LOAD(field, more) PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field) + (more)))
    LOAD(arch, 0);
    PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 0, RAW_N + 1));
    LOAD(nr, 0);
    for (int i = 0; i < RAW_N; i++) PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RAW[i].call, RAW_N - i, 0));
    PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    LOAD(instruction_pointer, 4);
    PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(begin >> 32), 0, 3));
    LOAD(instruction_pointer, 0);
    PUT(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)begin, 0, 1));
    PUT(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)end, 0, 1));
    PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
    PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    struct sock_fprog program = { .len = (unsigned short)n, .filter = code };
    if (sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("calls without the C library cannot be made to fail here");
        _exit(1);
    }
}
