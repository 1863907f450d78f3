/* fd.h - what every writer of files needs of an open one. Any thread; errno says why something failed. */
#ifndef PIPE_DATA_FD_H
#define PIPE_DATA_FD_H

#include <stdbool.h>
#include <stddef.h>

/* All n bytes, in as many calls as it takes. */
bool fd_write(int fd, const char *p, size_t n);
/* Does the path still name the file? Nobody has removed or replaced it since it was opened. */
bool fd_is_named(int fd, const char *path);

#endif
