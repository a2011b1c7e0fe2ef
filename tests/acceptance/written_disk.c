/* Preloaded into a process: journals every write, sync and change of a name below $WRITTEN_ROOT to $WRITTEN_JOURNAL.
   An entry: operation (1 byte), inode (8), offset (8), length of the path (4), length of the data (4), path, data. */
#define _GNU_SOURCE
#include <dlfcn.h>
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
#include <unistd.h>

#define MAX_FD 4096
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t inode_of[MAX_FD];
static int journal = -1;

static int is_below_root(const char *path) {
    const char *root = getenv("WRITTEN_ROOT");
    return root != NULL && path != NULL && strncmp(path, root, strlen(root)) == 0;
}

static void note(char op, uint64_t inode, uint64_t offset, const char *path, const void *data, size_t length) {
    uint32_t lengths[2] = {(uint32_t)strlen(path), (uint32_t)length};
    char head[25];
    if (journal < 0)
        journal = NEXT(open64)(getenv("WRITTEN_JOURNAL"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    head[0] = op;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, lengths, 8);
    struct iovec parts[3] = {{head, 25}, {(void *)path, lengths[0]}, {(void *)data, length}};
    if (writev(journal, parts, 3) != (ssize_t)(25 + lengths[0] + length))
        abort();
}

static int opened(int fd) {
    char link[64], path[PATH_MAX];
    struct stat status;
    if (fd < 0 || fd >= MAX_FD)
        return fd;
    inode_of[fd] = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return fd;
    path[length] = 0;
    if (!is_below_root(path) || fstat(fd, &status) != 0)
        return fd;
    pthread_mutex_lock(&lock);
    inode_of[fd] = status.st_ino;
    note(S_ISDIR(status.st_mode) ? 'd' : 'o', status.st_ino, (uint64_t)status.st_size, path, "", 0);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list a; va_start(a, flags); mode = va_arg(a, mode_t); va_end(a); }
int open(const char *path, int flags, ...) { MODE return opened(NEXT(open)(path, flags, mode)); }
int open64(const char *path, int flags, ...) { MODE return opened(NEXT(open64)(path, flags, mode)); }
int openat(int at, const char *path, int flags, ...) { MODE return opened(NEXT(openat)(at, path, flags, mode)); }
int openat64(int at, const char *path, int flags, ...) { MODE return opened(NEXT(openat64)(at, path, flags, mode)); }

int close(int fd) {
    if (fd >= 0 && fd < MAX_FD)
        inode_of[fd] = 0;
    return NEXT(close)(fd);
}

static int is_known(int fd) { return fd >= 0 && fd < MAX_FD && inode_of[fd] != 0; }

/* The entry and the call are one step, so that the journal has the order in which the disk was written. */
#define JOURNALLED(type, call, op, offset, data, length) \
    if (!is_known(fd)) return call; \
    pthread_mutex_lock(&lock); \
    type result = call; \
    if (result >= 0) note(op, inode_of[fd], (uint64_t)(offset), "", data, length); \
    pthread_mutex_unlock(&lock); \
    return result;

ssize_t write(int fd, const void *data, size_t length) {
    JOURNALLED(ssize_t, NEXT(write)(fd, data, length), 'w', lseek(fd, 0, SEEK_CUR) - result, data, (size_t)result)
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
    JOURNALLED(ssize_t, NEXT(pwrite)(fd, data, length, at), 'w', at, data, (size_t)result)
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    JOURNALLED(ssize_t, NEXT(pwrite64)(fd, data, length, at), 'w', at, data, (size_t)result)
}
int ftruncate(int fd, off_t size) { JOURNALLED(int, NEXT(ftruncate)(fd, size), 't', size, "", 0) }
int ftruncate64(int fd, off64_t size) { JOURNALLED(int, NEXT(ftruncate64)(fd, size), 't', size, "", 0) }

/* What is written through a mapped page shows at the sync: a small file is journalled whole then. */
static int synced(int fd, int result) {
    char content[4096];
    struct stat status;
    ssize_t length = 0;
    if (result != 0 || !is_known(fd))
        return result;
    pthread_mutex_lock(&lock);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= (off_t)sizeof content)
        length = pread(fd, content, sizeof content, 0);
    note('s', inode_of[fd], 0, "", content, length > 0 ? (size_t)length : 0);
    pthread_mutex_unlock(&lock);
    return result;
}
int fsync(int fd) { return synced(fd, NEXT(fsync)(fd)); }
int fdatasync(int fd) { return synced(fd, NEXT(fdatasync)(fd)); }

static int renamed(const char *from, const char *to, int result) {
    if (result == 0 && is_below_root(to)) {
        pthread_mutex_lock(&lock);
        note('r', 0, 0, from, to, strlen(to));
        pthread_mutex_unlock(&lock);
    }
    return result;
}
int rename(const char *from, const char *to) { return renamed(from, to, NEXT(rename)(from, to)); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(from, to, NEXT(renameat)(a, from, b, to)); }

static int unlinked(const char *path, int result) {
    if (result == 0 && is_below_root(path)) {
        pthread_mutex_lock(&lock);
        note('u', 0, 0, path, "", 0);
        pthread_mutex_unlock(&lock);
    }
    return result;
}
int unlink(const char *path) { return unlinked(path, NEXT(unlink)(path)); }
int unlinkat(int at, const char *path, int flags) { return unlinked(path, NEXT(unlinkat)(at, path, flags)); }
