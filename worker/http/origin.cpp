// SPDX-License-Identifier: PostgreSQL
#include "http/origin.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace crm_bridge::worker {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '0')
    return std::nullopt;
  if (port < 1 || port > 65535) return std::nullopt;
  return port;
}

bool is_dotted_quad(std::string_view host) {
  int parts = 0;
  while (true) {
    const std::size_t dot = host.find('.');
    const std::string_view part = host.substr(0, dot);
    if (part.empty() || part.size() > 3 || !std::all_of(part.begin(), part.end(), is_digit))
      return false;
    if (part.size() > 1 && part.front() == '0') return false;
    int value = 0;
    std::from_chars(part.data(), part.data() + part.size(), value);
    if (value > 255) return false;
    ++parts;
    if (dot == std::string_view::npos) return parts == 4;
    host.remove_prefix(dot + 1);
  }
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  std::string_view last;
  while (true) {
    const std::size_t dot = host.find('.');
    last = host.substr(0, dot);
    const bool good = !last.empty() && last.size() <= 63 && last.front() != '-' &&
                      last.back() != '-' && std::all_of(last.begin(), last.end(), [](char c) {
                        return is_letter(c) || is_digit(c) || c == '-';
                      });
    if (!good) return false;
    if (dot == std::string_view::npos) break;
    host.remove_prefix(dot + 1);
  }
  // A last label that starts with a digit is how the short, octal and hexadecimal forms of
  // addresses begin.
  return is_letter(last.front());
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" ||
         (is_dotted_quad(host) && host.starts_with("127."));
}

}  // namespace

std::optional<Origin> parse_origin(std::string_view url) {
  const bool printable =
      std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
  if (!printable) return std::nullopt;
  Origin origin;
  if (url.starts_with("https://")) {
    origin.scheme = "https";
    origin.port = 443;
  } else if (url.starts_with("http://")) {
    origin.scheme = "http";
    origin.port = 80;
  } else {
    return std::nullopt;
  }
  url.remove_prefix(origin.scheme.size() + 3);
  std::string_view authority = url.substr(0, url.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) return std::nullopt;
  if (authority.starts_with("[::1]")) {
    origin.host = "[::1]";
    authority.remove_prefix(5);
    if (!authority.empty() && authority.front() != ':') return std::nullopt;
  } else {
    origin.host = authority.substr(0, authority.find(':'));
    authority.remove_prefix(origin.host.size());
    if (!is_dotted_quad(origin.host) && !is_host_name(origin.host)) return std::nullopt;
  }
  if (!authority.empty()) {
    authority.remove_prefix(1);
    if (authority.empty()) return std::nullopt;
    const auto port = parse_port(authority);
    if (!port) return std::nullopt;
    origin.port = *port;
  }
  if (origin.scheme == "http" && !is_loopback(origin.host)) return std::nullopt;
  return origin;
}

AllowedOrigins::AllowedOrigins(const std::vector<std::string> &urls) {
  for (const auto &url : urls) {
    const auto origin = parse_origin(url);
    if (!origin) {
      throw std::invalid_argument(
          "\"" + url + "\" is not an https URL (http is taken for loopback addresses only)");
    }
    origins_.push_back(*origin);
  }
}

bool AllowedOrigins::allows(std::string_view url) const {
  const auto origin = parse_origin(url);
  return origin && std::find(origins_.begin(), origins_.end(), *origin) != origins_.end();
}

std::string url_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    if (is_digit(c) || is_letter(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' ||
        c == '~') {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += '%';
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
  }
  return result;
}

}  // namespace crm_bridge::worker
