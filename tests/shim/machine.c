/* A machine that can lose its power and whose clock can be set: preloaded into
 * a server or a database by the crash suite.
 *
 * CUT_ROOT   folder whose files are on the disk that is watched
 * CUT_IMAGE  folder that gets what would survive: the content of each file as
 *            of its last fsync (i/INODE), and a journal of which names were
 *            made durable. When CUT_IMAGE/cut is there, the power is gone: no
 *            fsync returns any more.
 * CLOCK_FILE eight bytes: seconds that the wall clock is off by.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (64 * 1024)

static char *root, *image;
static size_t root_len;
static volatile int64_t *clock_off;

__attribute__((constructor)) static void begin(void) {
    /* Copies: PostgreSQL writes the titles of its processes over the environment. */
    if ((root = getenv("CUT_ROOT"))) root = strdup(root);
    if ((image = getenv("CUT_IMAGE"))) image = strdup(image);
    root_len = root ? strlen(root) : 0;
    const char *clock = getenv("CLOCK_FILE");
    if (clock) {
        int fd = open(clock, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            void *map = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
            if (map != MAP_FAILED) clock_off = map;
            close(fd);
        }
    }
}

/* ---- the clock ---- */

int clock_gettime(clockid_t id, struct timespec *at) {
    long done = syscall(SYS_clock_gettime, id, at);
    if (done == 0 && clock_off && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        at->tv_sec += *clock_off;
    return (int)done;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

/* ---- the disk ---- */

static void die(const char *what) {
    dprintf(2, "cut shim: %s: %s\n", what, strerror(errno));
    abort();
}

/* A file's number, which is not used again when the file is gone. */
static void number(int at, const char *name, char *into, size_t size) {
    struct statx st;
    int flags = *name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;
    if (statx(at, name, flags, STATX_INO | STATX_BTIME | STATX_TYPE, &st)) {
        snprintf(into, size, "-");
        return;
    }
    char kind = S_ISDIR(st.stx_mode) ? 'd' : 'f';
    snprintf(into, size, "%c%llu-%llu", kind, (unsigned long long)st.stx_ino,
             (unsigned long long)st.stx_btime.tv_sec * 1000000000ULL + st.stx_btime.tv_nsec);
}

static void keep_content(int fd, const char *inode) {
    char own[64], path[PATH_MAX];
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    snprintf(path, sizeof path, "%s/i/%s", image, inode);
    int from = open(own, O_RDONLY | O_CLOEXEC);
    if (from < 0) die("open for reading");
    int to = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (to < 0) die(path);
    static __thread char now[CHUNK], old[CHUNK];
    off_t at = 0;
    for (;;) {
        ssize_t n = pread(from, now, CHUNK, at);
        if (n < 0) die("read");
        if (n == 0) break;
        ssize_t m = pread(to, old, CHUNK, at);
        if (m != n || memcmp(now, old, n))
            if (pwrite(to, now, n, at) != n) die("write");
        at += n;
    }
    if (ftruncate(to, at)) die("truncate");
    close(from);
    close(to);
}

static void keep_names(int journal, const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) return;
    dprintf(journal, "D %s\n", folder + root_len);
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        char inode[64];
        number(dirfd(dir), entry->d_name, inode, sizeof inode);
        dprintf(journal, "E %s %s/%s\n", inode, folder + root_len, entry->d_name);
    }
    closedir(dir);
}

static int synced(int fd, long call) {
    char own[64], path[PATH_MAX], name[PATH_MAX];
    if (!root || !image) return (int)syscall(call, fd);
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(own, path, sizeof path - 1);
    if (n < 0) return (int)syscall(call, fd);
    path[n] = 0;
    if (strncmp(path, root, root_len) || path[root_len] != '/') return (int)syscall(call, fd);

    snprintf(name, sizeof name, "%s/lock", image);
    int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock < 0) die(name);
    while (flock(lock, LOCK_EX))
        if (errno != EINTR) die("lock");
    snprintf(name, sizeof name, "%s/cut", image);
    if (access(name, F_OK) == 0) {
        flock(lock, LOCK_UN);
        for (;;) pause();
    }
    snprintf(name, sizeof name, "%s/journal", image);
    int journal = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (journal < 0) die(name);
    char inode[64];
    number(fd, "", inode, sizeof inode);
    if (*inode == 'd') {
        keep_names(journal, path);
    } else {
        keep_content(fd, inode);
        dprintf(journal, "E %s %s\n", inode, path + root_len);
    }
    close(journal);
    flock(lock, LOCK_UN);
    close(lock);
    return 0;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
