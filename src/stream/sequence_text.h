// Sequence numbers as the readers of streams and functions see them: 1, then the number in 20 digits. One width and no leading
// zero, so that they sort as text and as numbers, whoever parses them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace pawl::stream {

void append_sequence(std::string& out, SequenceNumber sequence);
std::string sequence_text(SequenceNumber sequence);
// Nothing for what append_sequence() does not write.
std::optional<SequenceNumber> parse_sequence(std::string_view text);

}  // namespace pawl::stream
