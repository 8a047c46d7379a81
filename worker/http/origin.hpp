// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crm_bridge::worker {

// Scheme, host and port: what decides whether a request may carry a token.
struct Origin {
  std::string scheme;
  std::string host;
  int port = 0;
  bool operator==(const Origin &) const = default;
};

// The origin of an absolute URL, or nullopt unless it is https, or http to a loopback address (a
// test server on the same host; nothing leaves the machine).  Strict on purpose: no user name, no
// backslash, no control or space, no escaped or non-ASCII host, no host made of numbers other than
// a full dotted quad, ports 1 to 65535.
std::optional<Origin> parse_origin(std::string_view url);

// The hosts that the configuration names.
class AllowedOrigins {
 public:
  AllowedOrigins() = default;
  // Throws std::invalid_argument, with the reason, for a URL that parse_origin refuses.
  explicit AllowedOrigins(const std::vector<std::string> &urls);
  bool allows(std::string_view url) const;

 private:
  std::vector<Origin> origins_;
};

// Percent-encodes everything but unreserved characters.
std::string url_encode(std::string_view text);

}  // namespace crm_bridge::worker
