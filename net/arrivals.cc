#include "net/arrivals.h"

#include "net/connection.h"

namespace minod {

void Arrivals::serve(const Store& store) {
  prefetch_.finish(store);
  for (Connection* const connection : connections_) connection->run();
  connections_.clear();
  for (Connection* const connection : answered_) connection->answer();
  answered_.clear();
}

}  // namespace minod
