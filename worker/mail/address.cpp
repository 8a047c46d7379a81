// SPDX-License-Identifier: PostgreSQL
#include "mail/address.hpp"

#include <unicode/uidna.h>

#include <algorithm>
#include <array>
#include <memory>

namespace crm_bridge::worker {
namespace {

constexpr std::size_t longest_local_part = 64;
constexpr std::size_t longest_address = 254;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_local_part(std::string_view text) {
  if (text.empty() || text.size() > longest_local_part || text.front() == '.' ||
      text.back() == '.' || text.find("..") != std::string_view::npos)
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) ||
           std::string_view(".!#$%&'*+/=?^_`{|}~-").find(c) != std::string_view::npos;
  });
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.front() == '-' ||
      text.back() == '-' || text.find("..") != std::string_view::npos)
    return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-'; });
}

struct CloseIdna {
  void operator()(UIDNA *idna) const { uidna_close(idna); }
};

std::optional<std::string> ascii_domain(std::string_view domain) {
  if (is_domain(domain)) return std::string(domain);
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UIDNA, CloseIdna> idna(
      uidna_openUTS46(UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                          UIDNA_NONTRANSITIONAL_TO_ASCII,
                      &status));
  std::array<char, 256> buffer;
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  const std::int32_t length = uidna_nameToASCII_UTF8(
      idna.get(), domain.data(), static_cast<std::int32_t>(domain.size()), buffer.data(),
      static_cast<std::int32_t>(buffer.size()), &info, &status);
  if (U_FAILURE(status) || info.errors != 0 || length > static_cast<std::int32_t>(buffer.size()))
    return std::nullopt;
  std::string ascii(buffer.data(), static_cast<std::size_t>(length));
  if (!is_domain(ascii)) return std::nullopt;
  return ascii;
}

}  // namespace

std::optional<std::string> mail_address(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || !is_local_part(text.substr(0, at))) return std::nullopt;
  const std::string_view domain = text.substr(at + 1);
  if (domain.empty() || domain.size() > longest_address) return std::nullopt;
  const auto ascii = ascii_domain(domain);
  if (!ascii || at + 1 + ascii->size() > longest_address) return std::nullopt;
  return std::string(text.substr(0, at + 1)) + *ascii;
}

std::string_view domain_of(std::string_view address) {
  return address.substr(address.rfind('@') + 1);
}

}  // namespace crm_bridge::worker
