// The sequence numbers that a service gives to the records of its stream: decimal digits, too long for an integer, that
// grow within a shard and promise no contiguity (FACTS of the service; port/table_stream.h). Here they are in one form
// only: 1 to kSourceDigitsMax digits without leading zeros ("0" is itself), so that equal numbers are equal texts.
// Stored in guarded tables' pages and bodies: docs/internals/archive-format.md, "Guarded tables".
//
// Everything here is pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pawl::item {

// The longest that the service's API allows.
inline constexpr std::size_t kSourceDigitsMax = 40;

bool is_source_number(std::string_view text);

// Whether `one` is smaller than `other`. Both are source numbers.
bool source_before(std::string_view one, std::string_view other);

// A record's number as the service writes it, perhaps with zeros on the left, in the one form; and back into what the service
// takes, which is no shorter than 21 digits (API reference, GetShardIterator: SequenceNumber).
std::string source_of(std::string_view sequence);
std::string sequence_of(std::string_view source);

// With zeros on the left to kSourceDigitsMax digits: so that names sort as numbers do.
std::string padded_source(std::string_view source);

}  // namespace pawl::item
