/* Records what a loss of power would take back, so that a kill can become one.
 *
 * Preloaded into the server. In: its file operations on one file system (that of KASTELLAN_POWER_ROOT). Out: the journal
 * KASTELLAN_POWER_JOURNAL with what was there before each write, truncation, creation, renaming and removal, and which
 * fsync or fdatasync made it durable; what is overwritten by name is kept as a link in KASTELLAN_POWER_STASH. power.py
 * reads it.
 *
 * While the server runs it changes nothing but how long a sync takes: KASTELLAN_POWER_SYNC_US more. It does not see system calls that bypass the C library (fallocate: only a
 * length with zeros), memory-mapped writes, or directories made and removed: those count as durable at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { WROTE = 'W', SYNCED = 'S', CREATED = 'C', REMOVED = 'U', RENAMED = 'R' };

/* Followed by `len` bytes. */
struct record {
    uint32_t kind, len;
    uint64_t seq;
    uint64_t ino;    /* of the file; of the directory for CREATED, REMOVED, RENAMED */
    uint64_t offset; /* SYNCED: what was recorded before this number is durable */
    uint64_t size;   /* of the file before */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int journal = -1;
static dev_t device;
static uint64_t next_seq;
static const char *stash;
static useconds_t slow; /* what a sync takes */

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_unlink)(const char *);

static void die(const char *what) {
    perror(what);
    _exit(99);
}

static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) die(name);
    return found;
}

