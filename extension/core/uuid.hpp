// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace crm_bridge::core {

// A record's own id (`id uuid` of every mirror).
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const Uuid &) const = default;
};

// 8-4-4-4-12 in lower case.
std::string to_text(const Uuid &uuid);

// Accepts what PostgreSQL's uuid type prints (either case); anything else is nullopt.
std::optional<Uuid> parse_uuid(std::string_view text);

// UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then a 12-bit counter that keeps ids of
// one process ascending within a millisecond (method 1), then 62 random bits.  If the clock steps
// back or the counter overflows, the last time is kept and advanced, so ids never descend.
class UuidGenerator {
 public:
  // Fills `size` bytes with strong random data.  Called once for a block of ids, not once an id.
  using RandomSource = std::function<void(std::uint8_t *bytes, std::size_t size)>;
  explicit UuidGenerator(RandomSource source) : source_(std::move(source)) {}
  Uuid next(std::int64_t unix_milliseconds);

 private:
  RandomSource source_;
  std::array<std::uint8_t, 2048> pool_{};
  std::size_t used_ = 2048;
  std::int64_t last_millisecond_ = -1;
  std::uint16_t counter_ = 0;
};

}  // namespace crm_bridge::core

template <>
struct std::hash<crm_bridge::core::Uuid> {
  std::size_t operator()(const crm_bridge::core::Uuid &uuid) const noexcept;
};
