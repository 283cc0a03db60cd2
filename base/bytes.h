// Views of bytes. A view is a parameter or a short-lived local: never a member, except in types called *View whose
// comment says what they point into.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace minod {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline Bytes as_bytes(std::string_view text) { return {reinterpret_cast<const std::byte*>(text.data()), text.size()}; }

inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace minod
