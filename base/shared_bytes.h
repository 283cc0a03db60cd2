// Bytes that several owners look at and nobody changes.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace minod {

using SharedBytes = std::shared_ptr<const std::vector<std::byte>>;

}  // namespace minod
