// SPDX-License-Identifier: PostgreSQL
#include "core/uuid.hpp"

#include <cstring>

namespace crm_bridge::core {

namespace {

constexpr std::size_t text_size = 36;
constexpr std::size_t random_bytes_per_id = 8;
constexpr std::uint16_t counter_limit = 0x1000;

constexpr bool is_hyphen_position(std::size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

constexpr int hexadecimal_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_text(const Uuid &uuid) {
  constexpr std::string_view hexadecimal = "0123456789abcdef";
  std::string text(text_size, '-');
  std::size_t position = 0;
  for (const std::uint8_t byte : uuid.bytes) {
    if (is_hyphen_position(position)) ++position;
    text[position++] = hexadecimal[byte >> 4];
    text[position++] = hexadecimal[byte & 0x0F];
  }
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != text_size) return std::nullopt;
  Uuid uuid;
  std::size_t position = 0;
  for (std::uint8_t &byte : uuid.bytes) {
    if (is_hyphen_position(position) && text[position++] != '-') return std::nullopt;
    const int high = hexadecimal_value(text[position++]);
    const int low = hexadecimal_value(text[position++]);
    if (high < 0 || low < 0) return std::nullopt;
    byte = static_cast<std::uint8_t>(high << 4 | low);
  }
  return uuid;
}

Uuid UuidGenerator::next(std::int64_t unix_milliseconds) {
  // The source may throw: fill the pool before anything moves on.
  if (used_ + random_bytes_per_id > pool_.size()) {
    source_(pool_.data(), pool_.size());
    used_ = 0;
  }
  if (unix_milliseconds > last_millisecond_) {
    last_millisecond_ = unix_milliseconds;
    counter_ = 0;
  } else if (last_millisecond_ < 0) {
    last_millisecond_ = 0;  // a clock before 1970 has no place in 48 bits
    counter_ = 0;
  } else if (++counter_ == counter_limit) {
    ++last_millisecond_;
    counter_ = 0;
  }

  Uuid uuid;
  for (std::size_t i = 0; i < 6; ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(last_millisecond_ >> (40 - 8 * i));
  }
  uuid.bytes[6] = static_cast<std::uint8_t>(0x70 | counter_ >> 8);
  uuid.bytes[7] = static_cast<std::uint8_t>(counter_);
  std::memcpy(&uuid.bytes[8], &pool_[used_], random_bytes_per_id);
  uuid.bytes[8] = static_cast<std::uint8_t>(0x80 | (uuid.bytes[8] & 0x3F));
  used_ += random_bytes_per_id;
  return uuid;
}

}  // namespace crm_bridge::core

std::size_t std::hash<crm_bridge::core::Uuid>::operator()(
    const crm_bridge::core::Uuid &uuid) const noexcept {
  // Version 7 ids of one process share their first half: the random half is mixed in fully.
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, uuid.bytes.data(), sizeof high);
  std::memcpy(&low, uuid.bytes.data() + sizeof high, sizeof low);
  std::uint64_t mixed = high * 0x9E3779B97F4A7C15U ^ low;
  mixed ^= mixed >> 32;
  mixed *= 0xD6E8FEB86659FD93U;
  mixed ^= mixed >> 32;
  return static_cast<std::size_t>(mixed);
}
