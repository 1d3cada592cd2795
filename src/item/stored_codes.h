// The code bytes of stored values, shared by what writes and reads them (item_codec.cc) and what renders them without
// reading them first (stored_json.cc). The format is in item_codec.h.
#pragma once

#include <cstdint>

namespace pawl::item {

inline constexpr std::uint8_t kCodeString = 0x01;
inline constexpr std::uint8_t kCodeNumber = 0x02;
inline constexpr std::uint8_t kCodeBinary = 0x03;
inline constexpr std::uint8_t kCodeFalse = 0x04;
inline constexpr std::uint8_t kCodeTrue = 0x05;
inline constexpr std::uint8_t kCodeNull = 0x06;
inline constexpr std::uint8_t kCodeStringSet = 0x07;
inline constexpr std::uint8_t kCodeNumberSet = 0x08;
inline constexpr std::uint8_t kCodeBinarySet = 0x09;
inline constexpr std::uint8_t kCodeList = 0x0A;
inline constexpr std::uint8_t kCodeMap = 0x0B;

}  // namespace pawl::item
