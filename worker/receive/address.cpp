// SPDX-License-Identifier: PostgreSQL
#include "receive/address.hpp"

#include <charconv>

namespace crm_bridge::worker {
namespace {

constexpr std::string_view prefix = "/hooks/";
// 160 bits each.  The CRM takes tokens of up to 50 characters.
constexpr std::size_t secret_length = 40;

std::string channel_number(const std::string &hexadecimal) {
  std::uint64_t number = 0;
  std::from_chars(hexadecimal.data(), hexadecimal.data() + hexadecimal.size(), number, 16);
  return std::to_string(1'000'000'000'000 + number % 1'000'000'000'000);
}

}  // namespace

WebhookAddress webhook_address(const Key &key, const ServiceSettings &settings,
                               std::int64_t org_id) {
  const std::string owner = settings.kind + " " + std::to_string(org_id);
  const std::string secret = settings.webhook_path.empty()
                                 ? key.derive("webhook path " + owner, secret_length)
                                 : settings.webhook_path;
  return {std::string(prefix) + settings.kind + "/" + std::to_string(org_id) + "/" + secret,
          settings.webhook_token.empty() ? key.derive("webhook token " + owner, secret_length)
                                         : settings.webhook_token,
          channel_number(key.derive("webhook channel " + owner, 12))};
}

std::optional<WebhookPath> parse_webhook_path(std::string_view path) {
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  const std::size_t first = path.find('/');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = path.find('/', first + 1);
  if (second == std::string_view::npos || second + 1 == path.size()) return std::nullopt;
  WebhookPath parts{std::string(path.substr(0, first)), 0};
  const std::string_view number = path.substr(first + 1, second - first - 1);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), parts.org_id);
  if (error != std::errc{} || end != number.data() + number.size() || parts.org_id <= 0)
    return std::nullopt;
  return parts;
}

}  // namespace crm_bridge::worker
