/* What is left after a power cut, for a program run under LD_PRELOAD: each fsync or fdatasync of a file
 * below PC_ROOT copies it to PC_SHADOW, the sync of a folder makes removals last. After SIGKILL the shadow
 * is all that a disk need have kept: nothing that was written and not synced.
 *
 * PC_FORGETS=SUFFIX: syncs of files that end so leave no copy: a disk that loses them, as SQLite's log is lost
 * that is not synced with each commit. PC_COUNT: a file of eight bytes that counts the syncs.
 * PC_FAILS: while this file exists every sync of a file below PC_ROOT fails with EIO.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

/* The path of fd below PC_ROOT, without it: "" for the root itself; NULL if it lies elsewhere. */
static const char *below_root(int fd, char path[PATH_MAX]) {
    const char *root = getenv("PC_ROOT");
    char link[64];
    if (!root) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    size_t start = strlen(root);
    if (strncmp(path, root, start) || (path[start] && path[start] != '/')) return NULL;
    return path[start] ? path + start + 1 : path + start;
}

static void forget_removed(const char *root, const char *shadow) {
    DIR *folder = opendir(shadow);
    struct dirent *entry;
    char path[PATH_MAX];
    while (folder && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", root, entry->d_name);
        if (!access(path, F_OK)) continue;
        snprintf(path, sizeof path, "%s/%s", shadow, entry->d_name);
        unlink(path);
    }
    if (folder) closedir(folder);
}

static void keep(const char *path, const char *name, const char *shadow) {
    char kept[PATH_MAX], new[PATH_MAX + 8], bytes[1 << 16];
    ssize_t length;
    snprintf(kept, sizeof kept, "%s/%s", shadow, name);
    snprintf(new, sizeof new, "%s.new", kept);
    int in = open(path, O_RDONLY), out = open(new, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while ((length = read(in, bytes, sizeof bytes)) > 0)
        if (write(out, bytes, length) != length) abort();
    close(in);
    close(out);
    rename(new, kept);
}

static void count(void) {
    static volatile uint64_t *counter;
    const char *path = getenv("PC_COUNT");
    if (!path) return;
    if (!counter) {
        int fd = open(path, O_RDWR);
        void *page = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (page == MAP_FAILED) abort();
        counter = page;
    }
    ++*counter;
}

static int synced(int fd, int (*sync)(int)) {
    char path[PATH_MAX];
    struct stat about;
    const char *name = below_root(fd, path), *shadow = getenv("PC_SHADOW");
    const char *forgets = getenv("PC_FORGETS"), *fails = getenv("PC_FAILS");
    if (name && fails && !access(fails, F_OK)) {
        errno = EIO;
        return -1;
    }
    int result = sync(fd);
    if (result || !name || fstat(fd, &about)) return result;
    pthread_mutex_lock(&one);
    count();
    if (shadow && S_ISDIR(about.st_mode)) {
        forget_removed(getenv("PC_ROOT"), shadow);
    } else if (shadow && S_ISREG(about.st_mode) && !strchr(name, '/')) {
        size_t length = strlen(name), end = forgets ? strlen(forgets) : 0;
        if (!forgets || length < end || strcmp(name + length - end, forgets)) keep(path, name, shadow);
    }
    pthread_mutex_unlock(&one);
    return result;
}

int fsync(int fd) {
    return synced(fd, (int (*)(int))dlsym(RTLD_NEXT, "fsync"));
}

int fdatasync(int fd) {
    return synced(fd, (int (*)(int))dlsym(RTLD_NEXT, "fdatasync"));
}
