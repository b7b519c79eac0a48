// Session: what a worker knows of one accepted connection, whatever protocol it speaks.
#pragma once

#include "lbcore/deadline_table.h"
#include "lbnet/stream.h"

namespace lb::net {

class Session {
 public:
  // A deadline of the session's own (see Worker::set_deadline) has passed.
  virtual void deadline_passed(DeadlineKind kind) = 0;
  // The daemon is stopping: finish what is under way, start nothing new.
  virtual void drain() = 0;
  // The grace is over: end now.
  virtual void abort() = 0;

 protected:
  ~Session() = default;
};

using SessionId = SlotId<struct SessionTag>;

}  // namespace lb::net
