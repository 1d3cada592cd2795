// The words that can't be used as attribute names without a placeholder (Amazon DynamoDB developer
// guide, "Reserved words in DynamoDB").
#pragma once

#include <string_view>

namespace pawl::expression {

// In any case; the word itself only, not what contains it.
bool is_reserved_word(std::string_view word);

}  // namespace pawl::expression
