// Notes what the file system said to each step that can be won or lost: preloaded into every process of the machines of
// tests/it/torture.rs, which builds it. The program asks the kernel without the C library, so the kernel hands those
// calls to us (seccomp), and we make them in its place. It also plays a share that hangs, for tests/it/hung_share.rs:
// while the file that HANG_WHEN names is there, no such step below HANG_UNDER comes back.
//
// One line each in the file that TORTURE_WITNESS names: when it was asked and when answered (nanoseconds since the
// machine started), which machine asked, call, error number, and the paths.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

// In the sixth argument, which none of these calls has: goes through to the kernel. It holds after an exec too, where
// the filter stays and the library lies elsewhere.
#define PASS 0x5ea11ab1

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define ARG(c, n) ((c)->uc_mcontext.gregs[(const int[]){REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9}[n]])
#define RESULT(c) ((c)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#define ARG(c, n) ((c)->uc_mcontext.regs[n])
#define RESULT(c) ((c)->uc_mcontext.regs[0])
#else
#error "the calls of the program are not known here"
#endif

static int witness = -1;
static char machine[16] = "-", hang_under[512], hang_when[512];

static unsigned long long now(void) {
    struct timespec at;
    clock_gettime(CLOCK_BOOTTIME, &at);
    return (unsigned long long)at.tv_sec * 1000000000ull + (unsigned long long)at.tv_nsec;
}

// The path of a name in a folder that is open.
static void whole(char *to, size_t size, int dir, const char *name) {
    char link[64];
    ssize_t n = 0;
    if (name[0] != '/' && dir != AT_FDCWD) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
        n = readlink(link, to, size - 1);
        if (n < 0) n = 0;
        if ((size_t)n < size - 1) to[n++] = '/';
    }
    snprintf(to + n, size - (size_t)n, "%s", name);
    // A removed folder says so with a blank.
    for (char *at = to; *at; at++)
        if (*at == ' ' || *at == '\n') *at = '?';
}

static void on_call(int signal, siginfo_t *info, void *context) {
    (void)signal;
    ucontext_t *c = context;
    int before_errno = errno;
    long call = info->si_syscall;
    char from[1024] = "-", to[1024] = "-", line[2400];
    const char *what = call == SYS_mkdirat ? "mkdir" : call == SYS_unlinkat ? "rmdir" : call == SYS_openat ? "open" : "rename";
    whole(from, sizeof from, (int)ARG(c, 0), (const char *)ARG(c, 1));
    if (*what == 'r' && what[1] == 'e') whole(to, sizeof to, (int)ARG(c, 2), (const char *)ARG(c, 3));
    while (hang_under[0] && strstr(from, hang_under) && !access(hang_when, F_OK)) {
        struct timespec a_moment = { 0, 10000000 };
        nanosleep(&a_moment, NULL);
    }
    unsigned long long asked = now();
    long done = syscall(call, ARG(c, 0), ARG(c, 1), ARG(c, 2), ARG(c, 3), ARG(c, 4), (long)PASS);
    int error = done == -1 ? errno : 0;
    unsigned long long answered = now();
    int is_ours = strstr(from, "/.workspace_state/epochs/") != NULL;
    // Of openings only what a pen that is gone refused.
    if (*what == 'o') is_ours = is_ours && error && strstr(from, "/pen") != NULL;
    if (is_ours && witness >= 0) {
        int n = snprintf(line, sizeof line, "%llu %llu %s %s %d %s %s\n", asked, answered, machine, what, error, from, to);
        if (write(witness, line, (size_t)n) < 0) { /* Then it is not counted. */ }
    }
    RESULT(c) = error ? -error : done;
    errno = before_errno;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TORTURE_WITNESS"), *under = getenv("HANG_UNDER"), *when = getenv("HANG_WHEN");
    if (!path) return;
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0) return;
    if (under && when) {
        snprintf(hang_under, sizeof hang_under, "%s", under);
        snprintf(hang_when, sizeof hang_when, "%s", when);
    }
    const char *name = getenv("TORTURE_MACHINE");
    if (name) snprintf(machine, sizeof machine, "%s", name);
    // Out of the way of who expects the lowest numbers.
    witness = fcntl(file, F_DUPFD_CLOEXEC, 200);
    close(file);
    struct sigaction action = { .sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER };
    if (sigaction(SIGSYS, &action, NULL)) _exit(99);
    // One that was inherited is enough.
    if (getenv("TORTURE_WITNESS_ON")) return;
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define HAS(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)
    struct sock_filter code[] = {
        LOAD(arch),
        IF(ARCH, 0, 10), // else let it go: 12
        LOAD(nr),
        IF(SYS_renameat2, 6, 0),
#ifdef SYS_renameat
        IF(SYS_renameat, 5, 0),
#else
        IF(SYS_renameat2, 5, 0),
#endif
        IF(SYS_mkdirat, 4, 0),
        IF(SYS_unlinkat, 1, 0),
        IF(SYS_openat, 0, 4), // 7
        LOAD(args[2]),        // 8: flags, of both
        HAS(AT_REMOVEDIR | O_CREAT | O_DIRECTORY, 0, 2),
        LOAD(args[5]), // 10
        IF(PASS, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), // 12
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = { .len = sizeof code / sizeof *code, .filter = code };
    setenv("TORTURE_WITNESS_ON", "1", 1);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) _exit(99);
}
