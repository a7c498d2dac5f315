// Makes the n-th file-system call of this process fail, as the system would: preloaded by tests/it/faults.rs, which
// builds it. Only calls on paths that contain "handmill-faults-" count, and on files opened by them. It is steered
// through names that no file has:
//   unlink("/handmill-fault/arm/<n>/<errno>/<0 once | 1 from then on>")   begin to count anew
//   readlink("/handmill-fault/seen")                                     calls counted; then off
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES_MAX 65536
static atomic_int is_ours[FILES_MAX];
static atomic_long seen;
static atomic_long nth;
static atomic_int error, sticky;

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

#define ON_PATH(type, name, params, args, bad) \
    type name params { REAL(name); if (ours(path) && fails()) return bad; return real args; }
ON_PATH(int, rename, (const char *path, const char *to), (path, to), -1)
ON_PATH(int, link, (const char *path, const char *to), (path, to), -1)
ON_PATH(int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
ON_PATH(int, rmdir, (const char *path), (path), -1)
ON_PATH(int, access, (const char *path, int mode), (path, mode), -1)
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
