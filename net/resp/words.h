// The words of a line that a person typed: an inline command, or a line of minod-cli. Words stand between white space;
// "..." takes \n \r \t \b \a \xHH and \ before any other character, '...' takes only \'.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace minod::resp {

// False when quotes are not balanced, or a closing quote is not at the end of its word; `words` is then unspecified.
bool split_words(std::string_view line, std::vector<std::string>& words);

// The same for a line in which no quote stands: the words are views of it.
void split_plain_words(std::string_view line, std::vector<std::string_view>& words);

}  // namespace minod::resp