__attribute__((constructor)) static void begin(void) {
    real_open = next("open64");
    real_openat = next("openat64");
    real_write = next("write");
    real_writev = next("writev");
    real_pwrite = next("pwrite64");
    real_ftruncate = next("ftruncate64");
    real_fsync = next("fsync");
    real_fdatasync = next("fdatasync");
    real_rename = next("rename");
    real_unlink = next("unlink");
    const char *root = getenv("KASTELLAN_POWER_ROOT"), *path = getenv("KASTELLAN_POWER_JOURNAL");
    stash = getenv("KASTELLAN_POWER_STASH");
    slow = (useconds_t)atoi(getenv("KASTELLAN_POWER_SYNC_US") ? getenv("KASTELLAN_POWER_SYNC_US") : "0");
    struct stat facts;
    struct timespec now;
    if (!root || !path || !stash || stat(root, &facts)) die("power: environment");
    device = facts.st_dev;
    /* Rises over restarts too. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    next_seq = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    journal = real_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (journal < 0) die(path);
}

/* With the lock held. */
static uint64_t note(enum kind kind, uint64_t ino, uint64_t offset, uint64_t size, const void *bytes, size_t len) {
    struct record record = {kind, (uint32_t)len, next_seq++, ino, offset, size};
    struct iovec parts[2] = {{&record, sizeof record}, {(void *)bytes, len}};
    if (real_writev(journal, parts, 2) != (ssize_t)(sizeof record + len)) die("power: journal");
    return record.seq;
}

static int is_ours(int fd, struct stat *facts) {
    return journal >= 0 && fd != journal && !fstat(fd, facts) && facts->st_dev == device;
}

static int is_our_file(int fd, struct stat *facts) { return is_ours(fd, facts) && S_ISREG(facts->st_mode); }

/* What stands where `len` bytes are about to be written. With the lock held. */
static void before(int fd, off_t offset, size_t len) {
    struct stat facts;
    if (fstat(fd, &facts)) die("power: fstat");
    size_t there = 0;
    if (offset < facts.st_size) there = (size_t)(facts.st_size - offset) < len ? (size_t)(facts.st_size - offset) : len;
    char *old = malloc(there + 1);
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int reader = there ? real_open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (!old || (there && (reader < 0 || pread(reader, old, there, offset) != (ssize_t)there))) die("power: old bytes");
    if (reader >= 0) close(reader);
    note(WROTE, facts.st_ino, (uint64_t)offset, (uint64_t)facts.st_size, old, there);
    free(old);
}

static off_t position(int fd, const struct stat *facts) {
    return fcntl(fd, F_GETFL) & O_APPEND ? facts->st_size : lseek(fd, 0, SEEK_CUR);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t offset) {
    struct stat facts;
    if (!is_our_file(fd, &facts)) return real_pwrite(fd, bytes, len, offset);
    pthread_mutex_lock(&lock);
    before(fd, offset, len);
    ssize_t done = real_pwrite(fd, bytes, len, offset);
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset) { return pwrite64(fd, bytes, len, offset); }

ssize_t write(int fd, const void *bytes, size_t len) {
    struct stat facts;
    if (!is_our_file(fd, &facts)) return real_write(fd, bytes, len);
    pthread_mutex_lock(&lock);
    fstat(fd, &facts);
    before(fd, position(fd, &facts), len);
    ssize_t done = real_write(fd, bytes, len);
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    struct stat facts;
    if (!is_our_file(fd, &facts)) return real_writev(fd, parts, count);
    size_t len = 0;
    for (int part = 0; part < count; part++) len += parts[part].iov_len;
    pthread_mutex_lock(&lock);
    fstat(fd, &facts);
    before(fd, position(fd, &facts), len);
    ssize_t done = real_writev(fd, parts, count);
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

int ftruncate64(int fd, off_t size) {
    struct stat facts;
    if (!is_our_file(fd, &facts)) return real_ftruncate(fd, size);
    pthread_mutex_lock(&lock);
    fstat(fd, &facts);
    before(fd, size, size < facts.st_size ? (size_t)(facts.st_size - size) : 0);
    int done = real_ftruncate(fd, size), error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int synced(int fd, int (*real)(int)) {
    struct stat facts;
    if (!is_ours(fd, &facts)) return real(fd);
    pthread_mutex_lock(&lock);
    uint64_t until = next_seq;
    pthread_mutex_unlock(&lock);
    usleep(slow);
    int done = real(fd), error = errno;
    if (!done) {
        pthread_mutex_lock(&lock);
        note(SYNCED, facts.st_ino, until, 0, NULL, 0);
        pthread_mutex_unlock(&lock);
    }
    errno = error;
    return done;
}
int fsync(int fd) { return synced(fd, real_fsync); }
int fdatasync(int fd) { return synced(fd, real_fdatasync); }

/* The directory that holds a name, when it is on our file system; else 0. */
static uint64_t parent(const char *path) {
    char copy[PATH_MAX];
    struct stat facts;
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) return 0;
    char *slash = strrchr(copy, '/');
    if (!slash) strcpy(copy, ".");
    else if (slash == copy) slash[1] = 0;
    else *slash = 0;
    return !stat(copy, &facts) && facts.st_dev == device ? facts.st_ino : 0;
}

/* Keeps what a name stands for, unless the disk is full; gives whether it did. With the lock held. */
static int keep(const char *path, char *kept, size_t room) {
    struct stat facts;
    *kept = 0;
    if (lstat(path, &facts) || !S_ISREG(facts.st_mode)) return 0;
    snprintf(kept, room, "%s/%llu", stash, (unsigned long long)next_seq);
    if (!link(path, kept)) return 1;
    if (errno != ENOSPC) die("power: stash");
    *kept = 0;
    return 0;
}

static int opened(int dir, const char *path, int flags, mode_t mode) {
    struct stat facts;
    uint64_t folder = journal >= 0 && (flags & O_CREAT) && dir == AT_FDCWD ? parent(path) : 0;
    if (!folder && !(journal >= 0 && (flags & O_TRUNC))) return real_openat(dir, path, flags, mode);
    pthread_mutex_lock(&lock);
    int was_there = !fstatat(dir, path, &facts, 0);
    /* Emptied below, so that what is lost is recorded. */
    int fd = real_openat(dir, path, flags & ~O_TRUNC, mode), error = errno;
    if (fd >= 0 && folder && !was_there) note(CREATED, folder, 0, 0, path, strlen(path));
    pthread_mutex_unlock(&lock);
    if (fd >= 0 && (flags & O_TRUNC) && ftruncate64(fd, 0) && errno != EINVAL) die("power: O_TRUNC");
    errno = error;
    return fd;
}

#define MODE(flags, last)                                  \
    mode_t mode = 0;                                       \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {               \
        va_list rest;                                      \
        va_start(rest, last);                              \
        mode = (mode_t)va_arg(rest, int);                  \
        va_end(rest);                                      \
    }
int open64(const char *path, int flags, ...) { MODE(flags, flags) return opened(AT_FDCWD, path, flags, mode); }
int open(const char *path, int flags, ...) { MODE(flags, flags) return opened(AT_FDCWD, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags, flags) return opened(dir, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags, flags) return opened(dir, path, flags, mode); }

int unlink(const char *path) {
    uint64_t folder = parent(path);
    if (!folder) return real_unlink(path);
    char names[2 * PATH_MAX + 2], kept[PATH_MAX];
    pthread_mutex_lock(&lock);
    int was_file = keep(path, kept, sizeof kept), done = real_unlink(path), error = errno;
    if (!done && was_file) {
        int len = snprintf(names, sizeof names, "%s%c%s", path, 0, kept);
        note(REMOVED, folder, 0, 0, names, (size_t)len);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

int rename(const char *from, const char *to) {
    uint64_t folder = parent(to);
    if (!folder) return real_rename(from, to);
    char names[3 * PATH_MAX + 3], kept[PATH_MAX];
    pthread_mutex_lock(&lock);
    keep(to, kept, sizeof kept);
    int done = real_rename(from, to), error = errno;
    if (!done) {
        int len = snprintf(names, sizeof names, "%s%c%s%c%s", from, 0, to, 0, kept);
        note(RENAMED, folder, 0, 0, names, (size_t)len);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}
