// The kernel's side of AioQueue, as a table: a test puts a kernel of its own there, which takes less than it is given,
// refuses, or signals late. Plain function pointers; results as libaio gives them, a count or -errno.
#pragma once

#include <libaio.h>
#include <sys/eventfd.h>

namespace minod {

struct AioCalls {
  int (*setup)(int depth, io_context_t* context) = &::io_setup;
  int (*destroy)(io_context_t context) = &::io_destroy;
  int (*submit)(io_context_t context, long count, iocb** requests) = &::io_submit;
  int (*get_events)(io_context_t context, long least, long most, io_event* events, timespec* timeout) = &::io_getevents;
  int (*read_signals)(int event_fd, eventfd_t* count) = &::eventfd_read;
  bool reads_ring = true;  // completions may be taken from the ring that the kernel maps, without a system call
};

}  // namespace minod
