#include "net/arrivals.h"

#include "net/connection.h"

namespace minod {

void Arrivals::serve(const Store& store) {
  prefetch_.finish(store);
  for (Connection* const connection : connections_) connection->resume();
  connections_.clear();
}

}  // namespace minod
